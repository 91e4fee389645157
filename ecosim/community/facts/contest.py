"""Prizes that creators compete for."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ecosim.scenario import Count, Facts


class Contest(Facts):
    """Every few days creators compete for a prize: who puts in x wins it with the chance x^power ÷ Σ x^power.

    Attributes:
        prize_eur: what the platform pays in each contest.
        power: how much more chance more effort gives; 1: a lottery with a ticket a euro.
        scores: what x is: a `stake` that each creator decides on for this contest alone; the `effort` that it has spent
            on posts since the last contest; or the `views` that it has had since then.
        pays: `one` winner, drawn, or everybody the same share of the prize as its chance.
        every_days: days from one contest to the next.
    """

    prize_eur: Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
    power: Annotated[float, Field(gt=0, le=4)] = 1.0
    scores: Literal["stake", "effort", "views"] = "stake"
    pays: Literal["one", "shares"] = "one"
    every_days: Count = 1
