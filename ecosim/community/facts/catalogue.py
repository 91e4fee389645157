"""Niches, topics and titles from a published catalogue."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ecosim.scenario import Facts


class Catalogue(Facts):
    """What a community is about, taken from films: genres are niches, decades of them topics, titles those of films.

    `niches` of the scenario may be left out then; a niche has as many viewers as its genre has films.

    Attributes:
        source: `films`, 17,472 of them from Wikidata (CC0); `ecosim models fetch films` gets them.
        niches: how many genres, those with most films.
        topics: how many decades, those with most films.
    """

    source: Literal["films"] = "films"
    niches: Annotated[int, Field(ge=1, le=20)] = 6
    topics: Annotated[int, Field(ge=1, le=8)] = 4
