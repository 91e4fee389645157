"""The digest of a run: one SHA-256 chain a replica, over its events in canonical form.

Canonical: tables in the order of their names; rows in the order of their keys; columns in the order of the schema,
little endian, −0 as 0 and every NaN as one NaN, text by its own SHA-256; the replica's number left out. So the digest
does not depend on neighbours, layout, part files or arrival order, and replica i among others has the digest of
replica i alone.
A step's link is SHA-256(previous link, step, tables): a resumed run goes on from the last link.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from ecosim.fields import Array
from ecosim.words import Table
from ecosim.world import Schema

TEXT_BYTES = 32
"""A text stands in the canonical row as its SHA-256."""


class Digest:
    """The chains of all replicas.

    Attributes:
        links: the latest link of each replica.
    """

    def __init__(self, num_replicas: int, links: Sequence[bytes] | None = None) -> None:
        first = hashlib.sha256(b"ecosim events 1").digest()
        self.links = list(links) if links is not None else [first] * num_replicas

    def add_step(self, step: int, tables: Mapping[str, Table], schemas: Mapping[str, Schema]) -> None:
        """Chain the events of a step; tables must be sorted by `ordered`."""
        names = sorted(tables)
        bounds = np.zeros((len(names), len(self.links) + 1), "<i8")
        for i, name in enumerate(names):
            bounds[i, 1:] = np.searchsorted(tables[name]["replica"], np.arange(len(self.links)), side="right")
        counts = np.diff(bounds, axis=1).T
        head = [step.to_bytes(8, "little"), *(name.encode() + b"\0" for name in sorted(schemas))]
        hashes = [hashlib.sha256(b"".join([link, *head])) for link in self.links]
        for hash_, rows_by_table in zip(hashes, _spread(counts, names, sorted(schemas)), strict=True):
            hash_.update(rows_by_table)
        for i, name in enumerate(names):
            rows = canonical(tables[name], schemas[name])
            data = rows.view(np.uint8).data
            ends = (bounds[i] * rows.dtype.itemsize).tolist()
            for hash_, start, end in zip(hashes, ends, ends[1:], strict=False):
                if end > start:
                    hash_.update(data[start:end])
        self.links = [hash_.digest() for hash_ in hashes]

    def hex(self) -> list[str]:
        """The latest links as text."""
        return [link.hex() for link in self.links]


def ordered(table: Table, schema: Schema) -> Table:
    """The rows by replica, then by the schema's keys (which must be unique within a replica and step)."""
    names = ["replica", *(column.name for column in schema.columns[: schema.num_keys])]
    keys = [table[name] for name in names]
    order = np.argsort(_one_key(keys)) if table.num_rows else np.zeros(0, np.int64)
    return table.take(order)


def canonical(table: Table, schema: Schema) -> Array:
    """A structured array with one packed row a row of the table, without its replica."""
    kinds = {"i8": "<i8", "f8": "<f8", "str": f"V{TEXT_BYTES}"}
    rows = np.empty(table.num_rows, np.dtype([(c.name, kinds[c.kind]) for c in schema.columns]))
    for column in schema.columns:
        values = table[column.name]
        if column.kind == "f8":
            values = np.where(np.isnan(values), np.nan, values + 0.0)
        elif column.kind == "str":
            values = np.array([hashlib.sha256(text.encode()).digest() for text in values], rows.dtype[column.name])
        rows[column.name] = values
    return rows


def _spread(counts: Array, names: Sequence[str], known: Sequence[str]) -> list[bytes]:
    """For each replica the number of rows of every known table, zero where it has none, as bytes."""
    full = np.zeros((len(counts), len(known)), "<i8")
    full[:, [known.index(name) for name in names]] = counts
    return [row.tobytes() for row in full]


def _one_key(keys: Sequence[Array]) -> Array:
    """Integer columns folded into one that sorts like them; falls back to ranks where it would overflow."""
    key, span = keys[0].astype(np.int64), int(keys[0].max()) + 1
    for column in keys[1:]:
        low, width = int(column.min()), int(column.max()) - int(column.min()) + 1
        if span > 2**62 // width:
            order = np.lexsort(list(reversed(keys)))
            rank = np.empty(len(order), np.int64)
            rank[order] = np.arange(len(order))
            return rank
        key = key * width + (column - low)
        span *= width
    return key
