"""What a plan with perfect information understands of a scenario: where it bounds what firms can earn."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ecosim.manufacturing.scenario import ManufacturingScenario

UNDERSTOOD = ("transport", "adoption", "equipment", "board", "bulletins", "forecaster", "policies")
"""Subjects that the plan knows, or that only cost, limit or tell; others may let firms earn what it does not count."""
HARMLESS = ("demand_factor",)
"""Columns of interventions that the realised demand already shows."""


def not_understood(scenario: ManufacturingScenario) -> list[str]:
    """Subjects and interventions of a scenario that the plan does not know; a fault a line, or none."""
    keys = type(scenario).model_fields
    given = [
        f"{name!r}"
        for name, key in keys.items()
        if key.default is None and getattr(scenario, name) is not None and name not in UNDERSTOOD
    ]
    changed = [
        f"an intervention in {change.table}.{change.column}"
        for change in scenario.interventions
        if not change.message and change.column not in HARMLESS and not change.column.startswith("mind.")
    ]
    return [f"oracle: a plan with perfect information does not know {what}; leave it out" for what in given + changed]
