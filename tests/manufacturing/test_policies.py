"""Planners that keep to policies, given or computed."""

import numpy as np
import pytest

import ecosim
from ecosim.errors import ScenarioError
from ecosim.exact import MILLION
from ecosim.manufacturing.policies import Policies
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import layout
from ecosim.manufacturing.wiring import covered_weeks
from ecosim.scenario import build
from ecosim.validate import chain, stock

AT_THE_END = ["arrive", "demand", "replenish", "order", "produce", "ship", "charge"]
AT_THE_START = ["replenish", "order", "produce", "ship", "arrive", "demand", "charge"]
SHIP_FIRST = ["arrive", "demand", "ship", "charge", "replenish", "order", "produce"]


def shop(policy, demand=None, week=AT_THE_END, mill=None, **more):
    firm = {"name": "shop", "role": "distributor", "sells": "good", "partner": "mill", "demand": "consumers",
            "holding_cost_eur": 0.18, "backlog_cost_eur": 0.70, **more}  # fmt: skip
    data = {
        "world": "manufacturing", "title": "a shop", "steps": 8, "items": {"good": {}}, "lead_time_weeks": 2,
        "firms": [firm, {"name": "mill", "role": "supplier", "sells": "good", "capacity_units": 9, **(mill or {})}],
        "demand": demand or {"kind": "normal", "mean_units": 50.0, "sd_units": 8.0}, "phases": week,
        "policies": {"shop": policy} if policy and "kind" in policy else policy, "max_order_units": 900,
    }  # fmt: skip
    return build(ManufacturingScenario, data, place="test")


def levels(facts):
    """Reorder point, level and lot of the shop, units."""
    return (Policies(facts, layout(facts)).levels[0] // MILLION).tolist()


@pytest.mark.parametrize(
    ("week", "firm", "weeks"),
    [
        (AT_THE_END, {"lead_time_weeks": 2}, 2),
        (AT_THE_END, {"lead_time_weeks": 2, "order_weeks": 1}, 3),
        (AT_THE_START, {"lead_time_weeks": 0}, 1),
        (AT_THE_START, {"lead_time_weeks": 2}, 3),
        (SHIP_FIRST, {"lead_time_weeks": 2}, 3),  # what is ordered after this week's shipping leaves next week
        (SHIP_FIRST, {"lead_time_weeks": 2, "order_weeks": 2}, 4),  # the beer game
        (AT_THE_END, {"lead_time_weeks": 0}, 1),  # what is sent after this week's arrivals comes next week
    ],
)
def test_what_an_order_covers_follows_from_the_order_of_the_week(week, firm, weeks):
    facts = shop({"kind": "newsvendor"}, week=week, **firm)
    assert covered_weeks(facts, facts.firms[0]) == weeks


def test_what_a_start_of_production_covers():
    for make, weeks in ((0, 1), (1, 1), (3, 3)):
        facts = shop({"shop": {"kind": "newsvendor"}}, mill={"make_weeks": make})
        assert covered_weeks(facts, facts.firms[1]) == weeks


def test_levels_are_computed_from_demand_costs_and_lead_times():
    """Two weeks of N(50, 8²) are N(100, 128): 100 + .8255 · 11.314 = 109.3; Poisson 6, h 1, b 4: 8."""
    assert levels(shop({"kind": "newsvendor"})) == [108, 109, 0]
    assert levels(shop({"kind": "base_stock"})) == [108, 109, 0]
    poisson = {"kind": "poisson", "mean_units": 6.0}
    plain = {"holding_cost_eur": 1.0, "backlog_cost_eur": 4.0, "lead_time_weeks": 0, "order_cost_eur": 5.0}
    assert levels(shop({"kind": "newsvendor"}, poisson, AT_THE_START, **plain)) == [7, 8, 0]
    assert levels(shop({"kind": "s_S"}, poisson, AT_THE_START, **plain)) == [4, 10, 0]
    assert levels(shop({"kind": "eoq"}, poisson, AT_THE_START, **plain)) == [5, 0, 8]  # √(2 · 5 · 6) = 7.75
    assert levels(shop({"kind": "r_Q", "reorder_units": 3, "lot_units": 20})) == [3, 0, 20]


def test_a_planner_orders_up_to_its_level_or_whole_lots():
    demand = {"kind": "constant", "mean_units": 10.0}
    start = {"stock_units": {"good": 40}}

    def bought(policy):
        run = ecosim.run(shop(policy, demand, **start), minds={"supplier.replenish": "pass_on"})
        orders = run.events("orders")
        return orders[orders["member"] == 0]["quantity"].tolist()

    assert bought({"kind": "base_stock", "level_units": 45}) == [15, 10, 10, 10, 10, 10, 10, 10]
    assert bought({"kind": "s_S", "reorder_units": 20, "level_units": 45}) == [0, 25, 0, 0, 30, 0, 0, 30]
    assert bought({"kind": "r_Q", "reorder_units": 25, "lot_units": 7}) == [0, 7, 14, 7, 14, 7, 7, 14]


def test_firms_without_a_policy_forecast_as_usual():
    usual = ecosim.run(shop(None)).events("orders")
    mixed = ecosim.run(shop({"mill": {"kind": "base_stock", "level_units": 5}})).events("orders")
    mine = [frame[frame["member"] == 0]["quantity"].tolist() for frame in (usual, mixed)]
    assert mine[0] == mine[1]


def test_an_echelon_position_counts_all_that_is_downstream():
    """Stage 2 keeps what it has and stage 1's 6.49 at 12.02: both order what customers took, in every week."""
    facts = chain.serial(seeds=2, weeks=5)
    run = ecosim.run(facts, minds={"supplier.replenish": "pass_on"})
    orders = run.events("orders")
    orders = orders[orders["member"] < 3].pivot(index=["replica", "step"], columns="member", values="quantity")
    demand = run.events("demand").set_index(["replica", "step"])["wanted"].sort_index()
    for stage in (0, 1, 2):
        assert (orders[stage] == demand).all()


def test_echelons_of_a_maker_count_parts_in_what_it_makes():
    """A maker with 3 bicycles and 10 wheels, a shop with 4 bicycles: 2 · (3 + 4) + 10 wheels downstream of the rims."""
    firms = [
        {"name": "shop", "role": "distributor", "sells": "bike", "partner": "plant", "demand": "consumers",
         "stock_units": {"bike": 4}},
        {"name": "plant", "role": "manufacturer", "sells": "bike", "capacity_units": 9, "partner": "rims",
         "stock_units": {"bike": 3, "wheel": 10}},
        {"name": "rims", "role": "supplier", "sells": "wheel", "capacity_units": 9, "stock_units": {"wheel": 5}},
    ]  # fmt: skip
    data = {
        "world": "manufacturing", "title": "bicycles", "steps": 1,
        "items": {"bike": {"bom": {"wheel": 2}}, "wheel": {}},
        "firms": firms, "demand": {"kind": "constant", "mean_units": 0.0}, "phases": AT_THE_END,
        "policies": {name: {"kind": "echelon_base_stock", "level_units": 1} for name in ("shop", "plant", "rims")},
    }  # fmt: skip
    seen = {}

    def look(question):
        for name, row in zip(question["item_name"], range(question.num_rows), strict=True):
            if question["has_policy"][row]:
                seen[question.role, name] = int(question["position"][row]) // MILLION
        return {"quantity": np.zeros(question.num_rows, np.int64)}

    facts = build(ManufacturingScenario, data, place="test")
    ecosim.run(
        facts, minds=dict.fromkeys((f"{role}.replenish" for role in ("distributor", "manufacturer", "supplier")), look)
    )
    assert seen == {("distributor", "bike"): 4, ("manufacturer", "bike"): 7, ("supplier", "wheel"): 29}


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({"shp": {"kind": "newsvendor"}}, "policies.shp: unknown firm 'shp', did you mean 'shop'"),
        (
            {"kind": "s_S", "reorder_units": 5},
            "level_units: missing; s_S takes reorder_units and level_units, or neither",
        ),
        ({"kind": "s_S", "reorder_units": 5, "level_units": 5}, r"reorder_units \(5\) must be below level_units \(5\)"),
        ({"kind": "base_stock", "lot_units": 5}, "lot_units: base_stock has no use for it; leave it out"),
        ({"kind": "r_Q"}, "r_Q needs reorder_units and lot_units"),
        ({"kind": "echelon_base_stock"}, "echelon_base_stock needs level_units"),
        ({"kind": "s_S"}, "policies.shop: s_S is computed for Poisson demand; give reorder_units and level_units"),
        ({"kind": "eoq"}, "eoq weighs the cost of an order; give shop an order_cost_eur above 0"),
        ({"mill": {"kind": "newsvendor"}}, "give its levels; they are computed only for firms that sell to consumers"),
        ({"kind": "base_stock", "level_units": -1}, "level_units: input should be greater than or equal to 0, got -1"),
        ({"kind": "magic"}, "kind: input should be 'base_stock', 'echelon_base_stock', 's_S', 'r_Q', 'eoq'"),
    ],
)
def test_policies_that_cannot_be_are_told(policy, message):
    with pytest.raises(ScenarioError, match=message):
        shop(policy)


