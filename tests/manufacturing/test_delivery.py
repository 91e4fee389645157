"""Goods move on lanes and with vehicles: what waits at the dock, what it costs, when it comes."""

import numpy as np
import pytest

import ecosim
from ecosim import catalog, simulate, testing
from ecosim.arms import Arm
from ecosim.errors import ScenarioError
from ecosim.exact import MILLION
from ecosim.manufacturing.dispatch import consolidate, expedite_when_late, ship_at_once
from ecosim.manufacturing.docks import EXPRESS, HOLD, SHIP
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.minds.prompts import Prompts
from ecosim.record.store import Memory
from ecosim.rules import routing
from ecosim.rules.allocate import split
from ecosim.scenario import build
from ecosim.validate.minds import anything_legal

PLACES = {"yard": {"firms": ["maker"]}, "near": {"firms": ["shop_1"]}, "far": {"firms": ["shop_2"]}}


def lane(destination, weeks, **more):
    return {"origin": "yard", "destination": destination, "weeks": weeks, **more}


def scenario(transport, **changes):
    """One maker, two shops that want ten units a week each and order what consumers wanted."""
    data = {
        "world": "manufacturing",
        "title": "Two shops",
        "steps": 8,
        "items": {"tea": {"holding_cost_eur": 0.1, "backlog_cost_eur": 1.0}},
        "firms": [
            {"name": "maker", "role": "manufacturer", "sells": "tea", "capacity_units": 500,
             "stock_units": {"tea": 400}},
            {"name": "shop", "role": "distributor", "sells": "tea", "count": 2, "partner": "maker",
             "demand": "consumers", "stock_units": {"tea": 200}},
        ],
        "demand": {"kind": "step", "mean_units": 10, "step_units": 10, "price_eur": 5.0},
        "transport": transport,
        "phases": ["arrive", "demand", "replenish", "order", "produce", "dispatch", "ship", "charge"],
        "minds": {"distributor.replenish": "pass_on", "manufacturer.replenish": "pass_on"},
        **changes,
    }  # fmt: skip
    return build(ManufacturingScenario, data, "two shops")


LANES = {
    "places": PLACES,
    "lanes": [lane("near", 1, shipment_eur=6.0, unit_eur=0.5), lane("far", 3, shipment_eur=20.0)],
}


MARKET = {
    "places": {"mines": {"firms": ["steelworks", "resin_plant"]}, "town": {"firms": ["pump_maker", "distributor"]}},
    "lanes": [
        {"origin": "mines", "destination": "town", "weeks": 2, "unit_eur": 0.1},
        {"origin": "town", "destination": "town", "weeks": 1, "unit_eur": 0.2},
    ],
}


def test_transit_times_and_costs_come_from_the_lanes_and_sellers_pay():
    """Ten units a week each: 6 + 10 · 0.5 = 11 EUR to the near shop, 20 EUR to the far one."""
    run = ecosim.run(scenario(LANES))
    sent = run.events("dispatches", names=True).set_index("buyer")
    assert sent.loc["shop_1", "cost"].eq(11.0).all() and sent.loc["shop_2", "cost"].eq(20.0).all()
    assert (sent["arrive_week"] - sent["step"]).groupby("buyer").unique().map(list).to_dict() == {
        "shop_1": [1], "shop_2": [3],
    }  # fmt: skip
    kpis = run.kpis.set_index(["metric", "group"])["value"]
    assert kpis["transport_cost_eur", "manufacturer"] == 8 * 31.0
    assert kpis["transport_eur_per_unit", ""] == 31 / 20
    assert kpis["profit_eur", "manufacturer"] == -8 * 31.0 - run.events("stocks").query("member == 0")[
        "holding_cost"].sum()  # fmt: skip


