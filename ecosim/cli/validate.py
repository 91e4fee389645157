"""The command that finds published and exact figures again, and says how near it came."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import floor, inf, isnan, log10
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from ecosim.cli.options import Json

if TYPE_CHECKING:
    from collections.abc import Callable

    from ecosim.validate import Outcome
    from ecosim.validate.cases import Case, Figure

Part = Annotated[str | None, typer.Argument(help="manufacturing, community or minds; all by default.")]
Chosen = Annotated[list[str] | None, typer.Option("--case", help="Only this case, by name; repeatable.")]
ToList = Annotated[bool, typer.Option("--list", help="Only say which cases there are.")]

HEADINGS = {
    False: "Verification (V1 exact law, V2 agreement with another simulator)",
    True: "Validation (V3 empirical pattern, V4 human behaviour)",
}


def validate(part: Part = None, case: Chosen = None, to_list: ToList = False, as_json: Json = False) -> None:
    """Find published and exact figures again.

    Of theory, of other programs, of data and of people; exit code 1 if one is missed.
    All cases take about two minutes, those of the language model more.

    Example: `ecosim validate manufacturing --case beer_game_204`
    """
    from ecosim.validate.table import cases, outcomes

    chosen = cases(part, case or [])
    if to_list:
        _list(chosen, as_json)
        return
    since = perf_counter()
    with _progress(len(chosen), as_json) as begin:
        done = list(outcomes(chosen, begin))
    wall_s = perf_counter() - since
    print(json.dumps(_as_object(done, wall_s), allow_nan=False)) if as_json else _show(done, wall_s)
    if any(outcome.verdict == "missed" for outcome in done):
        raise typer.Exit(1)


def _list(chosen: Sequence[Case], as_json: bool) -> None:
    if as_json:
        rows = [{"part": c.part, "case": c.name, "class": c.kind, "shows": c.shows, "source": c.source} for c in chosen]
        print(json.dumps({"cases": rows}))
        return
    for c in chosen:
        print(f"{c.name}  {c.kind}  {c.shows}")


def _as_object(done: Sequence[Outcome], wall_s: float) -> dict[str, object]:
    from ecosim.validate.table import rows

    counts = {v: sum(o.verdict == v for o in done) for v in ("met", "missed", "skipped")}
    figures = [row for outcome in done for row in rows(outcome)]
    return {"cases": len(done), **counts, "wall_s": round(wall_s, 3), "figures": figures}


# ---- for people -----------------------------------------------------------------------------------------------------


def _show(done: Sequence[Outcome], wall_s: float) -> None:
    for is_validation, heading in HEADINGS.items():
        group = [outcome for outcome in done if outcome.case.is_validation == is_validation]
        if group:
            print(f"{heading}\n")
            for outcome in group:
                _show_case(outcome)
    counts = {v: sum(o.verdict == v for o in done) for v in ("met", "missed", "skipped")}
    print(f"{len(done)} cases in {wall_s:.0f} s: {', '.join(f'{n} {v}' for v, n in counts.items() if n)}")
    for outcome in done:
        if outcome.verdict == "missed":
            print(f"missed: {outcome.case.name}: {outcome.note or ', '.join(_missed(outcome))}")


def _missed(outcome: Outcome) -> list[str]:
    return [figure.name for figure in outcome.figures if not figure.is_met]


def _show_case(outcome: Outcome) -> None:
    case = outcome.case
    print(f"{case.name}  {case.kind}  {case.part}  {outcome.wall_s:.1f} s")
    note = f"{outcome.verdict}: {outcome.note}" if outcome.note else ""
    width = max(60, min(shutil.get_terminal_size().columns, 120))
    for text in (case.shows, f"source: {case.source}", f"method: {case.method}", note):
        for line in textwrap.wrap(text, width, initial_indent="  ", subsequent_indent="    "):
            print(line)
    lines = [("figure", "found", "target", "tolerance", "verdict")] if outcome.figures else []
    lines += [_line(figure) for figure in outcome.figures]
    widths = [max((len(line[i]) for line in lines), default=0) for i in range(5)]
    for name, found, target, tolerance, verdict in lines:
        numbers = f"{found:>{widths[1]}}  {target:>{widths[2]}}"
        print(f"  {name:<{widths[0]}}  {numbers}  {tolerance:<{widths[3]}}  {verdict}")
    print()


def _line(figure: Figure) -> tuple[str, str, str, str, str]:
    unit = f", {figure.unit}" if figure.unit else ""
    reach = (figure.high - figure.low) / 2
    found, target = (_number(value, reach) for value in (figure.found, figure.target))
    return (f"{figure.name}{unit}", found, target, figure.tolerance, "met" if figure.is_met else "MISSED")


def _number(value: float, reach: float) -> str:
    """As many digits as the tolerance lets one compare, one more than its first; a dash for nan."""
    if isnan(value):
        return "–"
    if value == round(value) and abs(value) < 1e9:
        return f"{value:,.0f}"
    if not 0 < reach < inf:
        return f"{value:.6g}"
    if abs(value) < reach / 1000:
        return f"{value:.1e}"
    return f"{value:,.{max(0, 1 - floor(log10(reach)))}f}"


@contextmanager
def _progress(num_cases: int, quiet: bool) -> Iterator[Callable[[Case], None] | None]:
    """Which case is being computed, on stderr; nothing where stderr is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task, begun = bar.add_task("", total=num_cases), 0

        def begin(case: Case) -> None:
            nonlocal begun
            bar.update(task, completed=begun, description=case.name)
            begun += 1

        yield begin
