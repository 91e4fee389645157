"""Feeds of a user's own: a function of a sight, or a mere score, which `ranking` makes a feed of.

What such a function answers is checked: places of different posts that are open, for every visit. Blocks of visits
may be asked about at the same time, on several threads: a feed that changes something of its own is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ecosim.community.feeds.rankings import SCORES, tie_bytes
from ecosim.community.feeds.sight import Feed, Sight
from ecosim.community.state import NOBODY
from ecosim.errors import DecisionError
from ecosim.fields import Array

Score = Callable[[Sight], Array]
"""What each post is worth on each slate, (R, n, P) or anything that broadcasts to it, such as (R, 1, P)."""


def ranking(score: Score) -> Feed:
    """A feed that shows the open posts with the highest scores, best first; equals in each visitor's own order.

    The visits are looked at in blocks, each a `Sight` of its own. A score that leans on a library's floating point
    (products of matrices of fractions, exponentials) may come out otherwise on another machine: round it.

    >>> likes_first = ranking(lambda sight: sight.known.likes[:, None, :])
    """

    def ranked(sight: Sight, num_slots: int) -> Array:
        known = sight.known
        picks = np.full((*sight.viewer.shape, num_slots), NOBODY)
        for part, some in sight.parts(max(1, SCORES // known.post.size)):
            shape = (*some.viewer.shape, known.num_places)
            given = np.broadcast_to(np.asarray(score(some), dtype=np.float64), shape)
            left = some.is_open.copy()
            ties = tie_bytes(some)
            replica, visit = np.arange(shape[0])[:, None], np.arange(shape[1])
            for slot in range(num_slots):
                open_score = np.where(left, given, -np.inf)
                is_best = left & (open_score == open_score.max(axis=2, keepdims=True))
                place = np.where(is_best, ties, -1).argmax(axis=2)
                picks[:, part, slot] = np.where(left[replica, visit, place], place, NOBODY)
                left[replica, visit, place] = False
        return picks

    return ranked


def checked(name: str, feed: Feed) -> Feed:
    """A user's feed whose every answer is looked at.

    Raises:
        DecisionError: it raised, or put on a slate what is no open post, or one post twice.
    """

    def answered(sight: Sight, num_slots: int) -> Array:
        place = f"feed {name!r}, step {sight.known.step}"
        try:
            picks = np.asarray(feed(sight, num_slots))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise DecisionError(f"{place}: {type(error).__name__}: {error}") from error
        shape = (*sight.viewer.shape, num_slots)
        if picks.shape != shape or picks.dtype.kind not in "iu":
            raise DecisionError(
                f"{place}: must give places as integers of shape {shape} (replicas, visits, slots), got {picks.dtype} "
                f"of shape {picks.shape}"
            )
        _refuse(sight, np.where(sight.is_here[:, :, None], picks, NOBODY), place)
        return picks

    return answered


def own_feeds(given: Mapping[str, Callable[..., Array] | str]) -> dict[str, Feed]:
    """The user's own feeds that are at hand."""
    return {name: checked(name, feed) for name, feed in given.items() if not isinstance(feed, str)}


def _refuse(sight: Sight, picks: Array, place: str) -> None:
    """DecisionError for the first slate with what may not be there."""
    is_there = picks != NOBODY
    in_range = (picks >= NOBODY) & (picks < sight.known.num_places)
    replica, visit = np.arange(picks.shape[0])[:, None, None], np.arange(picks.shape[1])[:, None]
    is_open = sight.is_open_at(replica, visit, np.where(in_range, picks, NOBODY))
    ordered = np.sort(picks, axis=2)
    is_twice = (ordered[:, :, 1:] == ordered[:, :, :-1]) & (ordered[:, :, 1:] != NOBODY)
    for wrong, why in (
        (~in_range, f"there is no such place; places are 0 … {sight.known.num_places - 1}, −1 for none"),
        (is_there & ~is_open, "that post is not open to this visit (see sight.is_open)"),
        (is_twice, "one post twice on a slate"),
    ):
        if wrong.any():
            r, v, slot = (int(i[0]) for i in np.nonzero(wrong))
            who = f"replica {r}, viewer {int(sight.viewer[r, v])}"
            raise DecisionError(f"{place}, {who}: {picks[r, v].tolist()}: {why} (slot {slot + 1})")
