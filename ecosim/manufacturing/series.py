"""Demand from a file of the user's: read once, checked row by row.

A CSV or Parquet file with the columns `week` (or `step`), from 1, and `demand_units`; with `firm` (a firm or a group)
where firms differ, or `item`. Every firm that sells to consumers needs every week of the scenario exactly once; later
weeks are ignored.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ecosim.document import shown
from ecosim.errors import ScenarioError
from ecosim.faults import did_you_mean
from ecosim.fields import Array
from ecosim.manufacturing import wiring

if TYPE_CHECKING:
    from ecosim.manufacturing.scenario import ManufacturingScenario

COLUMNS = ("week", "step", "firm", "item", "demand_units")
MAX_FAULTS = 10
"""Faults of a file that are told; the others are counted."""
MOST_UNITS = 10**12
_SUFFIXES = (".csv", ".parquet")

Row = tuple[int, Mapping[str, object]]
"""The line or row number in the file, and its cells by column."""


def faults(scenario: ManufacturingScenario) -> list[str]:
    """What is wrong with the scenario's file, as lines that begin with its key and its place in the file."""
    if scenario.demand.kind != "series":
        return []
    return _read(scenario)[1]


def table(scenario: ManufacturingScenario) -> Array:
    """Whole units of each week and firm, float64 (weeks, members); 0 for firms that consumers do not buy from.

    Raises:
        ScenarioError: anything wrong with the file, one line a fault.
    """
    units, found = _read(scenario)
    if found:
        raise ScenarioError(found)
    return units


def _read(scenario: ManufacturingScenario) -> tuple[Array, list[str]]:
    path = Path(scenario.demand.file)
    every = wiring.firm_names(scenario)
    units = np.full((scenario.steps, len(every)), np.nan)
    try:
        stamp = path.stat()
        header, rows = _rows(path, stamp.st_mtime_ns, stamp.st_size)
        found = _column_faults(header)
    except (OSError, ValueError) as error:
        header, rows, found = (), (), [f": {error}"]
    if not found:
        found = [*_fill(scenario, rows, units)]
        found += [] if found else _gaps(scenario, units)
    told = [f"demand.file: {path.name}{fault}" for fault in found[:MAX_FAULTS]]
    if len(found) > MAX_FAULTS:
        told.append(f"demand.file: {path.name}: and {len(found) - MAX_FAULTS} more faults")
    return np.rint(np.nan_to_num(units)), told


@lru_cache(maxsize=8)
def _rows(path: Path, modified: int, size: int) -> tuple[tuple[str, ...], tuple[Row, ...]]:
    """The columns and the rows of a file; `modified` and `size` only tell its versions apart."""
    if path.suffix == ".csv":
        return _csv(path)
    if path.suffix == ".parquet":
        return _parquet(path)
    raise ValueError(f"unknown kind of file; give one that ends in {' or '.join(_SUFFIXES)}")


def _csv(path: Path) -> tuple[tuple[str, ...], tuple[Row, ...]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = tuple(name.strip() for name in next(reader, []))
            rows = [(reader.line_num, row) for row in reader if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"is no CSV file in UTF-8: {error}") from error
    for line, row in rows:
        if len(row) != len(header):
            raise ValueError(f"line {line} has {len(row)} cells, the header {len(header)}")
    return header, tuple((line, dict(zip(header, map(str.strip, row), strict=True))) for line, row in rows)


def _parquet(path: Path) -> tuple[tuple[str, ...], tuple[Row, ...]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found = pq.read_table(path)
    except pa.ArrowException as error:
        raise ValueError(f"is no Parquet file: {error}") from error
    return tuple(found.column_names), tuple(enumerate(found.to_pylist(), start=1))


def _column_faults(header: tuple[str, ...]) -> list[str]:
    if not header:
        return [": is empty; give a header with week and demand_units"]
    found = [f": unknown column {shown(name)}{did_you_mean(name, COLUMNS)}" for name in header if name not in COLUMNS]
    if len(set(header)) < len(header):
        found.append(": a column is there twice")
    if ("week" in header) == ("step" in header):
        found.append(": needs one column week (or step), from 1")
    if "demand_units" not in header:
        found.append(": needs a column demand_units")
    return found


def _fill(scenario: ManufacturingScenario, rows: tuple[Row, ...], units: Array) -> Iterator[str]:
    """Write the rows into `units`, (weeks, members), and tell what is wrong with them."""
    whom = _Whom(scenario)
    for line, row in rows:
        week, amount = _number(row.get("week", row.get("step"))), _number(row["demand_units"])
        members = whom.of(row)
        if week is None or week != int(week) or week < 1:
            yield f":{line}: week: must be a whole number from 1, got {shown(row.get('week', row.get('step')))}"
        elif amount is None or not 0 <= amount <= MOST_UNITS:
            yield f":{line}: demand_units: must be a number from 0 to 1e12, got {shown(row['demand_units'])}"
        elif isinstance(members, str):
            yield f":{line}: {members}"
        elif week <= len(units):
            place = (int(week) - 1, members)
            if not np.isnan(units[place]).all():
                yield f":{line}: week {int(week)} is there twice for the same firm; keep one of them"
            units[place] = amount


class _Whom:
    """Which firms a row is about."""

    def __init__(self, scenario: ManufacturingScenario) -> None:
        every = wiring.firm_names(scenario)
        self.items = list(scenario.items)
        self.buyable = {i: firms for i, (_, firms) in enumerate(every) if firms.demand == "consumers"}
        self.by_name: dict[str, list[int]] = {}
        for i, (name, firms) in enumerate(every):
            for known in {name, firms.name}:
                self.by_name.setdefault(known, []).append(i)

    def of(self, row: Mapping[str, object]) -> list[int] | str:
        """Their numbers, or what is wrong."""
        found = list(self.buyable)
        if "firm" in row:
            name = str(row["firm"])
            if name not in self.by_name:
                return f"firm: unknown firm {shown(name)}{did_you_mean(name, list(self.by_name))}"
            found = [i for i in self.by_name[name] if i in self.buyable]
            if not found:
                return f"firm: {name!r} does not sell to consumers"
        if "item" in row:
            item = str(row["item"])
            if item not in self.items:
                return f"item: unknown item {shown(item)}{did_you_mean(item, self.items)}"
            found = [i for i in found if self.buyable[i].sells == item]
            if not found:
                return f"item: nobody that the row is about sells {item!r} to consumers"
        return found


def _gaps(scenario: ManufacturingScenario, units: Array) -> list[str]:
    """Weeks that a firm lacks."""
    found = []
    for i, (name, firms) in enumerate(wiring.firm_names(scenario)):
        missing = np.flatnonzero(np.isnan(units[:, i])) + 1
        if firms.demand != "consumers" or not len(missing):
            continue
        if len(missing) == len(units) - missing[0] + 1:
            end = int(missing[0]) - 1
            found.append(
                f": ends in week {end} for {name!r}, the scenario has {len(units)} steps; give more rows or fewer steps"
            )
        else:
            found.append(f": a gap: week {int(missing[0])} of {name!r} is missing ({len(missing)} in all)")
    return found


def _number(cell: object) -> float | None:
    """A cell as a number; None for anything else."""
    if isinstance(cell, bool) or cell is None:
        return None
    try:
        number = float(cell)  # type: ignore[arg-type]  # whatever is no number raises
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
