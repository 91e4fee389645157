"""A serial chain with echelon base-stocks: levels by the solver, and their cost through the weekly phases."""

from __future__ import annotations

import numpy as np

from ecosim import api
from ecosim.explore import Run
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.rules.inventory import echelon_base_stocks, local_levels
from ecosim.scenario import build
from ecosim.validate.cases import Case, Figure, estimated, within

GRAIN = 100
"""Our units in one of the textbook's."""
PLENTY = 10**9
LEADS, HOLDING, SHORTAGE, MEAN, SD = (1, 1, 2), (7, 4, 2), 37.12, 5, 1
"""Stage 1, next to the customer, first."""
LEVELS = (6.49, 12.02, 22.71)
"""Echelon base-stock levels as published."""
PARTS = {"on hand": 13.16, "backorder": 4.50, "in transit": 30.00}
COST = 47.66
WEEK = ("arrive", "demand", "replenish", "order", "ship", "charge")
"""Demand is seen, then everyone orders, then goods leave: a lead time of L covers L weeks."""


def serial(levels: tuple[float, ...] = LEVELS, seeds: int = 500, weeks: int = 100) -> ManufacturingScenario:
    """Three stages that buy from each other, and a source that never runs dry."""
    names = ("stage_1", "stage_2", "stage_3", "source")
    start = [round(level * GRAIN) for level in local_levels(levels)]
    stages = [
        {
            "name": names[j], "role": "distributor", "sells": "good", "partner": names[j + 1],
            "demand": "firms" if j else "consumers", "lead_time_weeks": LEADS[j], "stock_units": {"good": start[j]},
            "holding_cost_eur": HOLDING[j] / GRAIN, "backlog_cost_eur": 0.0 if j else SHORTAGE / GRAIN,
        }
        for j in range(3)
    ]  # fmt: skip
    source = {
        "name": "source",
        "role": "supplier",
        "sells": "good",
        "capacity_units": 1,
        "stock_units": {"good": PLENTY},
    }
    data = {
        "world": "manufacturing", "title": "a serial chain", "steps": weeks, "seeds": seeds, "items": {"good": {}},
        "firms": [*stages, source], "demand": {"kind": "normal", "mean_units": MEAN * GRAIN, "sd_units": SD * GRAIN},
        "first_forecast_units": {"good": MEAN * GRAIN}, "max_order_units": PLENTY, "charge_transit": True,
        "policies": {
            names[j]: {"kind": "echelon_base_stock", "level_units": round(levels[j] * GRAIN)} for j in range(3)
        },
        "phases": list(WEEK),
    }  # fmt: skip
    return build(ManufacturingScenario, data, place="validate")


def costs(run: Run, weeks: int, warm: int = 10) -> dict[str, np.ndarray]:
    """What each replica pays a week, by what for, $; without the first weeks."""
    stocks, transit = run.events("stocks"), run.events("transit")
    kinds = {
        "on hand": (stocks, "holding_cost"),
        "backorder": (stocks, "backlog_cost"),
        "in transit": (transit, "cost"),
    }
    found = {}
    for name, (frame, column) in kinds.items():
        late = frame[frame["step"] > warm]
        paid = late.groupby("replica")[column].sum().reindex(range(run.scenario.seeds), fill_value=0)
        found[name] = paid.to_numpy(float) / (weeks - warm)
    return found


def through_phases(seeds: int = 500, weeks: int = 100) -> list[Figure]:
    """The mean cost a week and its three parts, through the phases."""
    scenario = serial(seeds=seeds, weeks=weeks)
    run = api.run(scenario, minds={"supplier.replenish": _nothing})
    found = costs(run, weeks)
    figures = [estimated(f"{name}, mean cost a week", found[name], target, "$") for name, target in PARTS.items()]
    return [estimated("mean cost a week", np.sum(list(found.values()), axis=0), COST, "$"), *figures]


def solved() -> list[Figure]:
    """Levels and cost from the solver."""
    found = echelon_base_stocks(LEADS, HOLDING, SHORTAGE, MEAN, SD)
    last_digit = "last digit given"
    levels = [
        within(f"echelon base-stock of stage {j + 1}", level, target, 0.005, last_digit)
        for j, (level, target) in enumerate(zip(found.levels, LEVELS, strict=True))
    ]
    return [*levels, within("mean cost a period", found.cost, COST, 0.005, last_digit, "$")]


def _nothing(question: object) -> dict[str, np.ndarray]:
    return {"quantity": np.zeros(question.num_rows, np.int64)}  # type: ignore[attr-defined]  # a Question


SNYDER = "Snyder & Shen, Fundamentals of Supply Chain Theory, example 6.1"

CASES = (
    Case(
        name="serial_chain",
        part="manufacturing",
        kind="V1",
        shows="a chain of three stocks with echelon base-stocks costs what theory says, in stock, owed and on the way",
        source=SNYDER,
        method="500 replicas × 100 weeks (10 to warm up) of arrive, demand, replenish, order, ship, charge; policies "
        f"echelon_base_stock {', '.join(map(str, LEVELS))}; goods on the way at their sender's rate (charge_transit)",
        compute=through_phases,
    ),
    Case(
        name="serial_levels",
        part="manufacturing",
        kind="V1",
        shows="the solver finds the echelon base-stock levels of the textbook and their cost",
        source=SNYDER,
        method="Clark & Scarf's recursion on a grid of a hundredth of a deviation",
        compute=solved,
    ),
)
