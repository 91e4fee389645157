"""Shocks come from outside, are felt where they should be, leave nothing behind, and reach all arms alike."""

import numpy as np
import pytest

import ecosim
from ecosim import catalog, simulate, testing
from ecosim.contrast import check_common_world
from ecosim.errors import ScenarioError
from ecosim.exact import MILLION
from ecosim.manufacturing import resilience
from ecosim.manufacturing.resilience import ripple
from ecosim.manufacturing.shocks import intensity
from ecosim.validate import laws, outage

NAME, PRESSES, MARKET = "supplier_outage", "maintenance_or_not", "smart_manufacturing"
EVERYTHING = {"supplier.replenish": lambda q: {"quantity": q.field("quantity").high}}


def shock(kind="outage", **more):
    return {"name": kind, "kind": kind, **more}


def shop(*shocks, steps=8, seeds=1, **changes):
    """One maker of 100 units a week for consumers who want 40, without machines."""
    phases = ["shock", "arrive", "demand", "replenish", "produce", "charge"]
    facts = {
        "firms.0.count": 1, "firms.0.capacity_units": 100, "equipment": None, "steps": steps, "seeds": seeds,
        "demand.mean_units": 40, "demand.sd_units": 0, "phases": phases, "shocks": list(shocks), **changes,
    }  # fmt: skip
    return ecosim.run(PRESSES, changes=facts, minds=EVERYTHING)


def market(*shocks, steps=6, seeds=1, **changes):
    return ecosim.run(MARKET, steps=steps, seeds=seeds, changes={"shocks": list(shocks), **changes})


def made(run):
    return run.events("production")["made"].tolist()


# ---- what is felt ---------------------------------------------------------------------------------------------------


def test_an_outage_takes_capacity_and_gives_it_back_evenly():
    run = shop(shock(size=0.8, week=2, weeks=2, recovery_weeks=3))
    assert made(run) == [100, 20, 20, 40, 60, 80, 100, 100]
    assert run.world(0).tables["firms"]["shock_capacity"].tolist() == [MILLION]


def test_shocks_interventions_and_machines_compose_and_the_lever_is_never_touched():
    """Half is out in weeks 2 … 4; the owner cuts to 80 in week 3; the one press stands still for half of week 4."""
    press = {
        "life_weeks": 3.0, "wear_shape": 0, "threshold_spread": 0.0, "repair_shape": 0, "repair_weeks": 0.5,
        "sensor_noise": 0.0,
    }  # fmt: skip
    cut = {"step": 3, "table": "firms", "column": "capacity_units", "set": 80}
    phases = ["shock", "wear", "arrive", "demand", "replenish", "maintain", "produce", "charge"]
    changes = {"equipment": press, "interventions": [cut], "phases": phases, "steps": 6}
    facts = {"firms.0.count": 1, "firms.0.capacity_units": 100, "seeds": 1, **changes}
    minds = {**EVERYTHING, "supplier.maintain": "run_to_failure"}
    out = [shock(size=0.5, week=2, weeks=3)]
    run = ecosim.run(PRESSES, changes={**facts, "shocks": out}, minds=minds)
    assert run.events("machines")["running"].tolist() == [1, 1, 1, 0.5, 1, 1]
    assert made(run) == [100, 50, 40, 20, 80, 80]
    assert run.world(0).tables["firms"]["capacity"].tolist() == [80 * MILLION]


def test_a_surge_multiplies_what_consumers_want_beside_the_lever():
    half = {"step": 3, "table": "firms", "column": "demand_factor", "set": 0.5}
    run = shop(shock("surge", size=1.5, week=2, weeks=2), interventions=[half], steps=5)
    assert run.events("demand")["wanted"].tolist() == [40, 60, 30, 20, 20]


def test_a_closure_keeps_goods_at_home_and_a_part_of_it_a_part():
    calm, closed = market(), market(shock("closure", whom={"role": "manufacturer"}, week=3, weeks=2))

    def sent(run):
        mine = run.events("shipments")
        return mine[mine["seller"].between(8, 13)].groupby("step")["quantity"].sum().reindex(range(1, 7), fill_value=0)

    assert (sent(closed)[[3, 4]] == 0).all() and (sent(calm)[[3, 4]] > 0).all()
    assert sent(closed)[[1, 2]].equals(sent(calm)[[1, 2]]) and sent(closed)[5] > sent(calm)[5]
    half = market(shock("closure", size=0.5, whom={"role": "manufacturer"}, week=3))
    assert 0 < sent(half)[3] <= sent(calm)[3]


