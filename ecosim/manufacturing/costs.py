"""The end of a week: holding stock and owing goods cost money."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim.exact import micro, value
from ecosim.fields import Array
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import Layout
from ecosim.side import Events
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World


class Charge:
    """Every position pays for its stock, and for what it owes and should have shipped by now.

    `holding_cost_eur` and `backlog_cost_eur` of the item, a unit and week.
    """

    name = "charge"
    repeats = False
    writes = ("stocks",)

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        self.net = net
        self.holding = np.array([micro(scenario.items[name].holding_cost_eur) for name in net.items])
        self.backlog = np.array([micro(scenario.items[name].backlog_cost_eur) for name in net.items])

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Charge both costs and keep stock and backlog of the week for the record."""
        positions, ledger = world.tables["positions"], world.ledger
        rows = np.flatnonzero(world.is_live[positions["replica"]])
        replica, member, item = positions["replica"][rows], positions["member"][rows], positions["item"][rows]
        account, nature = ledger.rows(replica, member), ledger.outside("nature", replica)
        stock = ledger.accounts["balance"][account, item + 1]
        backlog = (positions["owed"] + self._overdue(world))[rows]
        holding_cost, backlog_cost = value(self.holding[item], stock), value(self.backlog[item], backlog)
        ledger.pay("holding", holding_cost, account, nature)
        ledger.pay("backlog", backlog_cost, account, nature)
        return {
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
            )
        }

    def _overdue(self, world: World) -> Array:
        """Promised to other firms for arrival by now + transit time at the latest, and not shipped."""
        contracts = world.tables["contracts"]
        transit = self.net.transit_weeks(contracts["seller"], contracts["buyer"])
        late = contracts["due_week"] - transit <= world.steps
        overdue = np.zeros(world.tables["positions"].num_rows, np.int64)
        rows = self.net.position_row(contracts["replica"], contracts["seller"], contracts["item"])
        np.add.at(overdue, rows, np.where(late, contracts["open"], 0))
        return overdue
