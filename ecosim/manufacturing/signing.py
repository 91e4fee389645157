"""Signing: what a talk has concluded binds nobody before both parties have signed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim import seeds
from ecosim.exact import value
from ecosim.fields import Array, Choice
from ecosim.manufacturing.contracts import funds, is_active, put_in_force
from ecosim.manufacturing.facts.contracts import Contracts as Facts
from ecosim.manufacturing.register import PENALTIES, TALLIES, ended_rows, no_drafts
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import ROLES, Layout
from ecosim.meanings import Meaning, units
from ecosim.side import Events
from ecosim.words import Answers, Decision, Expert, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

SIGNS, REFUSES = range(2)
ACTS = ("sign", "refuse")
SIDES = ("buyer", "seller")
SEES = {
    "is_buyer": Meaning("", "1 if it buys, 0 if it sells"),
    "item_name": Meaning("", "which item"),
    "price": Meaning("EUR/1e6", "of a unit, as concluded"),
    "quantity": Meaning("units/1e6", "as concluded"),
    "week": Meaning("weeks", "delivery, from now"),
    "concluded": Meaning(
        "units/1e6", "all that its talks about the item have concluded this week, up to that week; this contract too"
    ),
    "room": Meaning("units/1e6", "what it could still buy, or promise, of the item beside all these"),
    "can_deliver": Meaning(
        "units/1e6", "a seller's stock, work and capacity up to that week, less its debts; 0 if it buys"
    ),
    "cash": Meaning("EUR/1e6", "what it could pay now: cash and credit"),
    "bill": Meaning("EUR/1e6", "what all that it has concluded this week, of any item, will cost it; 0 if it sells"),
    "other_record": Meaning("", "share of the other's contracts that the other has kept, (kept + 1) ÷ (ended + 2)"),
}
ANSWERS = {"act": Meaning("", "sign what the talk has concluded, or refuse: the contract is cancelled then")}
UNITS = units(SEES)


class Sign:
    """Both parties of every contract that was concluded this week are asked; if one refuses, it is cancelled.

    Who refuses owes nothing: nothing was signed.
    """

    name = "sign"
    repeats = False
    sees, answers = SEES, ANSWERS
    writes: tuple[str, ...] = ("contracts", "contract_ends")

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        self.net = net
        self.is_on = cast(Facts, scenario.contracts).signing
        self.item_names = np.array(net.items, dtype=object)

    def ask(self, world: World) -> list[Question]:
        """One question a role, a row a contract and party."""
        if not self.is_on:
            return []
        drafts = world.tables["drafts"]
        live = world.is_live[drafts["replica"]]
        found = []
        for code, role in enumerate(ROLES):
            sides = [np.flatnonzero(live & (self.net.role[drafts[side]] == code)) for side in SIDES]
            if sum(map(len, sides)):
                found.append(self._question(world, role, sides))
        return found

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Put in force what both have signed; cancel the rest."""
        if not self.is_on:
            return {}
        drafts = world.tables["drafts"]
        signatures = np.zeros(drafts.num_rows, np.int64)
        for question, decision in zip(questions, decisions, strict=True):
            code = ROLES.index(question.role)
            sides = [
                np.flatnonzero(world.is_live[drafts["replica"]] & (self.net.role[drafts[s]] == code)) for s in SIDES
            ]
            np.add.at(signatures, np.concatenate(sides), (decision.answers["act"] == SIGNS).astype(np.int64))
        signed = (signatures == len(SIDES)) & self._both_active(world, drafts)
        world.tables["drafts"] = no_drafts()
        return {
            "contracts": put_in_force(world, self.net, drafts.take(signed)),
            "contract_ends": _cancelled(world, drafts.take(~signed & world.is_live[drafts["replica"]])),
        }

    def _both_active(self, world: World, drafts: Table) -> Array:
        """A firm that is bankrupt, or gone, signs nothing."""
        buyer, seller = (is_active(world, self.net, drafts["replica"], drafts[side]) for side in SIDES)
        return buyer & seller

    def _question(self, world: World, role: str, sides: Sequence[Array]) -> Question:
        drafts, rows = world.tables["drafts"], np.concatenate(sides)
        is_buyer = np.repeat([1, 0], [len(side) for side in sides])
        deals = drafts.take(rows)
        replica, item = deals["replica"], deals["item"]
        subject = np.where(is_buyer == 1, deals["buyer"], deals["seller"])
        other = np.where(is_buyer == 1, deals["seller"], deals["buyer"])
        mine = self.net.position_row(replica, subject, item)
        key = {"replica": replica, "subject": subject, "counterpart": other, "item": item, "round": 1 - is_buyer}
        return Question(
            role=role,
            phase=self.name,
            step=world.steps,
            key=Table(key),
            seed=world.seed(seeds.MIND, replica),
            mind=world.minds(self.name, replica, subject),
            columns={
                "is_buyer": is_buyer,
                "item_name": self.item_names[item],
                "price": deals["price"],
                "quantity": deals["quantity"],
                "week": deals["due_week"] - world.steps,
                "concluded": np.where(is_buyer == 1, *(self._concluded(world, side)[rows] for side in SIDES)),
                "room": world.tables["positions"]["room"][mine],
                "can_deliver": np.where(is_buyer == 1, 0, self._can_deliver(world, deals)),
                "cash": funds(world, self.net, replica, subject),
                "bill": np.where(is_buyer == 1, self._bill(world)[self.net.firm_row(replica, subject)], 0),
                "other_record": kept(world, replica, other),
            },
            units=UNITS,
            fields=(Choice(name="act", options=ACTS, allowed=np.ones((len(rows), len(ACTS)), bool)),),
        )

    def _concluded(self, world: World, side: str) -> Array:
        """What the week's talks of a draft's buyer, or seller, have concluded up to the draft's week, units/1e6."""
        drafts = world.tables["drafts"]
        position = self.net.position_row(drafts["replica"], drafts[side], drafts["item"])
        span = int(drafts["due_week"].max()) + 1
        codes, place = np.unique(position * span + drafts["due_week"], return_inverse=True)
        by_week = np.zeros(len(codes) + 1, np.int64)
        np.add.at(by_week, place + 1, drafts["quantity"])
        total = by_week.cumsum()
        return cast(Array, total[place + 1] - total[np.searchsorted(codes, position * span)])

    def _bill(self, world: World) -> Array:
        """What the drafts of each firm will cost it as a buyer, EUR/1e6 (firms,)."""
        drafts = world.tables["drafts"]
        total = np.zeros(world.tables["firms"].num_rows, np.int64)
        cost = value(drafts["price"], drafts["quantity"])
        np.add.at(total, self.net.firm_row(drafts["replica"], drafts["buyer"]), cost)
        return total

    def _can_deliver(self, world: World, deals: Table) -> Array:
        """Stock, goods on order and capacity of the weeks until a draft must be shipped, less older debts."""
        contracts, positions, firms = (world.tables[name] for name in ("contracts", "positions", "firms"))
        owed = np.zeros(positions.num_rows, np.int64)
        rows = self.net.position_row(contracts["replica"], contracts["seller"], contracts["item"])
        np.add.at(owed, rows, contracts["open"])
        replica, seller, item = deals["replica"], deals["seller"], deals["item"]
        mine, firm = self.net.position_row(replica, seller, item), self.net.firm_row(replica, seller)
        stock = world.ledger.accounts["balance"][world.ledger.rows(replica, seller), item + 1]
        on_way = self.net.transit_weeks(deals["seller"], deals["buyer"])
        weeks = np.maximum(deals["due_week"] - on_way - world.steps - firms["make_weeks"][firm] + 1, 0)
        return cast(Array, stock + positions["on_order"][mine] + weeks * firms["capacity"][firm] - owed[mine])


