"""Ecosystems as judges: a product takes its teacher's seats in paired worlds, and the figures of all are compared.

Every arm meets the same worlds, seeds that no training saw:

* `teacher`, against whom all others are held;
* the product in all seats of the role, a training seed an arm, which are one figure with two sources of chance;
* `one seat`: the product of the first training seed in the seat of the role's first member, among teachers;
* the controls, each in all seats: `noisy` (the teacher that disagrees as often), `boosted`, `majority`.

Beside the recipe's KPIs stands `own_cash_eur`: what the first member of the role has in the end, which is what one seat
changes first. A population (viewers) has no accounts, and no such figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ecosim import simulate
from ecosim.arms import Arm, Manner
from ecosim.errors import CatalogError
from ecosim.exact import MILLION
from ecosim.fields import Array
from ecosim.minds.seats import Seat
from ecosim.record.store import Memory
from ecosim.scenario import Scenario
from ecosim.side import Side
from ecosim.simulate import Finished
from ecosim.training.cards.asking import facts_of, side_of
from ecosim.training.cards.equivalence import Equivalence, equivalence
from ecosim.training.cards.grading import Arena
from ecosim.words import Mind

OWN = "own_cash_eur"
ALL, ONE = "all seats", "one seat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of an arena.

    Attributes:
        arena: as the recipe has it.
        phases: that the product answered.
        by_arm: arm, then KPI (`name` or `name.group`), against the teacher.
        better: which way is better, by KPI: higher, lower, or "".
        units: by KPI.
    """

    arena: Arena
    phases: tuple[str, ...]
    by_arm: Mapping[str, Mapping[str, Equivalence]]
    better: Mapping[str, str]
    units: Mapping[str, str]

    def passes(self, kpi: str) -> bool:
        """Whether the product in all seats is what the recipe wants in a KPI."""
        found = self.by_arm[ALL][kpi]
        if self.arena.want == "equivalent":
            return found.verdict == "equivalent"
        lower = self.better[kpi] == "lower"
        if self.arena.want == "better":
            return (found.p_less if lower else found.p_more) < 0.05
        return (found.p_above if lower else found.p_below) < 0.05


def meet(
    role: str,
    arena: Arena,
    phases: Sequence[str],
    seed: int,
    teacher: Mind,
    products: Sequence[Mind],
    controls: Mapping[str, Mind],
) -> Outcome | None:
    """Run an arena; None where the scenario asks the role none of the phases.

    Args:
        phases: that the product can answer.
        seed: of the first world.
        products: by training seed; the first is the one that ships.
        controls: by the name of their arm.

    Raises:
        CatalogError: the recipe names a KPI that the scenario does not have.
    """
    side = side_of(role)
    facts = facts_of(arena.scenario, arena.changes, arena.steps, seed, arena.seeds)
    asked = side.asked(facts).get(role, ())
    mine = tuple(phase for phase in arena.questions or phases if phase in asked)
    if not mine:
        return None

    def seats(mind: Mind | list[Mind]) -> dict[str, Seat | list[Seat]]:
        return {f"{role}.{phase}": mind for phase in mine}  # type: ignore[misc]  # a list of minds is a list of seats

    num_seats = _num_seats(side, facts, role)
    arms = [Arm(name="teacher", minds=seats(teacher))]
    arms += [Arm(name=f"{ALL} {i}", minds=seats(mind)) for i, mind in enumerate(products)]
    if arena.is_swapped_alone and num_seats > 1:
        arms.append(Arm(name=ONE, minds=seats([products[0], *[teacher] * (num_seats - 1)])))
    arms += [Arm(name=name, minds=seats(mind)) for name, mind in controls.items()]
    done = simulate.simulate(facts, arms, Memory(), Manner(keep_events=False), place=f"scenarios/{arena.scenario}.yaml")
    _check_faults(done, arena)
    wanted = {kpi: _kpi(done, kpi) for kpi in arena.kpis}
    own = _own_cash(done, side, role)
    if own is not None:
        wanted[OWN] = own
    arm_of = done.world.tables["replicas"]["arm"]
    by_arm: dict[str, dict[str, Equivalence]] = {}
    names = [arm.name for arm in arms]
    for name in dict.fromkeys([ALL, *(name for name in names[1:] if not name.startswith(ALL))]):
        codes = [i for i, one in enumerate(names) if one == name or (name == ALL and one.startswith(ALL))]
        by_arm[name] = {
            kpi: equivalence(np.stack([values[arm_of == code] for code in codes]), values[arm_of == 0], arena.margin)
            for kpi, values in wanted.items()
        }
    known = side.within(facts).kpis
    better = {kpi: known[kpi.partition(".")[0]].better for kpi in arena.kpis}
    units = {kpi: known[kpi.partition(".")[0]].unit for kpi in arena.kpis}
    return Outcome(
        arena=arena,
        phases=mine,
        by_arm=by_arm,
        better={kpi: better.get(kpi, "higher") for kpi in wanted},
        units={kpi: units.get(kpi, "EUR") for kpi in wanted},
    )


def _num_seats(side: Side, facts: Scenario, role: str) -> int:
    """How many members of a replica have a role; 1 of a population, which has no seat of its own to swap."""
    if role in side.populations:
        return 1
    return int((side.member_roles(facts) == list(side.roles).index(role)).sum())


def _kpi(done: Finished, kpi: str) -> Array:
    """A figure of every replica, float64 (replicas,)."""
    name, _, group = kpi.partition(".")
    if (name, group) not in done.kpis:
        known = sorted(f"{n}.{g}" if g else n for n, g in done.kpis)
        raise CatalogError(
            f"recipe.yaml: card.arenas: {done.scenario.title}: no KPI {kpi!r}; known: {', '.join(known)}"
        )
    return np.asarray(done.kpis[name, group], np.float64)


def _own_cash(done: Finished, side: Side, role: str) -> Array | None:
    """What the role's first member has in the end, EUR, float64 (replicas,); None where it has no account."""
    if role in side.populations:
        return None
    accounts = done.world.tables["accounts"]
    first = int((side.member_roles(done.scenario) == list(side.roles).index(role)).argmax())
    rows = accounts["account"] == first
    return accounts["balance"][rows, 0] / MILLION


def _check_faults(done: Finished, arena: Arena) -> None:
    faults = [fault for fault in done.world.tables["replicas"]["fault"].tolist() if fault]
    if faults:
        raise CatalogError(f"recipe.yaml: card.arenas: {arena.scenario}: a replica broke a law: {faults[0]}")
