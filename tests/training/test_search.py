"""A teacher that thinks ahead: what it orders, what it may know, and what a network keeps of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecosim import api, seeds
from ecosim.errors import CatalogError
from ecosim.exact import MILLION
from ecosim.manufacturing.experts import order_up_to
from ecosim.reading import load_scenario
from ecosim.training.foresight import imagined, search
from ecosim.training.foresight.imagined import Futures, Start
from ecosim.training.foresight.outlook import Reckoning
from ecosim.training.foresight.searcher import Oracle, Searcher, Thought, searcher
from ecosim.training.recipes import Seeds, read_file
from ecosim.training.workbench import Workbench
from ecosim.validate.inventory import AT_THE_START, GRAIN, NEWSVENDOR, open_shop, position, shop
from ecosim.words import Question

SURE = Reckoning(known_demand=True)
CAREFUL = Reckoning(late=0.4, refused=0.05, outage=0.02, outage_weeks=8, felt=0.25, knows_makers=True)
BRIEF = Thought(futures=8, weeks=6, orders=5, refine=1)


def newsvendor(num_seeds: int = 4, weeks: int = 3, world_seed: int = 1):
    """Reference case M3: h .18, b .70, N(50, 8²); a unit of ours is a hundredth of the textbook's."""
    costs = {"holding_cost_eur": NEWSVENDOR["holding"] / GRAIN, "backlog_cost_eur": NEWSVENDOR["backlog"] / GRAIN}
    return shop(
        AT_THE_START, mean=50 * GRAIN, sd=8 * GRAIN, stock=5000, lead_time_weeks=0, seeds=num_seeds, steps=weeks,
        item=costs, world_seed=world_seed,
    )  # fmt: skip


def asked(scenario, weeks: int = 1, role: str = "distributor") -> Question:
    """What a role is asked to replenish in the last of some weeks."""
    heard = []

    def listening(question):
        heard.append(question)
        return order_up_to(question)

    api.run(scenario.with_changes(steps=weeks), minds={f"{role}.replenish": listening})
    return heard[-1]


def outage(**changes):
    return load_scenario("supplier_outage").with_changes(seeds=1, **changes)


def answer(teacher: Searcher, question: Question) -> list[int]:
    return teacher.decide(question).answers["quantity"].tolist()


# ---- what it orders -------------------------------------------------------------------------------------------------


def test_the_newsvendor_orders_the_critical_quantile_and_not_the_mean():
    """Snyder & Shen, example 4.3: 56.604 (M3), in the engine, every week and seed."""
    scenario = newsvendor()
    teacher = searcher(scenario, SURE, Thought(refine=3))
    levels = []

    def ordering(question):
        wish = teacher.decide(question).answers
        levels.append((wish["quantity"] + position(question)) / MILLION / GRAIN)
        return wish

    open_shop(scenario, ordering)
    assert np.shape(levels) == (3, 4)
    assert np.abs(np.array(levels) - 56.604).max() < 1


def test_costs_are_those_of_a_hand_count():
    """Demand is 10 in each of two weeks. An order of 10 leaves nothing, 15 keeps 5 in both weeks, 0 owes 10 in both:
    the default rule keeps the position, so what was owed is never made up for, and no more is owed than that."""
    start = one_stock(holding=1.0, shortage=4.0)
    cost = imagined.costs(start, steady(10.0, weeks=2), np.array([[10.0, 15.0, 0.0]]))
    assert cost.tolist() == [[0.0, 5.0 + 5.0, 40.0 + 40.0]]


def test_demand_that_goes_away_costs_its_sale_once():
    start = one_stock(shortage=0.0, lost=7.0)
    assert imagined.costs(start, steady(10.0, weeks=1), np.array([[4.0]])).tolist() == [[42.0]]


def test_what_a_source_cannot_give_comes_later():
    start = one_stock(holding=0.0, shortage=1.0)
    futures = steady(10.0, weeks=3, supply=8.0)
    assert imagined.costs(start, futures, np.array([[10.0]])).tolist() == [[2.0 + 4.0 + 6.0]]


def test_an_outage_feared_is_a_reason_for_stock():
    question = asked(outage(), 6, "manufacturer")
    buys = question["makes"] == 0
    calm = searcher(outage(), CAREFUL.model_copy(update={"outage": 0.0}), Thought(futures=32, weeks=20))
    wary = searcher(outage(), CAREFUL, Thought(futures=32, weeks=20))
    more = np.array(answer(wary, question)) - np.array(answer(calm, question))
    assert more[buys].sum() > 20 * MILLION


# ---- what it may know -----------------------------------------------------------------------------------------------


def test_the_real_future_does_not_change_the_answer():
    """Worlds with other demand ahead, and another fire: the same row gets the same answer; an oracle's differs."""
    question = asked(outage(), 5)
    other = outage(world_seed=77, demand={"kind": "normal", "mean_units": 40, "sd_units": 9, "price_eur": 60.0})
    fire = outage(shocks=[{"name": "fire", "kind": "outage", "whom": {"member": "chip_major"}, "week": 6, "weeks": 9}])
    here = answer(searcher(outage(), CAREFUL, BRIEF), question)
    assert answer(searcher(other, CAREFUL, BRIEF), question) == here
    assert answer(searcher(fire, CAREFUL, BRIEF), question) == here
    plain = searcher(outage(), CAREFUL, BRIEF)
    told = [Oracle(plain.outlook, BRIEF, wanted=np.full((1, 48, 12), units)) for units in (0.0, 60.0)]
    assert answer(told[0], question) != answer(told[1], question)


