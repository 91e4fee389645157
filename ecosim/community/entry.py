"""Creators come and go: who waits looks now and then and may enter, who is there may quit for good.

All creators have their rows from the start, so ids are never used again: `creators.is_active` says who is there.
Who waits pays nothing, publishes nothing and is asked nothing but whether to enter. Who quits keeps its cash and
followers; its posts are closed, or stay and go on earning (`keeps_posts`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim import seeds
from ecosim.community.earnings import earned, income
from ecosim.community.facts.entry import Turnover
from ecosim.community.facts.people import ROLES, Creators
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import Layout, text_column
from ecosim.exact import micro
from ecosim.fields import Array, Choice
from ecosim.meanings import Meaning, State, units
from ecosim.rules.ledger import CASH
from ecosim.side import Column, Events, Schema
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

NOT_YET = 0
"""Of the day on which a creator came, or quit."""

_CREATOR = Column("creator", "i8", "id", "who", of="member")
SCHEMAS = {
    "entries": Schema(
        "creators who enter",
        1,
        (_CREATOR, Column("cash", "i8", "EUR/1e6", "what it owns")),
        is_rare=True,
    ),
    "quits": Schema(
        "creators who quit for good",
        1,
        (
            _CREATOR,
            Column("days", "i8", "days", "for which it was there"),
            Column("cash", "i8", "EUR/1e6", "what it owns"),
            Column("income", "i8", "EUR/1e6", "a day lately, less what it spent"),
        ),
        is_rare=True,
    ),
}
STATES = {
    "creators": State(
        "a creator",
        {
            "came_day": Meaning("day", "when it entered; 0 for not yet"),
            "left_day": Meaning("day", "when it quit; 0 for not yet"),
            "income_last": Meaning("EUR/1e6", "a day, when last counted: paid less spent"),
            "income_before": Meaning("EUR/1e6", "the same at the count before"),
            "earned_last": Meaning("EUR/1e6", "a day, when last counted: paid, whatever it spent"),
            "income_counted": Meaning("EUR/1e6", "all until the last count"),
            "earned_counted": Meaning("EUR/1e6", "all until the last count"),
        },
    )
}
_BOTH = {
    "niche_name": Meaning("text", "the niche that its skill lies in"),
    "cash": Meaning("EUR/1e6", "what it owns"),
    "upkeep": Meaning("EUR/1e6", "what being there costs a day"),
    "outside": Meaning("EUR/1e6", "what it can earn elsewhere a day"),
    "niche_creators": Meaning("", "creators of the niche who are there"),
    "niche_earned": Meaning("EUR/1e6", "what they were paid a day, all together, when last counted"),
}
ENTER_SEES = _BOTH
QUIT_SEES = {
    **_BOTH,
    "days_here": Meaning("days", "since it came"),
    "followers": Meaning("", "viewers who follow it now"),
    "income_last": Meaning("EUR/1e6", "its own a day lately: paid less spent"),
    "income_before": Meaning("EUR/1e6", "the same in the time before"),
}
ENTER = ("wait", "enter")
QUIT = ("stay", "quit")


class _Coming:
    """What both phases know."""

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        self.net, self.facts = net, cast(Turnover, scenario.entry)
        groups = groups_of(scenario)
        self.upkeep = np.array([micro(group.upkeep_eur_per_day) for group in groups])
        self.outside = np.array([micro(group.outside_eur_per_day) for group in groups])
        self.niche_names = text_column(net.niches)

    def questions(self, world: World, phase: str, due: Array) -> list[Question]:
        """One to each role, to creators (row mask) who are due."""
        role = world.tables["creators"]["role"]
        rows = [np.flatnonzero(due & (role == code)) for code in range(len(ROLES))]
        return [self._question(world, phase, ROLES[code], some) for code, some in enumerate(rows) if len(some)]

    def _question(self, world: World, phase: str, role: str, rows: Array) -> Question:
        creators, net = world.tables["creators"], self.net
        replica, member = creators["replica"][rows], creators["member"][rows]
        none = np.full(len(rows), -1)
        niche = net.niche[member]
        counted = {"niche_creators": np.ones(creators.num_rows, np.int64), "niche_earned": self.earned_lately(world)}
        columns = {
            "niche_name": self.niche_names[niche],
            "cash": cash_of(world, replica, member),
            "upkeep": self.upkeep[member],
            "outside": self.outside[member],
            **{name: self._by_niche(world, values)[replica, niche] for name, values in counted.items()},
        }
        if phase == "quit":
            columns["days_here"] = world.steps - creators["came_day"][rows] + 1
            columns["followers"] = creators["followers"][rows]
            columns["income_last"] = self.income_lately(world)[rows]
            columns["income_before"] = creators["income_last"][rows]
        options = ENTER if phase == "enter" else QUIT
        return Question(
            role=role,
            phase=phase,
            step=world.steps,
            key=Table({"replica": replica, "subject": member, "counterpart": none, "item": none, "round": none}),
            seed=world.seed(seeds.MIND, replica),
            mind=world.minds(phase, replica, member),
            columns=columns,
            units=units(QUIT_SEES if phase == "quit" else ENTER_SEES),
            fields=(Choice(name=phase, options=options, allowed=np.broadcast_to(True, (len(rows), 2))),),
        )

    def _by_niche(self, world: World, values: Array) -> Array:
        """Sums over creators who are there, int64 (replicas, niches)."""
        creators = world.tables["creators"]
        sums = np.zeros((world.num_replicas, len(self.net.niches)), np.int64)
        niche = self.net.niche[creators["member"]]
        np.add.at(sums, (creators["replica"], niche), np.where(creators["is_active"], values, 0))
        return sums

    def is_count(self, world: World) -> bool:
        """Whether incomes are counted at the end of this day."""
        return world.steps % self.facts.every_days == 0

    def income_lately(self, world: World) -> Array:
        """Paid less spent a day since the last count, EUR/1e6 (creators of all replicas,)."""
        return (income(world) - world.tables["creators"]["income_counted"]) // self.facts.every_days

    def earned_lately(self, world: World) -> Array:
        """Paid a day when last counted, EUR/1e6 (creators of all replicas,)."""
        return world.tables["creators"]["earned_last"]


class Enter(_Coming):
    """The day begins: creators who wait and look today are asked whether to enter; who is there pays its upkeep.

    Who enters publishes the same day. What a niche pays is what those in it were paid a day, all together, when
    incomes were last counted; nothing before the first count.

    Draws:
        From the world's seed: which of those who wait look today, with `look_chance`.
    """

    name = "enter"
    repeats = False
    sees, answers, writes = ENTER_SEES, {"enter": Meaning("", "wait, or enter today")}, ("entries",)

    def ask(self, world: World) -> list[Question]:
        """Those who wait and look."""
        creators = world.tables["creators"]
        waits = (creators["came_day"] == NOT_YET) & world.is_live[creators["replica"]]
        if not waits.any():
            return []
        seed = world.seed(seeds.WORLD, creators["replica"])
        u = seeds.uniform(seeds.WORLD, seed, world.steps, self.name, (creators["member"],))
        return self.questions(world, self.name, waits & (u < self.facts.look_chance))

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Let them in; take everybody's upkeep."""
        rows = _chosen(self.net, self.name, questions, decisions)
        creators, ledger = world.tables["creators"], world.ledger
        for name, so_far in (("income_counted", income(world)), ("earned_counted", earned(world))):
            creators[name][rows] = so_far[rows]
        creators["is_active"][rows] = True
        creators["came_day"][rows] = world.steps
        there = np.flatnonzero(creators["is_active"] & world.is_live[creators["replica"]])
        replica, member = creators["replica"][there], creators["member"][there]
        ledger.pay("upkeep", self.upkeep[member], ledger.rows(replica, member), ledger.outside("nature", replica))
        came = {"replica": creators["replica"][rows], "creator": creators["member"][rows]}
        return {"entries": Table({**came, "cash": cash_of(world, came["replica"], came["creator"])})}


