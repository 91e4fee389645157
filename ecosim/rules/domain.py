"""What two parties may agree on, and what each outcome is worth to each: issues, options, weighted sums.

An outcome is one option of every issue; outcomes are numbered like the digits of a number, the last issue fastest. A
party's utility is additive: the sum over issues of weight × value of the option (Keeney and Raiffa). Utilities are
whole millionths, like money and goods in this program, so that sums, comparisons and rankings are exact in any order.

Which outcomes are efficient or fair is in `rules.frontier`, how parties come to one in `rules.alternate`.

Source: Keeney, Raiffa (1976), Decisions with multiple objectives (additive utilities); Raiffa (1982), The art and
science of negotiation (several issues at one table).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import cast

import numpy as np

from ecosim.exact import MILLION
from ecosim.fields import Array

_TOP = 2 * MILLION - 1
"""Above any utility: a million, and a few by rounding."""
_BLOCK = 500
"""Talks sorted at once, so that what is sorted stays in a core's second-level cache."""


@dataclass(frozen=True)
class Domain:
    """The issues of a table, each with the options that it has, in order."""

    issues: tuple[str, ...]
    options: tuple[tuple[str, ...], ...]

    @property
    def num_issues(self) -> int:
        """How many things are to be agreed."""
        return len(self.issues)

    @property
    def num_outcomes(self) -> int:
        """How many agreements there could be."""
        return prod(len(options) for options in self.options)

    @cached_property
    def choices(self) -> Array:
        """The option of each issue in each outcome, int16 (outcomes, issues)."""
        sizes = [len(options) for options in self.options]
        return np.stack(np.unravel_index(np.arange(self.num_outcomes), sizes), axis=1).astype(np.int16)

    @cached_property
    def strides(self) -> Array:
        """By how much an outcome's number grows with each issue's option, int64 (issues,)."""
        sizes = [len(options) for options in self.options]
        return np.array([prod(sizes[i + 1 :]) for i in range(len(sizes))], np.int64)

    def outcome(self, choices: Sequence[Array]) -> Array:
        """The number of the outcome with these options, a column an issue; shape (rows,)."""
        number = choices[0] * self.strides[0]
        for column, stride in zip(choices[1:], self.strides[1:], strict=True):
            number = number + column * stride
        return cast(Array, number)

    def words(self, outcome: int) -> str:
        """An outcome as people say it.

        >>> Domain(("price", "week"), (("$4", "$5"), ("1", "2"))).words(2)
        '$5, 1'
        """
        return ", ".join(options[c] for options, c in zip(self.options, self.choices[outcome], strict=True))


def normalised(weights: Array) -> Array:
    """Weights that add up to 1 in each row, float64 (talks, issues); added up issue by issue, so the bits are fixed."""
    total = weights[:, 0].copy()
    for i in range(1, weights.shape[1]):
        total += weights[:, i]
    return cast(Array, weights / total[:, None])


def parts(weights: Array, values: Sequence[Array]) -> list[Array]:
    """What each option of each issue adds to utility: rint(weight × value), int32 (talks, options) an issue.

    Args:
        weights: of the issues, float64 (talks, issues); each row adds up to 1.
        values: of each issue's options, 0 … 1, float64 (options,) an issue.
    """
    return [np.rint(weights[:, i, None] * (values[i] * MILLION)).astype(np.int32) for i in range(len(values))]


def utilities(added: Sequence[Array]) -> Array:
    """The utility of every outcome, millionths, int32 (talks, outcomes), from what each option adds."""
    total = added[-1]
    for part in reversed(added[:-1]):  # from the right, so that the largest sum runs over long rows
        total = (part[:, :, None] + total[:, None, :]).reshape(len(total), -1)
    return total


@dataclass(frozen=True, slots=True)
class Ranking:
    """All outcomes of each talk from best to worst for one party; of equals the one with the higher number first.

    Attributes:
        outcome: which one stands at each place, int16 or int32 (talks, outcomes).
        utility: what it is worth, millionths, int32 (talks, outcomes).
    """

    outcome: Array
    utility: Array


def ranking(utility: Array) -> Ranking:
    """Sort outcomes by utility: one sort of utility and number packed into one integer (32 bits where they fit)."""
    rows, num_outcomes = utility.shape
    kind = np.int16 if num_outcomes <= 1 << 15 else np.int32
    found = Ranking(np.empty((rows, num_outcomes), kind), np.empty((rows, num_outcomes), np.int32))
    for start in range(0, rows, _BLOCK):
        part = slice(start, start + _BLOCK)
        keys, bits = packed(_TOP - utility[part, ::-1])  # so that the best comes first, and of equals the last
        keys.sort(axis=1)
        found.outcome[part] = num_outcomes - 1 - (keys & ((1 << bits) - 1))
        found.utility[part] = _TOP - (keys >> bits)
    return found


def standing(ranking: Ranking) -> Array:
    """The place of each outcome in a ranking, 0 the best, of the ranking's kind (talks, outcomes)."""
    ranked = ranking.outcome
    rows, num_outcomes = ranked.shape
    places = np.empty_like(ranked)
    home = np.arange(0, min(rows, _BLOCK) * num_outcomes, num_outcomes)[:, None]
    place = np.tile(np.arange(num_outcomes, dtype=ranked.dtype), min(rows, _BLOCK))
    for start in range(0, rows, _BLOCK):
        part = ranked[start : start + _BLOCK]
        at = (part + home[: len(part)]).reshape(-1)
        places[start : start + _BLOCK].reshape(-1)[at] = place[: len(at)]
    return places


def packed(utility: Array) -> tuple[Array, int]:
    """Utility and outcome in one integer, which sorts by utility: (talks, outcomes), and the bits of the outcome."""
    num_outcomes = utility.shape[1]
    bits = max(1, (num_outcomes - 1).bit_length())
    fits = bits + (2 * MILLION).bit_length() < 32
    numbers = np.arange(num_outcomes, dtype=np.int32 if fits else np.int64)
    return (utility.astype(numbers.dtype) << bits) | numbers, bits
