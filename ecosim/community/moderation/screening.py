"""Moderation on the device: new posts are judged before anybody sees them; limited posts are hidden on some days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim import seeds
from ecosim.community.moderation.compose import new_posts
from ecosim.community.moderation.judging import ANSWERS, SEES, Bench
from ecosim.community.moderation.state import JUDGES, LIMIT, REMOVE, facts_of, keeps_posts
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import Layout
from ecosim.fields import Array
from ecosim.side import Events
from ecosim.words import Decision, Question

if TYPE_CHECKING:
    from ecosim.world import World


class Screen:
    """The moderator's small model judges every new post on the device that it was written on, before it appears.

    It reads the first `max_words` words. A limited post, whoever limited it, is shown by feeds on a day with the
    chance `limited_reach`, and so is every post of a creator with `limit_after_strikes` strikes.

    Draws:
        From the world's seed, keyed by the post: whether a limited post may be shown today.
    """

    name = "screen"
    repeats = False
    sees, answers, writes = SEES, ANSWERS, ("verdicts",)

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        self._facts, self._net = facts_of(scenario), net
        self._bench = Bench(scenario, net, self.name, JUDGES.index("device"))

    def ask(self, world: World) -> list[Question]:
        """One question, a row for each post of today."""
        rows = new_posts(world)
        if self._facts.where not in ("device", "both") or not len(rows):
            return []
        return [self._bench.question(world, rows, self._facts.device.max_words)]

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Act on what was found, then hide what is limited."""
        verdicts = {"verdicts": self._bench.act(world, questions[0], decisions[0])} if questions else {}
        self._hide(world)
        return verdicts

    def _hide(self, world: World) -> None:
        posts = world.tables["posts"]
        is_limited = (posts["action"] == LIMIT) | self._is_by_offender(world)
        rows = np.flatnonzero(is_limited & (posts["action"] < REMOVE) & world.is_live[posts["replica"]])
        may_stay = self._of_creators(world, "is_active") | keeps_posts(world)
        is_ours = posts["is_open"][rows] | (posts["is_hidden"][rows] & may_stay[rows])
        rows = rows[is_ours]  # what others have closed stays so, as do the posts of those who have quit
        seed = world.seed(seeds.WORLD, posts["replica"][rows])
        lot = seeds.uniform(seeds.WORLD, seed, world.steps, self.name, (posts["post"][rows],))
        is_shown = lot < self._facts.limited_reach
        posts["is_open"][rows], posts["is_hidden"][rows] = is_shown, ~is_shown

    def _is_by_offender(self, world: World) -> Array:
        """Which posts are by creators with too many strikes, bool (posts,)."""
        most = self._facts.limit_after_strikes
        return cast(Array, (self._of_creators(world, "strikes") >= most) & (most > 0))

    def _of_creators(self, world: World, column: str) -> Array:
        """A column of their creators for all posts, (posts,)."""
        posts = world.tables["posts"]
        creator = posts["place"] % self._net.num_creators
        return world.tables["creators"][column][self._net.creator_row(posts["replica"], creator)]
