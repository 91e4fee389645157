"""Figures that need the whole market: a plan with perfect information, decision instability, service, turns, prices."""

import numpy as np
import pandas as pd
import pytest

import ecosim
from ecosim import seeds
from ecosim.errors import RunError, ScenarioError
from ecosim.exact import MILLION
from ecosim.manufacturing import oracle
from ecosim.manufacturing.instability import instability
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.service import variation
from ecosim.manufacturing.welfare import perfect_information
from ecosim.scenario import build
from ecosim.validate.minds import anything_legal

TEA = {"make_cost_eur": 1.0, "holding_cost_eur": 0.5, "backlog_cost_eur": 0.4}
MAKER = {"name": "maker", "role": "manufacturer", "sells": "tea", "capacity_units": 5, "demand": "consumers",
         "stock_units": {"tea": 2}}  # fmt: skip


def scenario(**changes):
    data = {
        "world": "manufacturing", "title": "Tea", "steps": 2, "items": {"tea": TEA}, "firms": [MAKER],
        "demand": {"kind": "step", "mean_units": 4, "step_week": 2, "step_units": 6, "price_eur": 3.0}, **changes,
    }  # fmt: skip
    return build(ManufacturingScenario, data, "tea")


def best(facts, *wanted):
    return oracle.optimum(facts, np.array([wanted], float))


def test_the_best_plan_of_one_firm_and_two_weeks_is_that_by_hand():
    """Two in stock; week 1 sells 4, week 2 sells 6 and can make 5: so make 3 in week 1 and hold one: 30 − 8 − ½."""
    assert best(scenario(), 4, 6) == pytest.approx(21.5)


def test_where_capacity_is_short_some_consumers_wait():
    """Makes 3 a week: sells 2 + 3 + 3 units, holds one for a week, owes two at the end: 24 − 6 − ½ − 2 · 0.4."""
    assert best(scenario(firms=[{**MAKER, "capacity_units": 3}]), 4, 6) == pytest.approx(16.7)


def test_what_nobody_gains_by_is_not_made():
    """At 1.05 EUR a unit that is held for a week costs more than it brings: one is owed at the end instead, −0.4."""
    facts = scenario(demand={"kind": "step", "mean_units": 4, "price_eur": 1.05})
    assert best(facts, 4, 6) == pytest.approx(9 * 1.05 - 7 - 0.4)


def test_a_plan_knows_how_long_making_takes():
    """One week from start to stock: of week 1's demand only the two in stock can be served at once."""
    facts = scenario(firms=[{**MAKER, "make_weeks": 1}])
    assert best(facts, 4, 6) == pytest.approx(7 * 3 - 5 - 2 * 0.4 - 3 * 0.4)


def test_a_plan_without_backlog_loses_what_it_cannot_serve():
    """With two in stock and one a week: sells 3 + 1, loses 1 and 5 at 0.2 each: 12 − 2 − 1.2."""
    facts = scenario(
        firms=[{**MAKER, "capacity_units": 1, "unmet": "lost"}], items={"tea": {**TEA, "lost_cost_eur": 0.2}}
    )
    assert best(facts, 4, 6) == pytest.approx(8.8)


CHAIN = [
    {"name": "maker", "role": "manufacturer", "sells": "tea", "capacity_units": 9},
    {"name": "shop", "role": "distributor", "sells": "tea", "partner": "maker", "demand": "consumers"},
]
WEEK = ["arrive", "demand", "replenish", "order", "produce", "dispatch", "ship", "charge"]
PLACES = {"yard": {"firms": ["maker"], "x_km": 0, "y_km": 0}, "town": {"firms": ["shop"], "x_km": 3, "y_km": 4}}


def chain(**transport):
    facts = {"places": PLACES, **transport}
    return scenario(firms=CHAIN, transport=facts, phases=WEEK)


def test_a_plan_pays_for_its_transport_and_keeps_to_capacities():
    """Ready in week 1, in the shop in week 2, if no more than the lane carries: 4 of 4, or 3 and one still owed."""
    lane = {"origin": "yard", "destination": "town", "weeks": 1, "unit_eur": 0.25, "shipment_eur": 2.0, "load_units": 8}
    waits = 4 * 0.4
    assert best(chain(lanes=[lane]), 4, 0) == pytest.approx(4 * (3 - 1 - 0.25 - 2 / 8) - waits)
    assert best(chain(lanes=[{**lane, "capacity_units": 3}]), 4, 0) == pytest.approx(3 * 1.5 - waits - 0.4)


