"""95 % intervals of paired differences: of their mean, and of the ratio of two means."""

from __future__ import annotations

import numpy as np

from ecosim.fields import Array


def mean(gain: Array) -> tuple[float, float]:
    """Mean, and half the width of its 95 % interval (Student's t)."""
    from scipy import stats

    return float(gain.mean()), float(stats.t.ppf(0.975, len(gain) - 1) * gain.std(ddof=1) / np.sqrt(len(gain)))


def ratio(part: Array, whole: Array) -> tuple[float, float]:
    """The 95 % interval of a ratio of paired means: all shares s for which part − s · whole may have the mean 0.

    Source: Fieller (1954), Some problems in interval estimation.
    """
    from scipy import stats

    num = len(part)
    t2 = stats.t.ppf(0.975, num - 1) ** 2
    cov = np.cov(part, whole) / num
    a = whole.mean() ** 2 - t2 * cov[1, 1]
    b = part.mean() * whole.mean() - t2 * cov[0, 1]
    c = part.mean() ** 2 - t2 * cov[0, 0]
    if a <= 0:
        return float("nan"), float("nan")
    root = np.sqrt(max(b * b - a * c, 0.0))
    return float((b - root) / a), float((b + root) / a)
