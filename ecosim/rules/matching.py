"""Who comes together with whom, when each can be in one pair only: the pairs with the lowest lots, one by one."""

from __future__ import annotations

import numpy as np

from ecosim.fields import Array


def paired(first: Array, second: Array, lot: Array, num: int) -> Array:
    """Which of some proposed pairs come together: the lowest lot, then the lowest of those still free, and so on.

    A pair comes together as soon as no other that waits for one of the two has a lower lot, so that a round settles
    many at once and the result is that of going through them one by one.

    Args:
        first, second: the two of each pair, 0 … num − 1, int64 (pairs,).
        lot: who comes first, float64 (pairs,); equals in the order given.
        num: how many there are that may be paired.

    Returns:
        bool (pairs,).

    >>> paired(np.array([0, 1, 2]), np.array([1, 2, 3]), np.array([0.5, 0.1, 0.9]), 4)
    array([False,  True, False])
    """
    rank = np.empty(len(lot), np.int64)
    rank[np.argsort(lot, kind="stable")] = np.arange(len(lot))
    comes, open_ = np.zeros(len(lot), bool), np.arange(len(lot))
    while len(open_):
        best = np.full(num, len(lot))
        for end in (first, second):
            np.minimum.at(best, end[open_], rank[open_])
        now = open_[(best[first[open_]] == rank[open_]) & (best[second[open_]] == rank[open_])]
        comes[now] = True
        taken = np.zeros(num, bool)
        taken[first[now]] = taken[second[now]] = True
        open_ = open_[~(taken[first[open_]] | taken[second[open_]])]
    return comes
