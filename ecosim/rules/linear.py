"""A sparse linear program that is written block by block, and solved by HiGHS: in floating point, so T2."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import numpy as np

from ecosim.fields import Array


@dataclass(slots=True)
class Program:
    """A sparse linear program that grows block by block: maximise gain · x, rows equal to or at most their side."""

    num_columns: int = 0
    gain: list[Array] = field(default_factory=list)
    most: list[Array] = field(default_factory=list)
    entries: dict[bool, list[tuple[Array, Array, Array]]] = field(default_factory=lambda: {True: [], False: []})
    sides: dict[bool, list[Array]] = field(default_factory=lambda: {True: [], False: []})

    def columns(self, rows: int, weeks: int, gain: Array | float, most: Array | float = np.inf) -> Array:
        """New unknowns, 0 … `most`, with what a unit of each earns; their numbers, shape (rows, weeks)."""
        for into, values in ((self.gain, gain), (self.most, most)):
            into.append(np.broadcast_to(np.asarray(values, float), (rows, weeks)).ravel())
        start = self.num_columns
        self.num_columns += rows * weeks
        return np.arange(start, self.num_columns).reshape(rows, weeks)

    def rows(self, side: Array, is_equal: bool) -> Array:
        """New conditions; their numbers, in the shape of their right-hand sides."""
        start = sum(len(known) for known in self.sides[is_equal])
        self.sides[is_equal].append(np.asarray(side, float).ravel())
        return cast(Array, np.arange(start, start + side.size).reshape(side.shape))

    def put(self, rows: Array, columns: Array, factor: Array | float, is_equal: bool = True) -> None:
        """Unknowns into conditions, with a factor each."""
        rows, columns, values = np.broadcast_arrays(rows, columns, np.asarray(factor, float))
        self.entries[is_equal].append((rows.ravel(), columns.ravel(), values.ravel()))

    def optimum(self) -> float:
        """The largest gain.

        Raises:
            ArithmeticError: the solver found none.
        """
        from scipy import optimize, sparse  # a second of imports: only for who asks

        matrix, side = {}, {}
        for is_equal in (True, False):
            side[is_equal] = np.concatenate(self.sides[is_equal] or [np.zeros(0)])
            parts = self.entries[is_equal] or [(np.zeros(0, int), np.zeros(0, int), np.zeros(0))]
            row, column, values = (np.concatenate(part) for part in zip(*parts, strict=True))
            matrix[is_equal] = sparse.csr_array((values, (row, column)), (len(side[is_equal]), self.num_columns))
        bounds = np.stack([np.zeros(self.num_columns), np.concatenate(self.most)], axis=1)
        done = optimize.linprog(
            -np.concatenate(self.gain), matrix[False], side[False], matrix[True], side[True], bounds, method="highs"
        )
        if done.status != 0:
            raise ArithmeticError(f"the linear program has no optimum: {done.message}")
        return float(-done.fun)
