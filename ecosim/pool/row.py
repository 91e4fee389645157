"""A talk under way: what it has read, what it is asked now, and where its keys and values are.

What a row reads is a list of segments, each with the digest of everything up to it. Its memory may lag behind: a row
whose questions were remembered has read nothing yet. When it then is asked something new, it reads its earlier segments
again one by one, options included, so that its keys lie in the slots in which they always lie, and its bits are those
that it would have had.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np

from ecosim.pool.batches import Kind
from ecosim.pool.lora import Lora
from ecosim.pool.pack import Segment
from ecosim.pool.past import Place
from ecosim.pool.talk import Ask, Asked, Pick, Talk

_KIND: dict[type[object], Kind] = {Ask: "score", Pick: "label"}


@dataclass(slots=True, eq=False)
class Row:
    """One row.

    Attributes:
        asked: what it waits for.
        lora, prefix: its adapter, and the ids of its shared prefix.
        opening: ids that stand before the text of its first ask.
        segments, keys: what it has read, the present question last, and the digests up to each.
        place, num_held: where its memory is, None before the prefix, and how many segments that holds.
    """

    talk: Talk
    asked: Asked
    lora: Lora | None
    prefix: tuple[int, ...]
    opening: tuple[int, ...]
    segments: list[Segment] = field(default_factory=list)
    keys: list[bytes] = field(default_factory=list)
    place: Place | None = None
    num_held: int = 0

    @property
    def next(self) -> Segment:
        """The first segment that its memory has not."""
        return self.segments[self.num_held]

    @property
    def next_key(self) -> bytes:
        """The digest of all up to `next`."""
        return self.keys[self.num_held]

    @property
    def kind(self) -> Kind:
        """What a forward over `next` is for."""
        return "reread" if self.num_held + 1 < len(self.segments) else _KIND.get(type(self.asked), "write")

    @property
    def num_keys(self) -> int:
        """Slots of its memory, or of the prefix that will be its memory."""
        return self.place[0].num_keys if self.place else len(self.prefix)

    def add(self, segment: Segment) -> None:
        """One more segment, and its digest."""
        self.keys.append(segment.key(self.keys[-1] if self.keys else self._start()))
        self.segments.append(segment)

    def _start(self) -> bytes:
        ids = np.array(self.prefix, np.int64).tobytes()
        return blake2b((self.lora.digest if self.lora else bytes(32)) + ids).digest()
