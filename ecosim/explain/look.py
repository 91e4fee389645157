"""A look at a scenario's first steps: one replica, scripted minds, and a note of what is asked and written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ecosim import simulate
from ecosim.arms import Arm
from ecosim.scenario import Scenario
from ecosim.side import Events, Side
from ecosim.words import Question
from ecosim.world import World

LOOK_STEPS = 6
"""Steps that a world is looked at for; nearly all questions are asked in the first two."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A world of one replica after a few steps, and what was asked and written in them."""

    world: World
    questions: dict[tuple[str, str], Question]
    events: dict[str, tuple[str, ...]]


def look(side: Side, facts: Scenario) -> Seen:
    """Let one replica live, with scripted minds, until every role that can be asked was asked."""
    facts = without_models(facts).with_changes(seeds=1)
    wishes = dict.fromkeys(side.roles, "scripted")
    made, router, _ = simulate.prepare(facts, [Arm(name="look", minds=wishes)])
    asked: dict[tuple[str, str], Question] = {}
    written: dict[str, tuple[str, ...]] = {}

    def decide(due: Any) -> Any:
        asked.update({(q.phase, q.role): q for q in due if (q.phase, q.role) not in asked})
        return router.decide(due)

    def record(phase: str, events: Events) -> None:
        written[phase] = tuple(dict.fromkeys([*written.get(phase, ()), *events]))

    world = World(made.side, made.scenario, made.tables, decide, record)
    names = {phase.name for phase in world.phases}
    due = {(p, role) for role, ps in side.roles.items() for p in ps if p in names and members(side, world, role)}
    for _ in range(min(facts.steps, LOOK_STEPS)):
        world.step()
        if due <= set(asked):
            break
    return Seen(world, asked, written)


def without_models(facts: Scenario) -> Scenario:
    """The same scenario without what could need a model: interventions that change minds, the encoder of titles."""
    if getattr(facts, "interventions", None):
        facts = facts.with_changes(interventions=[])
    publishing = getattr(facts, "publishing", None)
    if publishing is None or publishing.title_vectors != "minilm":
        return facts
    return facts.with_changes(publishing={**publishing.model_dump(), "title_vectors": "words"})


def members(side: Side, world: World, role: str) -> int:
    """How many members have the role."""
    return int(side.has_role(world.tables[side.home(role)], role).sum())
