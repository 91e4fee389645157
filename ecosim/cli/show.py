"""What the commands print: progress on stderr, figures as narrow tables on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecosim.explore import Run
    from ecosim.simulate import Progress


def line(text: str) -> None:
    """A line of what is going on, for people."""
    print(text, file=sys.stderr)


@contextmanager
def progress(steps: int, quiet: bool) -> Iterator[Progress | None]:
    """Two lines on stderr that move while a run goes on; nothing where stderr is no terminal."""
    from ecosim.cli.bar import Bar

    yield None if quiet or not sys.stderr.isatty() else Bar(steps)


def kpis(found: Run) -> None:
    """Means and standard deviations over replicas."""
    frame = found.kpis.groupby(["metric", "group", "unit"], sort=False)["value"].agg(["mean", "std"]).reset_index()
    lines = [
        {
            "figure": r.metric,
            "group": r.group,
            "mean": f"{r.mean:,.3f}",
            "sd": f"{r.std:,.3f}" if r.std == r.std else "–",
            "unit": r.unit,
        }
        for r in frame.itertuples()
    ]
    rows(lines)


def comparison(table: Any) -> None:
    """A table an arm, narrow enough for a terminal of 80 columns."""
    from ecosim.report.words import number, signed

    for (arm, baseline), part in table.groupby(["arm", "baseline"], sort=False):
        print(f"{arm} less {baseline}, {part['pairs'].max()} pairs")
        lines = [
            {
                "figure": r.metric,
                "group": r.group,
                "baseline": number(r.baseline_mean),
                "difference": signed(r.difference),
                "95 % interval": f"{signed(r.low)} … {signed(r.high)}" + " *" * (r.low > 0 or r.high < 0),
            }
            for r in part.itertuples()
        ]
        rows(lines)
        print()
    print("* the interval leaves out 0, as one in twenty does where arms are equal")


def figures(found: Mapping[str, Any], as_json: bool) -> None:
    """Figures by name, or as one JSON object."""
    print(json.dumps(found)) if as_json else rows([{"figure": k, "value": str(v)} for k, v in found.items()])


def rows(lines: Sequence[Mapping[str, Any]]) -> None:
    """A table; numbers to the right."""
    from rich.console import Console
    from rich.table import Table

    if not lines:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, value in lines[0].items():
        is_number = isinstance(value, int | float) or name in ("mean", "sd", "baseline", "difference", "pairs")
        table.add_column(name, justify="right" if is_number else "left", no_wrap=True)
    for row in lines:
        table.add_row(*(str(value) for value in row.values()))
    Console().print(table)
