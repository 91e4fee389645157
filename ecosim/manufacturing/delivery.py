"""Goods on the move: shipping what is owed from stock, and taking in what arrives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim.fields import Array
from ecosim.manufacturing import effective
from ecosim.manufacturing.allocation import Allocation
from ecosim.manufacturing.contracts import affordable
from ecosim.manufacturing.docks import covered
from ecosim.manufacturing.haulage import Haulage
from ecosim.manufacturing.lost import LostOrders
from ecosim.manufacturing.register import note_arrivals
from ecosim.manufacturing.reputation import note_deliveries
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import Layout
from ecosim.rules import terms
from ecosim.side import Events
from ecosim.words import Decision, Question, Table, concat

if TYPE_CHECKING:
    from ecosim.world import World


class Arrive:
    """Shipments due this week come into stock; the buyer pays the contract price, less a penalty for lateness.

    The penalty is the contract's share of the value for each week after the one agreed, at most all of it. Goods of a
    maker's own production come in the same way, and nothing is paid for them. Where `contracts` wants cash on delivery,
    a buyer takes whole units as far as its cash and credit go, in the order of the weeks due; the rest goes back.
    """

    name = "arrive"
    repeats = False
    writes = ("deliveries",)

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        self.net = net
        self.needs_cash = scenario.contracts is not None and scenario.contracts.cash_on_delivery

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Move goods from transit, or from production, into stock; settle."""
        on_way = world.tables["shipments"]
        due = (on_way["arrive_week"] <= world.steps) & world.is_live[on_way["replica"]]
        come = on_way.take(due)
        world.tables["shipments"] = on_way.take(~due)
        if come.num_rows == 0:
            return {}
        replica, buyer, seller, item = come["replica"], come["buyer"], come["seller"], come["item"]
        ledger = world.ledger
        account = ledger.rows(replica, buyer)
        taken = self._hand_over(world, come)
        rows = self.net.position_row(replica, buyer, item)
        np.subtract.at(world.tables["positions"]["on_order"], rows, come["quantity"])
        late = np.maximum(come["arrive_week"] - come["due_week"], 0)
        price = terms.payment(come["price"], taken)
        penalty = terms.penalty(come["price"], taken, late, come["penalty"])
        bought = buyer != seller
        firms, who = world.tables["firms"], self.net.firm_row(replica, seller)
        payee = ledger.rows(replica, seller)
        if not firms["is_active"].all():  # the bank has paid a firm that failed for what was on its way
            payee = np.where(firms["is_active"][who], payee, ledger.outside("bank", replica))
        ledger.pay("contracts", price, account, payee)
        ledger.pay("penalties", penalty, payee, account)
        np.add.at(firms["revenue"], who, price)
        np.add.at(firms["num_deliveries"], who, bought.astype(np.int64))
        np.add.at(firms["num_on_time"], who, (bought & (late == 0)).astype(np.int64))
        note_deliveries(world, self.net, come, late)
        columns = ("replica", "buyer", "seller", "item", "signed_week")
        got = {**{n: come[n] for n in columns}, "quantity": taken}
        return {"deliveries": Table({**got, "late": late, "paid": price, "penalty": penalty})}

    def _hand_over(self, world: World, come: Table) -> Array:
        """Move goods out of transit: to buyers what they can pay, the rest back; gives what they took, units/1e6."""
        replica, buyer, seller, item = come["replica"], come["buyer"], come["seller"], come["item"]
        ledger, taken = world.ledger, come["quantity"]
        transit = ledger.outside("transit", replica)
        if self.needs_cash:
            turn = (come["due_week"], come["signed_week"], seller, item)
            payer = Table({"replica": replica, "member": buyer})
            taken = affordable(world, self.net, payer, come["price"], taken, turn)
            ledger.move(item + 1, come["quantity"] - taken, transit, ledger.rows(replica, seller))
        if "register" in world.tables:
            note_arrivals(world, come, taken)
        ledger.move(item + 1, taken, transit, ledger.rows(replica, buyer))
        return taken


