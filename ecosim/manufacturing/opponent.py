"""What an opponent will offer: a regression of its visible offers on the family of time-dependent tactics.

The model is offer(n) = first + (limit − first) · (n ÷ N)^e, in round n, of an opponent with an unseen limit, deadline
N and exponent e (4, 2, 1, ½ or ¼: from Boulware to Conceder). For each e it is a straight line in n^e, and its two
numbers come from least squares over the last three offers; the e with the smallest error holds (of equal ones the
first). Offers alone cannot tell a near deadline from a near limit, as both only scale n^e, so the limit comes from
what everyone knows: the market price is half-way between what an item costs and what it is worth, hence the other's
limit is about twice the market price less one's own. The deadline is the round in which the foreseen offers reach it.
What can then be waited for is the offer of largest gain, discounted, until the own deadline or the opponent's,
whichever is first.

Floats of one row alone, by + − × ÷ and `exact.power`, so the answers have the same bits everywhere.

Source: Hou (2004), Predicting agents' tactics in automated negotiation (nonlinear regression on the family of tactics).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecosim import exact
from ecosim.fields import Array

EXPONENTS = (1.0, 4.0, 2.0, 0.5, 0.25)
HORIZON = 10
"""Rounds ahead in which offers are foreseen."""


@dataclass(frozen=True, slots=True)
class Opponent:
    """Offers as foreseen: first + pace · round^exponent; float64 (rows,) each, EUR/1e6."""

    first: Array
    pace: Array
    exponent: Array

    def offer(self, round_: Array) -> Array:
        """What it offers in a round."""
        return self.first + self.pace * exact.power(round_, self.exponent)


def fit(offers: Array, round_: Array) -> Opponent:
    """The opponent behind three offers in a row.

    Args:
        offers: its last three, the oldest first, shape (rows, 3).
        round_: in which round the last of them was made, from 3, int64 (rows,).

    >>> seen = fit(120 - 0.5 * np.array([[2, 3, 4]]) ** 2, np.array([4]))
    >>> float(seen.exponent[0]), float(seen.offer(np.array([6]))[0].round(6))
    (2.0, 102.0)
    """
    y = offers.astype(np.float64)
    rounds = np.stack([round_ - 2, round_ - 1, round_], axis=1).astype(np.float64)
    error = np.full(len(y), np.inf)
    first, pace, exponent = np.zeros(len(y)), np.zeros(len(y)), np.ones(len(y))
    for one in EXPONENTS:
        slope, start, off = _line_through(rounds if one == 1.0 else exact.power(rounds, one), y)
        better = off < error
        first, pace = np.where(better, start, first), np.where(better, slope, pace)
        exponent, error = np.where(better, one, exponent), np.where(better, off, error)
    return Opponent(first, pace, exponent)


def worth_waiting_for(
    seen: Opponent,
    standing: Array,
    round_: Array,
    rounds_left: Array,
    limits: tuple[Array, Array],
    discount: Array,
    is_buyer: bool,
) -> Array:
    """Of the standing offer and those to come the one of largest gain, int64 EUR/1e6.

    Args:
        seen: the opponent.
        standing: its standing offer.
        round_: in which round it was made.
        rounds_left: rounds until the own deadline.
        limits: the own, and what is taken for the opponent's, EUR/1e6.
        discount: what a gain is worth a round later.
        is_buyer: whether the one who waits buys.
    """
    sign = -1 if is_buyer else 1  # a gain is sign · (price − limit)
    own, end = limits
    chosen, best = standing * 1.0, sign * (standing - own) * 1.0
    worth, is_over = np.ones(len(own)), sign * (standing - end) >= 0
    for ahead in range(1, HORIZON + 1):
        worth = worth * discount
        offer = seen.offer(round_ + ahead)
        offer = np.minimum(offer, end) if sign > 0 else np.maximum(offer, end)
        gain = sign * (offer - own) * worth
        better = (gain > best) & (ahead <= rounds_left) & ~is_over
        best, chosen = np.where(better, gain, best), np.where(better, offer, chosen)
        is_over |= sign * (offer - end) >= 0  # its last offer: it has no more to give
    return np.rint(chosen).astype(np.int64)


def _line_through(x: Array, y: Array) -> tuple[Array, Array, Array]:
    """Least squares through three points of each row: slope, intercept, and the sum of squared errors."""
    mean_x = (x[:, 0] + x[:, 1] + x[:, 2]) / 3
    mean_y = (y[:, 0] + y[:, 1] + y[:, 2]) / 3
    dx, dy = x - mean_x[:, None], y - mean_y[:, None]
    slope = (dx[:, 0] * dy[:, 0] + dx[:, 1] * dy[:, 1] + dx[:, 2] * dy[:, 2]) / (
        dx[:, 0] * dx[:, 0] + dx[:, 1] * dx[:, 1] + dx[:, 2] * dx[:, 2]
    )
    off = dy - slope[:, None] * dx
    squares = off * off
    return slope, mean_y - slope * mean_x, squares[:, 0] + squares[:, 1] + squares[:, 2]
