"""What a manufacturing scenario may say: items, firms, demand, terms. All checks that need only the file are here."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import Literal, Self

from pydantic import Field, model_validator

from ecosim.manufacturing import series, wiring
from ecosim.manufacturing.facts import company
from ecosim.manufacturing.facts.board import Board
from ecosim.manufacturing.facts.bulletins import Bulletins
from ecosim.manufacturing.facts.clauses import clause_faults
from ecosim.manufacturing.facts.company import Adoption, Entry, Finance
from ecosim.manufacturing.facts.contracts import Contracts
from ecosim.manufacturing.facts.demand import Demand
from ecosim.manufacturing.facts.equipment import Equipment
from ecosim.manufacturing.facts.exogenous import Exogenous
from ecosim.manufacturing.facts.firms import Allocation, Firms, Item, Unmet
from ecosim.manufacturing.facts.forecaster import Forecaster
from ecosim.manufacturing.facts.negotiation import Negotiation
from ecosim.manufacturing.facts.oracle import not_understood
from ecosim.manufacturing.facts.policies import Policy
from ecosim.manufacturing.facts.shocks import Shock, late_faults, shock_faults
from ecosim.manufacturing.facts.spot import Spot
from ecosim.manufacturing.facts.table import BargainingTable
from ecosim.manufacturing.facts.terms import Perish, Terms
from ecosim.manufacturing.facts.transport import Transport
from ecosim.manufacturing.roads import road_faults
from ecosim.scenario import Amount, Count, Scenario, Share, Whole

PhaseName = Literal[
    "enter", "shock", "wear", "arrive", "receive", "read", "forecast", "demand", "replenish", "order", "quote",
    "negotiate", "bargain", "sign", "spot", "maintain", "produce", "perform", "dispatch", "ship", "fulfil", "breach",
    "perish", "charge", "settle", "adopt", "publish",
]  # fmt: skip
WEEK: tuple[PhaseName, ...] = (
    "enter", "shock", "wear", "arrive", "receive", "read", "forecast", "demand", "replenish", "quote", "negotiate",
    "bargain", "sign", "spot", "maintain", "produce", "perform", "dispatch", "ship", "fulfil", "breach", "perish",
    "charge", "settle", "adopt", "publish",
)  # fmt: skip
"""The usual order of a week; of the phases in NEEDS, a week has those whose key the scenario has."""
NEEDS: dict[PhaseName, str] = {
    "enter": "entry", "shock": "shocks", "wear": "equipment", "receive": "exogenous", "read": "bulletins",
    "forecast": "forecaster", "bargain": "table", "sign": "contracts", "spot": "spot", "maintain": "equipment",
    "perform": "contracts", "dispatch": "transport", "fulfil": "exogenous", "breach": "contracts", "perish": "perish",
    "settle": "finance", "adopt": "adoption", "publish": "board",
}  # fmt: skip
"""Phases that do nothing without a key of the scenario, and that key."""


class ManufacturingScenario(Scenario):
    """The facts of a supply network.

    Attributes:
        items: kinds of goods, by name.
        firms: groups of like firms, numbered through in this order.
        demand: what consumers want of each firm that sells to them, each week.
        negotiation: how buyers and sellers talk.
        transport: places, lanes and vehicles; without it goods take `lead_time_weeks` and cost nothing to move.
        oracle: whether the KPIs compare what firms earn with a plan of perfect information; a fraction of a second
            for each world seed.
        lead_time_weeks: weeks from shipping until goods arrive.
        order_weeks: weeks until a partner sees an order (`order` only).
        late_penalty_share: share of a delivery's value that the seller pays the buyer for each week late.
        first_forecast_units: what every position expects a week, by item, before it has seen any demand.
        finance: credit, interest and insolvency; firms can owe any amount without it.
        entry: on which terms firms come and go; all are there from the start to the end without it.
        adoption: which minds firms may choose, and what they cost; seats stay as they are without it.
        max_order_units: the largest order, or production, that a firm can ask for in a week.
        unmet: whether demand that is not met at once is owed (`backlog`), or `lost`: consumers go away, and with
            `order` what a partner cannot ship is struck off.
        allocation: how a firm shares stock that is too little among firms: those `first_due` first, `proportional` to
            what is open, or by their `priority`; consumers are served before firms as the phases stand.
        charge_transit: whether goods on the way between firms cost their sender its holding cost.
        policies: what planners keep to, by firm or group of firms.
        equipment: the machines of makers, which wear, fail, and are repaired and maintained.
        shocks: what happens to firms and goods from outside, at set weeks or by chance.
        board: what the market publishes at the end of a week: prices, reputations, reports.
        bulletins: news as text about makers, some of it false, and what happens to them.
        forecaster: who forecasts the demand of firms that subscribe.
        table: what pairs of firms bargain over, several issues at once; the plain market has no such table.
        contracts: what becomes of contracts that are not kept; without it all are kept, however late.
        spot: the market of last resort.
        terms: wholesale price, buyback and revenue share of partners, by item (`order` only).
        perish: goods that do not keep.
        exogenous: contracts with the outside world.
        phases: what happens in a week, in order; by default the usual week with what the scenario has.
    """

    items: dict[str, Item] = Field(min_length=1)
    firms: list[Firms] = Field(min_length=1)
    demand: Demand = Demand(kind="step", mean_units=0)
    negotiation: Negotiation = Negotiation()
    transport: Transport | None = None
    oracle: bool = False
    lead_time_weeks: Whole = 1
    order_weeks: Whole = 0
    late_penalty_share: Share = 0.0
    first_forecast_units: dict[str, Amount] = Field(default_factory=dict)
    finance: Finance | None = None
    entry: Entry | None = None
    adoption: Adoption | None = None
    max_order_units: Count = 200
    unmet: Unmet = "backlog"
    allocation: Allocation = "first_due"
    charge_transit: bool = False
    policies: dict[str, Policy] | None = None
    equipment: Equipment | None = None
    shocks: list[Shock] | None = None
    board: Board | None = None
    bulletins: Bulletins | None = None
    forecaster: Forecaster | None = None
    table: BargainingTable | None = None
    contracts: Contracts | None = None
    spot: Spot | None = None
    terms: dict[str, Terms] | None = None
    perish: Perish | None = None
    exogenous: Exogenous | None = None
    phases: list[PhaseName] = Field(default_factory=list)

    @model_validator(mode="after")
    def _has_a_week(self) -> Self:
        if not self.phases:
            usual = [name for name in WEEK if name not in NEEDS or getattr(self, NEEDS[name]) is not None]
            object.__setattr__(self, "phases", usual)
        return self

    @model_validator(mode="after")
    def _network_makes_sense(self) -> Self:
        faults = [
            *_item_faults(self.items),
            *_firm_faults(self),
            *_phase_faults(self),
            *company.faults(self),
            *wiring.faults(self),
            *_equipment_faults(self),
            *clause_faults(self),
        ]
        if not faults:  # whom shocks concern is looked up by name: only where names are right
            faults = shock_faults(self.shocks or [], self.firms, self.items)
        faults += road_faults(self, is_sound=not faults)
        faults += not_understood(self) if self.oracle else []
        if faults:
            raise ValueError("\n".join(faults))
        return self

    def late(self) -> list[str]:
        """What comes after the last week."""
        return [*company.late(self), *late_faults(self.shocks or [], self.steps)]

    def file_faults(self) -> list[str]:
        """What is wrong with the files that the scenario names."""
        return series.faults(self)


def _item_faults(items: dict[str, Item]) -> list[str]:
    faults = [
        f"items.{name}.bom: unknown item {part!r}; known: {', '.join(items)}"
        for name, item in items.items()
        for part in item.bom
        if part not in items
    ]
    return faults or [f"items.{name}.bom: {name!r} would be made of itself" for name in _loop(items)]


def _loop(items: dict[str, Item]) -> list[str]:
    """Items that go, directly or through others, into themselves: those of one such loop, in their order."""
    try:
        TopologicalSorter({name: item.bom for name, item in items.items()}).prepare()
    except CycleError as error:
        found = set(error.args[1])
        return [name for name in items if name in found]
    return []


def _firm_faults(scenario: ManufacturingScenario) -> list[str]:
    faults: list[str] = []
    groups = {firms.name: firms for firms in scenario.firms}
    if len(groups) < len(scenario.firms):
        faults.append("firms: two groups have the same name")
    known = ", ".join(scenario.items)
    sold = {f.sells for f in scenario.firms if f.role != "distributor" or "order" in scenario.phases}
    outside = scenario.exogenous or Exogenous.model_construct()
    sold |= {contract.item for contract in outside.supplies}
    for i, firms in enumerate(scenario.firms):
        place = f"firms[{i}] ({firms.name})"
        if firms.sells not in scenario.items:
            faults.append(f"{place}.sells: unknown item {firms.sells!r}; known: {known}")
            continue
        faults += [
            f"{place}.stock_units: unknown item {n!r}; known: {known}"
            for n in firms.stock_units
            if n not in scenario.items
        ]
        bom = scenario.items[firms.sells].bom
        if firms.role != "distributor" and firms.capacity_units == 0 and "produce" in scenario.phases:
            faults.append(f"{place}.capacity_units: a {firms.role} makes what it sells and needs a capacity above 0")
        if firms.role == "supplier" and bom:
            faults.append(f"{place}.sells: a supplier makes raw goods, but {firms.sells!r} has a bill of materials")
        if firms.role == "distributor" and firms.capacity_units:
            faults.append(f"{place}.capacity_units: a distributor makes nothing; leave it out")
        needs = [firms.sells] if firms.role == "distributor" else list(bom)
        faults += [f"{place}: nobody makes {need!r}, which it needs" for need in needs if need not in sold]
    for name in scenario.first_forecast_units:
        if name not in scenario.items:
            faults.append(f"first_forecast_units: unknown item {name!r}; known: {known}")
    has_demand = "demand" in scenario.phases
    if has_demand and "demand" not in scenario.model_fields_set:
        faults.append("demand: missing; this key is required")
    if has_demand and not outside.sales and not any(firms.demand == "consumers" for firms in scenario.firms):
        faults.append("firms: nobody sells to consumers; give at least one group 'demand: consumers'")
    return faults


def _equipment_faults(scenario: ManufacturingScenario) -> list[str]:
    if scenario.equipment is None:
        return []
    roles = {firms.name: firms.role for firms in scenario.firms}
    if all(role == "distributor" for role in roles.values()):
        return ["equipment: nobody makes anything here; leave it out, or add a supplier or manufacturer"]
    faults = []
    for i, name in enumerate(scenario.equipment.firms):
        if name not in roles:
            faults.append(f"equipment.firms[{i}]: unknown firm {name!r}; known: {', '.join(roles)}")
        elif roles[name] == "distributor":
            faults.append(f"equipment.firms[{i}]: {name!r} is a distributor, which has no machines; leave it out")
    return faults


def _phase_faults(scenario: ManufacturingScenario) -> list[str]:
    phases = scenario.phases
    faults = [] if len(set(phases)) == len(phases) else ["phases: a phase is listed twice"]
    if ("quote" in phases) != ("negotiate" in phases):
        faults.append("phases: 'quote' and 'negotiate' need each other")
    if "order" in phases and "quote" in phases:
        faults.append("phases: goods are bought either by 'order' or by 'quote' and 'negotiate'")
    roles = {firms.role for firms in scenario.firms}
    if "bargain" in phases and len(roles) < 2:
        faults.append(
            f"phases: 'bargain' needs a buyer opposite each seller, but all firms are {roles.pop()}s; add another role"
        )
    lacking = [name for name in phases if name in NEEDS and getattr(scenario, NEEDS[name]) is None]
    faults += [f"phases: {name!r} does nothing without the key '{NEEDS[name]}'; add it" for name in lacking]
    return faults
