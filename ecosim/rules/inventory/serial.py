"""A chain of stocks: echelon base-stock levels and their cost.

Uses the normal distribution of SciPy, whose last bits belong to one class of machine (T2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ecosim.fields import Array

STEPS_PER_SD = 100
"""Grid of levels: parts of a standard deviation of demand in a period."""
REACH_SD = 8.0
"""Deviations of demand that are counted to either side."""


@dataclass(frozen=True, slots=True)
class Echelon:
    """Echelon base-stock levels, stage 1 (next to the customer) first, and the mean cost a period."""

    levels: tuple[float, ...]
    cost: float


def echelon_base_stocks(
    lead_times: Sequence[int], holding: Sequence[float], shortage: float, mean: float, sd: float
) -> Echelon:
    """The best echelon base-stock levels of a serial system with normal demand and backlog.

    Args:
        lead_times: periods to each stage from the one before it in the flow of goods; stage 1, next to the customer,
            first. A lead time of L covers the demand of L periods.
        holding: local cost of holding a unit for a period, stage 1 first; falls upstream.
        shortage: of owing a customer a unit for a period.
        mean, sd: of demand a period; sd > 0.

    Returns:
        Levels, and the mean cost a period, goods on the way between stages included (at the rate of their sender).

    Raises:
        ValueError: lists of unequal length, lead times of 0 all along, or a holding cost that rises upstream.

    Source: Clark & Scarf (1960), Optimal policies for a multi-echelon inventory problem; in the form of Chen & Zheng
    (1994): Ĉ_j(x) = h_j·x + C̲_{j−1}(x), C_j(y) = E[Ĉ_j(y − D)], S_j = argmin C_j, C̲_j(x) = C_j(min(x, S_j)).

    >>> found = echelon_base_stocks([1, 1, 2], [7, 4, 2], 37.12, 5, 1)
    >>> [round(level, 1) for level in found.levels], round(found.cost, 1)
    ([6.5, 12.0, 22.7], 47.7)
    """
    if len(lead_times) != len(holding) or not lead_times:
        raise ValueError(f"needs a lead time and a holding cost a stage, got {len(lead_times)} and {len(holding)}")
    local = [*holding, 0.0]
    steps = [here - above for here, above in pairwise(local)]
    if min(steps) < 0 or min(lead_times) < 0 or sum(lead_times) == 0 or sd <= 0 or shortage <= 0:
        raise ValueError("needs holding costs that fall upstream, lead times >= 0 (not all 0), sd and shortage > 0")
    grid = _grid(sum(lead_times), mean, sd)
    # what is below the grid costs as its ends do, line by line, so the first stage's cost goes on as a straight line
    below = (shortage + holding[0]) * np.maximum(-grid, 0)
    levels = []
    cost = np.zeros_like(grid)
    for lead, step in zip(lead_times, steps, strict=True):
        cost = _expected(grid, step * grid + below, lead, mean, sd)
        best = int(cost.argmin())
        levels.append(float(grid[best]))
        below = cost[np.minimum(np.arange(len(grid)), best)]
    return Echelon(tuple(levels), float(cost.min()))


def local_levels(levels: Sequence[float]) -> list[float]:
    """Installation base-stock levels from echelon ones, stage 1 first.

    >>> [round(level, 2) for level in local_levels([6.49, 12.02, 22.71])]
    [6.49, 5.53, 10.69]
    """
    least = [min(levels[j:]) for j in range(len(levels))]
    return [here - before for here, before in zip(least, [0.0, *least], strict=False)]


def _grid(periods: int, mean: float, sd: float) -> Array:
    """Levels from far below 0 to above anything worth having."""
    step = sd / STEPS_PER_SD
    spread = REACH_SD * sd * math.sqrt(periods)
    lowest, highest = -(periods * mean + 2 * spread), periods * mean + 2 * spread
    return step * np.arange(math.floor(lowest / step), math.ceil(highest / step) + 1)


def _expected(grid: Array, cost: Array, periods: int, mean: float, sd: float) -> Array:
    """E[cost(y − demand of so many periods)] at every level y of the grid."""
    if periods == 0:
        return cost
    step, centre, spread = grid[1] - grid[0], periods * mean, sd * math.sqrt(periods)
    first = math.floor((centre - REACH_SD * spread) / step)
    units = np.arange(first, math.ceil((centre + REACH_SD * spread) / step) + 1)
    edges = (np.append(units, units[-1] + 1) - 0.5) * step
    from scipy.special import ndtr  # a third of a second to import

    chance = np.diff(ndtr((edges - centre) / spread))
    chance /= chance.sum()
    slope = cost[1] - cost[0]  # left of the grid the cost is a straight line
    need = int(units[-1])
    left = cost[0] + slope * np.arange(-need, 0)
    wide = np.concatenate([left, cost, cost[-1] + (cost[-1] - cost[-2]) * np.arange(1, max(0, -first) + 1)])
    # wide[need + k − u] is cost(grid[k] − u·step)
    full = np.convolve(wide, chance)
    return full[need - first : need - first + len(grid)]