def test_levels_are_not_computed_where_they_cannot_be():
    free = {"holding_cost_eur": 0.0}
    with pytest.raises(
        ScenarioError, match="newsvendor weighs costs; give the firm holding_cost_eur and backlog_cost_eur"
    ):
        shop({"kind": "newsvendor"}, **free)
    with pytest.raises(ScenarioError, match=r"at most 500 in the 2 weeks that an order covers"):
        shop({"kind": "s_S"}, {"kind": "poisson", "mean_units": 300.0})
    with pytest.raises(ScenarioError, match=r"newsvendor is computed from demand.mean_units; give it above 0"):
        shop({"kind": "newsvendor"}, {"kind": "invagent", "setting": "larger"})
    with pytest.raises(ScenarioError, match="what a level has to cover, but phases lacks 'ship'"):
        shop({"kind": "newsvendor"}, week=[name for name in AT_THE_END if name != "ship"])
    with pytest.raises(ScenarioError, match="known only where partners are fixed, with the phase 'order'"):
        market = [name if name != "order" else "quote" for name in AT_THE_END]
        market.insert(market.index("quote") + 1, "negotiate")
        shop({"kind": "echelon_base_stock", "level_units": 5}, week=market)


@pytest.mark.parametrize("case", [c for c in stock.CASES if c.name != "reorder_point"], ids=lambda case: case.name)
def test_the_textbooks_figures_are_found(case):
    figures = case.compute()
    assert figures and all(figure.is_met for figure in figures), figures


def test_reorder_points_and_echelons_cost_what_theory_says_through_the_phases():
    assert all(figure.is_met for figure in stock.reorder(seeds=60, weeks=60))
    assert all(figure.is_met for figure in chain.through_phases(seeds=60, weeks=40))
    assert all(figure.is_met for figure in chain.solved())
