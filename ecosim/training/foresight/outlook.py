"""What a firm may know of its world beside what it sees: its own costs, the terms of trade, and what it reckons with.

An `Outlook` turns the rows of a `replenish` question into `Start`s: from the row's own columns (stock, on order, owed,
lead time, capacity, demand of the last weeks), from facts of the scenario that every firm may know (costs of holding
and owing, bills of materials, the order of a week, how long the run is), and from `Reckoning`, the chances that things
go wrong. The dates of shocks, other firms' tables and the world's draws are not among them.

What a unit short costs: a firm that owes consumers pays its backlog cost, or loses the sale. Where an item owes nobody
anything dear, a unit short may stop what it goes into: `felt` of the backlog cost of the finished good, shared by the
units that go into one. What a unit kept costs: its holding cost, and its cost of making spread over the run, as what is
left at the end is worth nothing. What is bought is not counted: a unit that is not bought now is bought later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from ecosim.catalog import Entry
from ecosim.exact import MILLION, micro
from ecosim.fields import Array, Bucket
from ecosim.manufacturing.costs import backlog_costs, holding_costs
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import Layout, layout
from ecosim.training.foresight.imagined import Start
from ecosim.words import Question

Chance = Annotated[float, Field(ge=0, le=1)]


class Reckoning(Entry):
    """What a firm reckons with, whatever will be: chances that it would learn from its own books over the years.

    Attributes:
        late: that what is due comes a week later, of goods that it buys.
        refused: that an order comes to nothing, of goods that it buys.
        outage: that its source stops in a week.
        outage_weeks: how long it then stands still on average.
        knows_makers: whether it knows who makes what, and how much at most: what it can get is its share of that, and a
            maker feels what others could not make up for.
        felt: share of a finished good's backlog cost that a missing part, or a missing unit of a maker, costs.
        known_demand: whether it knows the law of consumers' demand, and need not guess it from the last weeks.
        writes_off: whether the cost of making is spread over the run.
    """

    late: Chance = 0.0
    refused: Chance = 0.0
    outage: Chance = 0.0
    outage_weeks: Annotated[float, Field(ge=1)] = 1.0
    knows_makers: bool = False
    felt: Annotated[float, Field(ge=0)] = 1.0
    known_demand: bool = False
    writes_off: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlook:
    """The facts by position, and the reckoning; see `outlook`.

    Attributes:
        holding, shortage, lost: EUR/1e6 a unit (and week), float64 by position.
        faces: by position, whether consumers are served from it.
        is_seen: by position, whether this week's demand has come when it is asked.
        sources: by position, what each maker of its item can make ÷ what all buyers want, (positions, makers).
        law: by position, mean and deviation of weekly demand in units where they are known, else nan; (positions, 2).
    """

    net: Layout
    reckoning: Reckoning
    holding: Array
    shortage: Array
    lost: Array
    faces: Array
    is_seen: Array
    law: Array
    sources: Array

    def _sources(self, where: Array, mean: Array, makes: Array, capacity: Array) -> Array:
        """What each source can give in a week, units, (rows, sources): a maker is its own source."""
        with np.errstate(invalid="ignore"):
            shared = np.where(self.sources[where] == np.inf, np.inf, np.ceil(self.sources[where] * mean[:, None]))
        own = np.zeros_like(shared)
        own[:, 0] = np.where(capacity > 0, capacity, np.inf)  # one that stands still comes back with enough
        return np.where(makes[:, None], own, shared)

    def start(self, question: Question) -> Start:
        """The positions that a question is about, as their firms see them."""
        key, reckoning = question.key, self.reckoning
        where = self.net.position[key["subject"], key["item"]]
        lead, makes = question["lead_time"], question["makes"] == 1
        is_seen = self.is_seen[where]
        history = np.floor(question["demand_history"] / MILLION)
        mean, sd, doubt = _guess(history, self.law[where])
        spec = question.field("quantity")
        assert isinstance(spec, Bucket)
        most = spec.high / MILLION
        rows = np.ones(len(lead))
        buys = np.where(makes, 0.0, 1.0)
        return Start(
            stock=np.floor((question["on_hand"] - question["owed"]) / MILLION),
            on_order=np.floor(question["on_order"] / MILLION),
            capacity=np.floor(np.where(makes, np.minimum(question["capacity"] / MILLION, most), most)),
            mean=mean,
            sd=sd,
            doubt=doubt,
            holding=self.holding[where],
            shortage=self.shortage[where],
            lost=self.lost[where],
            late=reckoning.late * buys,
            refused=reckoning.refused * buys,
            outage=reckoning.outage * rows,
            recovery=rows / reckoning.outage_weeks,
            sources=self._sources(where, mean, makes, question["capacity"] / MILLION),
            is_out=makes & (question["capacity"] == 0),
            lag=np.maximum(lead - is_seen, 0),
            first=np.where(lead == 0, 0, 1 - is_seen),
        )


def outlook(scenario: ManufacturingScenario, reckoning: Reckoning) -> Outlook:
    """What firms of a scenario may know."""
    net = layout(scenario)
    alone = _alone(scenario, net) if reckoning.knows_makers else np.zeros(net.num_positions)
    owes = _owes(scenario, net, reckoning.felt, alone)
    cost = unit_costs(scenario)[net.item]
    sells = net.item == net.sells[net.owner]
    faces = net.to_consumers[net.owner] & sells
    loses = net.loses[net.owner] & faces
    price = micro(scenario.demand.price_eur)
    gone = np.array([micro(scenario.items[name].lost_cost_eur) for name in net.items])[net.item]
    kept = cost / scenario.steps if reckoning.writes_off else np.zeros(len(cost))
    law = np.full((net.num_positions, 2), np.nan)
    if reckoning.known_demand and scenario.demand.kind == "normal":
        law[faces] = scenario.demand.mean_units, scenario.demand.sd_units
    phases: list[str] = list(scenario.phases)
    comes_first = "demand" in phases and phases.index("demand") < phases.index("replenish")
    return Outlook(
        net=net,
        reckoning=reckoning,
        holding=np.rint(holding_costs(scenario, net) + kept),
        shortage=np.rint(np.where(loses, 0.0, owes)),
        lost=np.where(loses, np.maximum(price - cost, 0) + gone, 0.0),
        faces=faces,
        is_seen=(faces & comes_first).astype(np.int64),
        law=law,
        sources=_sources(scenario, net) if reckoning.knows_makers else np.full((net.num_positions, 1), np.inf),
    )


def _guess(history: Array, law: Array) -> tuple[Array, Array, Array]:
    """Mean and deviation of weekly demand and the deviation of that mean, from the last weeks or as known; units.

    Sums are of whole numbers, so they are exact.
    """
    weeks = history.shape[1]
    total, squares = history.sum(axis=1), (history * history).sum(axis=1)
    mean = total / weeks
    sd = np.sqrt((weeks * squares - total * total) / (weeks * (weeks - 1)))
    known = ~np.isnan(law[:, 0])
    doubt = np.where(known, 0.0, sd / np.sqrt(weeks))
    return np.where(known, law[:, 0], mean), np.where(known, law[:, 1], sd), doubt


def _owes(scenario: ManufacturingScenario, net: Layout, felt: float, alone: Array) -> Array:
    """What a unit short costs for a week, by position, EUR/1e6."""
    own = backlog_costs(scenario, net)
    stops = {name: float(micro(item.backlog_cost_eur)) for name, item in scenario.items.items()}
    for _ in scenario.items:  # parts of parts: as many levels as there are items at most
        for item in scenario.items.values():
            whole = next(name for name, other in scenario.items.items() if other is item)
            for part, count in item.bom.items():
                stops[part] = max(stops[part], stops[whole] / count)
    share = np.maximum(felt, alone)
    chain = share * np.array([stops[name] for name in net.items])[net.item]
    faces = net.to_consumers[net.owner] & (net.item == net.sells[net.owner])
    return np.where(faces, own, chain)


def unit_costs(scenario: ManufacturingScenario) -> Array:
    """What making one unit of each item costs, parts and all, EUR/1e6, in the order of the scenario."""
    return np.array([_unit_cost(scenario, name) for name in scenario.items])


def _unit_cost(scenario: ManufacturingScenario, name: str) -> float:
    """What making one unit costs, parts and all, EUR/1e6."""
    item = scenario.items[name]
    return micro(item.make_cost_eur) + sum(n * _unit_cost(scenario, part) for part, n in item.bom.items())


def _wanted(scenario: ManufacturingScenario, net: Layout, item: int) -> float:
    """What all buyers of an item want in a week, as everybody expects before week 1, units."""
    buyers = (net.item == item) & ~net.makes
    return float(buyers.sum() * scenario.first_forecast_units.get(net.items[item], 0.0))


def _sources(scenario: ManufacturingScenario, net: Layout) -> Array:
    """What each maker of a position's item can make ÷ what all its buyers want; inf where nobody knows."""
    most = max(1, *(len(sellers) for sellers in net.sellers))
    shares = np.zeros((net.num_positions, most))
    for at, item in enumerate(net.item):
        makers, wanted = net.sellers[item], _wanted(scenario, net, int(item))
        if len(makers) == 0 or wanted == 0:
            shares[at, 0] = np.inf
        else:
            shares[at, : len(makers)] = net.capacity[makers] / MILLION / wanted
    return shares


def _alone(scenario: ManufacturingScenario, net: Layout) -> Array:
    """Of each position that its firm makes, the share of all demand that others could not make up for."""
    alone = np.zeros(net.num_positions)
    for at in np.flatnonzero(net.makes):
        item, owner = int(net.item[at]), net.owner[at]
        others = [m for m in net.sellers[item] if m != owner]
        wanted = _wanted(scenario, net, item)
        if wanted:
            alone[at] = max(0.0, 1 - net.capacity[others].sum() / MILLION / wanted)
    return alone
