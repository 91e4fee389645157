"""The digest of a run: one SHA-256 chain a replica, over its events in canonical form.

Canonical: tables in the order of their names; rows in the order of their keys; columns in the order of the schema,
little endian, −0 as 0 and every NaN as one NaN, text by its own SHA-256; the replica's number left out. So the digest
does not depend on neighbours, layout, part files or arrival order, and replica i among others has the digest of
replica i alone.
A rare table enters only where it has rows, so a run to which nothing of the kind happens has the digest of a run that
can't have it. A step's link is SHA-256(previous link, step, tables): a resumed run goes on from the last link.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from ecosim.fields import Array
from ecosim.side import Schema
from ecosim.words import Table, concat


class Digest:
    """The chains of all replicas.

    Attributes:
        links: the latest link of each replica.
    """

    def __init__(self, num_replicas: int, links: Sequence[bytes] | None = None) -> None:
        first = hashlib.sha256(b"ecosim events 1").digest()
        self.links = list(links) if links is not None else [first] * num_replicas

    def add_step(self, step: int, tables: Mapping[str, Packed], known: Sequence[str]) -> None:
        """Chain the events of a step.

        Args:
            step: its number.
            tables: packed rows by name; tables without rows may be left out.
            known: the names of the tables that are counted in every step, rows or none; of any other table only the
                replicas with rows know.
        """
        every = sorted(known)
        ends = np.zeros((len(every), len(self.links) + 1), np.int64)
        every_replica = np.arange(len(self.links))
        for i, name in enumerate(every):
            if name in tables:
                ends[i, 1:] = np.searchsorted(tables[name].replica, every_replica, side="right")
        head = b"".join([step.to_bytes(8, "little"), *(name.encode() + b"\0" for name in every)])
        counts = np.ascontiguousarray(np.diff(ends, axis=1).T, "<i8")
        hashes = [hashlib.sha256(link + head + row.tobytes()) for link, row in zip(self.links, counts, strict=True)]
        for i, name in enumerate(every):
            if name in tables:
                rows = tables[name].rows
                data, bounds = rows.reshape(-1).view(np.uint8).data, (ends[i] * rows.strides[0]).tolist()
                for hash_, start, end in zip(hashes, bounds[:-1], bounds[1:], strict=True):
                    if end > start:
                        hash_.update(data[start:end])
        for name in sorted(set(tables) - set(every)):
            self._add_rare(hashes, name, tables[name])
        self.links = [hash_.digest() for hash_ in hashes]

    def _add_rare(self, hashes: Sequence[hashlib._Hash], name: str, packed: Packed) -> None:
        found = np.unique(packed.replica)
        ends = np.append(np.searchsorted(packed.replica, found), len(packed.rows)).tolist()
        for replica, start, end in zip(found.tolist(), ends[:-1], ends[1:], strict=True):
            rows = packed.rows[start:end]
            hashes[replica].update(name.encode() + b"\0" + len(rows).to_bytes(8, "little") + rows.tobytes())

    def hex(self) -> list[str]:
        """The latest links as text."""
        return [link.hex() for link in self.links]


def always(schemas: Mapping[str, Schema]) -> list[str]:
    """The names of the tables that are counted in every step."""
    return [name for name, schema in schemas.items() if not schema.is_rare]


@dataclass(frozen=True, slots=True)
class Packed:
    """Events of one table and step in canonical order.

    Attributes:
        replica: of each row.
        rows: one packed row an event, int64 words (rows, words): a number is one word, a text the four of its SHA-256.
        table: the same rows as columns; numbers are views of `rows`.
    """

    replica: Array
    rows: Array
    table: Table


def pack(pieces: Sequence[Table], schema: Schema) -> Packed:
    """Put the rows of some tables in order: by replica, then by the schema's keys (unique in a replica and step).

    Rows are packed first and sorted then, so that a row moves once and not once a column.
    """
    whole = concat(pieces)
    keys = [whole[name] for name in ("replica", *(column.name for column in schema.columns[: schema.num_keys]))]
    key = _one_key(keys)
    is_sorted = bool((key[1:] > key[:-1]).all())
    order: Array = np.arange(len(key)) if is_sorted else np.argsort(key)
    words = [_words(whole[column.name], column.kind) for column in schema.columns]
    ends = list(accumulate(word.shape[1] for word in words))
    rows = np.empty((whole.num_rows, ends[-1]), "<i8")
    for word, end in zip(words, ends, strict=True):
        rows[:, end - word.shape[1] : end] = word
    if not is_sorted:
        rows = rows.take(order, axis=0)
    columns = {"replica": keys[0][order]}
    for column, end in zip(schema.columns, ends, strict=True):
        last = rows[:, end - 1]
        is_text = column.kind == "str"
        columns[column.name] = whole[column.name][order] if is_text else last.view(column.kind)
    return Packed(columns["replica"], rows, Table(columns))


def _words(values: Array, kind: str) -> Array:
    """A column as the words that are hashed, shape (rows, 1 or 4): −0 as 0, every NaN as one, text as its SHA-256."""
    if kind == "str":
        hashes = b"".join(hashlib.sha256(text.encode()).digest() for text in values)
        return np.frombuffer(hashes, "<i8").reshape(-1, 4)
    if kind == "f8":
        return np.where(np.isnan(values), np.nan, values + 0.0).astype("<f8").view("<i8")[:, None]
    return values[:, None]


def _one_key(keys: Sequence[Array]) -> Array:
    """Integer columns folded into one that sorts like them; falls back to ranks where it would overflow."""
    key, span = keys[0], int(keys[0].max()) + 1
    for column in keys[1:]:
        low = int(column.min())
        width = int(column.max()) - low + 1
        if span > 2**62 // width:
            order = np.lexsort(list(reversed(keys)))
            rank = np.empty(len(order), np.int64)
            rank[order] = np.arange(len(order))
            return rank
        key = key * width + (column - low)
        span *= width
    return key
