"""Machines wear, fail and are repaired; who maintains decides by what it sees; OEE is what the events say."""

import numpy as np
import pytest

import ecosim
from ecosim import catalog, simulate, testing
from ecosim.errors import ScenarioError
from ecosim.exact import MILLION
from ecosim.manufacturing import equipment, maintenance
from ecosim.manufacturing.maintenance import DEFER, INSPECT, NOW
from ecosim.minds.prompts import Prompts
from ecosim.opening import Arm
from ecosim.record.store import Memory
from ecosim.rules import reliability
from ecosim.validate import laws, shop_floor

NAME = "maintenance_or_not"
EVEN = {
    "machines": 1, "life_weeks": 4.0, "wear_shape": 0, "threshold_spread": 0.0, "repair_weeks": 1.5, "repair_shape": 0,
    "repair_cost_eur": 100.0, "maintenance_weeks": 0.25, "maintenance_cost_eur": 20.0, "inspection_cost_eur": 5.0,
    "sensor_noise": 0.0,
}  # fmt: skip
"""A press that wears by a quarter a week, fails after four, and takes a week and a half to repair."""


def always(act):
    return lambda question: {"act": np.full(question.num_rows, act)}


def press(steps, maintain="run_to_failure", **changes):
    """One shop with one press of 100 units a week, which always wants to make 1,000."""
    facts = {
        "firms.0.count": 1, "firms.0.capacity_units": 100, "steps": steps, "seeds": 1, "equipment": {**EVEN, **changes},
        "max_order_units": 1000,
    }  # fmt: skip
    everything = lambda q: {"quantity": np.full(q.num_rows, 1000 * MILLION)}  # noqa: E731
    return ecosim.run(NAME, changes=facts, minds={"supplier.maintain": maintain, "supplier.replenish": everything})


def test_a_machine_fails_to_the_moment_and_its_repair_takes_its_time():
    """It fails as week 4 ends, and, half a week after the repair ended in week 6, four running weeks later."""
    found = press(12).events("machines")
    assert found["running"].tolist() == [1, 1, 1, 1, 0, 0.5, 1, 1, 1, 0.5, 0, 1]
    assert found["repair"].tolist() == [0, 0, 0, 0, 1, 0.5, 0, 0, 0, 0.5, 1, 0]
    assert found["step"][found["failed"] == 1].tolist() == [4, 10]
    assert found["level"].tolist() == [0.25, 0.5, 0.75, 0, 0, 0.125, 0.375, 0.625, 0.875, 0, 0, 0.25]


def test_a_repair_that_ends_within_the_week_leaves_the_rest_of_it():
    found = press(6, repair_weeks=0.5).events("machines")
    assert found["running"].tolist() == [1, 1, 1, 1, 0.5, 1]
    assert found["level"].tolist() == [0.25, 0.5, 0.75, 0, 0.125, 0.375]


def test_what_is_made_follows_what_runs_and_the_lever_stays():
    """The owner halves the press in week 6; the repair of weeks 5 and 6 takes its share of what is left."""
    halve = {"step": 6, "table": "firms", "column": "capacity_units", "times": 0.5}
    facts = {"firms.0.count": 1, "firms.0.capacity_units": 100, "steps": 8, "seeds": 1, "equipment": EVEN}
    everything = lambda q: {"quantity": q.field("quantity").high}  # noqa: E731
    minds = {"supplier.maintain": "run_to_failure", "supplier.replenish": everything}
    run = ecosim.run(NAME, changes={**facts, "interventions": [halve]}, minds=minds)
    assert run.events("production")["made"].tolist() == [100, 100, 100, 100, 0, 25, 50, 50]
    assert run.world(0).tables["firms"]["capacity"].tolist() == [50 * MILLION]


def test_worn_machines_are_slower_and_spoil_goods():
    """At wear .75, half-way from .5 to 1, half of 20 % of the speed is lost, and half of 10 % is scrap: 4 of 90."""
    run = press(3, slows_from=0.5, speed_loss=0.2, reject_share=0.1)
    assert run.events("production")["made"].tolist() == [100, 100, 90]
    assert run.events("rejects")["quantity"].tolist() == [4]
    assert run.manifest["faults"] == {}


def test_maintenance_takes_a_quarter_of_the_week_and_makes_the_machine_new():
    run = press(3, always(NOW))
    assert run.events("production")["made"].tolist() == [75] * 3
    assert run.events("machines")["level"].tolist() == [0.25] * 3
    assert run.events("maintenance")["cost"].tolist() == [20] * 3


def test_maintenance_longer_than_a_week_goes_on_in_the_next_and_is_not_asked_again():
    run = press(4, always(NOW), maintenance_weeks=1.5)
    assert run.events("production")["made"].tolist() == [0, 0, 0, 0]  # week 2 has half a week, and stops again
    assert run.events("maintenance")[["step", "stop"]].to_numpy().tolist() == [[1, 1], [2, 0.5], [4, 1]]


