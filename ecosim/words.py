"""The three words: a world asks its members Questions, minds answer with Decisions, the answers become Events.

All three are tables: NumPy columns of equal length (text as object columns of str while in use, as Arrow strings in
files), never lists of objects, so that ten members and ten million take the same path. A Decision depends on its own
row of the Question alone: not on its neighbours, the batch, the shard, the worker or the clock. `Question.take` is
therefore all that splitting needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ecosim.errors import DecisionError
from ecosim.fields import Array, Field, Text, asked

KEY = ("subject", "counterpart", "item", "round")
"""The columns that name a row within its replica, step and phase; -1 where a part does not apply."""


class Table(Mapping[str, Array]):
    """Named columns of one length; `take` and `concat` are its whole algebra. Columns may be written in place."""

    __slots__ = ("columns",)

    def __init__(self, columns: Mapping[str, Array]) -> None:
        self.columns = dict(columns)
        if len(set(map(len, self.columns.values()))) > 1:
            raise ValueError(f"columns of unequal length: { {name: len(c) for name, c in self.columns.items()} }")

    def __getitem__(self, name: str) -> Array:
        return self.columns[name]

    def __setitem__(self, name: str, column: Array) -> None:
        if self.columns and len(column) != self.num_rows:
            raise ValueError(f"column {name!r} has {len(column)} rows, the table has {self.num_rows}")
        self.columns[name] = column

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __repr__(self) -> str:
        return f"Table({self.num_rows} rows: {', '.join(self.columns)})"

    @property
    def num_rows(self) -> int:
        """How many rows the table has."""
        return len(next(iter(self.columns.values()))) if self.columns else 0

    def take(self, rows: Array | slice) -> Table:
        """A copy of some rows, by index or by mask, in the order given; a slice gives views instead."""
        if not isinstance(rows, slice) and rows.dtype == bool:
            rows = rows.nonzero()[0]  # found once, not once a column
        return _alike({name: column[rows] for name, column in self.columns.items()})

    def copy(self) -> Table:
        """A copy of all rows."""
        return Table({name: column.copy() for name, column in self.columns.items()})


def concat(tables: Sequence[Table]) -> Table:
    """The rows of several tables with the same columns, one after another."""
    if len(tables) == 1:
        return tables[0]
    return _alike({name: np.concatenate([t.columns[name] for t in tables]) for name in tables[0].columns})


def _alike(columns: dict[str, Array]) -> Table:
    """A table of columns that are known to be of one length, as they were cut or joined alike."""
    table = object.__new__(Table)
    table.columns = columns
    return table


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the members of one role see in one phase, and what they may answer.

    Attributes:
        role, phase, step: who is asked, about what, when.
        key: int64 columns `replica` and those of KEY; unique together. Minds never read `replica`.
        seed: the mind seed of the row's replica, uint64 (rows,).
        mind: code of the mind that answers the row, int64 (rows,), an index into the world's list of minds.
        columns: what the member sees, (rows,) or (rows, slots); text as object arrays of str.
        masks: for a (rows, slots) column, which slots hold something, bool (rows, slots).
        units: the unit of each column, "" for a pure number; money in "EUR/1e6", goods in "units/1e6".
        fields: the answers asked for, in order.
        whole, rows: where several roles are asked alike: the question to all of them, and which of its rows these are;
            a host may then answer it at once (see `for_any_role`). Never travels, and is for no mind to read.
    """

    role: str
    phase: str
    step: int
    key: Table
    seed: Array
    mind: Array
    columns: Mapping[str, Array]
    masks: Mapping[str, Array] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[Field, ...]
    whole: Question | None = None
    rows: slice | None = None

    def __getstate__(self) -> list[object]:
        return [None if f.name in ("whole", "rows") else getattr(self, f.name) for f in fields(self)]

    @property
    def name(self) -> str:
        """`role.phase`, the name that cards and experts use."""
        return f"{self.role}.{self.phase}"

    @property
    def num_rows(self) -> int:
        """How many members are asked."""
        return len(self.mind)

    def __getitem__(self, column: str) -> Array:
        return self.columns[column]

    def field(self, name: str) -> Field:
        """The field of that name; KeyError if it is not asked."""
        for item in self.fields:
            if item.name == name:
                return item
        raise KeyError(f"{self.name} has no field {name!r}, it has {[f.name for f in self.fields]}")

    def part(self, role: str, rows: slice) -> Question:
        """The question to the members of one role, of a question to several whose rows are in the order of roles.

        Its columns are cut when somebody looks at them: who is answered as a part of the whole is never looked at.
        """
        part = object.__new__(Question)
        for name, value in (("role", role), ("whole", self), ("rows", rows), ("mind", self.mind[rows])):
            object.__setattr__(part, name, value)
        return part

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """What nobody has looked at of a part until now."""
            if name not in _CUT:
                raise AttributeError(name)
            value = _CUT[name](getattr(self.whole, name), self.rows)
            object.__setattr__(self, name, value)
            return value

    def take(self, rows: Array | slice) -> Question:
        """The same question to some of the members, by index or mask, or by slice (its columns are views then)."""
        if not isinstance(rows, slice) and rows.dtype == bool:
            rows = rows.nonzero()[0]
        return Question(
            role=self.role,
            phase=self.phase,
            step=self.step,
            units=self.units,
            key=self.key.take(rows),
            seed=self.seed[rows],
            mind=self.mind[rows],
            columns={name: column[rows] for name, column in self.columns.items()},
            masks={name: mask[rows] for name, mask in self.masks.items()},
            fields=tuple(f.take(rows) for f in self.fields),
        )


def _as_it_is(value: Any, rows: slice) -> Any:
    return value


