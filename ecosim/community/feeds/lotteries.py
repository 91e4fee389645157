"""Lotteries: feeds that draw posts by weights, from the world's seed, keyed by the viewer; and the explorer's slots."""

from __future__ import annotations

import numpy as np

from ecosim import seeds
from ecosim.community import bits
from ecosim.community.feeds.sight import Sight
from ecosim.community.state import NOBODY
from ecosim.fields import Array
from ecosim.rules import feeds as rules

_TRIES = 6
"""Draws for a slot before the lottery is held again over what is left; most rows need one."""


def random_feed(sight: Sight, num_slots: int) -> Array:
    """Any post, with the same chance."""
    return _lottery(sight, sight.known.can_show.astype(np.int64), num_slots, "recommend.random")


def popular_feed(sight: Sight, num_slots: int) -> Array:
    """A post with a chance in proportion to (views + a)^r, one after another without those already drawn."""
    known = sight.known
    weights = rules.popularity_weights(known.views, known.prior_views, known.power, known.can_show)
    return _lottery(sight, weights, num_slots, "recommend.popular")


def explore(sight: Sight) -> None:
    """Give slots away by lot, in place: each with the chance `explore_share` of its replica, to any open post.

    What stood there goes; where no other post is left it stays.
    """
    share = sight.known.explore_share
    weights = sight.known.can_show.astype(np.int64)
    for slot in range(sight.slate.shape[2]):
        replica, visit = np.nonzero(sight.is_here & (share > 0)[:, None] & (weights.sum(axis=1) > 0)[:, None])
        lane = slot * (_TRIES + 2)
        hit = _draw(sight, replica, visit, "recommend.explore", lane) < share[replica]
        replica, visit = replica[hit], visit[hit]
        none = np.zeros((len(replica), 0), np.int64)
        place = _drawn(sight, weights, replica, visit, none, "recommend.explore", lane + 1)
        stands = sight.slate[replica, visit, slot]
        sight.slate[replica, visit, slot] = np.where(place == NOBODY, stands, place)


def _lottery(sight: Sight, weights: Array, num_slots: int, purpose: str) -> Array:
    """Draws without replacement."""
    picks = np.full((*sight.viewer.shape, num_slots), NOBODY)
    replica, visit = np.nonzero(sight.is_here & (weights.sum(axis=1) > 0)[:, None])
    for slot in range(num_slots):
        so_far = picks[replica, visit, :slot]
        lane = slot * (_TRIES + 1)
        picks[replica, visit, slot] = _drawn(sight, weights, replica, visit, so_far, purpose, lane)
    return picks


def _drawn(
    sight: Sight, weights: Array, replica: Array, visit: Array, but: Array, purpose: str, first_lane: int
) -> Array:
    """An open post for each row; one that is closed is drawn again, at last among those left: the same chances.

    Args:
        weights: int64 (R, P).
        replica, visit: of each row; each replica has a weight above 0.
        but: places that count as closed too, (rows, any number).
    """
    found = np.full(len(replica), NOBODY)
    rows = np.arange(len(replica))
    for again in range(_TRIES):
        r, v = replica[rows], visit[rows]
        place = rules.drawn(weights, r, _draw(sight, r, v, purpose, first_lane + again))
        fits = sight.is_open_at(r, v, place) & (but[rows] != place[:, None]).all(axis=1)
        found[rows[fits]] = place[fits]
        rows = rows[~fits]
        if not len(rows):
            return found
    r, v = replica[rows], visit[rows]
    u = _draw(sight, r, v, purpose, first_lane + _TRIES)
    found[rows] = rules.drawn_by_row(weights[r] * _open_rows(sight, r, v, but[rows]), u)
    return found


def _open_rows(sight: Sight, replica: Array, visit: Array, but: Array) -> Array:
    """Which posts are open in each row, bool (rows, P)."""
    known = sight.known
    found = known.can_show[replica]
    if not known.watch_again:
        found &= ~bits.unpacked(known.has_watched[replica, sight.viewer[replica, visit]], known.num_places)
    for place in (*sight.slate[replica, visit].T, *but.T):
        there = np.flatnonzero(place != NOBODY)
        found[there, place[there]] = False
    return found


def _draw(sight: Sight, replica: Array, visit: Array, purpose: str, lane: int) -> Array:
    if not len(replica):
        return np.zeros(0)
    key = (sight.viewer[replica, visit],)
    return seeds.uniform(seeds.WORLD, sight.known.seed[replica], sight.known.step, purpose, key, lane)
