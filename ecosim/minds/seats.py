"""Who sits where: from what a scenario and its arms say about minds to a mind code for every member and phase."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from ecosim import catalog
from ecosim.errors import ScenarioError
from ecosim.fields import Array
from ecosim.minds.recipe import Recipe
from ecosim.minds.scripted import Experts, Scripted
from ecosim.side import Side
from ecosim.words import Expert, Mind

Seat = str | Expert | Mind
"""A mind by name, a user's own function, or a mind as an object."""

Wishes = Mapping[str, Seat | Sequence[Seat]]
"""Seats by `role` or `role.phase`; a list is dealt out to the members of the role in turn."""

UNTRAINED = "untrained"
"""The seat of the default base model as it comes; a scenario's `models` names more."""
SCRIPTED = "scripted"
DEFAULT = "default"
"""The seat of the grade that passed the catalogue's gate for a question, and of the scripted mind where none did."""


@dataclass(slots=True)
class Seats:
    """All minds of a run, each once, and who has which.

    Attributes:
        side: the ecosystem.
        trained: gives the mind of a name of `models`, or its recipe; called at most once a name.
        models: the minds that are models, by name: the questions (`role.phase`) that each can answer.
        asked: the phases that ask each role, which is what a mind for the whole role must answer; all of the side's if
            not said.
        minds: by code.
    """

    side: Side
    trained: Callable[[str], Mind | Recipe]
    models: Mapping[str, Collection[str]]
    asked: Mapping[str, Sequence[str]] | None = None
    minds: list[Mind | Recipe] = field(default_factory=list)
    _code_of: dict[object, int] = field(default_factory=dict)

    def plan(self, base: Mapping[str, Sequence[str]], wishes: Wishes, place: str) -> dict[tuple[str, str], list[Seat]]:
        """The seats of every role and phase: the arm's wishes before the scenario's, `role.phase` before `role`.

        Raises:
            ScenarioError: an unknown role, phase or mind; all faults at once.
        """
        faults = dict.fromkeys([*self.faults(base), *self.faults(wishes)])
        if faults:
            raise ScenarioError([f"{place}: {fault}" for fault in faults])
        plan = {}
        for role, phases in self.side.roles.items():
            for phase in phases:
                names = (f"{role}.{phase}", role)
                found = [w[n] for w in (wishes, base) for n in names if n in w] or [[SCRIPTED]]
                plan[role, phase] = [default_of(role, phase) if s == DEFAULT else s for s in _listed(found[0])]
        return plan

    def faults(self, wishes: Wishes) -> list[str]:
        """What is wrong with some wishes: unknown roles, phases and minds."""
        if not isinstance(wishes, Mapping):
            return [f"minds: expected a mind for each role, such as {{'distributor': 'scripted'}}, got {wishes!r}"]
        return [f"minds.{f}" for name, seats in wishes.items() for f in self._faults(name, _listed(seats))]

    def codes(self, seats: Sequence[Seat]) -> Array:
        """The codes of some seats, int64; makes minds that have none yet."""
        return np.array([self._code(seat) for seat in seats], np.int64)

    def _asked(self, role: str) -> Sequence[str]:
        return self.side.roles[role] if self.asked is None else self.asked[role] or self.side.roles[role]

    def _code(self, seat: Seat) -> int:
        if seat not in self._code_of:
            self._code_of[seat] = len(self.minds)
            self.minds.append(self._make(seat))
        return self._code_of[seat]

    def _make(self, seat: Seat) -> Mind | Recipe:
        if hasattr(seat, "decide"):
            return cast(Mind, seat)
        if not isinstance(seat, str):
            return Scripted(getattr(seat, "__name__", type(seat).__name__), seat)
        if seat == DEFAULT:
            raise ScenarioError(f"{DEFAULT!r} is whoever the catalogue names for each question; name one mind here")
        if seat in self.models:
            return self.trained(seat)
        by_question = {q: experts[seat] for q, experts in self.side.experts.items() if seat in experts}
        return Experts(seat, by_question)

    def _faults(self, name: str, seats: Sequence[Seat]) -> list[str]:
        role, _, phase = name.partition(".")
        roles = self.side.roles
        if role not in roles:
            return [f"{name}: unknown role {role!r}{_hint(role, roles)}"]
        if phase and phase not in roles[role]:
            return [f"{name}: {role} is not asked in {phase!r}{_hint(phase, roles[role])}"]
        if not seats:
            return [f"{name}: an empty list; name at least one mind, such as 'scripted'"]
        return [fault for seat in seats for fault in self._seat_faults(name, role, phase, seat)]

    def _seat_faults(self, name: str, role: str, phase: str, seat: Seat) -> list[str]:
        if not isinstance(seat, str):
            is_mind = callable(seat) or hasattr(seat, "decide")
            return [] if is_mind else [f"{name}: a mind is a name, a function or an object with decide, got {seat!r}"]
        if seat == DEFAULT:
            return []
        questions = [f"{role}.{p}" for p in self._asked(role)]
        wanted = [f"{role}.{phase}"] if phase else questions
        known = {expert for q in wanted for expert in self.side.experts[q]} | {DEFAULT, *self.models}
        missing = [q for q in wanted if not self._can(seat, q)]
        if not missing:
            return []
        able = [q for q in questions if self._can(seat, q)]
        if seat in self.models and not able:
            return [f"{name}: {seat!r} answers nothing that {role} is asked here: no prompt, and no trained weights"]
        if able and not phase:
            return [f"{name}: {seat!r} answers only {', '.join(able)}; write minds.{able[0]}: {seat}"]
        return [f"{name}: unknown mind {seat!r}{_hint(seat, known)}"]

    def _can(self, seat: str, question: str) -> bool:
        """Whether a mind of that name answers a question."""
        return question in self.models[seat] if seat in self.models else seat in self.side.experts[question]


