"""Takes events and answers as they happen, and at the end of each step chains them and puts them into the store."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from ecosim.record.digest import Digest, pack
from ecosim.record.store import Store
from ecosim.words import KEY, Decision, Question, Table
from ecosim.world import Events, Schema

ARROW = {"i8": pa.int64(), "f8": pa.float64(), "str": pa.string()}


class Recorder:
    """The record of a run in the making.

    Args:
        schemas: the event tables of the side.
        num_replicas: how many replicas stand side by side.
        store: where rows go; None keeps nothing but the digests.
    """

    def __init__(self, schemas: Mapping[str, Schema], num_replicas: int, store: Store | None) -> None:
        self.schemas = schemas
        self.store = store
        self.digest = Digest(num_replicas)
        self.exogenous = Digest(num_replicas)
        self.scores = Digest(num_replicas)
        self._open: dict[str, list[Table]] = {}
        self._scores: list[tuple[Question, Decision]] = []

    def take(self, phase: str, events: Events) -> None:
        """Events of a phase."""
        for name, rows in events.items():
            if rows.num_rows:
                self._open.setdefault(name, []).append(rows)

    def take_answers(self, questions: Sequence[Question], decisions: Sequence[Decision]) -> None:
        """Decisions of minds that guess, with what they saw and how they scored it."""
        pairs = zip(questions, decisions, strict=True)
        self._scores += [(question, decision) for question, decision in pairs if decision.trace is not None]

    def close_step(self, step: int) -> dict[str, Table]:
        """Chain and store the step; gives its events by table, in order."""
        packed = {name: pack(pieces, self.schemas[name]) for name, pieces in self._open.items()}
        self._open = {}
        self.digest.add_step(step, packed, list(self.schemas))
        outside = [name for name, schema in self.schemas.items() if schema.is_exogenous]
        self.exogenous.add_step(step, {name: packed[name] for name in outside if name in packed}, outside)
        tables = {name: rows.table for name, rows in packed.items()}
        self._chain_scores(step)
        if self.store is not None:
            for name, table in tables.items():
                self.store.append(f"events/{name}", _arrow(table, self.schemas[name], step))
            for question, decision in self._scores:
                assert decision.trace is not None
                self.store.append("events/answers", _answers(question, decision, decision.trace))
        self._scores = []
        return {name: tables.get(name, self._none(name)) for name in self.schemas}

    def _chain_scores(self, step: int) -> None:
        """Log-probabilities and margins have a digest of their own: they may differ where events do not."""
        for question, decision in self._scores:
            order = np.lexsort([question.key[name] for name in reversed(("replica", *KEY))])
            for row in order[decision.flops[order] > 0].tolist():
                replica = int(question.key["replica"][row])
                key = b"".join(int(question.key[name][row]).to_bytes(8, "little", signed=True) for name in KEY)
                values = np.array([decision.logp[row], decision.margin[row]], "<f8").tobytes()
                text = self.scores.links[replica] + step.to_bytes(8, "little") + question.name.encode() + key + values
                self.scores.links[replica] = hashlib.sha256(text).digest()

    def _none(self, name: str) -> Table:
        kinds = {"i8": np.int64, "f8": np.float64, "str": object}
        columns = {c.name: np.zeros(0, kinds[c.kind]) for c in self.schemas[name].columns}
        return Table({"replica": np.zeros(0, np.int64), **columns})


def _arrow(table: Table, schema: Schema, step: int) -> pa.Table:
    columns = {"replica": pa.array(table["replica"]), "step": pa.array(np.full(table.num_rows, step))}
    columns |= {c.name: pa.array(table[c.name], ARROW[c.kind]) for c in schema.columns}
    return pa.table(columns)


def _answers(question: Question, decision: Decision, trace: Table) -> pa.Table:
    rows = trace["row"]
    columns = {
        "replica": pa.array(question.key["replica"][rows]),
        "step": pa.array(np.full(len(rows), question.step)),
        "question": pa.array([question.name] * len(rows), pa.string()),
        **{name: pa.array(question.key[name][rows]) for name in KEY},
        **{name: pa.array(trace[name].tolist(), pa.string()) for name in ("field", "prompt", "answer")},
        **{name: pa.array(trace[name].tolist(), pa.string()) for name in ("options", "scores")},
        "logp": pa.array(decision.logp[rows]),
        "margin": pa.array(decision.margin[rows]),
        "flops": pa.array(decision.flops[rows]),
    }
    return pa.table(columns)
