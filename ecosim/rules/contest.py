"""Contests: who wins a prize for which effort, and which effort is best.

The contest success function of Tullock: with efforts x, one wins with the chance x^r ÷ Σ x^r, or gets that share of the
prize. Efforts are stated as parts of the prize, so that all here holds for a prize of any size.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from ecosim import exact
from ecosim.fields import Array

LEVELS = 1000
"""Efforts are chosen in thousandths of the prize: nobody gains by spending more than all of it."""
SCALE = 2**20
"""Weights are whole numbers, this many for the effort of a whole prize, so that sums are exact in any order."""


def weights(effort: Array, whole: Array | int, power: float) -> Array:
    """(effort ÷ whole)^power, int64 of the same shape in 2**−20; at least 1 for any effort, 0 for none.

    Args:
        effort: what each spends, ≥ 0.
        whole: what all efforts are stated as parts of, > 0, such as the prize; it does not change chances.
        power: r: how much more chance more effort gives; 1 for a lottery with a ticket a euro.

    Source: Tullock (1980), Efficient rent seeking.

    >>> weights(np.array([0, 1, 2, 4]), 4, 2.0) * 16 // SCALE
    array([ 0,  1,  4, 16])
    """
    found = np.rint(SCALE * exact.power(effort / whole, power)).astype(np.int64)
    return np.where(effort > 0, np.maximum(found, 1), 0)


def equilibrium(num: Array, power: float) -> Array:
    """The effort of each of n equals where none gains by another, thousandths of the prize, int64; 0 for one alone.

    power · (n − 1) ÷ n²; an equilibrium as long as power ≤ n ÷ (n − 1), for beyond it all would lose by taking part.

    Source: Tullock (1980); Konrad (2009), Strategy and dynamics in contests, section 2.3.

    >>> equilibrium(np.array([1, 2, 5]), 1.0)
    array([  0, 250, 160])
    """
    return cast(Array, np.rint(LEVELS * power * ((num - 1) / (num * num))).astype(np.int64))


def best_reply(rivals: Array, power: float, most: Array) -> Array:
    """The effort with the highest payoff, weight ÷ (weight + rivals) − effort, given what the rivals do; int64 (rows,).

    Where one revises after another, all arrive at the equilibrium for power 1.

    Args:
        rivals: sum of the weights of all others.
        power: as of the contest.
        most: the highest effort that each can pay for, thousandths of the prize.

    Source: Ewerhart (2017), The lottery contest is a best-response potential game (for power 1).

    >>> best_reply(weights(np.array([250, 40, 1000]), LEVELS, 1.0), 1.0, np.array([1000, 100, 1000]))
    array([250, 100,   0])
    """
    efforts = np.arange(LEVELS + 1)
    weight = weights(efforts, LEVELS, power)
    gain = weight / np.maximum(weight + rivals[:, None], 1) - efforts / LEVELS
    return cast(Array, np.where(efforts <= most[:, None], gain, -np.inf).argmax(axis=1))
