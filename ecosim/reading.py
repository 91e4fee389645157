"""Scenarios read and checked: of which ecosystem they are, and what can be found wrong with them without a run."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecosim import catalog, interventions
from ecosim.arms import NUMERICS, OTHER_LUCK, Arm, Manner
from ecosim.cluster.layout import this_machine
from ecosim.document import MAX_FAULTS, Fault
from ecosim.errors import CatalogError, ScenarioError
from ecosim.faults import placed, spot_of
from ecosim.fields import Array
from ecosim.minds.seats import DEFAULT, UNTRAINED, Seats, is_nano, models_of
from ecosim.models import adapter, sources
from ecosim.models.sources import BASE
from ecosim.scenario import MAX_SEED, LanguageModel, Scenario, read
from ecosim.side import Side
from ecosim.words import Mind

if TYPE_CHECKING:
    from ecosim.models.encoder import Encoder

SIDES = {"manufacturing": "ecosim.manufacturing.side", "community": "ecosim.community.side"}
SMALL_BYTES = 2**28
"""What any machine has; the memory that is free is looked up only for more."""
REPLICA_BYTES = 200
"""Of a replica's row, at least, while it is made."""


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
        wrong = _scenario_faults(found) + placed([*interventions.late(found), *found.late()])
        return wrong or placed(found.file_faults())  # files are read for what fits into memory

    return read(
        _scenario_path(source), list(SIDES), lambda world: side(world).kind, overrides, _mind_faults, last_faults
    )


def _scenario_path(source: str | Path) -> Path:
    path = Path(source)
    if path.suffix in (".yaml", ".yml") or len(path.parts) > 1:
        if not os.path.isfile(path):  # unlike Path's, False for names that no file system takes
            fault = "is a folder; name the file in it" if os.path.isdir(path) else "there is no such file"
            raise ScenarioError(f"{source}: {fault}")
        return path
    return catalog.scenario_path(str(source))


def _mind_faults(world: str, data: Mapping[str, Any]) -> list[Fault]:
    """Faults of the `minds` of a scenario file, as far as their shape allows."""
    minds, models = data.get("minds"), data.get("models")
    ecosystem = side(world)
    names = models_of(models if isinstance(models, dict) else {})
    seats = Seats(ecosystem, _no_model, names, asked=ecosystem.asked_with(data))
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
    seats = Seats(ecosystem, _no_model, models_of(scenario.models), asked=ecosystem.asked(scenario))
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
    seats = Seats(ecosystem, _no_model, models_of(scenario.models))
    faults = placed(_name_faults(ecosystem, scenario))
    if scenario.world_seed + scenario.seeds + OTHER_LUCK > MAX_SEED or scenario.mind_seed + OTHER_LUCK > MAX_SEED:
        faults.append((("seeds",), f"seeds count up from world_seed and mind_seed and would pass {MAX_SEED}"))
    faults = faults or placed(_menu_faults(ecosystem, scenario, seats)) or _size_faults(scenario, arms)
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
    experts = {name for known in ecosystem.experts.values() for name in known} | {DEFAULT, *models_of()}
    faults = [f"models.{name}: there is a mind of that name already" for name in scenario.models if name in experts]
    faults += [fault for name, model in scenario.models.items() for fault in _cascade_faults(name, model, scenario)]
    able = set.intersection(*(set(known) for known in ecosystem.experts.values()))
    if scenario.substitute and scenario.substitute not in able:
        faults.append(f"substitute: unknown mind {scenario.substitute!r}; known: {', '.join(sorted(able))}")
    return faults


def _cascade_faults(name: str, model: LanguageModel, scenario: Scenario) -> list[str]:
    """Parts of a cascade that are no models, that never doubt, or that can't be asked a second time."""
    trained = {grade for grade in models_of() if grade != UNTRAINED}
    parts = {part: scenario.models.get(part) for part in model.cascade}
    faults = []
    for part, spec in parts.items():
        if part not in {*trained, UNTRAINED, *scenario.models}:
            known = ", ".join(sorted({*trained, UNTRAINED, *scenario.models} - {name}))
            faults.append(f"models.{name}.cascade: unknown model {part!r}; known: {known}")
        elif spec is not None and (spec.cascade or spec.url):
            what = "a cascade itself" if spec.cascade else "behind a URL"
            faults.append(f"models.{name}.cascade: {part!r} is {what}; name a model that is loaded here")
    if model.cascade and not faults and not is_nano(model.cascade[0]):
        faults.append(
            f"models.{name}.cascade: {model.cascade[0]!r} comes first, which must be a nano mind: one that tells how "
            "sure it is for next to nothing"
        )
    return faults


def _menu_faults(ecosystem: Side, scenario: Scenario, seats: Seats) -> list[str]:
    """Minds that members may adopt, and that there are not."""
    found = [f for question, names in ecosystem.menu(scenario).items() for f in seats.faults({question: list(names)})]
    return [f"adoption.menu: {fault.removeprefix('minds.')}" for fault in found]


def _weight_faults(scenario: Scenario) -> list[str]:
    """Models of the scenario that could not be loaded, as far as their files' headers show; nothing is loaded."""
    faults = []
    for name, model in scenario.models.items():
        if model.url or model.cascade:
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


def _no_model(name: str) -> Mind:
    raise AssertionError(f"a check makes no minds, {name} was asked for")
