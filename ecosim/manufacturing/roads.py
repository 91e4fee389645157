"""The transport network of a scenario as arrays: where every firm is, and what the lane between two places is like.

Lanes that the file gives come first; where vehicles go instead, a lane follows from the distance of the places.
Distances are whole metres, from coordinates by + − × and √, so they have the same bits everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ecosim.exact import MILLION, micro
from ecosim.fields import Array
from ecosim.manufacturing import wiring
from ecosim.manufacturing.facts.transport import Lane, Transport, Vehicles

if TYPE_CHECKING:
    from ecosim.manufacturing.scenario import ManufacturingScenario

NO_LANE = -1
NO_EXPRESS = -1
UNLIMITED = 10**15
"""A billion units, in millionths: from here on a capacity is no limit."""
METRES_PER_KM = 1000


@dataclass(frozen=True, slots=True)
class Roads:
    """The lanes of a replica.

    Attributes:
        place: of each member, a place by number.
        lane: the lane between two places, by number, shape (places, places); NO_LANE where there is none.
        metres: between places, int64 (places, places); 0 without coordinates.
        origin, destination: places, by lane; all that follows is by lane too.
        weeks, express_weeks: transit; NO_EXPRESS where there is none.
        capacity: units/1e6 a week; of vehicles, what the fleet of one firm holds.
        load: units/1e6 that one shipment holds; UNLIMITED without a limit.
        shipment, unit: cost in EUR/1e6 of a shipment, and of a unit; of vehicles, of a round to this customer alone.
        factor: express cost over ordinary cost, in millionths.
        delay_chance, delay_weeks: of what leaves in a week.
        by_vehicle: whether rounds of vehicles serve it.
        names: of the places.
    """

    place: Array
    lane: Array
    metres: Array
    origin: Array
    destination: Array
    weeks: Array
    express_weeks: Array
    capacity: Array
    load: Array
    shipment: Array
    unit: Array
    factor: Array
    delay_chance: Array
    delay_weeks: Array
    by_vehicle: Array
    names: tuple[str, ...]

    @property
    def num_lanes(self) -> int:
        """Lanes in a replica."""
        return len(self.origin)

    def between(self, seller: Array, buyer: Array) -> Array:
        """The lane from a seller to a buyer, by number."""
        return self.lane[self.place[seller], self.place[buyer]]

    @property
    def transit(self) -> Array:
        """Weeks between places, (places, places); 0 where nobody ever goes."""
        return np.where(self.lane == NO_LANE, 0, self.weeks[self.lane])


def roads(scenario: ManufacturingScenario, facts: Transport) -> Roads:
    """The network that a scenario describes; the scenario has no faults."""
    names = tuple(facts.places)
    numbers = {name: i for i, name in enumerate(names)}
    metres = _metres(facts)
    found = [(numbers[lane.origin], numbers[lane.destination], lane) for lane in facts.lanes]
    given = {(origin, destination) for origin, destination, _ in found}
    ways: list[tuple[int, int, Lane | Vehicles]] = list(found)
    if facts.vehicles is not None:
        needed = sorted({(numbers[a], numbers[b]) for _, a, _, b in partners(scenario, facts)} - given)
        ways += [(origin, destination, facts.vehicles) for origin, destination in needed]
    lane = np.full((len(names), len(names)), NO_LANE)
    for i, (origin, destination, _) in enumerate(ways):
        lane[origin, destination] = i
    at = _place_of(facts)
    columns = [_column(way, int(metres[origin, destination])) for origin, destination, way in ways]
    return Roads(
        place=np.array([numbers[at.get(name, at.get(firms.name, ""))] for name, firms in wiring.firm_names(scenario)]),
        lane=lane,
        metres=metres,
        origin=np.array([origin for origin, _, _ in ways], np.int64),
        destination=np.array([destination for _, destination, _ in ways], np.int64),
        **{name: np.array([column[name] for column in columns]) for name in columns[0]},
        names=names,
    )


def _column(way: Lane | Vehicles, metres: int) -> dict[str, float]:
    """What a lane is like, by the names of `Roads`."""
    common = {
        "express_weeks": NO_EXPRESS if way.express_weeks is None else way.express_weeks,
        "factor": micro(way.express_factor),
        "delay_chance": way.delay_chance,
        "delay_weeks": way.delay_weeks,
    }
    if isinstance(way, Vehicles):
        reach = round(way.km_per_week * METRES_PER_KM)
        return common | {
            "weeks": max(1, -(-metres // max(reach, 1))),
            "capacity": way.count * way.capacity_units * MILLION,
            "load": way.capacity_units * MILLION,
            "shipment": driving_cost(way, 2 * metres) + micro(way.vehicle_eur),
            "unit": 0,
            "by_vehicle": True,
        }
    return common | {
        "weeks": way.weeks,
        "capacity": UNLIMITED if way.capacity_units is None else way.capacity_units * MILLION,
        "load": UNLIMITED if way.load_units is None else way.load_units * MILLION,
        "shipment": micro(way.shipment_eur),
        "unit": micro(way.unit_eur),
        "by_vehicle": False,
    }


def driving_cost(vehicles: Vehicles, metres: int) -> int:
    """Of so many metres, EUR/1e6, rounded down."""
    return micro(vehicles.eur_per_km) * metres // METRES_PER_KM


def partners(scenario: ManufacturingScenario, facts: Transport) -> Iterator[tuple[str, str, str, str]]:
    """Who may ship to whom: seller, its place, buyer, its place; one pair of firms for each pair of places and item."""
    at = _place_of(facts)
    every = [(name, at.get(name, at.get(firms.name, "")), firms) for name, firms in wiring.firm_names(scenario)]
    if "order" in scenario.phases:
        number = wiring.numbers(scenario)
        for buyer, there, firms in every:
            for item in wiring.needs(scenario, firms):
                seller, place, _ = every[number[str(wiring.partner_name(firms, item))]]
                yield seller, place, buyer, there
        return
    sources: dict[str, dict[str, str]] = {}  # by item, a seller at each place that has one
    targets: dict[str, dict[str, str]] = {}
    for name, place, firms in every:
        if firms.role != "distributor":
            sources.setdefault(firms.sells, {}).setdefault(place, name)
        for item in wiring.needs(scenario, firms):
            targets.setdefault(item, {}).setdefault(place, name)
    for item, buyers in targets.items():
        for place, seller in sources.get(item, {}).items():
            yield from ((seller, place, buyer, there) for there, buyer in buyers.items())


def _place_of(facts: Transport) -> dict[str, str]:
    """The place of each firm or group that a place names."""
    return {who: name for name, place in facts.places.items() for who in place.firms}


def _metres(facts: Transport) -> Array:
    x, y = (
        np.array([micro(getattr(place, name) or 0.0) / MILLION for place in facts.places.values()])
        for name in ("x_km", "y_km")
    )
    dx, dy = x[:, None] - x, y[:, None] - y
    return np.rint(np.sqrt(dx * dx + dy * dy) * METRES_PER_KM).astype(np.int64)


def road_faults(scenario: ManufacturingScenario, is_sound: bool) -> list[str]:
    """What is wrong with the transport network of a scenario, all of it; partners are known where the rest is sound."""
    facts = scenario.transport
    if facts is None:
        return []
    faults = [*_place_faults(scenario, facts), *_lane_faults(facts)]
    if scenario.lead_time_weeks != type(scenario).model_fields["lead_time_weeks"].default:
        weeks = scenario.lead_time_weeks
        faults.append(f"lead_time_weeks: {weeks}, but transit times come from 'transport'; leave it out")
    faults += [
        f"firms[{i}] ({firms.name}).lead_time_weeks: {firms.lead_time_weeks}, but transit times come from 'transport'; "
        "leave it out"
        for i, firms in enumerate(scenario.firms)
        if firms.lead_time_weeks is not None
    ]
    for one, other in (("dispatch", "ship"), ("ship", "dispatch")):
        if one in scenario.phases and other not in scenario.phases:
            faults.append(f"phases: with 'transport', {one!r} needs {other!r}")
    phases = scenario.phases
    if "dispatch" in phases and "ship" in phases and phases.index("dispatch") > phases.index("ship"):
        faults.append("phases: 'dispatch' says what 'ship' may take along; put it before 'ship'")
    return faults if faults or not is_sound else _missing_lanes(scenario, facts)


def _place_faults(scenario: ManufacturingScenario, facts: Transport) -> list[str]:
    groups = {firms.name: firms.count for firms in scenario.firms}
    singles = {name for name, _ in wiring.firm_names(scenario)}
    faults = []
    times: Counter[str] = Counter()
    for name, place in facts.places.items():
        for who in place.firms:
            if who not in groups and who not in singles:
                faults.append(f"transport.places.{name}.firms: unknown firm {who!r}; known: {', '.join(groups)}")
            times[who] += 1
        if facts.vehicles is not None and place.x_km is None:
            faults.append(f"transport.places.{name}: vehicles need x_km and y_km; give both")
    for single, firms in wiring.firm_names(scenario):
        count = times[firms.name] + (times[single] if single != firms.name else 0)
        if count != 1:
            found = "at no place; name it, or its group, at one" if count == 0 else f"at {count} places; name it once"
            faults.append(f"transport.places: {single} is {found}")
    return faults


def _lane_faults(facts: Transport) -> list[str]:
    known = ", ".join(facts.places)
    faults = []
    seen: set[tuple[str, str]] = set()
    for i, lane in enumerate(facts.lanes):
        for end in ("origin", "destination"):
            name = getattr(lane, end)
            if name not in facts.places:
                faults.append(f"transport.lanes[{i}].{end}: unknown place {name!r}; known: {known}")
        if (lane.origin, lane.destination) in seen:
            faults.append(f"transport.lanes[{i}]: a second lane from {lane.origin!r} to {lane.destination!r}; keep one")
        seen.add((lane.origin, lane.destination))
    return faults


def _missing_lanes(scenario: ManufacturingScenario, facts: Transport) -> list[str]:
    if facts.vehicles is not None:
        return []
    given = {(lane.origin, lane.destination) for lane in facts.lanes}
    missing = {(a, b): f"{s} ships to {c}" for s, a, c, b in partners(scenario, facts) if (a, b) not in given}
    return [
        f"transport.lanes: no lane from {a!r} to {b!r}, where {why}; add it, or vehicles"
        for (a, b), why in missing.items()
    ]
