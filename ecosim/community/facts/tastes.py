"""What viewers find in posts: by topic, by traits, by nearness, or by shares."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ecosim.community.facts.people import LogOdds
from ecosim.scenario import Amount, Facts

Coordinate = Annotated[float, Field(ge=-1000, le=1000)]
Point = list[Coordinate]
Weight = Annotated[float, Field(ge=0.001, le=1e6)]


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
            dimensions; `points`, `peak` less the distance between viewer and post; `shares`,
            the logarithm of taste · traits, both of them shares of a whole of `dims` attributes.
        dims: dimensions of tastes and traits (`dot` and `shares`).
        trait_spread: standard deviation of a post's traits (`dot` only).
        peak: what a viewer finds in a post at its own place (`points` only).
        places: where posts on each topic are (`points` only).
        place_spread: standard deviation of posts around the place of their topic, in each dimension (`points` only).
        crowds: where viewers are (`points` only); spread evenly between 0 and 1 in each dimension without any.
        taste_weight, trait_weight: how near viewers and posts are to their means; low: each is of one kind (`shares`).
        taste_evenness, trait_evenness: how even the attributes are in the mean of a replica (`shares`).
        noise: standard deviation of what each viewer happens to find in each post besides, log-odds.
    """

    kind: Literal["topics", "dot", "points", "shares"] = "topics"
    dims: Annotated[int, Field(ge=1, le=256)] = 16
    trait_spread: Annotated[float, Field(ge=0, le=100)] = 1.0
    peak: LogOdds = 0.0
    places: dict[str, Point] = Field(default_factory=dict)
    place_spread: Amount = 0.0
    crowds: list[Crowd] = Field(default_factory=list)
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
        places = len(next(iter(self.places.values()), []))
        return {"topics": 0, "dot": self.dims, "points": places, "shares": self.dims}[self.kind]