def _cut(columns: Mapping[str, Array], rows: slice) -> dict[str, Array]:
    return {name: column[rows] for name, column in columns.items()}


_CUT: Mapping[str, Callable[[Any, slice], Any]] = {
    "phase": _as_it_is,
    "step": _as_it_is,
    "units": _as_it_is,
    "key": Table.take,
    "seed": lambda seed, rows: seed[rows],
    "columns": _cut,
    "masks": _cut,
    "fields": lambda fields, rows: tuple(item.take(rows) for item in fields),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answers, row for row.

    Attributes:
        answers: by field name, a column as `ecosim.fields` says.
        logp: natural log of the chance that the mind gave to its answers, float64 (rows,); 0 where it does not guess.
        margin: log-odds of the best answer over the next best in the first field, float64 (rows,); inf if no doubt.
        flops: nominal floating-point operations, a function of the row alone, int64 (rows,); what the member pays for.
        memory: columns to be stored unread and handed back next time.
        trace: what a language mind saw and scored, verbatim: one row per field asked, or None.
            Columns: `row` (int64, index into the question), `field`, `prompt`, `answer` (str),
            `options` (JSON list of str), `scores` (JSON list of numbers: natural-log likelihoods).
    """

    answers: Mapping[str, Array]
    logp: Array
    margin: Array
    flops: Array
    memory: Mapping[str, Array] = field(default_factory=dict)
    trace: Table | None = None

    def take(self, rows: Array) -> Decision:
        """Some rows, int64 (rows,), each at most once, with the part of the trace that is theirs."""
        trace = self.trace
        if trace is not None:
            place = np.full(len(self.logp), -1)
            place[rows] = np.arange(len(rows))
            trace = trace.take(place[trace["row"]] >= 0)
            trace["row"] = place[trace["row"]]
        return Decision(
            answers={name: column[rows] for name, column in self.answers.items()},
            logp=self.logp[rows],
            margin=self.margin[rows],
            flops=self.flops[rows],
            memory={name: column[rows] for name, column in self.memory.items()},
            trace=trace,
        )


class Mind(Protocol):
    """Whoever answers. A mind is pure: the same row gives the same answer, in any batch, on its class of machine."""

    @property
    def name(self) -> str:
        """How scenarios call it."""

    @property
    def grade(self) -> str:
        """Its rung on the ladder: scripted, nano, small, specialist, untrained, …"""

    @property
    def fingerprint(self) -> str:
        """A hash of all that its answers depend on: code, weights, prompts, numerics."""

    def decide(self, question: Question) -> Decision:
        """The answers to every row of the question."""


Answers = Mapping[str, Array]
Expert = Callable[[Question], Answers]
"""A scripted mind: a pure function from a question to its answers by field."""


def for_any_role(expert: Expert) -> Expert:
    """Marks an expert that never looks at the role: roles that are asked alike are then answered in one call."""
    expert.is_for_any_role = True  # type: ignore[attr-defined]  # a mark on the function, for `minds.scripted`
    return expert


def costing(flops: Callable[[Question], Array], expert: Expert) -> Expert:
    """Says what an expert's answers cost: nominal floating-point operations of each row; others cost nothing."""
    expert.flops = flops  # type: ignore[attr-defined]  # a mark on the function, for `minds.scripted`
    return expert


def certain(answers: Answers, num_rows: int, flops: Array | None = None) -> Decision:
    """A decision of a mind that does not guess and costs nothing, or what is said."""
    return Decision(
        answers=answers,
        logp=np.zeros(num_rows),
        margin=np.full(num_rows, np.inf),
        flops=np.zeros(num_rows, np.int64) if flops is None else flops,
    )


def check(question: Question, decision: Decision, mind: str) -> None:
    """Refuse a decision that does not answer its question.

    Raises:
        DecisionError: a field is missing or unknown, has another number of rows, or holds an illegal answer.
    """

    def place() -> str:
        return f"mind {mind!r}, {question.name}, step {question.step}"

    answers, rows = decision.answers, question.num_rows
    if len(answers) != len(question.fields) or any(spec.name not in answers for spec in question.fields):
        names = [f.name for f in question.fields]
        unknown, missing = sorted(set(answers) - set(names)), [name for name in names if name not in answers]
        if unknown:
            raise DecisionError(f"{place()}: answered {unknown}, asked were {names}", False)
        raise DecisionError(f"{place()}: field {missing[0]!r} has no answer", False)
    where: dict[object, Array | None] = {}
    for spec in question.fields:
        answer = answers[spec.name]
        if answer.shape != (rows,):
            raise DecisionError(f"{place()}: field {spec.name!r} has shape {answer.shape}, expected ({rows},)", False)
        if answer.dtype.kind not in "iu" and not isinstance(spec, Text):
            raise DecisionError(f"{place()}: {spec.name} must be a column of integers, got {answer.dtype}", False)
        if spec.only_if not in where:  # fields that hang on one answer are asked in the same rows
            of_rows = None if spec.only_if is None else asked(spec, answers, rows)
            where[spec.only_if] = None if of_rows is None or of_rows.all() else of_rows
        bad = spec.illegal(answer, where[spec.only_if])
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            who = ", ".join(f"{name} {int(question.key[name][row])}" for name in ("replica", *KEY))
            raise DecisionError(
                f"{place()}, {who}: {spec.name} = {_shown(answer[row])} is not allowed here; "
                f"allowed: {spec.describe(row)} ({int(bad.sum())} of {rows} rows)"
            )


def _shown(answer: object) -> str:
    """An answer for a message: text escaped and cut, whatever is in it."""
    shown = ascii(answer) if isinstance(answer, str) else str(answer)
    return shown if len(shown) <= 80 else f"{shown[:80]}… ({len(shown):,} characters)"