def test_express_may_be_worth_its_price():
    """Two weeks by the lane are too long; express costs three times as much and comes in week 2."""
    lane = {"origin": "yard", "destination": "town", "weeks": 2, "unit_eur": 0.2, "express_weeks": 1,
            "express_factor": 3.0}  # fmt: skip
    assert best(chain(lanes=[lane]), 4, 0) == pytest.approx(4 * (3 - 1 - 0.6) - 4 * 0.4)


def test_the_bound_on_a_round_is_its_share_of_a_full_one():
    """Five km out: 2 · 5 · 0.6 + 2 = 8 EUR for up to four units, so at least 2 EUR a unit."""
    vehicles = {"count": 1, "capacity_units": 4, "km_per_week": 100, "eur_per_km": 0.6, "vehicle_eur": 2.0}
    assert best(chain(vehicles=vehicles), 4, 0) == pytest.approx(max(4 * (3 - 1 - 2), 0) - 4 * 0.4)
    cheap = {**vehicles, "capacity_units": 8}
    assert best(chain(vehicles=cheap), 4, 0) == pytest.approx(4 * (3 - 1 - 1) - 4 * 0.4)


def test_no_rule_for_the_beer_game_is_cheaper_than_the_plan_and_the_best_known_is_204():
    run = ecosim.run("beer_game")
    plan = perfect_information(run).loc[0]
    assert -204 < plan["optimal_welfare_eur"] < 0  # Sterman (1989): $204 by the best rule, which does not know demand
    assert plan["welfare_eur"] < plan["optimal_welfare_eur"] and np.isnan(plan["welfare_share"])
    cost = run.kpis.set_index(["metric", "group"])["value"]["cost_eur", ""]
    assert plan["welfare_eur"] == -cost


@pytest.mark.parametrize(
    ("name", "minds"),
    [
        ("smart_manufacturing", {}),
        ("smart_manufacturing", dict.fromkeys(("supplier", "manufacturer", "distributor"), "pass_on")),
        ("delivery_scheduling", {}),
        ("delivery_scheduling", {"manufacturer.dispatch": "expedite_when_late"}),
        ("delivery_scheduling", {"manufacturer.dispatch": anything_legal}),
    ],
)
def test_nobody_does_better_than_with_perfect_information(name, minds):
    seats = {f"{role}.replenish": mind for role, mind in minds.items() if "." not in role} or minds
    found = perfect_information(ecosim.run(name, seeds=2, steps=6, minds=seats))
    assert len(found) == 2
    assert (found["welfare_eur"] < found["optimal_welfare_eur"]).all()
    assert found["optimal_welfare_eur"].gt(0).all() and found["welfare_share"].lt(1).all()


def test_the_share_is_a_kpi_where_it_is_asked_for_and_arms_of_one_world_have_one_optimum():
    arms = {"usual": {}, "early": {"distributor.negotiate": "conceder"}}
    found = ecosim.compare("smart_manufacturing", arms, seeds=2, steps=4, changes={"oracle": True}).run
    kpis = found.kpis.pivot_table(index="replica", columns="metric", values="value", aggfunc="sum")
    after = perfect_information(found)
    for name in after:
        assert kpis[name].to_numpy() == pytest.approx(after[name].to_numpy())
    assert after["optimal_welfare_eur"][:2].tolist() == after["optimal_welfare_eur"][2:].tolist()
    assert "welfare_share" not in set(ecosim.run("smart_manufacturing", seeds=1, steps=1).kpis["metric"])


