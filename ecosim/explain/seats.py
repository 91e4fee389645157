"""Who answers which question, without making any mind."""

from __future__ import annotations

from typing import Any

from ecosim import catalog, docstrings
from ecosim.explain.told import SeatTold
from ecosim.minds.seats import UNTRAINED, Seat, Seats, Wishes, models_of
from ecosim.models.sources import BASE
from ecosim.scenario import Scenario
from ecosim.side import Side


def seats_of(side: Side, facts: Scenario, wishes: Wishes) -> dict[str, tuple[SeatTold, ...]]:
    """Who answers each question of the side."""
    seats = Seats(side, _no_model, models_of(facts.models), asked=side.asked(facts))
    plan = seats.plan(facts.minds, wishes, "scenario")
    return {
        f"{role}.{phase}": tuple(_seat(side, facts, f"{role}.{phase}", seat) for seat in found)
        for (role, phase), found in plan.items()
    }


def _no_model(name: str) -> Any:
    raise AssertionError(f"explaining makes no minds, {name} was asked for")


def _seat(side: Side, facts: Scenario, question: str, seat: Seat) -> SeatTold:
    if not isinstance(seat, str):
        name = str(getattr(seat, "name", getattr(seat, "__name__", type(seat).__name__)))
        return SeatTold(name=name, grade=str(getattr(seat, "grade", "scripted")), about=docstrings.read(seat).summary)
    if seat == UNTRAINED:
        return SeatTold(name=seat, grade=UNTRAINED, about=f"the base model {BASE} as it comes")
    if seat in facts.models:
        spec = facts.models[seat]
        if spec.cascade:
            about = f"{spec.cascade[0]} first; {spec.cascade[1]} where its margin is under {spec.threshold:g}"
            return SeatTold(name=seat, grade=spec.grade, about=about)
        base = f"{spec.model} at {spec.url}" if spec.url else spec.base or BASE
        return SeatTold(
            name=seat, grade=spec.grade, about=f"{base} with adapter {spec.adapter}" if spec.adapter else base
        )
    role, _, phase = question.partition(".")
    weights = catalog.cards()[role].weights if role in catalog.roles() else {}
    if seat in weights and phase in weights[seat].answers:
        return SeatTold(name=seat, grade=seat, about=f"{weights[seat].model}, trained: {weights[seat].training}")
    experts = side.experts[question]
    also = tuple(name for name, expert in experts.items() if expert is experts[seat] and name != seat)
    return SeatTold(name=seat, grade="scripted", about=docstrings.read(experts[seat]).summary, also=also)
