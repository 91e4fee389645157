"""Runs: where scenario, side, minds and record meet.

`simulate` steps one world of many replicas from beginning to end. Replicas are seeds × arms: every arm (a choice of
minds) meets the same world seeds, so that arms can be compared in pairs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim import manifest
from ecosim.arms import Arm, Manner, Numerics, Progress
from ecosim.cluster.crew import Crew, crew, inline
from ecosim.cluster.dispatch import CallNote, Poisoned
from ecosim.fields import Array
from ecosim.minds.recipe import Recipe
from ecosim.minds.router import Router, Work
from ecosim.minds.scripted import Experts
from ecosim.opening import default_folder, replicas_of, schedule_of, seat, seats_of, substitutes
from ecosim.reading import check, load_scenario, side
from ecosim.record import snapshot as snapshots
from ecosim.record.claim import claim, held, refuse_taken
from ecosim.record.recorder import Recorder
from ecosim.record.snapshot import Snapshot
from ecosim.record.store import Folder, Store
from ecosim.scenario import Scenario
from ecosim.schedule import Schedule
from ecosim.side import Figures, Series, Side
from ecosim.whole import whole
from ecosim.words import KEY, Decision, Mind, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

__all__ = [
    "Arm",
    "Finished",
    "Manner",
    "Numerics",
    "Progress",
    "check",
    "default_folder",
    "first_day",
    "load_scenario",
    "prepare",
    "side",
    "simulate",
]

MANIFEST = manifest.NAME
SNAPSHOT_S = 20.0
"""Wall seconds between two snapshots, where no number of steps is asked for."""


@dataclass(slots=True, kw_only=True)
class Finished:
    """A run as it ended: its world, its record, and the figures by (name, group)."""

    side: Side
    scenario: Scenario
    world: World
    store: Store
    manifest: dict[str, Any]
    series: Series
    kpis: Figures


Recast = Callable[[int, Mind | Recipe], Mind | Recipe]
"""From a mind code and its mind to whoever answers for it."""


def simulate(
    scenario: Scenario,
    arms: Sequence[Arm],
    store: Store,
    manner: Manner | None = None,
    *,
    place: str = "scenario",
    start: Snapshot | None = None,
    begun: Mapping[str, Any] | None = None,
    recast: Recast | None = None,
) -> Finished:
    """Run all seeds of all arms side by side, from the first step, or from a snapshot, to the last.

    Args:
        scenario: the facts.
        arms: at least one.
        store: where the record goes; a folder must not be there yet, unless `begun` says that it is this run's.
        manner: how.
        place: how messages call the scenario.
        start: where to go on from.
        begun: the manifest of the run that is taken up again; its minds must be the same.
        recast: changes who answers for a mind code, for replays.

    Raises:
        ScenarioError, CatalogError, RunError: before anything is written.
        DecisionError, PoolError: a mind failed; what was recorded so far stays, with status "failed".
    """
    manner = manner or Manner()
    is_new = begun is None
    if is_new and isinstance(store, Folder):
        refuse_taken(store.path)  # before anything is loaded; it is made when all is ready
    ecosystem, minds, tables, schedule = first_day(scenario, arms, manner, store, place)
    replicas = tables["replicas"]
    cast = [recast(code, mind) for code, mind in enumerate(minds)] if recast else minds
    if start is not None:
        tables = start.tables  # as they stood then, seats and all
    with crew(cast, manner.layout, substitutes(ecosystem, scenario), manner.say) as people, _folder(store, is_new):
        facts = people.describe()
        if begun is not None:
            manifest.check_minds(begun, facts, place)
            if isinstance(store, Folder):  # only now that it can go on, what came after its snapshot is dropped
                store = Folder.resume(store.path, start.parts if start is not None else {})
        how = {"scenario_file": Path(place).name, "numerics": manner.numerics, "batch_limit": manner.batch_limit}
        document = dict(begun or manifest.before(scenario, arms, replicas, facts, how, schedule))
        kept = [code for code, mind in enumerate(cast) if not isinstance(mind, Experts)]
        return _Run(ecosystem, scenario, store, people, manner, tables, schedule, document, kept, start).to_the_end()


def first_day(
    scenario: Scenario, arms: Sequence[Arm], manner: Manner, store: Store | None, place: str
) -> tuple[Side, list[Mind | Recipe], dict[str, Table], Schedule]:
    """The side, the minds by code, the tables before the first step, what will change; ScenarioError if it can't be."""
    check(scenario, arms, place, manner)
    ecosystem = side(scenario.world)
    seats = seats_of(ecosystem, scenario, manner, store)
    replicas = replicas_of(scenario, arms)
    tables = {"replicas": replicas, **ecosystem.build(scenario, replicas)}
    seat(ecosystem, seats, scenario, arms, tables, place)
    schedule = schedule_of(ecosystem, scenario, arms, seats, place)
    return ecosystem, seats.minds, tables, schedule


