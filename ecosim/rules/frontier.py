"""Which agreements are efficient or fair, for a batch of tables with distinct utilities in each.

Every point is an outcome of the domain, no lottery over outcomes, and only outcomes count that leave neither side worse
off than without a deal (d₁, d₂). With gains g = u − d:

* Pareto frontier: outcomes for which no other is better for one side and no worse for the other;
* Nash (1950): largest product g₁·g₂;
* Kalai, here the egalitarian solution (Kalai 1977): largest min(g₁, g₂);
* Kalai–Smorodinsky (1975): largest min(g₁ ÷ m₁, g₂ ÷ m₂), where m is the most that the side could gain;
* utilitarian: largest u₁ + u₂.

Of equals the one with the larger sum of utilities is taken, then the better one for the first side; so each point is on
the frontier, and only the frontier is looked at.
Utilities are whole millionths, so all of it is exact; a distance is Euclidean, rounded to the nearest millionth.

Source: Nash (1950), The bargaining problem; Kalai, Smorodinsky (1975), Other solutions to Nash's bargaining problem;
Kalai (1977), Proportional solutions to bargaining situations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from ecosim.fields import Array
from ecosim.rules.domain import Ranking

POINTS = ("nash", "kalai", "kalai_smorodinsky", "utilitarian")
_BITS = 21
"""Bits that hold a utility, at most a million and a few; a sum of two needs one more."""
_TOP = (1 << _BITS) - 1
_NUMBER_BITS = 63 - 2 * _BITS
_BLOCK = 250
"""Talks sorted at once: with a few hundred outcomes each, their keys fit into a core's second-level cache."""


@dataclass(frozen=True, slots=True)
class Frontier:
    """The Pareto frontier of each talk, from the first side's best end on, int64 (talks, most efficient outcomes).

    Of outcomes with equal utilities one is there. Shorter frontiers are filled up with their first outcome.

    Attributes:
        first, second: utility to each side, millionths.
        outcome: which outcome it is.
    """

    first: Array
    second: Array
    outcome: Array


def frontier(first: Array, second: Array, ranking: Ranking | None = None) -> Frontier:
    """Find what is efficient: going down the first side's utility, every new record of the second's.

    Args:
        first, second: utility of every outcome to each side, millionths, int32 (talks, outcomes).
        ranking: of the first side's outcomes, if it is at hand.
    """
    found = [_efficient(first[rows], second[rows], _taken(ranking, rows)) for rows in _blocks(len(first))]
    if not found:
        return Frontier(*[np.zeros((0, 1), np.int64)] * 3)
    count, *columns = (np.concatenate(part) for part in zip(*found, strict=True))
    width, start = int(count.max()), np.cumsum(count) - count
    slot = np.arange(len(columns[0])) + np.repeat(np.arange(len(count)) * width - start, count)
    filled = []
    for column in columns:
        wide = np.empty((len(count), width), np.int64)
        wide[:] = column[start, None]
        wide.reshape(-1)[slot] = column
        filled.append(wide)
    return Frontier(*filled)


def _taken(ranking: Ranking | None, rows: slice) -> Ranking | None:
    return None if ranking is None else Ranking(ranking.outcome[rows], ranking.utility[rows])


def _efficient(first: Array, second: Array, ranking: Ranking | None) -> tuple[Array, Array, Array, Array]:
    """How many efficient outcomes each talk has; their utilities and numbers, each talk's first side's best first."""
    if ranking is None:
        return _records(*_sorted(first, second))
    ladder, number = ranking.utility, ranking.outcome
    other = second.reshape(-1).take(np.arange(len(second))[:, None] * second.shape[1] + number)
    tied = (ladder[:, 1:] == ladder[:, :-1]).any(axis=1).nonzero()[0]
    if len(tied):  # of equals for the first side, the better one for the second comes first
        number = number.copy()
        _, other[tied], number[tied] = _sorted(first[tied], second[tied])
    return _records(ladder, other, number)


