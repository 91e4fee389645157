"""Drawings that all sides share: bands over time, and bars."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from ecosim.report.canvas import INK, QUIET, SERIES, axes_in, canvas, honest, series_color, whole_steps
from ecosim.report.words import compact, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BAND = (0.05, 0.95)
"""Quantiles over replicas that a band shows."""

PANEL = (340, 210)
WIDE = 1040
MAX_POINTS = 300
"""Longer runs are drawn as means over a few steps each."""

_MARGINS = (44, 10, 24, 34)
"""Left, right, top and bottom of a panel, px."""


def panel(
    frame: pd.DataFrame, arms: Sequence[str], unit: str, step: str, against: pd.DataFrame | None = None
) -> Markup:
    """One metric and group over time: the mean of each arm's replicas, and a band from the 5 % to the 95 % quantile.

    Args:
        frame: rows `step, replica, value, arm`.
        arms: in the order of their colours.
        unit: of the values.
        step: what a step is called.
        against: another metric of the first arm, drawn as a dashed line.
    """
    with canvas(PANEL, salt=f"{frame['metric'].iloc[0]}/{frame['group'].iloc[0]}") as (figure, done):
        ax = axes_in(figure, PANEL, _MARGINS)
        if against is not None:
            mean, _, _ = band(against[against["arm"] == arms[0]])
            ax.plot(mean.index, mean, color=QUIET, linewidth=1.2, linestyle=(0, (3, 2)))
        for i, arm in enumerate(arms):
            part = frame[frame["arm"] == arm]
            if not part.empty:
                _draw_band(ax, part, series_color(i))
        honest(ax, frame["value"])
        ax.set_title(unit, loc="left", x=-0.09, fontsize=11, color=QUIET)
        ax.set_xlabel(step, loc="right", labelpad=1)
        ax.margins(x=0.01)
        whole_steps(ax)
        return done()


def band(frame: pd.DataFrame) -> tuple[pd.Series[float], pd.Series[float], pd.Series[float]]:
    """Mean, low and high over replicas at each step; nan where no replica has a value."""
    wide = frame.pivot(index="step", columns="replica", values="value").sort_index()
    stride = math.ceil(len(wide) / MAX_POINTS)
    if stride > 1:
        wide = wide.groupby((wide.index - wide.index[0]) // stride * stride + wide.index[0]).mean()
    return wide.mean(axis=1), wide.quantile(BAND[0], axis=1), wide.quantile(BAND[1], axis=1)


def bars(frame: pd.DataFrame, arms: Sequence[str], unit: str, reference: float | None = None) -> Markup:
    """One KPI by group: the mean over replicas, with a whisker from the 5 % to the 95 % quantile.

    Args:
        frame: rows `group, arm, value`.
        arms: in the order of their colours.
        unit: of the values.
        reference: where to draw a line that bars are read against.
    """
    groups = list(dict.fromkeys(frame["group"]))
    height = 46 + max(1, len(groups)) * (14 + 16 * len(arms))
    size = (PANEL[0], height)
    longest = max(len(_group(group)) for group in groups)
    with canvas(size, salt=f"bars/{frame['metric'].iloc[0]}") as (figure, done):
        ax = axes_in(figure, size, (12 + 6 * longest, 44, 10, 34))
        thick = 0.7 / len(arms)
        for i, arm in enumerate(arms):
            for j, group in enumerate(groups):
                values = frame.loc[(frame["arm"] == arm) & (frame["group"] == group), "value"].dropna()
                if not values.empty:
                    _bar(ax, j - 0.35 + thick * (i + 0.5), values, thick * 0.86, series_color(i))
        if reference is not None:
            ax.axvline(reference, color=QUIET, linewidth=1, linestyle=(0, (3, 2)))
        ax.set_yticks(range(len(groups)), [_group(group) for group in groups], color=INK)
        ax.set_ylim(len(groups) - 0.5, -0.5)
        _flat(ax, unit)
        return done()


def amounts(values: Mapping[str, float], unit: str, spell: Callable[[float], str] = compact) -> Markup:
    """Named amounts as bars, the largest first, each with its number."""
    ordered = sorted(values.items(), key=lambda pair: -pair[1])
    size = (WIDE // 2, 46 + 22 * len(ordered))
    longest = max((len(name) for name, _ in ordered), default=0)
    with canvas(size, salt=f"amounts/{unit}") as (figure, done):
        ax = axes_in(figure, size, (16 + 6 * longest, 60, 6, 34))
        for j, (_, value) in enumerate(ordered):
            ax.barh(j, value, 0.62, color=SERIES[0])
            _mark(ax, value, j, spell(value))
        ax.set_yticks(range(len(ordered)), [name for name, _ in ordered], color=INK)
        ax.set_ylim(len(ordered) - 0.5, -0.5)
        _flat(ax, unit)
        return done()


def _draw_band(ax: Axes, frame: pd.DataFrame, color: str) -> None:
    mean, low, high = band(frame)
    if frame["replica"].nunique() > 1:
        ax.fill_between(mean.index, low, high, alpha=0.18, linewidth=0, color=color)
    ax.plot(mean.index, mean, color=color, linewidth=1.7)
    alone = mean.notna() & mean.shift(1).isna() & mean.shift(-1).isna()  # a line needs two points, a lone one a dot
    ax.plot(mean.index[alone], mean[alone], "o", color=color, markersize=2.5)


def _bar(ax: Axes, where: float, values: pd.Series[float], thick: float, color: str) -> None:
    mean = float(values.mean())
    ax.barh(where, mean, thick, color=color, alpha=0.85)
    end = mean
    if len(values) > 1:
        low, high = values.quantile(BAND[0]), values.quantile(BAND[1])
        ax.plot([low, high], [where, where], color=INK, linewidth=1.1)
        end = max(mean, float(high))
    _mark(ax, max(end, 0), where, compact(mean))


def _mark(ax: Axes, x: float, y: float, text: str) -> None:
    """A number just right of the end of a bar."""
    place: dict[str, Any] = {"xytext": (5, 0), "textcoords": "offset points", "va": "center", "annotation_clip": False}
    ax.annotate(text, (x, y), fontsize=11, color=INK, **place)


def _flat(ax: Axes, unit: str) -> None:
    """Bars lie: the grid stands, and the axis of values is below."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    ax.spines["bottom"].set_visible(False)
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: compact(value)))
    ax.tick_params(axis="x", length=0)
    ax.set_xlabel(unit, loc="right", labelpad=1)


def _group(group: str) -> str:
    return label(group) or "all"
