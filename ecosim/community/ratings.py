"""Tastes of people who rated films, by genre: read from MovieLens-100k, in whole hundredths, never factorised.

How much of a genre a person rated, beside how much others did, says in log-odds what the genre is worth to that person
above what it is worth to all: in a logit model, views go by exp(worth). Few ratings say little, so everybody's count
with twenty more that went as all ratings did.

Source of the logit: McFadden (1974), Conditional logit analysis of qualitative choice behavior.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from ecosim import datasets, exact
from ecosim.fields import Array

NUM_PEOPLE = 943
_MORE = 20
"""Ratings that are added to each person's: as many as the least that anybody gave."""
_SCALE = 100


@cache
def lifts(genres: tuple[str, ...]) -> Array:
    """What genres are worth to each person above what they are to all, hundredths of log-odds, int16 (people, genres).

    It is log of the person's share of ratings over everybody's.

    Raises:
        CatalogError: the ratings are not here.
    """
    own, of_all = _shares(genres)
    return np.rint(_SCALE * exact.log(own / of_all)).astype(np.int16)


@cache
def favourites(genres: tuple[str, ...]) -> Array:
    """The genre of which each person rated most above its share in all ratings, int64 (people,); of equals the first.

    Raises:
        CatalogError: the ratings are not here.
    """
    own, of_all = _shares(genres)
    return (own - of_all).argmax(axis=1)


def _shares(genres: tuple[str, ...]) -> tuple[Array, Array]:
    """The share of each person's ratings, and of all, that is for films of each genre."""
    found = datasets.ratings()
    is_of = found.is_of[:, [found.genres.index(genre) for genre in genres]]
    number = np.bincount(found.person, minlength=NUM_PEOPLE)
    counts = np.stack([np.bincount(found.person, of, NUM_PEOPLE) for of in is_of[found.film].T], axis=1)
    of_all = counts.sum(axis=0) / number.sum()
    return (counts + _MORE * of_all) / (number + _MORE)[:, None], of_all
