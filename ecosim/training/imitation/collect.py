"""Lessons: what members were asked in worlds that were really played, and what a teacher would have answered.

A `Witness` sits in the seats of a role. It notes every question with the teacher's answer, and acts: by the teacher,
or, row by row by a keyed chance, by the learner, so that the learner is taught in the states that it gets itself into
(DAgger). Which rows are kept, and who acts, are draws keyed by the row: the same recipe gives the same lessons.

Whoever can answer can teach: any mind. A teacher that weighs several answers also says how much each is worth having
(`soft`), and the learner learns these chances instead of the one answer.

Source: Ross, Gordon, Bagnell (2011), A reduction of imitation learning and structured prediction to no-regret online
learning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, Protocol, cast

import numpy as np
from pydantic import Field

from ecosim import api, seeds
from ecosim.arms import Arm, Manner
from ecosim.catalog import Entry
from ecosim.fields import NOT_ASKED, Array, Text
from ecosim.minds.router import merge
from ecosim.minds.seats import Wishes
from ecosim.record.store import Memory
from ecosim.simulate import simulate
from ecosim.words import Answers, Decision, Mind, Question, certain

if TYPE_CHECKING:
    from ecosim.models.nano.encode import Encoded
    from ecosim.models.nano.spec import NanoSpec

TRAIN = "train"
"""The stream of draws that belong to training: which rows are kept, and who acts."""
_KEEP, _ACT = "keep", "act"

Soft = tuple[Array, Array]
"""Answers that a teacher weighs, and the chance that it gives each, both (rows, answers); chances of a row sum to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """Some rows of a question and what the teacher answers.

    Attributes:
        answers: as a mind gives them, by field.
        soft: by field, where the teacher weighs several answers; other fields are learnt from `answers`.
    """

    question: Question
    answers: Answers
    soft: Mapping[str, Soft] = field(default_factory=dict)

    def take(self, rows: Array) -> Lesson:
        """Some of the rows, by index."""
        return Lesson(
            question=self.question.take(rows),
            answers={name: column[rows] for name, column in self.answers.items()},
            soft={name: (values[rows], chances[rows]) for name, (values, chances) in self.soft.items()},
        )


class Teacher(Protocol):
    """Whoever says what should be answered."""

    @property
    def name(self) -> str:
        """How provenance calls it."""

    def teach(self, question: Question) -> Lesson:
        """The answers to all rows; pure, as minds are."""


class ByMind:
    """A mind as a teacher: what it answers is right."""

    def __init__(self, mind: Mind) -> None:
        self.mind, self.name = mind, mind.name

    def teach(self, question: Question) -> Lesson:
        """Its answers."""
        return Lesson(question=question, answers=self.mind.decide(question).answers)


class Scene(Entry):
    """A scenario to be played for its lessons.

    Attributes:
        scenario: its name in the catalogue, or a file.
        world_seed, seeds: the first world seed, and how many in a row.
        steps: how many, if not as the scenario says.
        changes: other keys of the scenario, dotted.
        minds: who else sits where, by `role` or `role.phase`.
    """

    scenario: str
    world_seed: Annotated[int, Field(ge=0)] = 1
    seeds: Annotated[int, Field(ge=1)] = 1
    steps: Annotated[int, Field(ge=1)] | None = None
    changes: dict[str, Any] = Field(default_factory=dict)
    minds: dict[str, str | list[str]] = Field(default_factory=dict)

    @property
    def worlds(self) -> range:
        """Its world seeds."""
        return range(self.world_seed, self.world_seed + self.seeds)


