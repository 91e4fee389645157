"""Where a run is kept: in memory, or in a folder of Parquet part files that grows at constant memory.

Rows come as columns and stay columns until a part is written: Arrow is made once a part and not once a step. A folder
writes its parts beside the run, in threads of its own; what goes wrong there is raised by the next call that writes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from ecosim.errors import RunError
from ecosim.record.disk import DRAFT, move
from ecosim.words import Table, concat

PART_ROWS = 100_000
"""Rows gathered before a part file is written."""

_THREADS = 2
"""Parts written at once: encoding and compressing leave the interpreter alone, a flush has many tables."""

_PART = re.compile(r"(.+)-(\d{5})\.parquet")

Rows: TypeAlias = Table | pa.Table
"""Rows of a stored table: columns of numbers, or of str objects; or Arrow's own."""


class Store(Protocol):
    """Tables by name, written piece by piece, and small JSON documents."""

    def append(self, name: str, rows: Rows) -> None:
        """Add rows to a table; names may have a folder, as `events/contracts`. The columns are the store's from now."""

    def flush(self) -> None:
        """Write what is still held back; after it everything is on the disk."""

    def read(self, name: str) -> pa.Table:
        """All rows of a table in the order written; RunError if there is no such table."""

    def pieces(self, name: str) -> Iterator[pa.Table]:
        """The same rows in the same order, piece by piece; none if there is no such table."""

    def names(self) -> list[str]:
        """The tables, sorted."""

    def write_json(self, name: str, document: dict[str, Any]) -> None:
        """Keep a document, whole or not at all."""

    def read_json(self, name: str) -> dict[str, Any]:
        """A document; RunError if there is none."""


class Memory:
    """A store that lives as long as the process."""

    def __init__(self) -> None:
        self._tables: dict[str, list[Rows]] = {}
        self._documents: dict[str, dict[str, Any]] = {}

    def append(self, name: str, rows: Rows) -> None:
        """Keep the rows."""
        self._tables.setdefault(name, []).append(rows)

    def flush(self) -> None:
        """Nothing is held back."""

    def read(self, name: str) -> pa.Table:
        """All rows of a table."""
        if name not in self._tables:
            raise RunError(f"this run has no table {name!r}; it has {', '.join(self.names()) or 'none'}")
        table = _joined(self._tables[name])
        self._tables[name] = [table]
        return table

    def pieces(self, name: str) -> Iterator[pa.Table]:
        """The rows as they came."""
        yield from map(_arrow, self._tables.get(name, []))

    def names(self) -> list[str]:
        """The tables."""
        return sorted(self._tables)

    def write_json(self, name: str, document: dict[str, Any]) -> None:
        """Keep a document."""
        self._documents[name] = document

    def read_json(self, name: str) -> dict[str, Any]:
        """A document."""
        if name not in self._documents:
            raise RunError(f"this run has no {name}")
        return self._documents[name]


