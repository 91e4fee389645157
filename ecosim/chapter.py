"""A chapter: what one subject (equipment, contracts, moderation …) brings to an ecosystem, all in one place.

A module that has a subject of its own ends in a `CHAPTER`; `side.py` lists them. A chapter whose scenario key is not
given costs nothing: no table, no phase, no row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ecosim.adder import Adder
from ecosim.levers import Lever
from ecosim.meanings import State
from ecosim.side import Events, Figure, Phase, Schema, Series
from ecosim.words import Expert, Table

if TYPE_CHECKING:
    from ecosim.world import World

S = TypeVar("S")
"""The scenario class of an ecosystem."""

L = TypeVar("L")
"""Who is who in a replica, as the ecosystem's `layout(scenario)` says."""


def _builds_nothing(scenario: object, net: object, replicas: Table, tables: dict[str, Table]) -> None:
    pass


def _measures_nothing(world: World, events: Events, add: Adder) -> None:
    pass


def _concludes_nothing(world: World, series: Series, add: Adder) -> None:
    pass


@dataclass(frozen=True, kw_only=True)  # no slots: a generic class of slots cannot be made through an alias
class Chapter(Generic[S, L]):
    """What a subject adds to a side.

    Attributes:
        is_in: whether a scenario has the subject; nothing else is called where it has not.
        phases: makes its phases, by name; the scenario says when in a step they come.
        asks: the phases that ask each role.
        populations: roles that are no members, with the table that holds each; empty where the scenario has them not.
        experts: the scripted minds of its questions, by `role.phase`; the first is "scripted".
        schemas: its event tables; rare ones, so that runs without them have the digests that they had.
        states: what its tables, and its columns of other tables, are.
        build: adds them to the tables as they stand before step 1.
        metrics, kpis: what `measure` gives after each step, and `conclude` at the end; each gets an `Adder`.
        levers: what interventions may change.
        num_bytes: what its tables take at least, a replica, by the counts that make them so large.
    """

    is_in: Callable[[S], bool] = lambda scenario: True
    phases: Mapping[str, Callable[[S, L], Phase]] = field(default_factory=dict)
    asks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    populations: Mapping[str, str] = field(default_factory=dict)
    experts: Mapping[str, Mapping[str, Expert]] = field(default_factory=dict)
    schemas: Mapping[str, Schema] = field(default_factory=dict)
    states: Mapping[str, State] = field(default_factory=dict)
    build: Callable[[S, L, Table, dict[str, Table]], None] = _builds_nothing
    metrics: Mapping[str, Figure] = field(default_factory=dict)
    kpis: Mapping[str, Figure] = field(default_factory=dict)
    measure: Callable[[World, Events, Adder], None] = _measures_nothing
    conclude: Callable[[World, Series, Adder], None] = _concludes_nothing
    levers: Callable[[S, L], Sequence[Lever]] = lambda scenario, net: ()
    num_bytes: Callable[[S], Mapping[str, int]] = lambda scenario: {}


def join(chapters: Sequence[Chapter[S, L]]) -> Chapter[S, L]:
    """One chapter that is all of them; each is called where its scenario has it."""

    def present(scenario: S) -> list[Chapter[S, L]]:
        return [chapter for chapter in chapters if chapter.is_in(scenario)]

    def build(scenario: S, net: L, replicas: Table, tables: dict[str, Table]) -> None:
        for chapter in present(scenario):
            chapter.build(scenario, net, replicas, tables)

    def measure(world: World, events: Events, add: Adder) -> None:
        for chapter in present(_of(world)):
            chapter.measure(world, events, add)

    def conclude(world: World, series: Series, add: Adder) -> None:
        for chapter in present(_of(world)):
            chapter.conclude(world, series, add)

    def _of(world: World) -> S:
        scenario: Any = world.scenario  # a world of this side
        return scenario

    asks: dict[str, list[str]] = {}
    columns: dict[str, State] = {}
    for chapter in chapters:
        for role, names in chapter.asks.items():
            asks.setdefault(role, []).extend(names)
        for name, state in chapter.states.items():
            known = columns.get(name, state)
            columns[name] = State(known.about, {**known.columns, **state.columns})
    return Chapter(
        phases={name: phase for chapter in chapters for name, phase in chapter.phases.items()},
        asks=asks,
        populations={role: home for chapter in chapters for role, home in chapter.populations.items()},
        experts={name: expert for chapter in chapters for name, expert in chapter.experts.items()},
        schemas={name: schema for chapter in chapters for name, schema in chapter.schemas.items()},
        states=columns,
        build=build,
        metrics={name: figure for chapter in chapters for name, figure in chapter.metrics.items()},
        kpis={name: figure for chapter in chapters for name, figure in chapter.kpis.items()},
        measure=measure,
        conclude=conclude,
        levers=lambda scenario, net: [lever for c in present(scenario) for lever in c.levers(scenario, net)],
        num_bytes=lambda scenario: {k: v for c in present(scenario) for k, v in c.num_bytes(scenario).items()},
    )
