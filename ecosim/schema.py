"""JSON Schema (draft 2020-12) of scenario files, for editors: keys, types, limits, and what each key means.

Shapes come from the scenario classes (pydantic), meanings and units from their docstrings (`keys`), the names of roles
and minds from the sides. An editor with a YAML language server then completes keys and marks misspelt ones. What only
the whole file can show (an item that nobody makes, a model behind a name) is `ecosim check`'s to find.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic.json_schema import models_json_schema

from ecosim import docstrings, keys
from ecosim.errors import ScenarioError
from ecosim.minds.seats import DEFAULT, models_of
from ecosim.reading import SIDES, side
from ecosim.scenario import Facts, Scenario

FILE = "ecosim.schema.json"
"""What the schema is called beside the scenarios that name it in their first line."""

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_ID = "urn:ecosim:scenario"
_REF = "#/$defs/{model}"


def schema(world: str | None = None) -> dict[str, Any]:
    """The schema of all scenarios, or of those of one ecosystem.

    Raises:
        ScenarioError: there is no such ecosystem.
    """
    if world is not None and world not in SIDES:
        raise ScenarioError(f"world: unknown world {world!r}; known: {', '.join(SIDES)}")
    kinds = {name: side(name).kind for name in ([world] if world else SIDES)}
    places, found = models_json_schema([(kind, "validation") for kind in kinds.values()], ref_template=_REF)
    defs = found["$defs"]
    for kind in _groups(kinds.values()):
        if kind.__name__ in defs:
            _describe(defs[kind.__name__], kind)
    worlds = [_world(name, kind, places[kind, "validation"], defs) for name, kind in kinds.items()]
    top: dict[str, Any] = {"oneOf": worlds} if len(worlds) > 1 else worlds[0]
    title = f"ecosim scenario: {world}" if world else "ecosim scenario"
    return {"$schema": DRAFT, "$id": f"{_ID}:{world}" if world else _ID, "title": title, **top, "$defs": defs}


def seats(world: str) -> dict[str, list[str]]:
    """Every seat (`role`, `role.phase`) of an ecosystem with the minds that are there already."""
    ecosystem, models = side(world), models_of()
    found = {}
    for role, phases in ecosystem.roles.items():
        questions = [f"{role}.{phase}" for phase in phases]
        minds = {q: [*ecosystem.experts[q], *(m for m in models if q in models[m]), DEFAULT] for q in questions}
        first, *others = minds.values()
        found[role] = [mind for mind in first if all(mind in other for other in others)]
        found |= minds
    return found


def is_ours(data: object) -> bool:
    """Whether plain data are a schema that was written here."""
    return isinstance(data, Mapping) and str(data.get("$id", "")).startswith(_ID)


def _groups(kinds: Any) -> list[type[Facts]]:
    """Some groups of facts, and all groups inside them."""
    found: dict[type[Facts], None] = {}
    left: list[type[Facts]] = list(kinds)
    while left:
        kind = left.pop()
        if kind not in found:
            found[kind] = None
            left += [key.group for key in keys.of(kind).values() if key.group is not None]
    return list(found)


def _describe(node: dict[str, Any], kind: type[Facts]) -> None:
    """Give a group its meaning, and each of its keys meaning and unit; titles that only repeat names go."""
    node.pop("title", None)
    node["description"] = docstrings.read(kind).summary
    for name, key in keys.of(kind).items():
        place = node["properties"][name]
        place.pop("title", None)
        place["description"] = key.says()
        if key.unit:
            place["x-unit"] = key.unit


def _world(name: str, kind: type[Scenario], place: dict[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    """Tie a scenario class to the word that files call it by, and its seats to the roles that there are."""
    properties = defs[kind.__name__]["properties"]
    properties["world"] = {"const": name, "description": properties["world"]["description"]}
    about = properties["minds"]["description"]
    properties["minds"] = {
        "type": "object",
        "description": about,
        "default": {},
        "properties": {seat: _seat(minds) for seat, minds in seats(name).items()},
        "additionalProperties": False,
    }
    return dict(place)


def _seat(minds: Sequence[str]) -> dict[str, Any]:
    """A mind by name, known or a name under `models`, or several that are dealt out in turn."""
    known = [{"enum": list(minds)}, {"type": "string"}]
    return {"anyOf": [*known, {"type": "array", "items": {"anyOf": known}}]}
