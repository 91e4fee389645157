"""The platform as a member: what it forecasts, and between which feeds it steers."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from ecosim.scenario import Facts, Share

Days = Annotated[int, Field(ge=1, le=56)]


class Platform(Facts):
    """The platform as a member with a mind: it forecasts what will be watched, and sets how much its feed explores.

    Attributes:
        horizon_days: a forecast is of a topic's mean daily views over so many days, this one included.
        season_days: after so many days what is watched may repeat itself; 1 for no season.
        history_days: how many past days the platform is shown.
        explore_shares: the exploration shares of the feed that it may choose from, rising.
        first_share: the one that holds until it chooses; one of these.
        steer_days: it chooses anew every so many days.
    """

    horizon_days: Days = 3
    season_days: Days = 7
    history_days: Days = 14
    explore_shares: Annotated[list[Share], Field(min_length=1, max_length=8)] = [0.0, 0.1, 0.2, 0.4]  # noqa: RUF012  # pydantic copies it
    first_share: Share = 0.1
    steer_days: Days = 1

    @model_validator(mode="after")
    def _shares_rise(self) -> Self:
        if sorted(set(self.explore_shares)) != self.explore_shares:
            raise ValueError(f"explore_shares must rise, without equals, got {self.explore_shares}")
        if self.first_share not in self.explore_shares:
            raise ValueError(f"first_share must be one of explore_shares {self.explore_shares}, got {self.first_share}")
        return self

    @property
    def kept_days(self) -> int:
        """Days of views that are kept: those shown, and what scores and seasonal-naive forecasts need."""
        return max(self.history_days, self.horizon_days + self.season_days)
