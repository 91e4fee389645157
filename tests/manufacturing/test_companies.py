# ruff: noqa: E501 (a message is one line, here too)
"""Firms borrow, fail, enter, leave, and choose their minds."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ecosim
from ecosim import catalog, simulate, testing
from ecosim.errors import ScenarioError
from ecosim.exact import MILLION
from ecosim.manufacturing import adoption
from ecosim.manufacturing.liquidation import BANK
from ecosim.minds.prompts import Prompts
from ecosim.record.store import Memory
from ecosim.rules.claims import pro_rata
from ecosim.rules.ledger import CASH
from ecosim.simulate import Arm
from ecosim.validate.minds import anything_legal
from ecosim.words import Table, concat

MARKET, OPEN = "smart_manufacturing", "open_market_entry"
STEELWORKS_1, RESIN_PLANT_1, PUMP_MAKER_1, DISTRIBUTOR_1 = 0, 4, 8, 14
SETTLED = {"finance": {"credit_limit_eur": 500, "interest_rate_per_week": 0.01, "liquidation_share": 0.5}}
SOFT = {"distributor.negotiate": "conceder", "manufacturer.replenish": "pass_on"}


def prepared(scenario=MARKET, minds=None, **changes):
    facts = simulate.load_scenario(scenario, changes)
    return simulate.prepare(facts, [Arm(name="all", minds=minds or {})])


def phase(world, name):
    return next(one for one in world.phases if one.name == name)


def cash(world, member):
    return int(world.ledger.accounts["balance"][world.ledger.rows(np.array([0]), np.array([member]))[0], CASH])


def owes_the_bank(world, member, euros):
    """Take cash away until the firm owes so much."""
    account, nature = (
        world.ledger.rows(np.array([0]), np.array([member])),
        world.ledger.outside("nature", np.array([0])),
    )
    world.ledger.pay("opening", np.array([cash(world, member) + euros * MILLION]), account, nature)


# ---- shares of an estate --------------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 10**14)), min_size=1, max_size=12),
    st.lists(st.integers(0, 10**15), min_size=4, max_size=4),
)
def test_payments_add_up_and_are_the_exact_shares_but_for_less_than_a_millionth(claims, estates):
    debtor, claim = (np.array(column, np.int64) for column in zip(*claims, strict=True))
    paid = pro_rata(debtor, np.arange(len(claims)), claim, np.array(estates))
    for d in set(debtor.tolist()):
        mine = debtor == d
        total = int(claim[mine].sum())
        assert int(paid[mine].sum()) == min(total, estates[d])
        for one, got in zip(claim[mine].tolist(), paid[mine].tolist(), strict=True):
            assert abs(got - Fraction(one * min(total, estates[d]), total)) < 1


def test_odd_millionths_go_to_the_largest_remainders_then_to_the_lower_creditor():
    """Of 10 between claims 5, 5, 5 the quotas are 3⅓ each; between 4, 4, 3 they are 3.64, 3.64, 2.73."""
    one = np.zeros(3, np.int64)
    assert pro_rata(one, np.array([7, 2, 5]), np.array([5, 5, 5]), np.array([10])).tolist() == [3, 4, 3]
    assert pro_rata(one, np.arange(3), np.array([4, 4, 3]), np.array([10])).tolist() == [4, 3, 3]


# ---- credit ---------------------------------------------------------------------------------------------------------


def test_interest_is_a_share_of_what_is_owed_and_counts_before_the_limit_is_looked_at():
    world, _, _ = prepared(seeds=1, **SETTLED)
    for member, euros in ((8, 400), (9, 496)):  # 496 + 4.96 is beyond the limit of 500
        owes_the_bank(world, member, euros)
    events = phase(world, "settle").apply(world, [], [])
    assert cash(world, 8) == -404 * MILLION
    assert events["exits"]["member"].tolist() == [9] and events["exits"]["owed"].tolist() == [500_960_000]


def test_a_group_may_have_its_own_limit():
    world, _, _ = prepared(seeds=1, **SETTLED, **{"firms.2.credit_limit_eur": 2000})
    for member in (PUMP_MAKER_1, DISTRIBUTOR_1):
        owes_the_bank(world, member, 1000)
    events = phase(world, "settle").apply(world, [], [])
    assert events["exits"]["member"].tolist() == [DISTRIBUTOR_1]


def test_an_estate_is_shared_by_hand():
    """Stock at half of 6.50, 3.50 and 37.25 brings 1,075, goods on the way 100: 1,175 for claims of 1,900.

    The bank's 1,000 get 618.421052 6…, the buyers' 300 and 600 get 185.526315 7… and 371.052631 5…: two odd millionths,
    for the remainders .79 and .63.
    """
    world, _, _ = prepared(seeds=1, **{**SETTLED, "finance.interest_rate_per_week": 0.0})
    world.steps = 3
    owes_the_bank(world, PUMP_MAKER_1, 1000)
    contract(world, 14, PUMP_MAKER_1, 2, 10, 30)
    contract(world, 15, PUMP_MAKER_1, 2, 20, 30)
    contract(world, PUMP_MAKER_1, STEELWORKS_1, 0, 50, 5)
    on_the_way(world, 16, PUMP_MAKER_1, 2, 4, 25)
    on_the_way(world, PUMP_MAKER_1, RESIN_PLANT_1, 1, 5, 3)
    events = phase(world, "settle").apply(world, [], [])
    (exit_,) = zip(*(events["exits"][c].tolist() for c in ("member", "cash", "owed", "estate")), strict=True)
    assert exit_ == (PUMP_MAKER_1, -1000 * MILLION, 1900 * MILLION, 1175 * MILLION)
    assert events["exits"]["level"].tolist() == [1175 / 1900]
    found = events["compensations"]
    assert found["creditor"].tolist() == [BANK, 14, 15]
    assert found["paid"].tolist() == [618_421_053, 185_526_316, 371_052_631]
    assert cash(world, 14) == 20_000 * MILLION + 185_526_316
    assert cash(world, PUMP_MAKER_1) == 0
    assert world.tables["contracts"].num_rows == 0
    balance = world.ledger.accounts["balance"]
    assert balance[RESIN_PLANT_1, 2] == 65 * MILLION  # 60, and 5 that turned round
    assert (balance[PUMP_MAKER_1] == 0).all()
    assert (world.tables["positions"]["on_order"].sum()) == 4 * MILLION
    assert not world.ledger.faults()


def test_who_gets_goods_of_a_failed_firm_pays_the_bank():
    world, _, _ = prepared(seeds=1, **SETTLED)
    world.steps = 3
    owes_the_bank(world, PUMP_MAKER_1, 5000)
    on_the_way(world, 16, PUMP_MAKER_1, 2, 4, 25, week=4)
    phase(world, "settle").apply(world, [], [])
    before, bank = cash(world, 16), world.ledger.outside("bank", np.array([0]))[0]
    lent = int(world.ledger.accounts["balance"][bank, CASH])
    world.steps = 4
    phase(world, "arrive").apply(world, [], [])
    assert cash(world, 16) == before - 100 * MILLION and cash(world, PUMP_MAKER_1) == 0
    assert int(world.ledger.accounts["balance"][bank, CASH]) == lent + 100 * MILLION


def test_what_is_left_over_stays_with_the_owners():
    """A firm that could not pay this week may be worth more than it owes: stock at half price brings 1,075 for 600."""
    world, _, _ = prepared(seeds=1, **{**SETTLED, "finance.interest_rate_per_week": 0.0})
    owes_the_bank(world, PUMP_MAKER_1, 600)
    events = phase(world, "settle").apply(world, [], [])
    assert events["exits"]["level"].tolist() == [1.0] and cash(world, PUMP_MAKER_1) == 475 * MILLION


def contract(world, buyer, seller, item, units, price):
    row = {"replica": 0, "buyer": buyer, "seller": seller, "item": item, "signed_week": 1, "due_week": 4, "from_week": 1,
           "quantity": units * MILLION, "open": units * MILLION, "price": price * MILLION, "penalty": 0}  # fmt: skip
    put(world, "contracts", row)


def on_the_way(world, buyer, seller, item, units, price, week=9):
    row = {"replica": 0, "buyer": buyer, "seller": seller, "item": item, "signed_week": 1, "due_week": week,
           "arrive_week": week, "quantity": units * MILLION, "price": price * MILLION, "penalty": 0}  # fmt: skip
    put(world, "shipments", row)
    zero = np.array([0])
    ends = world.ledger.outside("nature", zero), world.ledger.outside("transit", zero)
    world.ledger.move(item + 1, np.array([units * MILLION]), *ends)


def put(world, table, row):
    new = Table({name: np.array([row[name]]) for name in world.tables[table]})
    world.tables[table] = concat([world.tables[table], new])
    where = phase(world, "arrive").net.position_row(*(new[name] for name in ("replica", "buyer", "item")))
    world.tables["positions"]["on_order"][where] += new["quantity"]


# ---- an open market -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def market():
    return ecosim.run(OPEN, seeds=3, steps=40, changes={"finance.credit_limit_eur": 200.0})


def test_a_bankrupt_firm_signs_nothing(market):
    exits = market.events("exits", names=True)
    failed = exits[exits["reason"] == "bankrupt"][["replica", "step", "member"]]
    assert len(failed) >= 2
    for table in ("orders", "requests", "offers", "talks", "contracts", "production", "shipments"):
        rows = market.events(table, names=True)
        for party in {"member", "buyer", "seller"} & set(rows.columns):
            met = rows.merge(failed, left_on=["replica", party], right_on=["replica", "member"], suffixes=("", "_end"))
            assert len(met) and (met["step"] <= met["step_end"]).all(), (table, party)


def test_nothing_comes_from_nothing_while_firms_come_and_go(market):
    assert all(not market.world(i).tables["replicas"]["fault"][0] for i in range(3))
    world, _, _ = prepared(OPEN, seeds=2, steps=20)
    net = world.phases[0].net
    for _ in range(20):
        world.step()
    assert world.is_live.all(), world.tables["replicas"]["fault"]
    awaited = np.zeros(world.tables["positions"].num_rows, np.int64)
    for table, amount in (("contracts", "open"), ("shipments", "quantity")):
        rows = world.tables[table]
        np.add.at(awaited, net.position_row(rows["replica"], rows["buyer"], rows["item"]), rows[amount])
    assert (awaited == world.tables["positions"]["on_order"]).all()
    firms = world.tables["firms"]
    goods = world.ledger.accounts["balance"][world.ledger.accounts["is_member"], 1:]
    assert (goods[~firms["is_active"]] == 0).all() and (~firms["is_active"]).any()


@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 10_000), lead=st.integers(0, 2))
def test_under_any_legal_answers_failing_and_leaving_keep_all_books(seed, lead):
    """Minds that answer anything at all go broke by the dozen; they leave no goods, no debts and no promises behind."""
    minds = dict.fromkeys(("supplier", "manufacturer", "distributor"), anything_legal)
    world, _, recorder = prepared(OPEN, minds, seeds=2, steps=7, lead_time_weeks=lead, world_seed=seed, mind_seed=seed)
    firms = world.tables["firms"]
    for step in range(1, 8):
        was_active = firms["is_active"].copy()
        world.step()
        events = recorder.close_step(step)
        assert world.is_live.all(), world.tables["replicas"]["fault"]
        net = world.phases[0].net
        entered = firms["entered_week"] == step
        for side in ("buyer", "seller"):
            signed = events["contracts"]
            assert (was_active | entered)[net.firm_row(signed["replica"], signed[side])].all()
            promised = world.tables["contracts"]
            assert firms["is_active"][net.firm_row(promised["replica"], promised[side])].all()
        assert (world.tables["positions"]["on_order"] >= 0).all()
        balance = world.ledger.accounts["balance"][world.ledger.accounts["is_member"]]
        assert (balance[~firms["is_active"]] >= 0).all() and (balance[~firms["is_active"], 1:] == 0).all()
        exits, paid = events["exits"], events["compensations"]
        assert paid["paid"].sum() == np.minimum(exits["owed"], exits["estate"]).sum()
        assert paid["claim"].sum() == exits["owed"].sum()
    assert (~was_active).any()


def test_other_minds_meet_the_same_entrants_and_the_same_demand_bit_for_bit():
    facts = simulate.load_scenario(OPEN).with_changes(seeds=2, steps=12)
    done = ecosim.compare(facts, {"usual": {}, "soft": SOFT})  # compare itself refuses other exogenous digests
    manifest = done.run.manifest
    assert manifest["exogenous_digests"][:2] == manifest["exogenous_digests"][2:]
    assert not set(manifest["digests"][:2]) & set(manifest["digests"][2:])
    for table in ("entries", "demand"):
        rows = done.run.events(table)
        one, other = (rows[rows["replica"] // 2 == arm].drop(columns="replica").to_numpy() for arm in (0, 1))
        assert len(one) and (one == other).all()


def test_the_same_run_has_the_same_digest_alone_among_others_and_twice():
    digests = testing.check_alone(OPEN, seeds=2, steps=8)
    assert testing.run_digests(OPEN, seeds=2, steps=8).manifest["digests"] == digests


def test_ask_never_writes_and_asks_the_same_again():
    world, _, _ = prepared(OPEN, seeds=2)
    for _ in range(7):
        world.step()
    world.steps += 1
    for one in world.phases:
        testing.check_phase(one, world)


def test_an_arm_is_closed_by_an_intervention_and_meets_the_same_demand():
    change = {"step": 1, "table": "firms", "column": "enters_week", "set": 0, "arms": ["closed"]}
    facts = simulate.load_scenario(OPEN, {"interventions": [change]}).with_changes(seeds=2, steps=14)
    run = ecosim.compare(facts, {"open": {}, "closed": {}}).run
    assert set(run.events("entries")["replica"]) == {0, 1}
    demand = run.events("demand")
    assert (demand[demand["replica"] < 2]["wanted"].to_numpy() == demand[demand["replica"] >= 2]["wanted"]).all()


@pytest.mark.parametrize(("column", "to"), [("enters_week", 2), ("exits_week", 3), ("credit_limit_eur", 0)])
def test_each_lever_of_a_firms_life_is_read(column, to):
    change = {"step": 1, "table": "firms", "column": column, "set": to, "arms": ["moved"]}
    run = simulate.simulate(
        simulate.load_scenario(OPEN, {"interventions": [change]}).with_changes(seeds=1, steps=6),
        [Arm(name="calm"), Arm(name="moved")],
        Memory(),
    )
    assert run.world is not None
    firms = run.world.tables["firms"]
    half = firms.num_rows // 2
    assert (firms["is_active"][:half] != firms["is_active"][half:]).any()


# ---- coming and going -----------------------------------------------------------------------------------------------

LIFE = {"entry": {"fee_eur": 100, "min_capital_eur": 1000, "prior_deliveries": 8, "prior_on_time": 6}}


def test_a_firm_enters_in_its_week_with_its_cash_and_stock_less_the_fee_and_a_record():
    world, _, _ = prepared(seeds=1, **LIFE, **{"firms.2.enters_week": 3})
    makers = np.arange(8, 14)
    assert (world.ledger.accounts["balance"][makers] == 0).all()
    world.steps = 2
    assert phase(world, "enter").apply(world, [], []) == {}
    world.steps = 3
    events = phase(world, "enter").apply(world, [], [])
    assert events["entries"]["member"].tolist() == makers.tolist() and events["entries"]["admitted"].all()
    balance = world.ledger.accounts["balance"][makers] // MILLION
    assert (balance == [19_900, 80, 40, 40]).all()
    firms = world.tables["firms"]
    assert (firms["num_deliveries"][makers] == 8).all() and (firms["num_on_time"][makers] == 6).all()
    assert firms["is_active"].all() and not world.ledger.faults()


def test_who_has_too_little_capital_is_refused_for_good():
    """Cash of 1,200 scatters by ± half: about (1,200 − 1,100) ÷ 1,200 + ½ of the firms have enough."""
    run = ecosim.run(
        MARKET, seeds=40, steps=2,
        changes={"entry": {**LIFE["entry"], "cash_spread": 0.5}, "firms.2.cash_eur": 1200, "firms.2.enters_week": 2},
    )  # fmt: skip
    entries = run.events("entries")
    assert len(entries) == 240
    assert ((entries["capital"] >= 1100) == (entries["admitted"] == 1)).all()
    assert 0.47 < (entries["admitted"] == 1).mean() < 0.70  # 58 % ± 3.7 standard errors
    assert entries["capital"].between(600, 1800).all()
    active = run.metrics.query("step == 2 and metric == 'active_firms' and group == 'manufacturer'")["value"]
    assert active.sum() == entries["admitted"].sum()


def test_the_week_of_entry_is_geometric():
    """With a chance of ¼ a week, a quarter come in the first week that they may, 3/16 in the second."""
    world, _, _ = prepared(seeds=400, steps=30, **LIFE, **{"firms.2.entry_chance": 0.25, "firms.2.enters_week": 5})
    week = world.tables["firms"]["enters_week"].reshape(400, -1)[:, 8:14].ravel()
    assert week.min() == 5 and week.max() <= 31
    assert np.mean(week == 5) == pytest.approx(0.25, abs=0.035)  # four standard errors of 2,400 draws
    assert np.mean(week == 6) == pytest.approx(0.1875, abs=0.032)


def test_a_firm_that_leaves_keeps_its_promises_and_makes_no_new_ones():
    run = ecosim.run(MARKET, seeds=3, steps=24, changes={**LIFE, "firms.2.exits_week": 6, "firms.2.count": 6})
    exits = run.events("exits", names=True)
    assert set(exits["reason"]) == {"left"} and len(exits) == 18 and (exits["step"] >= 6).all()
    contracts, sent = run.events("contracts"), run.events("shipments")
    sold = contracts[contracts["seller"].between(8, 13)]
    assert (sold["step"] < 6).all()
    arrived = sent[sent["seller"].between(8, 13) & (sent["buyer"] != sent["seller"])]
    assert arrived["quantity"].sum() == sold["quantity"].sum() > 0
    assert (exits["owed"] == 0).all() and (exits["level"] == 1).all()
    kpis = run.kpis.query("metric == 'departures'")["value"]
    assert (kpis == 6).all()


def test_who_loses_money_for_so_many_weeks_leaves():
    """Distributors without customers pay for their stock, week by week: five weeks of loss, then they go in the sixth."""
    changes = {"entry": {"exit_after_loss_weeks": 5}, "demand.mean_units": 0.0, "demand.sd_units": 0.0}
    run = ecosim.run(MARKET, seeds=1, steps=9, changes={**changes, "first_forecast_units": {"pump": 0}})
    exits = run.events("exits", names=True)
    left = exits[exits["member"].str.startswith("distributor")]
    assert len(left) == 6 and (left["step"] == 6).all()
    assert left["cash"].round(6).unique().tolist() == [20_000 - 5 * 60 * 0.4]


# ---- figures --------------------------------------------------------------------------------------------------------


def test_survival_concentration_and_inequality_are_those_of_the_events(market):
    kpis = market.kpis.set_index(["metric", "group", "replica"])["value"]
    entries = market.events("entries").query("admitted == 1")
    exits = market.events("exits", names=False)
    for replica in range(3):
        came = entries[entries["replica"] == replica].set_index("member")["step"]
        went = exits[exits["replica"] == replica].set_index("member")["step"]
        stayed = [m for m in came.index if m not in went.index]
        assert kpis["entries", "", replica] == len(came)
        assert kpis["survival_of_entrants", "", replica] == len(stayed) / len(came)
        judged = [m for m in came.index if came[m] + 13 <= 40]
        alive = [m for m in judged if m not in went.index or went[m] >= came[m] + 13]
        assert kpis["survival_after_weeks", "", replica] == len(alive) / len(judged)
        incumbents_gone = [m for m in went.index if m not in came.index]
        assert kpis["survival_of_incumbents", "", replica] == 1 - len(incumbents_gone) / 18
        arrived = market.events("deliveries").query("replica == @replica and buyer != seller")
        revenue = arrived[arrived["item"] == 1].groupby("seller")["paid"].sum()
        assert kpis["hhi", "pump", replica] == pytest.approx(((revenue / revenue.sum()) ** 2).sum())
        assert 0 < kpis["gini_profit", "", replica] < 1


# ---- adoption -------------------------------------------------------------------------------------------------------

MENU = {"menu": [{"mind": "boulware", "price_eur": 5}, {"mind": "linear"}, {"mind": "conceder", "price_eur": 1}]}


def asked(world, step):
    world.steps = step
    return {question.role: question for question in phase(world, "adopt").ask(world)}


def test_firms_are_asked_every_few_weeks_and_see_prices_and_what_peers_earned():
    minds = {"distributor.negotiate": ["boulware", "conceder"], "supplier.negotiate": "scripted"}
    world, _, _ = prepared(seeds=1, minds=minds, **{"adoption": {**MENU, "every_weeks": 3}})
    assert asked(world, 1) == {} == asked(world, 2)
    account, nature = world.ledger.rows(np.array([0]), np.array([15])), world.ledger.outside("nature", np.array([0]))
    world.ledger.pay("sales", np.array([70 * MILLION]), nature, account)  # distributor_2, a conceder, earned 70
    question = asked(world, 3)["distributor"]
    assert (question["option_price"][:2] // MILLION).tolist() == [[5, 5, 0, 1], [1, 5, 0, 1]]
    assert question["option_users"][0].tolist() == [1, 3, 0, 3]
    assert question.masks["best_profit"][0].tolist() == [True, True, False, True]
    assert (question["best_profit"][:2] // MILLION).tolist() == [[0, 0, 0, 70], [70, 0, 0, 70]]
    assert adoption.keep(question)["mind"].tolist() == [0] * 6
    assert adoption.best_of_peers(question)["mind"].tolist() == [3, 0, 3, 3, 3, 3]  # distributor_2 keeps what it has
    assert adoption.cheapest(question)["mind"].tolist() == [2] * 6


def test_a_firm_that_adopts_a_mind_has_it_from_then_on_and_pays_for_it_week_by_week():
    wishes = {"distributor.negotiate": "boulware", "distributor.adopt": "cheapest"}
    run = ecosim.run(MARKET, seeds=2, steps=6, minds=wishes, changes={"adoption": {**MENU, "every_weeks": 3}})
    adoptions = run.events("adoptions", names=True)
    assert len(adoptions) == 12 and (adoptions["step"] == 3).all()
    assert set(adoptions["before"]) == {"boulware"} and set(adoptions["mind"]) == {"linear"}
    kpis = run.kpis.set_index(["metric", "group"])["value"]
    assert (kpis["adoption_cost_eur", "distributor"] == 2 * 6 * 5).all()  # weeks 1 and 2; week 3 is the new one's
    assert (kpis["mind_share", "linear"] == 6 / 20).all() and (kpis["mind_share", "others"] == 14 / 20).all()
    offers = run.events("offers")
    before = ecosim.run(MARKET, seeds=2, steps=6, minds={"distributor.negotiate": "boulware"}).events("offers")
    same, other = offers.query("step <= 3"), offers.query("step > 3")
    assert same.equals(before.query("step <= 3")) and not other.equals(before.query("step > 3"))


def test_minds_of_the_menu_may_take_all_phases_that_they_answer():
    changes = {"adoption": {"menu": [{"mind": "scripted"}], "phases": ["replenish", "quote", "negotiate"]}}
    run = ecosim.run(MARKET, seeds=1, steps=2, changes=changes)
    assert run.kpis.set_index(["metric", "group"])["value"]["mind_share", "scripted"] == 1


def test_a_language_mind_reads_choices_prices_and_what_peers_earned():
    minds = {"supplier.negotiate": ["boulware", "linear"]}
    (question,) = (q for q in testing.questions(OPEN, seeds=1, steps=4, minds=minds) if q.name == "supplier.adopt")
    shared, own = Prompts(catalog.card("supplier"), "adopt").render(question)[0]
    assert "keep the one that it has" in shared
    assert "boulware: 5.00 EUR a week, 3 firms" in own and "conceder: 0.00 EUR a week, 0 firms" in own
    assert own.splitlines()[-1].split("EUR:")[1].split()[::2] == ["keep", "boulware", "linear"]


# ---- faults ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"finance": {"credit_limit_eur": -1}}, r"finance.credit_limit_eur: input should be greater than or equal to 0, got -1"),
        ({"finance": {}}, "finance.credit_limit_eur: missing; this key is required"),
        ({**SETTLED, "finance.liquidation_share": 1.5}, "finance.liquidation_share: input should be less than or equal to 1"),
        ({"firms.2.credit_limit_eur": 5}, r"firms\[2\] \(pump_maker\).credit_limit_eur: does nothing without the key 'finance'"),
        ({"firms.2.enters_week": 5}, r"firms\[2\] \(pump_maker\).enters_week: does nothing without the key 'entry'; add it"),
        ({"entry": {}}, "entry: nobody enters or leaves; give a group of firms enters_week, entry_chance or exits_week"),
        ({**LIFE, "firms.2.entry_chance": 0}, r"firms\[2\].entry_chance: input should be greater than 0, got 0"),
        ({**LIFE, "firms.2.enters_week": 53}, r"enters_week: 53 is beyond the last week, 52; give an earlier one, or more"),
        ({**LIFE, "firms.2.enters_week": 9, "firms.2.exits_week": 9}, "exits_week: 9 must be after enters_week, 9"),
        ({**LIFE, "firms.2.enters_week": 9, "firms.2.arriving_units": [5]}, "arriving_units: nothing can be on the way to"),
        ({**LIFE, "firms.2.enters_week": 9, "firms.2.cash_eur": 50}, r"cash_eur: 50 is too little to be admitted, entry asks for .* = 1100"),
        ({"entry": {"prior_on_time": 3}, "firms.2.enters_week": 9}, r"entry: prior_on_time \(3\) must not be above prior_deliveries \(0\)"),
        ({**SETTLED, "phases": ["demand", "replenish", "ship"]}, "phases: the key 'finance' does nothing without the phase 'settle'"),
        ({"phases": ["demand", "settle"]}, "phases: 'settle' does nothing without the key 'finance'; add it"),
        ({"adoption": {"menu": []}}, "adoption.menu: list should have at least 1 item"),
        ({"adoption": {"menu": [{"mind": "boulwere"}]}}, "adoption.menu: supplier.negotiate: unknown mind 'boulwere', did you mean 'boulware'"),
        ({"adoption": {"menu": [{"mind": "linear"}, {"mind": "linear"}]}}, "adoption: menu: 'linear' is listed twice"),
        ({"adoption": {"menu": [{"mind": "keep"}]}}, "adoption: menu: 'keep' is what every firm may answer anyway"),
        ({"adoption": {"menu": [{"mind": "linear", "price_eur": -2}]}}, r"adoption.menu\[0\].price_eur: input should be greater"),
        ({"demand.of_inactive": "elsewhere"}, "demand.of_inactive: input should be 'lost' or 'moves', got 'elsewhere'"),
    ],
)  # fmt: skip
def test_a_fault_is_a_line_that_says_what_to_do(changes, message):
    with pytest.raises(ScenarioError, match=message):
        simulate.load_scenario(MARKET, changes)


def test_faults_come_all_at_once():
    changes = {"firms.0.credit_limit_eur": 5, "firms.1.exits_week": 3, "phases": ["demand", "enter", "ship"]}
    with pytest.raises(ScenarioError) as error:
        simulate.load_scenario(MARKET, changes)
    assert len(str(error.value).splitlines()) == 3


def test_adoption_needs_its_phases_in_the_week():
    with pytest.raises(ScenarioError, match=r"adoption.phases: 'negotiate' is no phase of this scenario"):
        simulate.load_scenario("beer_game", {"adoption": MENU, "phases": ["demand", "replenish", "order", "adopt"]})
