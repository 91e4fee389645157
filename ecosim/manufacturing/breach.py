"""Contracts that are not kept, and how contracts end: breach, penalty, cure.

Who does not perform pays the other party `penalty_share` of the value not performed, and no more:

* *product*: what is still not sent `grace_weeks` after the week agreed is called off, and the seller pays. What is on
  its way then still counts as delivered, late. A seller that must *cure* first buys the goods at the spot market and
  hands them over at the contract's price, as a delivery that is late, whatever its cash; the penalty is then due on the
  rest.
* *money*: what the buyer could not pay on arrival went back (`delivery.Arrive`); the buyer pays, as far as it can.
* *refusal*: what the seller refused to send (`perform.Perform`); the seller pays at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim.adder import Adder
from ecosim.exact import MILLION, micro, value
from ecosim.fields import Array
from ecosim.manufacturing.chapter import Chapter
from ecosim.manufacturing.contracts import affordable, funds
from ecosim.manufacturing.facts.contracts import Contracts as Facts
from ecosim.manufacturing.perform import PERFORM, Perform
from ecosim.manufacturing.register import (
    BREACHED,
    CANCELLED,
    EXECUTED,
    FATES,
    KINDS,
    SCHEMAS,
    STATES,
    call_off,
    close,
    compensate,
    no_drafts,
    open_register,
)
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.signing import SIGN, Sign
from ecosim.manufacturing.spot import CURE, Prices, trade
from ecosim.manufacturing.state import Layout
from ecosim.rules import terms
from ecosim.rules.allocate import share_out
from ecosim.side import Events, Figure, Series
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World


class Breach:
    """What is overdue is called off, cured and compensated; contracts of which nothing is left to come have ended."""

    name = "breach"
    repeats = False
    writes: tuple[str, ...] = ("contract_ends",)

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        facts = cast(Facts, scenario.contracts)
        self.net = net
        self.grace, self.needs_cash = facts.grace_weeks, facts.cash_on_delivery
        self.share = micro(facts.penalty_share)
        self.late_share = micro(scenario.late_penalty_share)
        self.prices = Prices(scenario, net) if facts.cure else None
        self.writes = (*self.writes, "spot") if facts.cure else self.writes

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Call off, cure, compensate, close."""
        contracts = world.tables["contracts"]
        overdue = (contracts["due_week"] + self.grace <= world.steps) & world.is_live[contracts["replica"]]
        events = {}
        if overdue.any():
            entries, missing = call_off(world, self.net, np.flatnonzero(overdue), "missing")
            cured = self._cure(world, entries, missing) if self.prices is not None else None
            if cured is not None:
                events["spot"] = cured
            register = world.tables["register"]
            compensate(world, self.share, entries, missing - register["cured"][entries])
        self._compensate_unpaid(world)
        return {**events, "contract_ends": close(world)}

    def _cure(self, world: World, entries: Array, missing: Array) -> Table:
        """Sellers buy what is missing, as far as their buyers can pay for it, and are paid as agreed."""
        assert self.prices is not None
        register, ledger = world.tables["register"], world.ledger
        deals = register.take(entries)
        replica, buyer, seller, item, price = (deals[n] for n in ("replica", "buyer", "seller", "item", "price"))
        if self.needs_cash:
            turn = (deals["due_week"], deals["signed_week"], seller, item)
            missing = affordable(world, self.net, Table({"replica": replica, "member": buyer}), price, missing, turn)
        who = Table({"replica": replica, "member": seller, "item": item, "signed_week": deals["signed_week"]})
        bought = trade(world, CURE, who, buyer, missing, self.prices.to_buy(world)[replica, item])
        late = np.maximum(world.steps - deals["due_week"], 0)
        payer, payee = ledger.rows(replica, buyer), ledger.rows(replica, seller)
        ledger.pay("contracts", terms.payment(price, missing), payer, payee)
        ledger.pay("penalties", terms.penalty(price, missing, late, self.late_share), payee, payer)
        for tally, amount in (("cured", missing), ("delivered", missing), ("cure_cost", bought["paid"])):
            register[tally][entries] += amount
        register["last_week"][entries[missing > 0]] = world.steps
        return bought.take(missing > 0)

    def _compensate_unpaid(self, world: World) -> None:
        """Buyers pay what they can for goods that went back, this week or before."""
        register = world.tables["register"]
        rows = np.flatnonzero((register["unpaid"] > 0) & world.is_live[register["replica"]])
        deals = register.take(rows)
        owed = value(self.share, value(deals["price"], deals["unpaid"])) - deals["buyer_penalty"]
        if not (owed > 0).any():
            return
        replica, buyer, ledger = deals["replica"], deals["buyer"], world.ledger
        can = funds(world, self.net, replica, buyer)
        turn = (deals["due_week"], deals["signed_week"], deals["seller"], deals["item"])
        paid = share_out((replica, buyer), turn, np.maximum(owed, 0), can)
        ledger.pay("penalties", paid, ledger.rows(replica, buyer), ledger.rows(replica, deals["seller"]))
        register["buyer_penalty"][rows] += paid


