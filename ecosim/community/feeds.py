"""Feeds: which posts come before each visitor. A feed is a function; the scenario names one, or a mix by slot.

`random` and `popular` are lotteries (the rules of `rules.feeds`, drawn from the world's seed), `hot` is one front page
for all, `content` ranks by the visitor's profile. A feed sees what a platform sees: what was posted, shown and watched,
and a profile of what the visitor watched and liked; never tastes. A function of a user's own with the signature of
`Feed` can stand in `FEEDS` as these do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np

from ecosim import seeds
from ecosim.community import bits
from ecosim.community.state import NOBODY
from ecosim.fields import Array
from ecosim.rules import feeds as rules

_TRIES = 6
"""Draws for a slot before the lottery is held again over what is left; most rows need one."""

_DAY_S = 86_400
_FOLLOW_WEIGHT = 8
"""What following a creator adds to a post's match: as much as eight watched posts of the topic."""

_TIES = 256
"""Matches are whole numbers, spread this far apart so that a byte can order equals between them."""

BLOCK = 2**22
"""Visits × posts looked at at once, over all replicas; more only costs memory."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a platform knows on a day: R replicas side by side, P places for posts, V viewers, C creators.

    Attributes:
        step: the day.
        seed: world seeds, uint64 (R,).
        num_creators: C; creator c has the places c, c + C, c + 2C, …
        post, day, topic, impressions, views, likes: of each post, int64 (R, P); `post` is −1 where a place is empty.
        can_show: which posts feeds may show at all, bool (R, P).
        vector: niche, topic and title of each post, int8 (R, P, signs).
        profile: what each viewer watched and liked, summed over vectors, int8 (R, V, signs).
        follows: whom each viewer follows, bits (R, V, ⌈C / 8⌉).
        has_watched: which posts each viewer has watched, bits (R, V, ⌈P / 8⌉).
        is_active: which viewers are there, bool (R, V).
        prior_views, power: of the popular feed.
    """

    step: int
    seed: Array
    num_creators: int
    post: Array
    day: Array
    topic: Array
    impressions: Array
    views: Array
    likes: Array
    can_show: Array
    vector: Array
    profile: Array
    follows: Array
    has_watched: Array
    is_active: Array
    prior_views: float
    power: float


@dataclass(frozen=True, slots=True)
class Sight:
    """What a feed may look at when it fills slates: what is known, and a block of n visits in each of R replicas.

    Attributes:
        known: of all posts and viewers.
        viewer: who visits, int64 (R, n); rows are padded to the busiest replica.
        is_here: where a visit is real, bool (R, n).
        is_open: which posts may still be put on each slate, bool (R, n, P).
    """

    known: Known
    viewer: Array
    is_here: Array
    is_open: Array

    @property
    def profile(self) -> Array:
        """What each visitor watched and liked, summed over vectors, int8 (R, n, signs)."""
        return self._of_visitors(self.known.profile)

    @property
    def follows(self) -> Array:
        """Whom each visitor follows, bool (R, n, C)."""
        return bits.unpacked(self._of_visitors(self.known.follows), self.known.num_creators)

    def _of_visitors(self, column: Array) -> Array:
        return column[np.arange(len(self.viewer))[:, None], self.viewer]


Feed = Callable[[Sight, int], Array]
"""For so many slots, the places of different open posts, int64 (R, n, slots); −1 where none is left."""

Learner = Callable[[Known], Feed]
"""A feed that is fitted once a day to what the platform knows; it keeps nothing from day to day."""


def random_feed(sight: Sight, num_slots: int) -> Array:
    """Any post, with the same chance."""
    return _lottery(sight, sight.known.can_show.astype(np.int64), num_slots, "recommend.random")


def popular_feed(sight: Sight, num_slots: int) -> Array:
    """A post with a chance in proportion to (views + a)^r, one after another without those already drawn."""
    known = sight.known
    weights = rules.popularity_weights(known.views, known.prior_views, known.power, known.can_show)
    return _lottery(sight, weights, num_slots, "recommend.popular")


def hot_feed(sight: Sight, num_slots: int) -> Array:
    """The front page by hot score, likes as votes; equals are drawn by lot each day, or low ids would make fame."""
    known = sight.known
    score = rules.hot_score(known.likes, rules.HOT_EPOCH_S + known.day * _DAY_S)
    seed = np.repeat(known.seed, known.post.shape[1])
    lot = seeds.uniform(seeds.WORLD, seed, known.step, "hot", (known.post.reshape(-1),)).reshape(score.shape)
    order = np.lexsort((lot, -score), axis=1)  # (R, P)
    is_open = np.take_along_axis(sight.is_open, order[:, None, :], axis=2)
    rank = _first(is_open, num_slots)
    best = np.take_along_axis(order[:, None, :], np.maximum(rank, 0), axis=2)
    return np.where(rank == NOBODY, NOBODY, best)


