"""What happens from outside: outages, surges, closures, delays, price jumps and recalls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import combinations
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from ecosim.fields import Array
from ecosim.levers import Place, hint, rows_where
from ecosim.manufacturing.facts.firms import Firms, Item
from ecosim.scenario import Facts, Share, Whom

Kind = Literal["outage", "surge", "closure", "delay", "cost_jump", "value_jump", "recall"]
KINDS: tuple[Kind, ...] = ("outage", "surge", "closure", "delay", "cost_jump", "value_jump", "recall")
OF_ITEMS: tuple[Kind, ...] = ("cost_jump", "value_jump")
"""Kinds that concern items; all others concern firms."""
SHARES: tuple[Kind, ...] = ("outage", "closure", "recall")
"""Kinds whose size is a share that is lost."""
ROLE_NAMES = ("supplier", "manufacturer", "distributor")
Spell = Annotated[int, Field(ge=1, le=520)]


class Trigger(Facts):
    """A shock that may follow another.

    Attributes:
        shock: its name.
        chance: that it follows.
        weeks: how many weeks after the beginning of the first it begins.
    """

    shock: str
    chance: Share = 1.0
    weeks: Annotated[int, Field(ge=0, le=520)] = 1


class Shock(Facts):
    """Something that happens to firms or goods from outside, in set weeks, by chance, or because of another shock.

    `size` is the share lost of capacity (`outage`), of the stock that could be sent to other firms (`closure`), or of
    the stock of an item, once, wherever it lies (`recall`); the factor of demand (`surge`), of the cost of making
    (`cost_jump`) or of what buyers find an item worth (`value_jump`); the weeks by which goods that leave come later
    (`delay`).

    Attributes:
        name: how reports and other shocks call it.
        kind: what it does; see above.
        whom: whose, by `member` (name or number), `group`, `role` or `item` sold; all must fit; empty for everybody. Of
            jumps, the `item` alone; of a recall, the `item` that is withdrawn, else what each firm sells.
        size: how large it is; see above.
        week: when it begins; 0: not on a set date.
        chance: that it begins in a week in which it is not under way.
        weeks: how long it lasts; of one that begins by chance, at least.
        most_weeks: how long it lasts at most, drawn evenly; 0: as long as `weeks`.
        recovery_weeks: weeks after that in which it fades evenly; 0: it is over at once.
        triggers: shocks that it may bring about.
    """

    name: str
    kind: Kind
    whom: dict[str, Whom] = Field(default_factory=dict)
    size: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 1.0
    week: Annotated[int, Field(ge=0, le=10**6)] = 0
    chance: Share = 0.0
    weeks: Spell = 1
    most_weeks: Annotated[int, Field(ge=0, le=520)] = 0
    recovery_weeks: Annotated[int, Field(ge=0, le=520)] = 0
    triggers: list[Trigger] = Field(default_factory=list)

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.kind in SHARES and not 0 < self.size <= 1:
            raise ValueError(f"the size of a {self.kind} is a share above 0, at most 1, got {self.size:g}")
        if self.kind == "delay" and (self.size < 1 or self.size != round(self.size)):
            raise ValueError(f"the size of a delay is whole weeks from 1, got {self.size:g}")
        if self.kind not in (*SHARES, "delay") and self.size == 1:
            raise ValueError(f"the size of a {self.kind} is a factor, and 1 changes nothing; give another")
        if self.kind == "recall" and (self.weeks > 1 or self.most_weeks or self.recovery_weeks):
            raise ValueError("a recall happens in one week; leave out weeks, most_weeks and recovery_weeks")
        if self.most_weeks and self.most_weeks < self.weeks:
            raise ValueError(f"most_weeks ({self.most_weeks}) must not be below weeks ({self.weeks})")
        if self.kind in OF_ITEMS and set(self.whom) != {"item"}:
            raise ValueError(f"a {self.kind} concerns items; name them alone: whom: {{item: …}}")
        return self

    @property
    def last_week(self) -> int:
        """The last week in which it can be felt, of one with a date."""
        return self.week + max(self.weeks, self.most_weeks) - 1 + self.recovery_weeks


def places(firms: Sequence[Firms], items: Sequence[str]) -> dict[str, Place]:
    """The columns by which shocks name firms."""
    groups = [(i, k) for i, group in enumerate(firms) for k in range(group.count)]
    group = np.array([i for i, _ in groups])
    names = tuple(firms[i].name if firms[i].count == 1 else f"{firms[i].name}_{k + 1}" for i, k in groups)
    return {
        "member": Place(np.arange(len(groups)), names),
        "group": Place(group, tuple(one.name for one in firms)),
        "role": Place(np.array([ROLE_NAMES.index(firms[i].role) for i in group]), ROLE_NAMES),
        "item": Place(np.array([items.index(firms[i].sells) for i in group]), tuple(items)),
    }


def goods(items: Sequence[str]) -> dict[str, Place]:
    """The column by which shocks name items."""
    return {"item": Place(np.arange(len(items)), tuple(items))}


def reached(shock: Shock, where: Mapping[str, Place], firms: Sequence[Firms], items: Mapping[str, Item]) -> Array:
    """Which firms of a replica, or of jumps which items, a shock concerns, bool.

    Raises:
        LookupError: an unknown name or number.
    """
    if shock.kind in OF_ITEMS:
        return rows_where(goods(list(items)), shock.whom)
    if shock.kind != "recall" or "item" not in shock.whom:
        return rows_where(where, shock.whom)
    withdrawn = {list(items)[i] for i in np.flatnonzero(rows_where(goods(list(items)), {"item": shock.whom["item"]}))}
    holds = [withdrawn & {one.sells, *(items[one.sells].bom if one.role != "distributor" else ())} for one in firms]
    whose = {name: whom for name, whom in shock.whom.items() if name != "item"}
    return rows_where(where, whose) & np.array([bool(held) for held in holds])[where["group"].codes]


def shock_faults(shocks: Sequence[Shock], firms: Sequence[Firms], items: Mapping[str, Item]) -> list[str]:
    """What is wrong with the shocks of a scenario whose firms and items are all right."""
    if not shocks:
        return []
    names = [shock.name for shock in shocks]
    faults = [
        f"shocks[{i}].name: another shock is called {name!r}" for i, name in enumerate(names) if name in names[:i]
    ]
    faults += [fault for i in range(len(shocks)) for fault in _trigger_faults(i, shocks)]
    where = places(firms, list(items))
    hit = {}
    for i, shock in enumerate(shocks):
        try:
            hit[i] = reached(shock, where, firms, items)
        except LookupError as error:
            faults.append(f"shocks[{i}].whom: {error.args[0]}")
            continue
        faults += _reach_faults(i, shock, hit[i], where, firms)
    return faults + list(_overlaps(shocks, hit)) + _loops(shocks)


def late_faults(shocks: Sequence[Shock], steps: int) -> list[str]:
    """Shocks beyond the last week: a fault of a file; a run that is cut short just ends before."""
    return [
        f"shocks[{i}].week: {shock.week} is beyond the last week, {steps}; give an earlier one, or more steps"
        for i, shock in enumerate(shocks)
        if shock.week > steps
    ]


def _trigger_faults(i: int, shocks: Sequence[Shock]) -> Iterator[str]:
    names = [shock.name for shock in shocks]
    shock = shocks[i]
    for j, trigger in enumerate(shock.triggers):
        if trigger.shock not in names:
            yield f"shocks[{i}].triggers[{j}].shock: unknown shock {trigger.shock!r}{hint(trigger.shock, names)}"
    is_triggered = any(trigger.shock == shock.name for one in shocks for trigger in one.triggers)
    if shock.week and shock.chance:
        yield f"shocks[{i}]: begins in week {shock.week} or with a chance a week, not both; write two shocks"
    if not (shock.week or shock.chance or is_triggered):
        yield f"shocks[{i}]: never begins; give a week (from 1) or a chance, or let another shock trigger it"


def _reach_faults(
    i: int, shock: Shock, hit: Array, where: Mapping[str, Place], firms: Sequence[Firms]
) -> Iterator[str]:
    """Shocks that nobody would feel."""
    if not hit.any():
        yield f"shocks[{i}].whom: nobody there is all of this; name fewer columns"
    elif shock.kind == "outage" and not (where["role"].codes[hit] < ROLE_NAMES.index("distributor")).any():
        yield f"shocks[{i}].whom: an outage takes capacity, and distributors have none; use a closure"
    elif shock.kind == "surge" and not any(firms[g].demand == "consumers" for g in where["group"].codes[hit].tolist()):
        yield f"shocks[{i}].whom: a surge is of consumers' demand, and these firms do not sell to consumers"


def _overlaps(shocks: Sequence[Shock], hit: Mapping[int, Array]) -> Iterator[str]:
    """Two dated shocks of a kind that say different things of the same firm or item in the same week."""
    dated = [i for i in hit if shocks[i].week]
    for i, j in combinations(dated, 2):
        a, b = shocks[i], shocks[j]
        if a.kind == b.kind and (hit[i] & hit[j]).any() and a.week <= b.last_week and b.week <= a.last_week:
            yield (
                f"shocks[{j}]: {b.name!r} is a second {b.kind} for some whom {a.name!r} still concerns in week "
                f"{max(a.week, b.week)}; make them one, or move one"
            )


def _loops(shocks: Sequence[Shock]) -> list[str]:
    names = {shock.name for shock in shocks}
    after = {shock.name: [t.shock for t in shock.triggers if t.shock in names] for shock in shocks}
    try:
        TopologicalSorter(after).prepare()
    except CycleError as error:
        return [f"shocks: these would trigger each other for ever: {' → '.join(reversed(error.args[1]))}"]
    return []