class Folder:
    """A store in a folder: `<name>-00000.parquet` and so on, a file a part."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held: dict[str, list[Rows]] = {}
        self._num_held: dict[str, int] = {}
        self._parts: dict[str, int] = {}
        self._threads = ThreadPoolExecutor(_THREADS, "ecosim-store")
        self._writing: list[Future[None]] = []

    @classmethod
    def resume(cls, path: Path, parts: Mapping[str, int]) -> Folder:
        """The folder as it was when it had these parts, to go on from there: what was written later is dropped.

        Args:
            path: the folder.
            parts: how many parts each table has; a table that is not named has none.

        Raises:
            RunError: one of these parts is missing; nothing has been dropped then.
        """
        folder = cls(path)
        there = {name: folder._files(name) for name in {*folder.names(), *parts}}
        for name, num_parts in sorted(parts.items()):
            for number in range(num_parts):
                if number not in there[name]:
                    raise RunError(
                        f"{path}: {name}-{number:05d}.parquet is missing, so the run cannot go on; "
                        "put the file back, or run again into another folder"
                    )
        for name, files in there.items():
            for number, file in files.items():
                if number >= parts.get(name, 0):
                    file.unlink()
        for draft in path.rglob(f"*{DRAFT}"):
            if draft.is_file():
                draft.unlink()
        folder._parts = {name: num_parts for name, num_parts in parts.items() if num_parts}
        return folder

    def parts(self) -> dict[str, int]:
        """How many parts each table has; after a flush they hold all rows so far."""
        return dict(self._parts)

    def append(self, name: str, rows: Rows) -> None:
        """Hold the rows back until there are enough for a part."""
        self._held.setdefault(name, []).append(rows)
        self._num_held[name] = self._num_held.get(name, 0) + rows.num_rows
        if self._num_held[name] >= PART_ROWS:
            self._settle()  # one part in the making at a time: memory stays constant where the disk is slow
            self._begin(name)

    def flush(self) -> None:
        """Write every part begun, and wait until all are on the disk."""
        for name in list(self._held):
            self._begin(name)
        self._settle()

    def read(self, name: str) -> pa.Table:
        """All rows of a table."""
        pieces = list(self.pieces(name))
        if not pieces:
            raise RunError(f"{self.path}: this run has no table {name!r}; it has {', '.join(self.names()) or 'none'}")
        return _joined(pieces)

    def pieces(self, name: str) -> Iterator[pa.Table]:
        """The rows, part by part.

        Raises:
            RunError: a part is missing before the last, or cannot be read.
        """
        self._settle()
        for expected, (number, file) in enumerate(self._files(name).items()):
            if number != expected:
                raise RunError(f"{self.path}: {name}-{expected:05d}.parquet is missing, {file.name} is there")
            try:
                rows = pq.read_table(file)
            except (OSError, pa.ArrowException) as error:
                raise RunError(f"{file}: cannot be read: {error}") from error
            if "replica" not in rows.column_names and not name.startswith("ops/"):
                raise RunError(f"{file}: has no column 'replica', so it is no table of a run; put the run's own back")
            yield rows

    def names(self) -> list[str]:
        """The tables."""
        found = (_PART.fullmatch(str(file.relative_to(self.path))) for file in self.path.rglob("*.parquet"))
        return sorted({match[1] for match in found if match})

    def write_json(self, name: str, document: dict[str, Any]) -> None:
        """Write a document beside its place, then move it there."""
        target = self.path / name
        draft = target.with_suffix(DRAFT)
        try:
            draft.write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")
            move(draft, target)
        except OSError as error:
            raise RunError(f"{target}: cannot be written: {error}; make room, then resume the run") from error

    def read_json(self, name: str) -> dict[str, Any]:
        """A document."""
        try:
            document = json.loads((self.path / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise RunError(f"{self.path}: not a run: there is no {name} in it") from None
        except (OSError, ValueError, RecursionError) as error:
            raise RunError(f"{self.path / name}: cannot be read: {error}") from error
        if not isinstance(document, dict):
            raise RunError(f"{self.path / name}: expected keys and values, got {type(document).__name__}")
        return document

    def _files(self, name: str) -> dict[int, Path]:
        """The part files of a table by number, ascending."""
        files = sorted(self.path.glob(f"{name}-[0-9][0-9][0-9][0-9][0-9].parquet"))
        return {int(file.stem[-5:]): file for file in files}

    def _begin(self, name: str) -> None:
        """Let a thread write what is held of a table."""
        number = self._parts.get(name, 0)
        self._parts[name] = number + 1
        file = self.path / f"{name}-{number:05d}.parquet"
        self._num_held[name] = 0
        self._writing.append(self._threads.submit(_write, file, self._held.pop(name)))

    def _settle(self) -> None:
        """Wait for the parts in the making; raises what went wrong with them."""
        writing, self._writing = self._writing, []
        wait(writing)
        for part in writing:
            part.result()


def _write(file: Path, pieces: Sequence[Rows]) -> None:
    """Write a part whole or not at all; RunError if it cannot be written."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(DRAFT)
        pq.write_table(_joined(pieces), draft, compression="zstd")
        move(draft, file)
    except OSError as error:
        raise RunError(f"{file}: cannot be written: {error}; make room, then resume the run") from error


def _joined(pieces: Sequence[Rows]) -> pa.Table:
    """All rows; a column that some pieces lack is null there."""
    columns = [piece for piece in pieces if isinstance(piece, Table)]
    if len(columns) == len(pieces) and all(list(piece) == list(columns[0]) for piece in columns):
        return _arrow(concat(columns))
    return pa.concat_tables([_arrow(piece) for piece in pieces], promote_options="default")


def _arrow(rows: Rows) -> pa.Table:
    if not isinstance(rows, Table):
        return rows
    return pa.table({n: pa.array(c, pa.string() if c.dtype == object else None) for n, c in rows.items()})