@contextmanager
def _folder(store: Store, is_new: bool) -> Iterator[None]:
    """A new run's folder, made and held while the block lasts; who takes a run up again holds it already."""
    if not is_new or not isinstance(store, Folder):
        yield
        return
    claim(store.path)
    with held(store.path):
        yield


class _Run:
    """A run under way."""

    def __init__(
        self,
        ecosystem: Side,
        scenario: Scenario,
        store: Store,
        people: Crew,
        manner: Manner,
        tables: dict[str, Table],
        schedule: Schedule,
        document: dict[str, Any],
        kept_minds: Sequence[int],
        start: Snapshot | None,
    ) -> None:
        self.side, self.scenario, self.store, self.people, self.manner = ecosystem, scenario, store, people, manner
        kept_in = store if manner.keep_events else None
        self.ops = kept_in
        self.recorder = Recorder(
            ecosystem.events,
            tables["replicas"].num_rows,
            kept_in,
            kept_minds=kept_minds,
            chains=start.chains if start is not None else None,
        )
        self.world, self.router = assemble(ecosystem, scenario, tables, people, self.recorder, schedule)
        self.router.arms = [document["arms"][arm]["name"] for arm in tables["replicas"]["arm"].tolist()]
        self.steps_done = 0
        self.series: dict[tuple[str, str], list[Array]] = {}
        self.document = document
        self.seconds_before = 0.0
        self._began = self._snapped = time.perf_counter()
        if start is not None:
            self._go_on(start)

    def to_the_end(self) -> Finished:
        """All steps that are left, and the books closed, whatever happens."""
        self.store.write_json(MANIFEST, self.document | {"status": "running"})
        status = "failed"
        try:
            with self._watched():
                for step in range(self.steps_done + 1, self.scenario.steps + 1):
                    self._step(step)
            status = "done"
        except KeyboardInterrupt:
            status = "interrupted"
            raise
        finally:
            since = time.perf_counter()
            series = {name: np.stack(column) for name, column in self.series.items()}
            kpis = self.side.conclude(self.world, series) if status == "done" else {}
            self.world.clock.add("metrics", since)
            self._close(status, series, kpis)
        return Finished(
            side=self.side,
            scenario=self.scenario,
            world=self.world,
            store=self.store,
            manifest=self.document,
            series=series,
            kpis=kpis,
        )

    def _step(self, step: int) -> None:
        clock = self.world.clock
        self.world.step()
        since = time.perf_counter()
        with whole():  # a step's record, its figures and its count are one
            events = self.recorder.close_step(step)
            self._note_calls()
            since = clock.add("record", since)
            for name, column in self.side.measure(self.world, events).items():
                self.series.setdefault(name, []).append(column)
            since = clock.add("metrics", since)
            self.steps_done = step
        if self._is_due(step):
            self._snapshot(step)
            clock.add("snapshots", since)
        if self.manner.progress is not None:
            self.manner.progress(step, self.router)
        if self.manner.watch is not None:
            self.manner.watch(self)

    def _watched(self) -> AbstractContextManager[object]:
        watch = getattr(self.manner.progress, "watch", None)
        return nullcontext() if watch is None else watch(self.steps_done, self.router)

    # ---- snapshots ------------------------------------------------------------------------------------------------

    def _is_due(self, step: int) -> bool:
        if not isinstance(self.store, Folder) or step == self.scenario.steps:
            return False
        every = self.manner.snapshot_steps
        return step % every == 0 if every else time.perf_counter() - self._snapped >= SNAPSHOT_S

    def _snapshot(self, step: int) -> None:
        assert isinstance(self.store, Folder)
        self.store.flush()
        notes = {
            "run": manifest.identity(self.document),
            "wall_s": self._wall_s(),
            "seconds": self.world.clock.seconds,
            "work": {grade: astuple(w) for grade, w in self.router.work.items()},
            "work_by_arm": {
                arm: {grade: astuple(w) for grade, w in work.items()} for arm, work in self.router.work_by_arm.items()
            },
        }
        snapshots.write(
            self.store.path,
            Snapshot(
                step=step,
                tables=self.world.tables,
                chains=self.recorder.chains(),
                series={name: np.stack(column) for name, column in self.series.items()},
                parts=self.store.parts(),
                notes=notes,
            ),
        )
        self._snapped = time.perf_counter()

    def _go_on(self, start: Snapshot) -> None:
        self.world.steps = self.steps_done = start.step
        self.series = {name: list(values) for name, values in start.series.items()}
        self.world.clock.seconds = dict(start.notes["seconds"])
        self.router.work = {grade: Work(*numbers) for grade, numbers in start.notes["work"].items()}
        self.router.work_by_arm = {
            arm: {grade: Work(*numbers) for grade, numbers in work.items()}
            for arm, work in start.notes.get("work_by_arm", {}).items()
        }
        self.seconds_before = float(start.notes["wall_s"])

    # ---- books ----------------------------------------------------------------------------------------------------

    def _note_calls(self) -> None:
        """Put what the dispatcher and the pools noted of this step into `ops/`."""
        dispatcher = self.people.dispatcher
        notes, dispatcher.notes = dispatcher.notes, []
        batches = self.people.take_batches()
        if self.ops is None:
            return
        if notes and self.manner.layout.num_places:  # in one process a call is a function call, and the clock has it
            self.ops.append("ops/calls", _table(notes))
        if batches.num_rows:
            self.ops.append("ops/batches", batches)

    def _close(self, status: str, series: Series, kpis: Figures) -> None:
        since = time.perf_counter()
        if series:
            self.store.append("metrics", manifest.long_table(series, self.side.metrics))
        if kpis:
            self.store.append("kpis", manifest.long_table(kpis, self.side.kpis))
        self.store.flush()
        self.world.clock.add("record", since)
        self.document |= manifest.after(status, self.steps_done, self.world, self.recorder, self.router, self._wall_s())
        self.store.write_json(MANIFEST, self.document)  # first of all: what follows asks others
        pools, batches, layout = self.people.close_books(status == "done")
        for table in batches if self.ops is not None else ():
            self.store.append("ops/batches", table)
        self.store.flush()
        self.document |= {"pools": pools, "layout": layout}
        self.store.write_json(MANIFEST, self.document)

    def _wall_s(self) -> float:
        return self.seconds_before + time.perf_counter() - self._began


