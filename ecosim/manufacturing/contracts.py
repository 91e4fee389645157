"""Contracts: signed promises to deliver, and the plain order to a standing partner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim.fields import Array
from ecosim.manufacturing.active import acting, selling
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import Layout
from ecosim.side import Events
from ecosim.words import Decision, Question, Table, concat

if TYPE_CHECKING:
    from ecosim.world import World

COLUMNS = ("buyer", "seller", "item", "from_week", "due_week", "quantity", "price")


def sign(world: World, net: Layout, deals: Table) -> Table:
    """Add contracts and put what is bought on order; gives the rows for the event table `contracts`.

    Args:
        world: where the contracts hold.
        net: the network.
        deals: `replica` and COLUMNS; quantity in units/1e6, price in EUR/1e6 a unit.
    """
    new = Table({**deals, "signed_week": np.full(deals.num_rows, world.steps), "open": deals["quantity"].copy()})
    contracts = world.tables["contracts"]
    world.tables["contracts"] = concat([contracts, Table({name: new[name] for name in contracts})])
    rows = net.position_row(deals["replica"], deals["buyer"], deals["item"])
    np.add.at(world.tables["positions"]["on_order"], rows, deals["quantity"])
    return Table({name: deals[name] for name in ("replica", *COLUMNS)})


class Order:
    """Where partners are fixed: this week's wish becomes an order that the partner sees after `order_weeks`.

    Nothing is paid: the partners are one chain.
    """

    name = "order"
    repeats = False
    writes = ("contracts",)

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        self.net = net
        self.order_weeks = scenario.order_weeks

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked: the quantity was an answer to `replenish`."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Sign a contract for every wish; its price is nothing, the partners are one chain."""
        positions = world.tables["positions"]
        rows = self._served(world, buying(world, self.net))
        member = positions["member"][rows]
        seen = np.full(len(rows), world.steps + self.order_weeks)
        deals = {
            "replica": positions["replica"][rows],
            "buyer": member,
            "seller": self.net.partner[member],
            "item": positions["item"][rows],
            "from_week": seen,
            "due_week": seen + self.net.promise_weeks(self.net.partner[member], member),
            "quantity": positions["wish"][rows].copy(),
            "price": np.zeros(len(rows), np.int64),
        }
        return {"contracts": sign(world, self.net, Table(deals))}

    def _served(self, world: World, rows: Array) -> Array:
        """Of some positions, those whose partner takes orders."""
        may_sell = selling(world)
        if may_sell is None:
            return rows
        positions = world.tables["positions"]
        partner = self.net.partner[positions["member"][rows]]
        return rows[may_sell[self.net.firm_row(positions["replica"][rows], partner)]]


def buying(world: World, net: Layout) -> Array:
    """The positions of firms in business that mean to buy something this week (row numbers)."""
    positions = world.tables["positions"]
    buys = ~np.tile(net.makes, world.num_replicas)
    return np.flatnonzero(buys & (positions["wish"] > 0) & acting(world, net))