def test_a_row_is_answered_alone_whatever_stands_beside_it():
    question = asked(outage(), 5, "manufacturer")
    teacher = searcher(outage(), CAREFUL, BRIEF)
    whole = answer(teacher, question)
    back = np.arange(question.num_rows)[::-1]
    assert answer(teacher, question.take(back)) == whole[::-1]
    assert [answer(teacher, question.take(np.array([i])))[0] for i in range(question.num_rows)] == whole
    columns = {name: column.copy() for name, column in question.columns.items()}
    columns["on_hand"][1:] = 0
    assert answer(teacher, replace(question, columns=columns))[0] == whole[0]


def test_futures_are_drawn_from_the_imagined_stream_and_share_out_the_chances(monkeypatch):
    streams = []
    drawn = seeds.two_uniforms
    monkeypatch.setattr(seeds, "two_uniforms", lambda stream, *rest: (streams.append(stream), drawn(stream, *rest))[1])
    start = one_stock(mean=50.0, sd=8.0)
    futures = imagined.dream(start, np.array([1], np.uint64), 1, "p", (np.array([3]), np.array([0])), 200, 4)
    assert set(streams) == {seeds.IMAGINED}
    assert np.abs(futures.demand.mean(axis=1) - 50).max() < 0.2
    assert np.abs(futures.demand.std(axis=1) - 8).max() < 0.3
    assert len(np.unique(futures.demand[0, :, 0])) > 20


def test_a_teacher_that_knows_or_thinks_otherwise_is_another():
    plain = searcher(outage(), CAREFUL, BRIEF).fingerprint
    assert searcher(outage(), CAREFUL, BRIEF).fingerprint == plain
    others = [
        searcher(outage(), CAREFUL.model_copy(update={"late": 0.1}), BRIEF),
        searcher(outage(), CAREFUL, BRIEF.model_copy(update={"futures": 9})),
        searcher(outage(steps=24), CAREFUL, BRIEF),
    ]
    assert len({plain, *(teacher.fingerprint for teacher in others)}) == 4


# ---- a network that is taught by it ---------------------------------------------------------------------------------

RECIPE = """
role: distributor
seeds: {world: 1000, mind: 1000, train: [1]}
nano_search:
  method: search
  hidden: 16
  heads: 2
  head_hidden: 16
  reckoning: {distributor: {late: 0.4}}
  thought: {futures: 4, weeks: 3, orders: 5, refine: 0}
  train: [{scenario: supplier_outage, world_seed: 1000, seeds: 1, steps: 4}]
  held_out: [{scenario: supplier_outage, world_seed: 3000, seeds: 2, steps: 3}]
  first: {steps: 3, batch: 8}
  schooling: {steps: 4, batch: 8}
"""


def test_a_recipe_makes_a_network_and_its_figures(tmp_path: Path):
    (tmp_path / "distributor").mkdir()
    path = tmp_path / "distributor" / "recipe.yaml"
    path.write_text(RECIPE)
    spec = read_file(path).products["nano_search"]
    bench = Workbench("distributor", "nano_search", Seeds(train=[1]), tmp_path / "work", tmp_path)
    search.data(spec, bench)
    search.train(spec, bench, 1)
    figures = search.evaluate(spec, bench)
    assert (tmp_path / "work" / "seed-1" / "nano_search.safetensors").stat().st_size < 500_000
    gains = {name: figures[f"1.supplier_outage.{name}"] for name in ("teacher", "network", "network.kept")}
    assert gains["network.kept"] == pytest.approx(gains["network"] / gains["teacher"])
    assert figures["1.supplier_outage.teacher.low"] < gains["teacher"] < figures["1.supplier_outage.teacher.high"]
    assert not any(".all" in name for name in figures)  # the only role of its recipe, and it lies elsewhere


def test_an_unknown_key_of_the_recipe_is_named(tmp_path: Path):
    (tmp_path / "distributor").mkdir()
    path = tmp_path / "distributor" / "recipe.yaml"
    path.write_text(RECIPE.replace("late: 0.4", "lateness: 0.4"))
    with pytest.raises(CatalogError, match=r"nano_search\.reckoning\.distributor\.lateness: unknown key"):
        read_file(path)


def test_a_lesson_gives_half_of_the_chance_to_the_cheapest_order():
    question = asked(newsvendor(), 2)
    lesson = searcher(newsvendor(), SURE, BRIEF).teach(question)
    values, chances = lesson.soft["quantity"]
    assert values.shape == chances.shape == (question.num_rows, BRIEF.orders + 1)
    assert np.allclose(chances.sum(axis=1), 1) and (chances[:, -1] == 0.5).all()
    assert (values[:, -1] == lesson.answers["quantity"]).all()


# ---- by hand --------------------------------------------------------------------------------------------------------


def one_stock(**columns: float) -> Start:
    """A stock of nothing, with nothing on order, whose orders come at once."""
    usual = {
        "stock": 0.0, "on_order": 0.0, "capacity": 1000.0, "mean": 10.0, "sd": 0.0, "doubt": 0.0, "holding": 1.0,
        "shortage": 1.0, "lost": 0.0, "late": 0.0, "refused": 0.0, "outage": 0.0, "recovery": 1.0,
    }  # fmt: skip
    floats = {name: np.array([value]) for name, value in {**usual, **columns}.items()}
    whole = {name: np.array([0]) for name in ("lag", "first")}
    return Start(**floats, **whole, sources=np.array([[np.inf]]), is_out=np.array([False]))


def steady(units: float, weeks: int, supply: float = np.inf) -> Futures:
    """One future in which every week is alike."""
    shape = (1, 1, weeks)
    never = np.zeros(shape, bool)
    return Futures(demand=np.full(shape, units), supply=np.full(shape, supply), is_late=never, is_refused=never)
