"""What becomes of a contract is told: breaches to the public, failures of firms to the register."""

import numpy as np

from ecosim import simulate, testing
from ecosim.exact import MILLION
from ecosim.manufacturing.register import NULLIFIED, REFUSAL
from ecosim.manufacturing.reputation import level_of
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.rules.ledger import CASH
from ecosim.scenario import build
from ecosim.simulate import Arm

BUYER, SELLER = 0, 1
MINDS = {
    "distributor.replenish": lambda q: {"quantity": np.full(q.num_rows, 10 * MILLION * (q.step == 1))},
    "supplier.replenish": lambda q: {"quantity": np.zeros(q.num_rows, np.int64)},
}


def pair(phases, stock=10, lead_time_weeks=0, **changes):
    """A buyer that orders 10 units in week 1 at 5 EUR, and a seller that makes none."""
    facts = {
        "world": "manufacturing",
        "title": "two firms",
        "steps": 4,
        "items": {"good": {"make_cost_eur": 2, "value_eur": 8}},
        "firms": [
            {"name": "buyer", "role": "distributor", "sells": "good", "partner": "seller", "demand": "consumers",
             "cash_eur": 1000},
            {"name": "seller", "role": "supplier", "sells": "good", "capacity_units": 1, "stock_units": {"good": stock},
             "cash_eur": 100},
        ],
        "demand": {"kind": "step", "mean_units": 0},
        "terms": {"good": {"price_eur": 5}},
        "lead_time_weeks": lead_time_weeks,
        "phases": phases,
        **changes,
    }  # fmt: skip
    return build(ManufacturingScenario, facts, place="test")


def started(facts, minds=MINDS):
    world, _, recorder = simulate.prepare(facts, [Arm(name="all", minds=minds)])
    world.step()
    return world, recorder


# ---- reputation -----------------------------------------------------------------------------------------------------

PUBLIC = ["replenish", "order", "perform", "ship", "arrive", "breach", "publish"]


def record(stock, minds=MINDS, **law):
    facts = pair(PUBLIC, stock, board={}, contracts={"grace_weeks": 0, **law})
    world, recorder = started(facts, minds)
    seller = world.tables["reputation"].take(slice(SELLER, SELLER + 1))
    return {name: int(seller[name][0]) for name in ("breach_chance", "breach_level", "otif")}, recorder


def test_a_breach_lowers_the_sellers_reputation():
    """Six of ten come on time, four never: two tries, one a breach of level 0.4; kept in full it is one try, none."""
    kept, _ = record(stock=10)
    broken, recorder = record(stock=6)
    assert kept == {"breach_chance": MILLION // 3, "breach_level": 0, "otif": 2 * MILLION // 3}
    assert broken["breach_chance"] == MILLION // 2 and broken["breach_level"] == 400_000
    listed = recorder.close_step(1)["breach_list"]
    assert (listed["member"].tolist(), listed["level"].tolist()) == ([SELLER], [400_000])


def test_a_refusal_counts_as_an_order_of_which_nothing_came():
    """One try and one breach: (1 + 1) ÷ (1 + 2), of level 1; no order of one in full: (0 + 1) ÷ (1 + 2)."""
    refuses = {**MINDS, "supplier.perform": lambda q: {"act": np.ones(q.num_rows, np.int64)}}
    found, recorder = record(10, refuses, refusal=True)
    assert recorder.close_step(1)["contract_ends"]["kind"].tolist() == [REFUSAL]
    assert found == {"breach_chance": 666_666, "breach_level": MILLION, "otif": 333_333}


def test_a_buyer_that_cannot_pay_does_not_harm_its_sellers_name():
    facts = pair(PUBLIC, board={}, contracts={"grace_weeks": 0})
    facts = build(ManufacturingScenario, {**facts.model_dump(), "firms": [
        {**facts.model_dump()["firms"][0], "cash_eur": 20}, facts.model_dump()["firms"][1]]}, place="test")  # fmt: skip
    world, _ = started(facts)
    assert int(world.tables["reputation"]["breaches"][SELLER]) == 0
    assert int(world.tables["records"]["num_breached"][BUYER]) == 1


def test_levels_of_lateness_stand():
    assert level_of(np.array([1])).tolist() == [500_000]


# ---- firms that fail ------------------------------------------------------------------------------------------------

FAILS = ["arrive", "replenish", "order", "perform", "ship", "breach", "settle"]


def failed(who, stock=6):
    """Six of ten are on their way, four open, when a firm fails."""
    facts = pair(FAILS, stock, 2, finance={"credit_limit_eur": 0}, contracts={"grace_weeks": 3})
    world, recorder = started(facts)
    account = world.ledger.rows(np.array([0]), np.array([who]))
    have = world.ledger.accounts["balance"][account, CASH]
    world.ledger.pay("opening", have + 50 * MILLION, account, world.ledger.outside("nature", np.array([0])))
    world.step()
    return world, recorder.close_step(2)


def test_contracts_of_a_firm_that_fails_are_nullified_and_the_register_says_so():
    """The buyer fails: nothing comes any more; the six on their way turn round."""
    world, events = failed(BUYER)
    end = events["contract_ends"]
    assert end["fate"].tolist() == [NULLIFIED] and end["delivered"].tolist() == [0]
    assert world.tables["register"].num_rows == 0 == world.tables["contracts"].num_rows
    assert world.tables["positions"]["on_order"].tolist() == [0, 0] and world.ledger.faults() == {}
    assert events["exits"].num_rows == 1


def test_of_a_seller_that_fails_what_is_on_its_way_still_comes_and_then_the_contract_ends():
    world, events = failed(SELLER)
    assert events["contract_ends"].num_rows == 0 and events["exits"]["owed"].tolist() == [70 * MILLION]
    assert world.tables["register"]["void"].tolist() == [4 * MILLION]
    world.step()
    assert world.tables["register"].num_rows == 0 and world.is_live.all()


def test_settling_where_there_are_contracts_keeps_the_laws():
    facts = pair(FAILS, 6, 2, finance={"credit_limit_eur": 0}, contracts={"grace_weeks": 3})
    testing.check_alone(facts, seeds=2, steps=4, minds=MINDS)
