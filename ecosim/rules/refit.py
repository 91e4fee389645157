"""Rules of models that are fitted again to what models wrote: corpora are drawn, counts and moments are all they keep.

Everything is whole numbers until the last division, so a fit has the same bits in any order and on any machine.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from ecosim import exact
from ecosim.fields import Array


def raced(group: Array, take: Array, weight: Array, u: Array) -> Array:
    """Which things are drawn: of each group some, one after another without those already drawn; bool (things,).

    The next one is drawn with a chance in proportion to its weight: everything waits an exponential time, the shorter
    the heavier it is, and the first ones count.

    Args:
        group: to which group each thing belongs, int64 (things,).
        take: how many are drawn of each group, at most, int64 (groups,).
        weight: of each thing, > 0.
        u: a draw from (0, 1) for each thing.

    Source: Efraimidis, Spirakis (2006), Weighted random sampling with a reservoir.

    >>> raced(np.array([0, 0, 0, 1]), np.array([2, 1]), np.ones(4), np.array([0.1, 0.9, 0.5, 0.2])).tolist()
    [False, True, True, True]
    """
    order = np.lexsort((-exact.log(u) / weight, group))
    size = np.bincount(group, minlength=len(take))
    rank = np.arange(len(group)) - np.repeat(np.cumsum(size) - size, size)
    drawn = np.zeros(len(group), bool)
    drawn[order] = rank < np.repeat(take, size)
    return drawn


def sums(group: Array, num_groups: int, values: Array) -> Array:
    """Whole numbers added up by group, int64 (groups, …); `group` is sorted.

    >>> sums(np.array([0, 0, 2]), 3, np.array([[1], [2], [5]])).tolist()
    [[3], [0], [5]]
    """
    found = np.zeros((num_groups, *values.shape[1:]), np.int64)
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    if len(group):
        found[group[starts]] = np.add.reduceat(values, starts, axis=0, dtype=np.int64)
    return found


def variance(number: Array, total: Array, squares: Array) -> Array:
    """Maximum likelihood: mean square less squared mean, in squared units, float64 with one rounding.

    >>> variance(np.array(4), np.array(10), np.array(30)).tolist()  # of 1, 2, 3, 4
    1.25
    """
    return cast(Array, (number * squares - total * total) / (number * number))


def normal(number: Array, total: Array, squares: Array, z: Array) -> Array:
    """Draws from the normal that moments describe, rounded to whole units, int64; z are standard normal draws.

    >>> normal(np.array(4), np.array(10), np.array(30), np.array([0.0, 2.0])).tolist()
    [2, 5]
    """
    return np.rint(total / number + np.sqrt(variance(number, total, squares)) * z).astype(np.int64)


def kept_when_replacing(num_samples: int, generations: int) -> float:
    """The share of variance, or of diversity 1 − Σp², that is left when each generation learns from the last alone.

    (1 − 1/n)^T, for the maximum-likelihood variance of n samples a generation.

    Source: Shumailov et al. (2024), AI models collapse when trained on recursively generated data, Nature 631; for
    frequencies it is Wright's law of drift (1931), Evolution in Mendelian populations.

    >>> round(kept_when_replacing(20, 20), 4)
    0.3585
    """
    return float((1.0 - 1.0 / num_samples) ** generations)


def kept_when_accumulating(num_samples: int, generations: int) -> float:
    """The same where each generation adds n samples and learns from all so far: ∏ (1 − 1/(n·t²)), t = 1 … T.

    For T → ∞ it is sin(π/√n) ÷ (π/√n), Euler's product.

    Source: Gerstgrasser et al. (2024), Is model collapse inevitable? Breaking the curse of recursion by accumulating
    real and synthetic data; Kazdan et al. (2024), Collapse or thrive?

    >>> round(kept_when_accumulating(10, 20), 4), round(kept_when_accumulating(10, 100_000), 4)
    (0.8476, 0.8434)
    """
    t = np.arange(1, generations + 1)
    return float(np.prod(1.0 - 1.0 / (num_samples * t.astype(np.float64) ** 2)))


def diversity_with_humans(num_human: int, num_own: int, generations: int, truth: float) -> float:
    """Expected 1 − Σp² after T generations that each learn from human posts and from their own; at first it is true.

    With a and m the shares of own and human posts, F = Σp² and G = Σq² of the truth, each generation makes
    F′ = a²(F + (1 − F)/own) + m²(G + (1 − G)/human) + 2amG: a lineage is on average at the truth.

    Args:
        num_human, num_own: posts of each kind in a corpus, both at least 1.
        generations: T.
        truth: 1 − Σq² of the true frequencies.

    Source: drift with immigration, Wright (1931), Evolution in Mendelian populations.

    >>> [round(diversity_with_humans(2, 18, t, 0.875), 4) for t in (0, 1, 10, 1000)]
    [0.875, 0.8313, 0.7016, 0.6888]
    """
    g, size = 1.0 - truth, num_human + num_own
    own, human = num_own / size, num_human / size
    new = human**2 * (g + truth / num_human) + 2 * own * human * g
    f = g
    for _ in range(generations):
        f = own**2 * (f + (1.0 - f) / num_own) + new
    return 1.0 - f
