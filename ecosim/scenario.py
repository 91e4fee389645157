"""Scenario files: the facts of an ecosystem, read strictly and with all faults at once.

What every ecosystem shares is here; each side adds its own keys in a subclass (`manufacturing.scenario`,
`community.scenario`). A scenario is frozen: the world takes numbers from it and never writes to it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from ecosim import strict
from ecosim.document import Document, Fault, Spot, dotted, shown
from ecosim.errors import ScenarioError
from ecosim.faults import checked, did_you_mean
from ecosim.fields import is_plain

MOST = 10**12
"""The largest number of anything: its millionths still fit into an int64."""

Count = Annotated[int, Field(ge=1, le=MOST)]
Whole = Annotated[int, Field(ge=0, le=MOST)]
Amount = Annotated[float, Field(ge=0, le=MOST, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
MAX_SEED = 2**32 - 1
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]


class Facts(BaseModel):
    """A group of keys: frozen, strict, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


S = TypeVar("S", bound=Facts)


class LanguageModel(Facts):
    """A mind that seats may name: a base model, with or without an adapter, one behind a URL, or a cascade of two.

    Attributes:
        base: `hf:owner/name@revision`, `path:/folder`, or a name of `ecosim models list`; "" is the default base.
        adapter: a folder with a LoRA adapter in PEFT's format.
        url: of an OpenAI-compatible server, such as http://localhost:8000/v1; keys come from the environment.
        model: what the server calls it.
        timeout_s, max_concurrent: of requests to the server.
        cascade: two minds by name, the cheaper first: the second is asked where the first is in doubt.
        threshold: of a cascade: log-odds of the first mind's best answer over its next that are under it are doubt.
    """

    base: str = ""
    adapter: str = ""
    url: str = ""
    model: str = ""
    timeout_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 60.0
    max_concurrent: Count = 8
    cascade: list[str] = []
    threshold: Annotated[float, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _a_cascade_is_of_two(self) -> Self:
        if self.cascade and (self.base or self.adapter or self.url):
            raise ValueError("is a cascade of minds that have names; give base, adapter or url to a model of its own")
        if self.cascade and len(set(self.cascade)) != 2:
            raise ValueError(f"cascade: two different minds, the cheaper first, got {', '.join(self.cascade)}")
        if bool(self.cascade) != (self.threshold is not None):
            raise ValueError("a cascade needs a threshold (threshold: 1.5), and the other way round")
        return self

    @model_validator(mode="after")
    def _is_one_of_two_kinds(self) -> Self:
        if self.url and (self.base or self.adapter):
            raise ValueError("has a url and a base or adapter: a model is behind a URL or loaded here, not both")
        if bool(self.url) != bool(self.model):
            raise ValueError("a url needs the model's name there (model: …), and the other way round")
        return self

    @property
    def grade(self) -> str:
        """Its rung on the ladder."""
        if self.cascade:
            return "cascade"
        return "remote" if self.url else "specialist" if self.adapter else "untrained"


MAX_MESSAGE = 500
"""Characters in a message to members."""


def _number_or_name(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | str | None):
        raise ValueError(f"must be a number or a name, got {value!r}")
    if isinstance(value, int | float) and not -MAX_NUMBER <= value <= MAX_NUMBER:
        raise ValueError(f"must be a number within ±1e15, got {value!r}")
    return value


def _names_and_numbers(value: object) -> object:
    listed = value if isinstance(value, list) else [value]
    if not listed or any(isinstance(one, bool) or not isinstance(one, int | str) for one in listed):
        raise ValueError(f"must be an id or a name, or a list of these, got {value!r}")
    return listed


def _one_line(value: object) -> object:
    if isinstance(value, str) and not is_plain(value):
        raise ValueError(f"must be one line without control characters, got {value!r}")
    return value


MAX_NUMBER = 1e15
Number = Annotated[float, Field(allow_inf_nan=False, ge=-MAX_NUMBER, le=MAX_NUMBER)]


Name = int | str
Whom = Annotated[list[Name], BeforeValidator(_names_and_numbers, json_schema_input_type=Name | list[Name])]


class Intervention(Facts):
    """A change from outside, at the beginning of a step, in all replicas of the arms: of a column, or a message.

    A column is changed by exactly one of `set`, `add`, `times`, in natural units (euros, units of goods, weeks), within
    the bounds of its lever (`ecosim.levers`); results are rounded half to even to the lever's grid. Cash and goods come
    from outside and go there; taking stops at zero. A column `mind.<phase>` is set to a mind by name.

    Attributes:
        step: when, from 1.
        table, column: what is changed; `ecosim explain --columns` lists the levers.
        where: whom, by column: an id or a name, or a list of these; everybody by default.
        set: the new value; give one of set, add and times.
        add: what is added to the value; give one of set, add and times.
        times: what the value is multiplied by; give one of set, add and times.
        message: one line that is shown with every question to those whom it concerns.
        steps: how many steps a message lasts.
        arms: the arms in which it happens; all by default.
    """

    step: Count
    table: str = ""
    column: str = ""
    where: dict[str, Whom] = {}
    set: Annotated[float | str | None, BeforeValidator(_number_or_name)] = None
    add: Number | None = None
    times: Number | None = None
    message: Annotated[str, Field(max_length=MAX_MESSAGE), BeforeValidator(_one_line)] = ""
    steps: Count = 1
    arms: list[str] = []

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        changes = [name for name in ("set", "add", "times") if getattr(self, name) is not None]
        if self.message and (self.table or self.column or changes):
            raise ValueError("either changes a column or is a message, not both; write two interventions")
        if not self.message and not (self.table and self.column):
            raise ValueError("needs a table and a column to change, or a message")
        if not self.message and len(changes) != 1:
            raise ValueError(f"needs exactly one of set, add and times, got {' and '.join(changes) or 'none'}")
        if not self.message and self.steps != 1:
            raise ValueError("steps: only a message lasts; a column stays as it is set until it is set again")
        return self

    @property
    def change(self) -> tuple[str, float | str]:
        """Which of `set`, `add`, `times`, and its value."""
        given = (("set", self.set), ("add", self.add), ("times", self.times))
        return next((name, value) for name, value in given if value is not None)

    @property
    def what(self) -> str:
        """The change, or the message, as a text."""
        change, value = self.change if not self.message else ("", self.message)
        return f"{change} {value if isinstance(value, str) else format(value, 'g')}".strip()


class Scenario(Facts):
    """What every scenario says.

    Attributes:
        world: which ecosystem, `manufacturing` or `community`.
        title, about: for people; they go into the report.
        steps: how long, in steps of the side (weeks, days).
        seeds: how many replicas, each with its own world seed and mind seed.
        world_seed, mind_seed: of the first replica; the others count up.
        minds: who answers, by `role` or `role.phase`: a mind, or a list dealt out to the members in turn.
        models: language minds beyond `untrained`, by the name that seats use.
        substitute: the scripted mind that answers where a seat's mind fails on a row for good; "": the run stops.
        model_price_eur_per_exaflop: what members pay for the nominal cost of their models (10^18 operations).
        interventions: changes from outside, in the order in which those of a step are made.
    """

    world: str
    title: Annotated[str, Field(max_length=200)]
    about: Annotated[str, Field(max_length=10_000)] = ""
    steps: Count
    seeds: Count = 1
    world_seed: Seed = 1
    mind_seed: Seed = 1
    minds: dict[str, list[str]] = {}
    models: dict[str, LanguageModel] = {}
    substitute: str = ""
    model_price_eur_per_exaflop: Amount = 2.0
    interventions: list[Intervention] = []

    @field_validator("minds", mode="before")
    @classmethod
    def _one_mind_is_a_list_of_one(cls, minds: object) -> object:
        if not isinstance(minds, dict):
            return minds
        return {role: [mind] if isinstance(mind, str) else mind for role, mind in minds.items()}

    def late(self) -> list[str]:
        """What would only happen after the last step: a fault of a file; a run that is cut short just ends before."""
        return []

    def file_faults(self) -> list[str]:
        """What is wrong with the files that the scenario names, one a line; a side with such keys says so."""
        return []

    @property
    def functions(self) -> dict[str, Callable[..., Any]]:
        """The user's own functions that are part of the scenario, by name, as `resume` and `verify` take them."""
        return {}

    @classmethod
    def with_functions(cls, data: Mapping[str, Any], own: Mapping[str, object]) -> tuple[dict[str, Any], list[str]]:
        """A recorded scenario with the user's own functions in place again; and what is wrong, one fault a line."""
        return dict(data), []

    def with_changes(self, **changes: object) -> Self:
        """The same scenario with some keys changed, checked as a file is.

        Raises:
            ScenarioError: an unknown key or an impossible value.
        """
        return build(type(self), {**self.model_dump(exclude_unset=True), **changes}, place="scenario")


def read(
    path: Path,
    worlds: Sequence[str],
    kind: Callable[[str], type[Scenario]],
    overrides: Mapping[str, object] | None = None,
    more_faults: Callable[[str, Mapping[str, Any]], list[Fault]] = lambda world, data: [],
    last_faults: Callable[[Scenario], list[Fault]] = lambda scenario: [],
) -> Scenario:
    """The scenario in a YAML file, with overrides by dotted key (`{"items.pump.make_cost_eur": 3.0}`).

    Args:
        path: the file; relative paths in it start from its folder, those in overrides from the working folder.
        worlds: the ecosystems that there are.
        kind: the scenario class of an ecosystem.
        overrides: values by dotted key.
        more_faults: what else is wrong with the keys of a world's scenario; told together with the rest.
        last_faults: what is wrong with a scenario whose keys are all right.

    Raises:
        ScenarioError: no such file, not YAML, or any number of unknown keys and impossible values, by line.
    """
    document = strict.read(path)
    if not document.is_whole:
        raise ScenarioError(document.tell())
    for key, value in (overrides or {}).items():
        _set(document, key, deepcopy(value))  # a later key may write into it, and it is the caller's
    world: Any = document.data.get("world")
    if world not in worlds:
        raise ScenarioError(document.tell([_no_world(world, worlds, document)]))
    found, faults = checked(kind(world), document)
    faults += [*_settle_paths(document, path.parent), *more_faults(world, document.data)]
    if found is not None and not faults and not document.faults:
        found = kind(world).model_validate(document.data)  # with its paths settled
        faults = last_faults(found)
    if found is None or faults or document.faults:
        raise ScenarioError(document.tell(faults))
    return found


def build(kind: type[S], data: Mapping[str, object], place: str) -> S:
    """Check plain data against a kind of facts; all faults in one ScenarioError."""
    document = Document(place, dict(data))
    found, faults = checked(kind, document)
    if found is None:
        raise ScenarioError(document.tell(faults))
    return found


def _no_world(world: object, worlds: Sequence[str], document: Document) -> Fault:
    if "world" not in document.data:
        return (), f"world: missing; this key is required: {' or '.join(worlds)}"
    hint = did_you_mean(world, worlds) if isinstance(world, str) else f"; known: {', '.join(worlds)}"
    return ("world",), f"world: unknown world {shown(world)}{hint}"


def _settle_paths(document: Document, folder: Path) -> list[Fault]:
    """Make paths absolute; a relative one in a file starts from the file's folder and stays in it."""
    faults: list[Fault] = []
    for outer, group, key, prefix in _groups_with_paths(document.data):
        given = group.get(key)
        if not isinstance(given, str) or not given.removeprefix(prefix) or not given.startswith(prefix):
            continue
        spot, at = (*outer, key), Path(given.removeprefix(prefix)).expanduser()
        start = Path() if document.line(spot) == 0 else folder
        if start == folder and not at.is_absolute() and os.path.normpath(at).startswith(".."):
            way_out = "move it there, or write its absolute path"
            faults.append((spot, f"{dotted(spot)}: {shown(given)} lies outside the scenario's folder; {way_out}"))
        group[key] = prefix + os.path.abspath(start / at)
    return faults


def _groups_with_paths(data: Mapping[str, Any]) -> Iterator[tuple[Spot, dict[str, Any], str, str]]:
    """Where a scenario may name files: the group's spot, the group, its key, and what comes before the path."""
    models = data.get("models")
    for name, model in models.items() if isinstance(models, dict) else ():
        if isinstance(model, dict):
            yield ("models", name), model, "adapter", ""
            yield ("models", name), model, "base", "path:"
    for key in ("demand", "graph"):
        if isinstance(data.get(key), dict):
            yield (key,), data[key], "file", ""


def _set(document: Document, key: str, value: object) -> None:
    """Write one dotted key; list items by number."""
    place, data = document.place, document.data
    *path, last = key.split(".")
    at: Any = data
    for part in path:
        try:
            if at is data or (at is data.get("models") and isinstance(at, dict)):
                at.setdefault(part, {})  # a group that the file leaves to its defaults, or a new model
            at = at[_place_in(at, part)] if isinstance(at, list) else at[part]
        except (KeyError, IndexError, TypeError, AttributeError):
            raise ScenarioError(f"{place}: --set {key}: there is no {part!r} to change") from None
    if isinstance(at, list) and not 0 <= _place_in(at, last) < len(at):
        raise ScenarioError(f"{place}: --set {key}: there is no item {last!r} in a list of {len(at)}")
    if not isinstance(at, list | dict):
        raise ScenarioError(f"{place}: --set {key}: {'.'.join(path)} is a single value, not a group of keys")
    if isinstance(at, list):
        at[_place_in(at, last)] = value
    else:
        at[last] = value
    document.changed.add(_spot(data, key))


def _place_in(items: list[Any], part: str) -> int:
    """The number of a list's item; one past the end for whatever is none."""
    return int(part) if part.isdecimal() and len(part) < 10 else len(items)


def _spot(data: Any, key: str) -> Spot:
    """The spot of a dotted key in data that has it."""
    spot: list[str | int] = []
    for part in key.split("."):
        spot.append(int(part) if isinstance(data, list) else part)
        data = data[spot[-1]]
    return tuple(spot)
