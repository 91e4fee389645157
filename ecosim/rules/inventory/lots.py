"""How much to order at a time where every order costs something: known demand, level or not."""

from __future__ import annotations

import math
from collections.abc import Sequence


def economic_order_quantity(order_cost: float, holding: float, demand: float) -> tuple[float, float]:
    """The best lot for demand that is level, and the cost of ordering and holding for the same span of time.

    Args:
        order_cost: of an order, ≥ 0.
        holding: of a unit for the span, > 0.
        demand: units in the span, ≥ 0.

    Raises:
        ValueError: a number out of its range.

    Source: Harris (1913), How many parts to make at once.

    >>> lot, cost = economic_order_quantity(8, 0.225, 1300)
    >>> round(lot, 2), round(cost, 3)
    (304.05, 68.411)
    """
    if holding <= 0 or order_cost < 0 or demand < 0:
        raise ValueError(f"needs holding > 0, order_cost and demand >= 0, got {holding}, {order_cost}, {demand}")
    return math.sqrt(2 * order_cost * demand / holding), math.sqrt(2 * order_cost * demand * holding)


def wagner_whitin(order_cost: float, holding: float, demand: Sequence[float]) -> tuple[list[float], float]:
    """The best orders for known demand that is not level, and their cost.

    Args:
        order_cost: of an order.
        holding: of a unit from a period to the next.
        demand: of each period, all to be met in time.

    Returns:
        What to order in each period, and the cost of ordering and holding.

    Source: Wagner & Whitin (1958), Dynamic version of the economic lot size model.

    >>> wagner_whitin(500, 2, [90, 120, 80, 70])
    ([210, 0.0, 150, 0.0], 1380.0)
    """
    num = len(demand)
    best, until = [0.0] * (num + 1), [num] * (num + 1)  # best[t]: cost of periods t … end
    for t in range(num - 1, -1, -1):
        carried, best[t] = 0.0, math.inf
        for last in range(t, num):
            carried += holding * (last - t) * demand[last]
            if order_cost + carried + best[last + 1] < best[t]:
                best[t], until[t] = order_cost + carried + best[last + 1], last + 1
    orders, t = [0.0] * num, 0
    while t < num:
        orders[t] = sum(demand[t : until[t]])
        t = until[t]
    return orders, float(best[0])