@dataclass(slots=True, eq=False)
class Witness:
    """A mind that notes what it is asked and what the teacher says, and acts by teacher or learner.

    Attributes:
        teacher, learner: who teaches, and who learns (None: the teacher acts always).
        beta: the chance that a row is acted by the teacher.
        keep: the share of rows that are noted.
        turn: tells several rounds apart: others are kept, others are acted by the learner.
        notes: what was noted, in the order asked.
    """

    teacher: Teacher
    learner: Mind | None = None
    beta: float = 1.0
    keep: float = 1.0
    turn: int = 0
    notes: list[Lesson] = field(default_factory=list)
    grade: str = "witness"

    @property
    def name(self) -> str:
        """The teacher's, who is watched."""
        return f"{self.teacher.name} (watched)"

    @property
    def fingerprint(self) -> str:
        """Nothing is recorded under it."""
        return "witness"

    def decide(self, question: Question) -> Decision:
        """Note, then act."""
        lesson = self.teacher.teach(question)
        kept = np.flatnonzero(_drawn(question, _KEEP, self.turn) < self.keep)
        if len(kept):
            self.notes.append(lesson.take(kept))
        taught = certain(lesson.answers, question.num_rows)
        if self.learner is None or self.beta >= 1:
            return taught
        by_teacher = _drawn(question, _ACT, self.turn) < self.beta
        rows = [np.flatnonzero(~by_teacher), np.flatnonzero(by_teacher)]
        if not len(rows[0]):
            return taught
        own = self.learner.decide(question.take(rows[0]))
        return merge(question, rows, [_bare(own), _part(taught, rows[1])])


def play(
    scene: Scene,
    role: str,
    teachers: Mapping[str, Teacher],
    *,
    learner: Mind | None = None,
    beta: float = 1.0,
    keep: Mapping[str, float] | float = 1.0,
    turn: int = 0,
) -> dict[str, list[Lesson]]:
    """Play a scenario with witnesses in the seats of a role; gives their notes by phase.

    Args:
        teachers: by phase; in other phases the role is as the scenario says.
        learner, beta, turn: as of a `Witness`; a learner answers all these phases.
        keep: the share of rows that are noted, of all phases or by phase.

    Raises:
        ScenarioError, CatalogError, DecisionError: as a run does.
    """
    shares = keep if isinstance(keep, Mapping) else dict.fromkeys(teachers, keep)
    seats = {
        phase: Witness(teacher, learner, beta, shares.get(phase, 1.0), turn) for phase, teacher in teachers.items()
    }
    found = api.facts(scene.scenario, scene.seeds, scene.steps, scene.changes)
    found = found.with_changes(world_seed=scene.world_seed, mind_seed=scene.world_seed)
    wishes = {**scene.minds, **{f"{role}.{phase}": witness for phase, witness in seats.items()}}
    arm = Arm(name="lessons", minds=cast(Wishes, wishes))
    simulate(found, [arm], Memory(), Manner(keep_events=False), place=scene.scenario)
    return {phase: witness.notes for phase, witness in seats.items()}