def prepare(
    scenario: Scenario,
    arms: Sequence[Arm],
    store: Store | None = None,
    manner: Manner | None = None,
    *,
    place: str = "scenario",
) -> tuple[World, Router, Recorder]:
    """A world before its first step, its minds in this process, and a recorder listening; as for `simulate`."""
    manner = manner or Manner()
    ecosystem, minds, tables, schedule = first_day(scenario, arms, manner, store, place)
    recorder = Recorder(ecosystem.events, tables["replicas"].num_rows, store)
    people = inline(minds, substitutes(ecosystem, scenario))
    return *assemble(ecosystem, scenario, tables, people, recorder, schedule), recorder


def assemble(
    ecosystem: Side,
    scenario: Scenario,
    tables: dict[str, Table],
    people: Crew,
    recorder: Recorder,
    schedule: Schedule | None = None,
) -> tuple[World, Router]:
    """A world whose members ask a crew, with a recorder listening."""
    from ecosim.world import World  # here, as it brings Mesa and pandas, which a check needs not

    router = Router(people.minds, people.dispatcher.answer)
    codes = {name: code for code, name in enumerate(ecosystem.questions)}

    def decide(questions: Sequence[Question]) -> list[Decision]:
        decisions = router.decide(questions)
        poisoned, people.dispatcher.poisoned = people.dispatcher.poisoned, []
        recorder.take_answers(_without(questions, poisoned), decisions)
        if poisoned:
            recorder.take("minds", {"substitutions": _substitutions(poisoned, codes, people.minds)})
            if recorder.store is not None:
                recorder.store.append("ops/substitutions", _reasons(poisoned))
        return decisions

    return World(ecosystem, scenario, tables, decide, recorder.take, schedule), router


def _substitutions(poisoned: Sequence[Poisoned], codes: Mapping[str, int], minds: Sequence[Mind]) -> Table:
    """Events; what exactly went wrong depends on where it did and is told in `ops/substitutions`."""
    rows = [p.question for p in poisoned]
    columns = {"replica": np.array([q.key["replica"][0] for q in rows])}
    columns |= {"question": np.array([codes[q.name] for q in rows])}
    columns |= {name: np.array([q.key[name][0] for q in rows]) for name in KEY}
    return Table({**columns, "mind": np.array([minds[p.code].name for p in poisoned], object)})


def _reasons(poisoned: Sequence[Poisoned]) -> Table:
    columns = {"replica": np.array([p.question.key["replica"][0] for p in poisoned])}
    columns |= {"step": np.array([p.question.step for p in poisoned])}
    columns |= {"question": np.array([p.question.name for p in poisoned], object)}
    columns |= {name: np.array([p.question.key[name][0] for p in poisoned]) for name in KEY}
    return Table({**columns, "reason": np.array([p.reason for p in poisoned], object)})


def _without(questions: Sequence[Question], poisoned: Sequence[Poisoned]) -> Sequence[Question]:
    """The questions, with rows that a substitute answered under no mind's code: they are no mind's decisions."""
    if not poisoned:
        return questions
    names = ("replica", *KEY)
    bad = {(p.question.name, *(int(p.question.key[n][0]) for n in names)) for p in poisoned}
    marked = []
    for question in questions:
        keys = zip(*(question.key[n].tolist() for n in names), strict=True)
        is_bad = np.array([(question.name, *key) in bad for key in keys], bool)
        marked.append(replace(question, mind=np.where(is_bad, -1, question.mind)) if is_bad.any() else question)
    return marked


def _table(notes: Sequence[CallNote]) -> Table:
    names = [f.name for f in fields(notes[0])]
    columns = {name: [getattr(note, name) for note in notes] for name in names}
    texts = ("question", "place", "fault")
    return Table({n: np.array(values, object if n in texts else None) for n, values in columns.items()})
