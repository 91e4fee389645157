"""The recommendation: every visitor's slate is filled by the feeds that the scenario names, slot by slot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.community.feeds import (
    BLOCK,
    FEEDS,
    LEARNERS,
    Feed,
    Known,
    Learner,
    Sight,
    explore,
    own_feeds,
    shortlist,
)
from ecosim.community.learned import LEARNED
from ecosim.community.learned.fair import Fair
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import NOBODY, Layout, grid
from ecosim.community.threads import blocks, side_by_side
from ecosim.errors import ScenarioError
from ecosim.fields import Array
from ecosim.side import Events
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World


class Recommend:
    """Every visitor gets a slate of `slate` posts, each slot from the source that `feed` names for it.

    `random` is any post with the same chance; `popular` draws a post with a chance in proportion to (views + a)^r;
    `hot` is one front page for all, by log10(max(likes, 1)) + time of posting in units of 12.5 hours; `content` ranks
    by the product of the visitor's profile (what it watched and liked) with the post's vector (niche, topic, signs of
    the title), and 8 more for a creator whom it follows. No post is twice on a slate; one that the visitor has
    watched is shown again only with `watch_again`. `cosine` is `content` by direction alone; `newest` is chronological,
    `following` too, with creators whom the visitor follows first; `social` ranks by the views of those close to the
    visitor. With `candidates`, only so many posts a day reach the sources. A share `explore_share` of the slots goes
    to any open post, whatever its source put there. `collaborative` and `bandit` learn every day what to show. With
    `fairness`, a group's posts then get the places that they are owed.

    Draws:
        From the world's seed, keyed by the viewer: the lotteries of `random` and `popular`, and the order of equals in
        rankings; which slots are explored, and with what; equals among candidates, keyed by the post; what
        `bandit` guesses.
    """

    name = "recommend"
    repeats = False

    def __init__(
        self,
        scenario: CommunityScenario,
        net: Layout,
        feeds: Mapping[str, Feed] = FEEDS,
        learners: Mapping[str, Learner] = LEARNERS,
    ) -> None:
        self._facts, self._net = scenario.feed, net
        self._watch_again = scenario.viewers.watch_again or scenario.feed.shows_watched
        if scenario.feed.missing():
            raise ScenarioError([f"scenario: {fault}" for fault in scenario.feed.missing()])
        self._feeds = {**feeds, **own_feeds(scenario.feed.own)}
        sources = scenario.feed.sources()
        shipped: dict[str, Learner] = {n: make(scenario.feed) for n, make in LEARNED.items() if n in sources}
        self._learners = {**shipped, **learners}
        owed = scenario.feed.fairness
        self._fair = None if owed is None else Fair(owed, net, scenario.feed.slate)
        self._slots: dict[str, list[int]] = {
            s: [i for i, t in enumerate(sources) if t == s] for s in dict.fromkeys(sources)
        }

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked: the feed is the platform's."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Fill the slates of those who visit, a block of visits after another; all others are empty."""
        slates = grid(world.tables["viewers"], "slate", world.num_replicas)
        slates[:] = NOBODY
        visits = grid(world.tables["viewers"], "is_visiting", world.num_replicas)
        num_visits = int(visits.sum(axis=1).max(initial=0))
        if num_visits == 0:
            return {}
        known = self._known(world)
        feeds = {name: self._feed(name, known) for name in self._slots}
        viewer = np.argsort(~visits, axis=1, kind="stable")[:, :num_visits]  # (R, n)
        is_here = np.take_along_axis(visits, viewer, axis=1)

        def fill(part: slice) -> None:
            picks = self._filled(known, feeds, viewer[:, part], is_here[:, part])
            if self._fair is not None:
                theirs = self._filled(self._fair.group(known), feeds, viewer[:, part], is_here[:, part])
                picks = self._fair.merged(known, picks, theirs)
            replica, visit = np.nonzero(is_here[:, part])
            slates[replica, viewer[:, part][replica, visit]] = picks[replica, visit]

        side_by_side(fill, blocks(num_visits, known.post.size, BLOCK))
        return {}

    def _feed(self, source: str, known: Known) -> Feed:
        return self._learners[source](known) if source in self._learners else self._feeds[source]

    def _filled(self, known: Known, feeds: Mapping[str, Feed], viewer: Array, is_here: Array) -> Array:
        """Slates of a block of visits, int64 (R, n, slots)."""
        slate = np.full((*viewer.shape, self._facts.slate), NOBODY)
        for source, slots in self._slots.items():
            slate[:, :, slots] = feeds[source](Sight(known, viewer, is_here, slate), len(slots))
        if known.explore_share.any():
            explore(Sight(known, viewer, is_here, slate))
        return slate

    def _known(self, world: World) -> Known:
        num_replicas, tables = world.num_replicas, world.tables
        viewers = ("profile", "follows", "has_watched", "is_active")
        posts = {
            name: grid(tables["posts"], name, num_replicas)
            for name in ("post", "day", "topic", "impressions", "views", "likes", "vector")
        }
        seed, can_show = (
            world.seed(seeds.WORLD, np.arange(num_replicas)),
            grid(tables["posts"], "is_open", num_replicas),
        )
        if self._facts.candidates is not None:
            merits = (posts["day"], posts["views"], posts["post"])
            can_show = shortlist(can_show, *merits, seed, world.steps, self._facts.candidates)
        return Known(
            step=world.steps,
            seed=seed,
            num_creators=self._net.num_creators,
            can_show=can_show,
            **posts,
            **{name: grid(tables["viewers"], name, num_replicas) for name in viewers},
            prior_views=self._facts.prior_views,
            power=self._facts.popularity_power,
            watch_again=self._watch_again,
            explore_share=self._explore_share(world),
            ties=_ties(tables),
        )

    def _explore_share(self, world: World) -> Array:
        """As the platform has set it, where it does, float64 (replicas,)."""
        platform = world.tables.get("platform")
        if platform is not None and "explore_share" in platform:
            return platform["explore_share"]
        return np.full(world.num_replicas, self._facts.explore_share)


def _ties(tables: Mapping[str, Table]) -> tuple[Array, Array, Array] | None:
    """The viewers' graph, where there is one."""
    if "ties" not in tables:
        return None
    table = tables["ties"]
    return table["replica"], table["viewer"], table["friend"]
