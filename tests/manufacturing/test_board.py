"""The bulletin board: prices by SCML's formula, reputations that forget, and buyers who look at them."""

import numpy as np
import pytest

import ecosim
from ecosim import simulate, testing
from ecosim.errors import ScenarioError
from ecosim.exact import MILLION
from ecosim.manufacturing import experts, prices, reputation
from ecosim.manufacturing.experts import most_reliable
from ecosim.opening import Arm
from ecosim.words import Table

MARKET = "smart_manufacturing"
BOARD = {"board": {"price_memory": 0.5, "reputation_memory": 0.5, "report_weeks": 3}}


def priced(volume, bought, worth, price=10):
    rows = {"price": price * MILLION, "volume": volume * MILLION, "week_volume": bought * MILLION}
    return Table({name: np.array([value]) for name, value in {**rows, "week_value": worth * MILLION}.items()})


def test_the_trading_price_is_the_mean_of_contracts_by_volume_and_age():
    """10 units at 10 EUR weigh half a week later: (5 · 10 + 15 · 14) ÷ 20 = 13; then 20 units weigh 10."""
    table = priced(volume=10, bought=15, worth=15 * 14)
    prices.fold(table, "price", MILLION // 2)
    assert (table["price"][0], table["volume"][0]) == (13 * MILLION, 20 * MILLION)
    assert (table["week_volume"][0], table["week_value"][0]) == (0, 0)
    table["week_volume"][:], table["week_value"][:] = 10 * MILLION, 100 * MILLION
    prices.fold(table, "price", MILLION // 2)
    assert (table["price"][0], table["volume"][0]) == (11_500_000, 20 * MILLION)  # (10 · 13 + 10 · 10) ÷ 20


def test_the_first_contracts_take_the_place_of_the_catalogue_price_and_a_week_without_trade_changes_nothing():
    first = priced(volume=0, bought=3, worth=36)
    prices.fold(first, "price", 900_000)
    assert first["price"][0] == 12 * MILLION
    before = first.copy()
    prices.fold(first, "price", 900_000)
    assert all((first[name] == before[name]).all() for name in first)


def test_prices_of_a_run_follow_from_its_contracts():
    """A slow loop over the event table `contracts` finds the prices that the board had."""
    run = ecosim.run(MARKET, seeds=2, steps=8, changes=BOARD)
    deals, board = run.events("contracts"), run.events("prices")
    for (replica, item), rows in board.groupby(["replica", "item"]):
        price, weight = rows["catalogue_price"].iloc[0], 0.0
        for row in rows.itertuples():
            week = deals[(deals["replica"] == replica) & (deals["item"] == item) & (deals["step"] == row.step)]
            bought, worth = week["quantity"].sum(), (week["quantity"] * week["price"]).sum()
            if bought:
                price = (weight / 2 * price + worth) / (weight / 2 + bought)
                weight = weight / 2 + bought
            assert (row.volume, row.value) == (bought, pytest.approx(worth))
            assert row.trading_price == pytest.approx(price, abs=1e-4)
    assert len(board) == 2 * 8 * 3


def test_a_late_delivery_is_a_breach_that_is_forgotten():
    """One week late has level ½; with a memory of ½, one breach of two deliveries weighs ½ of one a week later."""
    facts = simulate.load_scenario(MARKET, BOARD).with_changes(seeds=1, steps=2)
    world, _, _ = simulate.prepare(facts, [Arm(name="all")])
    net, record = world.phases[0].net, world.tables["reputation"]
    shipment = {"replica": 0, "buyer": 8, "seller": 0, "item": 0, "signed_week": 1, "due_week": 2}
    come = Table({name: np.array([value, value]) for name, value in shipment.items()})
    come["buyer"][1] = 9
    reputation.note_deliveries(world, net, come, np.array([1, 0]))
    listed = reputation.publish(world, MILLION // 2)
    assert {name: listed[name].tolist() for name in listed} == {
        "replica": [0], "member": [0], "breaches": [1], "level": [500_000],
    }  # fmt: skip
    found = [record[name][0] for name in ("breach_chance", "breach_level", "otif")]
    assert found == [500_000, 500_000, 500_000]  # (1 + 1) ÷ (2 + 2), ½, (1 + 1) ÷ (2 + 2)
    for _ in range(30):
        reputation.publish(world, MILLION // 2)
    assert record["breach_chance"][0] == 500_000  # nothing is known any more
    assert record["breach_chance"][1] == 500_000


def test_an_order_is_in_full_when_its_last_part_comes_in_time():
    facts = simulate.load_scenario(MARKET, BOARD).with_changes(seeds=1, steps=2)
    world, _, _ = simulate.prepare(facts, [Arm(name="all")])
    net, record = world.phases[0].net, world.tables["reputation"]
    part = {"replica": 0, "buyer": 8, "seller": 0, "item": 0, "signed_week": 1, "due_week": 2}
    come = Table({name: np.array([value]) for name, value in part.items()})
    rest = {name: np.array([part.get(name, 3)]) for name in world.tables["shipments"]}
    world.tables["shipments"] = Table(rest)
    reputation.note_deliveries(world, net, come, np.array([0]))
    assert (record["week_deliveries"][0], record["week_orders"][0]) == (MILLION, 0)  # more is on the way
    world.tables["shipments"] = world.tables["shipments"].take(np.zeros(0, np.int64))
    reputation.note_deliveries(world, net, come, np.array([2]))
    assert (record["week_orders"][0], record["week_in_full"][0]) == (MILLION, 0)  # the last part was late


def test_reports_come_every_so_many_weeks_and_hold_the_cash_that_firms_have():
    run = ecosim.run(MARKET, seeds=2, steps=7, changes=BOARD)
    reports = run.events("reports")
    assert reports["step"].unique().tolist() == [3, 6] and len(reports) == 2 * 2 * 20
    cash = run.metrics.query("metric == 'cash_eur' and step == 6").groupby("replica")["value"].sum()
    assert reports[reports["step"] == 6].groupby("replica")["cash"].sum().tolist() == pytest.approx(cash.tolist())
    assert (reports["stock_value"] >= 0).all() and (reports["open_value"] >= 0).all()


def test_with_a_board_every_seller_has_its_own_price_and_without_one_all_ask_the_same():
    for changes, is_own in ((BOARD, True), ({}, False)):
        facts = simulate.load_scenario(MARKET, changes)
        question = testing.questions(facts, steps=5, phase="quote")[-1]
        shown = question["list_price"][question.masks["list_price"]]
        assert (len(set(shown.tolist())) > 1) == is_own
        assert ("breach_chance" in question.columns) == is_own


def test_the_most_reputable_seller_is_asked_and_the_cheapest():
    question = testing.questions(simulate.load_scenario(MARKET, BOARD), steps=8, phase="quote")[-1]
    allowed, rows = question.field("partner").allowed, np.arange(question.num_rows)
    for expert, column in ((experts.most_reputable, "breach_chance"), (experts.cheapest, "list_price")):
        picked = expert(question)["partner"]
        best = np.where(allowed, question[column], np.inf).min(axis=1)
        assert allowed[rows, picked].all() and (question[column][rows, picked] == best).all()
    plain = testing.questions(MARKET, steps=3, phase="quote")[-1]
    assert (experts.most_reputable(plain)["partner"] == most_reliable(plain)["partner"]).all()


def test_a_board_changes_no_week_where_nobody_looks_at_it():
    """Scripted minds choose any partner: all old events are bit-equal with and without a board."""
    with_board, without = (ecosim.run(MARKET, seeds=2, steps=6, changes=changes) for changes in (BOARD, {}))
    for table in ("contracts", "deliveries", "stocks", "offers"):
        assert with_board.events(table).equals(without.events(table))


def test_a_market_with_a_board_has_the_same_digest_alone_and_among_others():
    facts = simulate.load_scenario(MARKET, BOARD)
    testing.check_alone(facts, seeds=2, steps=5)
    done = testing.run_digests(facts, seeds=2, steps=5)
    assert done.world.is_live.all()


@pytest.mark.parametrize(
    ("board", "fault"),
    [
        ({"price_memory": 1}, r"board\.price_memory: input should be less than 1, got 1"),
        ({"price_memory": -0.1}, r"board\.price_memory: input should be greater than or equal to 0, got -0\.1"),
        ({"reputation_memory": 2}, r"board\.reputation_memory: input should be less than or equal to 1, got 2"),
        ({"report_weeks": 0}, r"board\.report_weeks: input should be greater than or equal to 1, got 0"),
        ({"report_week": 4}, r"board.report_week: unknown key 'report_week', did you mean 'report_weeks'\?"),
    ],
)
def test_a_bad_board_is_one_clear_line(board, fault):
    with pytest.raises(ScenarioError, match=fault):
        simulate.load_scenario(MARKET, {"board": board})


def test_a_phase_needs_its_key():
    phases = [*simulate.load_scenario(MARKET).phases, "publish"]
    with pytest.raises(ScenarioError, match="phases: 'publish' does nothing without the key 'board'; add it"):
        simulate.load_scenario(MARKET, {"phases": phases})
