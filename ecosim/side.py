"""What an ecosystem brings: its tables, phases, minds, events and figures, as the world and the assembly see them.

Only words are here, and no Mesa, so that a scenario can be checked, and a record read, without making a world.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from ecosim.fields import Array
from ecosim.levers import Panel
from ecosim.meanings import COMMON, Meaning, State
from ecosim.scenario import Scenario
from ecosim.words import KEY, Decision, Expert, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

Events = Mapping[str, Table]
"""Rows for the event tables, by name; each has `replica` and the columns of its schema (the step is added)."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an event table: int64 or float64 (`i8`, `f8`), or text (`str`).

    Attributes:
        codes: of a column of codes, the word for each, from 0.
        of: of a column of numbers that stand for something with a name, what it is: a key of `Side.names`.
    """

    name: str
    kind: str
    unit: str
    about: str
    codes: tuple[str, ...] = ()
    of: str = ""


@dataclass(frozen=True, slots=True)
class Schema:
    """An event table: its columns after `replica` and `step`; the first `num_keys` of them order the rows of a step.

    An exogenous table depends on the world seed alone: arms with other minds must meet the same one, bit for bit.
    A rare table enters a replica's digest only in the steps in which it has rows: elsewhere nobody knows of it.
    """

    about: str
    num_keys: int
    columns: tuple[Column, ...]
    is_exogenous: bool = False
    is_rare: bool = False


SUBSTITUTIONS = Schema(
    "Rows that a seat's mind failed on for good, answered by the substitute; `ops/substitutions` has the reasons.",
    5,
    (
        Column("question", "i8", "", "index among the questions of the side, role by role"),
        *(Column(name, "i8", "id", "of the row's key") for name in KEY),
        Column("mind", "str", "", "that failed"),
    ),
)


INTERVENTIONS = Schema(
    "Changes from outside, as they were made at the beginning of a step.",
    2,
    (
        Column("intervention", "i8", "", "index in the scenario's list; functions from Python count on from its end"),
        Column("part", "i8", "", "from 0; a function may change several columns"),
        Column("what", "str", "", "the change, the message, or the function's name"),
        Column("table", "str", "", "what was changed; of a message, `questions`"),
        Column("column", "str", "", "its column"),
        Column("rows", "i8", "", "how many rows have another value now; of a message, to how many members it goes"),
        Column(
            "before",
            "f8",
            "",
            "total over the rows chosen, of a function over all; in the lever's unit; or nan",
        ),
        Column("after", "f8", "", "the same after the change"),
    ),
    is_rare=True,
)


class Phase(Protocol):
    """A part of a step. `ask` never writes, `apply` is the only one that does.

    A phase may also tell what it is about, for people: `sees` and `answers` (`Meanings` of the columns and of the
    fields of its questions) and `writes` (names of event tables). `ecosim explain` shows them.
    """

    name: str
    repeats: bool

    def ask(self, world: World) -> list[Question]:
        """Who is due: one question a role, or none."""

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Let the answers happen."""


@dataclass(frozen=True, slots=True)
class Books:
    """The names of a ledger: its assets (cash first), external accounts (`models` among them), reasons for payments."""

    assets: tuple[str, ...]
    externals: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """What a metric or KPI is: its unit, its definition, and which way is better."""

    unit: str
    about: str
    better: Literal["higher", "lower", ""] = ""


Figures = Mapping[tuple[str, str], Array]
"""Values by (name, group), each float64 (replicas,); the group is a role, an item, or "" for the whole replica."""

