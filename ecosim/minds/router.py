"""Who answers for whom: splits questions by their `mind` column, and puts the answers back row for row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter

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

    def __add__(self, other: Work) -> Work:
        return Work(self.decisions + other.decisions, self.seconds + other.seconds, self.flops + other.flops)


def _more(work: Work | None, decisions: int, seconds: float, flops: int) -> Work:
    if work is None:
        return Work(decisions, seconds, flops)
    return Work(work.decisions + decisions, work.seconds + seconds, work.flops + flops)


WorkByArm = dict[str, dict[str, Work]]
"""Work by arm, then grade; seconds are 0: all arms are answered together."""

Answer = Callable[[Sequence[Job]], "list[tuple[Decision, float]]"]
"""Answers all jobs of a round: decisions, checked against their questions, and the seconds that each took."""


@dataclass(slots=True)
class Router:
    """The minds of a run, by code; `decide` is the only hop between a world and its minds.

    Attributes:
        minds: the mind of each code of the `mind` columns.
        answer: where jobs are answered.
        arms: the name of each replica's arm; none: work is not told apart by arm.
        work: decisions, wall seconds and nominal FLOPs by grade.
        work_by_arm: decisions and nominal FLOPs by arm and grade.
    """

    minds: Sequence[Mind]
    answer: Answer
    arms: Sequence[str] = ()
    work: dict[str, Work] = field(default_factory=dict)
    work_by_arm: WorkByArm = field(default_factory=dict)
    _round: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    _since: float = 0.0
    _names: tuple[str, ...] = ()
    _arm: Array = field(default_factory=lambda: np.zeros(0, np.int64))

    def decide(self, questions: Sequence[Question]) -> list[Decision]:
        """The answers to all questions, each checked against its question.

        Raises:
            DecisionError: a mind answered outside its question, or not at all.
            PoolError: those who answer can't be reached.
        """
        parts = [_split(question) for question in questions]
        jobs = [job for found in parts for job, _ in found]
        self._since, self._round = perf_counter(), self._tallies()
        answered = iter(self.answer(jobs))
        self._round = {}
        merged = []
        for question, found in zip(questions, parts, strict=True):
            decisions = [self._book(job, *next(answered)) for job, _ in found]
            merged.append(_merge(question, [rows for _, rows in found], decisions))
        return merged

    def so_far(self) -> dict[str, Work]:
        """Work by grade, with what minds in this process have answered of the round under way; any thread may ask."""
        found, then, gone = dict(self.work), self._round, perf_counter() - self._since
        for code, (decisions, flops) in self._tallies().items():
            if code in then and decisions > then[code][0]:
                more = Work(decisions - then[code][0], gone, flops - then[code][1])
                found[self.minds[code].grade] = found.get(self.minds[code].grade, Work()) + more
                gone = 0.0  # the time of a round counts once
        return found

    def _tallies(self) -> dict[int, tuple[int, int]]:
        """Rows answered and their nominal FLOPs, of the minds that count as they go, by code."""
        return {code: mind.tally for code, mind in enumerate(self.minds) if hasattr(mind, "tally")}

    def _book(self, job: Job, decision: Decision, seconds: float) -> Decision:
        grade, flops = self.minds[job.code].grade, decision.flops
        rows, total = job.question.num_rows, int(flops.sum())
        self.work[grade] = _more(self.work.get(grade), rows, seconds, total)
        if not self.arms:
            return decision
        if len(self._arm) != len(self.arms):
            self._names = tuple(dict.fromkeys(self.arms))
            self._arm = np.array([self._names.index(name) for name in self.arms])
        if len(self._names) == 1:
            arm = self.work_by_arm.setdefault(self._names[0], {})
            arm[grade] = _more(arm.get(grade), rows, 0.0, total)
            return decision
        who = self._arm[job.question.key["replica"]]
        count = np.bincount(who, minlength=len(self._names))
        cost = np.zeros(len(self._names), np.int64)
        if flops.any():
            np.add.at(cost, who, flops)
        for i in np.flatnonzero(count).tolist():
            arm = self.work_by_arm.setdefault(self._names[i], {})
            arm[grade] = arm.get(grade, Work()) + Work(int(count[i]), 0.0, int(cost[i]))
        return decision


_ALL = np.zeros(0, np.int64)
"""In the place of the rows of the only job of a question: they are all, and nobody needs their numbers."""


def _split(question: Question) -> list[tuple[Job, Array]]:
    """A job for each mind that is asked, with its rows of the question."""
    first = int(question.mind[0])
    if not (question.mind != first).any():
        return [(Job(first, question), _ALL)]
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
