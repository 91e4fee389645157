"""Simulated audiences of titles: what each title is like, what each viewer likes, and which of two titles they prefer.

Nobody was asked. What viewers reward here are assumptions, written down where they can be argued with: a title fits its
topic, says more than the topic's own words, is a whole and well-formed line of known words, differs from the other
titles of the day, has about the length they like, and in each niche a form that its viewers favour. Each viewer weighs
these in its own way, drawn from its audience's seed, and how well a title fits is measured by a `Reader`, so that those
who choose what a writer learns from and those who judge it can be other people who read with another encoder.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from ecosim import exact, seeds
from ecosim.catalog import Entry
from ecosim.fields import Array

TRAITS = ("fit", "more", "whole", "known", "novel", "asks", "counts", "tells", "contrasts")
"""What a title is like, each from 0 to 1: see `traits`."""

FORMS = ("asks", "counts", "tells", "contrasts")
"""The traits that only some niches' viewers care for."""

_SMALL = frozenset(
    """a an the and or but nor so of in on at to for from with by as into onto than that this these those is are was
    were be been am it its it's he she they we you i my your his her their our i'm he's she's they're who which whose
    if when while because about over under not no can will would could should may might must has have had do does did
    very more most every each any some all one""".split()  # noqa: SIM905  # a list of 80 literals is no easier to read
)
"""Words that say nothing of their own; a title that ends in most of them ends in mid-sentence."""
_MAY_END = frozenset(
    {"it", "you", "me", "us", "them", "this", "that", "all", "one", "more", "most", "i'm", "not", "no"}
)
_ECHO = re.compile(
    r"\b(title|topic|video|videos|effort|follower|followers|eur|euro|euros|views?|channel|niche|post)\b|\d+[.:]\d\d",
    re.I,
)
"""Words of the prompt, and sums of money or times: what a title has from its prompt, not from its topic."""
_BARE = re.compile(r"^[A-Z0-9].*[\w?!)]$")
"""Begins like a title and ends in a word, a question or a call."""
_STRANGE = re.compile(r"[^A-Za-z0-9 ,:;'’?!&()\-–—…]")
_ASKS = re.compile(r"^(why|how|what|when|where|who|which|can|does|do|is|are|should)\b|\?$", re.I)
_COUNTS = re.compile(
    r"\d|\b(two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|thirty|hundred|thousand|first|second|minutes?"
    r"|hours?|days?|weeks?|months?|years?|miles?)\b",
    re.I,
)
_TELLS = re.compile(r"\b(i|my|me|we|our|us|i'm|myself|story|night|heart|love|dream|learned)\b", re.I)
_CONTRASTS = re.compile(
    r"\b(without|instead|versus|vs|not|never|before|after|but|wrong|bad|better|worse|old|new|mistakes?|truth)\b", re.I
)
_NEAR = 0.6  # cosine from which on two titles say the same
_WORDS_APART = 4.0  # words off the length that a viewer likes which cost as much as one whole trait

Embed = Callable[[Sequence[str]], Array]
"""Texts to directions, float64 (texts, dims), each of length 1."""


@dataclass(frozen=True, slots=True)
class Reader:
    """How an audience reads.

    Attributes:
        name: of its encoder.
        embed: texts as directions; near directions mean near meanings.
        knows: whether it knows a word, given in lower case.
        far, near: cosines of a title with its topic that count as 0 and as 1: of strange pairs and of good ones.
    """

    name: str
    embed: Embed
    knows: Callable[[str], bool]
    far: float
    near: float


class Likes(Entry):
    """What the viewers of a niche like on average; weights are log-odds for a trait wholly there.

    Attributes:
        words: the length that they like.
        forms: weights of the traits in FORMS.
    """

    words: Annotated[float, Field(gt=0)] = 7.0
    forms: dict[str, float] = Field(default_factory=dict)


class Tastes(Entry):
    """How viewers' weights are drawn: lognormal around these, with a spread of their own.

    Attributes:
        fit, more, whole, known, novel, length: log-odds of watching for the trait wholly there.
        spread: standard deviation of the log of a weight between viewers.
        words_spread: of the length that they like, words.
    """

    fit: float = 2.0
    more: float = 1.5
    whole: float = 1.5
    known: float = 1.0
    novel: float = 1.0
    length: float = 1.0
    spread: float = 0.5
    words_spread: float = 1.5


@dataclass(frozen=True, slots=True)
class Audience:
    """Some viewers of one niche.

    Attributes:
        weights: of each trait, float64 (viewers, traits).
        length: weight of a title's length, float64 (viewers,).
        words: the length that each likes, float64 (viewers,).
    """

    weights: Array
    length: Array
    words: Array

    def worth(self, traits: Array, num_words: Array) -> Array:
        """What titles are worth to viewers, log-odds, float64 (titles, viewers)."""
        off = np.minimum(np.abs(num_words[:, None] - self.words) / _WORDS_APART, 2.0)
        return np.asarray(traits @ self.weights.T - off * self.length)

    def preferred(self, worth: Array, other: Array) -> Array:
        """The share of viewers who take the first of two titles, (pairs,); each is a logit between the two."""
        return np.asarray((1.0 / (1.0 + exact.exp(np.clip(other - worth, -60.0, 60.0)))).mean(axis=1))


