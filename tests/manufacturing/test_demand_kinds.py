"""Kinds of demand: level, seasonal, autocorrelated, from a file, and InvAgent's five settings."""

import numpy as np
import pandas as pd
import pytest

import ecosim
from ecosim import simulate
from ecosim.errors import ScenarioError
from ecosim.exact import MILLION
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.record.store import Memory
from ecosim.scenario import build
from ecosim.simulate import Arm

FILE = """
world: manufacturing
title: two shops
steps: 4
items: {good: {}}
firms:
  - {name: shop, role: distributor, sells: good, partner: mill, demand: consumers, count: 2}
  - {name: kiosk, role: distributor, sells: good, partner: mill, demand: consumers}
  - {name: mill, role: supplier, sells: good, capacity_units: 9}
demand: {kind: series, file: sales.csv}
phases: [arrive, demand, replenish, order, produce, ship, charge]
"""


def two_shops(demand, **more):
    data = {
        "world": "manufacturing", "title": "two shops", "steps": 8, "seeds": 2, "items": {"good": {}},
        "firms": [
            {"name": "shop", "role": "distributor", "sells": "good", "partner": "mill", "demand": "consumers",
             "count": 2},
            {"name": "mill", "role": "supplier", "sells": "good", "capacity_units": 9},
        ],
        "demand": demand, "phases": ["arrive", "demand", "replenish", "order", "produce", "ship", "charge"],
    }  # fmt: skip
    return build(ManufacturingScenario, {**data, **more}, place="test")


def wanted(facts):
    """Units, shape (replicas, firms, weeks)."""
    events = ecosim.run(facts).events("demand").sort_values(["replica", "member", "step"])
    return events["wanted"].to_numpy().reshape(facts.seeds, -1, facts.steps)


def test_a_constant_is_the_same_every_week():
    assert (wanted(two_shops({"kind": "constant", "mean_units": 7.4})) == 7).all()


def test_seasons_come_round():
    facts = two_shops({"kind": "seasonal", "mean_units": 10.0, "season": [1.0, 0.5, 2.0]})
    assert wanted(facts)[0, 0].tolist() == [10, 5, 20, 10, 5, 20, 10, 5]
    noisy = wanted(
        two_shops({"kind": "seasonal", "mean_units": 500.0, "sd_units": 20.0, "season": [1.0, 2.0]}, seeds=40)
    )
    assert noisy.mean(axis=(0, 1))[:2] == pytest.approx([500, 1000], abs=4 * 20 / 80**0.5)


def test_autocorrelated_demand_has_its_mean_deviation_and_correlation_from_the_first_week():
    facts = two_shops({"kind": "ar1", "mean_units": 1000.0, "sd_units": 50.0, "correlation": 0.7}, steps=30, seeds=200)
    found = wanted(facts)
    assert found[:, :, 0].std() == pytest.approx(50, rel=0.15)
    assert found[:, :, -1].std() == pytest.approx(50, rel=0.15)
    assert found.mean() == pytest.approx(1000, abs=3)
    lag = found - 1000.0
    assert (lag[:, :, 1:] * lag[:, :, :-1]).mean() / 2500 == pytest.approx(0.7, abs=0.04)
    assert (lag[:, :, 2:] * lag[:, :, :-2]).mean() / 2500 == pytest.approx(0.49, abs=0.05)


INVAGENT = {
    "constant": ((4, 4), (4, 4)),
    "variable": ((0, 4), (0, 4)),
    "larger": ((0, 8), (0, 8)),
    "seasonal": ((0, 4), (5, 8)),
}


@pytest.mark.parametrize(("setting", "ends"), INVAGENT.items())
def test_invagents_settings_have_their_ends(setting, ends):
    """Quan & Liu (2024): each whole number in between, evenly; weeks 1 to 4, and those after."""
    found = wanted(two_shops({"kind": "invagent", "setting": setting}, seeds=40))
    for weeks, (low, high) in zip((found[:, :, :4], found[:, :, 4:]), ends, strict=True):
        assert sorted(set(weeks.reshape(-1))) == list(range(low, high + 1))
        assert weeks.mean() == pytest.approx((low + high) / 2, abs=4 * (high - low) / 12**0.5 / weeks.size**0.5 + 1e-9)


def test_invagents_normal_setting_is_cut_to_whole_units():
    """max(0, ⌊N(4, 2²)⌋) has mean Σ P(N ≥ k), k = 1, 2, …: 3.51."""
    found = wanted(two_shops({"kind": "invagent", "setting": "normal"}, seeds=200))
    assert found.min() == 0
    assert found.mean() == pytest.approx(3.51, abs=4 * 2 / found.size**0.5)


