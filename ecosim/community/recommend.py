"""The recommendation: every visitor's slate is filled by the feeds that the scenario names, slot by slot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.community.feeds import FEEDS, Feed, Sight, close
from ecosim.community.scenario import CommunityScenario
from ecosim.community.tables import NOBODY, grid
from ecosim.side import Events
from ecosim.words import Decision, Question

if TYPE_CHECKING:
    from ecosim.world import World


class Recommend:
    """Every visitor gets a slate of `slate` posts, each slot from the source that `feed` names for it.

    `random` is any post with the same chance; `popular` draws a post with a chance in proportion to (views + a)^r;
    `hot` is one front page for all, by log10(max(likes, 1)) + time of posting in units of 12.5 hours; `content` ranks
    by the product of the visitor's profile (what it watched and liked) with the post's vector (niche, topic, signs of
    the title), and 8 more for a creator whom it follows. No post is twice on a slate; one that the visitor has
    watched is shown again only with `watch_again`.

    Draws:
        From the world's seed, keyed by the viewer: the lotteries of `random` and `popular`, and the order of equals in
        `hot` and `content`.
    """

    name = "recommend"
    repeats = False

    def __init__(self, scenario: CommunityScenario, feeds: Mapping[str, Feed] = FEEDS) -> None:
        self._facts = scenario.feed
        self._watch_again = scenario.viewers.watch_again
        sources = scenario.feed.sources()
        self._slots = [(feeds[s], [i for i, t in enumerate(sources) if t == s]) for s in dict.fromkeys(sources)]

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked: the feed is the platform's."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Fill the slates of those who visit; all others are empty."""
        slates = grid(world.tables["viewers"], "slate", world.num_replicas)
        slates[:] = NOBODY
        if not world.tables["viewers"]["is_visiting"].any():
            return {}
        sight = self._sight(world)
        picks = np.full((*sight.viewer.shape, self._facts.slate), NOBODY)
        for feed, slots in self._slots:
            picks[:, :, slots] = feed(sight, len(slots))
            close(sight.is_open, picks[:, :, slots])
        replica, visit = np.nonzero(sight.is_here)
        slates[replica, sight.viewer[replica, visit]] = picks[replica, visit]
        return {}

    def _sight(self, world: World) -> Sight:
        num_replicas, tables = world.num_replicas, world.tables
        visits = grid(tables["viewers"], "is_visiting", num_replicas)
        num_visits = int(visits.sum(axis=1).max(initial=0))
        viewer = np.argsort(~visits, axis=1, kind="stable")[:, :num_visits]  # (R, n)
        is_here = np.take_along_axis(visits, viewer, axis=1)
        replica = np.arange(num_replicas)[:, None]
        seen = {n: grid(tables["viewers"], n, num_replicas)[replica, viewer] for n in ("profile", "follows")}
        posts = {n: grid(tables["posts"], n, num_replicas) for n in ("post", "day", "views", "likes", "vector")}
        is_open = is_here[:, :, None] & (posts["post"] != NOBODY)[:, None, :]
        if not self._watch_again:
            is_open &= ~grid(tables["viewers"], "has_watched", num_replicas)[replica, viewer]
        return Sight(
            step=world.steps,
            seed=world.seed(seeds.WORLD, np.arange(num_replicas)),
            viewer=viewer,
            is_here=is_here,
            is_open=is_open,
            **seen,
            **posts,
            prior_views=self._facts.prior_views,
            power=self._facts.popularity_power,
        )
