"""Rules of fair ranking: how many of a group a ranking owes to each of its heads, and the ranking that pays it.

A head of k is the first k places. What is owed is a floor: a group that ranks high by merit may have more.
"""

from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np

from ecosim.fields import Array

NOTHING = -1
"""A place of a ranking where nothing is left."""


def owed(share: float, num_slots: int, significance: float | None = None) -> list[int]:
    """How many of the group the first 1, 2, … places must hold at least.

    Without a significance, the whole part of share · k. With one, the fewest that a lottery in which each place falls
    to the group with chance `share` does not undercut too rarely: the least m with P(X ≤ m) > significance for X
    binomial (k, share). That asks for less, and forgives what chance alone may do.

    Args:
        share: that the group should have, 0 … 1.
        num_slots: places of the ranking.
        significance: of FA*IR, 0 < α < 1, or None for plain floors.

    Source: Geyik, Ambler, Kenthapadi (2019), Fairness-aware ranking in search & recommendation systems, KDD (floors);
    Zehlike et al. (2017), FA*IR: a fair top-k ranking algorithm, CIKM, table 2 (below: share .5 and .7).

    >>> owed(0.4, 5)
    [0, 0, 1, 1, 2]
    >>> owed(0.5, 12, significance=0.1)
    [0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 4]
    >>> owed(0.7, 12, significance=0.1)
    [0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6]
    """
    chance = Fraction(str(share))
    heads = range(1, num_slots + 1)
    if significance is None:
        return [int(chance * k) for k in heads]
    return [_least(k, chance, Fraction(str(significance))) for k in heads]


def _least(num_places: int, chance: Fraction, significance: Fraction) -> int:
    below = Fraction(0)
    for m in range(num_places + 1):
        below += comb(num_places, m) * chance**m * (1 - chance) ** (num_places - m)
        if below > significance:
            return m
    return num_places


def merged(ranking: Array, of_group: Array, is_in_group: Array, floors: list[int]) -> Array:
    """The best first, except where the group is owed a place: there the best of the group.

    Args:
        ranking: the best of all in turn, int64 (rows, slots), −1 where nothing is left.
        of_group: the best of the group in turn, int64 (rows, slots), −1 where none is left.
        is_in_group: whether each place of `ranking` falls to the group, bool (rows, slots).
        floors: how many of the group each head must hold, as `owed` gives them.

    Returns:
        The fair ranking, int64 (rows, slots); as fair as it can be where the group has too few.

    >>> ranking, of_group = np.array([[7, 8, 9, 1]]), np.array([[1, 2, 3, 4]])
    >>> merged(ranking, of_group, np.array([[False, False, False, True]]), [0, 1, 1, 2])
    array([[7, 1, 8, 2]])
    """
    rows = np.arange(len(ranking))
    fair = np.full(ranking.shape, NOTHING)
    num_in = np.zeros(len(ranking), np.int64)
    is_used, is_paid = ranking == NOTHING, of_group == NOTHING
    for slot, floor in enumerate(floors):
        best, due = is_used.argmin(axis=1), is_paid.argmin(axis=1)
        owes = (num_in < floor) & ~is_paid[rows, due]
        left = np.where(is_used[rows, best], NOTHING, ranking[rows, best])
        taken = np.where(owes, of_group[rows, due], left)
        num_in += owes | (is_in_group[rows, best] & (taken != NOTHING))
        is_used |= ranking == taken[:, None]
        is_paid |= of_group == taken[:, None]
        fair[:, slot] = taken
    return fair