class Ship:
    """Sellers ship what they owe from stock: contracts that are due first go first, then by week signed and buyer.

    That is `allocation: first_due`; the other rules are in `Allocation`. With `unmet: lost` and fixed partners, what a
    seller should have shipped by now and could not is struck off. A contract may be shipped in parts, and before it is
    due. Goods arrive `lead_time_weeks` later; where there is a transport network, only what was dispatched leaves,
    as far as lanes and vehicles carry it (`haulage`).
    """

    name = "ship"
    repeats = False
    writes: tuple[str, ...] = ("shipments",)

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        self.net = net
        self.allocation = Allocation(scenario)
        self.serves_both = serves_both(net)
        self.is_later = "demand" in scenario.phases[: scenario.phases.index("ship")]
        self.lost = LostOrders(net) if net.loses.any() and "order" in scenario.phases else None
        self.writes += ("lost_orders",) if self.lost else ()
        self.haulage: Haulage | None = None
        if net.roads is not None and scenario.transport is not None:
            self.haulage = Haulage(net, net.roads, scenario.transport.vehicles)
            self.writes = (*self.writes, "dispatches", "routes", "delays")

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked: the rule is first due, first served."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Move goods from stock into transit; sellers note this week's new demand."""
        contracts = world.tables["contracts"]
        self._note_demand(world, contracts)
        rows, owed, shipped = covered(world, self.net, self.allocation)
        firm = self.net.firm_row(owed["replica"], owed["seller"])
        events: Events = {}
        if self.haulage is not None:
            shipped, arrive, events = self.haulage.send(world, owed, shipped)
        elif len(rows) == 0:
            return {}
        else:
            arrive = world.steps + self.net.transit_weeks(owed["seller"], owed["buyer"])
            arrive = arrive + effective.delay_weeks(world, firm)
        contracts["open"][rows] -= shipped
        struck = self.lost.strike(world, rows) if self.lost else {}
        account = world.ledger.rows(owed["replica"], owed["seller"])
        world.ledger.move(owed["item"] + 1, shipped, account, world.ledger.outside("transit", owed["replica"]))
        moved = shipped > 0
        parcel = owed.take(moved)
        kept = ("replica", "buyer", "seller", "item", "signed_week", "due_week", "price", "penalty")
        new = Table(
            {
                **{name: parcel[name] for name in kept},
                "arrive_week": arrive[moved],
                "quantity": shipped[moved],
            }
        )
        on_way = world.tables["shipments"]
        world.tables["shipments"] = concat([on_way, Table({name: new[name] for name in on_way})])
        world.tables["contracts"] = contracts.take(contracts["open"] > 0)
        columns = ("replica", "buyer", "seller", "item", "signed_week", "arrive_week", "quantity")
        return {"shipments": Table({name: new[name] for name in columns}), **struck, **events}

    def _note_demand(self, world: World, contracts: Table) -> None:
        """A seller's demand of the week is what its customers' new orders, seen this week, add up to."""
        net, positions = self.net, world.tables["positions"]
        new = contracts.take(contracts["from_week"] == world.steps)
        asked = np.zeros(positions.num_rows, np.int64)
        np.add.at(asked, net.position_row(new["replica"], new["seller"], new["item"]), new["quantity"])
        sells_to_firms = (positions["item"] == net.sells[positions["member"]]) & ~net.to_consumers[positions["member"]]
        if len(self.serves_both):
            rows = every_replica(world, net, self.serves_both)
            if self.is_later:
                add_demand(world, rows, asked)
            else:
                sells_to_firms[rows] = True
        note_demand(world, np.flatnonzero(sells_to_firms), asked)


def serves_both(net: Layout) -> np.ndarray:
    """The positions of a replica that sell to consumers and are some firm's partner."""
    sells = net.position[np.arange(net.num_members), net.sells]
    partners = np.unique(net.partner[net.partner >= 0])
    return sells[partners[net.to_consumers[partners]]]


def every_replica(world: World, net: Layout, positions: np.ndarray) -> np.ndarray:
    """The rows of some positions in all replicas."""
    starts = np.arange(world.num_replicas)[:, None] * net.num_positions
    return (starts + positions).reshape(-1)


def add_demand(world: World, rows: np.ndarray, quantity: np.ndarray) -> None:
    """Add to this week's demand of some positions; `quantity` has a value for every position."""
    live = rows[world.is_live[world.tables["positions"]["replica"][rows]]]
    world.tables["positions"]["history"][live, 0] += quantity[live]


def note_demand(world: World, rows: np.ndarray, quantity: np.ndarray) -> None:
    """Put this week's demand in front of the history of some positions; `quantity` has a value for every position."""
    live = rows[world.is_live[world.tables["positions"]["replica"][rows]]]
    history = world.tables["positions"]["history"]
    history[live, 1:] = history[live, :-1]
    history[live, 0] = quantity[live]
