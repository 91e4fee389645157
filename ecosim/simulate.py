"""Runs: where scenario, side, minds and record meet.

`simulate` steps one world of many replicas from beginning to end. Replicas are seeds × arms: every arm (a choice of
minds) meets the same world seeds, so that arms can be compared in pairs.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa

import ecosim
from ecosim import catalog
from ecosim.errors import RunError, ScenarioError
from ecosim.fields import Array
from ecosim.minds.router import Router
from ecosim.minds.seats import LANGUAGE, Seats, Wishes, deal, seat_names
from ecosim.record.recorder import Recorder
from ecosim.record.store import Folder, Store
from ecosim.scenario import MAX_SEED, Scenario, read
from ecosim.words import Decision, Mind, Question, Table
from ecosim.world import Figure, Figures, Series, Side, World

if TYPE_CHECKING:
    from ecosim.models.encoder import Encoder

Numerics = Literal["reproducible", "fast"]
NUMERICS = ("reproducible", "fast")
SIDES = {"manufacturing": "ecosim.manufacturing.side", "community": "ecosim.community.side"}
MANIFEST = "manifest.json"
OTHER_LUCK = 1_000_000
"""How far the mind seeds of an A/A arm are from those of the arm that it repeats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """A choice of minds, for some of the seeds.

    Attributes:
        name: how tables call it.
        minds: what differs from the scenario's minds.
        num_seeds: how many of the seeds it has, from the first; None for all.
        has_other_luck: the same minds with other mind seeds: the A/A control.
    """

    name: str
    minds: Wishes = field(default_factory=dict)
    num_seeds: int | None = None
    has_other_luck: bool = False


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


Progress = Callable[[int, Router], None]
"""Called after every step with its number and the router."""


class _TitleEncoder:
    """MiniLM for the titles of a community, loaded when the first title is there; sides do not import models."""

    def __init__(self) -> None:
        self._encoder: Encoder | None = None

    def __call__(self, texts: Sequence[str]) -> Array:
        if self._encoder is None:
            from ecosim.models.encoder import Encoder

            self._encoder = Encoder()
        return self._encoder.embed(texts)


@cache
def side(name: str) -> Side:
    """The ecosystem of that name."""
    module = importlib.import_module(SIDES[name])
    found: Side = module.make_side({"minilm": _TitleEncoder()}) if name == "community" else module.SIDE
    return found


def load_scenario(source: str | Path | Scenario, overrides: Mapping[str, object] | None = None) -> Scenario:
    """A scenario by catalogue name or path, with overrides by dotted key; a Scenario is given back changed.

    Raises:
        ScenarioError: there is none, or it has faults.
    """
    if isinstance(source, Scenario):
        if not overrides:
            return source
        raise ScenarioError("overrides apply to a scenario's file; change a Scenario object by with_changes(...)")
    return read(_scenario_path(source), list(SIDES), lambda world: side(world).kind, overrides, _mind_faults)


def _scenario_path(source: str | Path) -> Path:
    path = Path(source)
    if path.suffix in (".yaml", ".yml") or len(path.parts) > 1:
        if not path.is_file():
            raise ScenarioError(f"{source}: there is no such file")
        return path
    return catalog.scenario_path(str(source))


def _mind_faults(world: str, minds: object) -> list[str]:
    """Faults of the `minds` of a scenario file, as far as their shape allows."""
    if not isinstance(minds, dict):
        return []
    named = {str(role): seats for role, seats in minds.items() if isinstance(seats, str | list)}
    return Seats(side(world), language=_no_model).faults(named)


def check(
    scenario: Scenario, arms: Sequence[Arm], place: str = "scenario", numerics: Numerics = "reproducible"
) -> None:
    """Find what can be found without running: roles, phases and minds that do not exist.

    Raises:
        ScenarioError: all faults at once.
    """
    ecosystem = side(scenario.world)
    seats = Seats(ecosystem, language=_no_model)
    faults: list[str] = []
    if numerics not in NUMERICS:
        faults.append(f"{place}: numerics: unknown {numerics!r}; known: {', '.join(NUMERICS)}")
    for arm in arms:
        try:
            seats.plan(scenario.minds, arm.minds, place)
        except ScenarioError as error:
            faults += error.faults
    if scenario.world_seed + scenario.seeds + OTHER_LUCK > MAX_SEED or scenario.mind_seed + OTHER_LUCK > MAX_SEED:
        faults.append(f"{place}: seeds count up from world_seed and mind_seed and would pass {MAX_SEED}")
    if faults:
        raise ScenarioError(list(dict.fromkeys(faults)))


