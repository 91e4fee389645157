"""Inventory theory through the weekly phases: the bullwhip of a moving average, the newsvendor, stock over a lead time.

All three have one firm that buys from a maker who always has enough. The order of the phases decides what a lead time
covers, so each case states it. Demand comes in whole units here; a hundredth of the textbook's unit is one of ours, so
that rounding does not show.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from ecosim import api
from ecosim.exact import MILLION
from ecosim.explore import Run
from ecosim.fields import Array
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.scenario import build
from ecosim.validate.cases import Case, Figure, between, estimated, near, standard_error
from ecosim.words import Answers, Expert, Question

PLENTY = 10**9
"""Units that the maker upstream has: more than is ever asked for."""

SHOP, MAKER = 0, 1
AT_THE_END = ("arrive", "demand", "charge", "replenish", "order", "ship")
"""Orders leave at the end of a week and come at the start of one: a lead time of L covers the demand of L weeks."""
AT_THE_START = ("replenish", "order", "ship", "arrive", "demand", "charge")
"""What is ordered this week is there before demand comes, if the lead time is 0."""

HISTORY = 5
"""Weeks in the moving average, p."""
MEAN = 10_000
"""Units of demand a week; twenty deviations above 0, so that orders are never below it."""

GRAIN = 100
"""Our units in one of the textbook's."""
NEWSVENDOR = {"holding": 0.18, "backlog": 0.70, "mean": 50.0, "sd": 8.0, "stock": 56.604, "cost": 1.9976}


def shop(phases: Sequence[str], mean: float, sd: float, **more: Any) -> ManufacturingScenario:
    """One firm that serves consumers and buys from a maker with plenty."""
    costs = more.pop("item", {})
    data = {
        "world": "manufacturing",
        "title": "a shop",
        "items": {"good": costs},
        "firms": [
            {"name": "shop", "role": "distributor", "sells": "good", "partner": "maker", "demand": "consumers",
             "stock_units": {"good": more.pop("stock")}},
            {"name": "maker", "role": "supplier", "sells": "good", "capacity_units": 1,
             "stock_units": {"good": PLENTY}},
        ],
        "demand": {"kind": "normal", "mean_units": mean, "sd_units": sd},
        "first_forecast_units": {"good": mean},
        "max_order_units": PLENTY,
        "phases": list(phases),
        **more,
    }  # fmt: skip
    return build(ManufacturingScenario, data, place="validate")


def open_shop(scenario: ManufacturingScenario, rule: Expert) -> Run:
    """A run with a rule in the shop; the maker makes nothing."""
    return api.run(scenario, minds={"distributor.replenish": rule, "supplier.replenish": nothing})


def nothing(question: Question) -> Answers:
    """No order."""
    return {"quantity": np.zeros(question.num_rows, np.int64)}


def position(question: Question) -> Array:
    """Inventory position: what is there and on order, less what is owed, units/1e6."""
    return question["on_hand"] + question["on_order"] - question["owed"]


# ---- the bullwhip ---------------------------------------------------------------------------------------------------


