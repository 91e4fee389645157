"""The contract as an executable kit: check your own mind, phase or scenario as ecosim's own tests do.

```python
from ecosim import testing

for question in testing.questions("smart_manufacturing", steps=3, phase="negotiate"):
    testing.check_mind(my_mind, question)
testing.check_alone("my_scenario.yaml", seeds=5, steps=10)
```
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ecosim import simulate
from ecosim.fields import Array
from ecosim.minds.seats import Wishes
from ecosim.record.store import Memory
from ecosim.scenario import Scenario
from ecosim.side import Phase
from ecosim.simulate import Arm, Finished, Manner
from ecosim.words import Decision, Mind, Question, check
from ecosim.world import World


def questions(
    scenario: str | Path | Scenario,
    *,
    seeds: int = 2,
    steps: int = 3,
    phase: str | None = None,
    minds: Wishes | None = None,
) -> list[Question]:
    """Every question that the members of a scenario are asked in its first steps."""
    seen: list[Question] = []
    world = _world(scenario, seeds, steps, minds, seen)
    for _ in range(steps):
        world.step()
    return [question for question in seen if phase in (None, question.phase)]


def check_mind(mind: Mind, question: Question, splits: Sequence[int] = (1, 7, 64)) -> Decision:
    """A mind must give a row the same answer whatever stands beside it.

    Asks the whole question, the rows shuffled, and the rows in pieces of each size in `splits`.

    Raises:
        DecisionError: an illegal answer.
        AssertionError: an answer, log-probability, margin or cost depends on other rows.
    """
    whole = mind.decide(question)
    check(question, whole, mind.name)
    rows = np.arange(question.num_rows)
    orders = [np.random.default_rng(0).permutation(rows)]
    _compare(whole, orders[0], [mind.decide(question.take(orders[0]))], f"{mind.name}: rows shuffled")
    for size in splits:
        pieces = [mind.decide(question.take(rows[i : i + size])) for i in range(0, len(rows), size)]
        _compare(whole, rows, pieces, f"{mind.name}: pieces of {size}")
    return whole


def check_phase(phase: Phase, world: World) -> None:
    """`ask` must not write, and must ask the same when it is asked again.

    Raises:
        AssertionError: a table changed, or the second question differs.
    """
    before = _snapshot(world)
    first, second = phase.ask(world), phase.ask(world)
    after = _snapshot(world)
    changed = sorted(name for name in before if not np.array_equal(before[name], after[name]))
    assert not changed, f"{phase.name}: ask wrote to {changed}"
    assert [q.name for q in first] == [q.name for q in second], f"{phase.name}: asks different roles when asked again"
    for one, two in zip(first, second, strict=True):
        for name in one.columns:
            assert np.array_equal(one[name], two[name]), f"{phase.name}: column {name} differs when asked again"


def check_alone(scenario: str | Path | Scenario, *, seeds: int, steps: int, minds: Wishes | None = None) -> list[str]:
    """Every replica among others must have the digest that it has alone; gives the digests.

    Raises:
        AssertionError: a replica's digest depends on its neighbours.
    """
    together = run_digests(scenario, seeds=seeds, steps=steps, minds=minds).manifest["digests"]
    facts = simulate.load_scenario(scenario)
    for i, digest in enumerate(together):
        shifted = facts.with_changes(world_seed=facts.world_seed + i, mind_seed=facts.mind_seed + i)
        alone = run_digests(shifted, seeds=1, steps=steps, minds=minds).manifest["digests"]
        assert alone == [digest], f"replica {i}: {digest[:12]} among {seeds}, {alone[0][:12]} alone"
    return list(together)


def run_digests(
    scenario: str | Path | Scenario, *, seeds: int, steps: int, minds: Wishes | None = None, keep_events: bool = False
) -> Finished:
    """A run that keeps digests and figures, and events only if asked."""
    facts = simulate.load_scenario(scenario).with_changes(seeds=seeds, steps=steps)
    manner = Manner(keep_events=keep_events)
    return simulate.simulate(facts, [Arm(name="all", minds=minds or {})], Memory(), manner)


def _world(
    scenario: str | Path | Scenario, seeds: int, steps: int, minds: Wishes | None, seen: list[Question]
) -> World:
    facts = simulate.load_scenario(scenario).with_changes(seeds=seeds, steps=steps)
    world, router, _ = simulate.prepare(facts, [Arm(name="all", minds=minds or {})])

    def decide(asked: Sequence[Question]) -> list[Decision]:
        seen.extend(asked)
        return router.decide(asked)

    return World(world.side, world.scenario, world.tables, decide, schedule=world.schedule)


def _snapshot(world: World) -> Mapping[str, Array]:
    return {f"{t}.{c}": column.copy() for t, table in world.tables.items() for c, column in table.items()}


def _compare(whole: Decision, order: Array, pieces: Sequence[Decision], what: str) -> None:
    for name, column in whole.answers.items():
        found = np.concatenate([piece.answers[name] for piece in pieces])
        wrong = np.flatnonzero(found != column[order])
        assert len(wrong) == 0, f"{what}: {len(wrong)} of {len(order)} answers to {name} differ"
    for name in ("logp", "margin", "flops"):
        column = getattr(whole, name)[order]
        found = np.concatenate([getattr(piece, name) for piece in pieces])
        wrong = np.flatnonzero(found != column)
        assert len(wrong) == 0, f"{what}: {len(wrong)} of {len(order)} values of {name} differ in a bit"
