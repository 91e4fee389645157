"""The canvas of all drawings: lines, areas, dots and words as SVG, in pixels from the upper left corner.

A drawing knows no colours of its own but the CSS variables of the page, so that one file is legible on white, on black
and on paper. It is written by hand and not by Matplotlib: a page has sixty small drawings of the same few marks, which
take milliseconds this way, a fifth of the bytes, and no second look at fonts that the reader may not have. Text stays
text and is escaped here; the same data give the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal

from markupsafe import Markup, escape

from ecosim.report.words import compact, shown

INK, QUIET, RULE = "var(--ink)", "var(--quiet)", "var(--rule)"
NUM_SERIES = 8
"""Blue, orange, green, purple, olive, red, slate, sky: told apart with any colour vision in this order."""
SERIES = tuple(f"var(--s{i})" for i in range(1, NUM_SERIES + 1))
CHAR = 6.2
"""Width of a letter of 11 px, px, on the safe side."""

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]


def series_color(i: int) -> str:
    """The colour of the i-th arm, item or role."""
    return SERIES[i % NUM_SERIES]


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from low to high, at most so many.

    >>> ticks(0, 9), ticks(-1, 1), ticks(0, 0)
    ([0.0, 2.0, 4.0, 6.0, 8.0], [-1.0, -0.5, 0.0, 0.5, 1.0], [0.0])
    """
    if not high > low:
        return [float(low)]
    size = 10.0 ** math.floor(math.log10((high - low) / most))
    steps = [step * size * ten for ten in (1, 10) for step in _STEPS]
    for step in steps:
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first + 1 <= most:
            return [i * step for i in range(first, last + 1)]
    return [float(low)]


class Scale:
    """From values to pixels, linearly; `low` and `high` are at the two ends."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.high = low, high if high > low else low + 1.0
        self.start, self.end = start, end

    def __call__(self, value: float) -> float:
        """The place of a value, px."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


class Drawing:
    """Marks in the order in which they are put down."""

    def __init__(self, width: int, height: int, about: str) -> None:
        self.width, self.height, self.about = width, height, about
        self._marks: list[str] = []

    def line(
        self, points: Iterable[Point], color: str, width: float = 1.0, dash: str = "", opacity: float = 1.0
    ) -> None:
        """A line through points; one with a coordinate that is no number leaves a gap."""
        path = _path(points)
        if path:
            extra = (f' stroke-dasharray="{dash}"' if dash else "") + _faint(opacity)
            self._marks.append(f'<path d="{path}" fill="none" stroke="{color}" stroke-width="{_px(width)}"{extra}/>')

    def area(self, upper: Sequence[Point], lower: Sequence[Point], color: str) -> None:
        """The room between two lines over the same x; gaps in both are left open."""
        piece: list[tuple[Point, Point]] = []
        for pair in [*zip(upper, lower, strict=True), ((0.0, math.nan), (0.0, math.nan))]:
            if math.isfinite(pair[0][1]) and math.isfinite(pair[1][1]):
                piece.append(pair)
            elif piece:
                around = [top for top, _ in piece] + [bottom for _, bottom in reversed(piece)]
                self._marks.append(f'<path d="{_path(around)}Z" fill="{color}" fill-opacity=".18"/>')
                piece = []

    def curve(self, start: Point, end: Point, color: str, width: float) -> None:
        """From left to right with level ends, half transparent."""
        (x0, y0), (x1, y1) = start, end
        mid = (x0 + x1) / 2
        places = " ".join(f"{_px(x)},{_px(y)}" for x, y in ((mid, y0), (mid, y1), (x1, y1)))
        self._marks.append(
            f'<path d="M{_px(x0)},{_px(y0)}C{places}" fill="none" stroke="{color}" stroke-width="{_px(width)}" '
            'stroke-opacity=".45"/>'
        )

    def box(self, x: float, y: float, width: float, height: float, color: str, about: str = "") -> None:
        """A filled rectangle; `about` shows where one points at it."""
        told = f"<title>{escape(shown(about))}</title>" if about else ""
        place = f'x="{_px(x)}" y="{_px(y)}" width="{_px(max(width, 0))}" height="{_px(height)}"'
        self._marks.append(f'<rect {place} fill="{color}">{told}</rect>')

    def dot(self, x: float, y: float, radius: float, color: str, *, about: str = "") -> None:
        """A filled disc."""
        told = f"<title>{escape(shown(about))}</title>" if about else ""
        self._marks.append(f'<circle cx="{_px(x)}" cy="{_px(y)}" r="{_px(radius)}" fill="{color}">{told}</circle>')

    def ring(self, x: float, y: float, radius: float, color: str) -> None:
        """A circle."""
        self._marks.append(f'<circle cx="{_px(x)}" cy="{_px(y)}" r="{_px(radius)}" fill="none" stroke="{color}"/>')

    def text(
        self, x: float, y: float, text: str, anchor: Anchor = "start", color: str = QUIET, *, is_bold: bool = False
    ) -> None:
        """Words of 11 px whose middle line is at y."""
        extra = ("" if anchor == "start" else f' text-anchor="{anchor}"') + (' font-weight="600"' if is_bold else "")
        words = escape(shown(text))
        self._marks.append(f'<text x="{_px(x)}" y="{_px(y + 4)}" fill="{color}"{extra}>{words}</text>')

    def svg(self) -> Markup:
        """The drawing."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" role="img" '
            f'aria-label="{escape(shown(self.about))}" style="--w:{self.width}px">'
        )
        return Markup("\n".join([head, *self._marks, "</svg>"]))


def with_zero(values: Iterable[float]) -> tuple[float, float]:
    """The ends of an honest axis: the finite values, and 0; some room on top.

    >>> with_zero([3.0, 9.5]), with_zero([-2.0, float("nan")])
    ((0.0, 9.975), (-2.1, 0.0))
    """
    finite = [value for value in values if math.isfinite(value)]
    low, high = min([0.0, *finite]), max([0.0, *finite])
    return (low * 1.05, high * 1.05) if high > low else (0.0, 1.0)


def level_grid(drawing: Drawing, y: Scale, left: float, right: float) -> None:
    """Rules at round values, their numbers at the left; the rule at 0 is darker."""
    for value in ticks(y.low, y.high):
        drawing.line([(left, y(value)), (right, y(value))], QUIET if value == 0 else RULE, 0.8)
        drawing.text(left - 5, y(value), compact(value), "end")


def upright_grid(drawing: Drawing, x: Scale, top: float, bottom: float, unit: str = "") -> None:
    """The same for values that run from left to right, the unit at the lower right."""
    for value in ticks(x.low, x.high):
        drawing.line([(x(value), top), (x(value), bottom)], QUIET if value == 0 else RULE, 0.8)
        drawing.text(x(value), bottom + 11, compact(value), "middle")
    if unit:
        drawing.text(x.end, bottom + 25, unit, "end")


def _path(points: Iterable[Point]) -> str:
    pieces, is_down = [], False
    for x, y in points:
        if math.isfinite(x) and math.isfinite(y):
            pieces.append(f"{'L' if is_down else 'M'}{_px(x)},{_px(y)}")
            is_down = True
        else:
            is_down = False
    return "".join(pieces)


def _px(value: float) -> str:
    """Tenths of a pixel.

    >>> _px(3.04), _px(-0.01)
    ('3', '0')
    """
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


def _faint(opacity: float) -> str:
    return f' stroke-opacity="{opacity:g}"' if opacity < 1 else ""
