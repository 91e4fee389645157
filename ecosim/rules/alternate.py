"""Whole negotiations by alternating offers between time-based agents, a batch of talks at once.

Both sides move once a round, the first side first. A mover accepts the other's standing offer if it is worth at least
the mover's own aspiration; else it offers the worst of its own outcomes that is. Aspirations fall with time from the
best outcome to the reservation value: reservation + (best − reservation) · (1 − t^e), t = round ÷ (rounds + 1).

Every agent sorts its outcomes once and then walks down that list with a pointer: a move touches only the talks whose
aspiration has fallen past the next outcome. Talks that are over are dropped.

Source: Faratin, Sierra, Jennings (1998), Negotiation decision functions for autonomous agents; Aydoğan, Festen,
Hindriks, Jonker (2017), Alternating offers protocols for multilateral negotiation (stacked; here two sides).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecosim import exact
from ecosim.fields import Array
from ecosim.rules.bargain import aspiration, elapsed
from ecosim.rules.domain import packed

NO_DEAL = -1


@dataclass(frozen=True, slots=True)
class Settled:
    """How each talk ended, a row a talk.

    Attributes:
        outcome: what was agreed; NO_DEAL if nothing was.
        round: in which the talk ended, from 1.
        by_second: whether the second mover accepted.
        first_worth, second_worth: utility of the agreement, discounted, or the reservation value; millionths, float64.
    """

    outcome: Array
    round: Array
    by_second: Array
    first_worth: Array
    second_worth: Array


def negotiate(
    first: Array,
    second: Array,
    exponents: tuple[float, float],
    rounds: int = 100,
    reservations: tuple[int, int] = (0, 0),
    discounts: tuple[float, float] = (1.0, 1.0),
) -> Settled:
    """Play talks to their end.

    Args:
        first, second: utility of every outcome to the side that moves first, and to the other, millionths, int32
            (talks, outcomes); distinct in every talk.
        exponents: of both sides' aspirations: `bargain.BOULWARE`, `LINEAR`, `CONCEDER` or any above 0.
        rounds: the last round in which there are moves.
        reservations: what each side gets without a deal, millionths.
        discounts: what an agreement's utility is multiplied by for each round after the first.
    """
    num_talks = len(first)
    sides = [_Side(utility, reservation) for utility, reservation in zip((first, second), reservations, strict=True)]
    levels = [_levels(exponent, rounds) for exponent in exponents]
    outcome, ended = np.full(num_talks, NO_DEAL), np.full(num_talks, rounds)
    by_second, talk = np.zeros(num_talks, bool), np.arange(num_talks)
    for move in range(2 * rounds):
        mover, other = sides[move % 2], sides[1 - move % 2]
        floor = mover.floor(levels[move % 2][move // 2])
        over = np.flatnonzero(mover.heard >= floor)
        if len(over):
            agreed = talk[over]
            outcome[agreed], ended[agreed] = other.said[over], move // 2 + 1
            by_second[agreed] = move % 2 == 1
            left = np.flatnonzero(mover.heard < floor)
            if len(left) == 0:
                break
            talk, floor = talk[left], floor[left]
            for side in sides:
                side.keep(left)
        rows, said = mover.walk(floor)
        other.hear(rows, said)
    worth = [
        _worth(utility, outcome, ended, reservation, discount)
        for utility, reservation, discount in zip((first, second), reservations, discounts, strict=True)
    ]
    return Settled(outcome, ended, by_second, worth[0], worth[1])


class _Side:
    """One side of all open talks: its sorted outcomes, and how far down it has come."""

    def __init__(self, utility: Array, reservation: int) -> None:
        self.utility = utility
        self.keys, self.bits = packed(utility)
        self.keys.sort(axis=1)
        num_talks, self.num_outcomes = utility.shape
        self.keys, self.utility = self.keys.reshape(-1), utility.reshape(-1)
        self.mask = (1 << self.bits) - 1
        self.home = np.arange(num_talks) * self.num_outcomes
        self.place = self.home + self.num_outcomes  # of its last offer among the keys; there is none yet
        self.next = self.keys[self.place - 1]
        self.said = np.full(num_talks, NO_DEAL)
        self.heard = np.full(num_talks, -1, np.int64)
        self.reservation = reservation
        self.span = (self.next >> self.bits).astype(np.int64) - reservation

    def floor(self, share: float) -> Array:
        """The aspiration in each talk, millionths, rounded up, shape (talks,)."""
        return self.reservation + np.ceil(self.span * share).astype(np.int64)

    def walk(self, floor: Array) -> tuple[Array, Array]:
        """Go down to the worst outcome at or above the aspiration; which talks have a new offer, and the outcomes."""
        key = floor.astype(self.next.dtype) << self.bits
        rows = moved = np.flatnonzero(self.next >= key)
        while len(rows):
            place = self.place[rows] - 1
            self.place[rows] = place
            bottom = place == self.home[rows]
            below = np.where(bottom, -1, self.keys[place - ~bottom])
            self.next[rows] = below
            rows = rows[below >= key[rows]]
        said = (self.keys[self.place[moved]] & self.mask).astype(np.int64)
        self.said[moved] = said
        return moved, said

    def hear(self, rows: Array, outcome: Array) -> None:
        """Take the other's new offers."""
        self.heard[rows] = self.utility[self.home[rows] + outcome]

    def keep(self, rows: Array) -> None:
        """Drop all other talks; the sorted lists stay where they are."""
        self.home, self.place, self.next = self.home[rows], self.place[rows], self.next[rows]
        self.said, self.heard, self.span = self.said[rows], self.heard[rows], self.span[rows]


def _levels(exponent: float, rounds: int) -> list[float]:
    """The share of the whole gain asked for in each round."""
    levels: list[float] = aspiration(elapsed(np.arange(1, rounds + 1), np.array(rounds)), exponent).tolist()
    return levels


def _worth(utility: Array, outcome: Array, ended: Array, reservation: int, discount: float) -> Array:
    agreed = outcome != NO_DEAL
    worth = utility[np.arange(len(outcome)), np.where(agreed, outcome, 0)].astype(np.float64)
    if discount != 1.0:
        worth *= exact.power(np.full(len(outcome), discount), ended - 1)
    return np.where(agreed, worth, float(reservation))
