"""What an opponent will offer: a regression of its visible offers on the family of time-dependent tactics.

The model is offer(n) = first + (limit − first) · (n ÷ N)^e, in round n, of an opponent with an unseen limit, deadline N and
exponent e (4, 2, 1, ½ or ¼: from Boulware to Conceder). For each pair (e, N) it is a straight line in (n ÷ N)^e, and its two
numbers come from least squares over the last three offers; the pair with the smallest error holds. Of pairs that fit
equally well (evenly spaced offers say nothing of N) the shortest deadline holds, which expects least. What the opponent
will then offer in each coming round is known, and with it the best that can be waited for: the offer of largest gain,
discounted, before the own deadline.

Floats of one row alone, by + − × ÷ and `exact.power`, so the answers have the same bits everywhere.

Source: Hou (2004), Predicting agents' tactics in automated negotiation.
"""

from __future__ import annotations

import numpy as np

from ecosim import exact
from ecosim.fields import Array

EXPONENTS = (4.0, 2.0, 1.0, 0.5, 0.25)
HORIZON = 8
"""Rounds ahead in which an opponent's deadline is looked for, and offers are foreseen."""
TIE = 1e-9
"""Errors that differ by less, relative to the offers, are equal."""


def fit(offers: Array, round_: Array) -> tuple[Array, Array, Array, Array]:
    """Limit, deadline, exponent and slope of the opponent behind three offers in a row.

    Args:
        offers: the opponent's last three, the oldest first, shape (rows, 3).
        round_: in which round the last of them was made, from 3, int64 (rows,).

    Returns:
        The limit (EUR/1e6, float), the deadline (rounds, float), the exponent, and what the offer changes by from the
        first to the limit; float64 (rows,) each.

    >>> limit, deadline, exponent, _ = fit(120 - np.array([[2, 3, 4]]) ** 4 / 6**4 * 50, np.array([4]))
    >>> int(limit[0].round()), int(deadline[0]), float(exponent[0])
    (70, 6, 4.0)
    """
    y = offers.astype(np.float64)
    rounds = np.stack([round_ - 2, round_ - 1, round_], axis=1).astype(np.float64)
    error = np.full(len(y), np.inf)
    found = [np.zeros(len(y)) for _ in range(4)]
    scale = y[:, 2] * y[:, 2] * TIE * TIE
    for exponent in EXPONENTS:
        powers = exact.power(rounds, exponent)
        for ahead in range(HORIZON + 1):
            deadline = rounds[:, 2] + ahead
            x = powers / exact.power(deadline, exponent)[:, None]
            slope, first, off = _line_through(x, y)
            better = off + scale < error
            for column, new in zip(found, (first + slope, deadline, np.full(len(y), exponent), slope), strict=True):
                column[better] = new[better]
            error = np.where(better, off, error)
    return found[0], found[1], found[2], found[3]


def forecast(offers: Array, round_: Array, rounds_left: Array, limit: Array, discount: Array, is_buyer: bool) -> Array:
    """The price worth waiting for: of the opponent's coming offers the one of largest gain, int64 EUR/1e6.

    Args:
        offers: the opponent's last three, the oldest first, shape (rows, 3).
        round_: this round, from 1.
        rounds_left: until the own deadline.
        limit: the own limit, EUR/1e6.
        discount: what a gain is worth a round later.
        is_buyer: whether the one who waits buys.
    """
    last = round_ if not is_buyer else round_ - 1  # the buyer moves first: it has seen offers up to the round before
    end, deadline, exponent, slope = fit(offers, last)
    first = end - slope
    chosen = offers[:, 2].astype(np.float64)  # what stands now can be had at once
    best = limit - chosen if is_buyer else chosen - limit
    worth = np.ones(len(limit))
    for ahead in range(1, HORIZON + 1):
        worth = worth * discount
        time = np.minimum((last + ahead) / deadline, 1.0)
        offer = first + slope * exact.power(time, exponent)
        gain = (limit - offer if is_buyer else offer - limit) * worth
        better = (gain > best) & (ahead <= rounds_left) & (last + ahead <= deadline)
        best, chosen = np.where(better, gain, best), np.where(better, offer, chosen)
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
