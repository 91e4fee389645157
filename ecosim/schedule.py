"""Changes from outside as they happen: what a scenario plans and what functions from Python do, as a step begins.

A schedule is no state: what is due follows from the scenario, the arms and the number of the step, so a run that is
taken up again, or a replica taken out of it, meets the same changes. Everything is done replica by replica or row by
row, and recorded in the event table `interventions`.

Laws stand: cash and goods move through the ledger, from and to `nature`, for the reason `interventions`; where less is
there than is to be taken, all that is there is taken. A function gets one replica at a time as a world of its own and
may write columns of its tables; what it wrote is checked and brought back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ecosim.errors import RuleError
from ecosim.fields import Array
from ecosim.interventions import MIND, homes, panel_of, rows_of
from ecosim.levers import Lever, Panel, rows_where
from ecosim.scenario import Intervention, Scenario
from ecosim.words import Question, Table, concat

if TYPE_CHECKING:
    from ecosim.side import Events, Side
    from ecosim.world import World

Change = Callable[["World"], None]
"""A user's own intervention: writes to the tables of a world of one replica."""

MESSAGE = "message"
"""The text column of questions; only runs whose scenario has messages have it."""

_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Timed:
    """A function of a user's own, when it is called, and how the record calls it."""

    step: int
    name: str
    change: Change


