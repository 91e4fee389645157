"""One stock: figures by the solvers that planners use, and through the weekly phases where they carry it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ecosim import api
from ecosim.exact import MILLION
from ecosim.explore import Run
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.rules.inventory import (
    Stage,
    best_reorder,
    economic_order_quantity,
    explicit_newsvendor,
    newsvendor,
    newsvendor_with_disruptions,
    safety_stock,
    wagner_whitin,
)
from ecosim.scenario import build
from ecosim.validate.cases import Case, Figure, estimated, exactly, within
from ecosim.validate.inventory import AT_THE_START, PLENTY, nothing
from ecosim.words import Answers, Question

SNYDER = "Snyder & Shen, Fundamentals of Supply Chain Theory"
LAST_DIGIT = "last digit given"
DEMAND = (90, 120, 80, 70)
"""Wagner-Whitin's example: units in four periods; an order costs 500, a unit kept for a period 2."""
WARM_WEEKS = 20
"""Weeks that are not counted: the run begins right after an order that nobody paid for."""


def small_shop(demand: Mapping[str, Any], policy: Mapping[str, Any] | None = None, **more: Any) -> Run:
    """A shop that orders at the beginning of a week and has the goods before demand comes, from a maker with plenty."""
    shop = {
        "name": "shop", "role": "distributor", "sells": "good", "partner": "maker", "demand": "consumers",
        **more.pop("shop", {}),
    }  # fmt: skip
    maker = {"name": "maker", "role": "supplier", "sells": "good", "capacity_units": 1, "stock_units": {"good": PLENTY}}
    data = {
        "world": "manufacturing", "title": "a small shop", "items": {"good": more.pop("item", {})},
        "firms": [shop, maker], "demand": demand, "lead_time_weeks": 0, "max_order_units": PLENTY,
        "policies": {"shop": policy} if policy else None, "phases": list(AT_THE_START),
    }  # fmt: skip
    rule = more.pop("rule", "keep_policy")
    facts = build(ManufacturingScenario, {**data, **more}, place="validate")
    return api.run(facts, minds={"distributor.replenish": rule, "supplier.replenish": nothing})


def single_period() -> list[Figure]:
    """Newsvendors by the solver."""
    stock, cost = newsvendor(0.18, 0.70, 50, 8)
    order, profit = explicit_newsvendor(1, 0.3, 0.12, 50, 8)
    safe, out = newsvendor_with_disruptions(2000, 0.25, 3, 0.04, 0.25)
    return [
        within("best stock", stock, 56.604, 0.0005, LAST_DIGIT, "units"),
        within("its cost", cost, 1.9976, 0.00005, LAST_DIGIT, "$"),
        within("best order, explicit prices", order, 56.604, 0.0005, LAST_DIGIT, "units"),
        within("its profit", profit, 33.0024, 0.00005, LAST_DIGIT, "$"),
        exactly("best stock with disruptions", safe, 8000, "units"),
        within("its cost", out, 2737.07, 0.005, LAST_DIGIT, "$"),
    ]


def reorder(seeds: int = 400, weeks: int = 120) -> list[Figure]:
    """(s, S) for Poisson demand: the search, and its policy through the phases."""
    best = best_reorder(6, 1, 4, 5)
    run = small_shop(
        {"kind": "poisson", "mean_units": 6}, {"kind": "s_S"}, steps=weeks, seeds=seeds,
        item={"holding_cost_eur": 1, "backlog_cost_eur": 4}, shop={"stock_units": {"good": 10}, "order_cost_eur": 5},
    )  # fmt: skip
    stocks, contracts = run.events("stocks"), run.events("contracts")
    mine = stocks[(stocks["member"] == 0) & (stocks["step"] > WARM_WEEKS)]
    paid = (mine["holding_cost"] + mine["backlog_cost"]).groupby(mine["replica"]).sum().to_numpy()
    orders = contracts[contracts["step"] > WARM_WEEKS].groupby("replica").size().to_numpy()
    return [
        exactly("reorder point", best.point, 4, "units"),
        exactly("order-up-to level", best.level, 10, "units"),
        within("mean cost a period, solver", best.cost, 8.0341, 0.00005, LAST_DIGIT, "$"),
        estimated("mean cost a week, phases", (paid + 5 * orders) / (weeks - WARM_WEEKS), 8.0341, "$"),
    ]


def economic_lot() -> list[Figure]:
    """The economic lot by the solver, and through the phases with one unit of demand a step, 1,300 of them a year."""
    lot, cost = economic_order_quantity(8, 0.225, 1300)
    steps = round(lot)
    run = small_shop(
        {"kind": "constant", "mean_units": 1}, {"kind": "eoq"}, steps=steps, seeds=1,
        item={"holding_cost_eur": 1}, shop={"order_cost_eur": 8 * 1300 / 0.225},
    )  # fmt: skip
    stock = run.events("stocks")
    held = stock[stock["member"] == 0]["holding_cost"].sum() * 0.225 / steps
    orders = len(run.events("contracts"))
    why = "stock is counted after a step's demand, half a unit below its mean, and lots are whole"
    return [
        within("best lot", lot, 304.05, 0.005, LAST_DIGIT, "units"),
        within("cost a year, solver", cost, 68.411, 0.0005, LAST_DIGIT, "$"),
        exactly("orders in one lot's time, phases", orders, 1),
        within("cost a year, phases", held + 8 * orders * 1300 / steps, 68.411, 0.225 / 2 + 0.001, why, "$"),
    ]


