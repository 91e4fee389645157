"""Tastes as shares: a viewer divides its interest among some attributes, a post is made of them in some proportions.

Shares are kept as whole 4,096ths, so that products are exact in any order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim import exact, seeds
from ecosim.fields import Array
from ecosim.rules import shares

if TYPE_CHECKING:
    from ecosim.community.scenario import CommunityScenario
    from ecosim.community.state import Layout
    from ecosim.words import Table

UNIT = 2**12
"""Shares are counts of 4,096ths."""
_BUILD = "build"


class ByShares:
    """The logarithm of taste · traits: both are shares of the whole, drawn around means that a replica has in common.

    Viewers' interests follow Dirichlet(`taste_weight` · m) with m from Dirichlet(`taste_evenness`, …), one a replica;
    posts likewise with `trait_weight` and `trait_evenness`. A low weight makes each viewer or post of one kind.

    Source: Chaney, Stewart, Engelhardt (2018), How algorithmic confounding in recommendation systems increases
    homogeneity and decreases utility, RecSys, section 4.
    """

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        self._facts = scenario.tastes
        self._num_places = net.num_places

    def of_viewers(self, viewer: Array, seed: Array, favourite: Array) -> Array:
        """4,096ths, int16 (viewers, dims)."""
        return self._drawn(viewer, seed, 0, "taste.shares", self._facts.taste_weight, self._facts.taste_evenness)

    def of_posts(self, creator: Array, topic: Array, seed: Array, step: int) -> Array:
        """4,096ths, int16 (posts, dims)."""
        return self._drawn(creator, seed, step, "trait.shares", self._facts.trait_weight, self._facts.trait_evenness)

    def worth(self, viewers: Table, viewer_row: Array, posts: Table, post_row: Array) -> Array:
        """log of the product; where viewer and post have nothing in common, of half the least product there is."""
        taste, traits = (column.astype(np.float64) for column in (viewers["taste"][viewer_row], posts["traits"]))
        product = np.empty(post_row.shape)
        first = (post_row[:, :1] // self._num_places) * self._num_places  # where the posts of the visit's replica start
        for start in np.unique(first):
            rows = np.flatnonzero(first[:, 0] == start)
            every = taste[rows] @ traits[start : start + self._num_places].T  # whole numbers: exact in any order
            product[rows] = np.take_along_axis(every, post_row[rows] - start, axis=1)
        return exact.log(np.maximum(product, 0.5) / (UNIT * UNIT))

    def _drawn(self, who: Array, seed: Array, step: int, purpose: str, weight: float, evenness: float) -> Array:
        dims = self._facts.dims
        worlds, of = np.unique(seed, return_inverse=True)
        same = np.full((len(worlds), dims), evenness)
        mean = shares.dirichlet(same, seeds.WORLD, worlds, 0, f"{purpose}.mean", (np.zeros(len(worlds), np.int64),))
        drawn = shares.dirichlet(weight * mean[of], seeds.WORLD, seed, step, purpose, (who,))
        return np.rint(UNIT * drawn).astype(np.int16)