def simulate(
    scenario: Scenario,
    arms: Sequence[Arm],
    store: Store,
    *,
    place: str = "scenario",
    numerics: Numerics = "reproducible",
    keep_events: bool = True,
    progress: Progress | None = None,
) -> Finished:
    """Run all seeds of all arms side by side, from the first step to the last.

    Args:
        scenario: the facts.
        arms: at least one.
        store: where the record goes.
        place: how messages call the scenario.
        numerics: of language models, `reproducible` or `fast`.
        keep_events: False keeps digests, metrics and KPIs only.
        progress: called after each step.

    Raises:
        ScenarioError, CatalogError: before anything is written.
        DecisionError, PoolError: a mind failed; what was recorded so far stays, with status "failed".
    """
    world, router, recorder = prepare(scenario, arms, store if keep_events else None, place=place, numerics=numerics)
    ecosystem = world.side
    if isinstance(store, Folder):
        _claim(store.path)
    manifest = _manifest(scenario, arms, world.tables["replicas"], router.minds, numerics, place)
    store.write_json(MANIFEST, manifest)
    columns: dict[tuple[str, str], list[Array]] = {}
    start = time.perf_counter()
    status, steps_done = "failed", 0
    try:
        for step in range(1, scenario.steps + 1):
            world.step()
            since = time.perf_counter()
            events = recorder.close_step(step)
            steps_done = step
            since = world.clock.add("record", since)
            for name, column in ecosystem.measure(world, events).items():
                columns.setdefault(name, []).append(column)
            world.clock.add("metrics", since)
            if progress is not None:
                progress(step, router)
        status = "done"
    except KeyboardInterrupt:
        status = "interrupted"
        raise
    finally:
        series = {name: np.stack(column) for name, column in columns.items()}
        if series:
            store.append("metrics", _long(series, ecosystem.metrics))
        store.flush()
        manifest |= _results(status, steps_done, world, recorder, router, router.minds, time.perf_counter() - start)
        store.write_json(MANIFEST, manifest)
    kpis = ecosystem.conclude(world, series)
    store.append("kpis", _long(kpis, ecosystem.kpis))
    store.flush()
    return Finished(
        side=ecosystem,
        scenario=scenario,
        world=world,
        store=store,
        manifest=manifest,
        series=series,
        kpis=kpis,
    )


def prepare(
    scenario: Scenario,
    arms: Sequence[Arm],
    store: Store | None = None,
    *,
    place: str = "scenario",
    numerics: Numerics = "reproducible",
) -> tuple[World, Router, Recorder]:
    """A world before its first step, with its minds seated and a recorder listening; arguments as for `simulate`."""
    check(scenario, arms, place, numerics)
    ecosystem = side(scenario.world)
    seats = Seats(ecosystem, language=lambda grade: _language_mind(ecosystem, grade, numerics))
    replicas = _replicas(scenario, arms)
    tables = {"replicas": replicas, **ecosystem.build(scenario, replicas)}
    _seat(ecosystem, seats, scenario, arms, tables, place)
    router = Router(seats.minds)
    recorder = Recorder(ecosystem.schemas, replicas.num_rows, store)

    def decide(questions: Sequence[Question]) -> list[Decision]:
        decisions = router.decide(questions)
        recorder.take_answers(questions, decisions)
        return decisions

    return World(ecosystem, scenario, tables, decide, recorder.take), router, recorder


def default_folder(scenario: Scenario, name: str, now: float) -> Path:
    """`results/<scenario>/<time>-<prefix of the digest of the scenario>`."""
    digest = hashlib.sha256(json.dumps(scenario.model_dump(), sort_keys=True).encode()).hexdigest()
    return Path("results") / name / f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}-{digest[:8]}"


def _claim(path: Path) -> None:
    """Make the folder of a run; it must not be there yet.

    Raises:
        RunError: something is in the way, or it cannot be made.
    """
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        raise RunError(f"{path}: exists already; name another folder with --out, or remove it") from None
    except OSError as error:
        raise RunError(f"{path}: cannot be made: {error.strerror}; name another folder with --out") from error


def _replicas(scenario: Scenario, arms: Sequence[Arm]) -> Table:
    """A row a replica: arm after arm, seed after seed."""
    rows = [(a, s) for a, arm in enumerate(arms) for s in range(min(arm.num_seeds or scenario.seeds, scenario.seeds))]
    arm = np.array([a for a, _ in rows], np.int64)
    seed = np.array([s for _, s in rows], np.uint64)
    luck = np.array([OTHER_LUCK * arms[a].has_other_luck for a, _ in rows], np.uint64)
    return Table(
        {
            "replica": np.arange(len(rows)),
            "arm": arm,
            "world_seed": seed + np.uint64(scenario.world_seed),
            "mind_seed": seed + np.uint64(scenario.mind_seed) + luck,
            "is_live": np.ones(len(rows), bool),
            "fault": np.full(len(rows), "", object),
        }
    )


