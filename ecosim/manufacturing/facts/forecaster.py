"""Who forecasts demand for others."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ecosim.scenario import Amount, Facts, Share

MOST_WEEKS = 104
Weeks = Annotated[int, Field(ge=1, le=MOST_WEEKS)]


class Forecaster(Facts):
    """One forecaster for the whole market: each week it forecasts the demand of its subscribers.

    Attributes:
        horizon_weeks: a forecast is of mean weekly demand over so many weeks, this one included.
        season_weeks: after so many weeks demand may repeat itself; 1 for demand without season.
        history_weeks: how many past weeks of demand the forecaster is shown.
        subscribers: share of firms that subscribe; who does is drawn once, from the world's seed.
        fee_eur: what a subscriber pays a week.
    """

    horizon_weeks: Weeks = 4
    season_weeks: Weeks = 1
    history_weeks: Weeks = 12
    subscribers: Share = 1.0
    fee_eur: Amount = 0.0

    @property
    def kept_weeks(self) -> int:
        """Weeks of demand that are kept: those shown, and what scores and seasonal-naive forecasts need."""
        return max(self.history_weeks, self.horizon_weeks + self.season_weeks)
