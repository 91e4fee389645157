"""A commented scenario to start from: every key, its value or default, and what it means.

The text is made from the scenario's class and from a scenario that is there already, so it says what the code says.
Keys that keep their default stand behind a `#` without a space; prose stands behind `# `.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from ecosim import interventions, keys, reading, schema
from ecosim.errors import ScenarioError
from ecosim.keys import Key
from ecosim.levers import Lever, Panel
from ecosim.scenario import Facts, Scenario

STARTS = {"manufacturing": "smart_manufacturing", "community": "creator_community"}
"""The scenario of the catalogue that a new one begins from, by ecosystem."""

_WIDTH = 118
_COMMENT_AT = 36
"""Where comments begin beside short keys."""


def write(path: Path, world: str | None = None, source: str | None = None) -> tuple[Path, Path]:
    """Write a scenario and, beside it, the schema that its first line names; gives both files.

    Args:
        path: the file to be made.
        world: the ecosystem; manufacturing, or that of `source`, if not said.
        source: the scenario to begin from, by name or path.

    Raises:
        ScenarioError: a file is in the way, a place cannot be written, or there is no such ecosystem or scenario.
    """
    if world is not None and world not in reading.SIDES:
        raise ScenarioError(f"--world: unknown world {world!r}; known: {', '.join(reading.SIDES)}")
    begun = source or STARTS[world or "manufacturing"]
    facts = reading.load_scenario(begun)
    if world not in (None, facts.world):
        raise ScenarioError(f"--from {begun}: is of the world {facts.world!r}, not {world!r}; leave out --world")
    beside = path.parent / schema.FILE
    if not path.name.rpartition(".")[0].strip(". "):
        raise ScenarioError(f"{path}: is no name for a scenario; give one such as my_market")
    if beside.exists() and not _is_schema(beside):
        raise ScenarioError(f"{beside}: is in the way of ecosim's schema; move it, or work in another folder")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text(facts, path.stem, begun))
        beside.write_text(json.dumps(schema.schema(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except FileExistsError:
        raise ScenarioError(f"{path}: there is a file of that name already; give another name") from None
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be written: {error.strerror}") from error
    return path, beside


def text(facts: Scenario, name: str, begun: str) -> str:
    """A scenario as a file with comments, under another title; `begun` is what it begins from."""
    given = facts.model_fields_set | {"title"}
    title = name.replace("_", " ").strip()
    facts = facts.model_copy(update={"title": title[:1].upper() + title[1:]})
    head = [
        f"# yaml-language-server: $schema=./{schema.FILE}",
        "",
        f"# A scenario for ecosim, begun from {begun}. `ecosim check` finds faults, `ecosim explain` tells the rest.",
        "# A key right behind a # has its default: take the # away and change it.",
        "",
    ]
    return "\n".join([*head, *_top(facts, given)]) + "\n"


def _is_schema(path: Path) -> bool:
    try:
        return schema.is_ours(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return False


def _top(facts: Scenario, given: Iterable[str]) -> Iterator[str]:
    """The keys of a scenario, groups between empty lines."""
    last = ""
    for key in keys.of(type(facts)).values():
        lines = list(_key(key, getattr(facts, key.name), key.name in given))
        if key.name == "interventions" and not facts.interventions:
            lines = [*_noted("#interventions: []", key.says()), *_changes(facts)]
        if key.name == "minds":
            lines = [*_noted("#minds:", key.says())] if key.name not in given else lines
            lines += _seats(facts.world)
        is_block = key.group is not None or key.name == "minds"
        for line in ["", *lines, ""] if is_block else lines:
            if line or last:
                yield line
            last = line


def _seats(world: str) -> Iterator[str]:
    """Every seat of an ecosystem, behind a #, with the minds that there are for it."""
    for seat, (first, *others) in schema.seats(world).items():
        if "." in seat:
            entry = f"#  {seat}: {first}"
            yield f"{entry:{_COMMENT_AT}} # or {', '.join(others)}" if others else entry


def _changes(facts: Scenario) -> Iterator[str]:
    """One intervention of each kind that this scenario would take, as prose."""
    panel = interventions.panel_of(reading.side(facts.world), facts)
    number = panel.levers[0]
    mind = next(lever for lever in panel.levers if lever.is_mind)
    yield "# a line each, such as these; `ecosim explain --columns` lists what may be changed:"
    for lever, change in ((number, "times: 0.5"), (mind, "set: scripted")):
        place = f"table: {lever.table}, column: {lever.name}, where: {{role: {_role(panel, lever)}}}"
        yield f"# - {{step: 2, {place}, {change}}}"
    yield '# - {step: 2, steps: 3, message: "News for 3 steps, in one arm of a comparison.", arms: [shock]}'


