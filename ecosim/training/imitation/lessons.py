"""Lessons in files: what was collected for a role, as its networks read it, in one safetensors file.

The file says for which role, and for which way of reading, it was made, and where it comes from; it is refused for any
other. Numbers only: nothing in it can run.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from ecosim.errors import TrainingError
from ecosim.fields import Array
from ecosim.models.nano.encode import Encoded
from ecosim.models.nano.spec import NanoSpec
from ecosim.training.imitation.collect import Examples

_ABOUT = "lessons"
_ENCODED = ("slots", "legal", "values", "fine")


def spec_hash(spec: NanoSpec) -> str:
    """A hash of what networks read and answer, not of their size."""
    questions = {phase: card.model_dump(mode="json") for phase, card in spec.questions.items()}
    return hashlib.sha256(json.dumps([spec.role, questions], sort_keys=True).encode()).hexdigest()[:16]


def save(path: Path, spec: NanoSpec, lessons: Mapping[str, Examples], provenance: Mapping[str, Any]) -> None:
    """Write the lessons of a role, by phase."""
    from safetensors.numpy import save_file

    about = {
        "role": spec.role,
        "spec": spec_hash(spec),
        "asked": {phase: found.encoded.asked for phase, found in lessons.items()},
        "rows": {phase: found.num_rows for phase, found in lessons.items()},
        "provenance": dict(provenance),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    tensors = {name: np.ascontiguousarray(column) for name, column in _flat(lessons).items()}
    save_file(tensors, part, metadata={_ABOUT: json.dumps(about, sort_keys=True)})
    os.replace(part, path)


def load(path: Path, spec: NanoSpec) -> tuple[dict[str, Examples], dict[str, Any]]:
    """The lessons of a file, by phase, and their provenance.

    Raises:
        TrainingError: no such file, damaged, of another role, or made for networks that read otherwise.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise TrainingError(f"{path}: no such file; collect it with `ecosim models data {spec.role}`")
    try:
        with safe_open(path, "np") as file:
            about = json.loads((file.metadata() or {})[_ABOUT])
            if about["role"] != spec.role:
                raise TrainingError(f"{path}: lessons of {about['role']}, not of {spec.role}; collect its own")
            if about["spec"] != spec_hash(spec):
                raise TrainingError(
                    f"{path}: made for networks that read {about['spec']}, these read {spec_hash(spec)}; "
                    f"collect anew with `ecosim models data {spec.role}`"
                )
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no dict
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise TrainingError(f"{path}: not a file of lessons: {error}") from error
    return {phase: _phase(phase, tuple(asked), tensors) for phase, asked in about["asked"].items()}, about["provenance"]


def _flat(lessons: Mapping[str, Examples]) -> dict[str, Array]:
    """Columns by `phase/what/field`."""
    found = {}
    for phase, one in lessons.items():
        found[f"{phase}/x"] = one.encoded.x
        groups = {what: getattr(one.encoded, what) for what in _ENCODED}
        groups |= {item.name: getattr(one, item.name) for item in fields(one) if item.name != "encoded"}
        found |= {f"{phase}/{what}/{name}": column for what, group in groups.items() for name, column in group.items()}
    return found


def _phase(phase: str, asked: tuple[str, ...], tensors: Mapping[str, Array]) -> Examples:
    def group(what: str) -> dict[str, Array]:
        start = f"{phase}/{what}/"
        return {name.removeprefix(start): column for name, column in tensors.items() if name.startswith(start)}

    encoded = Encoded(phase=phase, x=tensors[f"{phase}/x"], asked=asked, **{what: group(what) for what in _ENCODED})
    return Examples(encoded=encoded, targets=group("targets"), same=group("same"), chosen=group("chosen"))
