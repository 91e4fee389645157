"""The texts of posts: which phrase, which opening, which spelling; a function of draws, the same bits everywhere.

Some creators spell in a way of their own, an invented one: `coastal` changes common words and the ends of some others.
It says nothing about harm; what a classifier makes of it is what `false_positive_rate` by group measures.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from ecosim.community.moderation.phrases import KINDS, WORLD, Phrases
from ecosim.fields import Array

_COASTAL = {
    "the": "tha", "you": "ye", "your": "yer", "and": "an", "of": "o", "for": "fer", "with": "wi", "my": "me",
    "people": "folk", "is": "be", "are": "be", "it": "'t", "what": "wha", "that": "tha'", "have": "hev", "over": "o'er",
}  # fmt: skip
_WORD = re.compile(r"[A-Za-z']+")
_DISGUISE = {"o": "0", "e": "3", "i": "1", "a": "4"}
_DISGUISED_LETTERS = re.compile(r"(?<=[b-df-hj-np-tv-z])[oeia](?=[b-df-hj-np-tv-z])")
"""A vowel between consonants: what spammers replace by digits."""


def coastal(text: str) -> str:
    """A text in the invented spelling.

    >>> coastal("Tell me what you think of running with the others.")
    'Tell me wha ye think o runnin wi tha others.'
    """
    return _WORD.sub(lambda match: _coastal_word(match.group()), text)


def disguised(text: str) -> str:
    """A text with some letters replaced by digits, as by those who know that they are looked for.

    >>> disguised("Send me money")
    'Send me m0n3y'
    """
    return _DISGUISED_LETTERS.sub(lambda match: _DISGUISE[match.group()], text)


def compose(
    kind: Array, is_severe: Array, is_hard: Array, is_coastal: Array, topics: Array, lots: Array, stock: Phrases = WORLD
) -> Array:
    """The text of each post, a text column.

    Args:
        kind: an index into KINDS.
        is_severe: whether harm is severe; of no meaning for harmless posts.
        is_hard: a harmless post sounds harmful, a harmful one hides behind digits.
        is_coastal: whether it is spelt that way.
        topics: what each post is about, a text column.
        lots: draws from (0, 1) for opening, phrase and ending, (posts, 3).
        stock: the phrases.
    """
    texts = np.empty(len(kind), dtype=object)
    rows = zip(*(column.tolist() for column in (kind, is_severe, is_hard, is_coastal, topics, lots)), strict=True)
    texts[:] = [_text(stock, *row) for row in rows]
    return texts


def _text(stock: Phrases, kind: int, severe: bool, hard: bool, spelt: bool, topic: str, lots: list[float]) -> str:
    phrases: tuple[str, ...]
    if kind == 0:
        phrases = stock.hard if hard else stock.plain
    else:
        harmful: Mapping[str, tuple[str, ...]] = stock.severe if severe else stock.mild
        phrases = harmful[KINDS[kind]]
    opening, phrase, ending = map(_pick, (stock.openings, phrases, stock.endings), lots)
    phrase = disguised(phrase) if hard and kind else phrase
    return _finished(f"{opening} {phrase} {ending}", topic, spelt)


def _pick(phrases: tuple[str, ...], lot: float) -> str:
    return phrases[min(int(lot * len(phrases)), len(phrases) - 1)]


@lru_cache(maxsize=65536)
def _finished(text: str, topic: str, is_coastal: bool) -> str:
    whole = text.replace("{topic}", topic)
    return coastal(whole) if is_coastal else whole


def _coastal_word(word: str) -> str:
    other = _COASTAL.get(word.lower())
    if other is not None:
        return other[0].upper() + other[1:] if word[0].isupper() else other
    return word[:-1] if word.endswith("ing") and len(word) > 4 else word
