"""The market under any minds at all: whatever legal answers come, goods, cash and contracts stay in order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ecosim
from ecosim import simulate
from ecosim.errors import DecisionError
from ecosim.exact import MILLION
from ecosim.fields import NOT_ASKED, Bucket
from ecosim.manufacturing import tactics
from ecosim.manufacturing.talks import ACCEPT, AGREED, COUNTER, OUTCOMES
from ecosim.simulate import Arm
from ecosim.validate.minds import anything_legal

MINDS = dict.fromkeys(("supplier", "manufacturer", "distributor"), anything_legal)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), lead=st.integers(0, 3), make=st.integers(0, 2))
def test_under_any_legal_answers_nothing_comes_from_nothing_and_no_promise_is_exceeded(seed, lead, make):
    facts = simulate.load_scenario("smart_manufacturing", {"lead_time_weeks": lead, "firms.2.make_weeks": make})
    facts = facts.with_changes(seeds=2, steps=8, world_seed=seed, mind_seed=seed)
    world, _, recorder = simulate.prepare(facts, [Arm(name="all", minds=MINDS)])
    for step in range(1, 9):
        world.step()
        events = recorder.close_step(step)
        assert world.is_live.all(), world.tables["replicas"]["fault"]
        positions = world.tables["positions"]
        assert (positions["room"] >= 0).all() and (positions["on_order"] >= 0).all() and (positions["owed"] >= 0).all()
        assert world.tables["talks"].num_rows == 0
        assert (world.tables["contracts"]["open"] > 0).all()
        check_offers(events["offers"])
        check_contracts(events["contracts"], events["talks"])
    check_on_order(world)


def check_offers(offers):
    """Nobody accepts before there is an offer, and moves of a talk follow each other without a gap."""
    assert (offers["act"][offers["move"] == 0] != ACCEPT).all()
    counters = offers["act"] == COUNTER
    assert (offers["quantity"][counters] >= MILLION).all() and (offers["price"][counters] > 0).all()
    talk = np.stack([offers[name] for name in ("replica", "buyer", "seller", "item")])
    same = (talk[:, 1:] == talk[:, :-1]).all(axis=0)
    assert (np.diff(offers["move"])[same] == 1).all()


def check_contracts(contracts, talks):
    """As many contracts as talks that agreed, between the same firms."""
    agreed = talks.take(talks["outcome"] == AGREED)
    for name in ("replica", "buyer", "seller", "item"):
        assert (contracts[name] == agreed[name]).all()


def check_on_order(world):
    """What a position awaits is what is contracted and unshipped, or on its way."""
    found = np.zeros(world.tables["positions"].num_rows, np.int64)
    net = world.phases[0].net
    for table, amount in (("contracts", "open"), ("shipments", "quantity")):
        rows = world.tables[table]
        np.add.at(found, net.position_row(rows["replica"], rows["buyer"], rows["item"]), rows[amount])
    assert (found == world.tables["positions"]["on_order"]).all()


def test_a_buyer_never_buys_more_than_it_wished_for():
    """Two talks a need, a buyer that accepts everything: what does not fit any more is withdrawn."""

    def eager(question):
        answers = dict(tactics.conceder(question))
        can = question.field("act").allowed[:, ACCEPT] & (question["is_buyer"] == 1)
        answers["act"] = np.where(can, ACCEPT, answers["act"])
        for name in ("price", "quantity", "week"):
            answers[name] = np.where(can, NOT_ASKED, answers[name])
        return answers

    run = ecosim.run("smart_manufacturing", seeds=3, steps=6, minds={"distributor.negotiate": eager})
    bought = run.events("contracts").groupby(["replica", "step", "buyer", "item"])["quantity"].sum()
    orders = run.events("orders").rename(columns={"member": "buyer"})
    wished = orders[orders["makes"] == 0].set_index(["replica", "step", "buyer", "item"])["quantity"]
    assert len(bought) > 100
    assert (bought <= wished.reindex(bought.index)).all()
    assert OUTCOMES[3] == "withdrawn" and (run.events("talks")["outcome"] == 3).any()


def test_a_longer_lead_time_makes_firms_hold_more_on_the_way():
    short = ecosim.run("smart_manufacturing", seeds=4, steps=30)
    long = ecosim.run("smart_manufacturing", seeds=4, steps=30, changes={"lead_time_weeks": 3})

    def on_the_way(run):
        sent = run.events("shipments")
        return ((sent["arrive_week"] - sent["step"]) * sent["quantity"]).sum()

    assert on_the_way(long) > 2 * on_the_way(short)


def test_conceding_costs_the_distributor_and_pays_the_manufacturer():
    arms = {"boulware": {"distributor.negotiate": "boulware"}, "conceder": {"distributor.negotiate": "conceder"}}
    table = ecosim.compare("smart_manufacturing", arms, seeds=6, steps=20).table
    price = table[(table["metric"] == "deal_price_eur") & (table["group"] == "pump")].iloc[0]
    assert price["low"] > 0 and price["pairs"] == 6
    share = table[(table["metric"] == "buyer_share") & (table["group"] == "pump")].iloc[0]
    assert share["high"] < 0


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda q: {"quantity": np.full(q.num_rows, 1.5)}, "quantity must be a column of integers, got float64"),
        (
            lambda q: {"quantity": np.full(q.num_rows, -MILLION)},
            "allowed: 0 to 200000000 in steps of 1000000 units/1e6",
        ),
        (lambda q: {"quantity": np.zeros(2, np.int64)}, r"has shape \(2,\), expected"),
        (lambda q: {"amount": np.zeros(q.num_rows, np.int64)}, r"answered \['amount'\], asked were \['quantity'\]"),
        (lambda q: None, "must return a dict of columns by field name, got NoneType"),
        (lambda q: {"quantity": q["stock"]}, "KeyError: 'stock'"),
    ],
)
def test_a_users_function_that_errs_is_told_where_and_why(answer, message):
    with pytest.raises(DecisionError, match=message) as caught:
        ecosim.run("smart_manufacturing", seeds=1, steps=1, minds={"distributor.replenish": answer})
    assert "distributor.replenish, step 1" in str(caught.value)


def test_buckets_show_at_most_so_many_evenly_spaced_legal_values():
    spec = Bucket(name="p", low=np.array([3]), high=np.array([103]), step=np.array([10]), unit="")
    assert spec.menu(0, 20) == [3, 13, 23, 33, 43, 53, 63, 73, 83, 93, 103]
    assert spec.menu(0, 3) == [3, 53, 103]
    assert spec.snap(np.array([58])).tolist() == [53]
