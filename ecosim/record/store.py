"""Where a run is kept: in memory, or in a folder of Parquet part files that grows at constant memory."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from ecosim.errors import RunError

PART_ROWS = 250_000
"""Rows gathered before a part file is written."""


class Store(Protocol):
    """Tables by name, written piece by piece, and small JSON documents."""

    def append(self, name: str, rows: pa.Table) -> None:
        """Add rows to a table; names may have a folder, as `events/contracts`."""

    def flush(self) -> None:
        """Write what is still held back."""

    def read(self, name: str) -> pa.Table:
        """All rows of a table in the order written; RunError if there is no such table."""

    def names(self) -> list[str]:
        """The tables, sorted."""

    def write_json(self, name: str, document: dict[str, Any]) -> None:
        """Keep a document, whole or not at all."""

    def read_json(self, name: str) -> dict[str, Any]:
        """A document; RunError if there is none."""


class Memory:
    """A store that lives as long as the process."""

    def __init__(self) -> None:
        self._tables: dict[str, list[pa.Table]] = {}
        self._documents: dict[str, dict[str, Any]] = {}

    def append(self, name: str, rows: pa.Table) -> None:
        """Keep the rows."""
        self._tables.setdefault(name, []).append(rows)

    def flush(self) -> None:
        """Nothing is held back."""

    def read(self, name: str) -> pa.Table:
        """All rows of a table."""
        if name not in self._tables:
            raise RunError(f"this run has no table {name!r}; it has {', '.join(self.names()) or 'none'}")
        return pa.concat_tables(self._tables[name])

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
    """A store in a folder: `<name>.parquet`, or `<name>-00000.parquet` and so on where there are several parts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held: dict[str, list[pa.Table]] = {}
        self._parts: dict[str, int] = {}

    def append(self, name: str, rows: pa.Table) -> None:
        """Hold the rows back until there are enough for a part."""
        held = self._held.setdefault(name, [])
        held.append(rows)
        if sum(piece.num_rows for piece in held) >= PART_ROWS:
            self._write(name)

    def flush(self) -> None:
        """Write every part begun."""
        for name in list(self._held):
            self._write(name)

    def read(self, name: str) -> pa.Table:
        """All rows of a table."""
        parts = sorted(self.path.glob(f"{name}-[0-9][0-9][0-9][0-9][0-9].parquet"))
        if not parts:
            raise RunError(f"{self.path}: this run has no table {name!r}; it has {', '.join(self.names()) or 'none'}")
        return pa.concat_tables([pq.read_table(part) for part in parts])

    def names(self) -> list[str]:
        """The tables."""
        files = self.path.rglob("*-[0-9][0-9][0-9][0-9][0-9].parquet")
        return sorted({str(file.relative_to(self.path))[: -len("-00000.parquet")] for file in files})

    def write_json(self, name: str, document: dict[str, Any]) -> None:
        """Write a document beside its place, then move it there."""
        target = self.path / name
        draft = target.with_suffix(".draft")
        draft.write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")
        os.replace(draft, target)

    def read_json(self, name: str) -> dict[str, Any]:
        """A document."""
        try:
            document = json.loads((self.path / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise RunError(f"{self.path}: not a run: there is no {name} in it") from None
        except (OSError, ValueError) as error:
            raise RunError(f"{self.path / name}: cannot be read: {error}") from error
        if not isinstance(document, dict):
            raise RunError(f"{self.path / name}: expected keys and values, got {type(document).__name__}")
        return document

    def _write(self, name: str) -> None:
        part = self._parts.get(name, 0)
        file = self.path / f"{name}-{part:05d}.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".draft")
        pq.write_table(pa.concat_tables(self._held.pop(name)), draft, compression="zstd")
        os.replace(draft, file)
        self._parts[name] = part + 1