def lots() -> list[Figure]:
    """Wagner-Whitin by the solver, and its orders through the phases."""
    orders, cost = wagner_whitin(500, 2, DEMAND)

    def plan(question: Question) -> Answers:
        return {"quantity": np.full(question.num_rows, round(orders[question.step - 1]) * MILLION)}

    run = small_shop(
        {"kind": "seasonal", "mean_units": 1, "season": [float(units) for units in DEMAND]}, steps=4, seeds=1,
        item={"holding_cost_eur": 2, "backlog_cost_eur": 1000}, shop={"order_cost_eur": 500}, rule=plan,
    )  # fmt: skip
    stocks = run.events("stocks")
    mine = stocks[stocks["member"] == 0]
    paid = (mine["holding_cost"] + mine["backlog_cost"]).sum() + 500 * len(run.events("contracts"))
    targets = (210, 0, 150, 0)
    told = [exactly(f"order in period {t + 1}", orders[t], target, "units") for t, target in enumerate(targets)]
    return [*told, exactly("cost, solver", cost, 1380, "$"), exactly("cost, phases", paid, 1380, "$")]


def outage() -> list[Figure]:
    """How long stock lasts while the supplier is out, and what is lost, through the phases; a step is a day."""
    run = small_shop(
        {"kind": "constant", "mean_units": 10}, steps=7, seeds=1, unmet="lost", shop={"stock_units": {"good": 30}},
        rule=nothing,
    )  # fmt: skip
    served = run.events("sales")["at_once"].to_numpy()
    return [
        exactly("time to survive", int((served >= 10).sum()), 3, "days"),
        exactly("lost sales", run.events("lost_sales")["lost"].sum(), 40, "units"),
    ]


def bulldozer() -> dict[str, Stage]:
    """The stages of the bulldozer chain."""
    text = Path(__file__).with_name("bulldozer.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {
        row["stage"]: Stage(
            lead_time=int(row["lead_time_days"]),
            added_cost=float(row["added_cost_usd"]),
            upstream=dict.fromkeys(row["upstream"].split(), 1),
            promised=0 if row["stage"] == "Final_Assembly" else None,
            sd=3.0 if row["stage"] == "Final_Assembly" else 0.0,
        )
        for row in rows
    }


def placement() -> list[Figure]:
    """The best safety stock of the bulldozer chain: 22 stages, σ 3 a day, z 1.645, holding 30 % a year."""
    stages = bulldozer()
    found = safety_stock(stages, 0.30, 1.645)
    return [
        exactly("stages", len(stages), 22),
        within("safety-stock cost a year", found.cost, 632_775, 0.5, LAST_DIGIT, "$"),
    ]


_GRAVES = "Graves & Willems (2003), Supply chain design; data of stochasticnetworkcontrol/snc (Apache-2.0)"

CASES = tuple(
    Case(
        name=name, part="manufacturing", kind="V1", shows=shows, source=source, method=method, compute=partial(compute)
    )
    for name, shows, source, method, compute in (
        (
            "newsvendors",
            "the solvers find the textbook's stocks for one period, and for a supplier that fails",
            f"{SNYDER}, examples 4.3, 4.4 and section 9.2.2",
            "rules.inventory; `newsvendor` is the same case through the phases",
            single_period,
        ),
        (
            "reorder_point",
            "the best (s, S) policy for Poisson demand costs what theory says, by the solver and through the phases",
            f"{SNYDER}, example 4.7",
            "mean 6, h 1, b 4, K 5; 400 replicas × 120 weeks (20 to warm up) of replenish, order, ship, arrive, "
            "demand, charge with the policy s_S, its levels computed",
            reorder,
        ),
        (
            "economic_lot",
            "the economic order quantity, by the solver and through the phases",
            f"{SNYDER}, example 3.1; Harris (1913)",
            "K 8, h .225, λ 1300; through the phases one lot of 304 with a unit a step and the policy eoq",
            economic_lot,
        ),
        (
            "wagner_whitin",
            "the best orders for demand that is known and not level, by the solver and through the phases",
            f"{SNYDER}, example 3.9; Wagner & Whitin (1958)",
            "K 500, h 2, demand 90, 120, 80, 70 as a season; an order costs order_cost_eur",
            lots,
        ),
        (
            "outage",
            "stock of 30 lasts three of seven days without supply, and 40 sales are lost",
            "arithmetic: 30 ÷ 10; 7 · 10 − 30",
            "constant demand, unmet: lost, nothing ordered; a step is a day",
            outage,
        ),
        (
            "bulldozer",
            "the safety stock of a real network of 22 stages costs what its authors published",
            _GRAVES,
            "the dynamic programme of Graves & Willems (2000) on the tree; service time 0 to the customer",
            placement,
        ),
    )
)
