"""Firms that are out of business are asked nothing, choose nobody, and are chosen by nobody."""

import numpy as np

import ecosim
from ecosim import simulate
from ecosim.manufacturing.active import open_sellers
from ecosim.manufacturing.state import layout
from ecosim.manufacturing.talks import OUTCOMES
from ecosim.simulate import Arm

MARKET = "smart_manufacturing"
STEELWORKS_1, STEELWORKS_2, PUMP_MAKER_1, DISTRIBUTOR_1 = 0, 1, 8, 14


def close(*members):
    def closes(world):
        world.tables["firms"]["is_active"][list(members)] = False

    return closes


def test_a_firm_out_of_business_is_in_no_event_but_demand_and_what_was_on_its_way():
    closed = [STEELWORKS_1, PUMP_MAKER_1, DISTRIBUTOR_1]
    run = ecosim.run(MARKET, seeds=2, steps=6, interventions={1: close(*closed)})
    for table in ("orders", "requests", "offers", "talks", "contracts", "production", "shipments"):
        rows = run.events(table)
        assert len(rows)
        for party in {"member", "buyer", "seller"} & set(rows.columns):
            assert not rows[party].isin(closed).any(), (table, party)
    sales = run.events("sales").query("member == @DISTRIBUTOR_1")
    assert (sales[["sold", "at_once", "owed"]] == 0).all(axis=None)
    assert (run.events("demand").query("member == @DISTRIBUTOR_1")["wanted"] > 0).any()


def test_consumers_of_a_closed_firm_go_in_whole_units_to_those_that_sell():
    how = {"seeds": 2, "steps": 3, "interventions": {1: close(DISTRIBUTOR_1)}}
    lost = ecosim.run(MARKET, **how)
    moved = ecosim.run(MARKET, changes={"demand.of_inactive": "moves"}, **how)
    assert lost.events("demand").equals(moved.events("demand"))

    def asked_in_week_1(run):
        sales = run.events("sales").query("step == 1")
        return (sales["sold"] + sales["owed"]).groupby(sales["replica"]).sum()

    wanted = lost.events("demand").query("step == 1")
    of_closed = wanted[wanted["member"] == DISTRIBUTOR_1].set_index("replica")["wanted"]
    assert (asked_in_week_1(moved) == wanted.groupby("replica")["wanted"].sum()).all()
    assert (asked_in_week_1(moved) - asked_in_week_1(lost) == of_closed).all() and (of_closed % 1 == 0).all()


def test_open_talks_of_a_firm_that_closes_are_stopped():
    facts = simulate.load_scenario(MARKET).with_changes(seeds=2, steps=3)
    world, _, _ = simulate.prepare(facts, [Arm(name="all")])
    world.step()
    by_name = {phase.name: phase for phase in world.phases}
    for name in ("arrive", "demand", "replenish", "quote"):
        phase = by_name[name]
        while questions := phase.ask(world):
            phase.apply(world, questions, world.decide(questions))
            if not phase.repeats:
                break
    talks = world.tables["talks"]
    mine = int(((talks["seller"] == STEELWORKS_2) & (talks["replica"] == 0)).sum())
    assert mine and talks.num_rows > mine
    world.tables["firms"]["is_active"][STEELWORKS_2] = False
    negotiate = by_name["negotiate"]
    questions = negotiate.ask(world)
    asked = np.concatenate([q.key["counterpart"][q.key["replica"] == 0] for q in questions])
    assert STEELWORKS_2 not in asked
    ended = negotiate.apply(world, questions, world.decide(questions))["talks"]
    stopped = ended.take(ended["outcome"] == OUTCOMES.index("stopped"))
    assert stopped.num_rows == mine and (stopped["seller"] == STEELWORKS_2).all()


def test_candidates_are_dealt_from_the_sellers_that_are_open_only():
    net = layout(simulate.load_scenario(MARKET))
    may = np.ones((2, net.num_members), bool)
    may[1, [0, 2]] = False  # two of four steelworks
    found, count = open_sellers(net, may.reshape(-1), 2)
    assert count.tolist() == [[4, 4, 6], [2, 4, 6]]
    assert found[0, 0, :4].tolist() == [0, 1, 2, 3] and found[1, 0, :2].tolist() == [1, 3]


def test_a_closed_partner_gets_no_orders():
    run = ecosim.run("beer_game", steps=4, interventions={2: close(1)})
    orders = run.events("contracts")
    assert set(orders.query("step == 1")["seller"]) == {1, 2, 3}
    assert set(orders.query("step > 1")["seller"]) == {3}
