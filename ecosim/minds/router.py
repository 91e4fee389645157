"""Who answers for whom: splits questions by their `mind` column, and puts the answers back row for row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from ecosim.fields import NOT_ASKED, Array, Text
from ecosim.words import Decision, Mind, Question, Table, check, concat


@dataclass(slots=True)
class Work:
    """What the minds of one grade did; outside the digest."""

    decisions: int = 0
    seconds: float = 0.0
    flops: int = 0


@dataclass(slots=True)
class Router:
    """The minds of a run, by code; `decide` is the only hop between a world and its minds.

    Attributes:
        minds: the mind of each code of the `mind` columns.
        work: decisions, wall seconds and nominal FLOPs by grade.
    """

    minds: Sequence[Mind]
    work: dict[str, Work] = field(default_factory=dict)

    def decide(self, questions: Sequence[Question]) -> list[Decision]:
        """The answers to all questions, each checked against its question.

        Raises:
            DecisionError: a mind answered outside its question.
        """
        return [self._one(question) for question in questions]

    def _one(self, question: Question) -> Decision:
        first = question.mind[0]
        if (question.mind == first).all():
            return self._ask(int(first), question)
        codes = np.unique(question.mind)
        parts = [np.flatnonzero(question.mind == code) for code in codes]
        return _merge(question, parts, [self._ask(int(c), question.take(p)) for c, p in zip(codes, parts, strict=True)])

    def _ask(self, code: int, question: Question) -> Decision:
        mind = self.minds[code]
        start = perf_counter()
        decision = mind.decide(question)
        check(question, decision, mind.name)
        work = self.work.setdefault(mind.grade, Work())
        work.decisions += question.num_rows
        work.seconds += perf_counter() - start
        work.flops += int(decision.flops.sum())
        return decision


def _merge(question: Question, parts: Sequence[Array], decisions: Sequence[Decision]) -> Decision:
    """One decision from those about disjoint parts of a question."""
    rows = question.num_rows

    def together(columns: Sequence[Array | None], empty: Array) -> Array:
        for part, column in zip(parts, columns, strict=True):
            if column is not None:
                empty[part] = column
        return empty

    answers = {}
    for spec in question.fields:
        empty = np.full(rows, "", object) if isinstance(spec, Text) else np.full(rows, NOT_ASKED)
        answers[spec.name] = together([d.answers[spec.name] for d in decisions], empty)
    traces = [_moved(d.trace, part) for d, part in zip(decisions, parts, strict=True) if d.trace is not None]
    memory = sorted({name for decision in decisions for name in decision.memory})
    return Decision(
        answers=answers,
        logp=together([d.logp for d in decisions], np.zeros(rows)),
        margin=together([d.margin for d in decisions], np.zeros(rows)),
        flops=together([d.flops for d in decisions], np.zeros(rows, np.int64)),
        memory={name: together([d.memory.get(name) for d in decisions], np.zeros(rows, np.int64)) for name in memory},
        trace=concat(traces) if traces else None,
    )


def _moved(trace: Table, part: Array) -> Table:
    """A trace whose row numbers are those of the whole question."""
    return Table({**trace, "row": part[trace["row"]]})
