"""One step of a recorded run, had again: what was asked and answered in it, and the minds that sat in the run.

What it knows: which row is meant, and whether a mind is still the one of the run. What it refuses to know: how a run
is had again (`rerun.until` does that), and what is then looked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from ecosim.errors import RunError
from ecosim.minds.recipe import Pool, Recipe
from ecosim.record.recorder import Recorder
from ecosim.words import KEY, Decision, Mind, Question
from ecosim.world import World

NARROWING = ("counterpart", "item", "round")
"""What tells questions of one member in one phase apart."""


class Listening(Recorder):
    """A recorder that stores nothing and keeps the questions and decisions of the step under way."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.heard: list[tuple[Question, Decision]] = []

    def take_answers(self, questions: Sequence[Question], decisions: Sequence[Decision]) -> None:
        """Keep them."""
        super().take_answers(questions, decisions)
        self.heard += zip(questions, decisions, strict=True)


@dataclass(frozen=True, slots=True)
class Absent:
    """Stands in the seat of a mind that can't be had from a run's folder."""

    name: str
    grade: str = "replay"
    fingerprint: str = ""

    def decide(self, question: Question) -> Decision:
        """Not asked."""
        raise AssertionError("a replay asks no minds")


@dataclass(frozen=True, slots=True)
class Asked:
    """One row of a moment: a question to one member, and its answer as recorded.

    Attributes:
        question, decision: of one row; the mind is -1 where a substitute answered.
    """

    question: Question
    decision: Decision

    @property
    def key(self) -> dict[str, int]:
        """Replica, subject, counterpart, item, round; -1 where one does not apply."""
        return {name: int(self.question.key[name][0]) for name in ("replica", *KEY)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A step of a run.

    Attributes:
        place: the run, for messages.
        document: its manifest.
        step: which.
        world: as it stood after the step; it can be looked at and, from its recorded decisions, stepped on.
        questions, decisions: of the step, in the order asked.
        minds: by code: minds, recipes of language models, and stand-ins for a user's own that were not given.
        substitutes: who answers where a mind failed for good, by question name.
    """

    place: str
    document: Mapping[str, Any]
    step: int
    world: World
    questions: tuple[Question, ...]
    decisions: tuple[Decision, ...]
    minds: Sequence[Mind | Recipe]
    substitutes: Mapping[str, Mind]
    _made: dict[int, Mind] = field(default_factory=dict)

    def find(
        self,
        member: int,
        replica: int = 0,
        phase: str | None = None,
        counterpart: int | None = None,
        item: int | None = None,
        round: int | None = None,
    ) -> list[Asked]:
        """All that a member was asked in the step, in order; at least one.

        Args:
            phase: `negotiate` or `distributor.negotiate`.

        Raises:
            RunError: no such replica, or nothing of that kind was asked of the member.
        """
        if not 0 <= replica < self.world.num_replicas:
            raise RunError(f"{self.place}: no replica {replica}; the run has 0 … {self.world.num_replicas - 1}")
        mine = self._rows(member, replica)
        wanted = {"counterpart": counterpart, "item": item, "round": round}
        found = [
            asked
            for asked in mine
            if phase in (None, asked.question.phase, asked.question.name)
            and all(value is None or asked.key[name] == value for name, value in wanted.items())
        ]
        if not found:
            raise RunError(self._nothing(member, replica, mine, {"phase": phase, **wanted}))
        return found

    def one(self, member: int, replica: int = 0, **narrowing: Any) -> Asked:
        """The one question that is meant; arguments as for `find`.

        Raises:
            RunError: none, or several, which the message lists.
        """
        found = self.find(member, replica, **narrowing)
        if len(found) > 1:
            raise RunError(
                f"{self.place}: member {member} was asked {len(found)} such questions in step {self.step}, replica "
                f"{replica}: {_listed(found)}; say which by phase, counterpart, item or round"
            )
        return found[0]

    def peers(self, asked: Asked) -> list[Question]:
        """The same question as the other members of all replicas saw it in the step."""
        key, found = asked.key, []
        for question in self.questions:
            if question.name == asked.question.name:
                is_self = (question.key["subject"] == key["subject"]) & (question.key["replica"] == key["replica"])
                found.append(question.take(~is_self))
        return found

    def facts(self, asked: Asked) -> dict[str, Any]:
        """Name, grade and fingerprint of who answered, as the run recorded them."""
        code = int(asked.question.mind[0])
        if code >= 0:
            return cast("dict[str, Any]", self.document["minds"][code])
        mind = self.substitutes[asked.question.name]
        return {"name": mind.name, "grade": mind.grade, "fingerprint": mind.fingerprint}

    def mind(self, asked: Asked) -> Mind | None:
        """Who answered, ready to be asked again; None for a user's own that was not given.

        Raises:
            RunError: it is no longer what it was.
            CatalogError: its model can't be had.
        """
        code = int(asked.question.mind[0])
        if code < 0:
            return self.substitutes[asked.question.name]
        mind = self.minds[code]
        if isinstance(mind, Absent):
            return None
        if code not in self._made:
            self._made[code] = _checked(_made(code, mind), self.document["minds"][code], self.place)
        return self._made[code]

    def _rows(self, member: int, replica: int) -> list[Asked]:
        found = []
        for question, decision in zip(self.questions, self.decisions, strict=True):
            is_mine = (question.key["subject"] == member) & (question.key["replica"] == replica)
            rows = np.flatnonzero(is_mine)
            found += [Asked(question.take(one), decision.take(one)) for one in rows[:, None]]
        return found

    def _nothing(self, member: int, replica: int, mine: Sequence[Asked], wanted: Mapping[str, object]) -> str:
        """Why nothing was found, and what there is."""
        where = f"{self.place}: step {self.step}, replica {replica}"
        if mine:
            given = ", ".join(f"{name} {value}" for name, value in wanted.items() if value is not None)
            return f"{where}: member {member} was asked nothing with {given}; it was asked {_listed(mine)}"
        everyone = [question for question in self.questions if (question.key["replica"] == replica).any()]
        if not everyone:
            return f"{where}: nobody was asked anything"
        by_name: dict[str, set[int]] = {}
        for question in everyone:
            members = question.key["subject"][question.key["replica"] == replica]
            by_name.setdefault(question.name, set()).update(members.tolist())
        asked = ", ".join(f"{name} ({min(ids)} … {max(ids)})" for name, ids in by_name.items())
        return f"{where}: member {member} was asked nothing; asked were: {asked}"


def _made(code: int, mind: Mind | Recipe) -> Mind:
    if not isinstance(mind, Recipe):
        return mind
    from ecosim.models.load import load

    return Pool({code: mind}, load).minds[code]


def _checked(mind: Mind, then: Mapping[str, Any], place: str) -> Mind:
    if mind.fingerprint != then["fingerprint"]:
        raise RunError(
            f"{place}: mind {then['name']!r} is not what it was in this run (its code, weights, prompts or machine are "
            "others), so it can't say why; bring it back, or look at what was recorded only"
        )
    return mind


def _listed(found: Sequence[Asked]) -> str:
    """What was asked, phase by phase: `replenish (item 0); negotiate (counterpart 8, 12; item 0; round 1, 3)`."""
    phases: dict[str, dict[str, dict[int, None]]] = {}
    for asked in found:
        values = phases.setdefault(asked.question.phase, {})
        for name in NARROWING:
            if asked.key[name] >= 0:
                values.setdefault(name, {})[asked.key[name]] = None
    parts = []
    for phase, values in phases.items():
        inside = "; ".join(f"{name} {', '.join(map(str, seen))}" for name, seen in values.items())
        parts.append(f"{phase} ({inside})" if inside else phase)
    return "; ".join(parts)
