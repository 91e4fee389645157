"""How alike viewers become: what they have watched in common, how mixed their slates are, how new what they are shown.

Homogenisation is the overlap of histories under one feed less that under another, in the same worlds: an arm whose feed
is `random`, or one of your own that knows all tastes. Viewers are sampled, so that the figures cost the same for a
million of them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ecosim import exact, seeds
from ecosim.adder import Adder, ratio
from ecosim.community.chapter import Chapter
from ecosim.community.state import NOBODY, grid
from ecosim.fields import Array
from ecosim.side import Events, Figure, Series

if TYPE_CHECKING:
    from ecosim.world import World

NUM_PAIRS = 500
"""Pairs of viewers whose histories are compared; drawn with repetition, so that small audiences have them too."""
NUM_SLATES = 500
"""Slates of a replica that are looked at a day: those of the visitors with the lowest numbers."""

_LN_2 = 0.6931471805599453

FIGURES = {
    "history_overlap": Figure(
        "share",
        "of the posts standing that one of two viewers has watched, those that both have (Jaccard), mean over 500 "
        "random pairs (Chaney, Stewart and Engelhardt 2018: homogenisation is its change between feeds)",
    ),
    "slate_diversity": Figure(
        "share", "of the pairs of posts on a slate, those on different topics (1 − the intra-list similarity of "
        "Ziegler et al. 2005)", "higher",
    ),
    "novelty": Figure(
        "bits", "−log₂ of the share of viewers who have watched a post, mean over what is shown (Zhou et al. 2010, "
        "mean self-information)", "higher",
    ),
}  # fmt: skip


def overlap(world: World) -> Array:
    """The mean overlap of histories, float64 (replicas,); 0 where nobody of a pair has watched anything that stands."""
    packed = grid(world.tables["viewers"], "has_watched", world.num_replicas)
    one, other = _pairs(world, packed.shape[1])
    replica = np.arange(world.num_replicas)[:, None]
    a, b = packed[replica, one], packed[replica, other]
    both, either = (np.bitwise_count(bits).sum(axis=2, dtype=np.int64) for bits in (a & b, a | b))
    return ratio(both, either).mean(axis=1)


def slate_diversity(topics: Array, is_shown: Array, num_topics: int) -> Array:
    """The share of pairs of each slate's posts that are on different topics, float64 (slates,); nan below two posts.

    >>> slate_diversity(np.array([[0, 0, 1], [2, 2, 0]]), np.array([[True] * 3, [True, True, False]]), 3).round(3)
    array([0.667, 0.   ])
    """
    slate, slot = np.nonzero(is_shown)
    cell = slate * num_topics + topics[slate, slot]
    counts = np.bincount(cell, minlength=len(topics) * num_topics).reshape(len(topics), num_topics)
    num = counts.sum(axis=1)
    pairs = np.where(num > 1, num * (num - 1), np.nan)
    return 1.0 - (counts * (counts - 1)).sum(axis=1) / pairs


def _pairs(world: World, num_viewers: int) -> tuple[Array, Array]:
    """Two different viewers each, (replicas, pairs): drawn from the world's seed, so the same in all arms and steps."""
    return _pairs_of(world.seed(seeds.WORLD, np.arange(world.num_replicas)).tobytes(), num_viewers)


@lru_cache(maxsize=2)
def _pairs_of(world_seeds: bytes, num_viewers: int) -> tuple[Array, Array]:
    found = np.frombuffer(world_seeds, np.uint64)
    shape = (len(found), NUM_PAIRS)
    seed, pair = np.repeat(found, NUM_PAIRS), np.tile(np.arange(NUM_PAIRS), len(found))
    one = seeds.integers(num_viewers, seeds.WORLD, seed, 0, "overlap", (pair,), lane=0)
    ahead = 1 + seeds.integers(max(1, num_viewers - 1), seeds.WORLD, seed, 0, "overlap", (pair,), lane=1)
    return one.reshape(shape), ((one + ahead) % num_viewers).reshape(shape)


def _diversity(world: World) -> Array:
    """Mean over slates, float64 (replicas,); 0 where nobody was shown two posts."""
    num = world.num_replicas
    slates, topic = grid(world.tables["viewers"], "slate", num), grid(world.tables["posts"], "topic", num)
    num_topics = grid(world.tables["topics"], "topic", num).shape[1]
    found = np.zeros(num)
    for replica in range(num):
        rows = np.flatnonzero(slates[replica, :, 0] != NOBODY)[:NUM_SLATES]
        slate = slates[replica, rows]
        each = slate_diversity(topic[replica, slate], slate != NOBODY, num_topics)
        found[replica] = each[~np.isnan(each)].mean() if (~np.isnan(each)).any() else 0.0
    return found


def _novelty(world: World) -> Array:
    num = world.num_replicas
    shown, views = (grid(world.tables["posts"], name, num) for name in ("impressions_today", "views"))
    come = grid(world.tables["viewers"], "is_active", num) | grid(world.tables["viewers"], "has_left", num)
    share = np.minimum((views + 1) / (come.sum(axis=1, keepdims=True) + 1), 1.0)  # one more: log of 0
    return ratio((shown * -exact.log(share) / _LN_2).sum(axis=1), shown.sum(axis=1))


def _measure(world: World, events: Events, add: Adder) -> None:
    add.figures["history_overlap", ""] = overlap(world)
    add.figures["slate_diversity", ""] = _diversity(world)
    add.figures["novelty", ""] = _novelty(world)


def _conclude(world: World, series: Series, add: Adder) -> None:
    add.figures["history_overlap", ""] = overlap(world)
    for name in ("slate_diversity", "novelty"):
        add.figures[name, ""] = series[name, ""].mean(axis=0)


CHAPTER = Chapter(metrics=FIGURES, kpis=FIGURES, measure=_measure, conclude=_conclude)
