"""What viewers find in posts: by topic, by traits, by nearness, by shares, or as people rated films."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ecosim.community.facts.people import LogOdds
from ecosim.scenario import Amount, Facts

Coordinate = Annotated[float, Field(ge=-1000, le=1000)]
Point = list[Coordinate]
Weight = Annotated[float, Field(ge=0.001, le=1e6)]


GENRES = (
    "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy", "Film-Noir",
    "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip
"""Of MovieLens-100k."""


class Crowd(Facts):
    """Viewers around a point; of several crowds each has its part.

    Attributes:
        centre: where, a coordinate a dimension.
        spread: standard deviation around it, in each dimension.
        part: how many viewers, relative to the other crowds.
    """

    centre: Point
    spread: Amount = 0.0
    part: Annotated[float, Field(gt=0, le=1000)] = 1.0


class Tastes(Facts):
    """How a viewer's taste meets a post.

    Attributes:
        kind: `topics`, a taste for each topic (`viewers.taste_spread` and `favourite_bonus`); `dot`, taste · traits of
            the post ÷ √dims, drawn for each viewer (`viewers.taste_spread`) and post (`trait_spread`) in `dims`
            dimensions; `points`, `peak` less the distance between viewer and post; `shares`, the logarithm of
            taste · traits, both of them shares of a whole of `dims` attributes; `ratings`, as `topics`, and each
            viewer is besides one of the 943 people of MovieLens-100k: it finds in a niche how much more of its genre
            that person rated than others did, log-odds, and the niche with the largest excess is its favourite.
        dims: dimensions of tastes and traits (`dot` and `shares`).
        trait_spread: standard deviation of a post's traits (`dot` only).
        peak: what a viewer finds in a post at its own place (`points` only).
        places: where posts on each topic are (`points` only).
        place_spread: standard deviation of posts around the place of their topic, in each dimension (`points` only).
        crowds: where viewers are (`points` only); spread evenly between 0 and 1 in each dimension without any.
        genres: for each niche that is not called as a genre of MovieLens, which one stands for it (`ratings` only).
        taste_weight, trait_weight: how near viewers and posts are to their means; low: each is of one kind (`shares`).
        taste_evenness, trait_evenness: how even the attributes are in the mean of a replica (`shares`).
        noise: standard deviation of what each viewer happens to find in each post besides, log-odds.
    """

    kind: Literal["topics", "dot", "points", "ratings", "shares"] = "topics"
    dims: Annotated[int, Field(ge=1, le=256)] = 16
    trait_spread: Annotated[float, Field(ge=0, le=100)] = 1.0
    peak: LogOdds = 0.0
    places: dict[str, Point] = Field(default_factory=dict)
    place_spread: Amount = 0.0
    crowds: list[Crowd] = Field(default_factory=list)
    genres: dict[str, str] = Field(default_factory=dict)
    taste_weight: Weight = 10.0
    trait_weight: Weight = 0.1
    taste_evenness: Weight = 1.0
    trait_evenness: Weight = 100.0
    noise: Annotated[float, Field(ge=0, le=50)] = 0.0

    @model_validator(mode="after")
    def _points_have_places(self) -> Self:
        if (self.kind == "points") != bool(self.places):
            raise ValueError("`places` says where topics are in tastes of kind 'points', and only there")
        if self.place_spread and self.kind != "points":
            raise ValueError("`place_spread` is for tastes of kind 'points'")
        if self.crowds and self.kind != "points":
            raise ValueError("`crowds` are for tastes of kind 'points'")
        sizes = {len(point) for point in (*self.places.values(), *(crowd.centre for crowd in self.crowds))}
        if len(sizes) > 1 or 0 in sizes:
            raise ValueError("`places` and the centres of `crowds` need the same number of coordinates, at least one")
        return self

    @property
    def num_dims(self) -> int:
        """Dimensions of a post's traits; 0 where topics say all."""
        points = len(next(iter(self.places.values()), []))
        return {"topics": 0, "dot": self.dims, "points": points, "ratings": 0, "shares": self.dims}[self.kind]

    def genre_faults(self, niches: Iterable[str]) -> list[str]:
        """Niches for which no genre stands."""
        if self.kind != "ratings":
            return ["tastes.genres: is for tastes of kind 'ratings'"] if self.genres else []
        known = f"is no genre of MovieLens; known: {', '.join(GENRES)}"
        stands = {name: self.genres.get(name, name) for name in niches}
        strange = [f"tastes.genres: unknown niche {name!r}" for name in self.genres if name not in stands]
        return strange + [
            f"tastes.genres: {genre!r}, for niche {name!r}, {known}"
            for name, genre in stands.items()
            if genre not in GENRES
        ]
