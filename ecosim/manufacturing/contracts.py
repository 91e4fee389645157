"""Contracts: signed promises to deliver, and the plain order to a standing partner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim.exact import micro
from ecosim.fields import Array
from ecosim.manufacturing.active import acting, selling
from ecosim.manufacturing.prices import note_deals
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import Layout
from ecosim.side import Events
from ecosim.words import Decision, Question, Table, concat

if TYPE_CHECKING:
    from ecosim.world import World

COLUMNS = ("buyer", "seller", "item", "from_week", "due_week", "quantity", "price")


def sign(world: World, net: Layout, deals: Table) -> Table:
    """Add contracts, put what is bought on order, charge what orders cost; gives rows for the event table `contracts`.

    Args:
        world: where the contracts hold.
        net: the network.
        deals: `replica` and COLUMNS; quantity in units/1e6, price in EUR/1e6 a unit. Where a `penalty` was agreed,
            its share of the value a week late in millionths; else the scenario's `late_penalty_share` holds.
    """
    scenario = cast(ManufacturingScenario, world.scenario)
    terms = {} if "penalty" in deals else {"penalty": np.full(deals.num_rows, micro(scenario.late_penalty_share))}
    signed = np.full(deals.num_rows, world.steps)
    new = Table({**deals, **terms, "signed_week": signed, "open": deals["quantity"].copy()})
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


class Order:
    """Where partners are fixed: this week's wish becomes an order that the partner sees after `order_weeks`.

    Nothing is paid: the partners are one chain.
    """

    name = "order"
    repeats = False
    writes = ("contracts",)

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        self.net = net
        phases: list[str] = [*scenario.phases]
        is_late = "ship" in phases[: phases.index(self.name)]  # a partner has shipped this week's goods already
        self.weeks = np.maximum(net.order_weeks, int(is_late))

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked: the quantity was an answer to `replenish`."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Sign a contract for every wish; its price is nothing, the partners are one chain."""
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