def _sorted(first: Array, second: Array) -> tuple[Array, Array, Array]:
    """Both sides' utilities and the numbers of outcomes, the first side's best first; of equals the second's."""
    keys = (_TOP - first).astype(np.int64) << _BITS
    keys = (keys + (_TOP - second) << _NUMBER_BITS) + np.arange(first.shape[1])
    keys.sort(axis=1)
    number = keys & ((1 << _NUMBER_BITS) - 1)
    return _TOP - (keys >> (_BITS + _NUMBER_BITS)), _TOP - (keys >> _NUMBER_BITS & _TOP), number


def _records(first: Array, second: Array, number: Array) -> tuple[Array, Array, Array, Array]:
    """Of outcomes sorted by the first side's utility, those that are better for the second than all before."""
    record = np.maximum.accumulate(second, axis=1)
    is_new = np.ones(second.shape, bool)
    np.greater(record[:, 1:], record[:, :-1], out=is_new[:, 1:])
    at = is_new.reshape(-1).nonzero()[0]
    taken = [column.reshape(-1).take(at) for column in (first, second, number)]
    return np.count_nonzero(is_new, axis=1), taken[0], taken[1], taken[2]


@dataclass(frozen=True, slots=True)
class Points:
    """The fair outcomes of each talk, int64 (talks,); where no outcome leaves both sides whole, the nearest to it."""

    nash: Array
    kalai: Array
    kalai_smorodinsky: Array
    utilitarian: Array


def points(front: Frontier, reservations: tuple[int, int] = (0, 0)) -> Points:
    """Nash, Kalai (egalitarian), Kalai–Smorodinsky and utilitarian outcomes.

    Args:
        front: of each talk.
        reservations: what each side has without a deal, millionths.
    """
    found = [_points(Frontier(*_part(front, rows)), reservations) for rows in _blocks(len(front.first))]
    return Points(*np.concatenate(found or [np.zeros((len(POINTS), 0), np.int64)], axis=1))


def _points(front: Frontier, reservations: tuple[int, int]) -> Array:
    """All points of a few talks, int64 (points, talks)."""
    total = front.first + front.second
    g, h = front.first - reservations[0], front.second - reservations[1]
    least = np.minimum(g, h)
    is_out = least < 0
    if is_out.any():
        g, h = np.where(is_out, least, g), np.where(is_out, least, h)
        nash = np.where(is_out, least, g * h)
    else:
        nash = g * h
    most = [np.maximum(side.max(axis=1), 1)[:, None] for side in (g, h)]
    share = np.minimum(g * most[1], h * most[0])  # g ÷ m₁ < h ÷ m₂ compared as g·m₂ < h·m₁, which is exact
    return np.stack([_best(front, score, total) for score in (nash, least, share, total)])


def _part(front: Frontier, rows: slice) -> tuple[Array, Array, Array]:
    return front.first[rows], front.second[rows], front.outcome[rows]


def frontier_distance(front: Frontier, u: Array, v: Array) -> Array:
    """How far a point (u, v) of each talk is from the nearest outcome of the frontier, millionths, int64 (talks,).

    It is 0 where no outcome is better for one side and no worse for the other.

    Args:
        front: of each talk.
        u, v: the point, such as an agreement or what both have without one, millionths, int64 (talks,).
    """
    du, dv = front.first - u[:, None], front.second - v[:, None]
    beaten = ((du >= 0) & (dv >= 0) & (du + dv > 0)).any(axis=1)
    nearest = (du * du + dv * dv).min(axis=1).astype(np.float64)
    return cast(Array, np.rint(np.sqrt(nearest)).astype(np.int64) * beaten)


def length(x: Array, y: Array) -> Array:
    """The length of a step in both utilities, rounded to the nearest millionth, int64 (talks,)."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    return cast(Array, np.rint(np.sqrt(x * x + y * y)).astype(np.int64))


def _best(front: Frontier, score: Array, total: Array) -> Array:
    """The outcome with the highest score in each row; of equals the largest total, then the first."""
    best = ((score << (_BITS + 1)) | total).argmax(axis=1)
    return cast(Array, front.outcome[np.arange(len(best)), best])


def _blocks(num_rows: int) -> list[slice]:
    """Rows in portions that stay in the processor's cache."""
    return [slice(start, start + _BLOCK) for start in range(0, num_rows, _BLOCK)]
