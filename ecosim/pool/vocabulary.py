"""Texts as token ids, options as tries, labels as single tokens; what was spelt lately is kept."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_letters
from typing import Any

import numpy as np

from ecosim.errors import CatalogError
from ecosim.fields import Array
from ecosim.pool.trie import Trie, build

Ids = tuple[int, ...]

_MAX_WORDS = 50_000  # short texts whose ids are kept
_MAX_TRIES = 5_000


class Vocabulary:
    """A tokenizer with a memory.

    Attributes:
        labels: letters that are one token each, those with a leading space where the tokenizer has such; may be empty.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._words: dict[str, Ids] = {}
        self._tries: dict[tuple[str, ...], Trie] = {}
        spaced, bare = ([f"{space}{letter}" for letter in _LETTERS] for space in (" ", ""))
        self.labels = next((tuple(t) for t in (spaced, bare) if all(len(ids) == 1 for ids in self.ids(t))), ())

    def ids(self, texts: Sequence[str]) -> list[Ids]:
        """Token ids of texts; a control token spelt in a text is read as plain characters."""
        if not len(texts):
            return []
        read = self._tokenizer(list(texts), add_special_tokens=False, split_special_tokens=True).input_ids
        return [tuple(row) for row in read]

    def words(self, texts: Sequence[str]) -> list[Ids]:
        """As `ids`, for texts that will come again: asks, options, shared prefixes."""
        if len(self._words) > _MAX_WORDS:
            self._words.clear()
        new = [text for text in dict.fromkeys(texts) if text not in self._words]
        self._words.update(zip(new, self.ids(new), strict=True))
        return [self._words[text] for text in texts]

    def trie(self, options: tuple[str, ...]) -> Trie:
        """The trie of some options.

        Raises:
            ValueError: an option has no tokens.
        """
        if options not in self._tries:
            if len(self._tries) > _MAX_TRIES:
                self._tries.clear()
            self._tries[options] = build(self.words(options))
        return self._tries[options]

    def label_ids(self, labels: tuple[str, ...]) -> Array:
        """The tokens of labels, int64 (labels,).

        Raises:
            CatalogError: a label is not one token of this model.
        """
        ids = self.words(labels)
        long = next((label for label, found in zip(labels, ids, strict=True) if len(found) != 1), None)
        if long is not None:
            raise CatalogError(f"label {long!r} is {len(self.words([long])[0])} tokens of this model, expected one")
        return np.array([token for (token,) in ids], np.int64)


_LETTERS = sorted(ascii_letters)  # A … Z a … z
