"""Scenario files: the facts of an ecosystem, read strictly and with all faults at once.

What every ecosystem shares is here; each side adds its own keys in a subclass (`manufacturing.scenario`,
`community.scenario`). A scenario is frozen: the world takes numbers from it and never writes to it.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from ecosim.errors import ScenarioError
from ecosim.fields import is_plain

Count = Annotated[int, Field(ge=1)]
Whole = Annotated[int, Field(ge=0)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
MAX_SEED = 2**32 - 1
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]


class Facts(BaseModel):
    """A group of keys: frozen, strict, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


S = TypeVar("S", bound=Facts)


class LanguageModel(Facts):
    """A language mind that seats may name: a base model, with or without an adapter, or a model behind a URL.

    Attributes:
        base: `hf:owner/name@revision`, `path:/folder`, or a name of `ecosim models list`; "" is the default base.
        adapter: a folder with a LoRA adapter in PEFT's format.
        url: of an OpenAI-compatible server, such as http://localhost:8000/v1; keys come from the environment.
        model: what the server calls it.
        timeout_s, max_concurrent: of requests to the server.
    """

    base: str = ""
    adapter: str = ""
    url: str = ""
    model: str = ""
    timeout_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 60.0
    max_concurrent: Count = 8

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


class Intervention(Facts):
    """A change from outside, at the beginning of a step, in all replicas of the arms: of a column, or a message.

    A column is changed by exactly one of `set`, `add`, `times`, in natural units (euros, units of goods, weeks), within
    the bounds of its lever (`ecosim.levers`); results are rounded half to even to the lever's grid. Cash and goods come
    from outside and go there; taking stops at zero. A column `mind.<phase>` is set to a mind by name.

    Attributes:
        step: when, from 1.
        table, column: what; `Side.panel` lists what there is.
        where: whom, by column: an id or a name, or a list of these; everybody by default.
        set, add, times: the new value, what is added to it, what it is multiplied by.
        message: one line that is shown with every question to those whom it concerns.
        steps: for how long.
        arms: the arms in which it happens; all by default.
    """

    step: Count
    table: str = ""
    column: str = ""
    where: dict[str, Annotated[list[int | str], BeforeValidator(_names_and_numbers)]] = {}
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
    title: str
    about: str = ""
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

    def with_changes(self, **changes: object) -> Self:
        """The same scenario with some keys changed, checked as a file is.

        Raises:
            ScenarioError: an unknown key or an impossible value.
        """
        return build(type(self), {**self.model_dump(), **changes}, place="scenario")


def read(
    path: Path,
    worlds: Sequence[str],
    kind: Callable[[str], type[Scenario]],
    overrides: Mapping[str, object] | None = None,
    more_faults: Callable[[str, Mapping[str, Any]], list[str]] = lambda world, data: [],
) -> Scenario:
    """The scenario in a YAML file, with overrides by dotted key (`{"items.pump.make_cost_eur": 3.0}`).

    Args:
        path: the file.
        worlds: the ecosystems that there are.
        kind: the scenario class of an ecosystem.
        overrides: values by dotted key.
        more_faults: what else is wrong with the keys of a world's scenario; told together with the rest.

    Raises:
        ScenarioError: no such file, not YAML, or any number of unknown keys and impossible values.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: cannot be read: {error}") from error
    try:
        data = yaml.load(text, Loader=_StrictLoader)
    except yaml.YAMLError as error:
        raise ScenarioError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict):
        raise ScenarioError(f"{path}: expected keys and values, got {type(data).__name__}")
    for key, value in (overrides or {}).items():
        _set(data, key, value, place=str(path))
    world = str(data.get("world"))
    if world not in worlds:
        raise ScenarioError(f"{path}: world: unknown world {world!r}{_did_you_mean(world, list(worlds))}")
    faults = [f"{path}: {fault}" for fault in more_faults(world, data)]
    try:
        found = build(kind(world), data, place=str(path))
    except ScenarioError as error:
        raise ScenarioError([*error.faults, *faults]) from None
    if faults:
        raise ScenarioError(faults)
    return found


def build(kind: type[S], data: Mapping[str, object], place: str) -> S:
    """Check plain data against a kind of facts; all faults in one ScenarioError."""
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise ScenarioError([line for fault in error.errors() for line in _lines(kind, place, fault)]) from None


def _lines(kind: type[Facts], place: str, fault: Any) -> list[str]:
    """One line for each thing wrong: place, fault, value seen, way out."""
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in fault["loc"]).lstrip(".")
    if fault["type"] == "extra_forbidden":
        parent, key = where.rpartition(".")[0], str(fault["loc"][-1])
        known = _keys_at(kind, fault["loc"][:-1])
        return [f"{place}: {parent + ': ' if parent else ''}unknown key {key!r}{_did_you_mean(key, known)}"]
    if fault["type"] == "missing":
        return [f"{place}: {where}: missing; this key is required"]
    if fault["type"] == "value_error":
        return [f"{place}: {where + ': ' if where else ''}{line}" for line in str(fault["ctx"]["error"]).splitlines()]
    message = fault["msg"][0].lower() + fault["msg"][1:]
    return [f"{place}: {where + ': ' if where else ''}{message}, got {fault['input']!r}"]


def _keys_at(kind: Any, loc: tuple[Any, ...]) -> list[str]:
    """The keys that are known at a place inside a kind of facts."""
    for part in loc:
        fields = getattr(kind, "model_fields", {})
        annotation = fields[part].annotation if part in fields else kind
        inner = [annotation]
        while inner and not (isinstance(inner[0], type) and issubclass(inner[0], BaseModel)):
            inner = [a for i in inner for a in getattr(i, "__args__", ())]
            inner.sort(key=lambda a: not (isinstance(a, type) and issubclass(a, BaseModel)))
        kind = inner[0] if inner else kind
    return list(getattr(kind, "model_fields", {}))


def _did_you_mean(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    if close:
        return f", did you mean {close[0]!r}?"
    return f"; known keys: {', '.join(sorted(known))}" if known else ""


def _set(data: Any, key: str, value: object, place: str) -> None:
    """Write one dotted key; list items by number."""
    *path, last = key.split(".")
    at = data
    for part in path:
        try:
            if at is data or (at is data.get("models") and isinstance(at, dict)):
                at.setdefault(part, {})  # a group that the file leaves to its defaults, or a new model
            at = at[int(part)] if isinstance(at, list) else at[part]
        except (KeyError, IndexError, ValueError, TypeError):
            raise ScenarioError(f"{place}: --set {key}: there is no {part!r} to change") from None
    if isinstance(at, list):
        if not last.isdigit() or int(last) >= len(at):
            raise ScenarioError(f"{place}: --set {key}: there is no item {last!r} in a list of {len(at)}")
        at[int(last)] = value
    elif isinstance(at, dict):
        at[last] = value
    else:
        raise ScenarioError(f"{place}: --set {key}: {'.'.join(path)} is a single value, not a group of keys")


class _StrictLoader(yaml.SafeLoader):
    """YAML as it is meant: a key given twice is a fault, not a silent choice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.YAMLError(f"key {key!r} is given twice (line {key_node.start_mark.line + 1})")
            seen.add(key)
        return super().construct_mapping(node, deep)
