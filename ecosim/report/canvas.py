"""The canvas of all drawings: the house style, and the way from Matplotlib's SVG to the page's.

A drawing knows no colours of its own: what Matplotlib is told here are stand-ins that become CSS variables of the page,
so that one file is legible on white, on black and on paper. One unit of a drawing is one CSS pixel, text stays text,
and the same data give the same bytes. Figures are used as objects; the state of pyplot is never touched.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from ecosim.report.words import compact

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, QUIET, RULE = "#1c2530", "#5c6876", "#dbe1e8"
SERIES = ("#2a6fb0", "#d2691e", "#1f8f78", "#9c4f96", "#8a7b16", "#b3404a", "#4b5b6c", "#5aa7d6")
"""Blue, orange, green, purple, olive, red, slate, sky: told apart with any colour vision in this order."""

VARIABLES = {INK: "var(--ink)", QUIET: "var(--quiet)", RULE: "var(--rule)"} | {
    color: f"var(--s{i})" for i, color in enumerate(SERIES, start=1)
}

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.size": 11,
    "text.color": INK,
    "axes.labelcolor": QUIET,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.labelsize": 11,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.8,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "axes.unicode_minus": True,
    "legend.frameon": False,
}


def series_color(i: int) -> str:
    """The stand-in of the i-th arm, item or role."""
    return SERIES[i % len(SERIES)]


@contextmanager
def canvas(size: tuple[int, int], salt: str) -> Iterator[tuple[Figure, Callable[[], Markup]]]:
    """A figure of so many pixels in the house style, and a function that gives its SVG."""
    import matplotlib
    from cycler import cycler
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {**_STYLE, "svg.hashsalt": f"ecosim/{salt}", "axes.prop_cycle": cycler(color=SERIES)}
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(size[0] / 72, size[1] / 72), facecolor="none")

        def done() -> Markup:
            text = io.StringIO()
            figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
            return tidy(text.getvalue(), size)

        yield figure, done


def tidy(svg: str, size: tuple[int, int]) -> Markup:
    """Matplotlib's SVG as a page wants it: no prologue, no repeated ids, the page's fonts and colours, two decimals."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<svg[^>]*?viewBox="([^"]*)"[^>]*>', _open(size), svg, count=1)
    svg = re.sub(r' id="(?!m[0-9a-f]{10}|p[0-9a-f]{10})[^"]*"', "", svg)
    svg = re.sub(r"<style type=\"text/css\">.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"(font: [0-9.]+px) [^;\"]*", r"\1 var(--sans)", svg)
    svg = re.sub(r"font-family: [^;\"]*", "font-family: var(--sans)", svg)
    svg = re.sub(r' transform="rotate\(-0 [^"]*"|<g/>', "", svg)
    svg = re.sub(r"-?\d+\.\d{3,}", lambda match: f"{float(match[0]):.2f}".rstrip("0").rstrip("."), svg)
    for color, variable in VARIABLES.items():
        svg = svg.replace(color, variable)
    return Markup(re.sub(r"\n\s*", "\n", svg))


def axes_in(figure: Figure, size: tuple[int, int], margins: tuple[float, float, float, float]) -> Axes:
    """Axes with fixed margins, so that panels stand in line: left, right, top, bottom in px."""
    left, right, top, bottom = margins
    width, height = size
    return figure.add_axes(
        (left / width, bottom / height, (width - left - right) / width, (height - top - bottom) / height)
    )


def honest(ax: Axes, values: pd.Series[float]) -> None:
    """An axis of positive values starts at 0; five ticks at most, their labels short."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    if values.min() >= 0:
        ax.set_ylim(bottom=0)
    ax.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: compact(value)))


def whole_steps(ax: Axes) -> None:
    """Ticks of the time axis at whole steps only."""
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _open(size: tuple[int, int]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 {size[0]} {size[1]}" '
        f'style="--w: {size[0]}px; stroke-linejoin: round; stroke-linecap: butt">'
    )
