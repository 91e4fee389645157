"""Rankings: feeds that put the best posts first. Scores are whole numbers, so that they are exact in any order.

A score is a product of what is known of the visitor and of the post, and of equals each visitor has an order of its
own: the exclusive-or of a random byte of the visitor's and one of the post's. Bits are numbers too: with bits v and p,
v ⊕ p = v + p − 2·v·p, so the order of equals is part of the product, and no table of bytes is made.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ecosim import seeds
from ecosim.community.feeds.sight import Known, Sight
from ecosim.community.state import NOBODY
from ecosim.fields import Array
from ecosim.rules import feeds as rules

_DAY_S = 86_400
_FOLLOW_WEIGHT = 8
"""What following a creator adds to a post's match: as much as eight watched posts of the topic."""

_TIES = 256
"""Scores are whole numbers, spread this far apart so that a byte can order equals between them."""

_COSINE_STEPS = 16
"""Products of a profile with a direction are compared in so many steps to one."""

_LATER = 2**14
"""Days are counted back from today, and no further than this."""

SCORES = 2**18
"""Visits × posts that are scored at once, over all replicas: they stay in the processor's cache."""


def hot_feed(sight: Sight, num_slots: int) -> Array:
    """The front page by hot score, likes as votes; equals are drawn by lot each day, or low ids would make fame."""
    known = sight.known
    score = rules.hot_score(known.likes, rules.HOT_EPOCH_S + known.day * _DAY_S)
    seed = np.repeat(known.seed, known.num_places)
    lot = seeds.uniform(seeds.WORLD, seed, known.step, "hot", (known.post.reshape(-1),)).reshape(score.shape)
    order = np.lexsort((lot, -score, ~known.can_show), axis=1)[:, : known.candidates.shape[1]]
    return in_order(sight, np.where(np.take_along_axis(known.can_show, order, axis=1), order, NOBODY), num_slots)


def newest_feed(sight: Sight, num_slots: int) -> Array:
    """The newest posts; those of a day in an order of each visitor's own."""
    return _newest(sight, num_slots, 0)


def following_feed(sight: Sight, num_slots: int) -> Array:
    """The newest posts of creators whom the visitor follows, then the newest of the others."""
    return _newest(sight, num_slots, _LATER)


def content_feed(sight: Sight, num_slots: int) -> Array:
    """The posts whose vectors match the profile best, with 8 more for a creator whom the visitor follows."""
    known = sight.known
    vector = known.of_candidates(known.vector).transpose(0, 2, 1).astype(np.float32)
    return best(sight, sight.profile, vector, num_slots, follow=_FOLLOW_WEIGHT)


def cosine_feed(sight: Sight, num_slots: int) -> Array:
    """The posts whose vectors lie in the direction of the profile: as content, but for long vectors and follows.

    A vector has niche, topic and signs of a title, which may be 0, so that lengths differ a little.
    """
    known = sight.known
    vector = known.of_candidates(known.vector).transpose(0, 2, 1).astype(np.float32)
    length = np.sqrt(np.maximum((vector * vector).sum(axis=1), 1).astype(np.float64))

    def score(some: Sight) -> Array:
        match = (some.profile.astype(np.float32) @ vector).astype(np.float64)
        return np.rint(match * (_COSINE_STEPS / length)[:, None, :])

    return by_score(sight, score, num_slots)


def best(sight: Sight, visitor: Array, post: Array, num_slots: int, follow: int = 0) -> Array:
    """The candidates with the highest product, best first; equals in an order of each visitor's own.

    Args:
        visitor: whole numbers (R, n, K).
        post: whole numbers of the candidates, (R, K, M); no product may pass 2**15, so that float32 holds it exactly.
        num_slots: how many.
        follow: a whole number that is added for posts of creators whom the visitor follows.

    Returns:
        Places, int64 (R, n, slots); −1 where none is left.
    """
    picks = _empty(sight, num_slots)
    ties, _ = _ties(sight), (sight.closed, sight.followed)  # looked up once for all parts
    right = np.concatenate([post.astype(np.float32) * np.float32(_TIES), ties[1]], axis=1)
    for part, some in sight.parts(_visits_at_once(sight.known)):
        left = np.concatenate([visitor[:, part].astype(np.float32), ties[0][:, part]], axis=2)
        score = left @ right
        if follow:
            _favour(some, score, np.float32(follow * _TIES))
        picks[:, part] = top(some, score, num_slots)
    return picks


def by_score(sight: Sight, score: Callable[[Sight], Array], num_slots: int) -> Array:
    """The candidates with the highest score, best first; equals in an order of each visitor's own.

    Args:
        sight: the visits.
        score: whole numbers below 2**40 of the candidates, (R, n, M), for a part of the visits.
        num_slots: how many.
    """
    picks = _empty(sight, num_slots)
    (visitor, post), _ = _ties(sight), sight.closed  # looked up once for all parts
    for part, some in sight.parts(_visits_at_once(sight.known)):
        picks[:, part] = top(some, score(some) * float(_TIES) + visitor[:, part] @ post, num_slots)
    return picks


