"""Supply contracts through the weekly phases and the ledger: the newsvendor and its supplier, and a one-shot factory.

The newsvendor's paper is worth nothing at the end of the week, and nobody waits for yesterday's, so every week is the
one-period problem of the theory again. All contracts meet the same demand, draw for draw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim import api
from ecosim.exact import MILLION
from ecosim.explore import Run
from ecosim.fields import Array
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.rules.terms import critical_ratio
from ecosim.scenario import build
from ecosim.validate.cases import Case, Figure, estimated, exactly
from ecosim.words import Answers, Expert, Question

if TYPE_CHECKING:
    from ecosim.world import World

# ---- the newsvendor and its supplier --------------------------------------------------------------------------------

PRICE, COST, MOST = 10.0, 2.0, 100
"""What consumers pay, what a unit costs to make, and the most that they want: demand lies evenly in 0 … MOST."""
CHAIN_PROFIT = 320.0
"""Of one owner of both firms, at the best order, 80."""

Deal = Mapping[str, float]
CONTRACTS: Mapping[str, tuple[Deal, int, float, float]] = {
    "centralised": ({"price_eur": 2}, 80, 320, 0),
    "wholesale": ({"price_eur": 6}, 40, 80, 160),
    "buyback": ({"price_eur": 6, "buyback_eur": 5}, 80, 160, 160),
    "revenue_sharing": ({"price_eur": 1, "revenue_share": 0.5}, 80, 160, 160),
}
"""Terms; the order that is best for the retailer, and what it and its supplier then earn a week."""


def newsstand(deal: Deal, order: int, change: Callable[[World], None] | None = None, **more: Any) -> Run:
    """Retailers that order the same every week, and a supplier that makes what was ordered; `change` in week 1."""
    stands = more.pop("stands", 1)
    data = {
        "world": "manufacturing",
        "title": "a newsstand",
        "items": {"paper": {"make_cost_eur": more.pop("cost", COST)}},
        "firms": [
            {
                "name": "retailer",
                "role": "distributor",
                "sells": "paper",
                "partner": "supplier",
                "demand": "consumers",
                "count": stands,
            },
            {"name": "supplier", "role": "supplier", "sells": "paper", "capacity_units": 2 * MOST * stands},
        ],
        "demand": {
            "kind": "uniform",
            "mean_units": MOST / 2,
            "spread_units": MOST / 2,
            "price_eur": PRICE,
        },
        "terms": {"paper": dict(deal)},
        "perish": {"items": ["paper"]},
        "lead_time_weeks": 0,
        "phases": ["replenish", "order", "produce", "ship", "arrive", "demand", "perish"],
        **more,
    }
    minds = {"distributor": always(order), "supplier": always(order * stands)}
    scenario = build(ManufacturingScenario, data, place="validate")
    return api.run(scenario, minds=minds, interventions={1: change} if change else None)


ROLES = ("distributor", "supplier")


def always(units: int) -> Expert:
    """Order, or make, the same quantity every week."""

    def decide(question: Question) -> Answers:
        return {"quantity": np.full(question.num_rows, units * MILLION)}

    return decide


def weekly_profit(run: Run, role: str) -> Array:
    """Profit of a role a week, EUR, by replica."""
    kpis = run.kpis
    found = kpis[(kpis["metric"] == "profit_eur") & (kpis["group"] == role)].sort_values("replica")["value"]
    return found.to_numpy(float) / run.scenario.steps


def supply_contract(name: str, seeds: int = 1000, weeks: int = 20) -> list[Figure]:
    """The order that is best for the retailer, and what both earn at it: over all demands, and over drawn ones."""
    deal, order, retailer, supplier = CONTRACTS[name]
    earned = {units: every_demand(deal, units) for units in range(0, MOST + 1, 10)}
    mine, theirs = earned[order]
    drawn = newsstand(deal, order, seeds=seeds, steps=weeks)
    return [
        exactly("best order for the retailer, of 0, 10 … 100", max(earned, key=lambda units: earned[units][0]), order),
        exactly("the same by its critical ratio", round(_ratio(deal) * MOST, 9), order),
        exactly("retailer's expected profit", mine, retailer, "EUR"),
        exactly("supplier's expected profit", theirs, supplier, "EUR"),
        exactly("share of the chain's best", (mine + theirs) / CHAIN_PROFIT, (retailer + supplier) / CHAIN_PROFIT),
        estimated("retailer's profit a week, demand drawn", weekly_profit(drawn, "distributor"), retailer, "EUR"),
    ]


def every_demand(deal: Deal, order: int) -> tuple[float, float]:
    """Expected profits of a retailer and its supplier, EUR: a hundred stands, one for each stretch of demand.

    Demands are ½, 1½ … 99½; as goods are counted whole, half a paper is one of ours. Between two whole orders, sales
    are linear in demand, so that the middle of each stretch stands for all of it.
    """
    halves = {name: number / 2 if name.endswith("_eur") else number for name, number in deal.items()}

    def spread(world: World) -> None:
        world.tables["firms"]["demand_factor"][:MOST] = 2.0 * np.arange(MOST) + 1.0

    run = newsstand(
        halves, 2 * order, spread, stands=MOST, cost=COST / 2, steps=1, max_order_units=2 * MOST * MOST,
        demand={"kind": "step", "step_units": 1, "mean_units": 1, "price_eur": PRICE / 2},
    )  # fmt: skip
    mine, theirs = (float(weekly_profit(run, role)[0]) / MOST for role in ROLES)
    return round(mine, 6), round(theirs, 6)


def _ratio(deal: Deal) -> float:
    kept = 1 - deal.get("revenue_share", 0.0)
    return critical_ratio(kept * PRICE, deal["price_eur"], deal.get("buyback_eur", 0.0))


# ---- a one-shot factory ---------------------------------------------------------------------------------------------

ONE_SHOT: Sequence[tuple[tuple[int, float], tuple[int, float], float]] = (
    ((8, 10), (10, 15), 12),
    ((10, 10), (8, 15), 2),
    ((10, 10), (10, 15), 30),
    ((0, 10), (5, 15), -30),
    ((14, 10), (14, 15), -38),
)
"""Bought (units, price), sold (units, price), and what the factory earns, EUR."""


def factory(bought: tuple[int, float], sold: tuple[int, float], **changes: Any) -> Run:
    """One week of a factory with contracts at both ends; lines 10, c 2, disposal .1, shortfall .5, prices 10 and 12."""
    data = {
        "world": "manufacturing",
        "title": "one shot",
        "steps": 1,
        "items": {
            "input": {"catalogue_price_eur": changes.get("input_price_eur", 10)},
            "output": {
                "bom": {"input": 1},
                "make_cost_eur": changes.get("cost_eur", 2),
                "catalogue_price_eur": changes.get("output_price_eur", 12),
            },
        },
        "firms": [
            {"name": "factory", "role": "manufacturer", "sells": "output", "capacity_units": changes.get("lines", 10)}
        ],
        "demand": {"kind": "step", "mean_units": 0},
        "exogenous": {
            "supplies": [{"firms": "factory", "item": "input", "units": bought[0], "price_eur": bought[1]}],
            "sales": [{"firms": "factory", "item": "output", "units": sold[0], "price_eur": sold[1]}],
            "shortfall_share": changes.get("shortfall_share", 0.5),
        },
        "perish": {"items": ["input"], "disposal_share": changes.get("disposal_share", 0.1)},
        "phases": ["receive", "replenish", "produce", "fulfil", "perish"],
    }
    scenario = build(ManufacturingScenario, data, place="validate")
    return api.run(scenario, minds={"manufacturer.replenish": "make_to_order"})


def one_shot() -> list[Figure]:
    """What a factory earns in each of the five cases, as its cash account has it."""
    return [
        exactly(
            f"{bought[0]} at {bought[1]:g}, {sold[0]} at {sold[1]:g}",
            float(weekly_profit(factory(bought, sold), "manufacturer")[0]),
            target,
            "EUR",
        )
        for bought, sold, target in ONE_SHOT
    ]


CACHON = "Cachon (2003), Supply chain coordination with contracts: best order at F(q) = critical ratio"
SCML = "Supply Chain Management League OneShot: u = sales − purchases − c·produced − disposal − shortfall"

CASES = (
    *(
        Case(
            name=f"contract_{name}",
            part="manufacturing",
            kind="V1",
            shows=f"under {name.replace('_', ' ')} the best order is {order}; the chain earns "
            f"{(retailer + supplier) / CHAIN_PROFIT:.0%} of what one owner would",
            source=CACHON,
            method="a week of replenish, order, produce, ship, arrive, demand, perish at 100 stands, one for each "
            "hundredth of U[0, 100]; then 1,000 replicas × 20 weeks of drawn demand; profits are cash accounts",
            compute=partial(supply_contract, name),
        )
        for name, (_, order, retailer, supplier) in CONTRACTS.items()
    ),
    Case(
        name="one_shot_factory",
        part="manufacturing",
        kind="V1",
        shows="a factory with contracts at both ends earns what the league's rule says, in all five cases",
        source=SCML,
        method="one week of receive, replenish, produce, fulfil, perish; made to order; profit is the cash account",
        compute=one_shot,
    ),
)
