"""The resolved scenario: every key, its value, and where that comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ecosim import keys
from ecosim.explain.told import Origin, Setting
from ecosim.scenario import Facts

Changes = Mapping[str, object]


def walk(group: Facts, changes: Changes, path: str = "", is_given: bool = True) -> Iterator[Setting]:
    """The settings of a group of facts, key by key, with the groups inside; lists by number, as `--set` takes them."""
    for key in keys.of(type(group)).values():
        value, name = getattr(group, key.name), path + key.name
        given = is_given and key.name in group.model_fields_set
        inside = dict(_groups(value, name))
        for place, item in inside.items():
            yield from walk(item, changes, place, given)
        if not inside:
            is_set = any(name == change or name.startswith(f"{change}.") for change in changes)
            origin: Origin = "--set" if is_set else "file" if given else "default"
            yield Setting(key=name, value=keys.plain(value), unit=key.unit, origin=origin, about=key.says())


def _groups(value: Any, name: str) -> Iterator[tuple[str, Facts]]:
    """The groups of keys in a value, each with what stands before its keys."""
    if isinstance(value, Facts):
        yield f"{name}.", value
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for part, item in items:
        if isinstance(item, Facts):
            yield f"{name}.{part}.", item
