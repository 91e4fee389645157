"""Rules of feeds: how a ranking scores posts, how a lottery weighs and draws them; pure functions of counts and time.

Nothing here knows viewers or replicas; the community's feed stacks these rules over them.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from ecosim import exact
from ecosim.fields import Array

HOT_EPOCH_S = 1_134_028_003
"""The Unix time from which the hot score counts, 2005-12-08 07:46:43 UTC."""

HOT_S = 45_000
"""Seconds of youth that are worth ten times the votes."""

WEIGHT_SCALE = 2**32
"""The weight of a replica's most popular post; integers, so that sums of weights are exact in any order."""

_LN_10 = 2.302585092994046


def hot_score(net_votes: Array, posted_s: Array) -> Array:
    """The rank of posts on a front page: votes count by their logarithm, youth linearly.

    Args:
        net_votes: votes for minus votes against, int64.
        posted_s: when it was posted, Unix time.

    Source: Reddit's open-sourced `_sorts.pyx`: sign(s)·log10(max(|s|, 1)) + (t − 1134028003) / 45000.

    >>> hot_score(np.array([0, 100, -10]), np.array([1722931200] * 3)).round(4)
    array([13086.7377, 13088.7377, 13085.7377])
    """
    size = exact.log(np.maximum(np.abs(net_votes), 1)) / _LN_10
    return cast(Array, np.sign(net_votes) * size + (posted_s - HOT_EPOCH_S) / HOT_S)


def popularity_weights(views: Array, prior_views: float, power: float, is_open: Array) -> Array:
    """Integer lottery weights in proportion to (views + a)^r; 0 for posts that are not open.

    Args:
        views: of each post, int64 (replicas, posts).
        prior_views: a > 0, the views that a new post is taken to have.
        power: r ≥ 0; 0 is a uniform lottery, 1 is Pólya's urn, below 1 influence is sublinear.
        is_open: which posts take part, bool (replicas, posts).

    >>> popularity_weights(np.array([[0, 1, 3]]), 1.0, 1.0, np.array([[True, True, False]])) / WEIGHT_SCALE
    array([[0.5, 1. , 0. ]])
    """
    size = np.where(is_open, exact.power(views + prior_views, power), 0.0)
    top = size.max(axis=1, keepdims=True)
    share = size / np.where(top > 0, top, 1.0)
    return np.where(is_open, np.maximum(np.rint(share * WEIGHT_SCALE), 1), 0).astype(np.int64)


def drawn(weights: Array, replica: Array, u: Array) -> Array:
    """The post that each uniform draw picks from its replica's lottery, with replacement; int64 (rows,).

    Args:
        weights: int64 (replicas, posts); each row that is drawn from has a positive sum.
        replica, u: the replica and the draw from (0, 1) of each row.
    """
    total = weights.sum(axis=1)
    ends = np.cumsum(weights.ravel())
    start = np.cumsum(total) - total
    ticket = np.minimum((u * total[replica]).astype(np.int64), total[replica] - 1)
    return cast(Array, np.searchsorted(ends, start[replica] + ticket, side="right") - replica * weights.shape[1])


def drawn_by_row(weights: Array, u: Array) -> Array:
    """The post that each draw picks from its own lottery, int64 (rows,); −1 where all weights are 0.

    Args:
        weights: int64 (rows, posts).
        u: one draw from (0, 1) a row.
    """
    ends = np.cumsum(weights, axis=1)
    ticket = np.minimum((u * ends[:, -1]).astype(np.int64), ends[:, -1] - 1)
    return np.where(ends[:, -1] > 0, (ends <= ticket[:, None]).sum(axis=1), -1)


def random_coverage(num_shown: int, num_posts: int, num_users: int) -> float:
    """The share of posts that somebody is shown, expected when each user gets a random k of N: 1 − (1 − k/N)^U.

    >>> round(random_coverage(10, 500, 200), 4)
    0.9824
    """
    missed = 1.0 - num_shown / num_posts
    return float(1.0 - exact.power(np.array(missed), num_users))
