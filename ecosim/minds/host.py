"""Where minds answer: a Host holds some of them and answers jobs, in this process or in another.

A host is pure: weights and caches, no state of a run. Any host with the same minds gives the same answers, so a lost
one costs a second call and nothing else. A mind that fails on a job spoils that job alone; the others of the call are
answered. What it refuses to know: who asks, how often, and what becomes of failures.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

from ecosim.errors import DecisionError, EcosimError
from ecosim.minds.scripted import Experts
from ecosim.words import Decision, Mind, Question, Table, check


@dataclass(frozen=True, slots=True)
class Job:
    """A question, or some rows of one, to be answered by one mind.

    Attributes:
        code: of the mind, as in `question.mind`.
    """

    code: int
    question: Question


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a mind did not answer a job.

    Attributes:
        reason: the mind's own message.
        is_final: asking again, or fewer rows, can't help (no such card, a server that is down): the run stops.
        error: the name of the error's class.
    """

    reason: str
    is_final: bool
    error: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of a job, and the wall seconds that it took where it was answered."""

    outcome: Decision | Failure
    seconds: float


class Host:
    """Some minds, by code."""

    def __init__(self, minds: Mapping[int, Mind]) -> None:
        self.minds = dict(minds)

    def answer(self, jobs: Sequence[Job]) -> list[Answered]:
        """Every job answered, or the reason why it was not."""
        return self._at_once(jobs) or [self._one(job) for job in jobs]

    def describe(self) -> dict[int, dict[str, Any]]:
        """Name, grade and fingerprint of each mind by code; of a language mind also its model and the probe."""
        return {code: describe(mind) for code, mind in self.minds.items()}

    def stats(self) -> dict[str, dict[str, int | float]]:
        """What the pools behind the minds have done so far, by name of the mind."""
        return {name: mind.stats() for name, mind in self._pools()}

    def drain_batches(self) -> Table:
        """The batches since the last call, a row each, with a column `mind`; they are forgotten here."""
        found = [(name, mind.drain_batches()) for name, mind in self._pools() if hasattr(mind, "drain_batches")]
        return _stack([(name, table) for name, table in found if table.num_rows])

    def memory_bytes(self) -> int:
        """Memory of this process that no other shares, where the system tells (Linux), else all that is resident."""
        import psutil

        process = psutil.Process(os.getpid())
        try:
            return int(process.memory_full_info().uss)
        except (psutil.AccessDenied, AttributeError):
            return int(process.memory_info().rss)

    def _pools(self) -> list[tuple[str, Any]]:
        """Minds that count what they do; those that share an engine count together."""
        shared: dict[int, list[Any]] = {}
        for mind in self.minds.values():
            if hasattr(mind, "stats"):
                shared.setdefault(id(getattr(mind, "engine", mind)), []).append(mind)
        return [(", ".join(mind.name for mind in minds), minds[0]) for minds in shared.values()]

    def _at_once(self, jobs: Sequence[Job]) -> list[Answered] | None:
        """The answers to the parts of one question, if its mind does not look at roles; None: job by job.

        If anything goes wrong it is job by job too, so that the fault has its place.
        """
        whole = jobs[0].question.whole if len(jobs) > 1 else None
        if whole is None or any(job.question.whole is not whole or job.code != jobs[0].code for job in jobs):
            return None
        mind = self.minds[jobs[0].code]
        if sum(job.question.num_rows for job in jobs) != whole.num_rows or not isinstance(mind, Experts):
            return None
        if not mind.is_for_any_role([job.question.name for job in jobs]):
            return None
        start = perf_counter()
        try:
            decision = mind.decide(whole)
            check(whole, decision, mind.name)
        except Exception:
            return None
        share = (perf_counter() - start) / len(jobs)
        return [Answered(_part(decision, job.question.rows), share) for job in jobs]

    def _one(self, job: Job) -> Answered:
        mind = self.minds[job.code]
        start = perf_counter()
        outcome: Decision | Failure
        try:
            outcome = mind.decide(job.question)
            check(job.question, outcome, mind.name)
        except DecisionError as error:
            outcome = Failure(str(error), not error.is_about_rows, "DecisionError")
        except EcosimError as error:
            outcome = Failure(str(error), True, type(error).__name__)
        except Exception as error:  # whatever a mind raises is its answer to this job; the asker decides what follows
            place = f"mind {mind.name!r}, {job.question.name}, step {job.question.step}"
            outcome = Failure(f"{place}: {type(error).__name__}: {error}", False, type(error).__name__)
        return Answered(outcome, perf_counter() - start)


class Answering(Protocol):
    """What a place offers to those who ask it: a Host, or a stand-in for one elsewhere."""

    def answer(self, jobs: Sequence[Job]) -> list[Answered]:
        """Every job answered, or the reason why it was not."""


@dataclass(frozen=True, slots=True)
class Described:
    """A mind that lives elsewhere, as its host describes it; it is in the list of minds but answers nothing here."""

    facts: Mapping[str, Any]

    @property
    def name(self) -> str:
        """How scenarios call it."""
        return str(self.facts["name"])

    @property
    def grade(self) -> str:
        """Its rung on the ladder."""
        return str(self.facts["grade"])

    @property
    def fingerprint(self) -> str:
        """A hash of all that its answers depend on."""
        return str(self.facts["fingerprint"])

    def decide(self, question: Question) -> Decision:
        """Refused: ask the host."""
        raise AssertionError(f"mind {self.name!r} lives on a host")


def describe(mind: Mind) -> dict[str, Any]:
    """Name, grade and fingerprint; of a language mind also its model and whether its bits repeat here."""
    more = mind.describe() if hasattr(mind, "describe") else {}
    return {"name": mind.name, "grade": mind.grade, "fingerprint": mind.fingerprint, **more}


def _part(decision: Decision, rows: slice | None) -> Decision:
    """Some rows of a decision of experts, which has neither memory nor trace."""
    assert rows is not None
    return Decision(
        answers={name: column[rows] for name, column in decision.answers.items()},
        logp=decision.logp[rows],
        margin=decision.margin[rows],
        flops=decision.flops[rows],
    )


def _stack(tables: Sequence[tuple[str, Table]]) -> Table:
    import numpy as np

    from ecosim.words import concat

    named = [Table({"mind": np.full(table.num_rows, name, object), **table}) for name, table in tables]
    return concat(named) if named else Table({})
