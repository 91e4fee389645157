"""How creators come to make works together, and what a work of two niches is worth."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Self

from pydantic import Field, model_validator

from ecosim.community.facts.people import LogOdds
from ecosim.exact import MILLION, micro
from ecosim.scenario import Count, Facts, Share


class Collaboration(Facts):
    """Joint works of two creators; on a day of a joint work neither of the two has a post of its own.

    Attributes:
        invite_chance: how likely a creator is free to invite another on a day on which it publishes.
        candidates: how many others it may choose from: the one that it worked with last, and others by lot.
        complementarity: appeal that a joint work gains by the niches of its makers, log-odds, by niche and niche; the
            same either way round, 0 for pairs that are not named, may be below 0.
        min_rounds, max_rounds: each side has its own deadline, drawn anew for each talk, evenly between these.
        least_share: the share of a joint work's income below which a maker would rather work alone.
        private_spread: private limits scatter evenly by up to this around `least_share`.
        share_step: shares are agreed in steps of this; one must be a whole number of steps.
    """

    invite_chance: Share = 1.0
    candidates: Annotated[int, Field(ge=1, le=8)] = 4
    complementarity: dict[str, dict[str, LogOdds]] = Field(default_factory=dict)
    min_rounds: Count = 4
    max_rounds: Count = 10
    least_share: Share = 0.3
    private_spread: Share = 0.1
    share_step: Annotated[float, Field(ge=1e-4, le=0.5)] = 0.01

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        faults = []
        if self.min_rounds > self.max_rounds:
            faults.append(f"min_rounds ({self.min_rounds}) must not be above max_rounds ({self.max_rounds})")
        if not self.private_spread <= self.least_share <= 1 - self.private_spread:
            faults.append(
                f"least_share ({self.least_share}) ± private_spread ({self.private_spread}) leaves 0 … 1; "
                "give less of the spread"
            )
        if MILLION % micro(self.share_step):
            faults.append(f"share_step: 1 must be a whole number of steps, got {self.share_step}; 0.01 would do")
        if faults:
            raise ValueError("\n".join(faults))
        return self

    def faults(self, niches: Collection[str]) -> list[str]:
        """What does not fit the niches of the scenario, a line each."""
        place, given = "collaboration.complementarity", self.complementarity
        pairs = [(one, other) for one, row in given.items() for other in row]
        unknown = sorted({name for pair in pairs for name in pair} - set(niches))
        uneven = [
            (one, other)
            for one, other in pairs
            if one < other and given.get(other, {}).get(one, given[one][other]) != given[one][other]
        ]
        return [
            *(f"{place}: unknown niche {name!r}; known: {', '.join(niches)}" for name in unknown),
            *(
                f"{place}: {one} with {other} is {given[one][other]}, {other} with {one} is {given[other][one]}; "
                "a work has no order: say it once"
                for one, other in uneven
            ),
        ]
