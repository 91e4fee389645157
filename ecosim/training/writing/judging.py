"""Judging writers: their titles and the untrained model's, for the same posts, before audiences who chose none of them.

Posts are about topics that no writer has learnt from; a pair has the same row and the same draws. Intervals are over
topics (bootstrap), as titles of one topic are alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ecosim.fields import Array
from ecosim.training.writing.audiences import (
    Likes,
    Reader,
    Tastes,
    audience,
    distinct,
    distinct_among,
    num_runs,
    num_words,
    traits,
)
from ecosim.training.writing.publishing import Post

UNTRAINED, WRITER = "untrained", "writer"
"""Whose titles are compared: the base model's as it comes, and those of each niche's own writer."""


def writer_of(niche: str) -> str:
    """How the writer of one niche is called where it writes in every niche."""
    return f"writer of {niche}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Jury:
    """Who judges.

    Attributes:
        likes, tastes: of the viewers, by niche and of all.
        viewers: of an audience.
        audiences: how many there are, drawn from `seed` and those after it.
        reader: how they read.
    """

    likes: Mapping[str, Likes]
    tastes: Tastes
    viewers: int
    audiences: int
    seed: int
    reader: Reader


@dataclass(frozen=True, slots=True)
class Titles:
    """Titles of the same posts by several minds.

    Attributes:
        by: by name of the mind, a title a post.
    """

    posts: list[Post]
    by: dict[str, list[str]]

    def of(self, niche: str) -> Array:
        """Which posts are a niche's."""
        return np.array([i for i, post in enumerate(self.posts) if post.niche == niche], np.int64)


def judged(titles: Titles, jury: Jury) -> dict[str, float]:
    """What held-out audiences say.

    `preferred`: the share of pairs in which most of an audience takes the writer's title, the mean over audiences, with
    a 95 % interval over topics; `preferred_<niche>` of each. `distinct_1`, `distinct_2`, `different` (whole titles) of
    both, and `…_alike` among as many words of each. `own_<niche>`: how often the niche's own writer is preferred to the
    writers of the others. `without_<trait>`: as `preferred`, by audiences who don't care for one trait.
    """
    own, base = titles.by[WRITER], titles.by[UNTRAINED]
    wins = _wins(jury, titles, WRITER, UNTRAINED, {})
    figures = {"preferred": float(wins.mean()), "pairs": float(len(wins))}
    figures["preferred_low"], figures["preferred_high"] = _interval(titles, wins, jury.seed)
    figures |= {f"preferred_{niche}": float(wins[titles.of(niche)].mean()) for niche in jury.likes}
    for name, some in ((WRITER, own), (UNTRAINED, base)):
        figures |= {f"distinct_1_{name}": distinct(some, 1), f"distinct_2_{name}": distinct(some, 2)}
        for n in (1, 2):
            few = min(num_runs(own, n), num_runs(base, n))
            figures[f"distinct_{n}_{name}_alike"] = distinct_among(some, n, few)
        figures[f"different_{name}"] = len({title.lower() for title in some}) / len(some)
    for niche in jury.likes:
        rows = titles.of(niche)
        others = [
            _wins(jury, titles, writer_of(niche), writer_of(other), {})[rows].mean()
            for other in jury.likes
            if other != niche
        ]
        if others:
            figures[f"own_{niche}"] = float(np.mean(others))
    for trait in ("fit", "more", "whole", "known", "novel", "length"):
        blind = _wins(jury, titles, WRITER, UNTRAINED, {trait: 0.0})
        figures[f"without_{trait}"] = float(blind.mean())
    return figures


def _wins(jury: Jury, titles: Titles, one: str, other: str, changed: Mapping[str, float]) -> Array:
    """For each post the share of audiences most of whose viewers take the first mind's title, float64 (posts,)."""
    found = np.zeros(len(titles.posts))
    tastes = jury.tastes.model_copy(update=dict(changed))
    for i, niche in enumerate(jury.likes):
        rows = titles.of(niche)
        seen = [_seen(titles, name, rows, niche, jury.reader) for name in (one, other)]
        for k in range(jury.audiences):
            people = audience(jury.likes[niche], tastes, jury.viewers, jury.seed + k, i)
            first, second = (people.worth(marks, words) for marks, words in seen)
            share = people.preferred(first, second)
            found[rows] += np.where(share == 0.5, 0.5, share > 0.5) / jury.audiences
    return found


def _seen(titles: Titles, mind: str, rows: Array, niche: str, reader: Reader) -> tuple[Array, Array]:
    """What a mind's titles for some posts are like, and their lengths; those of one day and topic are seen together."""
    written = [titles.by[mind][i] for i in rows]
    posts = [titles.posts[i] for i in rows]
    days = {key: n for n, key in enumerate(dict.fromkeys((post.day, post.topic) for post in posts))}
    together = [days[post.day, post.topic] for post in posts]
    return traits(written, [post.topic for post in posts], niche, together, reader), num_words(written)


def _interval(titles: Titles, wins: Array, seed: int, times: int = 2000) -> tuple[float, float]:
    """A 95 % interval of the mean over posts, topics drawn with replacement (percentile bootstrap)."""
    topics = sorted({post.topic for post in titles.posts})
    place = {topic: i for i, topic in enumerate(topics)}
    of = np.array([place[post.topic] for post in titles.posts])
    sums, sizes = np.bincount(of, wins), np.bincount(of)
    picks = np.random.default_rng([seed, 13]).integers(0, len(topics), (times, len(topics)))
    low, high = np.quantile(sums[picks].sum(axis=1) / sizes[picks].sum(axis=1), [0.025, 0.975])
    return float(low), float(high)