def test_a_delay_makes_goods_come_later_and_the_seller_pay():
    run = market(shock("delay", size=2, whom={"group": "pump_maker"}, week=2, weeks=2), steps=7)
    sent = run.events("shipments")
    weeks = sent["arrive_week"] - sent["step"]
    slow = sent["seller"].between(8, 13) & sent["step"].isin([2, 3])
    assert slow.any() and (weeks[slow] == 3).all() and (weeks[~slow] == 1).all()
    assert run.events("deliveries")["late"].max() >= 1


def test_a_cost_jump_is_paid_while_it_lasts():
    """12 euros a unit, 18 in week 2."""
    run = shop(shock("cost_jump", size=1.5, whom={"item": "part"}, week=2), steps=3)
    paid = run.world(0).ledger.accounts["cash_by_reason"][0, run.world(0).ledger.reasons.index("production")]
    assert paid == -(1200 + 1800 + 1200) * MILLION


def test_jumps_move_the_limits_of_those_who_buy_and_those_who_make():
    dear = market(shock("value_jump", size=2.0, whom={"item": "pump"}, week=2), steps=2).events("talks")
    cost = market(shock("cost_jump", size=2.0, whom={"item": "steel"}, week=2), steps=2).events("talks")
    calm = market(steps=2).events("talks")
    keys = ["step", "buyer", "seller", "item"]
    both = calm.merge(dear, on=keys, suffixes=("", "_after"))
    ratio = both["buyer_limit_after"] / both["buyer_limit"]
    jumped = (both["item"] == 2) & (both["step"] == 2)
    assert jumped.any() and ratio[jumped].to_numpy() == pytest.approx(2.0, abs=1e-3) and (ratio[~jumped] == 1).all()
    both = calm.merge(cost, on=keys, suffixes=("", "_after"))
    steel = both[(both["item"] == 0) & (both["step"] == 2)]
    assert (steel["seller_limit_after"] / steel["seller_limit"]).to_numpy() == pytest.approx(2.0, abs=0.01)
    assert (both["buyer_limit"] == both["buyer_limit_after"]).all()


def test_a_recall_takes_its_share_of_all_stock_of_an_item_wherever_it_lies():
    run = market(shock("recall", size=0.25, whom={"item": "steel"}, week=1), steps=2)
    found = run.events("recalls", names=True).set_index("member")["quantity"]
    assert found.to_dict() == {
        **{f"steelworks_{k}": 30 for k in range(1, 5)},
        **{f"pump_maker_{k}": 20 for k in range(1, 7)},
    }
    assert run.manifest["faults"] == {}
    some = market(shock("recall", size=1.0, whom={"role": "distributor"}, week=1), steps=1).events("recalls")
    assert some["quantity"].tolist() == [60.0] * 6


