"""Which rows go together, and in what order; never what they answer.

Rows under way at the same time have prefixes of one length, and few different ones. A batch holds rows of one layout
(slots of keys so far, width of what is read next, what it is read for). Rows of one adapter that are many enough fill
batches of their own, the others share; rows that are to read and to be asked the very same are twins, read once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import chain, islice
from typing import TypeVar

from ecosim.pool.row import Row

Twins = list[Row]

ALONE = 8
"""Rows of one adapter from which on they don't share a batch with other adapters."""

_CROWD = 16  # different prefixes under way together; fewer than `Prefixes` keeps

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


def crowds(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Rows that are under way together."""
    for same_length in groups(rows, lambda row: len(row.prefix)).values():
        sources = groups(same_length, lambda row: (row.lora, row.prefix)).values()
        for some in chunks(sources, _CROWD):
            yield list(chain.from_iterable(some))


def batches(rows: Iterable[Row], limit: Callable[[int], int], has_twins: bool) -> Iterator[list[Twins]]:
    """Batches of rows.

    Args:
        limit: most rows in a batch of that width, twins counted once.
        has_twins: whether equal rows are read once.
    """
    for (_, width, _), members in groups(rows, lambda row: (row.num_keys, row.next.width, row.kind)).items():
        twins = groups(members, lambda row: row.next_key if has_twins else id(row)).values()
        for mixed in _mixed(twins):
            yield from chunks(mixed, limit(width))


def groups(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    """Items by key, both in order of first appearance."""
    found: dict[K, list[T]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return found


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Items in pieces of at most that size."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _mixed(rows: Iterable[Twins]) -> Iterator[list[Twins]]:
    """The rows of each adapter that has many, and those of all others; side by side where they share a prefix."""
    rest: list[Twins] = []
    for members in groups(rows, lambda twins: twins[0].lora).values():
        ordered = list(chain.from_iterable(groups(members, lambda twins: twins[0].prefix).values()))
        if len(ordered) >= ALONE:
            yield ordered
        else:
            rest += ordered
    if rest:
        yield rest
