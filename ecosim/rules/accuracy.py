"""How good forecasts are: scaled errors and pinball loss, and the seasonal-naive forecast that both are held against.

Histories are columns of past weeks, the newest first: shape (rows, weeks).
"""

from __future__ import annotations

from typing import cast

import numpy as np

from ecosim.fields import Array


def seasonal_naive(history: Array, season: int, horizon: int, ago: int = 0) -> Array:
    """Mean demand of the next `horizon` weeks if each repeats the last week of its season; whole, rounded down.

    Args:
        history: int64 (rows, weeks), at least `season` + `ago` weeks.
        season: weeks after which demand repeats itself, ≥ 1; 1 repeats the last week.
        horizon: weeks ahead, ≥ 1.
        ago: the forecast is one that was made so many weeks ago, from what was known then.

    Returns:
        int64 (rows,).

    >>> seasonal_naive(np.array([[4, 3, 2, 1]]), 4, 2), seasonal_naive(np.array([[4, 3, 2, 1]]), 1, 2)
    (array([1]), array([4]))
    """
    weeks = ago + season - 1 - np.arange(horizon) % season
    return cast(Array, history[:, weeks].sum(axis=1) // horizon)


def pinball_loss(actual: Array, forecast: Array, quantile: float) -> Array:
    """q · (y − f) where demand came above the forecast of its quantile q, (1 − q) · (f − y) where below.

    Source: Koenker, Bassett (1978), Regression quantiles; Gneiting (2011), Quantiles as optimal point forecasts.

    >>> pinball_loss(np.array([10, 10]), np.array([8, 12]), 0.9).round(9)
    array([1.8, 0.2])
    """
    gap = actual - forecast
    return np.maximum(quantile * gap, (quantile - 1.0) * gap)


def scaled_error(actual: Array, forecast: Array, scale: Array) -> Array:
    """|y − f| ÷ the mean absolute error of the seasonal-naive forecast in sample; its mean is the MASE.

    Args:
        actual, forecast: of each row, in one unit.
        scale: mean absolute seasonal-naive error over the weeks before, same unit; where it is 0 the error is nan.

    Source: Hyndman, Koehler (2006), Another look at measures of forecast accuracy, equation for q_t.

    >>> scaled_error(np.array([10, 10]), np.array([7, 7]), np.array([2.0, 0.0]))
    array([1.5, nan])
    """
    error = np.abs(actual - forecast).astype(np.float64)
    return np.divide(error, scale, out=np.full(len(error), np.nan), where=scale > 0)