def top(sight: Sight, score: Array, num_slots: int) -> Array:
    """The places of the highest scores among those still open, best first; −1 where none is left.

    Args:
        score: of each candidate, float (R, n, M); overwritten. Of equals the earlier place is taken.
        num_slots: how many.
    """
    known = sight.known
    if (known.candidates[:, -1] == NOBODY).any():
        np.copyto(score, -np.inf, where=(known.candidates == NOBODY)[:, None, :])
    visit, replica, place = sight.closed
    _close(sight, score, replica, visit, place)
    on_slate = np.nonzero(sight.slate != NOBODY)
    _close(sight, score, on_slate[0], on_slate[1], sight.slate[on_slate])
    picks = _empty(sight, num_slots)
    replica, visit = _rows(score)
    for slot in range(num_slots):
        number = score.argmax(axis=2)
        is_left = score[replica, visit, number] > -np.inf
        picks[:, :, slot] = np.where(is_left, known.candidates[replica, number], NOBODY)
        score[replica, visit, number] = -np.inf
    return picks


def in_order(sight: Sight, order: Array, num_slots: int) -> Array:
    """The first open posts of one order for all visitors of a replica: places (R, M), −1 at the end for none."""
    depth = min(order.shape[1], num_slots + sight.most_closed())
    picks = _empty(sight, num_slots)
    for part, some in sight.parts(max(1, SCORES // (len(order) * depth))):
        replica, visit = _rows(some.viewer)
        head = order[:, None, :depth]
        is_open = some.is_open_at(replica[:, :, None], visit[:, None], head)
        for slot in range(num_slots):
            rank = is_open.argmax(axis=2)
            picks[:, part, slot] = np.where(is_open[replica, visit, rank], order[replica, rank], NOBODY)
            is_open[replica, visit, rank] = False
    return picks


def tie_bytes(sight: Sight) -> Array:
    """What orders equals on each slate, 0 … 255, int16 (R, n, P): higher first."""
    known = sight.known
    visits = _bytes_of(known, sight.viewer, "recommend.visit")
    posts = _bytes_of(known, known.post, "recommend.post")
    return (visits[:, :, None] ^ posts[:, None, :]).astype(np.int16)


def _newest(sight: Sight, num_slots: int, follow: int) -> Array:
    known = sight.known
    age = np.minimum(known.step - known.of_candidates(known.day), _LATER - 1)
    return best(sight, np.ones((*sight.viewer.shape, 1)), -age[:, None, :], num_slots, follow=follow)


def _favour(sight: Sight, score: Array, more: np.float32) -> None:
    """Add to the scores of posts of creators whom the visitor follows."""
    known = sight.known
    visit, replica, creator = sight.followed
    for first in range(0, known.num_places, known.num_creators):
        number = known.candidate_at[replica, first + creator]
        is_there = number != NOBODY
        score[replica[is_there], visit[is_there], number[is_there]] += more


def _close(sight: Sight, score: Array, replica: Array, visit: Array, place: Array) -> None:
    """What is closed can't be the best."""
    number = sight.known.candidate_at[replica, place]
    is_there = number != NOBODY
    score[replica[is_there], visit[is_there], number[is_there]] = -np.inf


def _ties(sight: Sight) -> tuple[Array, Array]:
    """Factors whose product orders equals: float32 (R, n, 9) of visitors and (R, 9, M) of posts.

    With the bits v of a visitor's byte and p of a post's, the product is Σ 2^k·p_k + Σ v_k·2^k·(1 − 2·p_k), which is
    their exclusive-or less the visitor's own byte.
    """
    known = sight.known
    visits = _bits_of(known, sight.viewer, "recommend.visit")
    posts = _bits_of(known, known.of_candidates(known.post), "recommend.post").transpose(0, 2, 1)
    worth = np.float32(2) ** np.arange(8, dtype=np.float32)[:, None]
    left = np.concatenate([np.ones((*sight.viewer.shape, 1), np.float32), visits], axis=2)
    right = np.concatenate([(worth * posts).sum(axis=1, keepdims=True), worth * (1 - 2 * posts)], axis=1)
    return left, right.astype(np.float32)


def _bits_of(known: Known, ids: Array, purpose: str) -> Array:
    """The bits of a random byte for each id, float32 (R, ids, 8)."""
    return np.unpackbits(_bytes_of(known, ids, purpose)[:, :, None], axis=2, bitorder="little").astype(np.float32)


def _bytes_of(known: Known, ids: Array, purpose: str) -> Array:
    """A random byte for each id, uint8 (R, ids)."""
    seed = np.repeat(known.seed, ids.shape[1])
    words = seeds.words(seeds.WORLD, seed, known.step, purpose, (ids.ravel(),))[0]
    return (words & np.uint64(0xFF)).astype(np.uint8).reshape(ids.shape)


def _rows(table: Array) -> tuple[Array, Array]:
    """Replica and visit of each row of a table (R, n, …), to be broadcast together."""
    return np.arange(table.shape[0])[:, None], np.arange(table.shape[1])


def _visits_at_once(known: Known) -> int:
    return max(1, SCORES // known.candidates.size)


def _empty(sight: Sight, num_slots: int) -> Array:
    return np.full((*sight.viewer.shape, num_slots), NOBODY)
