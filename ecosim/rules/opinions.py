"""Opinions: how two that meet come closer, how neighbours are averaged, and how many camps there are.

Opinions are whole millionths from 0 to 10^6, so that they are exact in any order and on any machine.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from ecosim.exact import MILLION
from ecosim.fields import Array


def compromise(mine: Array, other: Array, tolerance: int, pull: int) -> Array:
    """How far each opinion moves towards another: `pull` of the way if they differ by less than `tolerance`, else 0.

    Two that meet move equally far, so that their sum stays what it was.

    Args:
        mine, other: opinions in millionths, int64.
        tolerance: the bound of confidence ε, millionths.
        pull: the convergence parameter μ, millionths of the way.

    Source: Deffuant, Neau, Amblard, Weisbuch (2000), Mixing beliefs among interacting agents.

    >>> compromise(np.array([200_000, 200_000]), np.array([300_001, 900_000]), 200_000, 500_000).tolist()
    [50000, 0]
    """
    gap = other - mine
    near = np.abs(gap) < tolerance
    return np.where(near, np.sign(gap) * (np.abs(gap) * pull // MILLION), 0)


def pooled(weights: Array, opinions: Array) -> Array:
    """Everybody's opinion becomes a weighted mean of all: one round on a matrix of trust, int64 (members,).

    Args:
        weights: what each member (row) gives each (column), whole numbers; a row's sum counts as all of its trust.
        opinions: millionths, int64 (members,); means are rounded to the nearest, halves up.

    Source: DeGroot (1974), Reaching a consensus.

    >>> pooled(np.array([[1, 1, 0], [1, 2, 1], [0, 1, 1]]), np.array([0, 400_000, 1_000_000])).tolist()
    [200000, 450000, 700000]
    """
    return mean(weights @ opinions, weights.sum(axis=1))


def mean(total: Array, count: Array) -> Array:
    """Totals over counts, rounded to the nearest whole, halves up, int64."""
    return cast(Array, (2 * total + count) // (2 * count))


def influence(weights: Array, rounds: int = 1000) -> Array:
    """What each member's first opinion weighs in the consensus: the left eigenvector of the trust matrix.

    Args:
        weights: rows that add up to 1, float64 (members, members), of a matrix that reaches a consensus.
        rounds: how often it is applied.

    Source: DeGroot (1974), Reaching a consensus: π W = π.

    >>> influence(np.array([[0.5, 0.5, 0.0], [0.25, 0.5, 0.25], [0.0, 0.5, 0.5]])).round(6).tolist()
    [0.25, 0.5, 0.25]
    """
    share = np.full(len(weights), 1 / len(weights))
    for _ in range(rounds):
        share = share @ weights
    return cast(Array, share)


def num_camps(opinions: Array, apart: int, least: int) -> int:
    """How many groups of at least `least` members there are, with gaps of at least `apart` between neighbours.

    Args:
        opinions: millionths, int64 (members,).
        apart: the smallest gap between groups, millionths.
        least: members of a group that counts; stragglers between camps are none.

    >>> num_camps(np.array([100_000, 110_000, 120_000, 500_000, 880_000, 900_000]), 200_000, 2)
    2
    """
    ordered = np.sort(opinions)
    begins = np.flatnonzero(np.diff(ordered, prepend=-apart) >= apart)
    return int((np.diff(begins, append=len(ordered)) >= least).sum())
