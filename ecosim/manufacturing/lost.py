"""Demand that is lost: what consumers take elsewhere, and what a partner strikes off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim.exact import micro, value
from ecosim.fields import Array
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import Layout
from ecosim.side import Events
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World


class LostSales:
    """Consumers of firms with `unmet: lost` do not wait; each unit lost costs the firm `lost_cost_eur`."""

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        self.net = net
        self.cost = np.array([micro(scenario.items[name].lost_cost_eur) for name in net.items])

    def strike(self, world: World, rows: Array) -> Events:
        """Forget what is owed at some positions, and charge for it."""
        positions = world.tables["positions"]
        rows = rows[self.net.loses[positions["member"][rows]] & (positions["owed"][rows] > 0)]
        replica, member, item = positions["replica"][rows], positions["member"][rows], positions["item"][rows]
        lost = positions["owed"][rows].copy()
        positions["owed"][rows] = 0
        cost = value(self.cost[item], lost)
        account, nature = world.ledger.rows(replica, member), world.ledger.outside("nature", replica)
        world.ledger.pay("lost_sales", cost, account, nature)
        columns = {"replica": replica, "member": member, "item": item, "lost": lost, "cost": cost}
        return {"lost_sales": Table(columns)}


class LostOrders:
    """With fixed partners: what a seller with `unmet: lost` should have shipped by now, and has not, is struck off."""

    def __init__(self, net: Layout) -> None:
        self.net = net

    def strike(self, world: World, rows: Array) -> Events:
        """Close contracts among some rows, and take what was not shipped off the buyers' orders."""
        contracts = world.tables["contracts"]
        transit = self.net.transit_weeks(contracts["seller"][rows], contracts["buyer"][rows])
        latest = contracts["due_week"][rows] - transit
        gone = self.net.loses[contracts["seller"][rows]] & (contracts["open"][rows] > 0) & (latest <= world.steps)
        rows = rows[gone]
        lapsed = contracts.take(rows)
        contracts["open"][rows] = 0
        buyer = self.net.position_row(lapsed["replica"], lapsed["buyer"], lapsed["item"])
        np.subtract.at(world.tables["positions"]["on_order"], buyer, lapsed["open"])
        columns = ("replica", "buyer", "seller", "item", "signed_week")
        return {"lost_orders": Table({**{name: lapsed[name] for name in columns}, "lost": lapsed["open"]})}
