"""Firms choose who decides for them: every few weeks each may adopt another mind of a menu, at its price.

What is paid for a mind of the menu is paid week by week by whoever has it, however it came by it. Firms see what the
firms of their role earned with which mind since they were last asked: reports are public.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim import seeds
from ecosim.adder import Adder
from ecosim.exact import MILLION, micro
from ecosim.fields import Array, Choice
from ecosim.manufacturing.chapter import Chapter
from ecosim.manufacturing.concentration import profit_of
from ecosim.manufacturing.facts.company import Adoption
from ecosim.manufacturing.menu import build, held, phases_of
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import NOBODY, REASONS, ROLES, Layout
from ecosim.meanings import Meaning, State, units
from ecosim.side import Column, Events, Figure, Schema, Series
from ecosim.words import Answers, Decision, Expert, Question, Table, concat

if TYPE_CHECKING:
    from ecosim.world import World

KEEP = 0
"""The answer of a firm that stays with what it has; minds of the menu count from 1."""

SEES = {
    "profit": Meaning("EUR/1e6", "what it earned since it was last asked"),
    "option_name": Meaning("", "the choices: keep what it has, or a mind of the menu"),
    "option_price": Meaning("EUR/1e6", "what each costs a week; of keep, what it pays now"),
    "option_users": Meaning("", "firms of its role in business that have it; of keep, itself"),
    "best_profit": Meaning(
        "EUR/1e6", "the most that one of them earned with it since firms were last asked; of keep, its own profit"
    ),
}
ANSWERS = {"mind": Meaning("", "keep, or the mind that decides for it from now on")}
UNITS = units(SEES)

ADOPTIONS = Schema(
    "firms that chose another mind",
    1,
    (
        Column("member", "i8", "id", "the firm", of="member"),
        Column("before", "str", "", "the mind that it had; empty if that is not on the menu"),
        Column("mind", "str", "", "the mind that it chose"),
        Column("price", "i8", "EUR/1e6", "what it pays for it a week from now on"),
    ),
    is_rare=True,
)
STATES = {
    "firms": State("a firm", {"profit_then": Meaning("EUR/1e6", "what it had earned when it was last asked")}),
    "menu": State(
        "a mind that firms may adopt",
        {
            "replica": Meaning("id", "where it is"),
            "option": Meaning("", "its number on the menu, from 1"),
            "price": Meaning("EUR/1e6", "what it costs a week"),
            "code": Meaning("", "code of the mind"),
        },
    ),
}


def keep(question: Question) -> Answers:
    """Stay with what it has."""
    return {"mind": np.full(question.num_rows, KEEP)}


def best_of_peers(question: Question) -> Answers:
    """Do as the firm of its role that earned most, if that has a mind of the menu and earned more than itself.

    Source: Schlag (1998), Why imitate, and if so, how? (imitate if better: copy the most successful that is seen).
    """
    lowest = np.iinfo(np.int64).min
    return {"mind": np.where(question.masks["best_profit"], question["best_profit"], lowest).argmax(axis=1)}


def cheapest(question: Question) -> Answers:
    """Take what costs least; among equals keep what it has, else the first of the menu."""
    return {"mind": question["option_price"].argmin(axis=1)}


class Adopt:
    """Every `adoption.every_weeks` weeks each firm keeps its mind or takes one of the menu, for `adoption.phases`.

    What a firm pays a week is the price of the mind that it has in all these phases, if that is on the menu, whoever
    seated it there; else nothing.
    """

    name = "adopt"
    repeats = False
    sees, answers, writes = SEES, ANSWERS, ("adoptions",)

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        assert scenario.adoption is not None
        self.net = net
        self.facts = scenario.adoption
        self.names = np.array(["", *(offer.mind for offer in self.facts.menu)], dtype=object)
        self.prices = np.array([0, *(micro(offer.price_eur) for offer in self.facts.menu)], np.int64)
        self.phases = phases_of(self.facts)

    def ask(self, world: World) -> list[Question]:
        """Every firm in business that is asked anything in those phases, when its weeks are over."""
        if world.steps % self.facts.every_weeks:
            return []
        firms = world.tables["firms"]
        able = firms["is_active"] & world.is_live[firms["replica"]]
        has, earned = held(world, self.phases), profit_of(world) - firms["profit_then"]
        questions = []
        for code, role in enumerate(ROLES):
            rows = np.flatnonzero(able & (firms["role"] == code))
            if self.phases[role] and len(rows):
                questions.append(self._question(world, role, rows, has, earned))
        return questions

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Seat the minds that were chosen, then collect the week's price from everyone who has one of the menu."""
        firms = world.tables["firms"]
        before = held(world, self.phases)
        rows = [self._seat(world, q, d, before) for q, d in zip(questions, decisions, strict=True)]
        if questions:
            firms["profit_then"][:] = profit_of(world)
        self._collect(world, held(world, self.phases) if rows else before)
        return {"adoptions": concat(rows)} if any(table.num_rows for table in rows) else {}

    def _question(self, world: World, role: str, rows: Array, has: Array, earned: Array) -> Question:
        firms = world.tables["firms"]
        replica, member = firms["replica"][rows], firms["member"][rows]
        options = len(self.names)
        users, best = self._peers(world, rows, has, earned)
        users[:, KEEP], best[:, KEEP] = 1, earned[rows]
        price = np.tile(self.prices, (len(rows), 1))
        price[:, KEEP] = self.prices[has[rows]]
        nobody = np.full(len(rows), NOBODY)
        option_name = np.broadcast_to(np.array(["keep", *self.names[1:]], dtype=object), price.shape)
        everything = np.ones(price.shape, bool)
        return Question(
            role=role,
            phase=self.name,
            step=world.steps,
            key=Table({"replica": replica, "subject": member, "counterpart": nobody, "item": nobody, "round": nobody}),
            seed=world.seed(seeds.MIND, replica),
            mind=world.minds(self.name, replica, member),
            columns={
                "profit": earned[rows],
                "option_name": option_name,
                "option_price": price,
                "option_users": users,
                "best_profit": best,
            },
            masks={name: everything for name in ("option_name", "option_price", "option_users")}
            | {"best_profit": users > 0},
            units=UNITS,
            fields=(
                Choice(name="mind", options=("keep", *self.names[1:]), allowed=np.ones((len(rows), options), bool)),
            ),
        )

    def _peers(self, world: World, rows: Array, has: Array, earned: Array) -> tuple[Array, Array]:
        """Of each replica, how many of some firms have each option, and the most that one of them earned with it."""
        home = world.tables["firms"]["replica"][rows]
        shape = (world.num_replicas, len(self.names))
        users, best = np.zeros(shape, np.int64), np.full(shape, np.iinfo(np.int64).min)
        np.add.at(users, (home, has[rows]), 1)
        np.maximum.at(best, (home, has[rows]), earned[rows])
        return users[home], np.where(users > 0, best, 0)[home]

    def _seat(self, world: World, question: Question, decision: Decision, before: Array) -> Table:
        firms, menu = world.tables["firms"], world.tables["menu"]
        answer = decision.answers["mind"]
        row = self.net.firm_row(question.key["replica"], question.key["subject"])
        changed = (answer != KEEP) & (answer != before[row])
        row, chosen = row[changed], answer[changed]
        code = menu["code"].reshape(world.num_replicas, -1)[firms["replica"][row], chosen - 1]
        for phase in self.phases[question.role]:
            firms[f"mind.{phase}"][row] = code
        return Table(
            {
                "replica": firms["replica"][row],
                "member": firms["member"][row],
                "before": self.names[before[row]],
                "mind": self.names[chosen],
                "price": self.prices[chosen],
            }
        )

    def _collect(self, world: World, has: Array) -> None:
        firms, ledger = world.tables["firms"], world.ledger
        due = self.prices[has]
        rows = np.flatnonzero((due > 0) & firms["is_active"] & world.is_live[firms["replica"]])
        replica = firms["replica"][rows]
        payer = ledger.rows(replica, firms["member"][rows])
        ledger.pay("adoption", due[rows], payer, ledger.outside("models", replica))


