"""What a deal is worth to both sides, and which deals the bargaining theorists would have them strike.

A deal is a price p of a unit, a quantity q, a week of delivery and a penalty s (share of the value for each week
late). The buyer would pay up to B for a unit that comes when it wants it, the seller takes at least S; a week later
than wanted costs the buyer a share h of the price, and each side has its own view of how many weeks late the goods
will come (Lb and Ls, private). In euros:

    gain of the buyer  = (B − p · (1 + h · weeks after the one wanted − s · Lb)) · q
    gain of the seller = (p · (1 − s · Ls) − S) · q

No deal is worth 0 to both. A gain that comes in round r is worth δ^(r − 1) of it. Money and goods are int64 millionths,
shares and weeks of lateness too; products of ratios are floats of one row alone, so bits are the same everywhere.

With quantity, week and penalty given, the gains of all prices lie on a line: p · a is what a unit costs the buyer with
everything counted (`buyer_weight` a), p · b what it brings the seller (`seller_weight` b). More is better for both,
later than can be delivered is worse for the buyer and no better for the seller, and the larger a penalty is the better
if Lb > Ls, the worse if Lb < Ls; so the efficient deals are those of the largest quantity, the earliest week that the
seller can keep and that penalty, at any price between S ÷ b and B ÷ a. On that line, by definition,

* Nash's price gives the largest product of gains: the middle of S ÷ b and B ÷ a;
* Kalai's (1977, egalitarian) gives equal gains: (B + S) ÷ (a + b);
* Kalai and Smorodinsky's (1975) gives equal shares of the best that each could have while the other gains nothing.

Sources: Nash (1950), The bargaining problem; Kalai (1977), Proportional solutions to bargaining situations; Kalai and
Smorodinsky (1975), Other solutions to Nash's bargaining problem.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from ecosim.exact import MILLION, value
from ecosim.fields import Array

WAIT_COST_PERCENT = 1
"""What a buyer would pay less, in percent of the price, for each week that goods come later than it wants (h)."""


def cost_to_buyer(price: Array, weeks_late: Array, penalty: Array | int = 0, lateness: Array | int = 0) -> Array:
    """What a unit costs a buyer with waiting and the penalty counted, EUR/1e6.

    Args:
        price: of a unit, EUR/1e6.
        weeks_late: agreed weeks after the one wanted, ≥ 0.
        penalty: share of the value for each week late, millionths.
        lateness: weeks late that the buyer expects, millionths.

    >>> int(cost_to_buyer(np.array([10_000_000]), np.array([2]), 100_000, 500_000)[0])  # 10 + 0.2 − 0.5
    9700000
    """
    cost = price * (100 + WAIT_COST_PERCENT * weeks_late) // 100
    return cast(Array, cost if isinstance(penalty, int) and penalty == 0 else cost - repaid(price, penalty, lateness))


def return_to_seller(price: Array, penalty: Array | int = 0, lateness: Array | int = 0) -> Array:
    """What a unit brings a seller with the penalty that it expects to pay counted, EUR/1e6."""
    return price if isinstance(penalty, int) and penalty == 0 else price - repaid(price, penalty, lateness)


def repaid(price: Array, penalty: Array | int, lateness: Array | int) -> Array:
    """The penalty that is expected for a unit, EUR/1e6, rounded down."""
    return cast(Array, price * (np.asarray(penalty) * lateness // MILLION) // MILLION)


def buyer_gain(limit: Array, cost: Array, quantity: Array) -> Array:
    """What a buyer gains by a deal, EUR/1e6; `cost` as `cost_to_buyer` gives it."""
    return value(limit - cost, quantity)


def seller_gain(limit: Array, return_: Array, quantity: Array) -> Array:
    """What a seller gains by a deal, EUR/1e6; `return_` as `return_to_seller` gives it."""
    return value(return_ - limit, quantity)


def discounted(gain: Array, round_: Array, discount: float) -> Array:
    """What a gain of a round, counted from 1, is worth at the beginning; rounded to the nearest millionth.

    >>> discounted(np.array([1_000_000]), np.array([3]), 0.9)
    array([810000])
    """
    if discount == 1.0:
        return gain
    factors = np.cumprod(np.append(1.0, np.full(int(round_.max(initial=1)), discount)))  # products in one order
    return cast(Array, np.rint(gain * factors[np.maximum(round_, 1) - 1]).astype(np.int64))


@dataclass(frozen=True, slots=True)
class Line:
    """The efficient deals of some talks: gains a unit, EUR/1e6, on the line of prices; columns of floats.

    Attributes:
        buyer_limit, seller_limit: B and S.
        buyer_weight, seller_weight: a and b.
        low, high: the prices between which both gain, and that the grid of prices allows.
    """

    buyer_limit: Array
    seller_limit: Array
    buyer_weight: Array
    seller_weight: Array
    low: Array
    high: Array

    @property
    def has_zone(self) -> Array:
        """Where there is a price at which both gain, or lose nothing."""
        return cast(Array, self.low <= self.high)

    def gains(self, price: Array) -> tuple[Array, Array]:
        """What buyer and seller gain by a unit at a price."""
        return self.buyer_limit - price * self.buyer_weight, price * self.seller_weight - self.seller_limit

    def nash(self) -> Array:
        """The price of the largest product of gains."""
        middle = (self.buyer_limit / self.buyer_weight + self.seller_limit / self.seller_weight) / 2
        return self._inside(middle)

    def kalai(self) -> Array:
        """The price of equal gains."""
        return self._inside((self.buyer_limit + self.seller_limit) / (self.buyer_weight + self.seller_weight))

    def kalai_smorodinsky(self) -> Array:
        """The price at which both get the same share of their best."""
        best_buyer, _ = self.gains(self.low)
        _, best_seller = self.gains(self.high)
        above = self.buyer_limit * best_seller + self.seller_limit * best_buyer
        below = self.buyer_weight * best_seller + self.seller_weight * best_buyer
        return self._inside(np.where(below > 0, above / np.where(below > 0, below, 1.0), self.low))

    def best_sum(self) -> Array:
        """The largest sum of gains a unit: at one end of the line."""
        ends = [sum(self.gains(price)) for price in (self.low, self.high)]
        return np.maximum(ends[0], ends[1])

    def _inside(self, price: Array) -> Array:
        return np.minimum(np.maximum(price, self.low), self.high)


def line(
    buyer_limit: Array, seller_limit: Array, weeks_late: Array, penalty: Array, buyer_late: Array, seller_late: Array
) -> Line:
    """The line of prices for a given week and penalty.

    Args:
        buyer_limit, seller_limit: of the price of a unit, EUR/1e6; no price beyond them can be offered.
        weeks_late: weeks after the one that the buyer wants.
        penalty: share for each week late, millionths.
        buyer_late, seller_late: weeks late that each side expects, millionths.
    """
    share = penalty / MILLION
    buyer_weight = 1.0 + WAIT_COST_PERCENT * weeks_late / 100 - share * (buyer_late / MILLION)
    seller_weight = 1.0 - share * (seller_late / MILLION)
    low, high = seller_limit / seller_weight, np.minimum(buyer_limit / buyer_weight, buyer_limit)
    return Line(buyer_limit * 1.0, seller_limit * 1.0, buyer_weight, seller_weight, low, high)


def efficient_penalty(buyer_late: Array, seller_late: Array, weeks_late: Array, most: int) -> Array:
    """The penalty of all efficient deals: the largest where the buyer expects more lateness, else none.

    It is the one at which the buyer pays least for what the seller gets, a ÷ b; waiting costs a share of the price, so
    it weighs in too.
    """
    return np.where(100 * buyer_late > (100 + WAIT_COST_PERCENT * weeks_late) * seller_late, most, 0)
