"""Moderation in one place: reported posts wait in a queue, and as many as can be are judged at the end of a day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.community.moderation.judging import ANSWERS, SEES, Bench
from ecosim.community.moderation.state import JUDGES, REMOVE, facts_of
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import Layout
from ecosim.fields import Array
from ecosim.side import Events
from ecosim.words import Decision, Question

if TYPE_CHECKING:
    from ecosim.world import World


class Review:
    """The moderator's large model judges posts that viewers have reported, days later, those with most reports first.

    A post is judged once, unless it is gone from the feeds before its turn.

    Draws:
        From the world's seed, keyed by the post: how many of today's views bring a report, where viewers have no answer
        of their own to that.
    """

    name = "review"
    repeats = False
    sees, answers, writes = SEES, ANSWERS, ("verdicts",)

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        self._facts, self._net = facts_of(scenario), net
        self._bench = Bench(scenario, net, self.name, JUDGES.index("central"))

    def ask(self, world: World) -> list[Question]:
        """One question, a row for each post whose turn it is."""
        if self._facts.where not in ("central", "both"):
            return []
        rows = self._first(world, np.flatnonzero(waiting(world, self._facts.central.delay_days)))
        return [self._bench.question(world, rows, None)] if len(rows) else []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Act on what was found, then take in today's reports."""
        verdicts = {}
        if questions:
            posts = world.tables["posts"]
            posts["is_reviewed"][self._first(world, np.flatnonzero(waiting(world, self._facts.central.delay_days)))] = 1
            verdicts = {"verdicts": self._bench.act(world, questions[0], decisions[0])}
        self._take_in(world)
        return verdicts

    def _first(self, world: World, rows: Array) -> Array:
        """Those of some posts that can be judged today, in the order of the table."""
        posts = world.tables["posts"]
        replica = posts["replica"][rows]
        order = np.lexsort((posts["post"][rows], posts["first_report"][rows], -posts["reports"][rows], replica))
        rank = np.arange(len(rows)) - np.searchsorted(replica[order], replica[order])
        return np.sort(rows[order[rank < self._facts.central.posts_per_day]])

    def _take_in(self, world: World) -> None:
        posts = world.tables["posts"]
        new = self._reports(world)
        first = (new > 0) & (posts["reports"] == 0)
        posts["first_report"][first] = world.steps
        posts["reports"] += new

    def _reports(self, world: World) -> Array:
        """How often each post was reported today, int64 (posts,)."""
        posts, viewings, harm = world.tables["posts"], world.tables["viewings"], self._facts.harm
        if "is_reported" in viewings:
            told = viewings["is_reported"]
            at = self._net.post_row(viewings["replica"][told], viewings["place"][told])
            return np.bincount(at, minlength=posts.num_rows)
        chance = np.where(posts["is_harmful"], harm.report_chance, harm.false_report_chance)
        seen = np.flatnonzero((posts["views_today"] > 0) & world.is_live[posts["replica"]])
        seed = world.seed(seeds.WORLD, posts["replica"][seen])
        number = np.zeros(posts.num_rows, np.int64)
        number[seen] = seeds.binomial(
            posts["views_today"][seen],
            chance[seen],
            seeds.WORLD,
            seed,
            world.steps,
            self.name,
            (posts["post"][seen],),
        )
        return number


def waiting(world: World, delay_days: int) -> Array:
    """Which posts have been reported, at least so many days ago, and not been judged for it, bool (posts,)."""
    posts = world.tables["posts"]
    is_due = (posts["first_report"] > 0) & (posts["first_report"] <= world.steps - delay_days)
    return is_due & ~posts["is_reviewed"] & (posts["action"] < REMOVE) & world.is_live[posts["replica"]]
