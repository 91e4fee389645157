"""What a manufacturing scenario may say: items, firms, demand, terms. All checks that need only the file are here."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ecosim.scenario import Amount, Count, Facts, Scenario, Share, Whole

Role = Literal["supplier", "manufacturer", "distributor"]
PhaseName = Literal["arrive", "demand", "replenish", "order", "quote", "negotiate", "produce", "ship", "charge"]
MARKET: tuple[PhaseName, ...] = (
    "arrive", "demand", "replenish", "quote", "negotiate", "produce", "ship", "charge",
)  # fmt: skip


class Item(Facts):
    """A kind of goods.

    Attributes:
        bom: how many whole units of other items go into one unit (bill of materials); empty for raw goods.
        make_cost_eur: cost of making one unit, beside its materials.
        value_eur: what one unit is worth to a buyer on average; private values scatter around it.
        holding_cost_eur: cost of holding one unit for a week.
        backlog_cost_eur: cost of owing one unit for a week after it was due.
    """

    bom: dict[str, Count] = Field(default_factory=dict)
    make_cost_eur: Amount = 0.0
    value_eur: Amount = 0.0
    holding_cost_eur: Amount = 0.0
    backlog_cost_eur: Amount = 0.0


class Firms(Facts):
    """A group of like firms.

    Attributes:
        name: of the group; a single firm has the group's name, several are numbered from 1.
        role: suppliers and manufacturers make what they sell, distributors buy it.
        sells: the item that each of them sells.
        count: how many firms are in the group.
        capacity_units: how much it can make a week; required of makers.
        make_weeks: weeks from the start of production until goods are in stock.
        stock_units: goods in stock before week 1, by item.
        arriving_units: goods that will arrive in weeks 1, 2, …, already paid for.
        cash_eur: cash before week 1.
        partner: the one firm that it buys from; needed where `order` replaces negotiation.
        demand: "consumers" if consumers buy from it, else "firms".
    """

    name: str
    role: Role
    sells: str
    count: Count = 1
    capacity_units: Whole = 0
    make_weeks: Whole = 0
    stock_units: dict[str, Whole] = Field(default_factory=dict)
    arriving_units: list[Whole] = Field(default_factory=list)
    cash_eur: Amount = 0.0
    partner: str | None = None
    demand: Literal["firms", "consumers"] = "firms"


class Demand(Facts):
    """What consumers want of each firm that sells to them, each week, in whole units.

    Attributes:
        kind: `normal` is rounded and never below 0; `poisson` has a mean up to 500; `step` is without chance.
        mean_units: mean of a week; of a step, what is wanted before `step_week`.
        sd_units: standard deviation of a week (`normal` only).
        step_week: the first week of `step_units` (`step` only); 0: from the start.
        step_units: what is wanted from `step_week` on (`step` only).
        price_eur: what consumers pay for a unit.
    """

    kind: Literal["normal", "poisson", "step"]
    mean_units: Amount
    sd_units: Amount = 0.0
    step_week: Whole = 0
    step_units: Amount = 0.0
    price_eur: Amount = 0.0

    @model_validator(mode="after")
    def _poisson_is_small(self) -> Self:
        if self.kind == "poisson" and self.mean_units > 500:
            raise ValueError(f"a Poisson mean_units is at most 500 (use kind: normal), got {self.mean_units}")
        return self


class Negotiation(Facts):
    """How buyers and sellers talk.

    Attributes:
        requests: how many sellers a buyer asks for each need in a week.
        candidates: how many sellers it chooses among.
        min_rounds: the shortest private deadline; both sides move once a round.
        max_rounds: the longest private deadline; deadlines are drawn evenly from `min_rounds … max_rounds`.
        private_spread: private limits scatter by up to this share around value (buyers) and unit cost (sellers).
        late_weeks: how many weeks after the earliest possible one a delivery may be agreed.
    """

    requests: Count = 2
    candidates: Annotated[int, Field(ge=1, le=8)] = 6
    min_rounds: Count = 4
    max_rounds: Count = 10
    private_spread: Share = 0.1
    late_weeks: Whole = 3

    @model_validator(mode="after")
    def _rounds_in_order(self) -> Self:
        if self.min_rounds > self.max_rounds:
            raise ValueError(f"min_rounds ({self.min_rounds}) must not be above max_rounds ({self.max_rounds})")
        return self


class ManufacturingScenario(Scenario):
    """The facts of a supply network.

    Attributes:
        items: kinds of goods, by name.
        firms: groups of like firms, numbered through in this order.
        demand: what consumers want of each firm that sells to them, each week.
        negotiation: how buyers and sellers talk.
        lead_time_weeks: weeks from shipping until goods arrive.
        order_weeks: weeks until a partner sees an order (`order` only).
        late_penalty_share: share of a delivery's value that the seller pays the buyer for each week late.
        first_forecast_units: what every position expects a week, by item, before it has seen any demand.
        max_order_units: the largest order, or production, that a firm can ask for in a week.
        phases: what happens in a week, in order.
    """

    items: dict[str, Item] = Field(min_length=1)
    firms: list[Firms] = Field(min_length=1)
    demand: Demand
    negotiation: Negotiation = Negotiation()
    lead_time_weeks: Whole = 1
    order_weeks: Whole = 0
    late_penalty_share: Share = 0.0
    first_forecast_units: dict[str, Amount] = Field(default_factory=dict)
    max_order_units: Count = 200
    phases: list[PhaseName] = Field(default=list(MARKET), min_length=1)

    @model_validator(mode="after")
    def _network_makes_sense(self) -> Self:
        faults = [*_item_faults(self.items), *_firm_faults(self), *_phase_faults(self)]
        if faults:
            raise ValueError("\n".join(faults))
        return self


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
        if firms.role != "distributor" and firms.capacity_units == 0:
            faults.append(f"{place}.capacity_units: a {firms.role} makes what it sells and needs a capacity above 0")
        if firms.role == "supplier" and bom:
            faults.append(f"{place}.sells: a supplier makes raw goods, but {firms.sells!r} has a bill of materials")
        if firms.role == "distributor" and firms.capacity_units:
            faults.append(f"{place}.capacity_units: a distributor makes nothing; leave it out")
        if firms.partner is not None and firms.partner not in groups:
            faults.append(f"{place}.partner: unknown firm {firms.partner!r}; known: {', '.join(groups)}")
        needs = [firms.sells] if firms.role == "distributor" else list(bom)
        if "order" in scenario.phases and needs and firms.partner is None:
            faults.append(
                f"{place}.partner: needed, because the phase 'order' buys from one partner without negotiation"
            )
        faults += [f"{place}: nobody makes {need!r}, which it needs" for need in needs if need not in sold]
    for name in scenario.first_forecast_units:
        if name not in scenario.items:
            faults.append(f"first_forecast_units: unknown item {name!r}; known: {known}")
    if not any(firms.demand == "consumers" for firms in scenario.firms):
        faults.append("firms: nobody sells to consumers; give at least one group 'demand: consumers'")
    return faults


def _phase_faults(scenario: ManufacturingScenario) -> list[str]:
    phases = scenario.phases
    faults = [] if len(set(phases)) == len(phases) else ["phases: a phase is listed twice"]
    if ("quote" in phases) != ("negotiate" in phases):
        faults.append("phases: 'quote' and 'negotiate' need each other")
    if "order" in phases and "quote" in phases:
        faults.append("phases: goods are bought either by 'order' or by 'quote' and 'negotiate'")
    return faults