def test_what_is_asked_shows_readings_and_what_an_inspection_found():
    seen = []

    def look(question):
        seen.append({name: column.tolist() for name, column in question.columns.items()})
        seen[-1]["shown"] = question.masks["readings"].sum(axis=1).tolist()
        return {"act": np.full(question.num_rows, INSPECT if question.step == 2 else DEFER)}

    run = press(4, look)
    assert [asked["readings"][0][:3] for asked in seen] == [
        [250_000, 0, 0],
        [500_000, 250_000, 0],
        [750_000, 500_000, 250_000],
    ]
    assert [asked["shown"] for asked in seen] == [[1], [2], [3]]
    assert [asked["was_inspected"] for asked in seen] == [[0], [0], [1]]
    assert (seen[2]["inspected_wear"], seen[2]["inspected_ago"], seen[2]["weeks_run"]) == ([500_000], [1], [3])
    assert (seen[0]["load"], seen[0]["repair_cost"]) == ([10.0], [100 * MILLION])
    assert run.events("maintenance")[["act", "cost"]].to_numpy().tolist() == [[INSPECT, 5]]


def test_without_monitoring_nobody_sees_a_reading_and_wear_is_the_same():
    shown = []

    def look(question):
        shown.append(int(question.masks["readings"].sum()) + int(question["readings"].sum()))
        return {"act": np.full(question.num_rows, DEFER)}

    blind = press(6, look, monitoring=False, wear_shape=2)
    assert shown and set(shown) == {0}
    assert blind.events("machines").equals(press(6, wear_shape=2).events("machines"))


def found(wear, weeks_ago):
    return {"was_inspected": 1, "inspected_wear": round(wear * MILLION), "inspected_ago": weeks_ago}


def question(**columns):
    """One row that a machine of twenty weeks of life is asked, new by default."""
    facts = simulate.load_scenario(NAME).with_changes(steps=1, seeds=1)
    world, _, _ = simulate.prepare(facts, [Arm(name="all")])
    (asked,) = world.phases[facts.phases.index("maintain")].ask(world)
    one = asked.take(np.array([0]))
    readings = columns.pop("readings", [])
    mask = np.arange(equipment.SHOWN_READINGS) < len(readings)
    level = np.array([[*readings, *[0] * (equipment.SHOWN_READINGS - len(readings))]])
    one.columns.update({name: np.array([value]) for name, value in {"life_weeks": 20.0, **columns}.items()})
    one.columns["readings"] = np.rint(level * MILLION).astype(np.int64)
    one.masks["readings"] = mask[None, :]
    return one


@pytest.mark.parametrize(
    ("expert", "columns", "act"),
    [
        ("run_to_failure", {"weeks_run": 99, "readings": [2.0]}, DEFER),
        ("age_based", {"weeks_run": 13}, DEFER),
        ("age_based", {"weeks_run": 14}, NOW),
        ("condition_based", {"weeks_run": 99, "readings": [0.6, 0.6]}, DEFER),
        ("condition_based", {"weeks_run": 1, "readings": [0.9, 0.6, 0.45, 0.1]}, NOW),  # the mean of three is .65
        ("condition_based", {"weeks_run": 14}, NOW),  # without readings it goes by age
        ("inspect_when_old", {"weeks_run": 9}, DEFER),
        ("inspect_when_old", {"weeks_run": 10}, INSPECT),
        ("inspect_when_old", {"weeks_run": 11, **found(0.64, weeks_ago=1)}, DEFER),
        ("inspect_when_old", {"weeks_run": 12, **found(0.64, weeks_ago=2)}, INSPECT),
        ("inspect_when_old", {"weeks_run": 11, **found(0.65, weeks_ago=1)}, NOW),
    ],
)  # fmt: skip
def test_what_an_expert_does(expert, columns, act):
    assert maintenance.MAINTAIN[expert](question(**columns))["act"].tolist() == [act]


def test_a_period_of_ones_own():
    assert maintenance.by_age(6)(question(weeks_run=6))["act"].tolist() == [NOW]
    assert maintenance.by_age(6)(question(weeks_run=5))["act"].tolist() == [DEFER]


@pytest.mark.parametrize("role", ["supplier", "manufacturer"])
def test_a_language_mind_reads_of_machines_with_and_without_sensors(role):
    prompts = Prompts(catalog.card(role), "maintain")
    seen = question(weeks_run=12, readings=[0.62, 0.5], load=0.8)
    ((_, own),) = prompts.render(seen)
    assert "Sensor 62 50 percent, newest first, ran 12 weeks of about 20.0, never inspected." in own
    ((_, own),) = prompts.render(question(weeks_run=12, was_inspected=1, inspected_wear=700_000, inspected_ago=3))
    assert "Inspected 3 weeks ago: wear 70 percent. No sensor, ran 12 weeks" in " ".join(own.split())


