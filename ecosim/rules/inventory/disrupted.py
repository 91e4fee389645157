"""Stock against a supplier that fails and recovers by chance."""

from __future__ import annotations


def newsvendor_with_disruptions(
    demand: float, holding: float, shortage: float, fail: float, recover: float
) -> tuple[float, float]:
    """The best base stock for constant demand where the supplier is out at times, and its mean cost a period.

    Args:
        demand: units a period.
        holding, shortage: cost of a unit left over, and of a unit short, at the end of a period, > 0.
        fail: chance that a supplier which works is out in the next period, > 0.
        recover: chance that one which is out works in the next period, > 0.

    Raises:
        ValueError: a cost or chance that is impossible.

    Source: Snyder & Shen, Fundamentals of Supply Chain Theory, section 9.2.2 (no costs of ordering; in the steady state
    the supplier has been out for n periods with chance fail·recover/(fail + recover)·(1 − recover)^(n − 1)).

    >>> stock, cost = newsvendor_with_disruptions(2000, 0.25, 3, 0.04, 0.25)
    >>> stock, round(cost, 2)
    (8000, 2737.07)
    """
    if not (0 < fail <= 1 and 0 < recover <= 1):
        raise ValueError(f"chances must be within 0 … 1 and above 0, got {fail} and {recover}")
    if holding <= 0 or shortage <= 0:
        raise ValueError(f"holding and shortage must be > 0, got {holding} and {shortage}")
    wanted = shortage / (shortage + holding)
    out = fail / (fail + recover)
    periods, below = 0, 1 - out
    while below < wanted:
        periods += 1
        below = 1 - out * (1 - recover) ** periods
    stock = (periods + 1) * demand
    cost = (1 - out) * _cost(stock - demand, holding, shortage)
    chance, n = out * recover, 1
    while chance > 1e-18:
        cost += chance * _cost(stock - (n + 1) * demand, holding, shortage)
        chance *= 1 - recover
        n += 1
    return stock, cost


def _cost(left: float, holding: float, shortage: float) -> float:
    return holding * left if left > 0 else -shortage * left
