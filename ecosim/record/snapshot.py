"""The whole state of a run after a step, on the disk: what a resume starts from.

A snapshot is a folder `snapshots/step-000012`: an Arrow file a table, one for the figures so far, and `snapshot.json`
with everything else and the SHA-256 of every file, its own contents included. It is drafted, synced and then renamed,
so that a kill at any instant leaves the earlier ones whole. Columns come back bit for bit, with their types, and may be
written. No pickle: what is read is checked and is data.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ecosim.errors import RunError
from ecosim.fields import Array
from ecosim.record.disk import DRAFT, sync_file, sync_folder
from ecosim.words import Table

FOLDER = "snapshots"
_FACTS = "snapshot.json"
_SERIES = "series.arrow"
_FORMAT = 2
"""Goes up when the layout of a snapshot, or a column of a world's tables, changes; another one is not read."""
_NAME = re.compile(r"step-(\d{6,})")
_LZ4 = pa.ipc.IpcWriteOptions(compression="lz4")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A run between two steps.

    Attributes:
        step: the last step done.
        tables: the whole state of a World, by name.
        chains: digest links by name of the chain, one a replica.
        series: metrics so far by (name, group), float64 (steps, replicas).
        parts: how many part files of each stored table belong to it.
        notes: plain JSON: counters that go on.
    """

    step: int
    tables: dict[str, Table]
    chains: dict[str, list[bytes]]
    series: dict[tuple[str, str], Array]
    parts: dict[str, int]
    notes: dict[str, Any]


def write(folder: Path, snapshot: Snapshot, keep: int = 2) -> Path:
    """Add a snapshot to a run's folder and drop all but the latest `keep`; those of later steps go first.

    Returns:
        Its folder.

    Raises:
        TypeError: a column is neither numbers, bools nor str objects, or has more than two dimensions.
        RunError: it cannot be written; earlier ones are whole.
    """
    home = folder / FOLDER
    target = home / f"step-{snapshot.step:06d}"
    draft = target.with_name(target.name + DRAFT)
    try:
        home.mkdir(parents=True, exist_ok=True)
        _sweep(home, snapshot.step)
        _fill(draft, snapshot)
        if target.exists():
            _drop(target)
        os.rename(draft, target)
        sync_folder(home)
        for old in _found(home)[keep:]:
            _drop(old)
    except OSError as error:
        raise RunError(f"{target}: cannot be written: {error}; make room, then resume the run") from error
    return target


def latest(folder: Path) -> Snapshot | None:
    """The newest snapshot that is whole, or None if there are none; damaged ones are warned of.

    Raises:
        RunError: there are some, and all are damaged.
    """
    faults: list[str] = []
    for path in _found(folder / FOLDER):
        try:
            snapshot = _read(path)
        except RunError as error:
            faults.append(str(error))
            continue
        if faults:
            warnings.warn(f"{'; '.join(faults)}; going on from step {snapshot.step}", RuntimeWarning, stacklevel=2)
        return snapshot
    if faults:
        raise RunError(f"no snapshot is whole: {'; '.join(faults)}; run again from the first step, into another folder")
    return None


def before(folder: Path, step: int) -> Snapshot | None:
    """The newest whole snapshot of an earlier step than this, or None: a shortcut, so damaged ones are passed over."""
    for path in _found(folder / FOLDER):
        if int(path.name.removeprefix("step-")) < step:
            try:
                return _read(path)
            except RunError:
                continue  # whoever starts earlier gets to the same state
    return None


def _found(home: Path) -> list[Path]:
    """The snapshots, the latest first."""
    if not home.is_dir():
        return []
    steps = {int(match[1]): path for path in home.iterdir() if (match := _NAME.fullmatch(path.name))}
    return [steps[step] for step in sorted(steps, reverse=True)]


def _sweep(home: Path, step: int) -> None:
    """Remove drafts, and snapshots of steps that this run has not done: they belong to a future given up."""
    for draft in home.glob(f"*{DRAFT}"):
        shutil.rmtree(draft)
    for path in _found(home):
        if int(path.name.removeprefix("step-")) > step:
            _drop(path)


def _drop(path: Path) -> None:
    """Remove a snapshot; at any instant it is whole or a draft."""
    gone = path.with_name(f"{path.name}.old{DRAFT}")
    os.rename(path, gone)
    shutil.rmtree(gone)


def _fill(draft: Path, snapshot: Snapshot) -> None:
    (draft / "tables").mkdir(parents=True)
    series = Table({json.dumps(name): column for name, column in snapshot.series.items()})
    files = {f"tables/{name}.arrow": table for name, table in snapshot.tables.items()} | {_SERIES: series}
    sums = {name: _put(draft / name, _packed(table)) for name, table in files.items()}
    facts = {
        "format": _FORMAT,
        "step": snapshot.step,
        "tables": list(snapshot.tables),
        "chains": {name: [link.hex() for link in links] for name, links in snapshot.chains.items()},
        "parts": snapshot.parts,
        "notes": snapshot.notes,
        "files": sums,
    }
    facts = json.loads(json.dumps(facts))  # as it will be read: tuples are lists, keys are text
    _put(draft / _FACTS, json.dumps({"sha256": _sum_of(facts), "facts": facts}, indent=1).encode())
    sync_folder(draft / "tables")
    sync_folder(draft)


def _put(file: Path, content: bytes | memoryview) -> str:
    """Write a file to the disk; gives its SHA-256."""
    file.write_bytes(content)
    sync_file(file)
    return hashlib.sha256(content).hexdigest()


def _sum_of(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _read(path: Path) -> Snapshot:
    """A snapshot, checked; RunError if it is damaged."""
    try:
        document = json.loads((path / _FACTS).read_text())
        facts = document["facts"]
        if document["sha256"] != _sum_of(facts):
            raise RunError(f"{path / _FACTS}: damaged: its contents do not have the SHA-256 that it states")
        if facts["format"] != _FORMAT:
            raise RunError(f"{path}: has format {facts['format']}, this version of ecosim reads {_FORMAT}")
        sums = facts["files"]
        series = _table(path / _SERIES, sums[_SERIES])
        return Snapshot(
            step=facts["step"],
            tables={
                name: _table(path / f"tables/{name}.arrow", sums[f"tables/{name}.arrow"]) for name in facts["tables"]
            },
            chains={name: [bytes.fromhex(link) for link in links] for name, links in facts["chains"].items()},
            series={_series_name(text): column for text, column in series.items()},
            parts=facts["parts"],
            notes=facts["notes"],
        )
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise RunError(f"{path}: damaged: {error}") from error


def _series_name(text: str) -> tuple[str, str]:
    name, group = json.loads(text)
    return name, group


def _table(file: Path, expected: str) -> Table:
    content = file.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise RunError(f"{file}: damaged: SHA-256 {found[:12]}…, expected {expected[:12]}…")
    stored = pa.ipc.open_file(pa.py_buffer(content)).read_all()
    return Table({field.name: _column(stored[field.name].combine_chunks(), field.metadata) for field in stored.schema})


def _packed(table: Table) -> memoryview:
    """A table as the bytes of an Arrow file."""
    arrays = [_array(column, f"column {name!r}") for name, column in table.items()]
    fields = [
        pa.field(name, array.type, metadata={"dtype": column.dtype.str, "shape": json.dumps(column.shape)})
        for (name, column), array in zip(table.items(), arrays, strict=True)
    ]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, pa.schema(fields), options=_LZ4) as file:
        file.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields)))
    return memoryview(sink.getvalue())


def _array(column: Array, place: str) -> pa.Array:
    """A column as Arrow: (rows, slots) as lists of one length, str objects as text."""
    if column.dtype == object:
        if not all(isinstance(text, str) for text in column.flat):
            raise TypeError(f"{place}: objects other than str cannot be kept in a snapshot")
    elif column.dtype.kind not in "iufb":
        raise TypeError(f"{place}: {column.dtype} cannot be kept in a snapshot")
    if column.ndim > 2:
        raise TypeError(f"{place}: has shape {column.shape}; a column has rows, or rows and slots")
    flat = pa.array(np.ascontiguousarray(column).reshape(-1), pa.large_string() if column.dtype == object else None)
    if column.ndim == 1:
        return flat
    return pa.FixedSizeListArray.from_arrays(flat, column.shape[1]) if column.size else pa.nulls(len(column))


def _column(stored: pa.Array, metadata: Mapping[bytes, bytes]) -> Array:
    """The column as it was; a copy that may be written."""
    kind, shape = np.dtype(metadata[b"dtype"].decode()), tuple(json.loads(metadata[b"shape"]))
    if 0 in shape:
        return np.zeros(shape, kind)
    flat = stored.flatten() if len(shape) == 2 else stored
    return np.array(flat.to_numpy(zero_copy_only=False), kind).reshape(shape)