def _cancelled(world: World, drafts: Table) -> Table:
    none = np.zeros(drafts.num_rows, np.int64)
    blank = {name: none for name in (*TALLIES, *PENALTIES)}
    whole = Table({**{name: drafts[name] for name in drafts}, "signed_week": np.full(len(none), world.steps), **blank})
    return ended_rows(whole, none)


def kept(world: World, replica: Array, member: Array) -> Array:
    """The share of its contracts that each firm has kept, by Laplace's rule of succession; ½ before any has ended."""
    records, rows = world.tables["records"], world.first_member[replica] + member
    ended = records["num_ended"][rows]
    return cast(Array, (ended - records["num_breached"][rows] + 1) / (ended + 2))


def performable(question: Question) -> Answers:
    """Signs what it can perform: a buyer all that it can pay, a seller all that it can deliver in time."""
    can = np.where(question["is_buyer"] == 1, question["bill"] <= question["cash"], _fits(question))
    return {"act": np.where(can, SIGNS, REFUSES)}


def _fits(question: Question) -> Array:
    return cast(Array, question["concluded"] <= question["can_deliver"])


def all_of_it(question: Question) -> Answers:
    """Signs whatever its talks have concluded."""
    return {"act": np.full(question.num_rows, SIGNS)}


SIGN: Mapping[str, Expert] = {"scripted": performable, "performable": performable, "all_of_it": all_of_it}
