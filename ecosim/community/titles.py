"""Titles: made from templates, and turned into vectors of signs that feeds and viewers can compare.

An `Embedder` gives each text a row of integers (held in any dtype, so that dot products are exact). `word_vectors` is
ours: hashed words, the same bits on every machine. A model's embedder has the same shape and comes from outside
(`side.make_side`), because a side does not import models. Whatever its dimensions and scale, `Compass` turns its rows
into few signs: the side of fixed random planes that a text lies on. Texts of like direction agree in more signs.

Source of the signs: Charikar (2002), Similarity estimation techniques from rounding algorithms.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import cast

import numpy as np

from ecosim.fields import Array

Embedder = Callable[[Sequence[str]], Array]
"""Texts to integers, (texts, dimensions); a text's row depends on the text alone."""

_WORD_DIMS = 64
_LETTER_DIMS, _LETTERS = 256, 3
_OPENINGS = (
    "Why", "How I learned", "The truth about", "Inside", "My first year of", "Five minutes of",
    "Nobody tells you about", "A beginner's guide to", "What changed in", "The quiet joy of", "Rethinking", "Live:",
)  # fmt: skip
_ENDINGS = (
    "that works", "for busy people", "step by step", "from scratch", "with a twist", "explained", "on a budget",
    "the honest way", "in one week", "without the hype", "before and after", "as the pros do it",
)  # fmt: skip
NUM_OPENINGS, NUM_ENDINGS = len(_OPENINGS), len(_ENDINGS)
NUM_TITLES = NUM_OPENINGS * NUM_ENDINGS
"""How many titles the templates give a topic."""


def template_titles(topics: Array, pick: Array) -> Array:
    """Titles by rule, a text column.

    Args:
        topics: what each post is about, a text column.
        pick: which of the topic's titles, 0 … NUM_TITLES − 1.

    >>> template_titles(np.array(["running"], dtype=object), np.array([5]))
    array(['Why running explained'], dtype=object)
    """
    opening, ending = np.divmod(pick, len(_ENDINGS))
    starts, ends = np.array(_OPENINGS, dtype=object)[opening], np.array(_ENDINGS, dtype=object)[ending]
    return cast(Array, starts + " " + topics + " " + ends)


def template_parts(titles: Sequence[str]) -> tuple[Array, Array]:
    """Which opening and which ending each title has, numbers from 0, −1 for none of the templates'; int64 (titles,).

    >>> template_parts(["Why running explained", "Look at this"])
    (array([ 0, -1]), array([ 5, -1]))
    """
    parts = np.array([_parts(title) for title in titles], np.int64).reshape(len(titles), 2)
    return parts[:, 0], parts[:, 1]


def word_vectors(texts: Sequence[str]) -> Array:
    """The sum of the words' hashed signs, int64 (texts, 64); letters and digits count, case does not."""
    return np.array([_text_vector(text) for text in texts], dtype=np.int64).reshape(len(texts), _WORD_DIMS)


def letter_vectors(texts: Sequence[str]) -> Array:
    """The sum of the hashed signs of all three letters in a row, word ends included, int64 (texts, 256)."""
    return np.array([_letters_vector(text) for text in texts], dtype=np.int64).reshape(len(texts), _LETTER_DIMS)


class Compass:
    """Texts as signs, and how well titles fit topics.

    Args:
        embed: the embedder; None for no vectors at all.
        topics: for each topic, the text that stands for it.
        dims: signs a text.
    """

    def __init__(self, embed: Embedder | None, topics: Sequence[str], dims: int) -> None:
        self._embed = embed
        self.dims = 0 if embed is None else dims
        self._topics = self.signs(topics)

    def signs(self, texts: Sequence[str]) -> Array:
        """−1, 0 or 1, int8 (texts, dims); 0 only where a text says nothing in a direction."""
        if self._embed is None:
            return np.zeros((len(texts), 0), np.int8)
        vectors = np.asarray(self._embed(texts), dtype=np.float64)
        return np.sign(vectors @ _planes(vectors.shape[1], self.dims)).astype(np.int8)

    def fit(self, signs: Array, topic: Array) -> Array:
        """How well titles fit their topics, −1 to 1, float64; 0 without vectors."""
        if self.dims == 0:
            return np.zeros(len(topic))
        agreement = (signs.astype(np.int64) * self._topics[topic]).sum(axis=1)
        return cast(Array, agreement / self.dims)


@lru_cache(maxsize=65536)
def _parts(title: str) -> tuple[int, int]:
    starts = [i for i, opening in enumerate(_OPENINGS) if title.startswith(f"{opening} ")]
    ends = [i for i, ending in enumerate(_ENDINGS) if title.endswith(f" {ending}")]
    return starts[0] if starts else -1, ends[0] if ends else -1


@lru_cache(maxsize=65536)
def _text_vector(text: str) -> Array:
    return cast(Array, sum((_signs(word, _WORD_DIMS) for word in _words(text)), np.zeros(_WORD_DIMS, np.int64)))


@lru_cache(maxsize=65536)
def _letters_vector(text: str) -> Array:
    padded = f" {' '.join(_words(text))} "
    grams = [padded[i : i + _LETTERS] for i in range(len(padded) - _LETTERS + 1)]
    return cast(Array, sum((_signs(gram, _LETTER_DIMS) for gram in grams), np.zeros(_LETTER_DIMS, np.int64)))


def _words(text: str) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in text.lower()).split()


@lru_cache(maxsize=65536)
def _signs(word: str, dims: int) -> Array:
    digest = hashlib.blake2b(word.encode(), digest_size=dims // 8).digest()
    return np.unpackbits(np.frombuffer(digest, np.uint8)).astype(np.int64) * 2 - 1


@lru_cache(maxsize=8)
def _planes(num_dims: int, num_planes: int) -> Array:
    """Fixed random directions of ±1, float64 (dims, planes): whole numbers, so that products with them are exact."""
    size = num_dims * num_planes
    bits = hashlib.shake_128(b"ecosim titles").digest(-(-size // 8))
    signs = np.unpackbits(np.frombuffer(bits, np.uint8))[:size].astype(np.float64) * 2 - 1
    return signs.reshape(num_dims, num_planes)
