"""Keeping one's word: before it ships, a seller may refuse to perform a contract, and pays for that.

Breach is *efficient* where the seller gains more elsewhere than the penalty costs it; whether the law should want that
is an old question.

Source: Shavell (1980), Damage measures for breach of contract.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim import seeds
from ecosim.exact import micro, value
from ecosim.fields import Array, Choice
from ecosim.manufacturing.facts.contracts import Contracts as Facts
from ecosim.manufacturing.register import call_off, compensate
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.signing import kept
from ecosim.manufacturing.spot import catalogue, going_prices
from ecosim.manufacturing.state import ROLES, Layout
from ecosim.meanings import Meaning, units
from ecosim.side import Events
from ecosim.words import Answers, Decision, Expert, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

PERFORMS, REFUSES = range(2)
ACTS = ("perform", "refuse")
SEES = {
    "item_name": Meaning("", "which item"),
    "price": Meaning("EUR/1e6", "of a unit, as agreed"),
    "open": Meaning("units/1e6", "what it has still to send under the contract"),
    "weeks_left": Meaning("weeks", "until it must send the goods to be on time; below 0 it is late"),
    "going_price": Meaning("EUR/1e6", "of a unit, on the market now"),
    "penalty": Meaning("EUR/1e6", "what refusing all that is open would cost it"),
    "on_hand": Meaning("units/1e6", "its stock of the item"),
    "other_record": Meaning("", "share of the buyer's contracts that the buyer has kept, (kept + 1) ÷ (ended + 2)"),
}
ANSWERS = {"act": Meaning("", "perform the contract, as far as stock goes, or refuse to and pay the penalty")}
UNITS = units(SEES)


class Perform:
    """Sellers are asked of each contract that they know of and have not fully shipped, week by week.

    What is refused is called off at once, and the seller pays `penalty_share` of its value.
    """

    name = "perform"
    repeats = False
    sees, answers, writes = SEES, ANSWERS, ()

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        facts = cast(Facts, scenario.contracts)
        self.net = net
        self.is_on, self.share = facts.refusal, micro(facts.penalty_share)
        self.listed = catalogue(scenario, net)
        self.item_names = np.array(net.items, dtype=object)

    def ask(self, world: World) -> list[Question]:
        """One question a role."""
        if not self.is_on:
            return []
        contracts = world.tables["contracts"]
        due = (contracts["from_week"] <= world.steps) & (contracts["open"] > 0) & world.is_live[contracts["replica"]]
        role = self.net.role[contracts["seller"]]
        rows = [np.flatnonzero(due & (role == code)) for code in range(len(ROLES))]
        return [self._question(world, ROLES[code], rows[code]) for code in range(len(ROLES)) if len(rows[code])]

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Call off what is refused; the week's `breach` closes it."""
        role = self.net.role[world.tables["contracts"]["seller"]]
        contracts = world.tables["contracts"]
        due = (contracts["from_week"] <= world.steps) & (contracts["open"] > 0) & world.is_live[contracts["replica"]]
        refused = np.zeros(contracts.num_rows, bool)
        for question, decision in zip(questions, decisions, strict=True):
            rows = np.flatnonzero(due & (role == ROLES.index(question.role)))
            refused[rows] = decision.answers["act"] == REFUSES
        if refused.any():
            entries, quantity = call_off(world, self.net, np.flatnonzero(refused), "refused")
            compensate(world, self.share, entries, quantity)
        return {}

    def _question(self, world: World, role: str, rows: Array) -> Question:
        deals = world.tables["contracts"].take(rows)
        replica, seller, buyer, item = (deals[name] for name in ("replica", "seller", "buyer", "item"))
        account = world.ledger.rows(replica, seller)
        key = {"replica": replica, "subject": seller, "counterpart": buyer, "item": item, "round": deals["signed_week"]}
        return Question(
            role=role,
            phase=self.name,
            step=world.steps,
            key=Table(key),
            seed=world.seed(seeds.MIND, replica),
            mind=world.minds(self.name, replica, seller),
            columns={
                "item_name": self.item_names[item],
                "price": deals["price"],
                "open": deals["open"],
                "weeks_left": deals["due_week"] - self.net.transit_weeks(deals["seller"], deals["buyer"]) - world.steps,
                "going_price": going_prices(world, self.listed)[replica, item],
                "penalty": value(self.share, value(deals["price"], deals["open"])),
                "on_hand": world.ledger.accounts["balance"][account, item + 1],
                "other_record": kept(world, replica, buyer),
            },
            units=UNITS,
            fields=(Choice(name="act", options=ACTS, allowed=np.ones((len(rows), len(ACTS)), bool)),),
        )


def keeps_word(question: Question) -> Answers:
    """Performs, whatever it costs."""
    return {"act": np.full(question.num_rows, PERFORMS)}


def efficient(question: Question) -> Answers:
    """Refuses where the going price is above the contract's by more than the penalty.

    Source: Shavell (1980), Damage measures for breach of contract.
    """
    gain = value(np.maximum(question["going_price"] - question["price"], 0), question["open"])
    return {"act": np.where(gain > question["penalty"], REFUSES, PERFORMS)}


PERFORM: Mapping[str, Expert] = {"scripted": keeps_word, "keeps_word": keeps_word, "efficient": efficient}
