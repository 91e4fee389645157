"""From what scripts ask to rows that know what to read: texts spelt, options built, adapters found."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ecosim.fields import Array
from ecosim.pool.frame import Frame
from ecosim.pool.lora import Lora
from ecosim.pool.pack import NO_LABELS, NO_OPTIONS, Segment
from ecosim.pool.row import Row
from ecosim.pool.talk import Ask, Asked, Pick, Talk
from ecosim.pool.trie import Trie
from ecosim.pool.vocabulary import Vocabulary


class Hearing:
    """Hears scripts.

    Args:
        vocabulary, frame: how a model spells, and how its prompts are framed.
        lora: the adapter of a name.
    """

    def __init__(self, vocabulary: Vocabulary, frame: Frame, lora: Callable[[str], Lora | None]) -> None:
        self._vocabulary = vocabulary
        self._frame = frame
        self._lora = lora

    def start(self, talks: Sequence[Talk]) -> list[Row]:
        """Talks under way: each with its first question, if it has one."""
        started = [(talk, asked) for talk in talks if (asked := next(talk.script, None)) is not None]
        prefixes = self._vocabulary.words([talk.prefix for talk, _ in started])
        texts = self._vocabulary.ids([talk.text for talk, _ in started])
        opening, turn, close = self._frame.open, self._frame.turn, self._frame.close
        rows = [
            Row(talk, asked, self._lora(talk.adapter), (*opening, *prefix, *turn), (*text, *close))
            for (talk, asked), prefix, text in zip(started, prefixes, texts, strict=True)
        ]
        self.spell(rows)
        return rows

    def spell(self, rows: Sequence[Row]) -> None:
        """Give each row a segment of what it asks now."""
        texts = self._vocabulary.words([row.asked.text for row in rows])
        for row, text in zip(rows, texts, strict=True):
            ids = text if row.segments else (*row.opening, *text)
            row.add(Segment(np.array(ids, np.int64), *self._options(row.asked)))

    def ids(self, text: str) -> tuple[int, ...]:
        """Token ids of a text."""
        return self._vocabulary.ids([text])[0]

    def _options(self, asked: Asked) -> tuple[Trie, Array]:
        if isinstance(asked, Ask):
            return self._vocabulary.trie(asked.options), NO_LABELS
        return NO_OPTIONS, self._vocabulary.label_ids(asked.labels) if isinstance(asked, Pick) else NO_LABELS
