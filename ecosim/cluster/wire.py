"""Jobs and answers as one thing that travels well: a few bytes of skeleton, and behind it all columns in one buffer.

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

Wire = bytes | Array
"""Length of the skeleton (8 bytes), skeleton, and buffer at the next multiple of 64; plain bytes if that is little,
because Ray sends bytes as they are and pickles everything else, else uint8 (bytes,)."""

IN_MESSAGE_BYTES = 90_000
"""Ray puts arguments of up to 100 kB into the message itself."""

_ALIGN = 64
_NARROW = [np.dtype(kind) for kind in ("i1", "i2", "i4", "i8")]
_HIGH = np.array([np.iinfo(kind).max for kind in _NARROW])

Tag = tuple[str, tuple[int, ...], str, int]
"""How a column lies in the buffer: its dtype and shape, the dtype there, and where it starts (or its only value)."""
_CONSTANT = ""


def pack(thing: object) -> Wire:
    """Any of our data classes, with numeric columns taken out into one buffer."""
    stream = io.BytesIO()
    pickler = _Pickler(stream, protocol=5)
    pickler.dump(thing)
    tags, pieces, size = _laid_out(pickler.columns)
    skeleton = pickle.dumps((stream.getvalue(), tags), protocol=5)
    first = _aligned(8 + len(skeleton))
    whole = np.zeros(first + size, np.uint8)
    whole[: 8 + len(skeleton)] = np.frombuffer(len(skeleton).to_bytes(8, "little") + skeleton, np.uint8)
    for start, column in pieces:
        whole[first + start : first + start + column.nbytes].view(column.dtype)[:] = column.reshape(-1)
    return whole.tobytes() if whole.nbytes <= IN_MESSAGE_BYTES else whole


def unpack(wire: Wire) -> Any:
    """What was packed."""
    whole = np.frombuffer(wire, np.uint8) if isinstance(wire, bytes) else wire
    end = 8 + int.from_bytes(whole[:8].tobytes(), "little")
    stream, tags = pickle.loads(whole[8:end].data)
    buffer = whole[_aligned(end) :]
    return pickle.loads(stream, buffers=[_column(tag, buffer) for tag in tags])


class _Pickler(pickle.Pickler):
    """Leaves numeric columns out and keeps them in the order met."""

    def __init__(self, stream: io.BytesIO, protocol: int) -> None:
        self.columns: list[Array] = []
        self._place: pickle.PickleBuffer | None = None
        super().__init__(stream, protocol=protocol, buffer_callback=self._keep)

    def reducer_override(self, thing: Any) -> Any:
        """Numeric columns go out of band; everything else is pickled as usual."""
        if isinstance(thing, np.ndarray) and thing.dtype.kind in "biuf" and thing.size:
            self.columns.append(thing)
            self._place = pickle.PickleBuffer(bytearray())
            return _same, (self._place,)
        return NotImplemented

    def _keep(self, buffer: pickle.PickleBuffer) -> bool:
        """Out of band is only what stands in the place of a column; which one is known by its turn."""
        return buffer is not self._place


def _same(column: Array) -> Array:
    return column


def _aligned(end: int) -> int:
    return -(-end // _ALIGN) * _ALIGN


def _laid_out(columns: list[Array]) -> tuple[list[Tag], list[tuple[int, Array]], int]:
    """How all columns lie in one buffer, what is to be put where, and the size of it."""
    narrow = _narrowed(columns)
    tags: list[Tag] = []
    pieces: list[tuple[int, Array]] = []
    end = 0
    for column, small in zip(columns, narrow, strict=True):
        dtype = column.dtype.str
        if isinstance(small, int):
            tags.append((dtype, column.shape, _CONSTANT, small))
            continue
        start = _aligned(end)
        end = start + small.nbytes
        tags.append((dtype, column.shape, small.dtype.str, start))
        pieces.append((start, small))
    return tags, pieces, end


def _narrowed(columns: list[Array]) -> list[Array | int]:
    """Each column in its narrowest type, or its only value; columns of one length are looked at together."""
    found: list[Array | int] = list(columns)
    alike: dict[int, list[int]] = {}
    for i, column in enumerate(columns):
        if column.dtype == np.int64 and column.nbytes > _ALIGN:  # a few bytes are not worth a look
            alike.setdefault(column.size, []).append(i)
    for members in alike.values():
        stack = np.stack([columns[i].reshape(-1) for i in members])
        low, high = stack.min(axis=1), stack.max(axis=1)
        kinds = np.searchsorted(_HIGH, np.maximum(high, -1 - low)).tolist()
        for row, i in enumerate(members):
            found[i] = int(low[row]) if low[row] == high[row] else stack[row].astype(_NARROW[kinds[row]])
    return found


def _column(tag: Tag, buffer: Array) -> Array:
    dtype, shape, narrow, start = tag
    if narrow == _CONSTANT:
        return np.full(shape, start, np.dtype(dtype))
    kind = np.dtype(narrow)
    size = kind.itemsize * int(np.prod(shape))
    column = buffer[start : start + size].view(kind).reshape(shape)
    return column if narrow == dtype else column.astype(dtype)
