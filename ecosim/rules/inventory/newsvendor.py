"""One order for one spell of uncertain demand.

Source: Snyder & Shen, Fundamentals of Supply Chain Theory, section 4.3.
"""

from __future__ import annotations

import math

import numpy as np

from ecosim import exact, seeds

_HIGHEST_MEAN = 700.0
"""Above this, e to the power −mean is 0 in floating point."""


def newsvendor(holding: float, shortage: float, mean: float, sd: float) -> tuple[float, float]:
    """The best stock for normal demand, and what it costs in the mean.

    Args:
        holding: of a unit left over, > 0.
        shortage: of a unit short, > 0, in the same money.
        mean, sd: of demand, in units; sd may be 0.

    Raises:
        ValueError: a cost that is not above 0, or a negative deviation.

    >>> stock, cost = newsvendor(0.18, 0.70, 50, 8)
    >>> round(stock, 3), round(cost, 4)
    (56.604, 1.9976)
    """
    _check(holding=holding, shortage=shortage)
    if sd < 0:
        raise ValueError(f"sd must be at least 0, got {sd}")
    z = float(seeds.normal_quantile(np.array(shortage / (shortage + holding))))
    density = float(exact.exp(np.array(-z * z / 2))) / math.sqrt(2 * math.pi)
    return mean + z * sd, (holding + shortage) * sd * density


def explicit_newsvendor(price: float, cost: float, salvage: float, mean: float, sd: float) -> tuple[float, float]:
    """The best order for normal demand where goods are bought, sold and salvaged, and the mean profit.

    Args:
        price: what a unit sells for, above `cost`.
        cost: what a unit costs, above `salvage`.
        salvage: what a unit left over brings.
        mean, sd: of demand, in units.

    Raises:
        ValueError: prices that do not stand in that order.

    >>> order, profit = explicit_newsvendor(1, 0.3, 0.12, 50, 8)
    >>> round(order, 3), round(profit, 4)
    (56.604, 33.0024)
    """
    if not price > cost > salvage:
        raise ValueError(f"needs price > cost > salvage, got {price}, {cost}, {salvage}")
    order, mismatch = newsvendor(cost - salvage, price - cost, mean, sd)
    return order, (price - cost) * mean - mismatch


def poisson_newsvendor(holding: float, shortage: float, mean: float) -> int:
    """The smallest stock that meets Poisson demand with a chance of at least shortage ÷ (shortage + holding).

    Raises:
        ValueError: a cost that is not above 0, or a mean that is negative or above 700.

    >>> poisson_newsvendor(1, 4, 6)
    8
    """
    _check(holding=holding, shortage=shortage)
    if not 0 <= mean <= _HIGHEST_MEAN:
        raise ValueError(f"mean must be within 0 … {_HIGHEST_MEAN:g}, got {mean}")
    chance = below = float(exact.exp(np.array(-mean)))
    units = 0
    while below < shortage / (shortage + holding) and chance > 0:
        units += 1
        chance *= mean / units
        below += chance
    return units


def _check(**costs: float) -> None:
    for name, cost in costs.items():
        if cost <= 0:
            raise ValueError(f"{name} must be > 0, got {cost}")
