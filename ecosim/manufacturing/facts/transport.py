"""How goods get from firm to firm: places, the lanes between them, and vehicles that make rounds."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from ecosim.scenario import MOST, Amount, Count, Facts, Number, Share, Whole

Above = Annotated[float, Field(gt=0, le=MOST, allow_inf_nan=False)]
Factor = Annotated[float, Field(ge=1, le=1000, allow_inf_nan=False)]


class Place(Facts):
    """A node of the transport network.

    Attributes:
        firms: who is here: groups by name, or single firms of a group (`shop_3`).
        x_km: east of some origin; needed where vehicles go.
        y_km: north of it; needed where vehicles go.
    """

    firms: list[str] = Field(min_length=1)
    x_km: Number | None = None
    y_km: Number | None = None

    @model_validator(mode="after")
    def _has_both_coordinates(self) -> Self:
        if (self.x_km is None) != (self.y_km is None):
            raise ValueError("has one of x_km and y_km; give both, or neither")
        return self


class Lane(Facts):
    """The way from one place to another; it goes one way.

    Attributes:
        origin: the place where goods leave.
        destination: the place where they arrive; it may be the origin itself.
        weeks: from leaving to arriving.
        capacity_units: what it can carry a week, of all who ship by it; no limit by default.
        load_units: what one shipment holds; a larger load is several. No limit by default.
        shipment_eur: cost of each shipment, however full.
        unit_eur: cost of each unit.
        delay_chance: how likely it is that whatever leaves in a week comes late.
        delay_weeks: how much later it comes then.
        express_weeks: the same way, faster and outside the capacity; not to be had by default.
        express_factor: times the cost of an ordinary shipment.
    """

    origin: str
    destination: str
    weeks: Whole
    capacity_units: Count | None = None
    load_units: Count | None = None
    shipment_eur: Amount = 0.0
    unit_eur: Amount = 0.0
    delay_chance: Share = 0.0
    delay_weeks: Count = 1
    express_weeks: Whole | None = None
    express_factor: Factor = 2.0

    @model_validator(mode="after")
    def _express_is_faster(self) -> Self:
        if self.express_weeks is not None and self.express_weeks >= self.weeks:
            raise ValueError(f"express_weeks ({self.express_weeks}) must be below weeks ({self.weeks})")
        return self


class Vehicles(Facts):
    """The fleet of every firm that ships where no lane is given: it makes rounds of its customers.

    A week's loads of a firm are planned as rounds that start and end at its place. The way to a customer takes its
    distance ÷ `km_per_week`, rounded up, at least a week; rounds are planned so that nobody waits longer than that. A
    courier (express) drives to one customer and back.

    Attributes:
        count: how many may leave a firm in a week.
        capacity_units: what one holds.
        km_per_week: how far one gets in a week.
        eur_per_km: cost of driving.
        vehicle_eur: cost of each vehicle that leaves.
        delay_chance: how likely it is that whatever leaves one place for another in a week comes late.
        delay_weeks: how much later it comes then.
        express_weeks: weeks of a courier; not to be had by default.
        express_factor: times the cost of a vehicle that goes there and back.
        iterations: of the search for good rounds, each week.
    """

    count: Count
    capacity_units: Count
    km_per_week: Above
    eur_per_km: Amount = 0.0
    vehicle_eur: Amount = 0.0
    delay_chance: Share = 0.0
    delay_weeks: Count = 1
    express_weeks: Whole | None = None
    express_factor: Factor = 2.0
    iterations: Annotated[int, Field(ge=1, le=10_000)] = 20

    @model_validator(mode="after")
    def _express_is_faster(self) -> Self:
        if self.express_weeks is not None and self.express_weeks >= 1:
            raise ValueError(f"express_weeks ({self.express_weeks}) must be below a week, the least that a round takes")
        return self


class Transport(Facts):
    """The transport network; transit times and costs of shipments come from it, and capacities bind.

    Attributes:
        places: where firms are, by name; every firm is at one place.
        lanes: ways between places.
        vehicles: what goes where there is no lane, by the coordinates of the places.
        slack_weeks: what sellers add to the transit time when a delivery is promised: the room for holding goods until
            a load is full.
    """

    places: dict[str, Place] = Field(min_length=1)
    lanes: list[Lane] = Field(default_factory=list)
    vehicles: Vehicles | None = None
    slack_weeks: Whole = 0
