"""Sharing out whole places in proportion to weights, one after another."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction


def dhondt(weights: Sequence[int], num_seats: int) -> list[int]:
    """Seats by highest averages: the next goes where weight ÷ (seats + 1) is highest; of equals to the earlier.

    It is also where creators end up who choose among niches of these audiences, each audience shared equally by those
    who serve it: nobody gains by moving when weight ÷ seats is nowhere below another niche's weight ÷ (seats + 1). The
    numbers are the only such ones where no two of these averages are equal.

    Source: D'Hondt (1882), Système pratique et raisonné de représentation proportionnelle; Rosenthal (1973), A class
    of games possessing pure-strategy Nash equilibria (moving one after another to where most is gained ends there).

    >>> dhondt([50, 30, 15, 5], 10)
    [6, 3, 1, 0]
    """
    seats = [0] * len(weights)
    for _ in range(num_seats):
        averages = [Fraction(weight, seat + 1) for weight, seat in zip(weights, seats, strict=True)]
        seats[averages.index(max(averages))] += 1
    return seats