# ---- as networks read them ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Lessons of one phase as a nano network reads them.

    Attributes:
        encoded: what it sees.
        targets: by field, the chances of its options, float32 (rows, options); all 0 where it is not asked.
        same: by field, the options that come to the very answer of the teacher, bool (rows, options): bins below the
            lowest legal answer are all snapped to it, and any of them is right. All False where none or several are
            weighed.
        chosen: by field, the option that the teacher took, which later fields are told, int64 (rows,); −1 where the
            field is not asked.
    """

    encoded: Encoded
    targets: Mapping[str, Array]
    same: Mapping[str, Array]
    chosen: Mapping[str, Array]

    @property
    def num_rows(self) -> int:
        """How many rows."""
        return self.encoded.num_rows

    def take(self, rows: Array | slice) -> Examples:
        """Some of the rows."""
        return Examples(
            encoded=self.encoded.take(rows),
            targets={name: column[rows] for name, column in self.targets.items()},
            same={name: column[rows] for name, column in self.same.items()},
            chosen={name: column[rows] for name, column in self.chosen.items()},
        )


def examples(spec: NanoSpec, lesson: Lesson) -> Examples:
    """A lesson as the networks of a spec read it.

    Raises:
        CatalogError: the spec does not fit the question.
    """
    from ecosim.models.nano.encode import encode, targets

    lesson = _without_texts(lesson)
    encoded = encode(spec, lesson.question)
    wanted = dict(targets(encoded, lesson.question, lesson.answers, spec))
    chosen = {name: np.where(t.any(axis=1), t.argmax(axis=1), NOT_ASKED) for name, t in wanted.items()}
    same = {}
    for name, chances in wanted.items():
        answer = lesson.answers[name]
        values = encoded.values.get(name)
        same[name] = np.zeros(chances.shape, bool) if values is None else values == answer[:, None]
        same[name] &= (answer != NOT_ASKED)[:, None]
    for name, (values, chances) in lesson.soft.items():
        wanted[name] = _weighed(spec, lesson, encoded, name, values, chances)
        same[name] = np.zeros(wanted[name].shape, bool)
    return Examples(encoded=encoded, targets=wanted, same=same, chosen=chosen)


def _without_texts(lesson: Lesson) -> Lesson:
    """What there is to learn for networks that read and write numbers."""
    fields = tuple(item for item in lesson.question.fields if not isinstance(item, Text))
    answers = {item.name: lesson.answers[item.name] for item in fields}
    return replace(lesson, question=replace(lesson.question, fields=fields, whole=None, rows=None), answers=answers)


def together(parts: Sequence[Examples]) -> Examples:
    """The rows of several, padded to the most options and fields that any has."""
    from ecosim.models.nano import encode as encoding

    joined = encoding.concat([part.encoded for part in parts])
    rows = [part.num_rows for part in parts]
    return Examples(
        encoded=joined,
        targets={name: _stacked([p.targets.get(name) for p in parts], rows) for name in joined.legal},
        same={name: _stacked([p.same.get(name) for p in parts], rows) for name in joined.legal},
        chosen={name: _taken([p.chosen.get(name) for p in parts], rows) for name in joined.legal},
    )


def _stacked(columns: Sequence[Array | None], rows: Sequence[int]) -> Array:
    there = [column for column in columns if column is not None]
    whole = np.zeros((sum(rows), max(column.shape[1] for column in there)), there[0].dtype)
    at = 0
    for column, num in zip(columns, rows, strict=True):
        if column is not None:
            whole[at : at + num, : column.shape[1]] = column
        at += num
    return whole


def _taken(columns: Sequence[Array | None], rows: Sequence[int]) -> Array:
    return np.concatenate([np.full(n, NOT_ASKED) if c is None else c for c, n in zip(columns, rows, strict=True)])


def _weighed(spec: NanoSpec, lesson: Lesson, encoded: Encoded, name: str, values: Array, chances: Array) -> Array:
    """Chances of the options from those of some answers, float32 (rows, options)."""
    from ecosim.models.nano.encode import targets

    total = np.zeros(encoded.legal[name].shape, np.float32)
    for i in range(values.shape[1]):
        one = targets(encoded, lesson.question, {**lesson.answers, name: values[:, i]}, spec)[name]
        total += one * chances[:, i, None].astype(np.float32)
    return total


# ---- draws and parts ------------------------------------------------------------------------------------------------


def _drawn(question: Question, what: str, turn: int) -> Array:
    """A number from (0, 1) for each row."""
    key = question.key
    parts = (key["subject"], key["counterpart"], key["item"], key["round"])
    return seeds.uniform(TRAIN, question.seed, question.step, f"{question.name}.{what}", parts, turn)


def _bare(decision: Decision) -> Decision:
    """Answers without memory and trace, to be put beside a teacher's."""
    return Decision(answers=decision.answers, logp=decision.logp, margin=decision.margin, flops=decision.flops)


def _part(decision: Decision, rows: Array) -> Decision:
    return Decision(
        answers={name: column[rows] for name, column in decision.answers.items()},
        logp=decision.logp[rows],
        margin=decision.margin[rows],
        flops=decision.flops[rows],
    )
