"""What interventions may change in a supply network: capacity, production time, demand, price, cash and stock."""

from __future__ import annotations

from ecosim.exact import MILLION
from ecosim.levers import Lever
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import NOBODY, ROLES, Layout

MOST_WEEKS = 520


def levers(scenario: ManufacturingScenario, net: Layout) -> list[Lever]:
    """The levers of firms, their cash and their stock."""
    is_maker = net.role != ROLES.index("distributor")
    found = [
        Lever(
            table="firms",
            name="capacity_units",
            column="capacity",
            unit="units/week",
            about="how much a maker can make a week; goods that are begun are finished",
            per_unit=MILLION,
            step=MILLION,
            rows=is_maker,
        ),
        Lever(
            table="firms",
            name="make_weeks",
            unit="weeks",
            about="from the start of production until goods are in stock, for what is begun from now on",
            high=MOST_WEEKS,
            rows=is_maker,
        ),
        Lever(
            table="firms",
            name="demand_factor",
            unit="",
            about="times what consumers would want of the firm in ordinary times, rounded to whole units; 1 at first",
            high=1000,
            rows=net.to_consumers,
            is_exogenous=True,
        ),
        Lever(
            table="firms",
            name="price_eur",
            column="price",
            unit="EUR/unit",
            about="what consumers pay the firm",
            per_unit=MILLION,
            rows=net.to_consumers,
        ),
        Lever(
            table="accounts",
            name="cash",
            unit="EUR",
            about="cash of a firm; it is counted, and no scripted mind decides by it",
            per_unit=MILLION,
        ),
    ]
    found += [
        Lever(
            table="accounts",
            name=item,
            unit="units",
            about=f"stock of {item}, of firms that handle it",
            per_unit=MILLION,
            step=MILLION,
            rows=net.position[:, i] != NOBODY,
        )
        for i, item in enumerate(net.items)
    ]
    return found
