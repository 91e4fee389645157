"""A mind that answers what was answered before, row for row: a run can be had again without its models.

Rows are found by replica, step and key, so that splits, shuffles and other company change nothing. The record of a
question is read when it is first asked. What it refuses to know: where the record is kept, and who decided.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ecosim.errors import DecisionError
from ecosim.fields import Array
from ecosim.words import KEY, Decision, Question, Table

_NAME = ("step", "replica", *KEY)
"""The columns that name a row of a run."""

Recorded = Callable[[str], Table]
"""The decisions recorded of a question (`role.phase`): `step`, `replica`, the key, `answer.<field>`, `logp`, `margin`,
`flops`, `memory.<name>`; no columns if there are none. `ecosim.record.decisions.recorded` reads them from a store."""


@dataclass(frozen=True, slots=True)
class _Record:
    """The rows of one question, with their names in order."""

    names: Array
    rows: Table


class Replay:
    """Recorded decisions in a seat.

    Args:
        recorded: gives the decisions of a question.
        name: of the mind that is replayed.
        fingerprint: of that mind.
        grade: how its work is counted.
    """

    def __init__(self, recorded: Recorded, *, name: str, fingerprint: str, grade: str = "replay") -> None:
        self.name = name
        self.grade = grade
        self.fingerprint = fingerprint
        self._recorded = recorded
        self._records: dict[str, _Record] = {}

    def decide(self, question: Question) -> Decision:
        """The answers that were given; a trace has not been recorded with them.

        Raises:
            DecisionError: a row, or a field, was not recorded, or a row was recorded twice.
        """
        record = self._record(question)
        asked = _names([np.full(question.num_rows, question.step), *(question.key[name] for name in _NAME[1:])])
        found = np.searchsorted(record.names, asked)
        inside = np.minimum(found, max(len(record.names) - 1, 0))
        missing = record.names[inside] != asked if len(record.names) else np.ones(len(asked), bool)
        if missing.any():
            raise DecisionError(self._missing(question, missing))
        rows = record.rows.take(found)
        return Decision(
            answers={spec.name: self._answer(question, rows, spec.name) for spec in question.fields},
            logp=rows["logp"],
            margin=rows["margin"],
            flops=rows["flops"],
            memory={name.removeprefix("memory."): rows[name] for name in rows if name.startswith("memory.")},
        )

    def _record(self, question: Question) -> _Record:
        """The record of a question, in order."""
        if question.name not in self._records:
            rows = self._recorded(question.name)
            names = _names([rows[name] for name in _NAME] if rows.num_rows else [np.zeros(0, np.int64)] * len(_NAME))
            if not (names[:-1] < names[1:]).all():
                order = np.argsort(names)
                names, rows = names[order], rows.take(order)
                if (names[:-1] == names[1:]).any():
                    raise DecisionError(f"{self._place(question)}: the record has a row twice; verify the run's folder")
            self._records[question.name] = _Record(names, rows)
        return self._records[question.name]

    def _answer(self, question: Question, rows: Table, field: str) -> Array:
        if f"answer.{field}" not in rows:
            known = [name.removeprefix("answer.") for name in rows if name.startswith("answer.")]
            raise DecisionError(f"{self._place(question)}: no answers to {field!r} were recorded, but to {known}")
        return rows[f"answer.{field}"]

    def _missing(self, question: Question, missing: Array) -> str:
        row = int(np.flatnonzero(missing)[0])
        who = ", ".join(f"{name} {int(question.key[name][row])}" for name in ("replica", *KEY))
        return (
            f"{self._place(question)}, {who}: no decision was recorded ({int(missing.sum())} of {len(missing)} rows); "
            "replay the run's own scenario, seeds and minds"
        )

    def _place(self, question: Question) -> str:
        return f"replay of {self.name!r}, {question.name}, step {question.step}"


def _names(columns: list[Array]) -> Array:
    """Rows of integers as byte strings of one length, which sort as the rows do."""
    signed = np.stack(columns, axis=1).astype(np.int64)
    unsigned = (signed.view(np.uint64) ^ np.uint64(1 << 63)).astype(">u8")
    return unsigned.view(f"S{8 * len(columns)}")[:, 0]
