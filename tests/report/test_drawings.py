"""Drawings and readings against values worked out by hand."""

from __future__ import annotations

import subprocess
import sys

import pandas as pd
import pytest

import ecosim
from ecosim import simulate
from ecosim.manufacturing.state import layout
from ecosim.report import plots
from ecosim.report.canvas import SERIES
from ecosim.report.differences import reading
from ecosim.report.network import network
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
    assert not any(color in svg for color in SERIES)
    assert "DejaVu" not in svg


def test_words_on_a_drawing_are_never_read_as_formulas_or_markup():
    data = frame({0: [1.0], 1: [2.0]}).assign(group="<b>$x$</b>")
    svg = plots.bars(data, ["all"], "$")
    assert "&lt;b&gt;$x$&lt;/b&gt;" in svg


def test_drawing_leaves_pyplot_alone():
    code = (
        "import sys; from ecosim.report import network, page, plots; plots.amounts({'minds': 1.0}, 's');"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_network_adds_up_what_was_contracted():
    net = layout(simulate.load_scenario("smart_manufacturing"))
    contracts = pd.DataFrame({"seller": [0, 0, 0], "buyer": [8, 8, 9], "item": [0, 0, 0], "quantity": [5.0, 7.0, 1.0]})
    graph = network(contracts, net)
    assert graph.number_of_nodes() == 20
    assert {(a, b): data["units"] for a, b, data in graph.edges(data=True)} == {(0, 8): 12.0, (0, 9): 1.0}


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
