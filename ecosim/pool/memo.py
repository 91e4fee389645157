"""Answers to questions that were asked before, word for word; the least recently used go first.

A key is the digest of all that a row has read, of its adapter, and of what it is asked (`Segment.key`); what it finds
are the very bits that the model gave then, nominal cost included. So a hit changes no answer and no bill, only the work
done; it is counted apart, since a hit is not an inference. Written lines are not kept: each draws with its own numbers.
"""

from __future__ import annotations

from collections import OrderedDict

from ecosim.pool.talk import Scores


class Memo:
    """Scores by key.

    Args:
        limit: most entries kept, about half a kilobyte each; 0 keeps none.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._kept: OrderedDict[bytes, Scores] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: bytes) -> Scores | None:
        """What was found for the same question, or None."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def put(self, key: bytes, scores: Scores) -> None:
        """Keep what the model gave."""
        if self.limit:
            self._kept[key] = scores
            if len(self._kept) > self.limit:
                self._kept.popitem(last=False)
