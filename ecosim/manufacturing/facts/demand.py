"""What consumers want."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from ecosim.scenario import Amount, Facts, Whole


class Demand(Facts):
    """What consumers want of each firm that sells to them, each week, in whole units.

    Attributes:
        kind: `normal` is rounded and never below 0; `poisson` has a mean up to 500; `step` is without chance.
        mean_units: mean of a week; of a step, what is wanted before `step_week`.
        sd_units: standard deviation of a week (`normal` only).
        step_week: the first week of `step_units` (`step` only); 0: from the start.
        step_units: what is wanted from `step_week` on (`step` only).
        price_eur: what consumers pay for a unit.
        of_inactive: what consumers of a firm that is out of business, or takes no orders, do: `lost` stay away, `moves`
            go in equal parts, in whole units, to the firms that sell them the same item (to none: stay away).
    """

    kind: Literal["normal", "poisson", "step"]
    mean_units: Amount
    sd_units: Amount = 0.0
    step_week: Whole = 0
    step_units: Amount = 0.0
    price_eur: Amount = 0.0
    of_inactive: Literal["lost", "moves"] = "lost"

    @model_validator(mode="after")
    def _poisson_is_small(self) -> Self:
        if self.kind == "poisson" and self.mean_units > 500:
            raise ValueError(f"a Poisson mean_units is at most 500 (use kind: normal), got {self.mean_units}")
        return self
