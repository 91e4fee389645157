"""What planners keep to: the levels of `policies`, given or computed, and the stock that they look at.

Computed levels come from `rules.inventory` with the demand that the scenario states; they are whole units.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ecosim.exact import MILLION
from ecosim.fields import Array
from ecosim.manufacturing import wiring
from ecosim.manufacturing.costs import backlog_costs, holding_costs
from ecosim.manufacturing.facts.firms import Firms
from ecosim.manufacturing.facts.policies import Policy
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import Layout
from ecosim.meanings import Meaning
from ecosim.rules.inventory import best_reorder, economic_order_quantity, newsvendor, poisson_newsvendor

if TYPE_CHECKING:
    from ecosim.world import World

SEES = {
    "has_policy": Meaning("", "1 if the scenario gives it a policy for the item; the columns below are 0 if not"),
    "reorder_point": Meaning("units/1e6", "it orders when the inventory position is at or below this"),
    "order_up_to": Meaning("units/1e6", "and then up to this; 0 if it orders lots"),
    "lot": Meaning("units/1e6", "or multiples of this; 0 if it orders up to a level"),
    "position": Meaning(
        "units/1e6",
        "inventory position: on hand and on order, less what is owed; of an echelon policy with all stock downstream",
    ),
}

MOST_POISSON = 500
"""Mean demand of the weeks that an order covers, above which the normal distribution stands in for Poisson's."""

Levels = tuple[int, int, int]
"""Reorder point, level to order up to, lot; whole units."""


class Policies:
    """The policies of a network, position by position, and the question's columns that carry them."""

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        self.net = net
        self.has = np.zeros(net.num_positions, np.int64)
        self.levels = np.zeros((net.num_positions, 3), np.int64)
        self.is_echelon = np.zeros(net.num_positions, bool)
        every = wiring.firm_names(scenario)
        holding, backlog = holding_costs(scenario, net), backlog_costs(scenario, net)
        for key, policy in (scenario.policies or {}).items():
            for member, (name, firms) in enumerate(every):
                if key in (name, firms.name):
                    at = net.position[member, net.sells[member]]
                    costs = (int(holding[at]) / MILLION, int(backlog[at]) / MILLION)
                    self.has[at] = 1
                    self.levels[at] = np.array(_levels(scenario, firms, policy, *costs)) * MILLION
                    self.is_echelon[at] = policy.kind == "echelon_base_stock"
        self.tiers = _tiers(net) if self.is_echelon.any() else []

    def columns(self, world: World, rows: Array, debts: Array) -> dict[str, Array]:
        """The columns of some positions; `debts` is what each position owes to firms, for all positions."""
        local = rows % self.net.num_positions
        positions = world.tables["positions"]
        account = world.ledger.rows(positions["replica"], positions["member"])
        stock = world.ledger.accounts["balance"][account, positions["item"] + 1]
        own = stock + positions["on_order"] - positions["owed"] - debts
        seen = own[rows]
        if self.tiers:
            seen = np.where(self.is_echelon[local], self._echelon(own)[rows], seen)
        point, level, lot = self.levels[local].T
        return {
            "has_policy": self.has[local],
            "reorder_point": point,
            "order_up_to": level,
            "lot": lot,
            "position": seen,
        }

    def _echelon(self, own: Array) -> Array:
        """Inventory positions with those of all positions downstream added, in units of the position's own item."""
        sums = own.reshape(-1, self.net.num_positions).T.copy()  # (positions, replicas)
        for giver, taker, factor in self.tiers:
            np.add.at(sums, giver, sums[taker] * factor[:, None])
        return sums.T.reshape(-1)


def _levels(scenario: ManufacturingScenario, firms: Firms, policy: Policy, holding: float, backlog: float) -> Levels:
    """What a policy comes to for the firms of a group, costs in EUR a unit and week."""
    if policy.lot_units is not None:
        return policy.reorder_units or 0, 0, policy.lot_units
    if policy.level_units is not None:
        level = policy.level_units
        return (level - 1 if policy.reorder_units is None else policy.reorder_units), level, 0
    demand, weeks = scenario.demand, wiring.covered_weeks(scenario, firms)
    if policy.kind == "s_S":
        best = best_reorder(demand.mean_units, holding, backlog, firms.order_cost_eur, weeks)
        return best.point, best.level, 0
    if policy.kind == "eoq":
        lot, _ = economic_order_quantity(firms.order_cost_eur, holding, demand.mean_units)
        return max(0, math.ceil(demand.mean_units * weeks) - 1), 0, max(1, round(lot))
    if demand.kind == "poisson" and demand.mean_units * weeks <= MOST_POISSON:
        level = poisson_newsvendor(holding, backlog, demand.mean_units * weeks)
    else:
        sd = math.sqrt(demand.mean_units) if demand.kind == "poisson" else demand.sd_units
        level = round(newsvendor(holding, backlog, demand.mean_units * weeks, sd * math.sqrt(weeks))[0])
    return level - 1, level, 0


def _tiers(net: Layout) -> list[tuple[Array, Array, Array]]:
    """Who passes on to whom: (position upstream, position downstream, units of the one in the other), farthest first.

    A buyer's position stands downstream of its partner's, a maker's part downstream of nothing but what is made of it.
    """
    links: dict[int, list[tuple[int, int]]] = {}
    for at in range(net.num_positions):
        member, item = int(net.owner[at]), int(net.item[at])
        if net.partner[at] >= 0:
            links.setdefault(int(net.position[net.partner[at], item]), []).append((at, 1))
        if not net.makes[at] and item != net.sells[member]:
            whole = int(net.position[member, net.sells[member]])
            links.setdefault(at, []).append((whole, int(net.bom[net.sells[member], item])))
    depth: dict[int, int] = {}

    def deep(at: int) -> int:
        if at not in depth:
            depth[at] = 1 + max((deep(down) for down, _ in links.get(at, [])), default=-1)
        return depth[at]

    rows = [(deep(up), up, down, units) for up, found in links.items() for down, units in found]
    tiers = []
    for tier in sorted({row[0] for row in rows}):
        up, down, units = zip(*[row[1:] for row in rows if row[0] == tier], strict=True)
        tiers.append((np.array(up), np.array(down), np.array(units)))
    return tiers
