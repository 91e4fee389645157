"""Niches, topics and titles taken from the film table: genres, decades of each, and what films are called.

A film belongs to all of its genres. Human creators title their posts after films of the topic.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache

import numpy as np

from ecosim import datasets
from ecosim.community.facts.people import Niche
from ecosim.fields import Array

_DECADE = 10


def niches(num_niches: int, num_topics: int) -> dict[str, Niche]:
    """The genres with most films, most first, each with the decades that have most films, in order of time.

    Raises:
        CatalogError: the film table is not here.
    """
    by_topic = _titles()
    of_genre, of_decade = Counter[str](), Counter[int]()
    for (genre, decade), titles in by_topic.items():
        of_genre[genre] += len(titles)
        of_decade[decade] += len(titles)
    genres = sorted(of_genre, key=lambda genre: (-of_genre[genre], genre))[:num_niches]
    decades = sorted(sorted(of_decade, key=lambda decade: (-of_decade[decade], decade))[:num_topics])
    found = {
        genre: ([topic_name(genre, d) for d in decades if (genre, d) in by_topic], of_genre[genre]) for genre in genres
    }
    return {genre: Niche(topics=topics, audience=films) for genre, (topics, films) in found.items() if topics}


def topic_name(genre: str, decade: int) -> str:
    """What a topic is called.

    >>> topic_name("Drama", 1990)
    'Drama of the 1990s'
    """
    return f"{genre} of the {decade}s"


class FilmTitles:
    """The titles of films on each topic, in the order of the table.

    Args:
        topics: names as `topic_name` makes them; others have no titles.
    """

    def __init__(self, topics: tuple[str, ...]) -> None:
        by_name = {topic_name(*key): titles for key, titles in _titles().items()}
        pools = [by_name.get(topic, []) for topic in topics]
        self.num = np.array([len(pool) for pool in pools], np.int64)
        self._start = np.cumsum(self.num) - self.num
        self._all = np.array([title for pool in pools for title in pool], dtype=object)

    def __call__(self, topic: Array, pick: Array) -> Array:
        """The titles numbered `pick` of topics, a text column."""
        return self._all[self._start[topic] + pick]


def strange(topics: tuple[str, ...]) -> list[str]:
    """Topics on which there are no films."""
    return [topic for topic, films in zip(topics, FilmTitles(topics).num.tolist(), strict=True) if not films]


@cache
def _titles() -> dict[tuple[str, int], list[str]]:
    films, found = datasets.films(), defaultdict[tuple[str, int], list[str]](list)
    for title, year, genres in zip(films.title.tolist(), films.year.tolist(), films.genres, strict=True):
        for genre in genres:
            found[genre, year // _DECADE * _DECADE].append(title)
    return dict(found)
