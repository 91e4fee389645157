"""The interventions of a scenario: what they may change and whom they concern, and what can be wrong with them.

All of it follows from the scenario and its side, without a world; `ecosim.schedule` makes the changes. A scenario says:

```yaml
interventions:                 # made at the beginning of their step, in this order
  - {step: 10, table: firms, column: capacity_units, where: {member: [pump_maker_1, 9]}, times: 0.5}  # or set, add
  - {step: 12, table: accounts, column: cash, where: {role: distributor}, add: -500, arms: [shock]}    # EUR, in one arm
  - {step: 15, table: firms, column: mind.negotiate, where: {role: supplier}, set: boulware}
  - {step: 20, message: "A strike is announced.", where: {role: distributor}, steps: 4}  # read in 4 steps
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim.fields import Array
from ecosim.levers import Lever, Panel, hint, rows_where
from ecosim.scenario import Intervention, Scenario

if TYPE_CHECKING:
    from ecosim.side import Side

MIND = "mind."
"""What the names of the columns begin with that say who answers."""


def panel_of(side: Side, scenario: Scenario) -> Panel:
    """The side's levers, and the seats of its members and populations in the scenario's phases: `mind.<phase>`."""
    panel = side.panel(scenario)
    phases: dict[tuple[str, str], list[str]] = {}
    for role, asked in side.asked(scenario).items():
        for phase in asked:
            phases.setdefault((side.home(role), phase), []).append(role)
    seats = []
    for (table, phase), roles in phases.items():
        place = panel.places[table]["role"]
        codes = [place.names.index(role) for role in roles]
        seats.append(
            Lever(
                table=table,
                name=f"{MIND}{phase}",
                unit="mind",
                about=f"who answers in {phase}, by name; set only",
                rows=np.isin(place.codes, codes),
                is_mind=True,
            )
        )
    return Panel((*panel.levers, *seats), panel.places)


def faults(side: Side, scenario: Scenario) -> list[str]:
    """What is wrong with the interventions of a scenario, but for minds and arms that there are not."""
    if not scenario.interventions:
        return []
    panel = panel_of(side, scenario)
    return [
        f"interventions[{i}]{fault}"
        for i, item in enumerate(scenario.interventions)
        for fault in (_message_faults(side, panel, item) if item.message else _change_faults(panel, item))
    ]


def late(scenario: Scenario) -> list[str]:
    """Interventions beyond the last step: a fault of a file; a run that is cut short just ends before."""
    last = scenario.steps
    return [
        f"interventions[{i}].step: {item.step} is beyond the last step, {last}; give an earlier one, or more steps"
        for i, item in enumerate(scenario.interventions)
        if item.step > last
    ]


def arm_faults(scenario: Scenario, arms: Sequence[str]) -> list[str]:
    """Interventions in arms that a run has not."""
    return [
        f"interventions[{i}].arms: this run has no arm {arm!r}{hint(arm, arms)}; compare arms of these names, or leave "
        "`arms` out"
        for i, item in enumerate(scenario.interventions)
        for arm in item.arms
        if arm not in arms
    ]


def seats_wished(side: Side, scenario: Scenario) -> list[tuple[int, str, str]]:
    """Of interventions without faults: index, `role.phase`, and the mind that shall sit there."""
    panel = panel_of(side, scenario)
    found = []
    for i, item in enumerate(scenario.interventions):
        if item.column.startswith(MIND):
            phase, place = item.column.removeprefix(MIND), panel.places[item.table]["role"]
            rows = rows_of(panel, panel.of(item.table)[item.column], item)
            roles = [place.names[code] for code in np.unique(place.codes[rows])]
            found += [(i, f"{role}.{phase}", str(item.set)) for role in roles]
    return found


def _change_faults(panel: Panel, item: Intervention) -> Iterator[str]:
    if item.table not in panel.tables:
        yield f".table: unknown table {item.table!r}{hint(item.table, panel.tables)}"
        return
    levers = panel.of(item.table)
    if item.column not in levers:
        yield f".column: {item.table} has no {item.column!r} to change{hint(item.column, levers)}"
        return
    lever = levers[item.column]
    try:
        if not rows_of(panel, lever, item).any():
            yield f".where: nobody there has {lever.name}; it is {lever.about}"
    except LookupError as error:
        yield f".where: {error.args[0]}"
    yield from _value_faults(lever, *item.change)


def _value_faults(lever: Lever, change: str, value: float | str) -> Iterator[str]:
    if lever.is_mind:
        if change != "set" or not isinstance(value, str):
            yield f".{change}: {lever.name} can only be set to a mind by name, got {value!r}"
    elif isinstance(value, str):
        yield f".{change}: {lever.name} is a number{f' in {lever.unit}' if lever.unit else ''}, got {value!r}"
    elif change == "set" and not lever.low <= value <= lever.high:
        yield (
            f".set: {lever.name} lies within {lever.low:g} … {lever.high:g} {lever.unit}".rstrip() + f", got {value:g}"
        )
    elif change == "times" and value < 0 <= lever.low:
        yield f".times: {lever.name} can't be below 0, got {value:g}"


def _message_faults(side: Side, panel: Panel, item: Intervention) -> Iterator[str]:
    wrong: list[str] = []
    for table in homes(side):
        try:
            if rows_where(panel.places[table], item.where).any():
                return
        except LookupError as error:
            wrong.append(str(error.args[0]))
    yield f".where: {wrong[0]}" if wrong else ".where: this is nobody"


def homes(side: Side) -> list[str]:
    """The tables that hold those who are asked."""
    return list(dict.fromkeys(side.home(role) for role in side.roles))


def rows_of(panel: Panel, lever: Lever, item: Intervention) -> Array:
    """Which rows of a replica are changed, bool (rows of a replica,)."""
    rows = rows_where(panel.places[item.table], item.where)
    return rows if lever.rows is None else rows & lever.rows
