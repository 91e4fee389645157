"""Candidates for titles: what the untrained model writes when it is given a topic and the first words.

Left alone the untrained model mostly repeats the topic's name. Given an opening it goes on in many ways, most of them
bad and a few good; audiences choose among them (`writing.audiences`). Every draw is keyed, so the same seed
gives the same candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.community.posts import TITLE_TOKENS
from ecosim.fields import Array
from ecosim.pool.talk import Line, Script, Talk, Write
from ecosim.training.writing.audiences import words_of

if TYPE_CHECKING:
    from ecosim.pool.engine import Engine

PREFIX = "You write titles for short videos. Reply with one title that makes people want to watch.\n"
OPENINGS = (
    "Why", "Why {topic}", "How", "How to", "How {topic}", "What", "What {topic}", "When", "Can You",
    "The", "The Truth About", "The Best", "Inside", "From", "{Topic}:", "{Topic} for", "{Topic} in",
    "Five", "Seven", "Ten Minutes of", "One", "30 Days of", "My", "My First", "I", "We", "Our", "A Love Story:",
    "Before", "Never", "Stop", "Beyond", "Old {topic},", "Better {topic}",
)  # fmt: skip
"""How a candidate begins; `{topic}` and `{Topic}` stand for the topic's name."""
_JOINED = (",", ":", ";", "?", "!", "'", "’")
"""What follows a word without a space."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A title for a topic.

    Attributes:
        is_ended: whether the model ended the line, before it was cut off.
    """

    topic: str
    title: str
    is_ended: bool


def candidates(engine: Engine, topics: Sequence[str], *, draws: int, temperature: float, seed: int) -> list[Candidate]:
    """What the engine's model writes about some topics, `draws` lines for each of the OPENINGS; no title twice a topic.

    Args:
        temperature: of the draws.
    """
    asked = [(topic, _opened(opening, topic)) for topic in topics for opening in OPENINGS for _ in range(draws)]
    begun = [start for _, start in asked]
    uniforms = np.concatenate([_uniforms(topic, len(begun) // len(topics), seed) for topic in topics])
    found: dict[int, Line] = {}
    num_left = [TITLE_TOKENS - len(ids) for ids in engine.ids([f" {start}" for start in begun])]

    def script(i: int) -> Script:
        line = yield Write(f"Title: {begun[i]}", num_left[i], temperature, uniforms[i])
        assert isinstance(line, Line)
        found[i] = line

    engine.run([Talk(PREFIX, f"A video about {topic}.\n", script(i)) for i, (topic, _) in enumerate(asked)])
    titles = [_joined(start, found[i].text) for i, start in enumerate(begun)]
    lengths = [len(ids) for ids in engine.ids([f" {title}" for title in titles])]
    made = [
        Candidate(topic, title, n < TITLE_TOKENS) for (topic, _), title, n in zip(asked, titles, lengths, strict=True)
    ]
    return list({(one.topic, one.title): one for one in made}.values())


def _opened(opening: str, topic: str) -> str:
    return opening.replace("{topic}", topic).replace("{Topic}", topic[:1].upper() + topic[1:])


def _joined(start: str, rest: str) -> str:
    """The first words and what follows; a line is given without the space before it."""
    space = "" if rest[:1] in _JOINED else " "
    return f"{start}{space}{rest}".strip().rstrip(".:").strip()


def _uniforms(key: str, rows: int, seed: int) -> Array:
    """Draws from (0, 1), float64 (rows, TITLE_TOKENS)."""
    who, own = np.arange(rows), np.full(rows, seed, np.uint64)
    draws = [seeds.uniform(seeds.MIND, own, 0, f"candidates {key}", (who,), lane) for lane in range(TITLE_TOKENS)]
    return np.stack(draws, axis=1)


def words_used(title: str) -> list[tuple[str, str]]:
    """The pairs of words that stand side by side in a title, its beginning counted as one."""
    words = ["", *words_of(title)]
    return list(pairwise(words))
