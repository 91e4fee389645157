"""The world: tables, phases that ask and apply, and one step on one screen.

A World holds R replicas side by side: every table has a `replica` column, and no phase lets replicas meet. It is a
`mesa.Model`; its agents are thin handles onto rows, made when somebody looks at `world.agents` (a Mesa agent a firm
would cost more than the firm). `World(side, scenario, tables)` is the whole state: a copy is a copy of tables.

What it refuses to know: which ecosystem it is (the side brings tables, phases and rules), where minds run (`decide` is
the only hop), and what becomes of events (`record` takes them).

A replica that breaks a law (goods or cash from nothing) is frozen and reported; the others go on.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Literal, Protocol

import numpy as np

from ecosim.errors import RuleError
from ecosim.fields import Array
from ecosim.meanings import COMMON, Meaning, State
from ecosim.rules.ledger import Ledger
from ecosim.scenario import Scenario
from ecosim.words import KEY, Decision, Expert, Question, Table

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="IProgress not found")  # tqdm's, in a notebook without ipywidgets
    import mesa

Events = Mapping[str, Table]
"""Rows for the event tables, by name; each has `replica` and the columns of its schema (the step is added)."""

MEGAFLOP = 10**6
MEGAFLOPS_PER_EXAFLOP = 10**12


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an event table: int64 or float64 (`i8`, `f8`), or text (`str`)."""

    name: str
    kind: str
    unit: str
    about: str


@dataclass(frozen=True, slots=True)
class Schema:
    """An event table: its columns after `replica` and `step`; the first `num_keys` of them order the rows of a step.

    An exogenous table depends on the world seed alone: arms with other minds must meet the same one, bit for bit.
    """

    about: str
    num_keys: int
    columns: tuple[Column, ...]
    is_exogenous: bool = False


SUBSTITUTIONS = Schema(
    "Rows that a seat's mind failed on for good, answered by the substitute; `ops/substitutions` has the reasons.",
    5,
    (
        Column("question", "i8", "", "index among the questions of the side, role by role"),
        *(Column(name, "i8", "id", "of the row's key") for name in KEY),
        Column("mind", "str", "", "that failed"),
    ),
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
        populations: roles too numerous for handles and accounts, with the table that holds each.
        tables: what the tables that `build` makes are.
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
    populations: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, State] = field(default_factory=dict)

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
        return {**self.schemas, "substitutions": SUBSTITUTIONS}

    @property
    def questions(self) -> list[str]:
        """`role.phase` of everything that members are asked."""
        return [f"{role}.{phase}" for role, phases in self.roles.items() for phase in phases]

    def home(self, role: str) -> str:
        """The table that holds the members of a role."""
        return self.populations.get(role, self.members)

    def has_role(self, table: Table, role: str) -> Array:
        """Which rows of its home table have the role, bool (rows,)."""
        if role in self.populations:
            return np.ones(table.num_rows, bool)
        return table["role"] == list(self.roles).index(role)


Decide = Callable[[Sequence[Question]], list[Decision]]
Record = Callable[[str, Events], None]


@dataclass(slots=True)
class Clock:
    """Wall seconds by what they went to; never part of the digest."""

    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, since: float) -> float:
        """Book the time since then under a name; gives now."""
        now = perf_counter()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - since
        return now


