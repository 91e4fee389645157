"""Does a run's folder hold what its digests say? The chains are made again from the stored events.

Events are read part by part, so that memory does not grow with the run. A part that is missing, doubled or changed in
one value gives another link, and `ops/digests` tells the step where it came in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from ecosim.errors import RunError
from ecosim.record.digest import Digest, Packed, always, pack
from ecosim.record.recorder import DIGESTS
from ecosim.record.store import Store
from ecosim.side import Schema
from ecosim.words import Table, concat

_ARROW = {"i8": pa.int64(), "f8": pa.float64(), "str": pa.string()}


def audit(
    store: Store, schemas: Mapping[str, Schema], num_replicas: int, steps_done: int, digests: Sequence[str]
) -> list[str]:
    """What is wrong with the stored events of a run, a line a fault; none if they give its digests.

    Args:
        store: where the run is kept.
        schemas: the event tables of its side.
        num_replicas, steps_done, digests: as its manifest has them.
    """
    digest = Digest(num_replicas)
    has_links = DIGESTS in store.names()
    links = _Steps(store, DIGESTS, {"events": pa.string()}, num_replicas)
    tables = {name: _Steps(store, f"events/{name}", _types(schema), num_replicas) for name, schema in schemas.items()}
    first_wrong: dict[int, int] = {}
    try:
        for step in range(1, steps_done + 1):
            digest.add_step(step, _packed(tables, schemas, step), always(schemas))
            if has_links:
                for replica in _differing(digest, links.take(step)):
                    first_wrong.setdefault(replica, step)
        for rows in (*tables.values(), links):
            rows.end(steps_done)
    except (RunError, pa.ArrowException) as error:
        return [str(error)]
    return _faults(digest.hex(), digests, first_wrong, has_links)


def _packed(tables: Mapping[str, _Steps], schemas: Mapping[str, Schema], step: int) -> dict[str, Packed]:
    found = {name: rows.take(step) for name, rows in tables.items()}
    return {name: pack([rows], schemas[name]) for name, rows in found.items() if rows.num_rows}


def _differing(digest: Digest, stored: Table) -> list[int]:
    """The replicas whose link is not the one that was stored; all of those without one."""
    expected: list[str] = [""] * len(digest.links)
    for replica, link in zip(stored["replica"].tolist(), stored["events"], strict=True):
        expected[replica] = link
    return [replica for replica, link in enumerate(digest.hex()) if link != expected[replica]]


def _faults(
    found: Sequence[str], expected: Sequence[str], first_wrong: Mapping[int, int], has_links: bool
) -> list[str]:
    if len(found) != len(expected):
        return [f"the manifest has {len(expected)} digests for {len(found)} replicas"]
    faults = []
    for replica, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        if ours != theirs:
            where = "the stored links of all its steps agree with the events"
            if replica in first_wrong:
                where = f"first differs at step {first_wrong[replica]}"
            elif not has_links:
                where = "there are no stored links that would tell the step"
            faults.append(f"replica {replica}: events give {ours[:16]}…, the manifest has {theirs[:16]}…; {where}")
        elif replica in first_wrong:
            faults.append(
                f"replica {replica}: events give the manifest's digest, but {DIGESTS} has another link or none"
                f" at step {first_wrong[replica]}"
            )
    return faults


def _types(schema: Schema) -> dict[str, pa.DataType]:
    return {column.name: _ARROW[column.kind] for column in schema.columns}


class _Steps:
    """A stored table, step by step; its rows stand in the order of the steps."""

    def __init__(self, store: Store, name: str, types: Mapping[str, pa.DataType], num_replicas: int) -> None:
        self._name = name
        self._types = {"replica": pa.int64(), "step": pa.int64(), **types}
        self._num_replicas = num_replicas
        self._pieces = store.pieces(name)
        self._piece = self._read(pa.table({n: pa.array([], kind) for n, kind in self._types.items()}))
        self._done = 0

    def take(self, step: int) -> Table:
        """The rows of a step, after those of the steps before.

        Raises:
            RunError: rows of an earlier step stand here, or a part cannot be read or is not of this table.
        """
        found = [self._until(step)]
        while self._done == self._piece.num_rows and (piece := next(self._pieces, None)) is not None:
            self._piece, self._done = self._read(piece), 0
            found.append(self._until(step))
        return concat([rows for rows in found if rows.num_rows] or found[:1])

    def end(self, last: int) -> None:
        """Raises RunError if there are rows after the last step."""
        if self._done < self._piece.num_rows:
            raise RunError(
                f"{self._name}: has rows of step {self._piece['step'][self._done]}; the run has {last} steps"
            )

    def _until(self, step: int) -> Table:
        """The rows that are left of this piece up to a step."""
        start, steps = self._done, self._piece["step"]
        self._done = int(np.searchsorted(steps, step, side="right"))
        if self._done > start and steps[start] < step:
            raise RunError(
                f"{self._name}: rows of step {steps[start]} stand among those of step {step}; is a part there twice?"
            )
        return Table({name: column[start : self._done] for name, column in self._piece.items()})

    def _read(self, piece: pa.Table) -> Table:
        """A piece as columns, checked."""
        wrong = [n for n, kind in self._types.items() if n not in piece.column_names or piece[n].type != kind]
        if wrong or any(piece[name].null_count for name in self._types):
            raise RunError(f"{self._name}: columns {wrong or 'with nulls'}: not those of this table")
        rows = Table({name: piece[name].to_numpy() for name in self._types})
        if (np.diff(rows["step"]) < 0).any():
            raise RunError(f"{self._name}: the rows of a part are not in the order of their steps")
        if ((rows["replica"] < 0) | (rows["replica"] >= self._num_replicas)).any():
            raise RunError(f"{self._name}: names a replica that is not among the run's {self._num_replicas}")
        return rows
