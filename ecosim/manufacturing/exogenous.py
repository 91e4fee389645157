"""Contracts with the outside world: with nature at one end of the network, with consumers at the other.

Nobody negotiates them: they are facts, fixed or drawn from the world's seed, so that all arms meet the same ones. With
goods that perish (`perish`) a week is the one-shot game of the Supply Chain Management League, and what a firm earns in
it is u = sales − purchases − production − disposal − shortfall.

Source: Mohammad, Greenwald, Fujita, Klein, Morinaga, Nakadai (2021), Supply Chain Management League OneShot.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim import seeds
from ecosim.adder import Adder
from ecosim.exact import MILLION, micro, value
from ecosim.fields import Array
from ecosim.manufacturing.chapter import Chapter
from ecosim.manufacturing.contracts import is_active
from ecosim.manufacturing.facts.exogenous import Exogenous as Facts
from ecosim.manufacturing.promises import STATES, no_promises
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.spot import CENT, catalogue, going_prices
from ecosim.manufacturing.state import Layout
from ecosim.rules.allocate import share_out
from ecosim.side import Column, Events, Figure, Schema, Series
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

SUPPLY, SALE = range(2)
WHICH = ("supply", "sale")

_KEYS = (
    Column("member", "i8", "id", "the firm", of="member"),
    Column("which", "i8", "", "0 it buys from nature, 1 it sells to consumers", WHICH),
    Column("number", "i8", "", "of the contract, in its list of the scenario, from 0"),
    Column("item", "i8", "id", "which item, in the order of the scenario", of="item"),
)
SCHEMAS = {
    "exogenous": Schema(
        "contracts with the outside world for this week",
        3,
        (*_KEYS, Column("quantity", "i8", "units/1e6", "how much"), Column("price", "i8", "EUR/1e6", "of a unit")),
        is_exogenous=True,
        is_rare=True,
    ),
    "fulfilled": Schema(
        "what became of contracts with the outside world",
        3,
        (
            *_KEYS,
            Column("quantity", "i8", "units/1e6", "as agreed"),
            Column("delivered", "i8", "units/1e6", "handed over"),
            Column("paid", "i8", "EUR/1e6", "for that: by the firm for supplies, to it for sales"),
            Column("penalty", "i8", "EUR/1e6", "paid by the firm for what it could not hand over"),
        ),
        is_rare=True,
    ),
}


class Receive:
    """Contracts of the week with the outside world: supplies come and are paid at once, sales are promised.

    Draws:
        Quantities and prices that have a range, evenly, in whole units and cents, from the world's seed, keyed by firm,
        item, contract and list.
    """

    name = "receive"
    repeats = False
    writes = ("exogenous", "fulfilled")

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        facts = cast(Facts, scenario.exogenous)
        groups = [firms.name for firms in scenario.firms for _ in range(firms.count)]
        rows = [
            (member, which, number, net.items.index(deal.item), deal.units, deal.units_to or deal.units,
             micro(deal.price_eur), micro(deal.price_to_eur or deal.price_eur), deal.week or 0)
            for which, deals in ((SUPPLY, facts.supplies), (SALE, facts.sales))
            for number, deal in enumerate(deals)
            for member, group in enumerate(groups)
            if group == deal.firms
        ]  # fmt: skip
        names = ("member", "which", "number", "item", "units", "units_to", "price", "price_to", "week")
        self.net = net
        self.deals = Table(
            {name: np.array(column, np.int64) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
        )
        ranges = (self.deals["units_to"] > self.deals["units"]) | (self.deals["price_to"] > self.deals["price"])
        self.is_drawn = bool(ranges.any())

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked: these contracts are facts."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Take in and pay supplies, note promises."""
        signed = self._signed(world)
        if signed.num_rows == 0:
            return {}
        ledger, is_supply = world.ledger, signed["which"] == SUPPLY
        there = signed.take(is_active(world, self.net, signed["replica"], signed["member"]))
        world.tables["promises"] = there.take(there["which"] == SALE)
        bought = signed.take(is_supply)
        can = is_active(world, self.net, bought["replica"], bought["member"])
        taken = np.where(can, bought["quantity"], 0)
        paid = value(bought["price"], taken)
        account, nature = ledger.rows(bought["replica"], bought["member"]), ledger.outside("nature", bought["replica"])
        ledger.pay("exogenous", paid, account, nature)
        ledger.move(bought["item"] + 1, taken, nature, account)
        return {"exogenous": signed, "fulfilled": _fulfilled(bought, taken, paid, np.zeros(len(paid), np.int64))}

    def _signed(self, world: World) -> Table:
        """The contracts of this week in all live replicas."""
        deals = self.deals.take((self.deals["week"] == 0) | (self.deals["week"] == world.steps))
        live = np.flatnonzero(world.is_live)
        which = np.tile(np.arange(deals.num_rows), len(live))
        replica, deals = np.repeat(live, deals.num_rows), deals.take(which)
        units, price = deals["units"], deals["price"]
        if self.is_drawn and len(replica):
            key = (deals["member"], deals["item"], deals["number"], deals["which"])
            u, v = seeds.two_uniforms(seeds.WORLD, world.seed(seeds.WORLD, replica), world.steps, self.name, key)
            units = units + (u * (deals["units_to"] - units + 1)).astype(np.int64)
            price = price + (v * ((deals["price_to"] - price) // CENT + 1)).astype(np.int64) * CENT
        names = {name: deals[name] for name in ("member", "which", "number", "item")}
        return Table({"replica": replica, **names, "quantity": units * MILLION, "price": price})


class Fulfil:
    """Firms hand over what they have promised to consumers, as far as stock goes, the dearest contract first.

    Consumers pay the price of the contract for what they get; for each unit that they do not get the firm pays
    `exogenous.shortfall_share` of the going price, and the promise is over.
    """

    name = "fulfil"
    repeats = False
    writes = ("fulfilled",)

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        self.net = net
        self.shortfall_share = micro(cast(Facts, scenario.exogenous).shortfall_share)
        self.listed = catalogue(scenario, net)

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Hand over, be paid, pay for the rest."""
        live = world.is_live[world.tables["promises"]["replica"]]
        promises = world.tables["promises"].take(live)
        world.tables["promises"] = world.tables["promises"].take(~live)
        replica, member, item, ledger = promises["replica"], promises["member"], promises["item"], world.ledger
        account, consumers = ledger.rows(replica, member), ledger.outside("consumers", replica)
        stock = ledger.accounts["balance"][account, item + 1]
        turn = (-promises["price"], promises["number"])
        given = share_out((replica, member, item), turn, promises["quantity"], stock)
        paid = value(promises["price"], given)
        going = going_prices(world, self.listed)[replica, item]
        penalty = value(self.shortfall_share, value(going, promises["quantity"] - given))
        ledger.move(item + 1, given, account, consumers)
        ledger.pay("exogenous", paid, consumers, account)
        ledger.pay("penalties", penalty, account, consumers)
        return {"fulfilled": _fulfilled(promises, given, paid, penalty)}


def _fulfilled(deals: Table, delivered: Array, paid: Array, penalty: Array) -> Table:
    names = ("replica", "member", "which", "number", "item", "quantity")
    return Table({**{name: deals[name] for name in names}, "delivered": delivered, "paid": paid, "penalty": penalty})


METRICS = {
    "exogenous_units": Figure("units", "of contracts with the outside world, by supply and sale"),
    "exogenous_delivered_units": Figure("units", "handed over under these contracts, by supply and sale"),
    "shortfall_cost_eur": Figure("EUR", "paid by firms for what they had promised and did not have", "lower"),
}
KPIS = {
    "shortfall": Figure("", "units promised to consumers by contract and not handed over ÷ units promised", "lower"),
    "shortfall_cost_eur": Figure("EUR", "paid for that in the whole run", "lower"),
}


def measure(world: World, events: Events, add: Adder) -> None:
    """What was agreed with the outside world this week, and what was handed over."""
    deals = events["fulfilled"]
    for name, column in (("exogenous_units", "quantity"), ("exogenous_delivered_units", "delivered")):
        add.by(WHICH, deals["which"], name, deals, deals[column] / MILLION)
    add("shortfall_cost_eur", deals, deals["penalty"] / MILLION)


def conclude(world: World, series: Series, add: Adder) -> None:
    """The same over whole runs; nan where nothing was promised."""
    promised_units = series["exogenous_units", "sale"].sum(axis=0)
    with np.errstate(invalid="ignore"):
        given = series["exogenous_delivered_units", "sale"].sum(axis=0)
        add.figures["shortfall", ""] = 1 - given / promised_units
    add.figures["shortfall_cost_eur", ""] = series["shortfall_cost_eur", ""].sum(axis=0)


def _build(scenario: ManufacturingScenario, net: Layout, replicas: Table, tables: dict[str, Table]) -> None:
    tables["promises"] = no_promises()


CHAPTER = Chapter(
    is_in=lambda scenario: scenario.exogenous is not None,
    phases={"receive": Receive, "fulfil": Fulfil},
    schemas=SCHEMAS,
    states=STATES,
    build=_build,
    metrics=METRICS,
    kpis=KPIS,
    measure=measure,
    conclude=conclude,
)
