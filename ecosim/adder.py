"""Sums over rows, by replica and by group: how metrics are made from events."""

from __future__ import annotations

import numpy as np

from ecosim.fields import Array
from ecosim.words import Table


def ratio(above: Array, below: Array) -> Array:
    """One over the other, float64; 0 where there is nothing below.

    >>> ratio(np.array([1, 3]), np.array([2, 0]))
    array([0.5, 0. ])
    """
    return np.where(below == 0, 0.0, above / np.where(below == 0, 1, below))


class Adder:
    """Sums by replica, and by group within a replica, into figures."""

    def __init__(self, num_replicas: int, figures: dict[tuple[str, str], Array]) -> None:
        self.num_replicas = num_replicas
        self.figures = figures

    def __call__(self, name: str, table: Table, values: Array) -> None:
        """One sum a replica."""
        self.figures[name, ""] = np.bincount(table["replica"], values, self.num_replicas)

    def by(self, groups: tuple[str, ...], code: Array, name: str, table: Table, values: Array) -> None:
        """One sum a replica and group."""
        sums = np.bincount(table["replica"] * len(groups) + code, values, self.num_replicas * len(groups))
        for group, column in zip(groups, sums.reshape(-1, len(groups)).T, strict=True):
            self.figures[name, group] = column
