"""How a run stands before its first step: the scenario, its arms, who sits where, and what can be wrong with them."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from ecosim import catalog, interventions
from ecosim.cluster.crew import Say
from ecosim.cluster.layout import Layout, this_machine
from ecosim.document import MAX_FAULTS, Fault
from ecosim.errors import CatalogError, ScenarioError
from ecosim.faults import placed, spot_of
from ecosim.fields import Array
from ecosim.minds.recipe import Recipe
from ecosim.minds.recordings import Recordings
from ecosim.minds.router import Router
from ecosim.minds.scripted import Experts
from ecosim.minds.seats import UNTRAINED, Seats, Wishes, deal, listed, own_names
from ecosim.models import adapter, sources
from ecosim.models.sources import BASE
from ecosim.record.store import Folder, Store
from ecosim.scenario import MAX_SEED, Scenario, read
from ecosim.schedule import Change, Schedule, Timed
from ecosim.side import Side
from ecosim.words import Mind, Table

if TYPE_CHECKING:
    from ecosim.models.encoder import Encoder
    from ecosim.world import World

Numerics = Literal["reproducible", "fast"]
NUMERICS = ("reproducible", "fast")
SIDES = {"manufacturing": "ecosim.manufacturing.side", "community": "ecosim.community.side"}
RECORDINGS = "recordings.jsonl"
SMALL_BYTES = 2**28
"""What any machine has; the memory that is free is looked up only for more."""
REPLICA_BYTES = 200
"""Of a replica's row, at least, while it is made."""
OTHER_LUCK = 1_000_000
"""How far the mind seeds of an A/A arm are from those of the arm that it repeats."""

Changes = Mapping[int, Change | Sequence[Change]]
"""A user's own interventions by step."""

Progress = Callable[[int, Router], None]
"""Called after every step with its number and the router. Where it has a method `watch(steps_done, router)`, the steps
are run within that as a context: it may look at `router.so_far()` meanwhile, from a thread of its own."""


