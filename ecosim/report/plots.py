"""Drawings that all sides share: bands over time, differences over time, bars, and shares of a whole.

Every axis of values holds 0; one that does not says so beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from markupsafe import Markup

from ecosim.report.canvas import (
    CHAR,
    INK,
    NUM_SERIES,
    QUIET,
    Drawing,
    Scale,
    level_grid,
    series_color,
    ticks,
    upright_grid,
    with_zero,
)
from ecosim.report.words import compact, label, short

BAND = (0.05, 0.95)
"""Quantiles over replicas that a band shows."""

PANEL = (340, 210)
WIDE = 1040
MAX_POINTS = 300
"""Longer runs are drawn as means over a few steps each."""
FEWEST_POINTS = 100
"""The same where many arms share the points of a panel."""
MAX_NAME = 26
"""Letters of a name beside a bar."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 26, 34
"""Margins of a panel, px."""


def panel(
    frame: pd.DataFrame,
    arms: Sequence[str],
    unit: str,
    step: str,
    against: pd.DataFrame | None = None,
    marks: Sequence[int] = (),
) -> Markup:
    """One metric and group over time: the mean of each arm's replicas, and a band from the 5 % to the 95 % quantile.

    Args:
        frame: rows `step, replica, value, arm`.
        arms: in the order of their colours.
        unit: of the values.
        step: what a step is called.
        against: another metric of the first arm, drawn as a dashed line.
        marks: steps at which somebody intervened.
    """
    most = max(FEWEST_POINTS, MAX_POINTS // len(arms))
    parts = [(i, frame[frame["arm"] == arm]) for i, arm in enumerate(arms)]
    bands = [(i, band(part, most), part["replica"].nunique() > 1) for i, part in parts if not part.empty]
    beside = [] if against is None else [band(against[against["arm"] == arms[0]], most)[0]]
    ends = with_zero(np.concatenate([*(np.concatenate(values) for _, values, _ in bands), *beside]))
    drawing, x, y = _frame(frame["step"], ends, unit, step, marks, _about(frame))
    for mean in beside:
        drawing.line(_points(mean, x, y), QUIET, 1.2, dash="3 2")
    for i, (mean, low, high), has_band in bands:
        if has_band:
            drawing.area(_points(high, x, y), _points(low, x, y), series_color(i))
        drawing.line(_points(mean, x, y), series_color(i), 1.7)
        for step_alone in _alone(mean):
            drawing.dot(x(step_alone), y(mean[step_alone]), 1.6, series_color(i))
    return drawing.svg()


def gaps(
    bands: Sequence[tuple[int, pd.DataFrame]], unit: str, step: str, about: str, marks: Sequence[int] = ()
) -> Markup:
    """Paired differences to the first arm over time.

    Args:
        bands: of each arm its place among the colours, and rows by step with `mean, low, high`.
        unit, step: of the values, and what a step is called.
        about: what is drawn, for who does not see it.
        marks: steps at which somebody intervened.
    """
    steps = pd.Series(np.concatenate([frame.index.to_numpy() for _, frame in bands]))
    ends = with_zero(np.concatenate([frame.to_numpy().ravel() for _, frame in bands]))
    drawing, x, y = _frame(steps, ends, f"difference, {unit}" if unit else "difference", step, marks, about)
    for i, frame in bands:
        drawing.area(_points(frame["high"], x, y), _points(frame["low"], x, y), series_color(i))
        drawing.line(_points(frame["mean"], x, y), series_color(i), 1.7)
    return drawing.svg()


def band(frame: pd.DataFrame, most: int = MAX_POINTS) -> tuple[pd.Series[float], pd.Series[float], pd.Series[float]]:
    """Mean, low and high over replicas at each step; nan where no replica has a value."""
    wide = coarse(frame.pivot(index="step", columns="replica", values="value").sort_index(), most)
    if wide.shape[1] == 1:
        return (wide.iloc[:, 0],) * 3
    spread = wide.quantile(list(BAND), axis=1)
    return wide.mean(axis=1), spread.iloc[0], spread.iloc[1]


def coarse(wide: pd.DataFrame, most: int = MAX_POINTS) -> pd.DataFrame:
    """Rows by step, as means over a few steps each where there are too many."""
    stride = math.ceil(len(wide) / most)
    if stride <= 1:
        return wide
    return wide.groupby((wide.index - wide.index[0]) // stride * stride + wide.index[0]).mean()


def bars(frame: pd.DataFrame, arms: Sequence[str], unit: str, reference: float | None = None) -> Markup:
    """One KPI by group: the mean over replicas, with a whisker from the 5 % to the 95 % quantile.

    Args:
        frame: rows `group, arm, value`.
        arms: in the order of their colours.
        unit: of the values.
        reference: where to draw a line that bars are read against.
    """
    groups = list(dict.fromkeys(frame["group"]))
    thick, row = 12, 14 + 14 * len(arms)
    left = 14 + CHAR * max(len(_group(group)) for group in groups)
    stats = {key: _spread(part) for key, part in frame.dropna(subset="value").groupby(["group", "arm"])["value"]}
    drawing = Drawing(PANEL[0], 44 + row * len(groups), _about(frame))
    bottom = drawing.height - 38
    room = max((CHAR * len(compact(mean)) for mean, *_ in stats.values()), default=0.0)
    x = Scale(*with_zero([v for s in stats.values() for v in s] + [reference or 0.0]), left, PANEL[0] - 10 - room)
    upright_grid(drawing, x, 4, bottom, unit)
    for j, group in enumerate(groups):
        drawing.text(left - 8, 6 + row * (j + 0.5), _group(group), "end", INK)
        for i, arm in enumerate(arms):
            if (group, arm) in stats:
                _bar(drawing, x, 6 + row * j + 7 + 14 * i, thick, stats[group, arm], series_color(i))
    if reference is not None:
        drawing.line([(x(reference), 2), (x(reference), bottom)], QUIET, 1, dash="3 2")
    return drawing.svg()


def shares(values: Mapping[str, float], total: float, about: str) -> Markup:
    """One bar of the whole width, cut by the shares of a total, in the order given; a share of 8 % has its number."""
    drawing = Drawing(WIDE, 34, about)
    x = Scale(0, total, 0, WIDE)
    at = 0.0
    for i, (name, value) in enumerate(values.items()):
        width = x(value) - x(0)
        percent = f"{100 * value / total:.0f} %"
        drawing.box(x(at), 2, max(width - 1, 0.5), 26, series_color(min(i, NUM_SERIES - 1)), about=f"{name}: {percent}")
        if width > 0.08 * WIDE:
            drawing.text(x(at) + width / 2, 15, percent, "middle", "var(--paper)", is_bold=True)
        at += value
    return drawing.svg()


def _frame(
    steps: pd.Series[int], ends: tuple[float, float], unit: str, step: str, marks: Sequence[int], about: str
) -> tuple[Drawing, Scale, Scale]:
    """A panel without its lines: grid, unit, whole steps below, and where somebody intervened."""
    width, height = PANEL
    drawing = Drawing(width, height, about)
    x = Scale(float(steps.min()), float(steps.max()), _LEFT + 4, width - _RIGHT)
    y = Scale(*ends, height - _BOTTOM, _TOP)
    level_grid(drawing, y, _LEFT, width - _RIGHT)
    whole = [value for value in ticks(x.low, float(steps.max()), 7) if value == int(value)]
    for value in whole:
        drawing.line([(x(value), height - _BOTTOM), (x(value), height - _BOTTOM + 3)], QUIET, 0.8)
        drawing.text(x(value), height - _BOTTOM + 12, f"{value:,.0f}", "middle")
    drawing.text(width - _RIGHT, height - 7, step, "end")
    drawing.text(4, 10, short(unit, 40) or "number")
    for mark in marks:
        drawing.line([(x(mark), _TOP - 6), (x(mark), height - _BOTTOM)], INK, 0.8, dash="1 3")
        drawing.dot(x(mark), _TOP - 6, 2.4, INK, about=f"intervention in {step} {mark}")
    return drawing, x, y


def _points(values: pd.Series[float], x: Scale, y: Scale) -> list[tuple[float, float]]:
    return [(x(step), y(value)) for step, value in zip(values.index.tolist(), values.tolist(), strict=True)]


def _alone(mean: pd.Series[float]) -> list[int]:
    """Steps whose neighbours have no value: a line needs two points, a lone one a dot."""
    alone = mean.notna() & mean.shift(1).isna() & mean.shift(-1).isna()
    return [int(step) for step in mean.index[alone]]


def _spread(values: pd.Series[float]) -> tuple[float, float, float]:
    low, high = values.quantile(list(BAND)) if len(values) > 1 else (values.iloc[0], values.iloc[0])
    return float(values.mean()), float(low), float(high)


def _bar(drawing: Drawing, x: Scale, y: float, thick: float, stats: tuple[float, float, float], color: str) -> None:
    mean, low, high = stats
    left, right = sorted((x(0), x(mean)))
    drawing.box(left, y, right - left, thick, color)
    if high > low:
        drawing.line([(x(low), y + thick / 2), (x(high), y + thick / 2)], INK, 1.1)
    drawing.text(max(right, x(high)) + 5, y + thick / 2, compact(mean), "start", INK)


def _about(frame: pd.DataFrame) -> str:
    group = str(frame["group"].iloc[0])
    return label(str(frame["metric"].iloc[0])) + (f", {label(group)}" if group else "")


def _group(group: str) -> str:
    return short(label(group), MAX_NAME) or "all"
