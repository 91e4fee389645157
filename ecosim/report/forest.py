"""Forest plots: a row a KPI, its paired difference in percent as a dot with its interval, in natural units beside it.

The axis is linear and ends where nearly every clear difference is still on it; a whisker that goes on has an arrow. One
drawing an arm, and A/A arms last: they show what luck alone does to the same minds.
"""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
from markupsafe import Markup

from ecosim.report.canvas import INK, QUIET, RULE, Drawing, Scale, series_color, ticks
from ecosim.report.parts import Chart, Charts, Note, Part
from ecosim.report.plots import WIDE
from ecosim.report.source import Source
from ecosim.report.words import label, listed, number, plural, short, signed, title

MAX_FORESTS = 6
"""Arms that are drawn; the tables have all."""
MAX_ROWS = 80
ROW, TOP, BOTTOM, LEFT, RIGHT = 22, 30, 40, 250, 320
"""A row, the margins above and below, and the room for names and for numbers, px."""
FAR = 5
"""Clear differences beyond so many times the usual reach are arrows: to hold them would squeeze all others."""
_ENDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000)


def forests(table: pd.DataFrame, source: Source) -> list[Part]:
    """A drawing of each arm, and a sentence on what could not be drawn.

    Args:
        table: rows of `contrast.differences`, with `is_clear` and `theme`, in the order in which they are drawn.
        source: of the run.
    """
    can = (table["baseline_mean"] != 0) & table["low"].notna()
    shown = table[can]
    if shown.empty:
        return [Note("No KPI can be drawn: a difference in percent needs two pairs and a first arm that is not 0.")]
    arms = [arm for arm in source.arms if arm in set(shown["arm"])]
    arms = sorted(arms, key=lambda arm: arm in source.twin_arms)[:MAX_FORESTS]
    limit = _limit(shown)
    charts = tuple(_chart(shown[shown["arm"] == arm].head(MAX_ROWS), arm, source, limit) for arm in arms)
    left = table.loc[~can & (table["baseline_mean"] == 0), "metric"].drop_duplicates().tolist()
    note = (
        f"Dots are mean paired differences in percent of the mean of “{source.arms[0]}”, filled where the 95 % "
        f"interval leaves out 0; arrows mark intervals that go on beyond ±{limit:,} %."
    )
    if left:
        note += f" Not drawn, because the first arm’s mean is 0: {listed([label(name) for name in left])}."
    return [Charts(charts, note, is_wide=True)]


def percent(difference: float, baseline: float) -> str:
    """A difference in percent of the first arm's mean.

    >>> percent(1.0, 8.0), percent(-2.0, -8.0), percent(1.0, 0.0)
    ('+12.5 %', '−25.0 %', '–')
    """
    return f"{signed(100 * difference / abs(baseline))} %" if baseline else "–"


def _limit(shown: pd.DataFrame) -> int:
    """The end of the axis in percent: most intervals are within, and clear differences but those far beyond."""
    scale = 100 / shown["baseline_mean"].abs()
    reach = pd.concat([(shown["low"] * scale).abs(), (shown["high"] * scale).abs()])
    usual = max(float(reach.quantile(0.8)), 1.0)
    clear = (shown["difference"] * scale).abs()[shown["is_clear"]]
    wanted = max([usual, *clear[clear <= FAR * usual].tolist()])
    return next((end for end in _ENDS if end >= 1.02 * wanted), _ENDS[-1])


def _chart(rows: pd.DataFrame, arm: str, source: Source, limit: int) -> Chart:
    pairs = int(rows["pairs"].max())
    group = f"against “{short(source.arms[0], 40)}”, {plural(pairs, 'pair')} of equal world seeds"
    name = f"{short(arm, 60)} (A/A: the same minds, other luck)" if arm in source.twin_arms else short(arm, 60)
    return Chart(name, group, "paired differences with 95 % intervals", _draw(rows, source.arms.index(arm), limit))


def _draw(rows: pd.DataFrame, place: int, limit: int) -> Markup:
    headings = rows["theme"].nunique()
    height = TOP + ROW * (len(rows) + headings) + BOTTOM
    drawing = Drawing(WIDE, height, "forest plot of paired differences")
    x = Scale(-limit, limit, LEFT + 10, WIDE - RIGHT)
    bottom = height - BOTTOM
    for value in ticks(-limit, limit, 5):
        drawing.line([(x(value), TOP), (x(value), bottom)], QUIET if value == 0 else RULE, 0.8)
        drawing.text(x(value), bottom + 12, f"{value:+g} %".replace("-", "−") if value else "0", "middle")
    drawing.text(x(0), bottom + 28, "difference in % of the first arm’s mean, 95 % interval", "middle")
    drawing.text(WIDE - RIGHT + 20, 12, "difference [95 % interval], unit")
    at, heading = TOP + ROW / 2, ""
    for row in rows.itertuples():
        if row.theme != heading:
            heading = str(row.theme)
            drawing.text(0, at, short(heading, 40), "start", INK, is_bold=True)
            at += ROW
        _row(drawing, row, at, x, series_color(place))
        at += ROW
    return drawing.svg()


def _row(drawing: Drawing, row: Any, y: float, x: Scale, color: str) -> None:
    scale = 100 / abs(row.baseline_mean)
    name = title(row.metric) + (f" · {label(row.group)}" if row.group else "")
    drawing.text(LEFT, y, short(name, 38), "end", INK)
    low, high = _clip(row.low * scale, x), _clip(row.high * scale, x)
    drawing.line([(x(low), y), (x(high), y)], color, 1.6)
    for end, real, way in ((low, row.low * scale, -1), (high, row.high * scale, 1)):
        if end == real:
            drawing.line([(x(end), y - 3), (x(end), y + 3)], color, 1.2)
        elif way * (real - end) > 0:  # of an interval that lies beyond as a whole, its farther end only
            tip = x(end)
            drawing.line([(tip - 5 * way, y - 4), (tip, y), (tip - 5 * way, y + 4)], color, 1.4)
    middle = row.difference * scale
    if abs(middle) <= x.high:
        if row.is_clear:
            drawing.dot(x(middle), y, 4, color)
        else:
            drawing.dot(x(middle), y, 3.5, "var(--paper)")
            drawing.ring(x(middle), y, 3.5, color)
    told = f"{signed(row.difference)} [{number(row.low, 3)} … {number(row.high, 3)}] {short(str(row.unit), 12)}"
    drawing.text(WIDE - RIGHT + 20, y, told.strip(), "start", INK if row.is_clear else QUIET)


def _clip(value: float, x: Scale) -> float:
    return value if math.isnan(value) else min(max(value, x.low), x.high)
