"""Tastes: what viewers find in posts, by topic, traits, nearness, shares, or as rated; hidden from creators and feeds.

Whatever is drawn is kept as whole numbers (hundredths of log-odds, hundredths of traits, thousandths of a coordinate),
so that sums of products are exact in any order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

from ecosim import seeds
from ecosim.community import ratings
from ecosim.community.mixtures import ByShares
from ecosim.exact import micro
from ecosim.fields import Array

if TYPE_CHECKING:
    from ecosim.community.scenario import CommunityScenario
    from ecosim.community.state import Layout
    from ecosim.words import Table

SCALE = 100
"""Tastes and traits are counts of hundredths."""
PLACE_SCALE = 1000
"""Coordinates are counts of thousandths."""
_MOST = 32_000
_BLOCK = 4096
_BUILD = "build"


class Tastes(Protocol):
    """How tastes are drawn, how posts come by traits, and what one finds in the other."""

    def of_viewers(self, viewer: Array, seed: Array, favourite: Array) -> Array:
        """The column `taste`, whole numbers (viewers, dims)."""

    def of_posts(self, creator: Array, topic: Array, seed: Array, step: int) -> Array:
        """The column `traits` of new posts, whole numbers (posts, dims); (posts, 0) where topics say all."""

    def worth(self, viewers: Table, viewer_row: Array, posts: Table, post_row: Array) -> Array:
        """What viewers find in posts, log-odds, float64 (visits, slots); `post_row` is (visits, slots)."""


def tastes(scenario: CommunityScenario, net: Layout) -> Tastes:
    """The tastes of a scenario."""
    kinds: dict[str, Callable[[CommunityScenario, Layout], Tastes]]
    kinds = {
        "topics": ByTopic,
        "dot": ByTraits,
        "points": ByNearness,
        "ratings": ByRatings,
        "shares": ByShares,
    }
    return kinds[scenario.tastes.kind](scenario, net)


class ByTopic:
    """A taste for each topic: normal with `taste_spread`, and `favourite_bonus` in the favourite niche."""

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        self._spread, self._bonus = scenario.viewers.taste_spread, scenario.viewers.favourite_bonus
        self._niche = net.topic_niche

    def of_viewers(self, viewer: Array, seed: Array, favourite: Array) -> Array:
        """Hundredths of log-odds, int16 (viewers, topics)."""
        found = np.empty((len(viewer), len(self._niche)), np.int16)
        for topic in range(len(self._niche)):
            draw = seeds.normal(seeds.WORLD, seed, 0, _BUILD, (viewer, np.full(len(viewer), topic)), lane=2)
            taste = self._spread * draw + np.where(favourite == self._niche[topic], self._bonus, 0.0)
            found[:, topic] = np.clip(np.rint(SCALE * taste), -_MOST, _MOST)
        return found

    def of_posts(self, creator: Array, topic: Array, seed: Array, step: int) -> Array:
        """Nothing: a post's topic says all."""
        return np.zeros((len(creator), 0), np.int16)

    def worth(self, viewers: Table, viewer_row: Array, posts: Table, post_row: Array) -> Array:
        """The viewer's taste in the post's topic; of a joint work, in that of its two topics which it likes better."""
        taste = viewers["taste"][viewer_row[:, None], posts["topic"][post_row]]
        if "second_topic" in posts:
            second = posts["second_topic"][post_row]
            other = viewers["taste"][viewer_row[:, None], np.maximum(second, 0)]
            taste = np.where(second >= 0, np.maximum(taste, other), taste)
        return cast(Array, taste / SCALE)


class ByRatings:
    """As `ByTopic`, and in each niche what its genre is worth to the person of MovieLens whom the viewer stands for.

    Draws:
        From the world's seed, keyed by the viewer: which of the 943 people.
    """

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        self._by_topic, self._niche = ByTopic(scenario, net), net.topic_niche
        self.worth, self.of_posts = self._by_topic.worth, self._by_topic.of_posts
        self._genres = tuple(scenario.tastes.genres.get(niche, niche) for niche in net.niches)

    def of_viewers(self, viewer: Array, seed: Array, favourite: Array) -> Array:
        """Hundredths of log-odds, int16 (viewers, topics)."""
        found = self._by_topic.of_viewers(viewer, seed, favourite).astype(np.int64)
        found += ratings.lifts(self._genres)[self._person(viewer, seed)][:, self._niche]
        return np.clip(found, -_MOST, _MOST).astype(np.int16)

    def favourites(self, viewer: Array, seed: Array) -> Array:
        """The favourite niche of each viewer, int64 (viewers,)."""
        return ratings.favourites(self._genres)[self._person(viewer, seed)]

    def _person(self, viewer: Array, seed: Array) -> Array:
        return seeds.integers(ratings.NUM_PEOPLE, seeds.WORLD, seed, 0, _BUILD, (viewer,), lane=4)


