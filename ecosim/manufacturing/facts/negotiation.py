"""How buyers and sellers talk."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from ecosim.scenario import Count, Facts, Share, Whole


class Negotiation(Facts):
    """How buyers and sellers talk.

    Attributes:
        requests: how many sellers a buyer asks for each need in a week.
        candidates: how many sellers it chooses among.
        min_rounds: the shortest private deadline; both sides move once a round.
        max_rounds: the longest private deadline; deadlines are drawn evenly from `min_rounds … max_rounds`.
        private_spread: private limits scatter by up to this share around value (buyers) and unit cost (sellers).
        late_weeks: how many weeks after the earliest possible one a delivery may be agreed.
    """

    requests: Count = 2
    candidates: Annotated[int, Field(ge=1, le=8)] = 6
    min_rounds: Count = 4
    max_rounds: Count = 10
    private_spread: Share = 0.1
    late_weeks: Whole = 3

    @model_validator(mode="after")
    def _rounds_in_order(self) -> Self:
        if self.min_rounds > self.max_rounds:
            raise ValueError(f"min_rounds ({self.min_rounds}) must not be above max_rounds ({self.max_rounds})")
        return self