METRICS = {
    "contracts_ended": Figure("", "contracts that ended this week, by fate"),
    "breaches": Figure("", "contracts that ended breached, by kind of breach", "lower"),
    "breach_level": Figure("", "shares not performed of these contracts, added up", "lower"),
    "breach_penalty_eur": Figure("EUR", "paid for their breach"),
    "cure_cost_eur": Figure("EUR", "paid at the spot market to cure breaches", "lower"),
    "ended_units": Figure("units", "quantity of the contracts that were executed or breached"),
    "performed_units": Figure("units", "of these, delivered and paid; cured goods among them", "higher"),
}
KPIS = {
    "execution_rate": Figure(
        "", "contracts executed in full ÷ contracts that ended, those cancelled among them", "higher"
    ),
    "breach_rate": Figure("", "contracts breached, by kind ÷ contracts executed or breached", "lower"),
    "breach_level": Figure("", "mean share not performed of a breached contract", "lower"),
    "breach_penalty_eur": Figure("EUR", "paid for breach in the whole run"),
    "cure_cost_eur": Figure("EUR", "paid at the spot market to cure breaches in the whole run", "lower"),
    "performed": Figure("", "units delivered and paid ÷ units of contracts executed or breached", "higher"),
    "signed_rate": Figure("", "contracts not cancelled ÷ contracts that ended", "higher"),
}


def measure(world: World, events: Events, add: Adder) -> None:
    """What became of the contracts that ended this week."""
    ended = events["contract_ends"]
    add.by(FATES, ended["fate"], "contracts_ended", ended, np.ones(ended.num_rows))
    held = ended.take((ended["fate"] == EXECUTED) | (ended["fate"] == BREACHED))
    broken = held.take(held["fate"] == BREACHED)
    add.by(KINDS[1:], broken["kind"] - 1, "breaches", broken, np.ones(broken.num_rows))
    # levels are shares of whole units: added up in millionths, so that the order of rows does not matter
    add("breach_level", broken, np.rint(broken["level"] * MILLION) / MILLION)
    for name, column in (("breach_penalty_eur", "penalty"), ("cure_cost_eur", "cure_cost")):
        add(name, held, held[column] / MILLION)
    for name, column in (("ended_units", "quantity"), ("performed_units", "delivered")):
        add(name, held, held[column] / MILLION)


def conclude(world: World, series: Series, add: Adder) -> None:
    """Rates over the whole run; nan where no contract ended."""
    figures = add.figures

    def total(name: str, group: str = "") -> Array:
        return cast(Array, series[name, group].sum(axis=0))

    fates = {fate: total("contracts_ended", fate) for fate in FATES}
    breaches = {kind: total("breaches", kind) for kind in KINDS[1:]}
    held = fates["executed"] + fates["breached"]
    with np.errstate(invalid="ignore", divide="ignore"):
        everything = sum(fates.values(), np.zeros(world.num_replicas))
        figures["execution_rate", ""] = fates["executed"] / everything
        figures["signed_rate", ""] = 1 - fates[FATES[CANCELLED]] / everything
        for kind, count in breaches.items():
            figures["breach_rate", kind] = count / held
        figures["breach_level", ""] = total("breach_level") / fates["breached"]
        figures["performed", ""] = total("performed_units") / total("ended_units")
    for name in ("breach_penalty_eur", "cure_cost_eur"):
        figures[name, ""] = total(name)


def _build(scenario: ManufacturingScenario, net: Layout, replicas: Table, tables: dict[str, Table]) -> None:
    facts = cast(Facts, scenario.contracts)
    open_register(tables)
    if facts.signing:
        tables["drafts"] = no_drafts()


CHAPTER = Chapter(
    is_in=lambda scenario: scenario.contracts is not None,
    phases={"sign": Sign, "perform": Perform, "breach": Breach},
    asks=dict.fromkeys(("supplier", "manufacturer", "distributor"), ("sign", "perform")),
    experts={
        f"{role}.{phase}": experts
        for role in ("supplier", "manufacturer", "distributor")
        for phase, experts in (("sign", SIGN), ("perform", PERFORM))
    },
    schemas=SCHEMAS,
    states=STATES,
    build=_build,
    metrics=METRICS,
    kpis=KPIS,
    measure=measure,
    conclude=conclude,
)