class Underway(Protocol):
    """A run between two steps, to be looked at.

    Attributes:
        steps_done: how many steps it has taken.
        world: as it stands.
        series: an array over replicas a step, by metric and group.
    """

    steps_done: int
    world: World
    series: dict[tuple[str, str], list[Array]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """A choice of minds, for some of the seeds.

    Attributes:
        name: how tables call it.
        minds: what differs from the scenario's minds.
        num_seeds: how many of the seeds it has, from the first; None for all.
        has_other_luck: the same minds with other mind seeds: the A/A control.
        interventions: your own functions by step, each called with one replica at a time as a world of its own, before
            the first phase; it may write columns of `world.tables`. Those of the scenario come first.
    """

    name: str
    minds: Wishes = field(default_factory=dict)
    num_seeds: int | None = None
    has_other_luck: bool = False
    interventions: Changes = field(default_factory=dict)

    @property
    def changes(self) -> list[tuple[int, Change]]:
        """Its own functions with their steps, in order."""
        given = sorted(self.interventions.items())
        return [(step, one) for step, made in given for one in ([made] if callable(made) else made)]

    def after(self, others: Changes) -> Arm:
        """The same arm with other functions before its own."""
        both = sorted([*replace(self, interventions=others).changes, *self.changes], key=lambda one: one[0])
        steps: dict[int, list[Change]] = {}
        for step, change in both:
            steps.setdefault(step, []).append(change)
        return replace(self, interventions=steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a run is carried out; of all this only numerics can show in a digest, and only in those of language models.

    Attributes:
        numerics: of language models, `reproducible` or `fast`.
        layout: where minds answer.
        batch_limit: most rows in a batch of a language model; None leaves it to the token budget.
        snapshot_steps: steps between two snapshots; None makes one after every 20 s. Only runs in folders have them.
        keep_events: False keeps digests, metrics and KPIs only.
        progress: called after each step.
        say: takes lines about what is going to be made.
        watch: called after each step with the run under way; it may wait, or raise KeyboardInterrupt to end the run.
    """

    numerics: Numerics = "reproducible"
    layout: Layout = field(default_factory=Layout)
    batch_limit: int | None = None
    snapshot_steps: int | None = None
    keep_events: bool = True
    progress: Progress | None = None
    say: Say | None = None
    watch: Callable[[Underway], None] | None = None


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

    def last_faults(found: Scenario) -> list[Fault]:
        wrong = _scenario_faults(found) + placed(interventions.late(found))
        return wrong or placed(found.file_faults())  # files are read for what fits into memory

    return read(
        _scenario_path(source), list(SIDES), lambda world: side(world).kind, overrides, _mind_faults, last_faults
    )


def _scenario_path(source: str | Path) -> Path:
    path = Path(source)
    if path.suffix in (".yaml", ".yml") or len(path.parts) > 1:
        if not os.path.isfile(path):  # unlike Path's, False for names that no file system takes
            raise ScenarioError(f"{source}: there is no such file")
        return path
    return catalog.scenario_path(str(source))


def _mind_faults(world: str, data: Mapping[str, Any]) -> list[Fault]:
    """Faults of the `minds` of a scenario file, as far as their shape allows."""
    minds, models = data.get("minds"), data.get("models")
    seats = Seats(side(world), _no_model, [UNTRAINED, *(models if isinstance(models, dict) else ())])
    given = list(minds.items())[: 2 * MAX_FAULTS] if isinstance(minds, dict) else []
    return [
        (("minds", role), fault)
        for role, names in given
        if isinstance(names, str | list)
        for fault in seats.faults({role: _each_once(names)})
    ]


def _each_once(names: str | list[object]) -> list[Any]:
    """The names of a list, each once; what is no name is told by its type elsewhere."""
    listed = [names] if isinstance(names, str) else names
    return list(dict.fromkeys(name for name in listed if isinstance(name, str)))[:MAX_FAULTS] or (
        [] if not listed else ["scripted"]
    )


def check(scenario: Scenario, arms: Sequence[Arm], place: str = "scenario", manner: Manner | None = None) -> None:
    """Find what can be found without running: roles, phases and minds that do not exist, and what no machine holds.

    Raises:
        ScenarioError: all faults at once.
    """
    ecosystem = side(scenario.world)
    seats = Seats(ecosystem, _no_model, [UNTRAINED, *scenario.models])
    found = [text for _, text in _scenario_faults(scenario, arms)]
    found += [*_weight_faults(scenario), *_own_faults(scenario, arms)]
    wrong = [f"{place}: {fault}" for fault in found]
    manner = manner or Manner()
    if manner.numerics not in NUMERICS:
        wrong.append(f"{place}: numerics: unknown {manner.numerics!r}; known: {', '.join(NUMERICS)}")
    for name in ("batch_limit", "snapshot_steps"):
        number = getattr(manner, name)
        if number is not None and number < 1:
            wrong.append(f"{place}: {name}: must be 1 or more, got {number}")
    for arm in arms:
        try:
            seats.plan(scenario.minds, arm.minds, place)
        except ScenarioError as error:
            wrong += error.faults
    if wrong:
        raise ScenarioError(list(dict.fromkeys(wrong)))


def _scenario_faults(scenario: Scenario, arms: Sequence[Arm] = (Arm(name="all"),)) -> list[Fault]:
    """What is wrong with a scenario whose keys are all right."""
    ecosystem = side(scenario.world)
    seats = Seats(ecosystem, _no_model, [UNTRAINED, *scenario.models])
    faults = placed(_name_faults(ecosystem, scenario))
    if scenario.world_seed + scenario.seeds + OTHER_LUCK > MAX_SEED or scenario.mind_seed + OTHER_LUCK > MAX_SEED:
        faults.append((("seeds",), f"seeds count up from world_seed and mind_seed and would pass {MAX_SEED}"))
    faults = faults or _size_faults(scenario, arms)
    return faults or placed(_change_faults(ecosystem, scenario, seats))  # who they concern is looked up: not too many


def _size_faults(scenario: Scenario, arms: Sequence[Arm]) -> list[Fault]:
    """Counts that make more than this machine can hold; nothing is built to find out."""
    ecosystem = side(scenario.world)
    replicas = sum(min(arm.num_seeds or scenario.seeds, scenario.seeds) for arm in arms)
    parts = {name: size * replicas for name, size in ecosystem.num_bytes(scenario).items()}
    parts |= {"seeds": REPLICA_BYTES * replicas, "steps": 8 * len(ecosystem.metrics) * scenario.steps * replicas}
    if sum(parts.values()) < SMALL_BYTES:
        return []
    room = this_machine().memory_bytes
    if sum(parts.values()) <= room:
        return []
    name, size = max(parts.items(), key=lambda part: part[1])
    text = (
        f"{name} × {replicas:,} replicas: at least {_size(size)} of tables, and {_size(room)} of memory are free here"
    )
    key = name.partition(" ")[0] if sum(parts.values()) // replicas > room else "seeds"
    return [(spot_of(f"{key}:"), f"{text}; give smaller counts, or fewer seeds or steps")]


def _size(num_bytes: int) -> str:
    return f"{num_bytes / 1e9:,.1f} GB" if num_bytes < 1e15 else f"{num_bytes:.1e} bytes"


def _name_faults(ecosystem: Side, scenario: Scenario) -> list[str]:
    """Models that are called like a mind that there is, and a substitute that there is not."""
    experts = {name for known in ecosystem.experts.values() for name in known} | {UNTRAINED}
    faults = [f"models.{name}: there is a mind of that name already" for name in scenario.models if name in experts]
    able = set.intersection(*(set(known) for known in ecosystem.experts.values()))
    if scenario.substitute and scenario.substitute not in able:
        faults.append(f"substitute: unknown mind {scenario.substitute!r}; known: {', '.join(sorted(able))}")
    return faults


def _weight_faults(scenario: Scenario) -> list[str]:
    """Models of the scenario that could not be loaded, as far as their files' headers show; nothing is loaded."""
    faults = []
    for name, model in scenario.models.items():
        if model.url:
            continue
        try:
            over = sources.headers(model.base or BASE)
            if model.adapter:
                adapter.examine(Path(model.adapter), over)
        except CatalogError as error:
            faults.append(f"models.{name}: {error}")
    return faults


def _change_faults(ecosystem: Side, scenario: Scenario, seats: Seats) -> list[str]:
    """What is wrong with the scenario's interventions, minds that there are not included."""
    if not scenario.interventions:
        return []
    found = interventions.faults(ecosystem, scenario)
    return found or [
        f"interventions[{i}].set: {fault.removeprefix('minds.')}"
        for i, question, mind in interventions.seats_wished(ecosystem, scenario)
        for fault in seats.faults({question: mind})
    ]


def _own_faults(scenario: Scenario, arms: Sequence[Arm]) -> list[str]:
    """What is wrong with the functions of the arms."""
    found = []
    for arm in arms:
        place = f"arm {arm.name!r}: interventions"
        if not isinstance(arm.interventions, Mapping):
            found.append(f"{place}: expected functions by step, such as {{10: close_port}}, got {arm.interventions!r}")
            continue
        for step, made in arm.interventions.items():
            if isinstance(step, bool) or not isinstance(step, int) or not 1 <= step <= scenario.steps:
                found.append(f"{place}: a step lies within 1 … {scenario.steps}, got {step!r}")
            if not all(map(callable, made if isinstance(made, list | tuple) else [made])):
                found.append(f"{place}: step {step}: expected a function of a world, or a list of these, got {made!r}")
    return found


def own_of(arms: Sequence[Arm]) -> dict[int, str]:
    """A name for each of the user's own functions and minds in some arms, by identity."""
    return own_names(_wished(arms))


def own_by_name(arms: Sequence[Arm]) -> dict[str, Any]:
    """The same functions and minds, by name, as `resume` and `verify` take them."""
    names = own_of(arms)
    return {names[id(one)]: one for one in listed(_wished(arms)) if not isinstance(one, str)}


def _wished(arms: Sequence[Arm]) -> list[Any]:
    """The seats of all arms, and the functions that change them."""
    return [
        *(seats for arm in arms for seats in arm.minds.values()),
        *(change for arm in arms for _, change in arm.changes),
    ]


def schedule_of(ecosystem: Side, scenario: Scenario, arms: Sequence[Arm], seats: Seats, place: str) -> Schedule:
    """What is changed from outside in a run; an A/A arm meets what the arm that it repeats meets.

    Raises:
        ScenarioError: an intervention names an arm that there is not.
    """
    wrong = interventions.arm_faults(scenario, [arm.name for arm in arms])
    if wrong:
        raise ScenarioError([f"{place}: {fault}" for fault in wrong])
    names = own_of(arms)
    minds = dict.fromkeys(mind for _, _, mind in interventions.seats_wished(ecosystem, scenario))
    return Schedule(
        ecosystem,
        scenario,
        [(arm.name, _repeated(arm, arms)) for arm in arms],
        [[Timed(step, names[id(change)], change) for step, change in arm.changes] for arm in arms],
        {mind: int(seats.codes([mind])[0]) for mind in minds},
    )


def _repeated(arm: Arm, arms: Sequence[Arm]) -> str:
    """The name of the arm that an A/A arm repeats: the first with the same minds; its own of any other arm."""
    twins = [one.name for one in arms if one.minds == arm.minds and not one.has_other_luck]
    return twins[0] if arm.has_other_luck and twins else arm.name


def substitutes(ecosystem: Side, scenario: Scenario) -> dict[str, Mind]:
    """The mind that answers a poison row, by question; none if the scenario names none."""
    name = scenario.substitute
    if not name:
        return {}
    return {q: Experts(name, {q: experts[name]}) for q, experts in ecosystem.experts.items() if name in experts}


def default_folder(scenario: Scenario, name: str, now: float) -> Path:
    """`results/<scenario>/<time>-<prefix of the digest of the scenario>`."""
    digest = hashlib.sha256(json.dumps(scenario.model_dump(), sort_keys=True).encode()).hexdigest()
    return Path("results") / name / f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}-{digest[:8]}"


def replicas_of(scenario: Scenario, arms: Sequence[Arm]) -> Table:
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


def seat(
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


def _no_model(name: str) -> Mind:
    raise AssertionError(f"a check makes no minds, {name} was asked for")


def seats_of(ecosystem: Side, scenario: Scenario, manner: Manner, store: Store | None) -> Seats:
    """Seats whose language minds are those of the scenario."""
    roles = tuple(role for role in ecosystem.roles if role in catalog.roles())
    at = store.path / RECORDINGS if isinstance(store, Folder) else getattr(store, "recordings", None)
    kept = Recordings(at)

    def make(name: str) -> Mind | Recipe:
        spec = scenario.models.get(name)
        if spec is not None and spec.url:
            from ecosim.minds.remote import RemoteMind

            cards = {role: catalog.card(role) for role in roles}
            return RemoteMind(
                cards,
                spec.url,
                spec.model,
                recordings=kept,
                name=name,
                timeout_s=spec.timeout_s,
                max_concurrent=spec.max_concurrent,
            )
        return Recipe(
            name=name if spec is not None else "",
            grade=spec.grade if spec is not None else UNTRAINED,
            roles=roles,
            base=(spec.base if spec is not None else "") or BASE,
            adapter=spec.adapter if spec is not None else "",
            numerics=manner.numerics,
            batch_limit=manner.batch_limit,
        )

    return Seats(ecosystem, make, [UNTRAINED, *scenario.models])