KINDS = [
    {"kind": "seasonal", "mean_units": 10.0, "sd_units": 2.0, "season": [1.0, 2.0]},
    {"kind": "ar1", "mean_units": 10.0, "sd_units": 3.0, "correlation": -0.5},
    {"kind": "invagent", "setting": "seasonal"},
]


@pytest.mark.parametrize("demand", KINDS, ids=lambda demand: demand["kind"])
def test_arms_meet_the_same_demand_and_a_replica_alone_the_same_as_among_others(demand):
    facts = two_shops(demand, seeds=3)
    arms = [Arm(name="a"), Arm(name="b", minds={"distributor.replenish": "pass_on"})]
    done = simulate.simulate(facts, arms, Memory()).manifest
    assert done["exogenous_digests"][:3] == done["exogenous_digests"][3:]
    alone = facts.with_changes(seeds=1, world_seed=facts.world_seed + 2, mind_seed=facts.mind_seed + 2)
    assert simulate.simulate(alone, [Arm(name="a")], Memory()).manifest["digests"][0] == done["digests"][2]


@pytest.mark.parametrize(
    ("demand", "message"),
    [
        ({"kind": "seasonal", "mean_units": 5.0}, "demand: season: missing; kind: seasonal needs it"),
        ({"kind": "normal", "mean_units": 5.0, "season": [1.0]}, "demand: season: only for kind: seasonal, not normal"),
        ({"kind": "ar1", "mean_units": 5.0}, "demand: correlation: missing; kind: ar1 needs it"),
        ({"kind": "ar1", "mean_units": 5.0, "correlation": 1.0}, "correlation: input should be less than 1"),
        ({"kind": "constant"}, "demand: mean_units: missing; this key is required"),
        ({"kind": "series"}, "demand: file: missing; kind: series needs it"),
        ({"kind": "invagent", "setting": "normal", "mean_units": 4.0}, "kind: invagent has its own; leave them out"),
        ({"kind": "invagent", "setting": "wild"}, "setting: input should be 'constant', 'variable', 'larger',"),
        ({"kind": "seasonal", "mean_units": 5.0, "season": [-1.0]}, "season.0.: input should be greater than or equal"),
    ],
)
def test_kinds_without_what_they_need_are_refused(demand, message):
    with pytest.raises(ScenarioError, match=message):
        two_shops(demand)


# ---- a file of the user's -------------------------------------------------------------------------------------------


def rows(*lines):
    return "\n".join(lines) + "\n"


def write(folder, text, name="sales.csv"):
    (folder / "shops.yaml").write_text(FILE.replace("sales.csv", name))
    (folder / name).write_text(text)
    return folder / "shops.yaml"


def test_a_series_is_what_consumers_want_whoever_runs_it_from_wherever(tmp_path):
    text = rows("week,demand_units", "1,5", "2,7.6", "3,0", "4,9", "5,1")
    facts = simulate.load_scenario(write(tmp_path, text))
    assert wanted(facts)[0].tolist() == [[5, 8, 0, 9]] * 3


def test_firms_may_differ_and_a_group_stands_for_its_firms(tmp_path):
    lines = [
        f"{firm},{week},{week * k}" for firm, k in (("shop_1", 1), ("kiosk", 3), ("shop_2", 2)) for week in (1, 2, 3, 4)
    ]
    facts = simulate.load_scenario(write(tmp_path, rows("firm,step,demand_units", *lines)))
    assert wanted(facts)[0].tolist() == [[1, 2, 3, 4], [2, 4, 6, 8], [3, 6, 9, 12]]
    groups = [line.replace("shop_1", "shop") for line in lines if "shop_2" not in line]
    facts = simulate.load_scenario(write(tmp_path, rows("firm,step,demand_units", *groups)))
    assert wanted(facts)[0].tolist() == [[1, 2, 3, 4], [1, 2, 3, 4], [3, 6, 9, 12]]


def test_parquet_is_read_as_well(tmp_path):
    pd.DataFrame({"week": [1, 2, 3, 4], "demand_units": [4, 3, 2, 1], "item": ["good"] * 4}).to_parquet(
        tmp_path / "sales.parquet"
    )
    (tmp_path / "shops.yaml").write_text(FILE.replace("sales.csv", "sales.parquet"))
    assert wanted(simulate.load_scenario(tmp_path / "shops.yaml"))[0, 0].tolist() == [4, 3, 2, 1]