def _measure(world: World, events: Events, add: Adder) -> None:
    facts = cast(Adoption, cast(ManufacturingScenario, world.scenario).adoption)
    firms, phases = world.tables["firms"], phases_of(facts)
    asked = np.array([bool(phases[role]) for role in ROLES])[firms["role"]]
    seated = firms.take(firms["is_active"] & asked)
    has = held(world, phases)[firms["is_active"] & asked]
    groups = ("others", *(offer.mind for offer in facts.menu))
    add.by(groups, has, "mind_share", seated, np.ones(seated.num_rows))
    total = np.bincount(seated["replica"], minlength=add.num_replicas)
    with np.errstate(invalid="ignore"):
        for group in groups:
            add.figures["mind_share", group] = add.figures["mind_share", group] / total
    add("adoptions", events["adoptions"], np.ones(events["adoptions"].num_rows))


def _conclude(world: World, series: Series, add: Adder) -> None:
    add.figures["adoptions", ""] = series["adoptions", ""].sum(axis=0)
    for (name, group), column in series.items():
        if name == "mind_share":
            add.figures[name, group] = column[-1]
    members = world.ledger.accounts.take(world.ledger.accounts["is_member"])
    paid = -members["cash_by_reason"][:, REASONS.index("adoption")] / MILLION
    add.by(ROLES, world.tables["firms"]["role"], "adoption_cost_eur", members, paid)


EXPERTS: Mapping[str, Expert] = {
    "scripted": keep, "keep": keep, "best_of_peers": best_of_peers, "cheapest": cheapest,
}  # fmt: skip

CHAPTER = Chapter(
    is_in=lambda scenario: scenario.adoption is not None,
    phases={"adopt": Adopt},
    asks={role: ("adopt",) for role in ROLES},
    experts={f"{role}.adopt": EXPERTS for role in ROLES},
    schemas={"adoptions": ADOPTIONS},
    states=STATES,
    build=build,
    metrics={
        "adoptions": Figure("", "firms that chose another mind this week"),
        "mind_share": Figure("", "share of firms in business that have a mind of the menu, of those that may choose"),
    },
    kpis={
        "adoptions": Figure("", "how often a firm chose another mind"),
        "mind_share": Figure("", "share of firms in business that had a mind of the menu at the end"),
        "adoption_cost_eur": Figure("EUR", "what the firms of a role paid for minds of the menu", "lower"),
    },
    measure=_measure,
    conclude=_conclude,
)
