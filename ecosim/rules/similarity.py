"""How alike: sets by what they share, vectors by their angle."""

from __future__ import annotations

from typing import cast

import numpy as np

from ecosim.fields import Array


def jaccard(members: Array, other: Array) -> Array:
    """Overlap of each set with another one: how many they share over how many either has; 0 for two empty ones.

    Args:
        members: who is in each set, bool (…, sets, members).
        other: which set each is compared with, int64 (…, sets).

    Source: Jaccard (1912), The distribution of the flora in the alpine zone.

    >>> jaccard(np.array([[1, 1, 0], [1, 0, 1], [0, 0, 0]], bool), np.array([1, 2, 2])).round(3)
    array([0.333, 0.   , 0.   ])
    """
    theirs = np.take_along_axis(members, other[..., None], axis=-2)
    either = (members | theirs).sum(axis=-1)
    return cast(Array, (members & theirs).sum(axis=-1) / np.maximum(either, 1))


def cosine(vectors: Array) -> Array:
    """The cosine of the angle between all pairs of vectors, (…, n, n); 0 where one is zero.

    >>> cosine(np.array([[3.0, 4.0], [3.0, 0.0]])).round(2)
    array([[1. , 0.6],
           [0.6, 1. ]])
    """
    size = np.sqrt((vectors * vectors).sum(axis=-1, keepdims=True))
    direction = vectors / np.where(size > 0, size, 1.0)
    return cast(Array, direction @ np.swapaxes(direction, -1, -2))
