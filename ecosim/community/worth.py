"""What posts are worth to viewers, log-odds of watching: the sum of its parts, as columns of `viewer.react`."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim import seeds
from ecosim.community import bits
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import NOBODY, Layout
from ecosim.community.tastes import tastes
from ecosim.fields import Array
from ecosim.words import Question

if TYPE_CHECKING:
    from ecosim.world import World

PARTS = ("appeal", "taste", "bond", "fatigue", "trust")
"""Columns that add up to a post's worth, in this order; the last two only where the scenario has them."""


def worth(question: Question) -> Array:
    """What each post of each slate is worth to its viewer, float64 (rows, slots)."""
    parts = [question[name] for name in PARTS if name in question.columns]
    return sum(parts[1:], parts[0])


class Worth:
    """The parts that do not depend on what the viewer has done."""

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        self._net, self._tastes, self._noise = net, tastes(scenario, net), scenario.tastes.noise
        self._title_appeal, self._bond = scenario.viewers.title_appeal, scenario.viewers.bond

    def appeal(self, world: World) -> Array:
        """What each post is worth today to a viewer without tastes, float64 (places of all replicas,)."""
        posts, topics = world.tables["posts"], world.tables["topics"]
        heat = topics["heat"][self._net.topic_row(posts["replica"], posts["topic"])]
        creator = world.first_member[posts["replica"]] + posts["place"] % self._net.num_creators
        label = world.tables["creators"]["label_appeal"][creator]
        return cast(Array, (posts["appeal"] + heat) + (label + self._title_appeal * posts["title_fit"]))

    def bond(self, world: World, rows: Array, at: Array, follows: Array) -> Array:
        """What following the creator of each post adds, or of a joint work the partner, log-odds (rows, slots)."""
        posts = world.tables["posts"]
        if "partner" in posts:
            partner = posts["partner"][at]
            is_known = bits.has(world.tables["viewers"]["follows"], rows[:, None], np.maximum(partner, 0))
            follows = follows | (is_known & (partner != NOBODY))
        return np.where(follows, self._bond, 0.0)

    def taste(self, world: World, rows: Array, at: Array) -> Array:
        """What viewers find in posts, log-odds (rows, slots): taste, and whatever each finds in each by chance."""
        viewers, posts = world.tables["viewers"], world.tables["posts"]
        taste = self._tastes.worth(viewers, rows, posts, at)
        if self._noise == 0:
            return taste
        viewer, post = np.repeat(viewers["viewer"][rows], at.shape[1]), posts["post"][at].ravel()
        seed = np.repeat(world.seed(seeds.WORLD, viewers["replica"][rows]), at.shape[1])
        luck = seeds.normal(seeds.WORLD, seed, 0, "taste", (viewer, post)).reshape(at.shape)
        return taste + self._noise * luck
