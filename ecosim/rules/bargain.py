"""How two parties come to a price: aspirations that fall with time, and what they ask for on the way.

Time-dependent tactics of Faratin, Sierra and Jennings (1998), Negotiation decision functions for autonomous agents: a
negotiator starts at its best outcome and gives way to its limit as its deadline comes near, late (Boulware, exponent
above 1), evenly (linear, 1) or early (Conceder, below 1).
"""

from __future__ import annotations

from functools import cache
from typing import cast

import numpy as np

from ecosim import exact
from ecosim.fields import Array

BOULWARE, LINEAR, CONCEDER = 4.0, 1.0, 0.25
TACTICS = np.array([BOULWARE, LINEAR, CONCEDER])


def aspiration(time: Array, exponent: Array | float) -> Array:
    """The share of the whole gain that a negotiator asks for at a time in 0 … 1: 1 − time ** exponent.

    Exact for the linear tactic, so that a reader can follow it by hand.

    >>> aspiration(np.array([0.5]), BOULWARE)
    array([0.9375])
    """
    return 1.0 - np.where(exponent == LINEAR, time, exact.power(time, exponent))


def elapsed(round_: Array, rounds: Array) -> Array:
    """Time in 0 … 1 at a round of so many, counted from 1: the deadline itself is never reached while talking."""
    return round_ / (rounds + 1.0)


def demanded(tactic: Array | int, round_: Array, last: Array) -> Array:
    """The share of its whole gain that a negotiator asks for in a round; nothing in its last one: that is its limit.

    Looked up, as rounds are few and rows are many.

    Args:
        tactic: index into TACTICS.
        round_, last: this round and its own last one, from 1, int64 (rows,).

    >>> demanded(1, np.array([1, 2, 4]), np.array([4, 4, 4]))
    array([0.75, 0.5 , 0.  ])
    """
    spans = int(last.max(initial=0)) + 1
    return cast(Array, _demands(spans)[(tactic * spans + round_) * spans + last])


@cache
def _demands(spans: int) -> Array:
    """What every tactic asks for at every round of every span, at (tactic × spans + round) × spans + span."""
    now, last = np.divmod(np.arange(spans * spans), spans)
    time = elapsed(np.minimum(now, last), np.maximum(last, 1) - 1)
    return np.concatenate([aspiration(time, one) for one in TACTICS.tolist()])


def buyer_price(low: Array, limit: Array, share: Array) -> Array:
    """The highest price at which a buyer still gains that share of limit − low; integers, rounded down."""
    return limit - np.ceil((limit - low) * share).astype(np.int64)


def seller_price(limit: Array, high: Array, share: Array) -> Array:
    """The lowest price at which a seller still gains that share of high − limit; integers, rounded up."""
    return limit + np.ceil((high - limit) * share).astype(np.int64)


def rubinstein_share(first: float, second: float) -> float:
    """What the first mover gets of one pie under alternating offers without end, with discount factors of both.

    Source: Rubinstein (1982), Perfect equilibrium in a bargaining model.

    >>> round(rubinstein_share(0.9, 0.9), 4)
    0.5263
    """
    return (1.0 - second) / (1.0 - first * second)
