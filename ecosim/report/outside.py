"""What was changed from outside: when, in which arms, whom it concerned, and what it came to."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ecosim.interventions import panel_of
from ecosim.report.parts import Cell, Grid, Section, heads
from ecosim.report.source import Source
from ecosim.report.words import number, short, title
from ecosim.schedule import MESSAGE

MAX_ROWS = 200
"""Changes that are shown; the table `events/interventions` has all."""
_KEY = ["step", "intervention", "part", "what", "table", "column", "arm"]


def section(source: Source) -> Section | None:
    """Every change of every arm; None for a run without any."""
    frame = source.changes
    if frame.empty:
        return None
    sums = frame.groupby(_KEY, sort=True)[["rows", "before", "after"]].mean().reset_index()
    units = {(lever.table, lever.name): lever.unit for lever in panel_of(source.run.side, source.run.scenario).levers}
    rows = tuple(_row(row, source, units) for row in sums.head(MAX_ROWS).itertuples())
    names = [source.run.side.step_name, *(["arm"] if len(source.arms) > 1 else []), "whom", "what", "change"]
    names += ["rows", "before", "after", "unit"]
    note = "Rows that have another value now, and totals over the rows chosen: means over replicas."
    if len(sums) > MAX_ROWS:
        note += f" The first {MAX_ROWS} of {len(sums):,} are shown."
    lead = "Changes that no member made, at the beginning of a step; dotted upright lines mark them in the drawings."
    return Section(
        "outside", "Changed from outside", lead, (Grid(heads(*names, numbers="rows,before,after"), rows, note),)
    )


def differs(source: Source, arm: str) -> bool:
    """Whether an arm was changed otherwise than the first one."""
    return _of(source, arm) != _of(source, source.arms[0])


def _of(source: Source, arm: str) -> set[tuple[Any, ...]]:
    frame = source.changes
    mine = frame[frame["arm"] == arm] if not frame.empty else frame
    return set(mine[["step", "what", "table", "column"]].itertuples(index=False, name=None)) if len(mine) else set()


def _row(row: Any, source: Source, units: dict[tuple[str, str], str]) -> tuple[Cell, ...]:
    is_message = row.column == MESSAGE
    arm = (Cell(short(row.arm, 40), f"swatch s{source.arms.index(row.arm) % 8 + 1}"),) if len(source.arms) > 1 else ()
    return (
        Cell(str(row.step)),
        *arm,
        Cell(_whom(source, row.intervention)),
        Cell("a message" if is_message else f"{row.table}.{row.column}"),
        Cell(f"“{row.what}”" if is_message else row.what),
        Cell(f"{row.rows:,.1f}".removesuffix(".0"), "number"),
        *(Cell("–" if pd.isna(value) else number(value), "number") for value in (row.before, row.after)),
        Cell("" if pd.isna(row.after) else units.get((row.table, row.column), ""), "quiet"),
    )


def _whom(source: Source, index: int) -> str:
    """Whom an intervention of the scenario concerns; a function from Python chooses for itself."""
    listed = source.run.scenario.interventions
    if index >= len(listed):
        return "as the function chose"
    where = listed[index].where
    return "; ".join(f"{title(name)}: {', '.join(map(str, who))}" for name, who in where.items()) or "everybody"