def test_intensity_is_full_then_fades_then_is_nothing():
    assert intensity(np.arange(5), np.full(5, 2), 0).tolist() == [MILLION, MILLION, 0, 0, 0]
    assert intensity(np.arange(5), np.full(5, 2), 1).tolist() == [MILLION, MILLION, MILLION // 2, 0, 0]


# ---- when they come -------------------------------------------------------------------------------------------------


def test_a_shock_does_not_begin_again_before_it_is_over():
    run = shop(shock(chance=1.0, weeks=2, recovery_weeks=1), steps=9)
    assert run.events("shocks")["step"].tolist() == [1, 4, 7]


def test_a_random_shock_comes_as_often_and_lasts_as_long_as_it_says():
    run = shop(shock(chance=0.1, size=0.5), steps=100, seeds=60)
    share = len(run.events("shocks")) / 6000
    assert share == pytest.approx(0.1, abs=4 * np.sqrt(0.1 * 0.9 / 6000))
    weeks = shop(shock(week=1, weeks=2, most_weeks=4), steps=1, seeds=300).events("shocks")["weeks"]
    assert sorted(weeks.unique()) == [2, 3, 4] and weeks.mean() == pytest.approx(3, abs=4 * np.sqrt(2 / 3 / 300))


def test_a_shock_may_bring_about_another_which_says_so():
    after = [
        shock(week=2, triggers=[{"shock": "surge", "chance": 1.0, "weeks": 3}]),
        shock("surge", size=2.0, triggers=[{"shock": "delay", "chance": 0.5, "weeks": 0}]),
        shock("delay", size=1.0),
    ]
    found = shop(*after, seeds=80).events("shocks", names=True)
    surges, delays = found[found["shock"] == "surge"], found[found["shock"] == "delay"]
    assert (surges["step"] == 5).all() and len(surges) == 80 and set(surges["cause"]) == {"outage"}
    assert (delays["step"] == 5).all() and set(delays["cause"]) == {"surge"}
    assert len(delays) == pytest.approx(40, abs=4 * np.sqrt(20))


def test_another_shock_in_the_file_does_not_move_those_that_are_there():
    one, two = shock(chance=0.2), shock("surge", size=2.0, chance=0.3)
    alone = shop(one, seeds=5, steps=20).events("shocks")
    both = shop(two, one, seeds=5, steps=20).events("shocks")
    assert (
        both[both["shock"] == 1][["replica", "step"]].to_numpy().tolist()
        == alone[["replica", "step"]].to_numpy().tolist()
    )


def test_arms_with_other_minds_meet_the_same_shocks():
    arms = {"usual": {}, "early": {"distributor.negotiate": "conceder"}}
    run = ecosim.compare(NAME, arms, seeds=3, steps=24).run
    check_common_world(run.manifest)
    found = run.events("shocks")
    pairs = [found[found["replica"] // 3 == arm].drop(columns="replica").to_numpy().tolist() for arm in (0, 1)]
    assert pairs[0] == pairs[1] and len(pairs[0]) >= 3
    assert not set(run.manifest["digests"][:3]) & set(run.manifest["digests"][3:])


def test_a_run_has_its_digest_twice_and_a_replica_has_it_alone():
    facts = simulate.load_scenario(NAME).with_changes(
        steps=8, shocks=[shock(chance=0.2), shock("recall", size=0.1, week=3)]
    )
    twice = [testing.run_digests(facts, seeds=2, steps=8).manifest["digests"] for _ in range(2)]
    assert twice[0] == twice[1]
    assert len(set(testing.check_alone(facts, seeds=3, steps=8))) == 3


def test_an_empty_list_is_no_shock():
    with_none = testing.run_digests(simulate.load_scenario(MARKET).with_changes(shocks=[]), seeds=1, steps=4)
    assert with_none.manifest["digests"] == testing.run_digests(MARKET, seeds=1, steps=4).manifest["digests"]


def test_goods_and_cash_are_conserved_with_recalls():
    shocks = [
        shock("recall", size=0.3, week=4),
        shock(chance=0.3, whom={"role": "supplier"}),
        shock("delay", size=2, week=5),
    ]
    facts = simulate.load_scenario(NAME).with_changes(shocks=shocks)
    assert [figure.is_met for figure in laws.conservation(facts, seeds=2, steps=12)] == [True] * 4


# ---- figures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("weeks", "stock"), [(7, 30), (5, 20), (3, 0)])
def test_a_stock_survives_as_long_as_it_lasts(weeks, stock):
    """Stock 30, demand 10, out for 7: survives 3, 40 are not met."""
    assert all(figure.is_met for figure in outage.outage(weeks, stock))


def test_figures_by_hand():
    """Usual .9; unmet at once; .5 and .8 lie below .855, .86 does not, but not for three weeks until week 6."""
    demand = np.full(11, 10.0)
    served = np.array([9, 9, 9, 9, 5, 8.6, 8, 8.6, 8.6, 9, 9])
    survive, recover, lost, unmet = resilience.figures(served, demand, 4)
    assert (survive, recover) == (0, 3)
    assert (lost, unmet) == (pytest.approx(0.5 + 0.14 + 0.2), pytest.approx(8.4))
    assert np.isnan(resilience.figures(served, demand, None)).all()
    assert resilience.figures(demand, demand, 3) == (8, 0, 0, 0)


def test_what_never_comes_back_counts_until_the_end():
    assert resilience.figures(np.array([10, 10, 0, 0, 0.0]), np.full(5, 10.0), 1) == (1, 4, 3, 30)
    assert resilience.recovered(np.array([1, 0.5, 1, 1, 0.5, 1, 1.0]), 0.9) == 5


def test_figures_are_told_for_each_shock_by_name():
    run = shop(shock(week=3, weeks=3), shock("surge", size=3.0, week=6), steps=12, **{"firms.0.stock_units.part": 0})
    kpis = run.kpis.set_index(["metric", "group"])["value"]
    assert kpis["num_shocks", ""] == 2 and kpis["num_shocks", "surge"] == 1
    assert kpis["time_to_survive_weeks", "outage"] == kpis["time_to_survive_weeks", ""]
    assert kpis["lost_performance_weeks", "outage"] > 0


def test_an_outage_at_the_source_ripples_down_the_chain():
    fire = [shock(whom={"member": "factory"}, week=5, weeks=25)]
    still = {"demand.step_units": 4, "steps": 40, "shocks": fire, "phases": [
        "shock", "arrive", "demand", "ship", "charge", "replenish", "order", "produce"]}  # fmt: skip
    run = ecosim.run("beer_game", changes=still)
    wave = ripple(run).set_index("name")["after"]
    assert wave["factory"] < wave["distributor"] < wave["wholesaler"] < wave["retailer"]
    assert ripple(ecosim.run("beer_game", steps=4)).empty
    later = ripple(run, since=6).set_index("name")["week"]
    assert later["factory"] == 5 + wave["factory"]


# ---- faults ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shocks", "message"),
    [
        ([shock(week=3, size=1.2)], r"the size of a outage is a share above 0, at most 1, got 1.2"),
        ([shock("closure", week=3, size=0.0)], "the size of a closure is a share above 0, at most 1, got 0"),
        ([shock("surge", week=3)], "the size of a surge is a factor, and 1 changes nothing; give another"),
        ([shock("delay", week=3, size=1.5)], "the size of a delay is whole weeks from 1, got 1.5"),
        ([shock("recall", week=3, weeks=2)], "a recall happens in one week"),
        ([shock(week=3, weeks=4, most_weeks=2)], r"most_weeks \(2\) must not be below weeks \(4\)"),
        ([shock(week=3, weeks=0)], r"shocks\[0\].weeks: "),
        ([shock(week=-1)], r"shocks\[0\].week: "),
        ([shock(chance=1.5)], r"shocks\[0\].chance: "),
        ([shock("flood", week=3)], r"shocks\[0\].kind: "),
        ([shock("cost_jump", size=2.0, week=3)], r"a cost_jump concerns items; name them alone: whom: \{item: …\}"),
        ([shock(week=3, whom={"member": "chip_mayor"})], r"unknown .chip_mayor., did you mean .chip_major."),
        ([shock(week=3, whom={"town": "Ulm"})], r"shocks\[0\].whom: rows are not named by 'town'"),
        ([shock(week=3, whom={"member": 77})], r"shocks\[0\].whom: member: there is no 77; ids are 0 … 11"),
        ([shock(week=3, whom={"role": "supplier", "item": "controller"})], "whom: nobody there is all of this"),
        ([shock(week=3, whom={"role": "distributor"})], "distributors have none; use a closure"),
        ([shock("surge", size=2.0, week=3, whom={"role": "supplier"})], "a surge is of consumers' demand"),
        ([shock("value_jump", size=2.0, week=3, whom={"item": "chop"})], r"shocks\[0\].whom: item: unknown 'chop'"),
        ([shock()], "never begins; give a week"),
        ([shock(week=3, chance=0.1)], "begins in week 3 or with a chance a week, not both"),
        ([shock(week=3), shock(week=30)], r"shocks\[1\].name: another shock is called 'outage'"),
        ([shock(week=3, triggers=[{"shock": "outrage"}])], r"unknown shock .outrage., did you mean .outage."),
        ([shock(week=3, triggers=[{"shock": "outage"}])], "these would trigger each other for ever: outage → outage"),
        (
            [shock(week=3, triggers=[{"shock": "closure"}]), shock("closure", triggers=[{"shock": "outage"}])],
            "these would trigger each other for ever: ",
        ),
        (
            [shock(week=3, weeks=4, recovery_weeks=2, whom={"role": "supplier"}),
             {**shock(week=8, size=0.5, whom={"item": "chip"}), "name": "strike"}],
            r"shocks\[1\]: 'strike' is a second outage for some whom .outage. still concerns in week 8; make",
        ),
    ],
)  # fmt: skip
def test_a_fault_of_shocks_is_told(shocks, message):
    with pytest.raises(ScenarioError, match=message):
        simulate.load_scenario(NAME).with_changes(shocks=shocks)


def test_a_shock_after_the_end_is_a_fault_of_a_file_and_not_of_a_short_run(tmp_path):
    text = catalog.scenario_path(NAME).read_text(encoding="utf-8")
    path = tmp_path / "late.yaml"
    path.write_text(text.replace("week: 20", "week: 200"))
    with pytest.raises(ScenarioError, match=r"shocks\[0\].week: 200 is beyond the last week, 48; give an earlier one"):
        simulate.load_scenario(path)
    short = ecosim.run(NAME, steps=3, seeds=1)
    assert short.kpis.set_index(["metric", "group"])["value"].isna()["time_to_survive_weeks", "fire"]