def test_what_the_oracle_does_not_know_is_refused():
    strike = {"step": 1, "table": "firms", "column": "capacity_units", "times": 0.5}
    fad = {"step": 1, "table": "firms", "column": "demand_factor", "times": 2}
    run = ecosim.run(scenario(interventions=[strike, fad]))
    with pytest.raises(ScenarioError, match=r"does not know an intervention in firms.capacity_units; leave it out"):
        perfect_information(run)
    with pytest.raises(ScenarioError, match=r"oracle: a plan with perfect information does not know 'finance'; leave"):
        scenario(finance={"credit_limit_eur": 100.0}, oracle=True)
    assert perfect_information(ecosim.run(scenario(interventions=[fad])))["welfare_share"].notna().all()


# ---- instability --------------------------------------------------------------------------------------------------


class Orders:
    """A run that holds orders only."""

    def __init__(self, mind_seed, *units):
        self.scenario = scenario()
        self.replicas = pd.DataFrame({"arm": ["all"], "world_seed": [1], "mind_seed": [mind_seed]})
        steps = np.arange(1, len(units) + 1)
        self.orders = pd.DataFrame({"replica": 0, "step": steps, "member": 0, "item": 0, "quantity": units})

    def events(self, name):
        return self.orders


def test_instability_is_the_mean_coefficient_of_variation():
    """Week 1: 10 and 14, sd √8, mean 12. Week 2: equal. Week 3: nobody orders, so there is no ratio."""
    found = instability([Orders(1, 10, 7, 0), Orders(2, 14, 7, 0)])
    assert found.loc["all", "instability"] == pytest.approx((np.sqrt(8) / 12 + 0) / 2)
    assert found["cells"].to_dict() == {"manufacturer": 2, "all": 2}


def test_minds_that_draw_nothing_are_stable_and_those_that_draw_are_not():
    def by_lot(question):
        lot = seeds.integers(8, seeds.MIND, question.seed, question.step, "lot", (question.key["subject"],))
        return {"quantity": lot * MILLION}

    def runs(mind):
        minds = {"distributor.replenish": mind, "manufacturer.replenish": mind}
        return [ecosim.run("beer_game", steps=6, minds=minds, changes={"mind_seed": k}) for k in (1, 2)]

    assert instability(runs("order_up_to"))["instability"].tolist() == [0, 0, 0]
    assert instability(runs(by_lot)).loc["all", "instability"] > 0.2


def test_arms_of_other_luck_serve_as_other_mind_seeds():
    arms = {"usual": {}, "early": {"distributor.negotiate": "conceder"}}
    run = ecosim.compare("smart_manufacturing", arms, seeds=2, steps=4, with_same=True).run
    assert instability(run, arms=["usual", "usual again"]).loc["all", "instability"] > 0
    with pytest.raises(RunError, match="at least two mind seeds"):
        instability(run, arms=["usual"])


# ---- service, turns, prices ---------------------------------------------------------------------------------------


def test_turns_are_a_years_sales_over_mean_stock_and_type_1_counts_weeks_without_a_stockout():
    """Two in stock, two wanted a week, nothing made: sold 2 in two weeks, stock 0, the second week is not served."""
    facts = scenario(demand={"kind": "step", "mean_units": 2, "step_units": 2, "price_eur": 3.0}, steps=2,
                     firms=[{**MAKER, "stock_units": {"tea": 3}}])  # fmt: skip

    def idle(question):
        return {"quantity": np.zeros(question.num_rows, np.int64)}

    run = ecosim.run(facts, minds={"manufacturer.replenish": idle})
    kpis = run.kpis.set_index(["metric", "group"])["value"]
    assert kpis["turns", "manufacturer"] == 3 * 52 / 2 / 0.5  # three sold in two weeks, stocks of 1 and 0
    assert kpis["fill_rate_type_1", ""] == 0.5
    assert kpis["fill_rate", ""] == 0.75


def test_price_dispersion_is_the_coefficient_of_variation_within_a_week():
    assert variation(np.array([0, 0, 1]), np.array([8.0, 12.0, 5.0]), 2)[0] == pytest.approx(0.2)
    run = ecosim.run("smart_manufacturing", seeds=1, steps=8)
    pumps = run.events("contracts", names=True).query("item == 'pump'").groupby("step")["price"]
    weekly = (pumps.std(ddof=0) / pumps.mean())[pumps.count() > 1]
    kpis = run.kpis.set_index(["metric", "group"])["value"]
    assert kpis["price_dispersion", "pump"] == pytest.approx(weekly.mean())