def audience(likes: Likes, tastes: Tastes, viewers: int, seed: int, niche: int) -> Audience:
    """Viewers drawn from a seed.

    Args:
        niche: number of the niche; part of the key of every draw.
    """
    who = np.arange(viewers)
    own = np.full(viewers, seed, np.uint64)

    def draw(lane: int) -> Array:
        return seeds.normal(seeds.WORLD, own, 0, "writers", (who, np.full(viewers, niche)), lane=lane)

    means = {**{name: getattr(tastes, name) for name in TRAITS if name not in FORMS}, **likes.forms}
    weights = np.stack(
        [means.get(name, 0.0) * exact.exp(tastes.spread * draw(lane)) for lane, name in enumerate(TRAITS)], axis=1
    )
    length = tastes.length * exact.exp(tastes.spread * draw(len(TRAITS)))
    words = np.maximum(likes.words + tastes.words_spread * draw(len(TRAITS) + 1), 2.0)
    return Audience(weights, length, words)


def traits(titles: Sequence[str], topics: Sequence[str], niche: str, day: Sequence[int], reader: Reader) -> Array:
    """What titles are like, float64 (titles, TRAITS), each from 0 to 1.

    `fit`: how near the title is to its topic. `more`: words of its own, up to four. `whole`: a line that begins and
    ends like a title and says nothing that only the prompt says. `known`: the share of its words that the reader knows.
    `novel`: 1 where no other title of its day is near, 0 where one is the same. The forms: whether it asks, counts,
    tells of somebody, sets one thing against another.

    Args:
        topics: what each title is about.
        day: which titles are seen together, a number each.
    """
    where = reader.embed([f"{topic} ({niche.replace('_', ' ')})" for topic in topics])
    meant = reader.embed(titles)
    fit = np.clip(((where * meant).sum(axis=1) - reader.far) / (reader.near - reader.far), 0.0, 1.0)
    found = np.empty((len(titles), len(TRAITS)))
    for i, (title, topic) in enumerate(zip(titles, topics, strict=True)):
        found[i] = [0.0, _more(title, topic), _whole(title), _known(title, reader), 0.0, *_forms(title)]
    found[:, TRAITS.index("fit")] = fit
    found[:, TRAITS.index("novel")] = _novel(meant, np.asarray(day))
    return found


def words_of(title: str) -> list[str]:
    """Its words in lower case."""
    return re.findall(r"[a-z0-9]+(?:['’][a-z]+)?", title.lower())


def num_words(titles: Sequence[str]) -> Array:
    """Words a title, int64 (titles,)."""
    return np.array([len(words_of(title)) for title in titles], np.int64)


def distinct(titles: Sequence[str], n: int) -> float:
    """Distinct runs of n words over all runs of n words; titles that are too short count as one run of their own.

    Source: Li et al. (2016), A diversity-promoting objective function for neural conversation models.

    >>> distinct(["a b", "a c"], 1)
    0.75
    """
    runs = [run for title in titles for run in _runs(words_of(title), n)]
    return len(set(runs)) / max(len(runs), 1)


def distinct_among(titles: Sequence[str], n: int, count: int) -> float:
    """As `distinct`, among `count` of the runs drawn without replacement, on average: fair to longer titles.

    Distinct runs over all runs fall with the length of a text, whoever writes it; this compares equal lengths.
    Source: Hurlbert (1971), The nonconcept of species diversity (rarefaction).

    >>> distinct_among(["a b", "a c"], 1, 2)
    0.9166666666666667
    """
    runs = Counter(run for title in titles for run in _runs(words_of(title), n))
    total = runs.total()
    count = min(count, total)
    missed = sum(math.comb(total - times, count) / math.comb(total, count) for times in runs.values())
    return (len(runs) - missed) / max(count, 1)


def num_runs(titles: Sequence[str], n: int) -> int:
    """How many runs of n words titles have."""
    return sum(len(_runs(words_of(title), n)) for title in titles)


def _runs(words: list[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)] or [tuple(words)]


def _stem(word: str) -> str:
    return word[:4]


def _more(title: str, topic: str) -> float:
    """Content words that the topic does not have, of four."""
    given = {_stem(word) for word in words_of(topic)}
    own = {word for word in words_of(title) if word not in _SMALL and _stem(word) not in given}
    return min(len(own), 4) / 4


def _whole(title: str) -> float:
    words = words_of(title)
    if not words or not _BARE.match(title) or _STRANGE.search(title) or title.count("(") != title.count(")"):
        return 0.0
    repeats = (
        max(words.count(word) for word in words if word not in _SMALL or len(words) == 1) if _content(words) else 9
    )
    ends = words[-1] in _SMALL and words[-1] not in _MAY_END
    return 0.0 if ends or repeats > 2 or _ECHO.search(title) else 1.0


def _content(words: list[str]) -> bool:
    return any(word not in _SMALL for word in words)


def _known(title: str, reader: Reader) -> float:
    words = words_of(title)
    return sum(map(reader.knows, words)) / max(len(words), 1)


def _forms(title: str) -> list[float]:
    return [float(bool(form.search(title))) for form in (_ASKS, _COUNTS, _TELLS, _CONTRASTS)]


def _novel(meant: Array, day: Array) -> Array:
    """1 − how near the nearest other title of the day is, from `_NEAR` to the same, (titles,)."""
    found = np.ones(len(meant))
    for one in np.unique(day):
        rows = np.flatnonzero(day == one)
        near = meant[rows] @ meant[rows].T
        np.fill_diagonal(near, -1.0)
        found[rows] = 1.0 - np.clip((near.max(axis=1) - _NEAR) / (1.0 - _NEAR), 0.0, 1.0)
    return found
