"""Drawings of a report card: calibration, differences within their margins, and what a cascade's dial buys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from ecosim.report.canvas import INK, QUIET, RULE, Drawing, Scale, level_grid, series_color, upright_grid
from ecosim.report.words import label, short

SIZE = 260
_LEFT, _BOTTOM, _TOP = 40, 34, 12
WIDE, _ROW, _NAMES = 860, 24, 260
_RADIUS = 11.0
"""Of a dot that stands for all rows, px."""


def reliability(bins: Sequence[Sequence[float]]) -> Markup:
    """How often answers agree, by the chance that was given to them.

    Args:
        bins: of each its lower end, rows, mean chance, share that agrees.
    """
    drawing = Drawing(SIZE, SIZE, "reliability diagram")
    x, y = Scale(0, 1, _LEFT, SIZE - 12), Scale(0, 1, SIZE - _BOTTOM, _TOP)
    upright_grid(drawing, x, _TOP, SIZE - _BOTTOM, "chance given")
    level_grid(drawing, y, _LEFT, SIZE - 12)
    drawing.line([(x(0), y(0)), (x(1), y(1))], QUIET, 1, dash="4 3")
    total = sum(row[1] for row in bins) or 1
    for _, rows, chance, share in bins:
        radius = max(2.5, _RADIUS * (rows / total) ** 0.5)
        drawing.dot(x(chance), y(share), radius, series_color(0), about=f"{rows:,} rows: {share:.3f} agree")
    return drawing.svg()


def forest(arena: dict[str, Any]) -> Markup:
    """Differences to the teacher as shares of the margin: within ±1 is equivalent.

    Args:
        arena: an entry of a report's `arenas`.
    """
    arms = list(arena["arms"])
    pairs = [(kpi, arm) for kpi in arena["units"] for arm in arms]
    rows = [(kpi, arm, arena["arms"][arm][kpi]) for kpi, arm in pairs if arena["arms"][arm][kpi]["margin"]]
    height = _TOP + _ROW * len(rows) + 48
    drawing = Drawing(WIDE, height, "differences to the teacher, in margins")
    x = Scale(-3, 3, _NAMES + 10, WIDE - 20)
    upright_grid(drawing, x, _TOP, height - 48, "difference ÷ margin; the 90 % interval within ±1 is equivalent")
    for end in (-1, 1):
        drawing.line([(x(end), _TOP), (x(end), height - 48)], INK, 1.2, dash="4 3")
    at, last = _TOP + _ROW / 2, ""
    for kpi, arm, found in rows:
        name = f"{label(kpi)}  {arm}" if kpi != last else arm
        drawing.text(_NAMES, at, short(name, 42), "end", INK if arm == arms[0] else QUIET)
        _interval(drawing, x, at, found, series_color(arms.index(arm)))
        at, last = at + _ROW, kpi
    return drawing.svg()


def dial(rows: Sequence[dict[str, float]], figure: str) -> Markup:
    """A figure of a cascade against the share of rows that its second mind was asked.

    Args:
        rows: from `ecosim.training.cards.thresholds.curve`.
        figure: a column of theirs.
    """
    drawing = Drawing(420, SIZE, f"{figure} against the share asked")
    values = [row[figure] for row in rows]
    low, high = min(values), max(values)
    room = (high - low) * 0.1 or 0.01
    x, y = Scale(0, 1, _LEFT + 12, 400), Scale(low - room, high + room, SIZE - _BOTTOM, _TOP)
    upright_grid(drawing, x, _TOP, SIZE - _BOTTOM, "share of rows that the second mind is asked")
    level_grid(drawing, y, _LEFT + 12, 400)
    points = [(x(row["asked"]), y(row[figure])) for row in rows]
    drawing.line(points, series_color(0), 1.8)
    for (px, py), row in zip(points, rows, strict=True):
        drawing.dot(px, py, 3.5, series_color(0), about=f"threshold {row['threshold']:g}: {row[figure]:.4g}")
    return drawing.svg()


def _interval(drawing: Drawing, x: Scale, y: float, found: dict[str, Any], color: str) -> None:
    """A difference with its interval; what lies beyond the drawing is cut at its edge, with an arrow."""
    margin = found["margin"]
    if found["low"] is None or found["high"] is None:
        drawing.text(x(0), y, "one world only", "middle", RULE)
        return
    low, middle, high = (found[name] / margin for name in ("low", "difference", "high"))
    ends = [min(max(value, x.low), x.high) for value in (low, high)]
    drawing.line([(x(ends[0]), y), (x(ends[1]), y)], color, 1.8)
    for real, end, way in ((low, ends[0], -1), (high, ends[1], 1)):
        if real != end and way * (real - end) > 0:
            tip = x(end)
            drawing.line([(tip - 5 * way, y - 4), (tip, y), (tip - 5 * way, y + 4)], color, 1.4)
    if x.low <= middle <= x.high:
        drawing.dot(x(middle), y, 4, color, about=f"{found['verdict']}: {found['difference']:.4g}")
