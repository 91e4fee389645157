"""Who answers for whom: splits questions by their `mind` column, and puts the answers back row for row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ecosim.fields import NOT_ASKED, Array, Text
from ecosim.minds.host import Job
from ecosim.words import Decision, Mind, Question, Table, concat


@dataclass(slots=True)
class Work:
    """What the minds of one grade did; outside the digest.

    Attributes:
        seconds: that a run waited for them: of minds that answer in several places, the slowest place of each round.
    """

    decisions: int = 0
    seconds: float = 0.0
    flops: int = 0


Answer = Callable[[Sequence[Job]], "list[tuple[Decision, float]]"]
"""Answers all jobs of a round: decisions, checked against their questions, and the seconds that each took."""


@dataclass(slots=True)
class Router:
    """The minds of a run, by code; `decide` is the only hop between a world and its minds.

    Attributes:
        minds: the mind of each code of the `mind` columns.
        answer: where jobs are answered.
        work: decisions, wall seconds and nominal FLOPs by grade.
    """

    minds: Sequence[Mind]
    answer: Answer
    work: dict[str, Work] = field(default_factory=dict)

    def decide(self, questions: Sequence[Question]) -> list[Decision]:
        """The answers to all questions, each checked against its question.

        Raises:
            DecisionError: a mind answered outside its question, or not at all.
            PoolError: those who answer can't be reached.
        """
        parts = [_split(question) for question in questions]
        jobs = [job for found in parts for job, _ in found]
        answered = iter(self.answer(jobs))
        merged = []
        for question, found in zip(questions, parts, strict=True):
            decisions = [self._book(job, *next(answered)) for job, _ in found]
            merged.append(_merge(question, [rows for _, rows in found], decisions))
        return merged

    def _book(self, job: Job, decision: Decision, seconds: float) -> Decision:
        work = self.work.setdefault(self.minds[job.code].grade, Work())
        work.decisions += job.question.num_rows
        work.seconds += seconds
        work.flops += int(decision.flops.sum())
        return decision


def _split(question: Question) -> list[tuple[Job, Array]]:
    """A job for each mind that is asked, with its rows of the question."""
    first = int(question.mind[0])
    if (question.mind == first).all():
        return [(Job(first, question), np.arange(question.num_rows))]
    rows = [(int(code), np.flatnonzero(question.mind == code)) for code in np.unique(question.mind)]
    return [(Job(code, question.take(part)), part) for code, part in rows]


def _merge(question: Question, parts: Sequence[Array], decisions: Sequence[Decision]) -> Decision:
    """One decision from those about disjoint parts of a question."""
    return decisions[0] if len(decisions) == 1 else merge(question, parts, decisions)


def merge(question: Question, parts: Sequence[Array], decisions: Sequence[Decision]) -> Decision:
    """One decision from those about disjoint parts of a question, which together are all its rows."""
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
        trace=_in_order(concat(traces)) if traces else None,
    )


def _in_order(trace: Table) -> Table:
    """A trace as if nothing had been split: by row, a row's fields in the order asked."""
    return trace.take(np.argsort(trace["row"], kind="stable"))


def _moved(trace: Table, part: Array) -> Table:
    """A trace whose row numbers are those of the whole question."""
    return Table({**trace, "row": part[trace["row"]]})
