"""What comes next by simple rules, from columns of the past with the newest first: shape (rows, periods).

The naive forecast that these are held against, and how they are scored, is `rules.accuracy`.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from ecosim.fields import Array

SMOOTHING = 0.3
"""What the newest period weighs in exponential smoothing; 0.1 … 0.3 is usual (Hyndman, Athanasopoulos 2021, 8.1)."""


def average(history: Array, periods: int) -> Array:
    """The mean of the last periods, or of all there are, float64 (rows,).

    >>> average(np.array([[4, 2, 9]]), 2)
    array([3.])
    """
    used = min(periods, history.shape[1])
    return cast(Array, history[:, :used].sum(axis=1) / used)


def smoothed(history: Array, smoothing: float = SMOOTHING) -> tuple[Array, Array]:
    """A level that moves part of the way to each new period, and the sum of its squared errors, float64 (rows,) each.

    Source: Brown (1959), Statistical forecasting for inventory control.

    >>> smoothed(np.array([[20, 10]]), 0.5)
    (array([15.]), array([100.]))
    """
    past = history.astype(np.float64)
    level, squares = past[:, -1], np.zeros(len(past))
    for period in range(past.shape[1] - 2, -1, -1):
        error = past[:, period] - level
        level, squares = level + smoothing * error, squares + error * error
    return level, squares
