"""Questions to judge by: what members are asked while the teacher sits in the product's seats, and what it answers.

All minds are judged on the same rows, those that the teacher meets; where a product leads the world elsewhere, and how
that ends, is what the arenas show. Held-out seeds begin at the recipe's `world_seed`; training has lower ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ecosim import simulate, testing
from ecosim.errors import CatalogError
from ecosim.minds.scripted import Experts
from ecosim.minds.seats import Seat
from ecosim.reading import SIDES
from ecosim.scenario import Scenario
from ecosim.side import Side
from ecosim.training.cards.grading import Sample
from ecosim.words import Decision, Mind, Question

TRAIN_SEED = 1
"""The first world seed of training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Questions of one phase, one after another, with the teacher's answers.

    Attributes:
        scenarios: where each question was asked.
    """

    questions: list[Question]
    teacher: list[Decision]
    scenarios: list[str]

    @property
    def num_rows(self) -> int:
        """Of all questions."""
        return sum(question.num_rows for question in self.questions)

    def most(self, rows: int) -> Asked:
        """At most so many rows, evenly spread over all."""
        total = self.num_rows
        if total <= rows:
            return self
        kept = np.zeros(total, bool)
        kept[np.linspace(0, total - 1, rows).astype(np.int64)] = True
        found: tuple[list[Question], list[Decision], list[str]] = ([], [], [])
        start = 0
        for question, decision, scenario in zip(self.questions, self.teacher, self.scenarios, strict=True):
            mine = np.flatnonzero(kept[start : start + question.num_rows])
            start += question.num_rows
            if len(mine):
                found[0].append(question.take(mine))
                found[1].append(decision.take(mine))
                found[2].append(scenario)
        return Asked(questions=found[0], teacher=found[1], scenarios=found[2])


def ask(role: str, phases: Sequence[str], samples: Sequence[Sample], teacher: Mind, seed: int) -> dict[str, Asked]:
    """What a role is asked in some samples, by phase; a phase that none of them has is left out.

    Args:
        teacher: in the seats of these phases; the scenario's own minds in all others.
        seed: of the first world and its minds.
    """
    found = {phase: Asked(questions=[], teacher=[], scenarios=[]) for phase in phases}
    for sample in samples:
        facts = facts_of(sample.scenario, sample.changes, sample.steps, seed, sample.seeds)
        minds: dict[str, Seat] = {f"{role}.{phase}": teacher for phase in phases}
        steps = facts.steps
        for question in testing.questions(facts, seeds=sample.seeds, steps=steps, minds=minds):
            if question.role == role and question.phase in found:
                held = found[question.phase]
                held.questions.append(question)
                held.teacher.append(teacher.decide(question))
                held.scenarios.append(sample.scenario)
    return {phase: held for phase, held in found.items() if held.questions}


def facts_of(name: str, changes: dict[str, object], steps: int | None, seed: int, seeds: int) -> Scenario:
    """A scenario of the catalogue with other seeds."""
    facts = simulate.load_scenario(name, changes)
    return facts.with_changes(world_seed=seed, mind_seed=seed, seeds=seeds, steps=steps or facts.steps)


def side_of(role: str) -> Side:
    """The ecosystem that has a role.

    Raises:
        CatalogError: none has.
    """
    for name in SIDES:
        found = simulate.side(name)
        if role in found.roles:
            return found
    raise CatalogError(f"no ecosystem has a role {role!r}")


def scripted(role: str, names: Mapping[str, str]) -> Experts:
    """Scripted minds of a role as one, by the names that scenarios have for them.

    Args:
        names: by phase.

    Raises:
        CatalogError: there is none of that name for a phase.
    """
    side, experts = side_of(role), {}
    for phase, name in names.items():
        known = side.experts.get(f"{role}.{phase}", {})
        if name not in known:
            raise CatalogError(
                f"recipe.yaml: card: teacher: {name!r} does not answer {role}.{phase}; known: "
                f"{', '.join(known) or 'nobody'}"
            )
        experts[f"{role}.{phase}"] = known[name]
    return Experts(", ".join(dict.fromkeys(names.values())), experts)
