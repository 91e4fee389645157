"""The user's own social graph: an edge list, read once and checked row by row.

A CSV or Parquet file with the columns `viewer` and `friend`: numbers of viewers from 0, each tie once.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.document import shown
from ecosim.errors import ScenarioError
from ecosim.faults import did_you_mean
from ecosim.fields import Array

if TYPE_CHECKING:
    from ecosim.community.scenario import CommunityScenario

COLUMNS = ("viewer", "friend")
MAX_FAULTS = 10
"""Faults of a file that are told; the others are counted."""
_FIRST_LINE = {".csv": 2, ".parquet": 1}
"""The line or row number of the first tie, by kind of file."""


def faults(scenario: CommunityScenario) -> list[str]:
    """What is wrong with the scenario's edge list, as lines that begin with its key and its place in the file."""
    if scenario.graph is None or scenario.graph.kind != "file":
        return []
    return _read(scenario)[1]


def edges(scenario: CommunityScenario) -> Array:
    """The ties of the scenario's edge list, int64 (edges, 2).

    Raises:
        ScenarioError: anything wrong with the file, one line a fault.
    """
    found, wrong = _read(scenario)
    if wrong:
        raise ScenarioError(wrong)
    return found


def _read(scenario: CommunityScenario) -> tuple[Array, list[str]]:
    assert scenario.graph is not None
    path, found = Path(scenario.graph.file), np.zeros((0, 2), np.int64)
    try:
        stamp = path.stat()
        found, wrong = _ties(path, stamp.st_mtime_ns, stamp.st_size)
        if not wrong:
            wrong = _strange(found, path, scenario.viewers.count, scenario.graph.is_directed)
    except (OSError, ValueError) as error:
        wrong = [f": {str(error).splitlines()[0]}"]
    told = [f"graph.file: {path.name}{fault}" for fault in wrong[:MAX_FAULTS]]
    if len(wrong) > MAX_FAULTS:
        told.append(f"graph.file: {path.name}: and {len(wrong) - MAX_FAULTS} more faults")
    return found, told


@lru_cache(maxsize=4)
def _ties(path: Path, modified: int, size: int) -> tuple[Array, list[str]]:
    """The numbers of a file; `modified` and `size` only tell its versions apart."""
    table = _table(path)
    header = [str(name).strip() for name in table.columns]
    wrong = [f": unknown column {shown(name)}{did_you_mean(name, COLUMNS)}" for name in header if name not in COLUMNS]
    wrong += [f": needs a column {name}" for name in COLUMNS if name not in header]
    if wrong or len(header) != len(COLUMNS):
        return np.zeros((0, 2), np.int64), wrong or [": a column is there twice"]
    table.columns = header
    if table.empty:
        return np.zeros((0, 2), np.int64), [": has no ties; give a row a tie"]
    columns = [_whole(table[name], name, _FIRST_LINE[path.suffix]) for name in COLUMNS]
    return np.column_stack([number for number, _ in columns]), [fault for _, told in columns for fault in told]


def _table(path: Path) -> Any:
    """A file as a data frame, cells of CSV as they are written.

    Raises:
        ValueError: it is none.
    """
    import pandas as pd
    import pyarrow as pa

    try:
        if path.suffix == ".csv":
            as_written: dict[str, Any] = {"dtype": str, "keep_default_na": False, "skip_blank_lines": False}
            return pd.read_csv(path, encoding="utf-8-sig", index_col=False, **as_written)
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
    except pd.errors.EmptyDataError:
        raise ValueError("is empty; give a header with viewer and friend") from None
    except (UnicodeDecodeError, pd.errors.ParserError, pa.ArrowException) as error:
        raise ValueError(f"is no {path.suffix[1:].upper()} file: {error}") from error
    raise ValueError(f"unknown kind of file; give one that ends in {' or '.join(_FIRST_LINE)}")


def _whole(cells: Any, name: str, first: int) -> tuple[Array, list[str]]:
    """A column as whole numbers, and a line for each cell that is none."""
    import pandas as pd

    number = pd.to_numeric(cells, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    is_whole = (np.abs(number) < 2**53) & (number == np.floor(number))
    told = [
        f":{row + first}: {name}: must be a whole number from 0, got {shown(cells.iloc[row])}"
        for row in np.flatnonzero(~is_whole)
    ]
    return np.where(is_whole, number, 0).astype(np.int64), told


def _strange(ties: Array, path: Path, num_viewers: int, is_directed: bool) -> list[str]:
    """Ties of nobody, with oneself, or told twice."""
    first, low, high = _FIRST_LINE[path.suffix], ties.min(axis=1), ties.max(axis=1)
    outside = (low < 0) | (high >= num_viewers)
    pair = ties[:, 0] * num_viewers + ties[:, 1] if is_directed else low * num_viewers + high
    pair = np.where(outside, -1 - np.arange(len(ties)), pair)
    is_first = np.zeros(len(ties), bool)
    is_first[np.unique(pair, return_index=True)[1]] = True
    found = []
    for row in np.flatnonzero(outside | (low == high) | ~is_first):
        viewer, friend = ties[row]
        place = f":{row + first}"
        if outside[row]:
            wrong = viewer if not 0 <= viewer < num_viewers else friend
            found.append(f"{place}: there is no viewer {wrong}; numbers are 0 … {num_viewers - 1}")
        elif viewer == friend:
            found.append(f"{place}: viewer {viewer} is tied to itself; leave the row out")
        else:
            found.append(f"{place}: the tie of {viewer} and {friend} is there twice; keep one of them")
    return found
