"""What planners keep to, firm by firm."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from ecosim.scenario import Count, Facts, Whole

PolicyKind = Literal["base_stock", "echelon_base_stock", "s_S", "r_Q", "eoq", "newsvendor"]
_TAKES: dict[str, tuple[str, ...]] = {
    "base_stock": ("level_units",),
    "echelon_base_stock": ("level_units",),
    "s_S": ("reorder_units", "level_units"),
    "r_Q": ("reorder_units", "lot_units"),
    "eoq": (),
    "newsvendor": (),
}


class Policy(Facts):
    """What a firm orders, or makes, of the item that it sells; the scripted planner of `replenish` keeps to it.

    Levels are of the inventory position: on hand and on order, less what is owed. What is not given is computed from
    the scenario's demand, costs and lead times (`ecosim.rules.inventory`), of which `s_S` needs Poisson demand.

    Attributes:
        kind: `base_stock` orders up to a level; `echelon_base_stock` the same with all stock downstream counted in;
            `s_S` orders up to the level at or below the reorder point; `r_Q` orders whole lots at or below it; `eoq` is
            `r_Q` with the economic lot and reorder point; `newsvendor` is `base_stock` with the level for the costs.
        level_units: order up to this.
        reorder_units: order at or below this (`s_S`, `r_Q`).
        lot_units: order a multiple of this (`r_Q`).
    """

    kind: PolicyKind
    level_units: Whole | None = None
    reorder_units: Whole | None = None
    lot_units: Count | None = None

    @model_validator(mode="after")
    def _has_what_its_kind_takes(self) -> Self:
        takes = _TAKES[self.kind]
        given = [name for name in ("level_units", "reorder_units", "lot_units") if getattr(self, name) is not None]
        faults = [f"{name}: {self.kind} has no use for it; leave it out" for name in given if name not in takes]
        if given and not faults and len(given) < len(takes):
            lacking = next(name for name in takes if name not in given)
            faults.append(
                f"{lacking}: missing; {self.kind} takes {' and '.join(takes)}, or neither, to have them computed"
            )
        if self.kind in ("echelon_base_stock", "r_Q") and not given:
            faults.append(f"{self.kind} needs {' and '.join(takes)}")
        if not faults and self.kind == "s_S" and given and (self.reorder_units or 0) >= (self.level_units or 0):
            faults.append(f"reorder_units ({self.reorder_units}) must be below level_units ({self.level_units})")
        if faults:
            raise ValueError("; ".join(faults))
        return self
