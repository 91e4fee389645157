"""(s, S) policies for Poisson demand: exact costs, exact search.

A period: order (goods come at once), then demand, then costs on what is left. At s or below, order up to S.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecosim import exact
from ecosim.fields import Array

_TAIL = 1e-13
"""Chance of demand beyond what is counted."""
_FARTHEST = 100_000
"""Units beyond which no reorder point is looked for."""


@dataclass(frozen=True, slots=True)
class Reorder:
    """A reorder point and an order-up-to level, whole units, and their mean cost a period."""

    point: int
    level: int
    cost: float


def reorder_cost(
    point: int, level: int, mean: float, holding: float, shortage: float, order_cost: float, periods: int = 1
) -> float:
    """The mean cost a period of one (s, S) policy: renewal reward over the levels between two orders.

    Args:
        point, level: s < S, whole units.
        mean: of Poisson demand a period.
        holding, shortage, order_cost: of a unit left, a unit short, and an order.
        periods: that an order has to last, its own included.

    >>> round(reorder_cost(4, 10, 6, 1, 4, 5), 4)
    8.0341
    """
    chance = _poisson(mean)
    visits = _visits(chance, level - point)
    costs = _period_costs(np.arange(level, point, -1), _poisson(mean * periods), holding, shortage)
    return float((order_cost + (costs * visits).sum()) / visits.sum())


def best_reorder(mean: float, holding: float, shortage: float, order_cost: float, periods: int = 1) -> Reorder:
    """The best (s, S) policy; see `reorder_cost`.

    Raises:
        ValueError: a cost or mean that is not above 0 (the order's may be 0), or a mean above 500 in the periods.

    Source: Zheng & Federgruen (1991), Finding optimal (s, S) policies is about as simple as evaluating a single policy.

    >>> found = best_reorder(6, 1, 4, 5)
    >>> found.point, found.level, round(found.cost, 4)
    (4, 10, 8.0341)
    """
    if min(mean, holding, shortage) <= 0 or order_cost < 0 or mean * periods > 500:
        raise ValueError(
            "needs mean (at most 500), holding and shortage > 0 and order_cost >= 0, "
            f"got {mean}, {holding}, {shortage}, {order_cost}"
        )
    search = _Search(mean, holding, shortage, order_cost, periods)
    top = search.cheapest_level()
    point = top - 1
    while search.cost(point, top) > search.period(
        point
    ):  # s falls while one more period there is cheaper than the cycle
        point -= 1
    best, level = search.cost(point, top), top
    candidate = top + 1
    while search.period(candidate) <= best:
        if search.cost(point, candidate) < best:
            level = candidate
            while search.cost(point, level) <= search.period(point + 1):
                point += 1
            best = search.cost(point, level)
        candidate += 1
    return Reorder(point, level, best)


class _Search:
    """Costs of policies, with what they share computed once."""

    def __init__(self, mean: float, holding: float, shortage: float, order_cost: float, periods: int) -> None:
        self.chance, self.later, self.order_cost = _poisson(mean), _poisson(mean * periods), order_cost
        self.holding, self.shortage = holding, shortage
        self.known: dict[int, float] = {}
        self.visits = np.zeros(0)

    def period(self, level: int) -> float:
        """The mean cost of a period that starts at a level."""
        if level not in self.known:
            self.known[level] = float(_period_costs(np.array([level]), self.later, self.holding, self.shortage)[0])
        return self.known[level]

    def cost(self, point: int, level: int) -> float:
        """The mean cost of a policy; see `reorder_cost`."""
        if level - point > len(self.visits):
            self.visits = _visits(self.chance, 2 * (level - point))
        visits = self.visits[: level - point]
        costs = np.array([self.period(y) for y in range(level, point, -1)])
        return float((self.order_cost + (costs * visits).sum()) / visits.sum())

    def cheapest_level(self) -> int:
        """Where a period costs least."""
        level = 0
        while self.period(level + 1) < self.period(level) and level < _FARTHEST:
            level += 1
        return level


def _poisson(mean: float) -> Array:
    """Chances of 0, 1, … units, all but a tail of 1e-13."""
    chances = [float(exact.exp(np.array(-mean)))]
    while len(chances) < mean or chances[-1] > _TAIL:
        chances.append(chances[-1] * mean / len(chances))
    return np.array(chances)


def _visits(chance: Array, num: int) -> Array:
    """Periods that a cycle spends 0, 1, … units below the level that it began at, shape (num,)."""
    visits = np.zeros(num)
    visits[0] = 1 / (1 - chance[0])
    for j in range(1, num):
        reach = min(j, len(chance) - 1)
        visits[j] = (chance[1 : reach + 1] * visits[j - 1 :: -1][:reach]).sum() / (1 - chance[0])
    return visits


def _period_costs(levels: Array, chance: Array, holding: float, shortage: float) -> Array:
    """Mean cost of a period that starts at each level."""
    left = levels[:, None] - np.arange(len(chance))
    return (np.where(left > 0, holding * left, -shortage * left) * chance).sum(axis=1)
