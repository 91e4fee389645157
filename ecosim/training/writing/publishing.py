"""Questions to AI creators about their next post, made up: as the community asks them, about topics of our choice.

A platform has some topics of each niche; creators of all niches are asked on some days, and what to post about and with
how much effort is settled beforehand, so that only the title is left to write. Numbers in the rows (followers, cash,
views) are drawn: a writer should not learn to lean on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ecosim.community.posts import EFFORTS, SEES, TITLE_TOKENS
from ecosim.fields import Array, Choice, Text
from ecosim.meanings import units
from ecosim.minds.by_field import narrowed
from ecosim.words import KEY, Question, Table

ROLE, PHASE = "ai_creator", "publish"
_EUR = 1_000_000
_EFFORT_COSTS = np.array([0, _EUR // 5, 6 * _EUR // 10])  # as in the scenario creator_community
_KNOWN, _HEATED = 0.15, 0.5  # chance that a creator has posted on a topic; that anything was watched lately
_MOST_EUR, _MOST_FOLLOWERS, _MOST_POSTS, _MOST_VIEWS = 60, 900, 6, 150


@dataclass(frozen=True, slots=True)
class Post:
    """A post whose title is to be written.

    Attributes:
        day, creator: when, and by whom; together they name it, and its draws.
    """

    niche: str
    topic: str
    day: int
    creator: int


Platform = Mapping[str, Sequence[str]]
"""The topics of a platform, by niche."""


def platforms(topics: Platform, size: int, seed: int) -> list[dict[str, list[str]]]:
    """Platforms of `size` topics a niche, so that each topic is on one of them at least."""
    draw = np.random.default_rng([seed, 7])
    most = max(map(len, topics.values()))
    mixed = {niche: [names[i] for i in draw.permutation(len(names))] for niche, names in topics.items()}
    starts = range(0, most, size)
    return [{n: [names[(at + k) % len(names)] for k in range(size)] for n, names in mixed.items()} for at in starts]


def question(platform: Platform, posts: Sequence[Post], seed: int) -> Question:
    """The question to the creators of some posts on one platform, of one day; topic and effort are settled.

    Args:
        seed: of the minds, and of the numbers that are made up.
    """
    names = tuple(topic for some in platform.values() for topic in some)
    niche_of = np.array([niche for niche, some in platform.items() for _ in some], object)
    rows, (day,) = len(posts), {post.day for post in posts}
    draw = np.random.default_rng([seed, day, 11])
    niches = np.array([post.niche for post in posts], object)
    made = draw.integers(0, _MOST_POSTS, (rows, len(names))) * (draw.random((rows, len(names))) < _KNOWN)
    heat = draw.integers(1, _MOST_VIEWS, len(names)) * float(draw.random() < _HEATED)
    columns = {
        "niche_name": niches,
        "followers": draw.integers(0, _MOST_FOLLOWERS, rows),
        "cash": draw.integers(1, _MOST_EUR, rows) * _EUR,
        "effort_cost": np.broadcast_to(_EFFORT_COSTS, (rows, len(EFFORTS))),
        "topic_name": np.broadcast_to(np.array(names, object), (rows, len(names))),
        "is_own_niche": niche_of == niches[:, None],
        "posts_by_topic": made,
        "views_by_topic": made * draw.integers(1, _MOST_VIEWS, (rows, len(names))),
        "trend": np.broadcast_to(heat, (rows, len(names))),
    }
    key = {name: np.full(rows, -1) for name in KEY} | {"subject": np.array([post.creator for post in posts])}
    asked = Question(
        role=ROLE,
        phase=PHASE,
        step=day,
        key=Table({"replica": np.zeros(rows, np.int64), **key}),
        seed=np.full(rows, seed, np.uint64),
        mind=np.zeros(rows, np.int64),
        columns=columns,
        masks={name: np.broadcast_to(True, c.shape) for name, c in columns.items() if c.ndim == 2},
        units=units({name: SEES[name] for name in columns}),
        fields=(
            Choice(name="topic", options=names, allowed=np.ones((rows, len(names)), bool)),
            Choice(name="effort", options=EFFORTS, allowed=np.ones((rows, len(EFFORTS)), bool)),
            Text(name="title", max_tokens=TITLE_TOKENS),
        ),
    )
    return narrowed(asked, settled(asked, posts))


def settled(asked: Question, posts: Sequence[Post]) -> dict[str, Array]:
    """Topic and effort of some posts, as answers; the effort goes round."""
    names = asked.fields[0]
    assert isinstance(names, Choice)
    return {
        "topic": np.array([names.options.index(post.topic) for post in posts]),
        "effort": np.array([post.creator % len(EFFORTS) for post in posts]),
    }
