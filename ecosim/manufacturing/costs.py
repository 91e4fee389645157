"""The end of a week: holding stock and owing goods cost money."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim.exact import micro, value
from ecosim.fields import Array
from ecosim.manufacturing import wiring
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import Layout
from ecosim.side import Events
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World


class Charge:
    """Every position pays for its stock, and for what it owes and should have shipped by now.

    `holding_cost_eur` and `backlog_cost_eur` of the item or firm, a unit and week. With `charge_transit` a sender pays
    for goods on the way as for its stock; goods in production are not on the way.
    """

    name = "charge"
    repeats = False
    writes: tuple[str, ...] = ("stocks",)

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        self.net = net
        self.holding, self.backlog = holding_costs(scenario, net), backlog_costs(scenario, net)
        self.charges_transit = scenario.charge_transit
        self.writes += ("transit",) if self.charges_transit else ()

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Charge both costs and keep stock and backlog of the week for the record."""
        net, positions, ledger = self.net, world.tables["positions"], world.ledger
        rows = np.flatnonzero(world.is_live[positions["replica"]])
        replica, member, item = positions["replica"][rows], positions["member"][rows], positions["item"][rows]
        account, nature = ledger.rows(replica, member), ledger.outside("nature", replica)
        stock = ledger.accounts["balance"][account, item + 1]
        backlog = (positions["owed"] + self._overdue(world))[rows]
        local = rows % net.num_positions
        holding_cost, backlog_cost = value(self.holding[local], stock), value(self.backlog[local], backlog)
        ledger.pay("holding", holding_cost, account, nature)
        ledger.pay("backlog", backlog_cost, account, nature)
        return {
            **(self._transit(world) if self.charges_transit else {}),
            "stocks": Table(
                {
                    "replica": replica,
                    "member": member,
                    "item": item,
                    "stock": stock,
                    "backlog": backlog,
                    "holding_cost": holding_cost,
                    "backlog_cost": backlog_cost,
                }
            ),
        }

    def _transit(self, world: World) -> Events:
        """Charge senders for what is on the way."""
        on_way = world.tables["shipments"]
        goods = on_way.take((on_way["buyer"] != on_way["seller"]) & world.is_live[on_way["replica"]])
        rows = self.net.position_row(goods["replica"], goods["seller"], goods["item"])
        sums = np.zeros(world.tables["positions"].num_rows, np.int64)
        np.add.at(sums, rows, goods["quantity"])
        rows = np.flatnonzero(sums)
        positions = world.tables["positions"].take(rows)
        replica, member, item = (positions[name] for name in ("replica", "member", "item"))
        cost = value(self.holding[rows % self.net.num_positions], sums[rows])
        world.ledger.pay("holding", cost, world.ledger.rows(replica, member), world.ledger.outside("nature", replica))
        columns = {"replica": replica, "member": member, "item": item, "on_way": sums[rows], "cost": cost}
        return {"transit": Table(columns)}

    def _overdue(self, world: World) -> Array:
        """Promised to other firms for arrival by now + lead time at the latest, and not shipped."""
        contracts = world.tables["contracts"]
        transit = self.net.transit_weeks(contracts["seller"], contracts["buyer"])
        late = contracts["due_week"] - transit <= world.steps
        overdue = np.zeros(world.tables["positions"].num_rows, np.int64)
        rows = self.net.position_row(contracts["replica"], contracts["seller"], contracts["item"])
        np.add.at(overdue, rows, np.where(late, contracts["open"], 0))
        return overdue


def holding_costs(scenario: ManufacturingScenario, net: Layout) -> Array:
    """What holding a unit for a week costs at each position of a replica, EUR/1e6."""
    items = [micro(scenario.items[name].holding_cost_eur) for name in net.items]
    own = [firms.holding_cost_eur for _, firms in wiring.firm_names(scenario)]
    return _by_position(net, items, own)


def backlog_costs(scenario: ManufacturingScenario, net: Layout) -> Array:
    """What owing a unit for a week costs at each position of a replica, EUR/1e6."""
    items = [micro(scenario.items[name].backlog_cost_eur) for name in net.items]
    own = [firms.backlog_cost_eur for _, firms in wiring.firm_names(scenario)]
    return _by_position(net, items, own)


def _by_position(net: Layout, items: list[int], own: list[float | None]) -> Array:
    """The item's cost, or the firm's own for what it sells."""
    cost = np.array(items, np.int64)[net.item]
    for member, eur in enumerate(own):
        if eur is not None:
            cost[net.position[member, net.sells[member]]] = micro(eur)
    return cost