def test_oee_is_what_the_events_say():
    """Three of twelve weeks under repair (1.5, and the 1.5 of weeks 10 and 11), the rest at ideal speed, all good."""
    run = press(12)
    kpis = run.kpis[run.kpis["group"] == ""].set_index("metric")["value"]
    running = 4 + 0.5 + 3 + 0.5 + 1
    assert kpis["availability"] == pytest.approx(running / 12)
    assert (kpis["performance"], kpis["quality"]) == (pytest.approx(1.0), 1.0)
    assert kpis["oee"] == pytest.approx(running / 12)
    assert (kpis["failures"], kpis["mttr_weeks"], kpis["mtbf_weeks"]) == (2, 1.5, running / 2)
    assert kpis["upkeep_eur"] == 200


def test_planned_maintenance_is_no_downtime_but_no_uptime_either():
    kpis = press(4, always(NOW)).kpis.query("group == 'supplier'").set_index("metric")["value"]
    assert (kpis["availability"], kpis["uptime"], kpis["oee"]) == (1.0, 0.75, 1.0)
    assert np.isnan(kpis["mtbf_weeks"])


def test_erlang_draws_have_mean_one_and_a_variance_of_one_over_the_shape():
    key = (np.arange(40_000), np.zeros(40_000, np.int64))
    for shape in (1, 3, 4):
        drawn = equipment.erlang(shape, np.full(40_000, 7, np.uint64), 1, "test", key)
        assert drawn.mean() == pytest.approx(1, abs=4 / np.sqrt(shape * 40_000))
        assert drawn.var() == pytest.approx(1 / shape, rel=0.06)
    assert (equipment.erlang(0, np.zeros(1, np.uint64), 1, "test", (np.arange(3),)) == 1).all()


def test_machines_left_to_fail_are_up_as_renewal_theory_says():
    changes = {"machines": 30, "wear_shape": 2, "repair_weeks": 0.4, "repair_shape": 1, "life_weeks": 6.0}
    assert all(figure.is_met for figure in shop_floor.running_to_failure(changes, seeds=5, weeks=110))
    assert all(figure.is_met for figure in [*shop_floor.effectiveness(), *shop_floor.breakdowns()])


def test_a_queue_at_capacity_has_no_mean():
    with pytest.raises(ValueError, match="utilisation must be within 0 … 1, 1 not included, got 1"):
        reliability.queue_wait(1.0, 1.0)


def test_arms_that_maintain_otherwise_meet_the_same_wear_and_demand():
    minds = ("condition_based", "run_to_failure", "age_based")
    arms = [Arm(name=name, minds={"supplier.maintain": name}) for name in minds]
    facts = simulate.load_scenario(NAME).with_changes(seeds=2, steps=12)
    done = simulate.simulate(facts, arms, Memory()).manifest
    world, whole = done["exogenous_digests"], done["digests"]
    assert world[:2] == world[2:4] == world[4:] and len(set(world)) == 2
    assert len(set(whole)) == 6


def test_a_run_has_its_digest_twice_and_a_replica_has_it_alone():
    twice = [testing.run_digests(NAME, seeds=2, steps=8).manifest["digests"] for _ in range(2)]
    assert twice[0] == twice[1]
    assert len(set(testing.check_alone(NAME, seeds=3, steps=8))) == 3


def test_goods_and_cash_are_conserved_with_scrap():
    assert [figure.is_met for figure in laws.conservation(NAME, seeds=2, steps=20)] == [True] * 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"life_weeks": 0.5}, "equipment.life_weeks: "),
        ({"life_weeks": "long"}, "equipment.life_weeks: "),
        ({"machines": 0}, "equipment.machines: "),
        ({"threshold_spread": 1.0}, "equipment.threshold_spread: "),
        ({"wear_shape": -1}, "equipment.wear_shape: "),
        ({"repair_weeks": -1.0}, "equipment.repair_weeks: "),
        ({"reject_share": 1.5}, "equipment.reject_share: "),
        ({"sensors": True}, "equipment.sensors: unknown key 'sensors'"),
        ({"firms": ["press_shp"]}, r"equipment.firms\[0\]: unknown firm 'press_shp'; known: press_shop"),
    ],
)
def test_a_fault_of_equipment_is_told(changes, message):
    with pytest.raises(ScenarioError, match=message):
        simulate.load_scenario(NAME).with_changes(equipment={"life_weeks": 12.0, **changes})


def test_who_makes_nothing_has_no_machines():
    market = simulate.load_scenario("smart_manufacturing")
    with pytest.raises(
        ScenarioError, match=r"equipment.firms\[0\]: 'distributor' is a distributor, which has no machines"
    ):
        market.with_changes(equipment={"life_weeks": 12.0, "firms": ["distributor"]})
    with pytest.raises(ScenarioError, match="phases: 'wear' does nothing without the key 'equipment'; add it"):
        market.with_changes(phases=["wear", *market.phases])


def test_only_the_groups_named_have_machines():
    changes = {"equipment": {"life_weeks": 3.0, "machines": 2, "firms": ["pump_maker"]}}
    machines = ecosim.run("smart_manufacturing", seeds=1, steps=3, changes=changes).events("machines")
    assert sorted(machines["member"].unique()) == [8, 9, 10, 11, 12, 13] and len(machines) == 36