def _seat(
    ecosystem: Side, seats: Seats, scenario: Scenario, arms: Sequence[Arm], tables: dict[str, Table], place: str
) -> None:
    """Write the `mind.<phase>` columns of all members, arm by arm."""
    arm_of = tables["replicas"]["arm"]
    for number, arm in enumerate(arms):
        for (role, phase), names in seats.plan(scenario.minds, arm.minds, place).items():
            table = tables[ecosystem.home(role)]
            column = f"mind.{phase}"
            if column not in table:
                table[column] = np.zeros(table.num_rows, np.int64)
            mine = (arm_of[table["replica"]] == number) & ecosystem.has_role(table, role)
            table[column][mine] = deal(seats.codes(names), _rank(table["replica"][mine]))


def _rank(replica: Array) -> Array:
    """How many rows of the same replica stand before each row (rows of a replica stand together)."""
    first = np.searchsorted(replica, replica)
    return np.arange(len(replica)) - first


def _no_model(grade: str) -> Mind:
    raise AssertionError(f"a check makes no minds, {grade} was asked for")


def _language_mind(ecosystem: Side, grade: str, numerics: Numerics) -> Mind:
    from ecosim.minds import language

    assert grade in LANGUAGE
    return language.untrained([role for role in ecosystem.roles if role in catalog.roles()], numerics=numerics)


def _manifest(
    scenario: Scenario, arms: Sequence[Arm], replicas: Table, minds: Sequence[Mind], numerics: str, place: str
) -> dict[str, Any]:
    """What is known before the first step."""
    return {
        "ecosim": ecosim.__version__,
        "status": "running",
        "scenario_file": Path(place).name,
        "scenario": scenario.model_dump(mode="json"),
        "arms": [
            {
                "name": arm.name,
                "minds": {k: seat_names(v) for k, v in arm.minds.items()},
                "has_other_luck": arm.has_other_luck,
            }
            for arm in arms
        ],
        "replicas": {name: replicas[name].tolist() for name in ("arm", "world_seed", "mind_seed")},
        "minds": [_mind(mind) for mind in minds],
        "numerics": numerics,
        "machine": {
            "platform": platform.platform(terse=True),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "numpy": np.__version__,
        },
    }


def _mind(mind: Mind) -> dict[str, Any]:
    """Name, grade and fingerprint; of a language mind also its model and whether its bits repeat here."""
    more = mind.describe() if hasattr(mind, "describe") else {}
    return {"name": mind.name, "grade": mind.grade, "fingerprint": mind.fingerprint, **more}


def _results(
    status: str,
    steps_done: int,
    world: World,
    recorder: Recorder,
    router: Router,
    minds: Sequence[Mind],
    seconds: float,
) -> dict[str, Any]:
    """What is known at the end."""
    replicas = world.tables["replicas"]
    pools = {mind.name: mind.stats() for mind in minds if hasattr(mind, "stats")}
    return {
        "status": status,
        "steps_done": steps_done,
        "digests": recorder.digest.hex(),
        "exogenous_digests": recorder.exogenous.hex(),
        "score_digests": recorder.scores.hex(),
        "faults": {int(r): replicas["fault"][r] for r in np.flatnonzero(~replicas["is_live"])},
        "wall_s": seconds,
        "seconds_by_part": {name: s for name, s in sorted(world.clock.seconds.items())},
        "work_by_grade": {
            grade: {"decisions": w.decisions, "wall_s": w.seconds, "nominal_flops": w.flops}
            for grade, w in router.work.items()
        },
        "pools": pools,
    }


def _long(figures: Figures, known: Mapping[str, Figure]) -> pa.Table:
    """Figures as a long table: replica, step (for series), metric, group, value, unit."""
    pieces = []
    for (name, group), values in figures.items():
        steps = values.shape[0] if values.ndim == 2 else 0
        replica = np.arange(values.shape[-1])
        columns: dict[str, Any] = {"replica": np.tile(replica, max(steps, 1))}
        if steps:
            columns["step"] = np.repeat(np.arange(1, steps + 1), len(replica))
        rows = values.size
        columns |= {"metric": pa.repeat(name, rows), "group": pa.repeat(group, rows)}
        columns |= {"value": values.reshape(-1).astype(float), "unit": pa.repeat(known[name].unit, rows)}
        pieces.append(pa.table(columns))
    return pa.concat_tables(pieces)
