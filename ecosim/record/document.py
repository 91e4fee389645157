"""What a run's `manifest.json` must hold to be read; one from a stranger, cut short, or of a later ecosim is refused.

Keys that are not named here are free: a report shows them if it knows them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import ecosim
from ecosim.errors import RunError
from ecosim.record.store import Store

NAME = "manifest.json"


class _Part(BaseModel):
    """Keys with their types; others are let through."""

    model_config = ConfigDict(extra="allow", strict=True)


class _Change(_Part):
    step: int
    name: str
    fingerprint: str


class _Arm(_Part):
    name: str
    minds: dict[str, list[str]]
    own: list[str] = []
    num_seeds: int | None
    has_other_luck: bool
    interventions: list[_Change] = []
    shocks: list[str] = []


class _Replicas(_Part):
    arm: list[int] = Field(min_length=1)
    world_seed: list[int]
    mind_seed: list[int]


class _Mind(_Part):
    name: str
    grade: str
    fingerprint: str


class _Facts(_Part):
    world: str
    title: str
    steps: int
    minds: dict[str, list[str]]


class _Work(_Part):
    decisions: int
    wall_s: float
    nominal_flops: int


class _Document(_Part):
    ecosim: str
    status: str
    scenario_file: str
    numerics: str
    batch_limit: int | None
    scenario: _Facts
    arms: list[_Arm] = Field(min_length=1)
    replicas: _Replicas
    minds: list[_Mind]
    machine: dict[str, Any]
    steps_done: int = 0
    digests: list[str] = []
    exogenous_digests: list[str] = []
    faults: dict[int, str] = {}
    wall_s: float = 0.0
    seconds_by_part: dict[str, float] = {}
    work_by_grade: dict[str, _Work] = {}
    work_by_arm: dict[str, dict[str, dict[str, int]]] = {}
    pools: dict[str, dict[str, Any]] = {}
    layout: dict[str, Any] = {}


_AT_THE_END = ("steps_done", "digests", "exogenous_digests", "faults", "wall_s", "seconds_by_part", "work_by_grade")
"""Keys that a finished run has."""


def read(store: Store, place: object) -> dict[str, Any]:
    """The manifest of a run.

    Args:
        place: how messages call the run.

    Raises:
        RunError: it is not there, is damaged, or was written by a later ecosim.
    """
    document = store.read_json(NAME)
    theirs, ours = _numbers(document.get("ecosim")), _numbers(ecosim.__version__)
    if theirs > ours:
        raise RunError(f"{place}: written by ecosim {document['ecosim']}, this is {ecosim.__version__}; update it")
    try:
        whole = _Document.model_validate({**document, "faults": _by_number(document.get("faults", {}))})
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise RunError(
            f"{place}: {NAME}: {where}: {fault['msg'][:1].lower()}{fault['msg'][1:]}; not a run of ecosim, or damaged"
        ) from None
    _check(whole, place)
    return document


def _check(whole: _Document, place: object) -> None:
    """What holds between keys."""
    count = len(whole.replicas.arm)
    if {len(whole.replicas.world_seed), len(whole.replicas.mind_seed)} != {count}:
        raise RunError(f"{place}: {NAME}: replicas: columns of unequal length; damaged")
    if not all(0 <= arm < len(whole.arms) for arm in whole.replicas.arm):
        raise RunError(f"{place}: {NAME}: replicas.arm: names an arm that is not there; damaged")
    missing = [key for key in _AT_THE_END if key not in whole.model_fields_set]
    if whole.status == "done" and missing:
        raise RunError(f"{place}: {NAME}: {missing[0]} is missing; damaged")
    if whole.status == "done" and not len(whole.digests) == len(whole.exogenous_digests) == count:
        raise RunError(f"{place}: {NAME}: {len(whole.digests)} digests for {count} replicas; damaged")


def _by_number(faults: object) -> object:
    """Replicas by number, which JSON keeps as text."""
    if not isinstance(faults, Mapping):
        return faults
    return {int(key) if str(key).isdigit() else key: value for key, value in faults.items()}


def _numbers(version: object) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", str(version).partition("+")[0])[:3])