def test_what_a_lane_cannot_carry_waits_at_the_dock():
    lanes = {"places": PLACES, "lanes": [lane("near", 1, capacity_units=4), lane("far", 1)]}
    sent = ecosim.run(scenario(lanes), steps=3).events("dispatches").query("buyer == 1")
    assert sent["ready"].tolist() == [10, 16, 22]
    assert sent["sent"].tolist() == [4, 4, 4]


def test_two_sellers_share_the_capacity_of_a_lane_and_the_older_promise_goes_first():
    facts = scenario({"places": PLACES, "lanes": [lane("near", 1, capacity_units=15), lane("far", 1)]})
    facts = facts.with_changes(
        transport={
            "places": {"yard": {"firms": ["maker"]}, "town": {"firms": ["shop"]}},
            "lanes": [{"origin": "yard", "destination": "town", "weeks": 1, "capacity_units": 15}],
        }
    )
    sent = ecosim.run(facts, steps=2).events("dispatches")
    assert sent.query("step == 1")["sent"].tolist() == [10, 5]
    assert sent.query("step == 2")["sent"].tolist() == [0, 15]  # five of last week's, then by the number of the buyer


def test_a_load_is_several_shipments_where_one_is_too_small():
    lanes = {"places": PLACES, "lanes": [lane("near", 1, load_units=4, shipment_eur=3.0), lane("far", 1)]}
    run = ecosim.run(scenario(lanes), steps=1)
    sent = run.events("dispatches").iloc[0]
    assert (sent["cost"], sent["space"]) == (9.0, 12.0)
    assert run.kpis.set_index(["metric", "group"])["value"]["load_factor", ""] == 10 / 12


def test_expediting_is_faster_dearer_and_outside_the_capacity():
    express = lane("near", 3, shipment_eur=10.0, capacity_units=1, express_weeks=1, express_factor=2.5)
    facts = scenario({"places": PLACES, "lanes": [express, lane("far", 1)]})

    def always(question):
        return {"mode": np.where(question.field("mode").allowed[:, EXPRESS], EXPRESS, SHIP)}

    sent = ecosim.run(facts, steps=2, minds={"manufacturer.dispatch": always}).events("dispatches", names=True)
    near = sent[sent["buyer"] == "shop_1"]
    assert near["mode"].tolist() == ["expedite"] * 2
    assert near["sent"].tolist() == [10, 10] and near["cost"].tolist() == [25.0, 25.0]
    assert near["arrive_week"].tolist() == [2, 3]
    assert sent[sent["buyer"] == "shop_2"]["mode"].tolist() == ["ship"] * 2


