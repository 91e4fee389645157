"""Sharing what is scarce: first come, first served within groups, for all groups at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ecosim.exact import MILLION
from ecosim.fields import Array


def in_turn(group: Sequence[Array], turn: Sequence[Array], amount: Array) -> tuple[Array, Array]:
    """The rows sorted by group, then by turn, and what those before each row in its group take together.

    Args:
        group: columns that together name the group of a row.
        turn: columns that order the rows of a group, the first most important.
        amount: what each row takes, int64 (rows,).

    Returns:
        The order (row numbers), and in that order the sum of `amount` of earlier rows in the same group.
    """
    order = np.lexsort((*reversed(turn), *reversed(group)))
    taken = amount[order]
    before = np.cumsum(taken) - taken
    starts = np.zeros(len(order), bool)
    starts[:1] = True
    for column in group:
        sorted_ = column[order]
        starts[1:] |= sorted_[1:] != sorted_[:-1]
    first = np.maximum.accumulate(np.where(starts, np.arange(len(order)), 0))
    return order, before - before[first]


_PRODUCT_FITS = 2**31
"""Two numbers up to this have a product that int64 holds."""
NEVER = -(2**40)
"""Below every key, so that the last row ends a group."""


def share_out(group: Sequence[Array], turn: Sequence[Array], wanted: Array, available: Array) -> Array:
    """How much each row gets when `available` (the same for all rows of a group) goes to rows in turn, int64 (rows,).

    >>> one = np.zeros(3, np.int64)
    >>> share_out([one], [np.array([2, 0, 1])], np.array([5, 4, 3]), np.array([9, 9, 9]))
    array([2, 4, 3])
    """
    order, before = in_turn(group, turn, wanted)
    given = np.empty_like(wanted)
    given[order] = np.clip(available[order] - before, 0, wanted[order])
    return given


def split(total: int, weights: Sequence[int]) -> list[int]:
    """A whole number shared out in proportion to weights, exactly; what rounding leaves goes to the largest remainders.

    Without any weight the shares are as equal as can be. Among equal remainders the earlier one comes first.

    Source: Hamilton's method of apportionment; Balinski, Young (1982), Fair representation.

    >>> split(10, [1, 1, 1]), split(7, [0, 0])
    ([4, 3, 3], [4, 3])
    """
    if not weights:
        return []
    parts = list(weights) if any(weights) else [1] * len(weights)
    whole = sum(parts)
    shares = [total * part // whole for part in parts]
    by_remainder = sorted(range(len(parts)), key=lambda i: (-(total * parts[i] % whole), i))
    for i in by_remainder[: total - sum(shares)]:
        shares[i] += 1
    return shares


def split_by_group(group: Array, total: Array, weight: Array) -> Array:
    """`split` for many totals at once, int64 (rows,): each group's rows share its total in proportion to their weights.

    Every total is given away to the last millionth, but for groups without any weight: their rows get nothing.

    Args:
        group: of each row, an index into `total`, int64 (rows,).
        total: what each group shares out, int64 ≥ 0 (groups,).
        weight: of each row, int64 ≥ 0 (rows,).

    >>> split_by_group(np.array([0, 0, 0, 1]), np.array([10, 7]), np.array([1, 1, 1, 5]))
    array([4, 3, 3, 7])
    """
    num = len(total)
    whole = np.zeros(num, np.int64)
    np.add.at(whole, group, weight)
    parts, rest = np.divmod(total, np.maximum(whole, 1))
    product, whole_of = rest[group], np.maximum(whole, 1)[group]
    if whole.max(initial=0) > _PRODUCT_FITS:  # beyond int64: in Python's integers
        product, whole_of = product.astype(object), whole_of.astype(object)
    product = product * weight
    given = parts[group] * weight + (product // whole_of).astype(np.int64)
    remainder = (product % whole_of).astype(np.int64)
    left = np.where(whole > 0, total, 0)
    np.subtract.at(left, group, given)
    order = np.lexsort((np.arange(len(group)), -remainder, group))
    place = np.arange(len(group)) - np.searchsorted(group[order], group[order])
    given[order] += place < left[group[order]]
    return given


def in_proportion(group: Sequence[Array], turn: Sequence[Array], wanted: Array, available: Array) -> Array:
    """How much each row gets when a group's rows share `available` in proportion to what they want, int64 (rows,).

    In whole units, of which there must be as many; those that rounding leaves go to rows in turn, one each.

    >>> one = np.zeros(3, np.int64)
    >>> wanted = np.array([6, 3, 3]) * MILLION
    >>> in_proportion([one], [np.arange(3)], wanted, np.full(3, 7 * MILLION)) // MILLION
    array([4, 2, 1])
    """
    order, before = in_turn(group, turn, wanted)
    last = np.zeros(len(order), bool)
    for column in group:
        last |= np.diff(column[order], append=NEVER) != 0
    ends = np.flatnonzero(last)
    total = np.empty_like(wanted)
    total[order] = np.repeat((before + wanted[order])[ends], np.diff(ends, prepend=-1))
    share = np.minimum(available / np.maximum(total, 1), 1.0)  # divisions and products have the same bits everywhere
    fair = np.minimum((wanted * share).astype(np.int64), wanted) // MILLION * MILLION
    given = share_out(group, turn, fair, available)
    _, taken = in_turn(group, turn, given)
    spent = np.empty_like(wanted)
    spent[order] = np.repeat((taken + given[order])[ends], np.diff(ends, prepend=-1))
    return given + share_out(group, turn, np.minimum(wanted - given, MILLION), available - spent)


def all_or_nothing(group: Sequence[Array], turn: Sequence[Array], wanted: Array, available: Array) -> Array:
    """Which rows get all they want, bool (rows,): in turn, up to the first of the group that no longer fits.

    >>> one = np.zeros(3, np.int64)
    >>> all_or_nothing([one], [np.array([2, 0, 1])], np.array([1, 4, 9]), np.array([9, 9, 9]))
    array([False,  True, False])
    """
    order, before = in_turn(group, turn, wanted)
    fits = np.empty(len(wanted), bool)
    fits[order] = before + wanted[order] <= available[order]
    return fits
