"""The keys of a scenario: what each is called, holds, means and counts in, read off its class.

The meaning is the docstring's (`Attributes:`), the limits are the type's, and the unit is the name's own (`cash_eur`,
`lead_time_weeks`), or the type's where it says one (`LogOdds`). `ecosim explain`, `init` and `schema` show the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ecosim import docstrings
from ecosim.scenario import MAX_NUMBER, MOST, Facts

Holds = Literal["value", "values", "named values", "group", "groups", "named groups"]

_UNIT = re.compile(r"(?:^|_)(eur|units|weeks?|days?|rounds|share|s)?(?:_?per_(\w+))?$")
_WORD = {"eur": "EUR", None: "1"}
_LIMITS = (("ge", "at least"), ("gt", "above"), ("le", "at most"), ("lt", "below"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key of a group of facts.

    Attributes:
        name: as files write it.
        about: what it means; "" if the class does not say.
        unit: what it counts in; "" for pure numbers and texts.
        holds: a plain value, several, or groups of keys.
        group: the class of the groups that it holds, None for values.
        options: the words that it may be; empty where any are allowed.
        limits: what numbers are allowed, in words.
        is_required: without a default.
        default: plain data; None if required.
    """

    name: str
    about: str
    unit: str
    holds: Holds
    group: type[Facts] | None
    options: tuple[str, ...]
    limits: str
    is_required: bool
    default: Any

    def says(self) -> str:
        """Meaning, unit, options and limits in one line."""
        is_told = bool(re.search(rf"\b{re.escape(self.unit)}\b", self.about))
        each = "each " if self.limits and self.holds != "value" else ""
        words = "one of " + ", ".join(self.options) if self.options else ""
        known = [fact for fact in ("" if is_told else self.unit, each + self.limits, words) if fact]
        about = self.about.rstrip(".")
        return f"{about} ({'; '.join(known)})" if known else about


@cache
def of(kind: type[Facts]) -> Mapping[str, Key]:
    """The keys of a group of facts, in the order of its class."""
    meanings: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if isinstance(base, type) and issubclass(base, BaseModel) and "__doc__" in vars(base):
            meanings |= docstrings.read(base).items("Attributes")
    return {name: _key(name, field, meanings.get(name, "")) for name, field in kind.model_fields.items()}


def _key(name: str, field: FieldInfo, about: str) -> Key:
    holds, inner = _held(field.annotation)
    group = inner if isinstance(inner, type) and issubclass(inner, Facts) else None
    constraints = [*field.metadata, *_constraints(field.annotation)]
    extra = {**_extra(field.annotation), **_extra(field)}
    return Key(
        name=name,
        about=about or (docstrings.read(group).summary if group else ""),
        unit=str(extra.get("unit") or _unit(name, inner)),
        holds=holds,
        group=group,
        options=tuple(str(o) for o in get_args(inner)) if get_origin(inner) is Literal else (),
        limits=", ".join(_limits(constraints)) if holds in ("value", "values", "named values") else "",
        is_required=field.is_required(),
        default=None if field.is_required() else plain(field.get_default(call_default_factory=True)),
    )


def plain(value: Any) -> Any:
    """Facts as plain data."""
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def _held(annotation: Any) -> tuple[Holds, Any]:
    """How a type holds its values, and the type of one of them."""
    origin, args = get_origin(annotation), get_args(annotation)
    if hasattr(annotation, "__metadata__"):  # Annotated
        return _held(args[0])
    if origin in (Union, UnionType):
        return _held(next(arg for arg in args if arg is not type(None)))
    if origin in (list, tuple, dict):
        inner = _held(args[-1] if origin is dict else args[0])[1]
        is_group = isinstance(inner, type) and issubclass(inner, BaseModel)
        several: Holds = "groups" if is_group else "values"
        named: Holds = "named groups" if is_group else "named values"
        return (named if origin is dict else several), inner
    is_group = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return ("group" if is_group else "value"), annotation


def _annotations(annotation: Any) -> Iterator[Any]:
    """What the types inside a type are annotated with."""
    yield from getattr(annotation, "__metadata__", ())
    for arg in get_args(annotation):
        yield from _annotations(arg)


def _constraints(annotation: Any) -> Iterator[Any]:
    for note in _annotations(annotation):
        yield from note.metadata if isinstance(note, FieldInfo) else (note,)


def _extra(place: Any) -> dict[str, Any]:
    """What a field, or the fields inside a type, say beside their limits."""
    fields = [place] if isinstance(place, FieldInfo) else [n for n in _annotations(place) if isinstance(n, FieldInfo)]
    found = [field.json_schema_extra for field in fields]
    return {name: value for extra in found if isinstance(extra, dict) for name, value in extra.items()}


def _limits(constraints: list[Any]) -> Iterator[str]:
    found = {name: getattr(c, name) for c in constraints for name, _ in _LIMITS if getattr(c, name, None) is not None}
    goes_without_saying = (MOST, MAX_NUMBER)  # those of anything
    found = {name: limit for name, limit in found.items() if abs(limit) not in goes_without_saying}
    if {"ge", "le"} <= set(found):
        yield f"{found['ge']:g} … {found['le']:g}" if abs(found["le"]) < 10**6 else f"{found['ge']} … {found['le']}"
        return
    for name, words in _LIMITS:
        if name in found and not (name == "ge" and found[name] == 0):  # that it is not negative goes without saying
            yield f"{words} {found[name]:g}"


def _unit(name: str, kind: Any) -> str:
    """The unit that a name ends in: EUR, weeks, EUR/view."""
    match = _UNIT.search(name)
    if kind not in (int, float) or match is None or not match[0]:
        return ""
    unit = _WORD.get(match[1], match[1])
    return f"{unit}/{match[2].replace('_', ' ')}" if match[2] else unit
