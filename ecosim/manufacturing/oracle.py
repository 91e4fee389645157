"""What a market could earn at most: the plan of one mind that knows all demand beforehand, as a linear program.

It decides for every firm and week what to make, to ship and to sell, and meets what firms meet: stock and goods on the
way before week 1, capacities, bills of materials, production and transit times, the order of phases in a week, lanes
and fleets. It earns what consumers pay and spends what making, holding, owing consumers and moving cost. Firms are one
to it: prices between them, talks, promises and forecasts do not count.

Where the program cannot be exact it is generous, so that no run does better: units may be parts, a shipment that is not
full costs its share only (of a round of vehicles, the share of a full one that goes to the customer and back), nothing
is delayed, and firms owe each other nothing. Solved by HiGHS in floating point: T2, and never part of a digest.

Source: the bound on rounds is that of Haimovich, Rinnooy Kan (1985), Bounds and heuristics for capacitated routing
problems, Mathematics of Operations Research 10(4); the program is a multi-echelon production plan as in Pochet, Wolsey
(2006), Production planning by mixed integer programming, chapter 4, without whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np

from ecosim.exact import MILLION
from ecosim.fields import Array
from ecosim.manufacturing.costs import backlog_costs, holding_costs
from ecosim.manufacturing.roads import NO_EXPRESS, UNLIMITED
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import Layout, layout
from ecosim.rules.linear import Program


@dataclass(frozen=True, slots=True)
class Hub:
    """Goods of one item that may go from some sellers to some buyers: whoever ships, whoever gets.

    Attributes:
        sellers: member ids.
        buyers: positions.
        weeks: on the way.
        cost: EUR a unit, at least.
        lane: by number; −1 without a transport network.
        is_express: outside the capacity of the lane.
    """

    sellers: Array
    buyers: Array
    weeks: int
    cost: float = 0.0
    lane: int = -1
    is_express: bool = False


def hubs(scenario: ManufacturingScenario, net: Layout) -> list[Hub]:
    """All ways of trade in a replica."""
    found = []
    for sellers, buyers in _markets(scenario, net):
        if net.roads is None:
            found += [
                Hub(sellers, buyers[net.lead_weeks[net.owner[buyers]] == weeks], int(weeks))
                for weeks in np.unique(net.lead_weeks[net.owner[buyers]])
            ]
        else:
            found += list(_by_lane(net, sellers, buyers))
    return found


def _markets(scenario: ManufacturingScenario, net: Layout) -> Iterator[tuple[Array, Array]]:
    """Sellers and positions that buy from any of them: all of an item; with `order`, each firm and its customers."""
    buying = np.flatnonzero(~net.makes)
    if "order" in scenario.phases:
        partner = net.partner[buying]
        for seller in np.unique(partner[partner >= 0]):
            yield np.array([seller]), buying[(partner == seller) & (net.item[buying] == net.sells[seller])]
        return
    for item, sellers in enumerate(net.sellers):
        buyers = buying[net.item[buying] == item]
        if len(sellers) and len(buyers):
            yield sellers, buyers


def _by_lane(net: Layout, sellers: Array, buyers: Array) -> Iterator[Hub]:
    roads = net.roads
    assert roads is not None
    origin, destination = roads.place[sellers], roads.place[net.owner[buyers]]
    for lane in range(roads.num_lanes):
        here, there = sellers[origin == roads.origin[lane]], buyers[destination == roads.destination[lane]]
        if len(here) and len(there):
            full = roads.shipment[lane] / (roads.load[lane] / MILLION) if roads.load[lane] < UNLIMITED else 0.0
            cost = (roads.unit[lane] + full) / MILLION
            yield Hub(here, there, int(roads.weeks[lane]), cost, lane)
            if roads.express_weeks[lane] != NO_EXPRESS:
                factor = roads.factor[lane] / MILLION
                yield Hub(here, there, int(roads.express_weeks[lane]), cost * factor, lane, True)


def optimum(scenario: ManufacturingScenario, wanted: Array) -> float:
    """What the best plan earns, in EUR.

    Args:
        scenario: its facts, all of which the program understands (`facts.oracle`).
        wanted: units that consumers want of each firm that sells to them, by id, in each week: (firms, weeks).
    """
    return Plan(scenario, wanted).program.optimum()


class Plan:
    """The program of one replica.

    Stock is counted when it is charged (`charge`): what a phase after that does in week w shows in week w + 1. So the
    last column of stock is that after the end, for which nobody pays.
    """

    def __init__(self, scenario: ManufacturingScenario, wanted: Array) -> None:
        self.scenario = scenario
        self.net = layout(scenario)
        self.weeks = wanted.shape[1]
        self.program = Program()
        items = [scenario.items[name] for name in self.net.items]
        self.price = scenario.demand.price_eur
        self.make_cost, self.lost_cost = (
            np.array([getattr(item, name) for item in items]) for name in ("make_cost_eur", "lost_cost_eur")
        )
        self.holding, self.backlog = (costs(scenario, self.net) / MILLION for costs in (holding_costs, backlog_costs))
        self.balance = self._stocks()
        self._produce()
        self._trade()
        self._sell(wanted)

    def _shift(self, phase: str) -> int:
        """0 if a phase comes before stock is charged, else 1."""
        phases: list[str] = list(self.scenario.phases)
        return int("charge" in phases and phase in phases and phases.index(phase) > phases.index("charge"))

    def _paid(self, cost: Array) -> Array:
        """Cost by row and week of what is charged at the end of the weeks; nothing where nobody charges."""
        weeks = np.ones(self.weeks + 1) * ("charge" in self.scenario.phases)
        weeks[-1] = 0
        return cast(Array, -cost[:, None] * weeks)

    def _stocks(self) -> Array:
        """Stock of every position; gives the rows of its balance, (positions, weeks + 1)."""
        net, program = self.net, self.program
        groups = [firms for firms in self.scenario.firms for _ in range(firms.count)]
        before = np.zeros((net.num_positions, self.weeks + 1))
        before[:, 0] = [groups[m].stock_units.get(net.items[i], 0) for m, i in zip(net.owner, net.item, strict=True)]
        for member, firms in enumerate(groups):
            for k, units in enumerate(firms.arriving_units[: self.weeks]):
                before[net.position[member, net.sells[member]], k + self._shift("arrive")] += units
        stock = program.columns(net.num_positions, self.weeks + 1, self._paid(self.holding))
        rows = program.rows(before, True)
        program.put(rows, stock, 1.0)
        program.put(rows[:, 1:], stock[:, :-1], -1.0)
        return rows

    def _flow(self, positions: Array, columns: Array, factor: Array | float, delay: int) -> None:
        """Let unknowns of each week change the stock of a position so many weeks later; what comes too late is lost."""
        rows = self.balance[positions]
        last = min(self.weeks, self.weeks + 1 - delay)
        if last > 0:
            factor = np.broadcast_to(np.asarray(factor, float)[..., None], (len(positions), last))
            self.program.put(rows[:, delay : delay + last], columns[:, :last], factor)

    def _produce(self) -> None:
        net = self.net
        makers = np.flatnonzero(net.makes)
        member, item = net.owner[makers], net.item[makers]
        made = self.program.columns(
            len(makers), self.weeks, -self.make_cost[item][:, None], (net.capacity[member] / MILLION)[:, None]
        )
        for weeks in np.unique(net.make_weeks[member]):
            mine = net.make_weeks[member] == weeks
            ready = weeks + self._shift("arrive") if weeks else self._shift("produce")
            self._flow(makers[mine], made[mine], -1.0, int(ready))
        for part in np.flatnonzero(net.bom.any(axis=0)):
            uses = np.flatnonzero(net.bom[item, part])
            parts = net.position[member[uses], part]
            self._flow(parts, made[uses], net.bom[item[uses], part], self._shift("produce"))

    def _trade(self) -> None:
        net, program = self.net, self.program
        sent: list[tuple[Hub, Array]] = []
        for hub in hubs(self.scenario, net):
            out = program.columns(len(hub.sellers), self.weeks, -hub.cost)
            into = program.columns(len(hub.buyers), self.weeks, 0.0)
            rows = program.rows(np.zeros(self.weeks), True)
            program.put(rows[None, :], out, 1.0)
            program.put(rows[None, :], into, -1.0)
            self._flow(net.position[hub.sellers, net.sells[hub.sellers]], out, 1.0, self._shift("ship"))
            self._flow(hub.buyers, into, -1.0, self._transit(hub.weeks) + self._shift("arrive"))
            sent.append((hub, out))
        if net.roads is not None:
            self._limit([(hub, out) for hub, out in sent if not hub.is_express])

    def _transit(self, weeks: int) -> int:
        """Weeks until goods come in: those that need none come with the next `arrive`."""
        phases: list[str] = list(self.scenario.phases)
        return weeks or int(phases.index("arrive") < phases.index("ship"))

    def _limit(self, sent: list[tuple[Hub, Array]]) -> None:
        """Ordinary shipments keep to the capacity of their lane, or of their firm's fleet."""
        roads = self.net.roads
        assert roads is not None
        limits: dict[tuple[str, int], tuple[float, list[Array]]] = {}
        for hub, out in sent:
            capacity = roads.capacity[hub.lane] / MILLION
            if roads.by_vehicle[hub.lane]:
                for seller, row in zip(hub.sellers, out, strict=True):
                    limits.setdefault(("fleet", int(seller)), (capacity, []))[1].append(row[None, :])
            elif roads.capacity[hub.lane] < UNLIMITED:
                limits.setdefault(("lane", hub.lane), (capacity, []))[1].append(out)
        for capacity, columns in limits.values():
            rows = self.program.rows(np.full(self.weeks, capacity), False)
            self.program.put(rows[None, :], np.concatenate(columns), 1.0, is_equal=False)

    def _sell(self, wanted: Array) -> None:
        net, program = self.net, self.program
        firms = np.flatnonzero(net.to_consumers)
        item, shift, loses = net.sells[firms], self._shift("demand"), net.loses[firms]
        position = net.position[firms, item]
        sold = program.columns(len(firms), self.weeks, self.price)
        self._flow(position, sold, 1.0, shift)
        waits = np.where(loses, 0.0, np.inf)[:, None]  # of lost demand nothing waits: it goes, and costs
        owed = program.columns(len(firms), self.weeks + 1, self._paid(self.backlog[position]), waits)
        lost = program.columns(
            len(firms), self.weeks, -self.lost_cost[item][:, None], np.where(loses, np.inf, 0.0)[:, None]
        )
        asked = np.zeros((len(firms), self.weeks + 1))
        asked[:, shift : shift + self.weeks] = wanted
        rows = program.rows(asked, True)
        program.put(rows, owed, 1.0)
        program.put(rows[:, 1:], owed[:, :-1], -1.0)
        program.put(rows[:, shift : shift + self.weeks], sold, 1.0)
        program.put(rows[:, shift : shift + self.weeks], lost, 1.0)
