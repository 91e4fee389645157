"""How fashion moves, topic by topic."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Self

from pydantic import Field, model_validator

from ecosim.community.facts.people import LogOdds
from ecosim.scenario import Amount, Count, Facts, Share


class TrendShock(Facts):
    """A topic that is in fashion, or out of it, overnight.

    Attributes:
        day: when; or else
        chance: how likely on any day.
        topic: which; one by lot if not said.
        size: what it adds to the topic's heat, log-odds; below 0 for what nobody wants to see any more.
    """

    day: Count | None = None
    chance: Share = 0.0
    topic: str | None = None
    size: LogOdds

    @model_validator(mode="after")
    def _comes_at_a_day_or_by_chance(self) -> Self:
        if (self.day is None) == (self.chance == 0):
            raise ValueError("a shock comes at a `day` or by a `chance` above 0: say one of the two")
        return self


class Trends(Facts):
    """How the heat of topics moves, in log-odds: fashion + drift + season + shocks.

    Attributes:
        persistence: the share of yesterday's fashion that is left; a normal draw times `volatility` comes on top.
        volatility: standard deviation of what a day adds to fashion, log-odds; 0: no fashion.
        drift: standard deviation of what a day adds to a topic for good, log-odds.
        season: by niche, what each day of a season adds to its topics, log-odds, over and over; a day each, from day 1.
        shocks: topics that come into fashion overnight.
        shock_persistence: the share of a shock that is left the next day.
    """

    persistence: Share = 0.9
    volatility: Amount = 0.0
    drift: Amount = 0.0
    season: dict[str, Annotated[list[LogOdds], Field(min_length=1)]] = Field(default_factory=dict)
    shocks: Annotated[list[TrendShock], Field(max_length=100)] = Field(default_factory=list)
    shock_persistence: Share = 0.8

    @property
    def has_lift(self) -> bool:
        """Whether anything but fashion moves topics."""
        return bool(self.drift or self.season or self.shocks)

    def faults(self, niches: Collection[str], topics: Collection[str]) -> list[str]:
        """What does not fit the niches and topics of the scenario, a line each."""
        named = [(i, shock.topic) for i, shock in enumerate(self.shocks) if shock.topic is not None]
        return [
            *(
                f"trends.season: unknown niche {name!r}; known: {', '.join(niches)}"
                for name in self.season
                if name not in niches
            ),
            *(
                f"trends.shocks[{i}].topic: unknown topic {name!r}; known: {', '.join(topics)}"
                for i, name in named
                if name not in topics
            ),
        ]
