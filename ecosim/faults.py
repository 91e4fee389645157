"""What is wrong with plain data, as lines that say place, fault, value seen and way out.

Knows pydantic's findings and how ecosim tells them; knows nothing of what scenarios and cards are about.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ecosim.document import MAX_FAULTS, Document, Fault, Spot, dotted, shown
from ecosim.scalars import plain

M = TypeVar("M", bound=BaseModel)

_STEP = re.compile(r"\.?([^.\[\]:( ]+)|\[(\d+)\]| \([^)]*\)")
"""One step of a place that a message begins with: a key, a number in brackets, or a name in passing."""


def checked(kind: type[M], document: Document) -> tuple[M | None, list[Fault]]:
    """A document's data as a kind of facts, or what is wrong with it."""
    try:
        return kind.model_validate(document.data), []
    except ValidationError as error:
        found = sorted(error.errors(include_url=False), key=lambda e: document.line(e["loc"]))
        told = [fault for e in found[:MAX_FAULTS] for fault in _faults(kind, e)]
        return None, told + [(e["loc"], dotted(e["loc"])) for e in found[MAX_FAULTS:]]  # only counted


def spot_of(text: str) -> Spot:
    """The spot that a message begins with.

    >>> spot_of("firms[2] (pump_maker).sells: unknown item 'x'")
    ('firms', 2, 'sells')
    """
    spot: list[str | int] = []
    at = 0
    while (step := _STEP.match(text, at)) and at < len(text):
        if step[1] or step[2]:
            spot.append(step[1] or int(step[2]))
        at = step.end()
    return tuple(spot) if text[at : at + 1] == ":" else ()


def placed(texts: Sequence[str]) -> list[Fault]:
    """Faults from messages that begin with their place."""
    return [(spot_of(text), text) for text in texts]


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """The way out of a wrong word: the nearest known one, or all of them."""
    close = difflib.get_close_matches(word[:100], known, n=1)
    if close:
        return f", did you mean {close[0]!r}?"
    return f"; known keys: {', '.join(sorted(known))}" if known else ""


def _faults(kind: type[BaseModel], error: Any) -> list[Fault]:
    """One fault for each thing wrong."""
    spot: Spot = error["loc"]
    where = dotted(spot) + ": " if spot else ""
    if error["type"] == "extra_forbidden":
        key = str(spot[-1])
        return [(spot, f"{where}unknown key {shown(key)}{did_you_mean(key, _keys_at(kind, spot[:-1]))}")]
    if error["type"] == "missing":
        return [(spot, f"{where}missing; this key is required")]
    if error["type"] == "value_error":
        lines = str(error["ctx"]["error"]).splitlines()
        return [(spot, where + line) for line in lines] if spot else placed(lines)
    message = error["msg"][0].lower() + error["msg"][1:]
    return [(spot, f"{where}{message}, got {shown(error['input'])}{_quotes(error)}")]


def _quotes(error: Any) -> str:
    """The way out where only quotes are wrong."""
    seen, kind = error["input"], error["type"]
    if kind in ("int_type", "float_type", "int_parsing", "float_parsing") and isinstance(seen, str):
        number, _ = plain(seen)
        return "; leave out the quotes" if isinstance(number, int | float) and not isinstance(number, bool) else ""
    return "; put it in quotes" if kind == "string_type" and isinstance(seen, int | float | bool) else ""


def _keys_at(kind: Any, spot: Spot) -> list[str]:
    """The keys that are known at a place inside a kind of facts."""
    for part in spot:
        fields = getattr(kind, "model_fields", {})
        annotation = fields[part].annotation if part in fields else kind
        inner = [annotation]
        while inner and not (isinstance(inner[0], type) and issubclass(inner[0], BaseModel)):
            inner = [a for i in inner for a in getattr(i, "__args__", ())]
            inner.sort(key=lambda a: not (isinstance(a, type) and issubclass(a, BaseModel)))
        kind = inner[0] if inner else kind
    return list(getattr(kind, "model_fields", {}))
