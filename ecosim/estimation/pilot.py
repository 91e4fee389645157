"""A pilot: the scenario's own engine, with few seeds, for as long as there is time, into a folder that goes away."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ecosim import manifest
from ecosim.arms import Arm, Manner
from ecosim.errors import CatalogError
from ecosim.estimation.stand_ins import Budget, Taster, Unasked, Watch
from ecosim.fields import Array
from ecosim.minds.cascade import Cascade
from ecosim.minds.language import LanguageMind
from ecosim.minds.recipe import Pool, Recipe
from ecosim.minds.remote import RemoteMind
from ecosim.minds.router import Router
from ecosim.models.sources import RECORD, SOURCES
from ecosim.opening import replicas_of
from ecosim.record.store import PART_ROWS, Folder
from ecosim.scenario import Scenario
from ecosim.simulate import simulate
from ecosim.wheels import cache_dir
from ecosim.words import Mind


class _Enough(Exception):
    """The time is up."""


class Cast:
    """Who answers in the pilots: each language mind once, loaded when it is first asked.

    Attributes:
        budget: of language models; without it, and after it, they are echoed.
        load_s: that loading took.
        is_hurried: somebody pressed Ctrl-C.
    """

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._recipes: dict[int, Recipe] = {}
        self._pool: Pool | None = None
        self.tasters: dict[int, Taster] = {}
        self.unasked: dict[int, Unasked] = {}
        self.load_s = 0.0
        self.is_hurried = False

    def recast(self, code: int, mind: Mind | Recipe) -> Mind | Recipe:
        """The stand-in of a mind that is dear; others as they are.

        Raises:
            CatalogError: its base model is not in the cache: an estimate fetches nothing.
        """
        if isinstance(mind, Recipe):
            check_is_here(mind.base)
            self._recipes[code] = mind
            name = mind.name or mind.grade
            return self.tasters.setdefault(code, Taster(name, mind.grade, lambda: self.mind(code), self.budget))
        if isinstance(mind, RemoteMind):
            return self.unasked.setdefault(code, Unasked(mind))
        return mind

    def mind(self, code: int) -> LanguageMind | Cascade:
        """The language mind itself."""
        if self._pool is None:
            from ecosim.models.load import load

            start = time.perf_counter()
            self._pool = Pool(self._recipes, load)
            self._pool.describe()  # the start-up probe, as in a run
            self.load_s = time.perf_counter() - start
            self.budget.spent_s += self.load_s
        mind = self._pool.minds[code]
        assert isinstance(mind, LanguageMind | Cascade)
        return mind

    @property
    def recipes(self) -> list[Recipe]:
        """The language minds that were met."""
        return list(self._recipes.values())

    def stand_ins(self) -> dict[int, Taster | Unasked]:
        """Those who answer for others, by code."""
        return {**self.tasters, **self.unasked}

    def forget_calls(self) -> None:
        """Begin a new pilot."""
        for one in self.stand_ins().values():
            one.calls, one.watch = [], Watch()

    def taken(self) -> tuple[float, float]:
        """Seconds of the wall and of the processor that stand-ins took in this pilot, loading included."""
        watches = [one.watch for one in self.stand_ins().values()]
        return sum(watch.wall_s for watch in watches), sum(watch.cpu_s for watch in watches)


@dataclass(slots=True, kw_only=True)
class Pilot:
    """What a pilot saw; all seconds are without what stand-ins took.

    Attributes:
        arm: of each replica, by index.
        steps: of each step done: decisions so far, and seconds so far of the wall and of the processor.
        end_s: wall seconds after the last step, until all is on the disk.
        parts: shares of the wall seconds, by part.
        work: decisions and nominal FLOPs, by arm's name and grade.
        calls: of each stand-in by code: question and rows by arm, int64 (arms,).
        folder: with its record.
        peak_bytes: resident memory of this process, the highest so far.
    """

    arm: Array
    steps: Array
    end_s: float
    parts: dict[str, float]
    work: dict[str, dict[str, dict[str, int]]]
    calls: dict[int, list[tuple[str, Array]]]
    folder: Path
    peak_bytes: int

    @property
    def num_replicas(self) -> int:
        """How many stood side by side."""
        return len(self.arm)

    @property
    def num_steps(self) -> int:
        """How many were done."""
        return len(self.steps)

    @property
    def wall_s(self) -> float:
        """Seconds of all steps."""
        return float(self.steps[-1, 1])

    def files(self) -> dict[str, tuple[int, float, float]]:
        """By table: rows, bytes of a file, bytes a row."""
        store = Folder(self.folder)
        return {name: _weigh(store.read(name)) for name in store.names()}

    def by_step(self, column: int) -> Array:
        """Decisions (0), wall seconds (1) or processor seconds (2) of each step."""
        return np.diff(self.steps[:, column], prepend=0.0)


def pilot(
    scenario: Scenario,
    arms: Sequence[Arm],
    seeds: int,
    manner: Manner,
    cast: Cast,
    most_s: float,
    folder: Path,
    place: str = "scenario",
) -> Pilot:
    """Run some seeds until all steps are done or the time is up; Ctrl-C ends it like the time.

    Args:
        most_s: seconds for it beside those of the models; the step under way is finished.
        folder: to be made for the record.
        place: what faults begin with.

    Raises:
        ScenarioError, CatalogError: as a run.
        KeyboardInterrupt: before a step was done.
    """
    scenario = scenario.with_changes(seeds=seeds)
    cast.forget_calls()
    tick = _Tick(cast, most_s, scenario.steps)
    manner = replace(manner, progress=tick, snapshot_steps=scenario.steps, say=None)  # nobody will go on from it
    store = Folder(folder)
    try:
        simulate(scenario, arms, store, manner, place=place, recast=cast.recast)
    except _Enough:
        pass
    except KeyboardInterrupt:
        if not tick.steps:
            raise
        cast.is_hurried = True
    document = store.read_json(manifest.NAME)
    arm_of = replicas_of(scenario, arms)["arm"]
    calls = {
        code: [(call.question, _by_arm(call.rows, arm_of, len(arms))) for call in one.calls]
        for code, one in cast.stand_ins().items()
    }
    steps, stood_in_s = np.array(tick.steps, float), cast.taken()[0]
    seconds = document["seconds_by_part"]
    seconds["minds"] = max(seconds.get("minds", 0.0) - stood_in_s, 0.0)
    return Pilot(
        arm=arm_of,
        steps=steps,
        end_s=max(document["wall_s"] - stood_in_s - float(steps[-1, 1]), 0.0),
        parts={name: s / sum(seconds.values()) for name, s in seconds.items()},
        work=document["work_by_arm"],
        calls=calls,
        folder=folder,
        peak_bytes=peak_bytes(),
    )


class _Tick:
    """Notes the seconds of each step, and ends a pilot whose time is up."""

    def __init__(self, cast: Cast, most_s: float, most_steps: int) -> None:
        self.steps: list[tuple[float, float, float]] = []
        self._cast, self._most_s, self._most_steps = cast, most_s, most_steps
        self._spent_s = cast.budget.spent_s
        self._watch = Watch()

    @contextmanager
    def watch(self, steps_done: int, router: Router) -> Iterator[None]:
        """The steps of a run."""
        self._watch.start()
        yield

    def __call__(self, step: int, router: Router) -> None:
        """Note a step."""
        self._watch.stop()
        is_over = self._watch.wall_s + self._spent_s - self._cast.budget.spent_s > self._most_s
        wall_s, cpu_s = self._cast.taken()
        decisions = sum(work.decisions for work in router.work.values())
        self.steps.append((decisions, self._watch.wall_s - wall_s, self._watch.cpu_s - cpu_s))
        self._watch.start()
        if step < self._most_steps and is_over:
            raise _Enough


def stretch(by_step: Sequence[float], steps: int) -> float:
    """How many times as much all steps have as those that were seen: a line through the later three quarters of them.

    >>> stretch([2, 2, 2, 2], 8), round(stretch([1, 2, 3, 4], 8), 2), stretch([5, 6], 2)
    (2.0, 3.6, 1.0)
    """
    seen = len(by_step)
    if seen >= steps or not sum(by_step):
        return 1.0 if seen >= steps else steps / max(seen, 1)
    at, values = np.arange(1, seen + 1)[seen // 4 :], np.array(by_step, float)[seen // 4 :]
    slope, level = np.polyfit(at, values, 1) if len(at) >= 3 else (0.0, values.mean())
    to_come = np.maximum(level + slope * np.arange(seen + 1, steps + 1), 0.0).sum()
    return float((sum(by_step) + to_come) / sum(by_step))


def file_bytes(rows: float, a_file: float, a_row: float, flushes: int = 0) -> float:
    """Bytes of the Parquet parts of a table that was flushed so many times on the way."""
    return (flushes + np.ceil(rows / PART_ROWS)) * a_file + rows * a_row


def check_is_here(base: str) -> None:
    """Refuse a model that would have to be fetched.

    Raises:
        CatalogError: it is not in the cache.
    """
    if base in SOURCES and not (cache_dir() / base / RECORD).is_file():
        raise CatalogError(f"model {base!r} is not here, and an estimate fetches nothing: ecosim models fetch {base}")


def peak_bytes() -> int:
    """The most memory that this process has had."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _by_arm(rows: Array, arm_of: Array, num_arms: int) -> Array:
    found = np.bincount(arm_of[: len(rows)], weights=rows, minlength=num_arms)
    return np.asarray(found, np.int64)


def _weigh(table: pa.Table) -> tuple[int, float, float]:
    """Rows, bytes of a file without any, and bytes a row: from all rows and half of them, written in memory."""
    half = table.num_rows // 2
    whole_bytes, half_bytes = _written(table), _written(table.slice(0, half))
    a_row = max(whole_bytes - half_bytes, 0) / max(table.num_rows - half, 1)
    return table.num_rows, whole_bytes - a_row * table.num_rows, a_row


def _written(table: pa.Table) -> int:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return int(sink.getvalue().size)
