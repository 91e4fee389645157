"""Who has what, a bit each: whom a million viewers follow among a thousand creators takes 125 MB, not 1 GB.

A table of bits is uint8, shape (rows, ⌈columns / 8⌉); column c is bit c modulo 8 of byte c ÷ 8. It is a set by nature:
what is put twice is there once.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from ecosim.fields import Array

_BIT = np.array([1 << bit for bit in range(8)], np.uint8)


def none_set(num_rows: int, num_columns: int) -> Array:
    """Bits that are all off."""
    return np.zeros((num_rows, -(-num_columns // 8)), np.uint8)


def has(bits: Array, row: Array, column: Array) -> Array:
    """Whether each bit is on, bool, of the shape that row and column have together.

    >>> bits = none_set(2, 10)
    >>> put(bits, np.array([1, 1]), np.array([9, 9]))
    >>> has(bits, np.array([0, 1]), np.array([9, 9]))
    array([False,  True])
    """
    return cast(Array, (bits[row, column >> 3] & _BIT[column & 7]) != 0)


def put(bits: Array, row: Array, column: Array) -> None:
    """Turn bits on; pairs may repeat."""
    np.bitwise_or.at(bits, (row, column >> 3), _BIT[column & 7])


def drop(bits: Array, row: Array, column: Array) -> None:
    """Turn bits off; pairs may repeat."""
    np.bitwise_and.at(bits, (row, column >> 3), ~_BIT[column & 7])


def unpacked(bits: Array, num_columns: int) -> Array:
    """The bits as booleans, shape (…, columns)."""
    return np.unpackbits(bits, axis=-1, count=num_columns, bitorder="little").view(bool)


def pairs(bits: Array) -> tuple[Array, Array]:
    """Row and column of every bit that is on, in order; the cost grows with the bytes and with the bits on.

    >>> bits = none_set(3, 10)
    >>> put(bits, np.array([2, 2, 0]), np.array([9, 1, 4]))
    >>> pairs(bits)
    (array([0, 2, 2]), array([4, 1, 9]))
    """
    flat = np.ascontiguousarray(bits).reshape(-1)
    byte = _nonzero_bytes(flat)
    which, bit = np.nonzero(np.unpackbits(flat[byte, None], axis=1, bitorder="little"))
    row, at = np.divmod(byte[which], bits.shape[1])
    return row, at * 8 + bit


def num_set(bits: Array) -> Array:
    """How many bits are on in each row, int64."""
    return cast(Array, np.bitwise_count(bits).sum(axis=-1, dtype=np.int64))


def _nonzero_bytes(flat: Array) -> Array:
    """Which bytes are not 0; most are, so eight are looked at at a time."""
    whole = len(flat) // 8 * 8
    eight = np.flatnonzero(flat[:whole].view(np.uint64))
    near = (eight[:, None] * 8 + np.arange(8)).reshape(-1)
    found = near[flat[near] != 0]
    return np.concatenate([found, whole + np.flatnonzero(flat[whole:])])
