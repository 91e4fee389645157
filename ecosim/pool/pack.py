"""From rows to tensors: a segment (text, then option trie) each, right padded to one width, with its tree mask.

The rule that keeps a row's bits the same in any batch: everything a row meets (its width, the slots of its keys, its
positions) is a function of the row alone; a batch only holds rows that agree on the widths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np

from ecosim.fields import Array
from ecosim.pool.trie import Trie, build

ROUND_UP = 8
"""Widths are rounded up to a multiple of this, in tokens: smaller pads less, larger fills batches better."""

_DIGEST_BYTES = 32  # no two questions of a lifetime meet in 256 bits

NO_OPTIONS = build([])
NO_LABELS: Array = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Segment:
    """What one row is to read next: the ids of a text, and the options or the label tokens that may follow it."""

    ids: Array
    trie: Trie
    labels: Array = field(default_factory=NO_LABELS.copy)

    @property
    def num_tokens(self) -> int:
        """Tokens to be read."""
        return len(self.ids) + self.trie.num_nodes

    @property
    def width(self) -> int:
        """The row's own width: its tokens, rounded up."""
        return -(-self.num_tokens // ROUND_UP) * ROUND_UP

    def key(self, before: bytes) -> bytes:
        """A digest of this segment behind what was read before: equal where a row reads, sees and is asked the same."""
        digest = blake2b(before, digest_size=_DIGEST_BYTES)
        for part in (self.ids, self.trie.steps, self.labels):
            digest.update(len(part).to_bytes(8, "little") + part.tobytes())
        return digest.digest()


@dataclass(frozen=True, slots=True)
class Packed:
    """A batch of segments as arrays, and where to read the answers.

    Attributes:
        segments: row for row.
        last: slot of each text's last token, int64 (rows,).
        ids, positions: int64 (rows, width).
        sees: which keys each token looks at, bool (rows, width, past + width).
        row, slot: of the head positions, int64 (positions,).
        step_place, step_token, step_option, step_row: one a token of an option: index into the head positions, the
            token, the option, the row.
    """

    segments: Sequence[Segment]
    last: Array
    ids: Array
    positions: Array
    sees: Array
    row: Array
    slot: Array
    step_place: Array
    step_token: Array
    step_option: Array
    step_row: Array


def pack(segments: Sequence[Segment], starts: Array, past: Array) -> Packed:
    """Segments of one width behind what their rows have read.

    Args:
        starts: position of each segment's first token, int64 (rows,).
        past: which of the earlier keys a row may look at, bool (rows, keys).
    """
    rows, width = len(segments), segments[0].width
    keys = past.shape[1]
    ids = np.zeros((rows, width), np.int64)
    positions = np.zeros((rows, width), np.int64)
    sees = np.zeros((rows, width, keys + width), bool)
    places: list[Array] = []
    steps: list[Array] = []
    num_places = 0
    for i, segment in enumerate(segments):
        n, t = len(segment.ids), segment.trie.num_nodes
        ids[i, :n], ids[i, n : n + t] = segment.ids, segment.trie.tokens
        positions[i, :n] = starts[i] + np.arange(n)
        positions[i, n : n + t] = starts[i] + n - 1 + segment.trie.depths
        sees[i, : n + t, :keys] = past[i]
        sees[i, :n, keys : keys + n] = _LOWER[:n, :n] if n <= len(_LOWER) else np.tri(n, dtype=bool)
        sees[i, n : n + t, keys : keys + n] = True
        sees[i, n : n + t, keys + n : keys + n + t] = segment.trie.sees
        places.append(np.stack([np.full(t + 1, i), np.arange(n - 1, n + t)], axis=1))
        option, node, token = segment.trie.steps.T
        steps.append(np.stack([num_places + 1 + node, token, option, np.full(len(token), i)], axis=1))
        num_places += t + 1
    place, step = np.concatenate(places), np.concatenate(steps)
    last = np.array([len(segment.ids) - 1 for segment in segments])
    return Packed(segments, last, ids, positions, sees, *place.T, *step.T)


_LOWER = np.tri(512, dtype=bool)
