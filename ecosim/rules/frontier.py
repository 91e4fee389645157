"""Which agreements are efficient or fair, for a batch of tables with distinct utilities in each.

Every point is an outcome of the domain, no lottery over outcomes, and only outcomes count that leave neither side worse
off than without a deal (d₁, d₂). With gains g = u − d:

* Pareto frontier: outcomes for which no other is better for one side and no worse for the other;
* Nash (1950): largest product g₁·g₂;
* Kalai, here the egalitarian solution (Kalai 1977): largest min(g₁, g₂);
* Kalai–Smorodinsky (1975): largest min(g₁ ÷ m₁, g₂ ÷ m₂), where m is the most that the side could gain;
* utilitarian: largest u₁ + u₂.

Of equals the one with the larger sum of utilities is taken, then the lower number; so each point is on the frontier.
Utilities are whole millionths, so all of it is exact; a distance is Euclidean, rounded to the nearest millionth.

Source: Nash (1950), The bargaining problem; Kalai, Smorodinsky (1975), Other solutions to Nash's bargaining problem;
Kalai (1977), Proportional solutions to bargaining situations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from ecosim.fields import Array

POINTS = ("nash", "kalai", "kalai_smorodinsky", "utilitarian")
_SUM_BITS = 22
"""Bits that hold the sum of two utilities, each at most a million and a few."""
_BLOCK = 250
"""Talks worked on at once: with a few hundred outcomes each, their tables fit into a core's second-level cache."""


def is_efficient(first: Array, second: Array) -> Array:
    """Which outcomes are on the Pareto frontier, bool (talks, outcomes); of equal points each.

    By one sort a talk: going down the first side's utility, an outcome is on it if the second's is a new record.
    """
    keys = (first.astype(np.int64) << _SUM_BITS) | second  # by the first side's utility, then by the second's
    order = np.argsort(-keys, axis=1, kind="stable")
    u, v = (np.take_along_axis(side, order, axis=1) for side in (first, second))
    record = np.maximum.accumulate(v, axis=1)
    before = np.concatenate([np.full((len(v), 1), -1, v.dtype), record[:, :-1]], axis=1)
    is_new = v > before
    # an outcome with exactly the utilities of the record before it is no worse than that one
    where = np.maximum.accumulate(np.where(is_new, np.arange(v.shape[1]), 0), axis=1)
    same = (v == np.take_along_axis(v, where, axis=1)) & (u == np.take_along_axis(u, where, axis=1))
    found = np.empty(v.shape, bool)
    np.put_along_axis(found, order, same, axis=1)
    return found


@dataclass(frozen=True, slots=True)
class Points:
    """The fair outcomes of each talk, int64 (talks,); where no outcome leaves both sides whole, the nearest to it."""

    nash: Array
    kalai: Array
    kalai_smorodinsky: Array
    utilitarian: Array


def points(first: Array, second: Array, reservations: tuple[int, int] = (0, 0)) -> Points:
    """Nash, Kalai (egalitarian), Kalai–Smorodinsky and utilitarian outcomes.

    Args:
        first, second: utility of every outcome to each side, millionths, int32 (talks, outcomes).
        reservations: what each side has without a deal, millionths.
    """
    found = np.empty((len(POINTS), len(first)), np.int64)
    for rows in _blocks(len(first)):
        found[:, rows] = _points(first[rows], second[rows], reservations)
    return Points(*found)


def _points(first: Array, second: Array, reservations: tuple[int, int]) -> tuple[Array, ...]:
    total = first + second
    g, h = first - np.int32(reservations[0]), second - np.int32(reservations[1])
    least = np.minimum(g, h)
    if least.min(initial=0) < 0:
        g, h = np.where(least < 0, least, g), np.where(least < 0, least, h)
    wide = g.astype(np.int64)
    nash = np.where(g < 0, wide, wide * h) if least.min(initial=0) < 0 else wide * h
    most = [np.maximum(side.max(axis=1), 1).astype(np.int64)[:, None] for side in (g, h)]
    # g ÷ m₁ < h ÷ m₂ compared as g·m₂ < h·m₁, which is exact
    share = np.minimum(wide * most[1], h * most[0])
    return _best(nash, total), _best(least.astype(np.int64), total), _best(share, total), total.argmax(axis=1)


def frontier_distance(first: Array, second: Array, u: Array, v: Array) -> Array:
    """How far a point (u, v) of each talk is from the nearest outcome of the frontier, millionths, int64 (talks,).

    Args:
        first, second: utility of every outcome to each side, millionths, int32 (talks, outcomes).
        u, v: the point, such as an agreement or what both have without one, millionths, int64 (talks,).
    """
    far = np.zeros(len(u), np.int64)
    for rows in _blocks(len(u)):
        far[rows] = _frontier_distance(first[rows], second[rows], u[rows, None], v[rows, None])
    return far


def _frontier_distance(first: Array, second: Array, u: Array, v: Array) -> Array:
    far = np.zeros(len(u), np.int64)
    u32, v32 = u.astype(np.int32), v.astype(np.int32)
    beaten = np.flatnonzero(((first >= u32) & (second >= v32) & (first + second > u32 + v32)).any(axis=1))
    if len(beaten):
        keys = (first[beaten].astype(np.int64) << _SUM_BITS) | second[beaten]
        keys.sort(axis=1)
        best, other = keys[:, ::-1] >> _SUM_BITS, keys[:, ::-1] & ((1 << _SUM_BITS) - 1)
        record = np.maximum.accumulate(other, axis=1)
        gap = (best - u[beaten]) ** 2 + (other - v[beaten]) ** 2
        gap[:, 1:][other[:, 1:] <= record[:, :-1]] = np.iinfo(np.int64).max
        far[beaten] = np.rint(np.sqrt(gap.min(axis=1).astype(np.float64))).astype(np.int64)
    return far


def length(x: Array, y: Array) -> Array:
    """The length of a step in both utilities, rounded to the nearest millionth, int64 (talks,)."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    return cast(Array, np.rint(np.sqrt(x * x + y * y)).astype(np.int64))


def _best(score: Array, total: Array) -> Array:
    """The outcome with the highest score in each row; of equals the largest total, then the first."""
    return cast(Array, ((score << _SUM_BITS) | total).argmax(axis=1))


def _blocks(num_rows: int) -> list[slice]:
    """Rows in portions that stay in the processor's cache."""
    return [slice(start, start + _BLOCK) for start in range(0, num_rows, _BLOCK)]
