"""Takes events and answers as they happen, and at the end of each step chains them and puts them into the store.

Besides the events it stores, outside the digest, the link of every replica after each step (`ops/digests`: a verify can
then name the first step that differs), what language minds read and scored (`events/answers`), and, of the minds that
cannot be had again for nothing, their decisions (`decisions/<role>.<phase>`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pyarrow as pa

from ecosim.record import decisions as kept_decisions
from ecosim.record.digest import Digest, always, pack
from ecosim.record.store import Store
from ecosim.side import Events, Schema
from ecosim.words import KEY, Decision, Question, Table

DIGESTS = "ops/digests"


class Recorder:
    """The record of a run in the making.

    Args:
        schemas: the event tables of the side.
        num_replicas: how many replicas stand side by side.
        store: where rows go; None keeps nothing but the digests.
        kept_minds: codes of the minds whose decisions are kept for a replay.
        chains: as `chains()` gave them, to go on from there; None starts anew.
    """

    def __init__(
        self,
        schemas: Mapping[str, Schema],
        num_replicas: int,
        store: Store | None,
        *,
        kept_minds: Collection[int] = (),
        chains: Mapping[str, Sequence[bytes]] | None = None,
    ) -> None:
        links = chains or {}
        self.schemas = schemas
        self.store = store
        self.digest = Digest(num_replicas, links.get("events"))
        self.exogenous = Digest(num_replicas, links.get("exogenous"))
        self.scores = Digest(num_replicas, links.get("scores"))
        self._kept_minds = sorted(kept_minds) if store is not None else []
        self._open: dict[str, list[Table]] = {}
        self._empty = {name: _none(schema) for name, schema in schemas.items()}
        self._scores: list[tuple[Question, Decision]] = []
        self._decisions: dict[str, list[pa.Table]] = {}

    def chains(self) -> dict[str, list[bytes]]:
        """The latest link of each replica in each chain: `events`, `exogenous`, `scores`."""
        chains = {"events": self.digest, "exogenous": self.exogenous, "scores": self.scores}
        return {name: list(chain.links) for name, chain in chains.items()}

    def take(self, phase: str, events: Events) -> None:
        """Events of a phase."""
        for name, rows in events.items():
            if rows.num_rows:
                self._open.setdefault(name, []).append(rows)

    def take_answers(self, questions: Sequence[Question], decisions: Sequence[Decision]) -> None:
        """Decisions: scores of minds that guess, with what they saw; whole rows of the minds that are kept."""
        for question, decision in zip(questions, decisions, strict=True):
            if decision.trace is not None or decision.flops.any():
                self._scores.append((question, decision))
            if self._kept_minds:
                rows = kept_decisions.kept(question, decision, self._kept_minds)
                if rows.num_rows:
                    self._decisions.setdefault(question.name, []).append(rows)

    def close_step(self, step: int) -> dict[str, Table]:
        """Chain and store the step; gives its events by table, in order."""
        packed = {name: pack(pieces, self.schemas[name]) for name, pieces in self._open.items()}
        self._open = {}
        self.digest.add_step(step, packed, always(self.schemas))
        outside = {
            name: packed[name] for name, schema in self.schemas.items() if schema.is_exogenous and name in packed
        }
        self.exogenous.add_step(step, outside, [n for n in always(self.schemas) if self.schemas[n].is_exogenous])
        tables = {name: rows.table for name, rows in packed.items()}
        self._chain_scores(step)
        if self.store is not None:
            self._keep(self.store, step, tables)
        self._scores, self._decisions = [], {}
        return {name: tables.get(name, self._empty[name]) for name in self.schemas}

    def _keep(self, store: Store, step: int, tables: Mapping[str, Table]) -> None:
        for name, table in tables.items():
            numbers = {"replica": table["replica"], "step": np.full(table.num_rows, step)}
            store.append(f"events/{name}", Table(numbers | table.columns))
        for question, decision in self._scores:
            if decision.trace is not None:
                store.append("events/answers", _answers(question, decision, decision.trace))
        for name, pieces in self._decisions.items():
            store.append(kept_decisions.FOLDER + name, kept_decisions.ordered(pieces))
        links = np.array(self.digest.hex(), object)
        replica = np.arange(len(links))
        store.append(DIGESTS, Table({"replica": replica, "step": np.full(len(links), step), "events": links}))

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


def _none(schema: Schema) -> Table:
    """The table of a step in which nothing of the kind happened; nobody writes into it, so it serves every step."""
    kinds = {"i8": np.int64, "f8": np.float64, "str": object}
    columns = {c.name: np.zeros(0, kinds[c.kind]) for c in schema.columns}
    return Table({"replica": np.zeros(0, np.int64), **columns})


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