def moving_average(question: Question) -> Answers:
    """Order up to the forecast of demand over the lead time, without safety stock; the forecast is a moving average."""
    level = question["demand_history"][:, :HISTORY].sum(axis=1) * question["lead_time"] // HISTORY
    wish = np.maximum(level - position(question), 0)
    return {"quantity": (wish + MILLION // 2) // MILLION * MILLION}


def with_safety_stock(question: Question) -> Answers:
    """The same with one deviation of demand over the lead time, estimated from the same weeks, as safety stock."""
    seen, weeks = question["demand_history"][:, :HISTORY] / MILLION, question["lead_time"]
    forecast, spread = seen.mean(axis=1), seen.std(axis=1, ddof=1)
    level = forecast * weeks + spread * np.sqrt(weeks)
    return {"quantity": np.rint(np.maximum(level - position(question) / MILLION, 0)).astype(np.int64) * MILLION}


def bullwhip_bound(lead_weeks: int, seeds: int = 400, weeks: int = 60) -> list[Figure]:
    """With safety stock the ratio is at least that without, which theory gives."""
    (found,) = bullwhip(lead_weeks, seeds, weeks, with_safety_stock)
    bound = "the ratio without safety stock"
    return [between("variance of orders over demand", found.found, found.target, np.inf, np.nan, bound)]


def bullwhip(lead_weeks: int, seeds: int = 1000, weeks: int = 100, rule: Expert = moving_average) -> list[Figure]:
    """Var(orders) / Var(demand): sums of squares about the known mean, over all replicas; errors by linearisation."""
    facts = shop(
        AT_THE_END, mean=MEAN, sd=500, stock=MEAN, lead_time_weeks=lead_weeks, seeds=seeds, steps=weeks
    )  # fmt: skip
    run = open_shop(facts, rule)
    warm = HISTORY + lead_weeks + 1  # weeks in which the history before week 1 still shows
    orders, demand = run.events("orders"), run.events("demand")
    bought = _by_replica(orders[(orders["member"] == SHOP) & (orders["step"] > warm)], "quantity") - MEAN
    wanted = _by_replica(demand[demand["step"] > warm], "wanted") - MEAN
    above, below = (bought**2).mean(axis=1), (wanted**2).mean(axis=1)
    ratio = float(above.mean() / below.mean())
    error = standard_error(above - ratio * below) / float(below.mean())
    return [near("variance of orders over demand", ratio, error, round(bullwhip_ratio(lead_weeks), 3))]


def bullwhip_ratio(lead_weeks: int) -> float:
    """1 + 2L/p + 2L²/p²."""
    return 1 + 2 * lead_weeks / HISTORY + 2 * lead_weeks**2 / HISTORY**2


# ---- stock for one week, and for several ----------------------------------------------------------------------------


def base_stock(level_units: float) -> Expert:
    """Order what lifts the inventory position to a level."""
    level = round(level_units) * MILLION

    def decide(question: Question) -> Answers:
        return {"quantity": np.maximum(level - position(question), 0)}

    return decide


def newsvendor(lead_weeks: int, seeds: int = 2000, weeks: int = 60, rule: Expert | None = None) -> list[Figure]:
    """Mean cost a week, and the share of weeks without backlog, at the best stock for so many weeks of demand.

    Over L weeks demand is normal with L times the mean and √L times the deviation, so that the best stock lies as many
    deviations above the mean, and costs √L times as much.
    """
    facts, covered = NEWSVENDOR, max(lead_weeks, 1)
    level = covered * facts["mean"] + (facts["stock"] - facts["mean"]) * covered**0.5
    scenario = shop(
        AT_THE_END if lead_weeks else AT_THE_START, mean=facts["mean"] * GRAIN, sd=facts["sd"] * GRAIN,
        stock=round(level * GRAIN), lead_time_weeks=lead_weeks, seeds=seeds, steps=weeks,
        item={"holding_cost_eur": facts["holding"] / GRAIN, "backlog_cost_eur": facts["backlog"] / GRAIN},
    )  # fmt: skip
    stocks = open_shop(scenario, rule or base_stock(level * GRAIN)).events("stocks")
    mine = stocks[(stocks["member"] == SHOP) & (stocks["step"] > covered)].copy()
    mine["cost"] = mine["holding_cost"] + mine["backlog_cost"]
    mine["is_served"] = mine["backlog"] == 0
    cost, served = (_by_replica(mine, name).mean(axis=1) for name in ("cost", "is_served"))
    ratio = facts["backlog"] / (facts["backlog"] + facts["holding"])
    return [
        estimated("mean cost a week", cost, round(facts["cost"] * covered**0.5, 4), "$"),
        estimated("share of weeks without backlog", served, round(ratio, 4)),
    ]


def _by_replica(frame: Any, column: str) -> Array:
    """A column as (replicas, weeks)."""
    return frame.sort_values(["replica", "step"])[column].to_numpy(float).reshape(frame["replica"].nunique(), -1)


CHEN = "Chen, Drezner, Ryan, Simchi-Levi (2000), Management Science 46(3): 1 + 2L/p + 2L²/p²"
SNYDER = "Snyder & Shen, Fundamentals of Supply Chain Theory, example 4.3: (h + b)·σ·φ(z)"

CASES = (
    *(
        Case(
            name=f"bullwhip_lead_{lead}",
            part="manufacturing",
            kind="V1",
            shows=f"a moving average of {HISTORY} weeks amplifies orders as theory says, lead time {lead}",
            source=CHEN,
            method="1,000 replicas × 100 weeks of arrive, demand, charge, replenish, order, ship; no safety stock; "
            "demand N(10,000, 500²) units, so far from 0 that orders never are",
            compute=partial(bullwhip, lead),
        )
        for lead in (1, 2, 4)
    ),
    *(
        Case(
            name=f"bullwhip_safety_lead_{lead}",
            part="manufacturing",
            kind="V1",
            shows=f"safety stock of one deviation amplifies orders at least as much, lead time {lead}",
            source=CHEN,
            method="as bullwhip_lead, 400 replicas × 60 weeks, with a safety factor of 1 on the deviation of the last "
            f"{HISTORY} weeks",
            compute=partial(bullwhip_bound, lead),
        )
        for lead in (1, 2, 4)
    ),
    Case(
        name="newsvendor",
        part="manufacturing",
        kind="V1",
        shows="the best stock for one week of normal demand costs what theory says",
        source=SNYDER,
        method="2,000 replicas × 60 weeks of replenish, order, ship, arrive, demand, charge, without lead time; base "
        "stock 56.604; h .18, b .70, N(50, 8²)",
        compute=partial(newsvendor, 0),
    ),
    Case(
        name="base_stock_lead_4",
        part="manufacturing",
        kind="V1",
        shows="stock over a lead time of four weeks costs √4 times as much",
        source=f"{SNYDER}, with demand over L weeks N(L·50, L·8²)",
        method="2,000 replicas × 60 weeks of arrive, demand, charge, replenish, order, ship; base stock 213.208",
        compute=partial(newsvendor, 4),
    ),
)
