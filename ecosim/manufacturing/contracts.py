"""Contracts: signed promises to deliver, and the plain order to a standing partner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim.exact import MILLION, micro, value
from ecosim.fields import Array
from ecosim.manufacturing.active import acting, selling
from ecosim.manufacturing.prices import note_deals
from ecosim.manufacturing.register import enter
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import Layout
from ecosim.manufacturing.terms import agreed
from ecosim.rules.allocate import share_out
from ecosim.rules.ledger import CASH
from ecosim.side import Events
from ecosim.words import Decision, Question, Table, concat

if TYPE_CHECKING:
    from ecosim.world import World

COLUMNS = ("buyer", "seller", "item", "from_week", "due_week", "quantity", "price")


def sign(world: World, net: Layout, deals: Table) -> Table:
    """Add contracts, put what is bought on order, charge what orders cost; gives rows for the event table `contracts`.

    Where contracts are signed in a phase of their own, the deals are drafts until then, and there are no rows yet.

    Args:
        world: where the contracts hold.
        net: the network.
        deals: `replica` and COLUMNS; quantity in units/1e6, price in EUR/1e6 a unit. Where a `penalty` was agreed,
            its share of the value a week late in millionths; else the scenario's `late_penalty_share` holds.
    """
    scenario = cast(ManufacturingScenario, world.scenario)
    late = {} if "penalty" in deals else {"penalty": np.full(deals.num_rows, micro(scenario.late_penalty_share))}
    deals = Table({**deals, **late})
    if "drafts" in world.tables:
        drafts = world.tables["drafts"]
        world.tables["drafts"] = concat([drafts, Table({name: deals[name] for name in drafts})])
        return deals.take(slice(0, 0))
    return put_in_force(world, net, deals)


def put_in_force(world: World, net: Layout, deals: Table) -> Table:
    """Let deals be contracts from now on; gives the rows for the event table `contracts`."""
    if "register" in world.tables:
        enter(world, deals)
    new = Table({**deals, "signed_week": np.full(deals.num_rows, world.steps), "open": deals["quantity"].copy()})
    contracts = world.tables["contracts"]
    world.tables["contracts"] = concat([contracts, Table({name: new[name] for name in contracts})])
    rows = net.position_row(deals["replica"], deals["buyer"], deals["item"])
    np.add.at(world.tables["positions"]["on_order"], rows, deals["quantity"])
    if net.order_cost.any():
        replica, buyer = deals["replica"], deals["buyer"]
        payer, nature = world.ledger.rows(replica, buyer), world.ledger.outside("nature", replica)
        world.ledger.pay("ordering", net.order_cost[buyer], payer, nature)
    note_deals(world, net, deals)
    return Table({name: deals[name] for name in ("replica", *COLUMNS)})


def is_active(world: World, net: Layout, replica: Array, member: Array) -> Array:
    """Which firms can trade at all: those that have entered, have not left, and are not bankrupt; bool (rows,)."""
    firms = world.tables["firms"]
    if "is_active" not in firms:
        return np.ones(len(replica), bool)
    return firms["is_active"][net.firm_row(replica, member)]


def funds(world: World, net: Layout, replica: Array, member: Array) -> Array:
    """What firms can pay at most: their cash, and their credit limit where they have one; EUR/1e6, never below 0."""
    cash = world.ledger.accounts["balance"][world.ledger.rows(replica, member), CASH]
    firms = world.tables["firms"]
    if "credit_limit" in firms:
        cash = cash + firms["credit_limit"][net.firm_row(replica, member)]
    return cast(Array, np.maximum(cash, 0))


def affordable(world: World, net: Layout, who: Table, price: Array, quantity: Array, turn: Sequence[Array]) -> Array:
    """How much each of some firms (`replica`, `member`) can pay of a quantity with its cash and credit, whole units.

    A firm with several rows pays them in turn, each in full up to the first that it cannot.
    """
    replica, member = who["replica"], who["member"]
    due = value(price, quantity)
    paid = share_out((replica, member), turn, due, funds(world, net, replica, member))
    return np.where(paid == due, quantity, paid // np.maximum(price, 1) * MILLION)


class Order:
    """Where partners are fixed: this week's wish becomes an order that the partner sees after `order_weeks`.

    The price is what the partners' `terms` say; without terms nothing is paid: they are one chain.
    """

    name = "order"
    repeats = False
    writes = ("contracts",)

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        self.net = net
        phases: list[str] = [*scenario.phases]
        is_late = "ship" in phases[: phases.index(self.name)]  # a partner has shipped this week's goods already
        self.weeks = np.maximum(net.order_weeks, int(is_late))
        self.price = agreed(scenario, net).price

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked: the quantity was an answer to `replenish`."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Sign a contract for every wish."""
        positions = world.tables["positions"]
        rows = self._served(world, buying(world, self.net))
        member = positions["member"][rows]
        seller = self.net.partner[rows % self.net.num_positions]
        seen = world.steps + self.weeks[member]
        deals = {
            "replica": positions["replica"][rows],
            "buyer": member,
            "seller": seller,
            "item": positions["item"][rows],
            "from_week": seen,
            "due_week": seen + self.net.promise_weeks(seller, member),
            "quantity": positions["wish"][rows].copy(),
            "price": self.price[positions["item"][rows]],
        }
        return {"contracts": sign(world, self.net, Table(deals))}

    def _served(self, world: World, rows: Array) -> Array:
        """Of some positions, those whose partner takes orders."""
        may_sell = selling(world)
        if may_sell is None:
            return rows
        positions = world.tables["positions"]
        partner = self.net.partner[rows % self.net.num_positions]
        return rows[may_sell[self.net.firm_row(positions["replica"][rows], partner)]]


def buying(world: World, net: Layout) -> Array:
    """The positions of firms in business that mean to buy something this week (row numbers)."""
    positions = world.tables["positions"]
    buys = ~np.tile(net.makes, world.num_replicas)
    return np.flatnonzero(buys & (positions["wish"] > 0) & acting(world, net))
