"""The market of last resort: any quantity at once, from nature and to nature, always worse than negotiating.

*Always worse* means: whatever the going price, a unit costs at least what any buyer's private limit could be, and
brings at most what any seller's private limit could be. So no price that two firms can agree on is above the spot price
for buyers or below the spot price for sellers; with fixed terms, neither is the wholesale price. Beyond that, it costs
the mark-up on the going price, and brings it less the mark-down.

The going price of an item is the trading price on the bulletin board, where there is one, else its catalogue price.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim.adder import Adder
from ecosim.exact import MILLION, micro, value
from ecosim.fields import Array
from ecosim.manufacturing.chapter import Chapter
from ecosim.manufacturing.contracts import affordable, is_active
from ecosim.manufacturing.facts.spot import Spot as Facts
from ecosim.manufacturing.planning import market_price, unit_cost
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import Layout
from ecosim.side import Column, Events, Figure, Schema, Series
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

CENT = 10_000
"""The grid of prices, in millionths of a euro."""
NEED, CURE, SURPLUS = range(3)
WHY = ("need", "cure", "surplus")

SCHEMAS = {
    "spot": Schema(
        "goods bought and sold at the spot market",
        5,
        (
            Column("member", "i8", "id", "the firm that buys or sells there", of="member"),
            Column("item", "i8", "id", "which item, in the order of the scenario", of="item"),
            Column("why", "i8", "", "0 bought for need, 1 bought to cure a breach, 2 sold as surplus", WHY),
            Column("taker", "i8", "id", "who gets what is bought: the firm itself, or whom it owes", of="member"),
            Column("signed_week", "i8", "week", "of the contract that is cured; else this week"),
            Column("quantity", "i8", "units/1e6", "how much"),
            Column("price", "i8", "EUR/1e6", "of a unit"),
            Column("paid", "i8", "EUR/1e6", "by the firm; what it gets, of a surplus"),
        ),
        is_rare=True,
    )
}


def catalogue(scenario: ManufacturingScenario, net: Layout) -> Array:
    """The price of each item before trade, EUR/1e6, int64 (items,)."""
    return np.array([market_price(net, scenario, i) for i in range(len(net.items))], np.int64)


def going_prices(world: World, listed: Array) -> Array:
    """The going price of each item in each replica, EUR/1e6, int64 (replicas, items); `listed` is the catalogue's."""
    board = world.tables.get("board")
    if board is None:
        return np.broadcast_to(listed, (world.num_replicas, len(listed)))
    return cast(Array, board["trading_price"].reshape(world.num_replicas, len(listed)))