def test_what_is_held_stays_in_stock_and_the_weeks_are_counted():
    seen = []

    def patient(question):
        seen.append((question["load"] // MILLION, question["weeks_waited"], question["weeks_until_due"]))
        return {"mode": np.where(question.step < 3, HOLD, SHIP) + np.zeros(question.num_rows, np.int64)}

    run = ecosim.run(scenario({**LANES, "slack_weeks": 2}), steps=4, minds={"manufacturer.dispatch": patient})
    assert [load[0] for load, _, _ in seen] == [10, 20, 30, 10]
    assert [waited[0] for _, waited, _ in seen] == [0, 1, 2, 0]
    assert [due[0] for _, _, due in seen] == [3, 2, 1, 3]  # a week on the way and two of slack
    assert run.events("dispatches").query("buyer == 1")["cost"].tolist() == [0, 0, 21, 11]


def test_a_closed_lane_carries_nothing_until_it_is_open_again():
    closed = {"step": 2, "table": "lanes", "column": "capacity_units", "where": {"destination": "near"}, "set": 0}
    opened = {**closed, "step": 4, "set": 25}
    sent = ecosim.run(scenario(LANES, interventions=[closed, opened]), steps=5).events("dispatches", names=True)
    assert sent[sent["buyer"] == "shop_1"]["sent"].tolist() == [10, 0, 0, 25, 15]
    assert sent[sent["buyer"] == "shop_2"]["sent"].tolist() == [10] * 5


def test_language_minds_can_be_asked():
    for name, changes in (("delivery_scheduling", {}), ("smart_manufacturing", {"transport": MARKET})):
        facts = simulate.load_scenario(name, changes)
        asked = [q for q in testing.questions(facts, seeds=1, steps=4) if q.phase == "dispatch"]
        assert {q.role for q in asked} >= {"manufacturer"}
        for question in asked:
            prompts = Prompts(catalog.card(question.role), "dispatch").render(question)
            assert len(prompts) == question.num_rows and all("on the way." in own for _, own in prompts)


def test_delays_are_the_same_whatever_minds_decide_and_come_as_often_as_they_say():
    risky = {"places": PLACES, "lanes": [lane("near", 1, delay_chance=0.5, delay_weeks=2), lane("far", 1)]}
    facts = scenario(risky, steps=25, seeds=8)
    arms = [Arm(name="ship"), Arm(name="wait", minds={"manufacturer.dispatch": "consolidate"})]
    done = simulate.simulate(facts, arms, Memory()).manifest
    assert done["exogenous_digests"][:8] == done["exogenous_digests"][8:]
    run = ecosim.run(facts)
    delays = run.events("delays", names=True)
    assert set(delays["destination"]) == {"near"} and set(delays["weeks"]) == {2}
    assert abs(len(delays) - 100) < 4 * 7.1  # 200 draws of a half: standard deviation 7.1
    sent = run.events("dispatches").query("buyer == 1").merge(delays, on=["replica", "step"], how="left")
    assert ((sent["arrive_week"] - sent["step"]) == 1 + sent["weeks"].fillna(0)).all()


# ---- vehicles -----------------------------------------------------------------------------------------------------


LINE = {
    "places": {
        "yard": {"firms": ["maker"], "x_km": 0, "y_km": 0},
        "near": {"firms": ["shop_1"], "x_km": 30, "y_km": 40},
        "far": {"firms": ["shop_2"], "x_km": 60, "y_km": 80},
    },
    "vehicles": {"count": 2, "capacity_units": 25, "km_per_week": 60, "eur_per_km": 2.0, "vehicle_eur": 12.0},
}


def test_a_round_serves_both_shops_on_the_way_and_they_share_its_cost():
    """50 km and 100 km out on one line: a round of 200 km costs 412 EUR, a third and two thirds of it."""
    run = ecosim.run(scenario(LINE), steps=1)
    routes = run.events("routes", names=True)
    assert routes["metres"].tolist() == [50_000, 100_000, 200_000]
    assert routes["buyer"].tolist() == ["shop_1", "shop_2", "maker"] and routes["load"].tolist() == [10, 10, 0]
    sent = run.events("dispatches")
    assert sent["cost"].tolist() == [137.333333, 274.666667]
    assert sent["arrive_week"].tolist() == [2, 3]  # 50 km in a week, 100 km in two
    assert sent["space"].sum() == 25


def test_what_vehicles_cannot_hold_waits():
    facts = scenario({**LINE, "vehicles": {**LINE["vehicles"], "count": 1, "capacity_units": 12}})
    sent = ecosim.run(facts, steps=2).events("dispatches")
    assert sent["sent"].tolist() == [10, 2, 10, 2]  # in week 2 both shops have lines due in week 3; then by number
    assert sent["ready"].tolist() == [10, 10, 10, 18]


def test_a_courier_goes_there_and_back():
    facts = scenario({**LINE, "vehicles": {**LINE["vehicles"], "express_weeks": 0, "express_factor": 1.5}})
    run = ecosim.run(facts, steps=1, minds={"manufacturer.dispatch": lambda q: {"mode": np.full(q.num_rows, EXPRESS)}})
    sent = run.events("dispatches")
    assert sent["cost"].tolist() == [1.5 * (2 * 100 + 12), 1.5 * (2 * 200 + 12)]
    assert sent["arrive_week"].tolist() == [1, 1] and "routes" not in run.tables


def test_packing_takes_loads_in_turn():
    assert routing.fit([6, 6, 3, 5], count=2, capacity=10) == ([6, 6, 3, 4], [[0, 2], [1, 3]])
    assert routing.fit([30], count=2, capacity=10) == ([10], [[0]])


def corners(*at):
    x, y = np.array([(0, 0), *at]).T
    return np.abs(x[:, None] - x) + np.abs(y[:, None] - y)


def test_rounds_are_as_short_as_they_can_be():
    """Two pairs of neighbours on two sides of the depot, vehicles for two: each pair has its own, 22 + 22."""
    metres = corners((10, 0), (-10, 0), (11, 0), (-11, 0))
    rounds = routing.plan(metres, [5, 5, 5, 5], 2, 10, [100] * 4, 0, seed=1, iterations=50)
    assert sorted(map(sorted, rounds)) == [[0, 2], [1, 3]]
    assert sum(routing.driven(metres, stops)[-1] for stops in rounds) == 44


def test_who_may_not_wait_is_served_first():
    """The shorter round would go past the two near stops first; the far one must be reached within its distance."""
    metres = corners((10, 0), (10, 10), (0, 10))
    for hurried in range(3):
        latest = [100] * 3
        latest[hurried] = int(metres[0, hurried + 1])
        stops = routing.plan(metres, [1, 1, 1], 1, 10, latest, 0, seed=1, iterations=50)
        assert len(stops) == 1 and routing.driven(metres, stops[0])[stops[0].index(hurried)] <= latest[hurried]


def test_there_is_a_plan_even_where_nobody_can_be_in_time():
    metres = corners((10, 0), (-10, 0))
    assert routing.plan(metres, [1, 1], 1, 10, [5, 5], 0, seed=1, iterations=5) == [[0, 1]]


def test_rounds_of_fifty_stops_are_whole_legal_and_the_same_twice():
    lot = np.random.default_rng(1)
    metres = corners(*lot.integers(-100, 100, (50, 2)))
    load = lot.integers(1, 20, 50).tolist()
    taken, packed = routing.fit(load, 15, 40)
    assert taken == load
    rounds = routing.plan(metres, load, 15, 40, [10**6] * 50, 20, seed=3, iterations=20)
    assert rounds == routing.plan(metres, load, 15, 40, [10**6] * 50, 20, seed=3, iterations=20)
    assert sorted(stop for stops in rounds for stop in stops) == list(range(50))
    assert all(sum(load[stop] for stop in stops) <= 40 for stops in rounds)
    length = sum(routing.driven(metres, stops)[-1] for stops in rounds)
    assert length < 0.6 * sum(routing.driven(metres, stops)[-1] for stops in packed)


def test_shares_add_up():
    assert split(100, [1, 1, 1]) == [34, 33, 33]
    assert split(412_000_000, [100_000, 200_000]) == [137_333_333, 274_666_667]


# ---- experts, figures, laws ---------------------------------------------------------------------------------------


class Dock:
    """A question about loads, as experts see it."""

    def __init__(self, **columns):
        self.columns = {name: np.array(column) for name, column in columns.items()}
        self.num_rows = len(next(iter(self.columns.values())))

    def __getitem__(self, name):
        return self.columns[name]


def test_experts_hold_ship_and_expedite_as_they_say():
    dock = Dock(
        load=[48, 47, 10, 10], full_load=[60, 60, 60, 0], weeks_until_due=[5, 5, 1, 0], transit_weeks=[1, 1, 1, 2],
        express_weeks=[0, 0, 0, 1],
    )  # fmt: skip
    assert consolidate(dock)["mode"].tolist() == [SHIP, HOLD, SHIP, SHIP]
    assert expedite_when_late(dock)["mode"].tolist() == [SHIP, SHIP, SHIP, EXPRESS]
    assert ship_at_once(dock)["mode"].tolist() == [SHIP] * 4


def test_on_time_in_full_counts_order_lines_and_units():
    """A lane takes nine of ten units a week: of each line to the near shop a unit more comes too late."""
    lanes = {"places": PLACES, "lanes": [lane("near", 1, capacity_units=9), lane("far", 1)]}
    run = ecosim.run(scenario(lanes), steps=4)  # lines of weeks 1, 2, 3 are due in weeks 2, 3, 4
    kpis = run.kpis.set_index(["metric", "group"])["value"]
    assert kpis["otif", ""] == 3 / 6  # those of the far shop
    assert kpis["in_full", ""] == 1 - (1 + 2 + 3) / 60  # a unit more is missing each week
    assert kpis["fill_rate_type_1", ""] == 1


def test_lines_that_are_struck_off_are_missed():
    """The maker has twelve units and makes none: week 1's second line ships two of ten, and nothing is sent later."""
    facts = scenario(LANES, firms=[
        {"name": "maker", "role": "manufacturer", "sells": "tea", "capacity_units": 1, "stock_units": {"tea": 12}},
        {"name": "shop", "role": "distributor", "sells": "tea", "count": 2, "partner": "maker", "demand": "consumers",
         "stock_units": {"tea": 200}},
    ], unmet="lost", steps=3)  # fmt: skip
    still = {"manufacturer.replenish": lambda question: {"quantity": np.zeros(question.num_rows, np.int64)}}
    run = ecosim.run(facts, minds=still)
    assert run.events("lost_orders")["lost"].tolist() == [8, 10, 10, 10, 10]
    # due within three weeks: the near shop's of weeks 1 and 2 (weeks 2 and 3); the far shop's come in week 4 and later
    kpis = run.kpis.set_index(["metric", "group"])["value"]
    assert kpis["otif", ""] == 1 / 2 and kpis["in_full", ""] == 1 / 2


def test_nothing_is_lost_whatever_is_decided_about_loads():
    facts = simulate.load_scenario("delivery_scheduling").with_changes(seeds=2, steps=6)
    world, _, recorder = simulate.prepare(facts, [Arm(name="all", minds={"manufacturer": anything_legal})])
    paid = 0
    for step in range(1, 7):
        world.step()
        events = recorder.close_step(step)
        paid += events["dispatches"]["cost"].sum()
        assert (events["dispatches"]["sent"] <= events["dispatches"]["ready"]).all()
        routes = events["routes"]
        assert routes["load"].sum() <= events["dispatches"]["sent"].sum()
    assert world.is_live.all(), world.tables["replicas"]["fault"]
    accounts = world.ledger.accounts
    reason = world.ledger.reasons.index("transport")
    assert -accounts["cash_by_reason"][accounts["is_member"], reason].sum() == paid > 0


def test_the_same_run_has_the_same_digest_and_ask_never_writes():
    once, again = (testing.run_digests("delivery_scheduling", seeds=2, steps=4).manifest for _ in range(2))
    assert once["digests"] == again["digests"]
    facts = simulate.load_scenario("delivery_scheduling").with_changes(seeds=2, steps=4)
    world, _, _ = simulate.prepare(facts, [Arm(name="all", minds={"manufacturer.dispatch": "consolidate"})])
    for _ in range(2):
        world.step()
    for phase in world.phases:
        testing.check_phase(phase, world)


def test_a_market_negotiates_with_the_transit_times_of_its_lanes():
    run = ecosim.run("smart_manufacturing", seeds=2, steps=8, changes={"transport": MARKET})
    contracts = run.events("contracts", names=True)
    ahead = (contracts["due_week"] - contracts["step"]).groupby(contracts["item"]).min()
    assert ahead.to_dict() == {"pump": 1, "resin": 2, "steel": 2}
    costs = run.kpis.query("metric == 'transport_cost_eur'").groupby("group")["value"].sum()
    assert costs["supplier"] > 0 < costs["manufacturer"] and costs["distributor"] == 0


def with_vehicles(**changes):
    return {**LINE, "vehicles": {**LINE["vehicles"], **changes}}


@pytest.mark.parametrize(
    ("transport", "changes", "message"),
    [
        ({**LANES, "places": {**PLACES, "far": {"firms": ["shop_3"]}}}, {},
         r"transport.places.far.firms: unknown firm 'shop_3'; known: maker, shop"),
        ({**LANES, "places": {**PLACES, "far": {"firms": ["shop_1"]}}}, {},
         r"transport.places: shop_1 is at 2 places; name it once"),
        ({**LANES, "places": {k: v for k, v in PLACES.items() if k != "far"}}, {},
         r"transport.places: shop_2 is at no place; name it, or its group, at one"),
        ({**LANES, "lanes": [*LANES["lanes"], lane("moon", 1)]}, {},
         r"transport.lanes\[2\].destination: unknown place 'moon'; known: yard, near, far"),
        ({**LANES, "lanes": LANES["lanes"][:1]}, {},
         r"transport.lanes: no lane from 'yard' to 'far', where maker ships to shop_2; add it, or vehicles"),
        ({**LANES, "lanes": [*LANES["lanes"], lane("far", 1)]}, {},
         r"transport.lanes\[2\]: a second lane from 'yard' to 'far'; keep one"),
        ({**LANES, "lanes": [lane("near", -1), lane("far", 1)]}, {},
         r"transport.lanes\[0\].weeks: input should be greater than or equal to 0, got -1"),
        ({**LANES, "lanes": [lane("near", 1, capacity_units=0), lane("far", 1)]}, {},
         r"transport.lanes\[0\].capacity_units: input should be greater than or equal to 1, got 0"),
        ({**LANES, "lanes": [lane("near", 1, delay_chance=1.5), lane("far", 1)]}, {},
         r"transport.lanes\[0\].delay_chance: input should be less than or equal to 1, got 1.5"),
        ({**LANES, "lanes": [lane("near", 1, express_weeks=1), lane("far", 1)]}, {},
         r"transport.lanes\[0\]: express_weeks \(1\) must be below weeks \(1\)"),
        (LANES, {"lead_time_weeks": 3}, r"lead_time_weeks: 3, but transit times come from 'transport'; leave it out"),
        (with_vehicles(count=0), {},
         r"transport.vehicles.count: input should be greater than or equal to 1, got 0"),
        (with_vehicles(km_per_week=0), {}, r"transport.vehicles.km_per_week: input should be greater than 0, got 0"),
        (with_vehicles(express_weeks=1), {}, r"transport.vehicles: express_weeks \(1\) must be below a week"),
        ({**LINE, "places": {**LINE["places"], "far": {"firms": ["shop_2"]}}}, {},
         r"transport.places.far: vehicles need x_km and y_km; give both"),
        ({**LINE, "places": {**LINE["places"], "far": {"firms": ["shop_2"], "x_km": 1}}}, {},
         r"transport.places.far: has one of x_km and y_km; give both, or neither"),
        (LANES, {"phases": ["arrive", "demand", "replenish", "order", "produce", "ship", "charge"]},
         r"phases: with 'transport', 'ship' needs 'dispatch'"),
        (LANES, {"phases": ["arrive", "demand", "replenish", "order", "produce", "ship", "dispatch", "charge"]},
         r"phases: 'dispatch' says what 'ship' may take along; put it before 'ship'"),
        (None, {}, r"phases: 'dispatch' does nothing without the key 'transport'; add it"),
    ],
)  # fmt: skip
def test_an_impossible_network_is_told_in_a_line(transport, changes, message):
    with pytest.raises(ScenarioError, match=message):
        scenario(transport, **changes)


def test_all_faults_of_a_network_come_at_once():
    with pytest.raises(ScenarioError) as caught:
        scenario({"places": {"yard": {"firms": ["maker", "baker"]}}, "lanes": [lane("near", 1)]}, lead_time_weeks=2)
    assert str(caught.value).count("\n") >= 4