Series = Mapping[tuple[str, str], Array]
"""Figures of all steps, each float64 (steps, replicas)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """The event tables, metrics and KPIs of some subjects of a side."""

    schemas: Mapping[str, Schema]
    metrics: Mapping[str, Figure]
    kpis: Mapping[str, Figure]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """An ecosystem, as the world and the assembly see it.

    Attributes:
        name: as scenarios call it in `world`.
        step_name: what a step is, "week" or "day".
        kind: its scenario class.
        members: name of the table of members, sorted by `replica, member` (ids from 0 in each replica); it has the
            columns `replica`, `member`, `role` (code into the order of `roles`), `megaflops` (int64 zeros).
            The assembly adds `mind.<phase>` columns (int64).
        roles: the phases that ask each role, by role.
        experts: the scripted minds, by question name (`role.phase`), then expert name; the first is "scripted".
        books: the names of the ledger of a scenario.
        phases: makes the phases of a scenario, in order.
        schemas: the event tables, by name.
        build: from a scenario and the table `replicas`, all other tables as they stand before step 1.
        metrics, kpis: what `measure` gives after each step, and `conclude` at the end.
        measure: figures of the step just done, from the world's tables and the step's events; reads only.
        conclude: figures of whole replicas, from the world at the end and the metrics of all steps.
        num_bytes: what the tables and metrics of a scenario take at least, by the counts that make them so large: bytes
            of one replica, from the file alone.
        member_roles: role of each member of a replica, int64 (members,).
        names: of a scenario's members (`member`), items, topics and the like, by number; the same in all replicas.
        populations: roles too numerous for handles and accounts, with the table that holds each.
        panel: what interventions may change in a scenario, and by which columns rows are named. The books of a side
            with levers have the external account `nature` and the reason `interventions`.
        tables: what the tables that `build` makes are.
        phase_names: of the phases that a scenario has; None if every scenario has all.
        needs: the key that a scenario must have for a phase to be there, of those that need one.
        menu: the minds that members may adopt while a scenario runs, by question, the same ones everywhere. `build`
            makes a table `menu` then, in each replica a row a mind, and the assembly writes their codes to its `code`.
        brought: what the subjects bring that a scenario has; None if every scenario has all.
    """

    name: str
    step_name: str
    kind: type[Scenario]
    members: str
    roles: Mapping[str, tuple[str, ...]]
    experts: Mapping[str, Mapping[str, Expert]]
    books: Callable[[Any], Books]
    phases: Callable[[Any], list[Phase]]
    schemas: Mapping[str, Schema]
    build: Callable[[Any, Table], dict[str, Table]]
    metrics: Mapping[str, Figure]
    kpis: Mapping[str, Figure]
    measure: Callable[[World, Events], Figures]
    conclude: Callable[[World, Series], Figures]
    num_bytes: Callable[[Any], Mapping[str, int]]
    member_roles: Callable[[Any], Array]
    names: Callable[[Any], Mapping[str, tuple[str, ...]]]
    populations: Mapping[str, str] = field(default_factory=dict)
    panel: Callable[[Any], Panel] = lambda scenario: Panel()
    tables: Mapping[str, State] = field(default_factory=dict)
    phase_names: Callable[[Any], Sequence[str] | None] = lambda scenario: None
    needs: Mapping[Any, str] = field(default_factory=dict)
    menu: Callable[[Any], Mapping[str, tuple[str, ...]]] = lambda scenario: {}
    brought: Callable[[Any], Brought | None] = lambda scenario: None

    @property
    def state(self) -> dict[str, State]:
        """All tables of the world: the side's own, with who answers for whom, and those that every world has."""
        minds: dict[str, dict[str, Meaning]] = {}
        for role, phases in self.roles.items():
            asked = {f"mind.{phase}": Meaning("", f"code of the mind that answers in {phase}") for phase in phases}
            minds.setdefault(self.home(role), {}).update(asked)
        own = {
            name: State(table.about, {**table.columns, **minds.get(name, {})}) for name, table in self.tables.items()
        }
        return {**own, **COMMON}

    @property
    def events(self) -> dict[str, Schema]:
        """All event tables: the side's own, and what may happen in any."""
        return {**self.schemas, "substitutions": SUBSTITUTIONS, "interventions": INTERVENTIONS}

    def within(self, scenario: Scenario) -> Side:
        """The side as a scenario has it: with the events and figures of the scenario's own subjects and no others."""
        brought = self.brought(scenario)
        if brought is None:
            return self
        return replace(self, schemas=brought.schemas, metrics=brought.metrics, kpis=brought.kpis)

    @property
    def questions(self) -> list[str]:
        """`role.phase` of everything that members are asked."""
        return [f"{role}.{phase}" for role, phases in self.roles.items() for phase in phases]

    def asked(self, scenario: Scenario) -> dict[str, tuple[str, ...]]:
        """The phases of a scenario that ask each role: of all that there may be, those that it has."""
        there = self.phase_names(scenario)
        return {
            role: tuple(phase for phase in phases if there is None or phase in there)
            for role, phases in self.roles.items()
        }

    def asked_with(self, keys: Collection[str]) -> dict[str, tuple[str, ...]]:
        """The phases that may ask each role in a scenario with these keys, in their usual days or weeks."""
        return {
            role: tuple(phase for phase in phases if self.needs.get(phase, phase) in (phase, *keys))
            for role, phases in self.roles.items()
        }

    def home(self, role: str) -> str:
        """The table that holds the members of a role."""
        return self.populations.get(role, self.members)

    def has_role(self, table: Table, role: str) -> Array:
        """Which rows of its home table have the role, bool (rows,)."""
        if role in self.populations:
            return np.ones(table.num_rows, bool)
        return table["role"] == list(self.roles).index(role)