def _role(panel: Panel, lever: Lever) -> str:
    """A role whose members have a lever."""
    place = panel.places[lever.table]["role"]
    return place.names[place.codes[0 if lever.rows is None else int(lever.rows.argmax())]]


def _key(key: Key, value: Any, is_given: bool) -> Iterator[str]:
    """The lines of one key, with those of the groups inside."""
    if key.group is None or value is None:  # a subject that the scenario has not: `ecosim explain` tells its keys
        yield from _line(key.name, value, key.says(), is_given)
    elif key.holds == "group" and value is None:
        yield from _noted(f"#{key.name}: null", key.says())
        yield f"# its keys: {', '.join(keys.of(key.group))}"
    elif key.holds == "group":
        inside = list(_group(value))
        is_given = is_given and any(not line.startswith("#") for line in inside)
        yield from _heading(key, is_given)
        yield from _indented(inside if is_given else map(_out, inside))
    elif not value:
        yield from _heading(key, False)
        yield from map(_out, _indented(_example(key)))
    else:
        yield from _heading(key, True)
        yield from _indented(_groups(value, key.holds == "named groups"))


def _groups(value: Any, is_named: bool) -> Iterator[str]:
    """Groups one after another: the first with every key explained, the others with what is given."""
    items = value.items() if is_named else enumerate(value)
    for number, (name, item) in enumerate(items):
        if number:
            yield f"{name if is_named else '-'}{':' if is_named else ''} {_flow(item.model_dump(exclude_unset=True))}"
        elif is_named:
            yield f"{_flow(name)}:"
            yield from _indented(_group(item))
        else:
            lines = list(_group(item, given_first=True))
            yield f"- {lines[0]}"
            yield from _indented(lines[1:])


def _group(group: Facts, given_first: bool = False) -> Iterator[str]:
    given = group.model_fields_set
    known = list(keys.of(type(group)).values())
    if given_first:  # a list's dash needs a key that is there
        known.sort(key=lambda key: key.name not in given)
    for key in known:
        yield from _key(key, getattr(group, key.name), key.name in given)


def _example(key: Key) -> Iterator[str]:
    """What a group would look like where there is none: its keys with their defaults."""
    assert key.group is not None
    inside = [
        line
        for inner in keys.of(key.group).values()
        for line in _line(inner.name, "…" if inner.is_required else inner.default, inner.says(), True)
    ]
    if key.holds == "named groups":
        yield "a_name:"
        yield from _indented(inside)
    else:
        yield f"- {inside[0]}"
        yield from _indented(inside[1:])


def _heading(key: Key, is_given: bool) -> Iterator[str]:
    yield from _noted(f"{key.name}:" if is_given else f"#{key.name}:", key.says())


def _line(name: str, value: Any, about: str, is_given: bool) -> Iterator[str]:
    """A key with a plain value, and what it means beside it, or above it where that is too long."""
    folded = _folded(value) if is_given and name == "about" else []
    if folded:
        yield from (f"{name}: >-", *_indented(folded))
        return
    entry = f"{name}: {_flow(keys.plain(value))}"
    yield from _noted(entry if is_given else f"#{entry}", about)


def _noted(entry: str, about: str) -> Iterator[str]:
    beside = f"{entry:{_COMMENT_AT}} # {about}"
    if len(beside) <= _WIDTH:
        yield beside
        return
    yield from textwrap.wrap(about, _WIDTH - 12, initial_indent="# ", subsequent_indent="# ")
    yield entry


def _out(line: str) -> str:
    """A line behind a #: what is behind one already stays."""
    return line if line.startswith("#") else f"#{line}"


def _indented(lines: Iterable[str]) -> Iterator[str]:
    yield from (f"  {line}" if line else line for line in lines)


def _folded(value: str) -> list[str]:
    """A long text as lines of a folded block; none if the block would change it."""
    plain = value.strip()
    is_simple = len(plain) > 60 and plain == " ".join(plain.split()) and plain.isprintable()
    return textwrap.wrap(plain, 110, break_long_words=False, break_on_hyphens=False) if is_simple else []


def _flow(value: Any) -> str:
    """Plain data on one line of YAML."""
    if isinstance(value, str) and "\n" in value:
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping | list | str | float | int) or value is None:
        dumped = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**6, sort_keys=False)
        return dumped.strip().removesuffix("...").strip()
    raise TypeError(f"no plain data: {value!r}")