HEAD = "week,demand_units"
WRONG = [
    (
        rows(HEAD, "1,5", "2,many", "3,1", "4,1"),
        "demand.file: sales.csv:3: demand_units: must be a number from 0 to 1e12",
    ),
    (rows(HEAD, "1,5", "2,-3", "3,1", "4,1"), "sales.csv:3: demand_units: must be a number from 0 to 1e12, got '-3'"),
    (rows(HEAD, "1,5", "2,nan", "3,1", "4,1"), "sales.csv:3: demand_units: must be a number from 0 to 1e12, got 'nan'"),
    (rows(HEAD, "1,5", "2,", "3,1", "4,1"), "sales.csv:3: demand_units: must be a number from 0 to 1e12, got ''"),
    (rows(HEAD, "1,5", "2,1", "4,1"), r"sales.csv: a gap: week 3 of 'shop_1' is missing \(1 in all\)"),
    (rows(HEAD, "1,5", "2,1"), "sales.csv: ends in week 2 for 'shop_1', the scenario has 4 steps; give more rows or"),
    (rows(HEAD, "1,5", "1,6", "2,1", "3,1", "4,1"), "sales.csv:3: week 1 is there twice for the same firm"),
    (rows(HEAD, "0,5"), "sales.csv:2: week: must be a whole number from 1, got '0'"),
    (rows(HEAD, "May,5"), "sales.csv:2: week: must be a whole number from 1, got 'May'"),
    (rows("week,units", "1,5"), "sales.csv: unknown column 'units'; known keys: demand_units, firm"),
    (rows("demand_units", "5"), r"sales.csv: needs one column week \(or step\), from 1"),
    (rows("week,demand_units,firm", "1,5,shp"), "sales.csv:2: firm: unknown firm 'shp', did you mean 'shop'"),
    (rows("week,demand_units,firm", "1,5,mill"), "sales.csv:2: firm: 'mill' does not sell to consumers"),
    (rows("week,demand_units,item", "1,5,beer"), "sales.csv:2: item: unknown item 'beer'"),
    (rows(HEAD, "1,5,9"), "sales.csv: line 2 has 3 cells, the header 2"),
    ("", "sales.csv: is empty; give a header with week and demand_units"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_series_with_faults_is_told_by_file_and_row(tmp_path, text, message):
    with pytest.raises(ScenarioError, match=message):
        simulate.load_scenario(write(tmp_path, text))


def test_files_that_are_none_are_told(tmp_path):
    (tmp_path / "shops.yaml").write_text(FILE)
    with pytest.raises(ScenarioError, match=r"demand.file: sales.csv: .*No such file"):
        simulate.load_scenario(tmp_path / "shops.yaml")
    with pytest.raises(ScenarioError, match=r"sales.parquet: is no Parquet file"):
        simulate.load_scenario(write(tmp_path, "week,demand_units", "sales.parquet"))
    with pytest.raises(ScenarioError, match=r"unknown kind of file; give one that ends in .csv or .parquet"):
        simulate.load_scenario(write(tmp_path, "week,demand_units", "sales.xls"))
    (tmp_path / "shops.yaml").write_text(FILE.replace("sales.csv", "../sales.csv"))
    with pytest.raises(ScenarioError, match=r"'../sales.csv' lies outside the scenario's folder; move it there"):
        simulate.load_scenario(tmp_path / "shops.yaml")


def test_of_many_faults_ten_are_told_and_all_are_counted(tmp_path):
    text = rows(HEAD, *[f"{week},x" for week in range(1, 31)])
    with pytest.raises(ScenarioError) as caught:
        simulate.load_scenario(write(tmp_path, text))
    assert len(caught.value.faults) == 11
    assert "sales.csv: and 20 more faults" in str(caught.value)


def test_a_scenario_made_in_python_tells_of_its_file_when_it_runs():
    facts = two_shops({"kind": "series", "file": "nowhere.csv"})
    with pytest.raises(ScenarioError, match=r"demand.file: nowhere.csv: .*No such file"):
        ecosim.run(facts)


def test_demand_in_millionths_is_exact():
    facts = two_shops({"kind": "constant", "mean_units": 3.0}, seeds=1, steps=1)
    world, _, recorder = simulate.prepare(facts, [Arm(name="all")])
    world.step()
    assert np.array_equal(recorder.close_step(1)["demand"]["wanted"], [3 * MILLION] * 2)
