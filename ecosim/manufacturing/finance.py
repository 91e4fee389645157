"""Credit: firms may owe the bank, pay interest for it, and fail beyond their limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim.adder import Adder
from ecosim.exact import MILLION, micro, value
from ecosim.fields import Array
from ecosim.levers import Lever
from ecosim.manufacturing.chapter import Chapter
from ecosim.manufacturing.companies import BANKRUPT
from ecosim.manufacturing.liquidation import going_prices, share_of, wind_up
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import REASONS, ROLES, Layout
from ecosim.meanings import Meaning, State
from ecosim.rules.ledger import CASH
from ecosim.side import Column, Events, Figure, Schema, Series
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

COMPENSATIONS = Schema(
    "what creditors of firms that failed claimed and got",
    2,
    (
        Column("member", "i8", "id", "the firm that failed", of="member"),
        Column("creditor", "i8", "id", "whom it owed; −1 is the bank", of="member"),
        Column("claim", "i8", "EUR/1e6", "cash borrowed, or goods not delivered at their contract price"),
        Column("paid", "i8", "EUR/1e6", "out of the estate, pro rata"),
    ),
    is_rare=True,
)


class Settle:
    """The end of a week at the bank: interest on cash below zero; firms further below it than their limit fail.

    Interest is `finance.interest_rate_per_week` of what a firm owes, rounded down to a millionth of a euro, and counts
    before the limit is looked at. A firm that fails stops at once; `ecosim.manufacturing.liquidation` says what becomes
    of its promises, goods and debts.
    """

    name = "settle"
    repeats = False
    writes: tuple[str, ...] = ("exits", "compensations")

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        assert scenario.finance is not None
        self.net = net
        self.scenario = scenario
        self.rate = micro(scenario.finance.interest_rate_per_week)
        self.share = micro(scenario.finance.liquidation_share)
        self.writes = (*self.writes, "contract_ends") if scenario.contracts is not None else self.writes

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Pay interest, and wind up whoever is beyond its limit."""
        firms, ledger = world.tables["firms"], world.ledger
        cash = ledger.accounts["balance"][ledger.accounts["is_member"], CASH]
        firm = np.flatnonzero((cash < 0) & firms["is_active"] & world.is_live[firms["replica"]])
        if not len(firm):
            return {}
        replica = firms["replica"][firm]
        interest = value(np.full(len(firm), self.rate), -cash[firm])
        ledger.pay("interest", interest, ledger.rows(replica, firms["member"][firm]), ledger.outside("bank", replica))
        firm = firm[cash[firm] - interest < -firms["credit_limit"][firm]]
        if not len(firm):
            return {}
        price = going_prices(world, self.net, self.scenario, firms["replica"][firm])
        return wind_up(world, self.net, firm, share_of(price, self.share))


def _limits(scenario: ManufacturingScenario) -> Array:
    """The credit limit of each firm of a replica, EUR/1e6."""
    assert scenario.finance is not None
    usual = scenario.finance.credit_limit_eur
    groups = [firms for firms in scenario.firms for _ in range(firms.count)]
    return np.array([micro(usual if g.credit_limit_eur is None else g.credit_limit_eur) for g in groups], np.int64)


def _build(scenario: ManufacturingScenario, net: Layout, replicas: Table, tables: dict[str, Table]) -> None:
    tables["firms"]["credit_limit"] = np.tile(_limits(scenario), replicas.num_rows)


def _measure(world: World, events: Events, add: Adder) -> None:
    failed = events["exits"].take(events["exits"]["reason"] == BANKRUPT)
    add("claims_eur", failed, failed["owed"] / MILLION)
    add("compensated_eur", failed, np.minimum(failed["owed"], failed["estate"]) / MILLION)


def _conclude(world: World, series: Series, add: Adder) -> None:
    members = world.ledger.accounts.take(world.ledger.accounts["is_member"])
    by_reason, role = members["cash_by_reason"] / MILLION, world.tables["firms"]["role"]
    add.by(ROLES, role, "interest_eur", members, -by_reason[:, REASONS.index("interest")])
    add("write_offs_eur", members, by_reason[:, REASONS.index("default")])
    with np.errstate(invalid="ignore"):
        claims, paid = (series[name, ""].sum(axis=0) for name in ("claims_eur", "compensated_eur"))
        add.figures["compensation_level", ""] = paid / claims


def _levers(scenario: ManufacturingScenario, net: Layout) -> list[Lever]:
    return [
        Lever(
            table="firms",
            name="credit_limit_eur",
            column="credit_limit",
            unit="EUR",
            about="how far the cash of a firm may be below zero at the end of a week; beyond it the firm fails",
            per_unit=MILLION,
        )
    ]


CHAPTER = Chapter(
    is_in=lambda scenario: scenario.finance is not None,
    phases={"settle": Settle},
    schemas={"compensations": COMPENSATIONS},
    states={"firms": State("a firm", {"credit_limit": Meaning("EUR/1e6", "how far its cash may be below zero")})},
    build=_build,
    metrics={
        "claims_eur": Figure("EUR", "what firms that failed this week owed", "lower"),
        "compensated_eur": Figure("EUR", "what of it they could pay, cash, stock and goods on the way added up"),
    },
    kpis={
        "interest_eur": Figure("EUR", "interest that the firms of a role paid", "lower"),
        "write_offs_eur": Figure("EUR", "what the bank lost by firms that failed", "lower"),
        "compensation_level": Figure("", "what failed firms could pay ÷ what they owed; nan if none failed", "higher"),
    },
    measure=_measure,
    conclude=_conclude,
    levers=_levers,
)
