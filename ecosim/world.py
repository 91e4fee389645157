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
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.errors import RuleError
from ecosim.exact import MILLION
from ecosim.fields import Array
from ecosim.rules.ledger import CASH, Ledger
from ecosim.scenario import Scenario
from ecosim.side import Events, Side
from ecosim.words import Decision, Question, Table

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="IProgress not found")  # tqdm's, in a notebook without ipywidgets
    import mesa

if TYPE_CHECKING:
    from ecosim.schedule import Schedule

MEGAFLOP = 10**6
MEGAFLOPS_PER_EXAFLOP = 10**12


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
        schedule: what is changed from outside, and when; None if the scenario has no interventions.
    """

    def __init__(
        self,
        side: Side,
        scenario: Scenario,
        tables: dict[str, Table],
        decide: Decide | None = None,
        record: Record | None = None,
        schedule: Schedule | None = None,
    ) -> None:
        super().__init__(seed=0)
        self.side = side
        self.scenario = scenario
        self.tables = tables
        self.phases = side.phases(scenario)
        books = side.books(scenario)
        self.ledger = Ledger(tables["accounts"], books.assets, books.externals, books.reasons)
        self.clock = Clock()
        self.schedule = schedule
        self._decide = decide
        self._record = record
        members = tables[side.members]
        self.first_member = np.flatnonzero(np.diff(members["replica"], prepend=-1))
        self._model_price = round(scenario.model_price_eur_per_exaflop * 10**6)

    # ---- one step -------------------------------------------------------------------------------------------------

    def step(self) -> None:
        """All phases once, over all live replicas; before them whatever is changed from outside."""
        self._intervene()
        for phase in self.phases:
            while True:
                start = perf_counter()
                questions = self._told(phase.ask(self))
                start = self.clock.add(phase.name, start)
                decisions = self.decide(questions)
                start = self.clock.add("minds", start)
                events = phase.apply(self, questions, decisions)
                start = self.clock.add(phase.name, start)
                self.record(phase.name, events)
                self.clock.add("record", start)
                if not (phase.repeats and questions):
                    break
            if self.ledger.is_posted or phase is self.phases[-1]:  # without postings there is nothing new to find
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

    def _intervene(self) -> None:
        if self.schedule is None:
            if self.scenario.interventions:
                raise RuleError("this world was made without its interventions; give it a schedule")
            return
        start = perf_counter()
        events = self.schedule.apply(self)
        if events:
            self.record("interventions", events)
            self.freeze(self.ledger.faults())
            self.clock.add("interventions", start)

    def _told(self, questions: list[Question]) -> list[Question]:
        return questions if self.schedule is None else self.schedule.tell(self, questions)

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

    @cached_property
    def names(self) -> Mapping[str, tuple[str, ...]]:
        """What numbers stand for: the names of members, items, topics and the like."""
        return self.side.names(self.scenario)

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
        world = World(self.side, self.scenario, tables, self._decide, None, self.schedule)
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
    """A handle onto a member's row: its columns, its cash and its goods as attributes; columns may be written.

    Cash and goods are exact integers there, in millionths; `cash_eur` and `<item>_units` give them in natural units, to
    be read only. `role` is a code, `role_name` the word.
    """

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
        if name == "name":  # where it is no column, it follows from the scenario
            return world.names["member"][self.unique_id]
        assets = _natural(world)
        asset = assets.get(name, name)
        if asset not in world.ledger.assets:
            known = ", ".join([*members, "role_name", *world.ledger.assets, *assets])
            raise AttributeError(f"a member has no {name!r}; it has {known}")
        account = world.ledger.starts[self.replica] + self.unique_id
        balance = int(world.ledger.accounts["balance"][account, world.ledger.asset(asset)])
        return balance / MILLION if name in assets else balance

    def __setattr__(self, name: str, value: Any) -> None:
        world: World | None = self.__dict__.get("model")
        if world is None or name in _OWN:
            super().__setattr__(name, value)
        elif name in world.tables[world.side.members]:
            world.tables[world.side.members][name][self.row] = value
        elif name in world.ledger.assets or name in _natural(world) or name in ("name", "role_name"):
            raise AttributeError(f"{name} can be read only: cash and goods move through world.ledger")
        else:
            super().__setattr__(name, value)

    @property
    def role_name(self) -> str:
        """The role in a word."""
        return list(self.model.side.roles)[self.role]


_OWN = ("row", "replica", "unique_id", "model", "pos")


def _natural(world: World) -> dict[str, str]:
    """The asset behind each attribute in natural units."""
    return {f"{asset}_{'eur' if i == CASH else 'units'}": asset for i, asset in enumerate(world.ledger.assets)}
