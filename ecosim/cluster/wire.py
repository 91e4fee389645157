"""Jobs and answers as two things that travel well: a few bytes of skeleton, and one buffer with all columns.

Integers are sent in the narrowest type that holds them (a week needs one byte, an amount in millionths four), a column
of one repeated value as that value; what comes out has the dtype and the bits of what went in. A Ray call with little
data travels inside its message; a large buffer goes through the object store, and columns that were not narrowed are
views of it (read only, as all that a pure mind is given might be).
"""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np

from ecosim.fields import Array

Wire = tuple[bytes, Array]
"""Skeleton and buffer."""

_ALIGN = 64
_NARROW = (np.int8, np.int16, np.int32)


def pack(thing: object) -> Wire:
    """Any of our data classes, with numeric columns taken out into one buffer."""
    stream, columns = io.BytesIO(), _Columns()
    pickler = pickle.Pickler(stream, protocol=5)
    pickler.persistent_id = columns.add  # type: ignore[method-assign]
    pickler.dump(thing)
    return stream.getvalue(), columns.buffer()


def unpack(wire: Wire) -> Any:
    """What was packed."""
    skeleton, buffer = wire
    unpickler = pickle.Unpickler(io.BytesIO(skeleton))
    unpickler.persistent_load = lambda tag: _column(tag, buffer)  # type: ignore[method-assign]
    return unpickler.load()


class _Columns:
    """Columns on their way into a buffer."""

    def __init__(self) -> None:
        self._pieces: list[tuple[int, Array]] = []
        self._end = 0

    def add(self, thing: object) -> tuple[Any, ...] | None:
        """The tag that stands for a numeric column in the skeleton; None leaves a thing to the pickle."""
        if not isinstance(thing, np.ndarray) or thing.dtype.kind not in "biuf" or not thing.size:
            return None
        dtype, shape, column = thing.dtype.str, thing.shape, thing
        if thing.dtype.kind in "iu":
            low, high = thing.min(), thing.max()
            if low == high:
                return (dtype, shape, int(low))
            column = _narrowed(thing, int(low), int(high))
        start = -(-self._end // _ALIGN) * _ALIGN
        self._end = start + column.nbytes
        self._pieces.append((start, column))
        return (dtype, shape, column.dtype.str, start)

    def buffer(self) -> Array:
        """All columns behind one another."""
        whole = np.zeros(self._end, np.uint8)
        for start, column in self._pieces:
            whole[start : start + column.nbytes].view(column.dtype)[:] = column.reshape(-1)
        return whole


def _narrowed(column: Array, low: int, high: int) -> Array:
    for kind in _NARROW:
        limits = np.iinfo(kind)
        if np.dtype(kind).itemsize < column.dtype.itemsize and limits.min <= low and high <= limits.max:
            return column.astype(kind)
    return column


def _column(tag: tuple[Any, ...], buffer: Array) -> Array:
    if len(tag) == 3:
        dtype, shape, value = tag
        return np.full(shape, value, np.dtype(dtype))
    dtype, shape, narrow, start = tag
    kind = np.dtype(narrow)
    count = int(np.prod(shape))
    column = buffer[start : start + count * kind.itemsize].view(kind).reshape(shape)
    return column if narrow == dtype else column.astype(dtype)