class World(mesa.Model):
    """R replicas of one ecosystem.

    Args:
        side: which ecosystem.
        scenario: its facts.
        tables: its state; `replicas` has `replica, arm, world_seed, mind_seed, is_live, fault`.
        decide: answers questions; None for a world that is only looked at.
        record: takes the events of each phase; None drops them.
    """

    def __init__(
        self,
        side: Side,
        scenario: Scenario,
        tables: dict[str, Table],
        decide: Decide | None = None,
        record: Record | None = None,
    ) -> None:
        super().__init__(seed=0)
        self.side = side
        self.scenario = scenario
        self.tables = tables
        self.phases = side.phases(scenario)
        books = side.books(scenario)
        self.ledger = Ledger(tables["accounts"], books.assets, books.externals, books.reasons)
        self.clock = Clock()
        self._decide = decide
        self._record = record
        members = tables[side.members]
        self.first_member = np.flatnonzero(np.diff(members["replica"], prepend=-1))
        self._model_price = round(scenario.model_price_eur_per_exaflop * 10**6)

    # ---- one step -------------------------------------------------------------------------------------------------

    def step(self) -> None:
        """All phases once, over all live replicas."""
        for phase in self.phases:
            while True:
                start = perf_counter()
                questions = phase.ask(self)
                start = self.clock.add(phase.name, start)
                decisions = self.decide(questions)
                start = self.clock.add("minds", start)
                events = phase.apply(self, questions, decisions)
                start = self.clock.add(phase.name, start)
                self.record(phase.name, events)
                self.clock.add("record", start)
                if not (phase.repeats and questions):
                    break
            self.freeze(self.ledger.faults())

    def decide(self, questions: Sequence[Question]) -> list[Decision]:
        """The answers of all minds; what they cost is billed to the members."""
        if not questions:
            return []
        if self._decide is None:
            raise RuleError("this world was made without minds: it can be looked at, not stepped")
        decisions = self._decide(questions)
        for question, decision in zip(questions, decisions, strict=True):
            self._bill(question, decision)
        return decisions

    def record(self, phase: str, events: Events) -> None:
        """Hand events to whoever keeps them."""
        if self._record is not None and events:
            self._record(phase, events)

    def freeze(self, faults: Mapping[int, str]) -> None:
        """Stop replicas that broke a law and keep the reason."""
        replicas = self.tables["replicas"]
        for replica, fault in faults.items():
            if replicas["is_live"][replica]:
                replicas["is_live"][replica] = False
                replicas["fault"][replica] = f"step {self.steps}: {fault}"

    def _bill(self, question: Question, decision: Decision) -> None:
        """Charge members for nominal operations; rounded on the running total, so that nothing is lost to rounding."""
        if question.role in self.side.populations or not decision.flops.any():
            return  # a population has no accounts: nobody pays for its minds
        replica, subject = question.key["replica"], question.key["subject"]
        members = self.tables[self.side.members]
        rows = self.first_member[replica] + subject
        used = members["megaflops"]
        before = used * self._model_price // MEGAFLOPS_PER_EXAFLOP
        np.add.at(used, rows, decision.flops // MEGAFLOP)
        due = used * self._model_price // MEGAFLOPS_PER_EXAFLOP - before
        who = np.flatnonzero(due)
        home = members["replica"][who]
        payer = self.ledger.rows(home, members["member"][who])
        self.ledger.pay("models", due[who], payer, self.ledger.outside("models", home))

    # ---- looking at it --------------------------------------------------------------------------------------------

    @property
    def num_replicas(self) -> int:
        """How many replicas stand side by side."""
        return self.tables["replicas"].num_rows

    @property
    def is_live(self) -> Array:
        """Which replicas have broken no law, bool (replicas,)."""
        return self.tables["replicas"]["is_live"]

    def seed(self, stream: str, replica: Array) -> Array:
        """The world seed or mind seed of each replica, uint64; `stream` is `seeds.WORLD` or `seeds.MIND`."""
        return self.tables["replicas"][f"{stream}_seed"][replica]

    def minds(self, phase: str, replica: Array, member: Array) -> Array:
        """The code of the mind that answers for each member in a phase, int64."""
        return self.tables[self.side.members][f"mind.{phase}"][self.first_member[replica] + member]

    def replica(self, index: int) -> World:
        """A copy of one replica as a world of its own, numbered 0: the same digest, and Mesa's verbs on its agents."""
        tables = {name: table.take(table["replica"] == index) for name, table in self.tables.items()}
        for table in tables.values():
            table["replica"] = np.zeros_like(table["replica"])
        world = World(self.side, self.scenario, tables, self._decide, None)
        world.steps = self.steps
        return world

    @property
    def agents(self) -> mesa.agent.AgentSet:
        """One handle a member, in row order; made on first use."""
        if not self._agents:
            for row in range(self.tables[self.side.members].num_rows):
                Member(self, row)
            mesa.Agent._ids.pop(self, None)  # the registry would keep this world alive; our ids are the members' own
        return self._all_agents

    def close(self) -> None:
        """Let go of tables and handles."""
        for agent in list(self._agents):
            agent.remove()
        self.tables = {}


class Member(mesa.Agent):
    """A handle onto a member's row: its columns, its cash and its goods as attributes; columns may be written."""

    def __init__(self, world: World, row: int) -> None:
        super().__init__(world)
        members = world.tables[world.side.members]
        self.row = row
        self.replica = int(members["replica"][row])
        self.unique_id = int(members["member"][row])

    def __getattr__(self, name: str) -> Any:
        world: World | None = self.__dict__.get("model")
        if world is None:
            raise AttributeError(name)
        members = world.tables[world.side.members]
        if name in members:
            return members[name][self.row]
        if name in world.ledger.assets:
            account = world.ledger.starts[self.replica] + self.unique_id
            return int(world.ledger.accounts["balance"][account, world.ledger.asset(name)])
        raise AttributeError(f"a member has no {name!r}; it has {', '.join([*members, *world.ledger.assets])}")

    def __setattr__(self, name: str, value: Any) -> None:
        world: World | None = self.__dict__.get("model")
        if world is not None and name not in _OWN and name in world.tables[world.side.members]:
            world.tables[world.side.members][name][self.row] = value
        else:
            super().__setattr__(name, value)


_OWN = ("row", "replica", "unique_id", "model", "pos")
