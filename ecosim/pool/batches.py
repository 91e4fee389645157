"""One record a forward: what was in it and how long it took; for whoever wants to see how full the pool runs."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np

from ecosim.words import Table

Kind = Literal["prefix", "score", "label", "write", "reread", "memo"]

KEPT = 10_000
"""Records kept; the oldest go first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One forward, or (`memo`) some rows that needed none.

    Attributes:
        kind: a shared prefix; options scored; labels scored; text read to write on, or a step of writing; earlier text
            read again for rows whose first answers were remembered; rows answered from memory.
        adapters: how many different adapters the rows have, the base model as it is counting as one.
        rows, width: of the tensor; copies that fill a batch up are not counted as rows, those of a question asked
            twice neither.
        useful_tokens, padded_tokens: without and with padding.
        memo_hits: rows that were answered and did not go through the model.
        seconds: wall time from packing to scores.
    """

    kind: Kind
    adapters: int = 0
    rows: int = 0
    width: int = 0
    useful_tokens: int = 0
    padded_tokens: int = 0
    memo_hits: int = 0
    seconds: float = 0.0


class Batches:
    """The latest records, until somebody takes them."""

    def __init__(self, limit: int = KEPT) -> None:
        self._kept: deque[Batch] = deque(maxlen=limit)

    def add(self, batch: Batch) -> None:
        """Keep a record."""
        self._kept.append(batch)

    def drain(self) -> Table:
        """The records kept since the last time, oldest first; a column an attribute of `Batch`, `kind` as str."""
        rows, columns = list(self._kept), {}
        self._kept.clear()
        for f in fields(Batch):
            kind = {"kind": object, "seconds": np.float64}.get(f.name, np.int64)
            columns[f.name] = np.array([getattr(row, f.name) for row in rows], kind)
        return Table(columns)