def content_feed(sight: Sight, num_slots: int) -> Array:
    """The posts that match the profile best; equals in an order of each visitor's own."""
    known = sight.known
    num_replicas, num_places = known.post.shape
    vector = known.vector.transpose(0, 2, 1) * np.float32(_TIES)
    match = sight.profile.astype(np.float32) @ vector  # whole numbers: exact in any order
    by_creator = match.reshape(num_replicas, -1, num_places // known.num_creators, known.num_creators)
    by_creator += sight.follows[:, :, None, :] * np.float32(_FOLLOW_WEIGHT * _TIES)
    ties = _tie_bytes(sight)
    match += ties[0][:, :, None] ^ ties[1][:, None, :]
    np.copyto(match, -np.inf, where=~sight.is_open)
    return _best(match, num_slots)


FEEDS: Mapping[str, Feed] = {
    "random": random_feed,
    "popular": popular_feed,
    "hot": hot_feed,
    "content": content_feed,
}
LEARNERS: Mapping[str, Learner] = {}


# ---- drawing and ranking --------------------------------------------------------------------------------------------


def _lottery(sight: Sight, weights: Array, num_slots: int, purpose: str) -> Array:
    """Draws without replacement: a draw that repeats is drawn again, at last among those left; the same chances."""
    is_open = sight.is_open.copy()
    picks = np.full((*sight.viewer.shape, num_slots), NOBODY)
    replica, visit = np.nonzero(sight.is_here & (weights.sum(axis=1) > 0)[:, None])
    for slot in range(num_slots):
        rows, lane = np.arange(len(replica)), slot * (_TRIES + 1)
        for again in range(_TRIES):
            r, v = replica[rows], visit[rows]
            place = rules.drawn(weights, r, _draw(sight, r, v, purpose, lane + again))
            fits = is_open[r, v, place]
            picks[r[fits], v[fits], slot] = place[fits]
            rows = rows[~fits]
        r, v = replica[rows], visit[rows]
        u = _draw(sight, r, v, purpose, lane + _TRIES)
        picks[r, v, slot] = rules.drawn_by_row(weights[r] * is_open[r, v], u)
        close(is_open, picks[:, :, slot : slot + 1])
    return picks


def _draw(sight: Sight, replica: Array, visit: Array, purpose: str, lane: int) -> Array:
    if not len(replica):
        return np.zeros(0)
    key = (sight.viewer[replica, visit],)
    return seeds.uniform(seeds.WORLD, sight.known.seed[replica], sight.known.step, purpose, key, lane)


def close(is_open: Array, picks: Array) -> None:
    """Take the picked posts off the open ones, in place."""
    replica, visit, slot = np.nonzero(picks != NOBODY)
    is_open[replica, visit, picks[replica, visit, slot]] = False


def _best(score: Array, num_slots: int) -> Array:
    """The places of the highest scores, best first; of equals the earlier; −1 for −inf. Overwrites the scores."""
    picks = np.full((*score.shape[:2], num_slots), NOBODY)
    replica, visit = np.ogrid[: score.shape[0], : score.shape[1]]
    for slot in range(num_slots):
        place = score.argmax(axis=2)
        picks[:, :, slot] = np.where(score[replica, visit, place] > -np.inf, place, NOBODY)
        score[replica, visit, place] = -np.inf
    return picks


def _first(is_open: Array, num_slots: int) -> Array:
    """The first open places in order, −1 where none is left. Overwrites its argument."""
    picks = np.full((*is_open.shape[:2], num_slots), NOBODY)
    replica, visit = np.ogrid[: is_open.shape[0], : is_open.shape[1]]
    for slot in range(num_slots):
        place = is_open.argmax(axis=2)
        picks[:, :, slot] = np.where(is_open[replica, visit, place], place, NOBODY)
        is_open[replica, visit, place] = False
    return picks


def _tie_bytes(sight: Sight) -> tuple[Array, Array]:
    """A random byte for each visit and for each post; their exclusive-or orders equals differently for each visitor."""
    known = sight.known
    num_visits, num_posts = sight.viewer.shape[1], known.post.shape[1]
    visits = seeds.words(
        seeds.WORLD, np.repeat(known.seed, num_visits), known.step, "recommend.visit", (sight.viewer.ravel(),)
    )[0]
    posts = seeds.words(
        seeds.WORLD, np.repeat(known.seed, num_posts), known.step, "recommend.post", (known.post.ravel(),)
    )[0]
    low = np.uint64(0xFF)
    bytes_of = [(words & low).astype(np.uint8) for words in (visits, posts)]
    return cast(Array, bytes_of[0].reshape(sight.viewer.shape)), cast(Array, bytes_of[1].reshape(known.post.shape))
