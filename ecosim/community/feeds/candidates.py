"""The first of two stages: which posts of a day reach the sources at all, where `feed.candidates` bounds them."""

from __future__ import annotations

import numpy as np

from ecosim import seeds
from ecosim.fields import Array

_GENERATORS = 3


def shortlist(is_open: Array, day: Array, views: Array, post: Array, seed: Array, step: int, most: int) -> Array:
    """At most so many of a replica's open posts: a third the newest, a third the most watched, the rest by lot.

    Each generator takes from what those before it have left; equals are drawn by lot.

    Args:
        is_open, day, views, post: of each post, (R, P).
        seed: world seeds, (R,).
        step: the day.
        most: posts a replica.

    Returns:
        bool (R, P).
    """
    if (is_open.sum(axis=1) <= most).all():
        return is_open
    seed = np.repeat(seed, post.shape[1])
    lot = seeds.uniform(seeds.WORLD, seed, step, "recommend.candidates", (post.reshape(-1),)).reshape(post.shape)
    chosen, replica, left = np.zeros_like(is_open), np.arange(len(is_open))[:, None], most
    for done, merit in enumerate((day, views, np.zeros_like(day))):
        num = -(-left // (_GENERATORS - done))
        order = np.lexsort((lot, -merit, chosen | ~is_open), axis=1)[:, :num]
        chosen[replica, order] = True
        left -= num
    return chosen & is_open