class ByTraits:
    """Taste · traits ÷ √dims: both normal in every dimension, with `taste_spread` and `trait_spread`."""

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        self._dims = scenario.tastes.num_dims
        self._spread, self._trait_spread = scenario.viewers.taste_spread, scenario.tastes.trait_spread
        self._unit = SCALE * SCALE * np.sqrt(float(self._dims))

    def of_viewers(self, viewer: Array, seed: Array, favourite: Array) -> Array:
        """Hundredths, int16 (viewers, dims)."""
        return self._drawn(viewer, seed, 0, _BUILD, self._spread)

    def of_posts(self, creator: Array, topic: Array, seed: Array, step: int) -> Array:
        """Hundredths, int16 (posts, dims)."""
        return self._drawn(creator, seed, step, "traits", self._trait_spread)

    def worth(self, viewers: Table, viewer_row: Array, posts: Table, post_row: Array) -> Array:
        """The product of whole numbers, exact in float64; rows in blocks that stay in the processor's cache."""
        traits, found = posts["traits"].astype(np.float64), np.empty(post_row.shape)
        for start in range(0, len(viewer_row), _BLOCK):
            part = slice(start, start + _BLOCK)
            taste = viewers["taste"][viewer_row[part]].astype(np.float64)
            found[part] = (traits[post_row[part]] @ taste[:, :, None])[:, :, 0]
        return found / self._unit

    def _drawn(self, key: Array, seed: Array, step: int, purpose: str, spread: float) -> Array:
        found = np.empty((len(key), self._dims), np.int16)
        for dim in range(self._dims):
            draw = seeds.normal(seeds.WORLD, seed, step, purpose, (key, np.full(len(key), dim)), lane=2)
            found[:, dim] = np.clip(np.rint(SCALE * spread * draw), -_MOST, _MOST)
        return found


class ByNearness:
    """`peak` less the distance between where the viewer is and where posts on the topic are."""

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        facts = scenario.tastes
        self._peak, self._crowds, self._dims = facts.peak, facts.crowds, facts.num_dims
        self._spread = facts.place_spread
        self._places = np.array([facts.places[topic] for topic in net.topics])
        self._ends = np.cumsum([micro(crowd.part) for crowd in facts.crowds])

    def of_viewers(self, viewer: Array, seed: Array, favourite: Array) -> Array:
        """Thousandths, int32 (viewers, dims)."""
        where = np.empty((len(viewer), self._dims))
        if self._crowds:
            ticket = seeds.integers(int(self._ends[-1]), seeds.WORLD, seed, 0, _BUILD, (viewer,), lane=3)
            crowd = np.searchsorted(self._ends, ticket, side="right")
            centre = np.array([c.centre for c in self._crowds])[crowd]
            spread = np.array([c.spread for c in self._crowds])[crowd]
        for dim in range(self._dims):
            key = (viewer, np.full(len(viewer), dim))
            if self._crowds:
                where[:, dim] = centre[:, dim] + spread * seeds.normal(seeds.WORLD, seed, 0, _BUILD, key, lane=2)
            else:
                where[:, dim] = seeds.uniform(seeds.WORLD, seed, 0, _BUILD, key, lane=2)
        return np.clip(np.rint(PLACE_SCALE * where), -(10**6), 10**6).astype(np.int32)

    def of_posts(self, creator: Array, topic: Array, seed: Array, step: int) -> Array:
        """Thousandths, int32 (posts, dims): the place of the topic, and `place_spread` around it."""
        where = self._places[topic]
        if self._spread > 0:
            for dim in range(self._dims):
                key = (creator, np.full(len(creator), dim))
                where[:, dim] += self._spread * seeds.normal(seeds.WORLD, seed, step, "traits", key, lane=2)
        return np.rint(PLACE_SCALE * where).astype(np.int32)

    def worth(self, viewers: Table, viewer_row: Array, posts: Table, post_row: Array) -> Array:
        """Peak less the Euclidean distance."""
        at, traits = viewers["taste"][viewer_row], posts["traits"]
        square = np.zeros(post_row.shape, np.int64)
        for dim in range(self._dims):
            gap = at[:, dim, None].astype(np.int64) - traits[post_row, dim]
            square += gap * gap
        return cast(Array, self._peak - np.sqrt(square.astype(np.float64)) / PLACE_SCALE)
