"""The social source: what those watched who are close to a visitor, by their ties or by whom they follow."""

from __future__ import annotations

from typing import Any

import numpy as np

from ecosim.community import bits
from ecosim.community.feeds.rankings import by_score
from ecosim.community.feeds.sight import Feed, Known, Sight
from ecosim.fields import Array


def social(known: Known) -> Feed:
    """Posts by how many watched them of those from whom the visitor gets shares; equals in an order of its own.

    Where viewers have no ties, of those who follow the same creators, counted once for each creator that both follow.
    So many viewers × ties, or follows × views, are added up; nothing is viewers × viewers.
    """
    counts = [_by_ties(known, r) if known.ties is not None else _by_follows(known, r) for r in range(len(known.seed))]

    def feed(sight: Sight, num_slots: int) -> Array:
        def score(some: Sight) -> Array:
            return np.stack([count(some.viewer[r]) for r, count in enumerate(counts)])

        return by_score(sight, score, num_slots)

    return feed


def _by_ties(known: Known, replica: int) -> Any:
    """Of viewers, how many of those tied to each watched each candidate: a function from viewers to (n, M)."""
    assert known.ties is not None
    of, sharer, friend = known.ties
    here = of == replica
    num = known.profile.shape[1]
    close = _table(friend[here], sharer[here], (num, num))
    counts = (close @ _watched(known, replica)).tocsr()
    return lambda viewer: counts[viewer].toarray()


def _by_follows(known: Known, replica: int) -> Any:
    """Of viewers, the views of each candidate by followers of the creators that each follows."""
    row, creator = bits.pairs(known.follows[replica])
    follows = _table(row, creator, (known.profile.shape[1], known.num_creators))
    views = (follows.T @ _watched(known, replica)).toarray()  # (creators, candidates)
    return lambda viewer: follows[viewer] @ views


def _watched(known: Known, replica: int) -> Any:
    """Who has watched which candidate, sparse (V, M)."""
    row, place = bits.pairs(known.has_watched[replica])
    number = known.candidate_at[replica, place]
    is_there = number >= 0
    return _table(row[is_there], number[is_there], (known.profile.shape[1], known.candidates.shape[1]))


def _table(row: Array, column: Array, shape: tuple[int, int]) -> Any:
    """Ones at some places, sparse; whole numbers, so that sums are exact in any order."""
    from scipy import sparse  # here: it is slow to load, and only this source needs it

    return sparse.csr_matrix((np.ones(len(row)), (row, column)), shape=shape)