def models_of(own: Mapping[str, object] | None = None) -> dict[str, Collection[str]]:
    """The minds that are models: `untrained`, a scenario's own, and the trained weights of the catalogue, by grade.

    Gives the questions (`role.phase`) that each answers: those that have a prompt, or that the weights were trained on;
    of a cascade those that all its parts answer.

    Args:
        own: the `models` of a scenario, checked or as they stand in its file.
    """
    cards = catalog.cards()
    prompts = frozenset(f"{role}.{phase}" for role, card in cards.items() for phase in card.questions)
    trained: dict[str, set[str]] = {}
    for role, card in cards.items():
        for grade, weights in card.weights.items():
            trained.setdefault(grade, set()).update(f"{role}.{phase}" for phase in weights.answers)
    known = {**{g: q for g, q in trained.items() if q}, UNTRAINED: prompts, **dict.fromkeys(own or (), prompts)}
    parts = {name: cascade_of(spec) for name, spec in (own or {}).items()}
    return known | {name: set.intersection(*(set(known.get(p, ())) for p in two)) for name, two in parts.items() if two}


def cascade_of(spec: object) -> list[str]:
    """The parts of a cascade among a scenario's `models`; none of what is no cascade."""
    found = spec.get("cascade") if isinstance(spec, Mapping) else getattr(spec, "cascade", None)
    return [part for part in found if isinstance(part, str)] if isinstance(found, list) else []


def is_nano(grade: str) -> bool:
    """Whether the trained weights of a grade are nano networks, in every role that has them."""
    found = [card.weights[grade].model for card in catalog.cards().values() if grade in card.weights]
    return bool(found) and all(model == catalog.NANO for model in found)


def default_of(role: str, phase: str) -> str:
    """The grade that passed the catalogue's gate for a question; `scripted` where none did."""
    return catalog.card(role).default.get(phase, SCRIPTED) if role in catalog.roles() else SCRIPTED


def deal(seats: Array, rank: Array) -> Array:
    """The seat of each member of a role: dealt out in turn by rank."""
    return seats[rank % len(seats)]


def _listed(seats: Seat | Sequence[Seat]) -> list[Seat]:
    if isinstance(seats, str) or callable(seats) or hasattr(seats, "decide"):
        return [cast(Seat, seats)]
    return list(seats)


def listed(wishes: Sequence[Seat | Sequence[Seat]]) -> list[Seat]:
    """All seats that some wishes name, in order."""
    return [seat for seats in wishes for seat in _listed(seats)]


def seat_names(seats: Seat | Sequence[Seat], own: Mapping[int, str]) -> list[str]:
    """Seats as a manifest names them; `own` is what `own_names` gave."""
    return [seat if isinstance(seat, str) else own[id(seat)] for seat in _listed(seats)]


def own_names(wishes: Sequence[Seat | Sequence[Seat]]) -> dict[int, str]:
    """A name for each of a user's own functions and objects, by identity; of two of one name the second is `name-2`."""
    names: dict[int, str] = {}
    for seat in listed(wishes):
        if not isinstance(seat, str) and id(seat) not in names:
            name = str(getattr(seat, "name", getattr(seat, "__name__", "function")))
            count = sum(taken.rpartition("-")[0] == name or taken == name for taken in names.values())
            names[id(seat)] = f"{name}-{count + 1}" if count else name
    return names


def _hint(word: str, known: Mapping[str, object] | Sequence[str] | set[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f", did you mean {close[0]!r}?" if close else f"; known: {', '.join(sorted(known))}"