class Quit(_Coming):
    """The day ends: every `every_days` days incomes are counted, and creators there since the last count may quit.

    Posts of those who quit are closed, unless `keeps_posts`.
    """

    name = "quit"
    repeats = False
    sees, answers, writes = QUIT_SEES, {"quit": Meaning("", "stay, or quit for good")}, ("quits",)

    def ask(self, world: World) -> list[Question]:
        """Those who have been there for a whole count."""
        if not self.is_count(world):
            return []
        creators = world.tables["creators"]
        long = world.steps - creators["came_day"] + 1 >= self.facts.every_days
        return self.questions(world, self.name, creators["is_active"] & long & world.is_live[creators["replica"]])

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Count incomes, and let go who wants to."""
        if not self.is_count(world):
            return {}
        creators = world.tables["creators"]
        self._count(world, creators)
        rows = _chosen(self.net, self.name, questions, decisions)
        creators["is_active"][rows] = False
        creators["left_day"][rows] = world.steps
        if not self.facts.keeps_posts:
            posts = world.tables["posts"]
            maker = posts["place"] % self.net.num_creators
            has_quit = creators["left_day"] != NOT_YET
            posts["is_open"][has_quit[self.net.creator_row(posts["replica"], maker)]] = False
        columns = {"replica": creators["replica"][rows], "creator": creators["member"][rows]}
        days = world.steps - creators["came_day"][rows] + 1
        cash = cash_of(world, columns["replica"], columns["creator"])
        return {"quits": Table({**columns, "days": days, "cash": cash, "income": creators["income_last"][rows]})}

    def _count(self, world: World, creators: Table) -> None:
        all_earned, days = earned(world), self.facts.every_days
        live = world.is_live[creators["replica"]]
        new = {
            "income_before": creators["income_last"],
            "income_last": self.income_lately(world),
            "earned_last": (all_earned - creators["earned_counted"]) // days,
            "income_counted": income(world),
            "earned_counted": all_earned,
        }
        for name, values in new.items():
            creators[name] = np.where(live, values, creators[name])


def groups_of(scenario: CommunityScenario) -> list[Creators]:
    """The group of each creator of a replica."""
    return [group for group in scenario.creators for _ in range(group.count)]


def cash_of(world: World, replica: Array, member: Array) -> Array:
    """What creators own, EUR/1e6."""
    return cast(Array, world.ledger.accounts["balance"][world.ledger.rows(replica, member), CASH])


def _chosen(net: Layout, field: str, questions: Sequence[Question], decisions: Sequence[Decision]) -> Array:
    """Rows of those who said yes, in order."""
    rows = [
        net.creator_row(q.key["replica"], q.key["subject"])[d.answers[field] == 1]
        for q, d in zip(questions, decisions, strict=True)
    ]
    return np.sort(np.concatenate([np.zeros(0, np.int64), *rows]))
