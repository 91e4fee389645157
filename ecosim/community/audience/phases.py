"""Two phases of the audience: who comes back before the day begins, and what viewing leaves behind when it is over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim import exact, seeds
from ecosim.community import bits
from ecosim.community.audience import moods
from ecosim.community.audience.acts import COMMENTS, PERCENT
from ecosim.community.facts.audience import Audience
from ecosim.community.facts.people import ROLES
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import Layout
from ecosim.fields import Array
from ecosim.side import Column, Events, Schema
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

SCHEMAS = {
    "returns": Schema("Viewers who had left and come back.", 1, (Column("viewer", "i8", "", "who"),), is_rare=True),
    "acts": Schema(
        "What else the watchers of a post did.",
        1,
        (
            Column("post", "i8", "", "(day − 1) · creators + creator"),
            Column("creator", "i8", "", "who made it", of="member"),
            Column("watched", "i8", "%", "shares of it that were watched, summed over watchers; 0 if not asked"),
            Column("shares", "i8", "", "times shared"),
            Column("praise", "i8", "", "comments that praise"),
            Column("questions", "i8", "", "comments that ask"),
            Column("critiques", "i8", "", "comments that criticise"),
            Column("unfollows", "i8", "", "follows of its creator that it ended"),
            Column("reports", "i8", "", "times reported as breaking rules"),
            Column("let_down", "i8", "", "watchers whom it let down: it breaks rules, or its title promised more"),
        ),
        is_rare=True,
    ),
}


class ComeBack:
    """Some viewers who have left come back: they follow nobody, and keep their tastes, trust and memory.

    The odds of a day are those of `return_chance` times exp(`return_heat` · mean heat of the favourite niche's topics).

    Draws:
        From the world's seed, keyed by the viewer: whether each who has left comes back.
    """

    name = "come_back"
    repeats = False
    writes = ("returns",)

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        facts = cast(Audience, scenario.audience)
        self._chance, self._heat = facts.return_chance, facts.return_heat
        self._net = net

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked: who has left sees nothing."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Open the door."""
        viewers = world.tables["viewers"]
        rows = np.flatnonzero(viewers["has_left"] & world.is_live[viewers["replica"]])
        if not self._chance or not len(rows):
            return {}
        seed, key = world.seed(seeds.WORLD, viewers["replica"][rows]), (viewers["viewer"][rows],)
        rows = rows[seeds.uniform(seeds.WORLD, seed, world.steps, self.name, key) < self._chances(world, rows)]
        if not len(rows):
            return {}
        viewers["has_left"][rows], viewers["is_active"][rows], viewers["idle_days"][rows] = False, True, 0
        return {"returns": Table({"replica": viewers["replica"][rows], "viewer": viewers["viewer"][rows]})}

    def _chances(self, world: World, rows: Array) -> Array:
        viewers, topics, niche = world.tables["viewers"], world.tables["topics"], self._net.topic_niche
        if not self._heat:
            return np.full(len(rows), self._chance)
        num_niches = len(self._net.niches)
        cell = topics["replica"] * num_niches + niche[topics["topic"]]
        total = np.bincount(cell, topics["heat"], world.num_replicas * num_niches)
        heat = total / np.tile(np.bincount(niche, minlength=num_niches), world.num_replicas)
        own = viewers["replica"][rows] * num_niches + viewers["favourite"][rows]
        odds = self._chance / (1 - self._chance) * exact.exp(self._heat * heat[own])
        return cast(Array, odds / (1 + odds))


class Reflect:
    """The day's viewing sinks in: follows that were ended end, watchers tire, trust moves, acts are summed by post.

    That is what was watched in the feed: who got a post by a tie (`graph`) was asked nothing.
    """

    name = "reflect"
    repeats = False
    writes = ("acts",)

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        self._facts, self._net = cast(Audience, scenario.audience), net
        self._is_ai = net.role == ROLES.index("ai_creator")

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked: they were, in `react`."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Bring the rows of `viewings` home to viewers and creators."""
        seen = world.tables["viewings"]
        seen = seen.take(seen["slot"] >= 0)
        if not seen.num_rows:
            return {}
        row = self._net.viewer_row(seen["replica"], seen["viewer"])
        ended = self._unfollow(world, seen, row)
        self._remember(world, seen, row)
        self._trust(world, seen, row)
        return {"acts": self._acts(world, seen, ended)}

    def _unfollow(self, world: World, seen: Table, row: Array) -> Array:
        """Which viewings ended a follow; who left today follows nobody any more."""
        if "is_unfollow" not in seen:
            return np.zeros(seen.num_rows, bool)
        follows, creators = world.tables["viewers"]["follows"], world.tables["creators"]
        ends = seen["is_unfollow"] & bits.has(follows, row, seen["creator"])
        bits.drop(follows, row[ends], seen["creator"][ends])
        creator = self._net.creator_row(seen["replica"][ends], seen["creator"][ends])
        np.subtract.at(creators["followers"], creator, 1)
        return cast(Array, ends)

    def _remember(self, world: World, seen: Table, row: Array) -> None:
        viewers = world.tables["viewers"]
        niche, count = self._net.topic_niche[seen["topic"]], viewers["niche_views"]
        count[row, niche] = np.minimum(count[row, niche] + np.int64(1), np.iinfo(count.dtype).max)
        if self._facts.fatigue is not None:
            moods.remember(viewers, row, world.steps, seen["topic"], seen["creator"])

    def _trust(self, world: World, seen: Table, row: Array) -> None:
        viewers, is_ai = world.tables["viewers"], self._is_ai[seen["creator"]]
        for name, facts, where in (
            ("trust_in_platform", self._facts.trust_in_platform, np.ones_like(is_ai)),
            ("trust_in_ai", self._facts.trust_in_ai, is_ai),
        ):
            if facts is not None:
                who = row[where]
                viewers[name][who] = moods.moved(viewers[name][who], facts, seen["is_let_down"][where])

    def _acts(self, world: World, seen: Table, ended: Array) -> Table:
        """One row a post that was watched today."""
        posts, none = world.tables["posts"], np.zeros(seen.num_rows, np.int64)
        at = self._net.post_row(seen["replica"], seen["place"])
        counted = {name: seen.get(name, none) for name in ("is_shared", "comment", "is_reported")}
        percent = np.rint(PERCENT * seen["share_watched"]) if "share_watched" in seen else none
        labels = dict(zip(("praise", "questions", "critiques"), range(1, len(COMMENTS)), strict=True))
        sums = {
            "watched": percent,
            "shares": counted["is_shared"],
            **{name: counted["comment"] == label for name, label in labels.items()},
            "unfollows": ended,
            "reports": counted["is_reported"],
            "let_down": seen["is_let_down"],
        }
        rows = np.unique(at)
        rows = rows[np.lexsort((posts["post"][rows], posts["replica"][rows]))]
        totals = {n: np.bincount(at, v, posts.num_rows)[rows].astype(np.int64) for n, v in sums.items()}
        creator = posts["place"][rows] % self._net.num_creators
        return Table({"replica": posts["replica"][rows], "post": posts["post"][rows], "creator": creator, **totals})
