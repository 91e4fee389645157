"""What consumers want."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ecosim.scenario import Amount, Facts, Whole

Setting = Literal["constant", "variable", "larger", "seasonal", "normal"]
_ONLY = {"season": "seasonal", "correlation": "ar1", "file": "series", "setting": "invagent"}
"""Keys that one kind alone needs, and which one."""
_WITHOUT_MEAN = ("series", "invagent")


class Demand(Facts):
    """What consumers want of each firm that sells to them, each week, in whole units.

    Attributes:
        kind: `constant` is the mean every week; `normal` is rounded and never below 0; `poisson` has a mean up to 500;
            `step` is without chance; `seasonal` is normal about a mean that goes up and down; `ar1` is normal and
            remembers the week before; `series` is read from a file; `invagent` is one of the settings of that paper.
        mean_units: mean of a week; of a step, what is wanted before `step_week`.
        sd_units: standard deviation of a week (`normal`, `seasonal`, `ar1`).
        step_week: the first week of `step_units` (`step` only); 0: from the start.
        step_units: what is wanted from `step_week` on (`step` only).
        season: times the mean in weeks 1, 2, …, and from the start again (`seasonal` only).
        correlation: with the week before, above -1, below 1 and not 0 (`ar1` only).
        file: a CSV or Parquet file with the columns week (or step) and demand_units, and if firms differ, firm or item
            (`series` only); a relative path starts from the scenario's folder.
        setting: constant 4; variable 0 … 4; larger 0 … 8; seasonal 0 … 4 for four weeks, then 5 … 8; normal, mean 4 and
            deviation 2 (`invagent` only).
        price_eur: what consumers pay for a unit.
        of_inactive: what consumers of a firm that is out of business, or takes no orders, do: `lost` stay away, `moves`
            go in equal parts, in whole units, to the firms that sell them the same item (to none: stay away).
    """

    kind: Literal["constant", "normal", "poisson", "step", "seasonal", "ar1", "series", "invagent"]
    mean_units: Amount = 0.0
    sd_units: Amount = 0.0
    step_week: Whole = 0
    step_units: Amount = 0.0
    season: list[Amount] = Field(default_factory=list)
    correlation: Annotated[float, Field(gt=-1, lt=1)] = 0.0
    file: str = ""
    setting: Setting | None = None
    price_eur: Amount = 0.0
    of_inactive: Literal["lost", "moves"] = "lost"

    @model_validator(mode="after")
    def _poisson_is_small(self) -> Self:
        if self.kind == "poisson" and self.mean_units > 500:
            raise ValueError(f"a Poisson mean_units is at most 500 (use kind: normal), got {self.mean_units}")
        return self

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        faults = []
        for key, kind in _ONLY.items():
            if getattr(self, key) and kind != self.kind:
                faults.append(f"{key}: only for kind: {kind}, not {self.kind}")
            elif kind == self.kind and not getattr(self, key):
                faults.append(f"{key}: missing; kind: {kind} needs it")
        has_mean = bool(self.mean_units or self.sd_units)
        if self.kind in _WITHOUT_MEAN and has_mean:
            faults.append(f"mean_units and sd_units: kind: {self.kind} has its own; leave them out")
        if self.kind not in _WITHOUT_MEAN and "mean_units" not in self.model_fields_set:
            faults.append("mean_units: missing; this key is required")
        if faults:
            raise ValueError("\n".join(faults))
        return self
