"""Drawings and readings against values worked out by hand."""

from __future__ import annotations

import re
import subprocess
import sys

import pandas as pd
import pytest

import ecosim
from ecosim import simulate
from ecosim.manufacturing.state import layout
from ecosim.report import forest, plots
from ecosim.report.canvas import Drawing, ticks
from ecosim.report.differences import reading
from ecosim.report.network import between, flows, grouped, single, top
from ecosim.report.paired import gap
from ecosim.report.sections import sections
from ecosim.report.source import Source


def frame(values: dict[int, list[float]], arm: str = "all") -> pd.DataFrame:
    """Values of each replica by step."""
    rows = [(step, replica, v) for replica, vs in values.items() for step, v in enumerate(vs, start=1)]
    return pd.DataFrame(rows, columns=["step", "replica", "value"]).assign(arm=arm, metric="stock", group="mill")


def test_a_band_runs_from_the_5_to_the_95_percent_quantile():
    mean, low, high = plots.band(frame({0: [0.0], 1: [10.0]}))
    assert (mean[1], low[1], high[1]) == (5.0, 0.5, 9.5)


def test_a_replica_without_a_value_is_left_out_of_that_step():
    mean, _, _ = plots.band(frame({0: [1.0, float("nan")], 1: [3.0, 4.0]}))
    assert mean.tolist() == [2.0, 4.0]


def test_a_long_run_is_drawn_as_means_over_a_few_steps():
    mean, _, _ = plots.band(frame({0: [float(step) for step in range(1, 601)]}))
    assert len(mean) == 300
    assert mean.iloc[0] == 1.5  # steps 1 and 2


def test_a_drawing_leaves_its_colours_to_the_page():
    svg = plots.panel(frame({0: [1.0, 2.0], 1: [2.0, 4.0]}), ["all"], "units", "week")
    assert "var(--s1)" in svg
    assert not re.search(r"#[0-9a-f]{6}|rgb", svg)


def test_words_on_a_drawing_are_never_read_as_formulas_or_markup():
    data = frame({0: [1.0], 1: [2.0]}).assign(group="<b>$x$</b>")
    svg = plots.bars(data, ["all"], "$")
    assert "&lt;b&gt;$x$&lt;/b&gt;" in svg


def test_a_page_is_drawn_without_matplotlib():
    code = (
        "import sys, ecosim; from ecosim.report import page; page.html(ecosim.run('polya_feed', seeds=2, steps=2));"
        "sys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_network_adds_up_what_was_contracted():
    net = layout(simulate.load_scenario("smart_manufacturing"))
    contracts = pd.DataFrame({"seller": [0, 0, 0], "buyer": [8, 8, 9], "item": [0, 0, 0], "quantity": [5.0, 7.0, 1.0]})
    edges = between(flows(contracts.assign(price=2.0)), single(net))
    assert edges[["start", "end", "units"]].to_numpy().tolist() == [[0, 8, 12.0], [0, 9, 1.0]]


def test_a_thousand_firms_are_drawn_as_the_groups_of_the_scenario_and_the_largest_of_each():
    scenario = simulate.load_scenario("smart_manufacturing", {f"firms.{i}.count": 250 for i in range(4)})
    net = layout(scenario)
    contracts = pd.DataFrame({"seller": [0, 249], "buyer": [500, 600], "item": 0, "quantity": [5.0, 7.0], "price": 1.0})
    pairs = flows(contracts)
    assert grouped(net, scenario).names == (
        "250 × steelworks", "250 × resin_plant", "250 × pump_maker", "250 × distributor"
    )  # fmt: skip
    assert between(pairs, grouped(net, scenario)).to_numpy().tolist() == [[0, 2, 0, 12.0]]
    largest = top(pairs, net)
    assert len(largest.names) == 24
    assert largest.names[:2] == ("steelworks_250", "steelworks_1")


def test_a_line_has_a_gap_where_a_value_is_missing():
    drawing = Drawing(10, 10, "")
    drawing.line([(0, 1), (1, float("nan")), (2, 3)], "x")
    assert 'd="M0,1M2,3"' in drawing.svg()


@pytest.mark.parametrize(("low", "high"), [(0.0, 9.5), (-3.0, 1e6), (0.0, 1e-7), (39.0, 41.0)])
def test_ticks_are_round_few_and_within(low: float, high: float):
    found = ticks(low, high)
    assert 2 <= len(found) <= 5
    assert low - 1e-12 <= found[0] < found[-1] <= high * (1 + 1e-12)


def test_interventions_are_marked_in_every_panel():
    svg = plots.panel(frame({0: [1.0, 2.0, 3.0]}), ["all"], "units", "week", marks=[2])
    assert svg.count("<title>intervention in week 2</title>") == 1


def test_a_paired_difference_over_time_has_its_interval():
    """Gaps of 1 and 3: mean 2, and Student's t at one degree of freedom times sd / √2 = 12.706 · 1."""
    base = frame({0: [1.0], 1: [5.0]}, "a")
    other = frame({2: [2.0], 3: [8.0]}, "b")
    found = gap(pd.concat([base, other]), pd.Series([1, 2, 1, 2]), ("a", "b"))
    assert found.loc[1].tolist() == pytest.approx([2.0, 2 - 12.706, 2 + 12.706], abs=1e-3)


@pytest.mark.parametrize(
    ("low", "high", "better", "said"),
    [
        (1.0, 3.0, "higher", "better"),
        (1.0, 3.0, "lower", "worse"),
        (-3.0, -1.0, "lower", "better"),
        (-3.0, -1.0, "", "lower"),
        (-1.0, 3.0, "higher", "not shown"),
        (float("nan"), float("nan"), "higher", "one pair only"),
    ],
)
def test_an_interval_is_read_by_which_side_is_better(low: float, high: float, better: str, said: str):
    assert reading((low + high) / 2, low, high, better)[0] == said


def test_figures_that_no_theme_names_are_drawn_under_more():
    source = Source(ecosim.run("polya_feed", seeds=2, steps=2))
    (more,) = sections(source, plans=())
    drawn = {(chart.title, chart.group) for part in more.parts if part.kind == "charts" for chart in part.charts}
    assert more.title == "More"
    assert ("Attention Gini", "") in drawn
    assert len(drawn) == len(source.metrics)


def test_arms_that_came_out_alike_have_an_axis_too():
    alike = {"baseline_mean": 100.0, "difference": 0.0, "low": 0.0, "high": 0.0, "is_clear": False}
    assert forest._limit(pd.DataFrame([alike, alike])) == 2


def test_one_far_difference_does_not_squeeze_a_forest_plot():
    """Nine intervals within ±20 %: the axis holds a clear one at 60 %, and has an arrow for one at 4,000 %."""
    usual = [{"baseline_mean": 10.0, "difference": 0.5, "low": -1.0, "high": 2.0, "is_clear": False}] * 9
    near = {"baseline_mean": 10.0, "difference": 6.0, "low": 5.9, "high": 6.1, "is_clear": True}
    far = {"baseline_mean": 1.0, "difference": 40.0, "low": 39.0, "high": 41.0, "is_clear": True}
    assert forest._limit(pd.DataFrame([*usual, near])) == 100
    assert forest._limit(pd.DataFrame([*usual, near, far])) == 100
