"""What the commands print: progress on stderr, figures as narrow tables on stdout."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecosim.errors import printable

if TYPE_CHECKING:
    from ecosim.explore import Run
    from ecosim.simulate import Progress


class Stopped(Exception):
    """A run ended early and can be gone on with; the last line of its message says how."""

    def __init__(self, error: BaseException, folder: Path) -> None:
        self.is_interrupted = isinstance(error, KeyboardInterrupt)
        why = "interrupted; what was recorded so far is kept" if self.is_interrupted else str(error)
        super().__init__(f"{why}\ngo on with: ecosim resume {shlex.quote(str(folder))}")


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
        print(printable(f"{arm} less {baseline}, {part['pairs'].max()} pairs"))
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
    """Figures by name, those of a group after the group's, or as one JSON object."""
    print(json.dumps(found)) if as_json else rows([{"figure": k, "value": str(v)} for k, v in flat(found)])


def flat(found: Mapping[str, Any], above: str = "") -> list[tuple[str, Any]]:
    """All values of nested groups, by dotted name."""
    return [
        pair
        for name, value in found.items()
        for pair in (flat(value, f"{above}{name}.") if isinstance(value, Mapping) else [(f"{above}{name}", value)])
    ]


def rows(lines: Sequence[Mapping[str, Any]]) -> None:
    """A table; numbers to the right, names whole; what does not fit is wrapped, and nothing in it is markup."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not lines:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for i, (name, value) in enumerate(lines[0].items()):
        is_number = isinstance(value, int | float) or name in ("mean", "sd", "baseline", "difference", "pairs")
        table.add_column(
            Text(name), justify="right" if is_number else "left", no_wrap=not i or is_number, overflow="fold"
        )
    for row in lines:
        table.add_row(*(Text(printable(str(value))) for value in row.values()))
    Console(highlight=False).print(table)
