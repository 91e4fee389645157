"""How unequal, and how concentrated: figures over the firms of each replica."""

from __future__ import annotations

from typing import cast

import numpy as np

from ecosim.fields import Array


def gini(values: Array, counts: Array | None = None) -> Array:
    """Gini coefficient of each row, float64 (rows,): the sum of |a − b| over all ordered pairs ÷ (2 · n · Σ|a|).

    With no value below zero it is the usual one, 0 for equals and (n − 1)/n where one has all; with some, it stays
    within 0 … 1 where the usual one would not. Nan for a row of nobody, or where all have nothing.

    Args:
        values: shape (rows, members).
        counts: who counts, bool of the same shape; all by default.

    Source: Raffinetti, Siletti, Vernizzi (2015), On the Gini coefficient normalization when attributes with negative
    values are considered, Statistical Methods & Applications 24 (the sum of absolute values in place of the sum).

    >>> gini(np.array([[1.0, 1.0, 2.0, 4.0], [0.0, 0.0, 0.0, 3.0], [1.0, -1.0, 0.0, 0.0]])).tolist()
    [0.3125, 0.75, 0.75]
    """
    counts = np.ones(values.shape, bool) if counts is None else counts
    num = counts.sum(axis=1)
    ordered = np.sort(np.where(counts, values, np.inf), axis=1)
    rank = np.arange(1, values.shape[1] + 1)
    # over sorted values, the sum over ordered pairs is 2 · Σ (2i − n − 1) · x_i
    weight = np.where(rank <= num[:, None], 2 * rank - num[:, None] - 1, 0)
    gaps = 2 * (weight * np.where(np.isfinite(ordered), ordered, 0.0)).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return cast(Array, gaps / (2 * num * np.abs(np.where(counts, values, 0.0)).sum(axis=1)))


def herfindahl(sales: Array) -> Array:
    """Herfindahl–Hirschman index of each row, float64 (rows,): squared shares added up; nan where nothing was sold.

    Args:
        sales: of each seller, at least 0, shape (rows, sellers).

    Source: Hirschman (1945), National Power and the Structure of Foreign Trade; Herfindahl (1950), Concentration in
    the U.S. Steel Industry. On the scale 0 … 1, not in the points (0 … 10,000) of competition authorities.

    >>> herfindahl(np.array([[5.0, 3.0, 2.0], [1.0, 1.0, 0.0], [7.0, 0.0, 0.0]])).round(4).tolist()
    [0.38, 0.5, 1.0]
    """
    with np.errstate(invalid="ignore"):
        return cast(Array, ((sales / sales.sum(axis=1, keepdims=True)) ** 2).sum(axis=1))