class Schedule:
    """What is changed from outside in a run, and who reads which message.

    Args:
        side, scenario: whose.
        arms: for each arm code, the names by which interventions may call it.
        functions: for each arm code, the user's own in the order in which they are made.
        minds: the code of each mind that interventions name.
    """

    def __init__(
        self,
        side: Side,
        scenario: Scenario,
        arms: Sequence[Sequence[str]],
        functions: Sequence[Sequence[Timed]] = (),
        minds: Mapping[str, int] | None = None,
    ) -> None:
        self._side = side
        self._minds = minds or {}
        self._panel = panel_of(side, scenario) if scenario.interventions or any(functions) else Panel()
        self._items = scenario.interventions
        self._in_arm = [np.array([not i.arms or bool(set(i.arms) & set(arm)) for arm in arms]) for i in self._items]
        self._functions = [list(found) for found in functions]
        self._readers = {i: self._reading(item) for i, item in enumerate(self._items) if item.message}

    def shocks(self, arm: int) -> list[str]:
        """The interventions of an arm after which its world may be another one than that of its pairs."""
        levers = {(lever.table, lever.name): lever for lever in self._panel.levers}
        moved = [
            str(i)
            for i, item in enumerate(self._items)
            if self._in_arm[i][arm] and not item.message and levers[item.table, item.column].is_exogenous
        ]
        own = self._functions[arm] if arm < len(self._functions) else []
        return moved + [f"{timed.name} in step {timed.step}" for timed in own]

    def apply(self, world: World) -> Events:
        """Make the changes of this step in all live replicas; gives their events, or none."""
        rows = [row for i, item in enumerate(self._items) if item.step == world.steps for row in self._make(world, i)]
        rows += self._call(world)
        return {"interventions": concat(rows)} if rows else {}

    def tell(self, world: World, questions: list[Question]) -> list[Question]:
        """The questions with the messages of this step, if the scenario has any at all."""
        return [self._with_messages(world, question) for question in questions] if self._readers else questions

    def _live(self, world: World, index: int) -> Array:
        replicas = world.tables["replicas"]
        return np.flatnonzero(replicas["is_live"] & self._in_arm[index][replicas["arm"]])

    def _make(self, world: World, index: int) -> list[Table]:
        item, live = self._items[index], self._live(world, index)
        if not len(live):
            return []
        if item.message:
            readers = sum(int(mask.sum()) for mask in self._readers[index].values())
            return [_row(index, 0, item.what, "questions", MESSAGE, live, readers)]
        lever = self._panel.of(item.table)[item.column]
        local = np.flatnonzero(rows_of(self._panel, lever, item))
        before, after = self._changed(world, lever, item, live, local)
        totals = (_NAN, _NAN) if lever.is_mind else (_totals(before, lever), _totals(after, lever))
        num_rows = (before != after).sum(axis=1)
        return [_row(index, 0, item.what, item.table, item.column, live, num_rows, *totals)]

    def _changed(
        self, world: World, lever: Lever, item: Intervention, live: Array, local: Array
    ) -> tuple[Array, Array]:
        """Make a change; stored values before and after, (live replicas, rows)."""
        change, value = item.change
        if lever.table == "accounts":
            return _through_ledger(world, lever, change, float(value), live, local)
        table = world.tables[lever.table]
        rows = live[:, None] * (table.num_rows // world.num_replicas) + local
        before = table[lever.stored][rows]
        if isinstance(value, str):
            after = np.full_like(before, self._minds[value])
        else:
            after = lever.after(before, change, value)
        table[lever.stored][rows] = after
        return before, after

    # ---- messages -------------------------------------------------------------------------------------------------

    def _reading(self, item: Intervention) -> dict[str, Array]:
        """By home table, which of a replica's members read a message."""
        found = {}
        for table in homes(self._side):
            try:
                found[table] = rows_where(self._panel.places[table], item.where)
            except LookupError:
                continue  # they are not named so there: it is for others
        return found

    def _with_messages(self, world: World, question: Question) -> Question:
        texts = np.full(question.num_rows, "", object)
        home, replica = self._side.home(question.role), question.key["replica"]
        for i, readers in self._readers.items():
            item = self._items[i]
            if home in readers and item.step <= world.steps < item.step + item.steps:
                is_reader = readers[home][question.key["subject"]]
                is_reader &= self._in_arm[i][world.tables["replicas"]["arm"][replica]]
                for row in np.flatnonzero(is_reader).tolist():
                    texts[row] = f"{texts[row]} {item.message}".strip()
        columns, its_units = {**question.columns, MESSAGE: texts}, {**question.units, MESSAGE: "text"}
        return replace(question, columns=columns, units=its_units, whole=None, rows=None)

    # ---- functions ------------------------------------------------------------------------------------------------

    def _call(self, world: World) -> list[Table]:
        """Functions of this step, replica by replica: the same alone and among others."""
        replicas = world.tables["replicas"]
        rows = []
        for arm, functions in enumerate(self._functions):
            mine = np.flatnonzero(replicas["is_live"] & (replicas["arm"] == arm)).tolist()
            for k, timed in enumerate(functions):
                if timed.step == world.steps:
                    for replica in mine:
                        rows += _called(world, replica, timed, len(self._items) + k, self._panel)
        return rows


def _through_ledger(
    world: World, lever: Lever, change: str, value: float, live: Array, local: Array
) -> tuple[Array, Array]:
    """Give and take cash or goods; who has less than is taken gives all, who has debts is not asked for more."""
    ledger, asset = world.ledger, world.ledger.asset(lever.stored)
    rows = ledger.rows(live[:, None], local)
    before = ledger.accounts["balance"][rows, asset]
    have = np.maximum(before, 0) if change != "set" else before
    gain = (lever.after(have, change, value) - have).reshape(-1)
    account, nature = rows.reshape(-1), np.repeat(ledger.outside("nature", live), len(local))
    for amount, giver, taker in ((gain, nature, account), (-gain, account, nature)):
        moved = np.maximum(amount, 0)
        if asset:
            ledger.move(asset, moved, giver, taker)
        else:
            ledger.pay("interventions", moved, giver, taker)
    return before, ledger.accounts["balance"][rows, asset]


def _called(world: World, replica: int, timed: Timed, index: int, panel: Panel) -> list[Table]:
    """Give a function its replica, and bring back what it wrote; a row an altered column."""
    alone = world.replica(replica)
    place = f"intervention {timed.name!r}, step {timed.step}"
    try:
        timed.change(alone)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise RuleError(f"{place}: {type(error).__name__}: {error}") from error
    units = {(lever.table, lever.stored): lever for lever in panel.levers if lever.table != "accounts"}
    live = np.array([replica])
    found: list[Table] = []
    for table, column, before, after in _written(world, alone, replica, place, panel):
        lever = units.get((table, column), Lever(table=table, name=column, unit="", about=""))
        is_number = before.dtype.kind in "if"
        per_unit = lever if table != "accounts" else replace(lever, per_unit=10**6)
        totals = [_totals(values.reshape(1, -1), per_unit) for values in (before, after)] if is_number else [_NAN] * 2
        num_rows = int((before != after).reshape(len(before), -1).any(axis=1).sum())
        found.append(_row(index, len(found), timed.name, table, lever.name, live, num_rows, *totals))
    alone.close()
    return found or [_row(index, 0, timed.name, "", "", live, 0)]


def _written(
    world: World, alone: World, replica: int, place: str, panel: Panel
) -> Iterator[tuple[str, str, Array, Array]]:
    """Copy back every column that is another one now; accounts asset by asset.

    Raises:
        RuleError: rows were added or dropped, or ids were written, or values are not of the column's kind.
    """
    for name, table in world.tables.items():
        rows = np.flatnonzero(table["replica"] == replica)
        new = alone.tables.get(name, Table({}))
        if list(new) != list(table) or new.num_rows != len(rows):
            raise RuleError(f"{place}: {name}: has other columns or another number of rows now; write to columns only")
        fixed = {
            "replica",
            "member",
            "account",
            "is_member",
            *(panel.places.get(name, {}) if name != "accounts" else ()),
        }
        for column, values in table.items():
            before, after = values[rows], np.asarray(new[column])
            if column == "replica" or (before.shape == after.shape and _same(before, after)):
                continue
            if name == "replicas" or column in fixed:
                raise RuleError(f"{place}: {name}.{column}: says who is who, and can't be changed")
            if column.startswith(MIND):
                raise RuleError(f"{place}: {name}.{column}: minds are changed by name, in the scenario's interventions")
            if before.shape != after.shape or before.dtype != after.dtype:
                raise RuleError(
                    f"{place}: {name}.{column}: must be {before.dtype} of shape {before.shape}, got {after.dtype} of "
                    f"{after.shape}"
                )
            if after.dtype.kind == "f" and not np.isfinite(after).all():
                raise RuleError(f"{place}: {name}.{column}: must be finite, got {after[~np.isfinite(after)][0]}")
            values[rows] = after
            if column == "balance":
                own = table["is_member"][rows]
                assets = enumerate(world.ledger.assets)
                moved = [(a, asset) for a, asset in assets if (before[own, a] != after[own, a]).any()]
                yield from ((name, asset, before[own, a], after[own, a]) for a, asset in moved)
            elif column != "cash_by_reason":
                yield name, column, before, after


def _same(before: Array, after: Array) -> bool:
    return before.dtype == after.dtype and bool((before == after).all())


def _totals(values: Array, lever: Lever) -> Array:
    """Sums of stored values by replica, in units; exact sums, so that no order counts."""
    if values.dtype.kind == "f":
        return np.array([math.fsum(row) for row in values])
    return values.sum(axis=1, dtype=np.int64) / lever.per_unit


def _row(
    index: int,
    part: int,
    what: str,
    table: str,
    column: str,
    live: Array,
    rows: Array | int,
    before: Array | float = _NAN,
    after: Array | float = _NAN,
) -> Table:
    """One event a replica."""

    def fill(value: Array | float | int | str, kind: type) -> Array:
        filled: Array = np.empty(len(live), kind)
        filled[:] = value
        return filled

    return Table(
        {
            "replica": live,
            "intervention": fill(index, np.int64),
            "part": fill(part, np.int64),
            "what": fill(what, object),
            "table": fill(table, object),
            "column": fill(column, object),
            "rows": fill(rows, np.int64),
            "before": fill(before, np.float64),
            "after": fill(after, np.float64),
        }
    )
