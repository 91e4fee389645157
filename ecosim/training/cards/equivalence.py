"""Is a product as good as its teacher? Two one-sided tests on paired worlds, with training seeds as a random effect.

"No difference was found" is not "there is none": with few worlds nothing is ever found. So the margin that would matter
is declared before (a share of the teacher's mean), and the product has to show that it lies within: the difference must
be significantly above −margin and significantly below +margin, which is the same as a 90 % interval inside ±margin.

A product is a recipe, and its training seed is luck like a world's. With T trainings met in the same W worlds, the
differences d[t, w] have two sources of chance, worlds and trainings; the variance of their mean is

    (MS_worlds + max(MS_trainings − MS_rest, 0)) / (T·W)

(mean squares of the crossed layout without replication), with Satterthwaite's degrees of freedom. Where trainings
differ no more than chance would have it, this is the paired t test on each world's mean over trainings; where they
differ much, twenty worlds do not hide that there were three trainings only.

Sources: Schuirmann (1987), A comparison of the two one-sided tests procedure; Satterthwaite (1946), An approximate
distribution of estimates of variance components.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from ecosim.fields import Array

ALPHA = 0.05
"""Chance of each one-sided test to be wrong; the interval that goes with both has 1 − 2 × ALPHA."""

Verdict = Literal["equivalent", "different", "undecided"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalence:
    """A product against its teacher in one figure.

    Attributes:
        teacher, product: means over the worlds that both have.
        difference: product − teacher.
        margin: that would matter, in the figure's own unit.
        low, high: ends of the 90 % interval of the difference.
        p_below, p_above: of the tests that the difference is > −margin, and that it is < +margin.
        p: the larger of the two: of the test that the product is equivalent.
        p_more, p_less: of the tests that the difference is > 0, and that it is < 0.
        spread: standard deviation of the difference over trainings; 0 of one.
        worlds, trainings: how many.
        verdict: `equivalent` with the interval within ±margin, `different` with all of it outside, else `undecided`.
    """

    teacher: float
    product: float
    difference: float
    margin: float
    low: float
    high: float
    p_below: float
    p_above: float
    p: float
    p_more: float
    p_less: float
    spread: float
    worlds: int
    trainings: int
    verdict: Verdict

    def as_dict(self) -> dict[str, Any]:
        """For a file."""
        return asdict(self)


def equivalence(product: Array, teacher: Array, share: float, alpha: float = ALPHA) -> Equivalence:
    """Two one-sided tests of a paired difference.

    Args:
        product: a figure by training seed and world seed, float64 (trainings, worlds); nan where it is missing.
        teacher: the same figure by world seed, float64 (worlds,).
        share: the margin, as a share of the teacher's mean; ≥ 0.
        alpha: chance of each test to be wrong.

    Raises:
        ValueError: the shapes don't fit, or the share is negative.

    >>> found = equivalence(np.array([[10.1, 9.9, 10.0, 10.2, 9.8]]), np.full(5, 10.0), share=0.05)
    >>> found.verdict, round(found.low, 3), round(found.high, 3), round(found.p, 4)
    ('equivalent', -0.151, 0.151, 0.0011)
    """
    from scipy import stats

    if product.ndim != 2 or teacher.shape != product.shape[1:]:
        raise ValueError(f"product must be (trainings, worlds) and teacher (worlds,), got {product.shape} and "
                         f"{teacher.shape}")  # fmt: skip
    if share < 0:
        raise ValueError(f"share must be >= 0, got {share}")
    there = np.isfinite(product).all(axis=0) & np.isfinite(teacher)
    gap = product[:, there] - teacher[there]
    trainings, worlds = gap.shape
    mean = float(teacher[there].mean()) if worlds else np.nan
    difference = float(gap.mean()) if worlds else np.nan
    margin = share * abs(mean)
    error, freedom = _error(gap)

    def above(bound: float) -> float:
        """P value of the test that the difference is larger than a bound."""
        if not np.isfinite(error):
            return float("nan")
        if error == 0:
            return 0.0 if difference > bound or (difference == bound == 0.0) else 1.0
        return float(stats.t.sf((difference - bound) / error, freedom))

    def below(bound: float) -> float:
        if not np.isfinite(error):
            return float("nan")
        if error == 0:
            return 0.0 if difference < bound or (difference == bound == 0.0) else 1.0
        return float(stats.t.cdf((difference - bound) / error, freedom))

    reach = float(stats.t.ppf(1 - alpha, freedom)) * error if error else error
    p_below, p_above = above(-margin), below(margin)
    is_outside = difference - reach > margin or difference + reach < -margin
    is_within = max(p_below, p_above) < alpha  # nan is neither
    return Equivalence(
        teacher=mean,
        product=mean + difference,
        difference=difference,
        margin=margin,
        low=difference - reach,
        high=difference + reach,
        p_below=p_below,
        p_above=p_above,
        p=max(p_below, p_above),
        p_more=above(0.0) if difference else 1.0,
        p_less=below(0.0) if difference else 1.0,
        spread=float(gap.mean(axis=1).std(ddof=1)) if trainings > 1 and worlds else 0.0,
        worlds=worlds,
        trainings=trainings,
        verdict="equivalent" if is_within else "different" if is_outside else "undecided",
    )


def _error(gap: Array) -> tuple[float, float]:
    """Standard error of the mean of differences (trainings, worlds), and its degrees of freedom; nan of one world."""
    trainings, worlds = gap.shape
    if worlds < 2:
        return float("nan"), float("nan")
    by_world, by_training = gap.mean(axis=0), gap.mean(axis=1)
    ms_worlds = trainings * by_world.var(ddof=1)
    if trainings == 1:
        return float(np.sqrt(ms_worlds / worlds)), worlds - 1.0
    ms_trainings = worlds * by_training.var(ddof=1)
    rest = gap - by_world - by_training[:, None] + gap.mean()
    free = (trainings - 1) * (worlds - 1)
    ms_rest = float((rest**2).sum() / free)
    if ms_trainings <= ms_rest:
        return float(np.sqrt(ms_worlds / (trainings * worlds))), worlds - 1.0
    total = ms_worlds + ms_trainings - ms_rest
    freedom = total**2 / (ms_worlds**2 / (worlds - 1) + ms_trainings**2 / (trainings - 1) + ms_rest**2 / free)
    return float(np.sqrt(total / (trainings * worlds))), float(freedom)