class Prices:
    """What a unit of each item costs, and brings, at the spot market of a scenario."""

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        facts, spread = cast(Facts, scenario.spot), scenario.negotiation.private_spread
        items = list(enumerate(net.items))
        wholesale = [micro(terms.price_eur) for terms in (scenario.terms or {}).values()]
        limit = [micro(scenario.items[name].value_eur * (1 + spread)) for _, name in items]
        least = [micro(unit_cost(net, scenario, i) * (1 - spread) / MILLION) // CENT * CENT for i, _ in items]
        self.listed = catalogue(scenario, net)
        self.markup, self.markdown = micro(facts.markup_share), micro(facts.markdown_share)
        self.at_least = np.array([max(-(-n // CENT) * CENT, *wholesale, 0) for n in limit], np.int64)
        self.at_most = np.array([min([n, *wholesale]) for n in least], np.int64)

    def to_buy(self, world: World) -> Array:
        """EUR/1e6 a unit, int64 (replicas, items)."""
        going = going_prices(world, self.listed)
        return np.maximum(going + value(going, self.markup), self.at_least)

    def to_sell(self, world: World) -> Array:
        """EUR/1e6 a unit, int64 (replicas, items)."""
        going = going_prices(world, self.listed)
        return np.minimum(going - value(going, self.markdown), self.at_most)


def trade(world: World, why: int, who: Table, taker: Array, quantity: Array, price: Array) -> Table:
    """Buy for takers, or sell a surplus, at the spot market; gives the rows for the event table `spot`.

    Args:
        world: where it happens.
        why: NEED, CURE or SURPLUS.
        who: `replica`, `member`, `item` and, of a cure, `signed_week`: who pays or is paid.
        taker: who gets what is bought.
        quantity, price: units/1e6, EUR/1e6 a unit.
    """
    replica, member, item, ledger = who["replica"], who["member"], who["item"], world.ledger
    nature, account = ledger.outside("nature", replica), ledger.rows(replica, member)
    paid = value(price, quantity)
    if why == SURPLUS:
        ledger.pay("spot", paid, nature, account)
        ledger.move(item + 1, quantity, account, nature)
    else:
        ledger.pay("spot", paid, account, nature)
        ledger.move(item + 1, quantity, nature, ledger.rows(replica, taker))
    week = who["signed_week"] if "signed_week" in who else np.full(len(paid), world.steps)
    columns = {"replica": replica, "member": member, "item": item, "why": np.full(len(paid), why)}
    more = {"taker": taker, "signed_week": week, "quantity": quantity, "price": price, "paid": paid}
    return Table({**columns, **more})


class Spot:
    """Firms buy a part of what negotiations have left open, and sell what is far above what they need.

    Who buys pays at once and has the goods at once, in whole units, as far as its cash goes where `contracts` wants
    cash on delivery. Only firms that sell to other firms have a surplus to sell: what is above `sell_above_weeks` of
    mean demand, of the item that they sell.
    """

    name = "spot"
    repeats = False
    writes = ("spot",)

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        facts = cast(Facts, scenario.spot)
        self.net = net
        self.prices = Prices(scenario, net)
        self.cover, self.weeks = micro(facts.cover_share), facts.sell_above_weeks
        self.needs_cash = scenario.contracts is not None and scenario.contracts.cash_on_delivery

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked: what is needed was an answer to `replenish`."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Cover needs, then sell what is too much."""
        found = self._cover(world) if self.cover else None
        sold = self._sell(world, self.weeks) if self.weeks is not None else None
        pieces = [piece for piece in (found, sold) if piece is not None and piece.num_rows]
        if not pieces:
            return {}
        return {"spot": Table({name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]})}

    def _active(self, world: World, chosen: Array) -> Array:
        """Those of some positions whose firm can trade (row numbers)."""
        rows, positions = np.flatnonzero(chosen), world.tables["positions"]
        return rows[is_active(world, self.net, positions["replica"][rows], positions["member"][rows])]

    def _cover(self, world: World) -> Table:
        net, positions = self.net, world.tables["positions"]
        buys = ~np.tile(net.makes, world.num_replicas) & world.is_live[positions["replica"]]
        rows = self._active(world, buys & (positions["wish"] > 0) & (positions["room"] > 0))
        who = Table({name: positions[name][rows] for name in ("replica", "member", "item")})
        quantity = value(self.cover, positions["room"][rows]) // MILLION * MILLION
        price = self.prices.to_buy(world)[who["replica"], who["item"]]
        if self.needs_cash:
            quantity = affordable(world, net, who, price, quantity, (who["item"],))
        positions["room"][rows] -= quantity
        some = quantity > 0
        return trade(world, NEED, who.take(some), who["member"][some], quantity[some], price[some])

    def _sell(self, world: World, weeks: int) -> Table:
        net, positions = self.net, world.tables["positions"]
        mine = np.tile(net.makes & ~net.to_consumers[net.owner], world.num_replicas)
        rows = self._active(world, mine & world.is_live[positions["replica"]])
        who = Table({name: positions[name][rows] for name in ("replica", "member", "item")})
        account = world.ledger.rows(who["replica"], who["member"])
        stock = world.ledger.accounts["balance"][account, who["item"] + 1]
        history = positions["history"][rows]
        kept = history.sum(axis=1) * weeks // history.shape[1]
        quantity = np.maximum(stock - kept, 0) // MILLION * MILLION
        price = self.prices.to_sell(world)[who["replica"], who["item"]]
        some = quantity > 0
        return trade(world, SURPLUS, who.take(some), who["member"][some], quantity[some], price[some])


METRICS = {
    "spot_units": Figure("units", "bought at the spot market, for need or to cure a breach", "lower"),
    "spot_cost_eur": Figure("EUR", "paid for it", "lower"),
    "spot_sold_units": Figure("units", "sold at the spot market", "lower"),
}
KPIS = {
    "spot_units": Figure("units", "bought at the spot market, mean of a week", "lower"),
    "spot_cost_eur": Figure("EUR", "paid for it, mean of a week", "lower"),
    "spot_sold_units": Figure("units", "sold at the spot market, mean of a week", "lower"),
}


def measure(world: World, events: Events, add: Adder) -> None:
    """What went through the spot market this week."""
    bought = events["spot"].take(events["spot"]["why"] != SURPLUS)
    sold = events["spot"].take(events["spot"]["why"] == SURPLUS)
    add("spot_units", bought, bought["quantity"] / MILLION)
    add("spot_cost_eur", bought, bought["paid"] / MILLION)
    add("spot_sold_units", sold, sold["quantity"] / MILLION)


def conclude(world: World, series: Series, add: Adder) -> None:
    """The same over whole runs."""
    add.figures.update({(name, ""): series[name, ""].mean(axis=0) for name in KPIS})


CHAPTER = Chapter(
    is_in=lambda scenario: scenario.spot is not None,
    phases={"spot": Spot},
    schemas=SCHEMAS,
    metrics=METRICS,
    kpis=KPIS,
    measure=measure,
    conclude=conclude,
)
