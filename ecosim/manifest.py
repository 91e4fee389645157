"""`manifest.json`: what a run was, as plain data: everything that is needed to name it, judge it, and have it again."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

import ecosim
from ecosim.arms import own_of
from ecosim.errors import RunError
from ecosim.fingerprint import fingerprint
from ecosim.minds.seats import seat_names
from ecosim.record.document import NAME
from ecosim.record.recorder import Recorder
from ecosim.scenario import Scenario
from ecosim.side import Figure, Figures
from ecosim.words import Table

__all__ = ["NAME", "after", "arms_of", "before", "check_minds", "identity", "long_table"]

if TYPE_CHECKING:
    from ecosim.minds.router import Router
    from ecosim.schedule import Change, Schedule
    from ecosim.simulate import Arm
    from ecosim.world import World


def before(
    scenario: Scenario,
    arms: Sequence[Arm],
    replicas: Table,
    minds: Sequence[Mapping[str, Any]],
    facts: Mapping[str, Any],
    schedule: Schedule,
) -> dict[str, Any]:
    """What is known before the first step.

    Args:
        minds: facts of each mind, by code.
        facts: how it is run: numerics, batch limit, the scenario's file.
    """
    names = own_of(arms)
    own = set(names.values())
    return {
        "ecosim": ecosim.__version__,
        "status": "running",
        **facts,
        "scenario": scenario.model_dump(mode="json"),
        "arms": [
            {
                "name": arm.name,
                "minds": {role: seat_names(seats, names) for role, seats in arm.minds.items()},
                "own": sorted({n for seats in arm.minds.values() for n in seat_names(seats, names) if n in own}),
                "num_seeds": arm.num_seeds,
                "has_other_luck": arm.has_other_luck,
                "interventions": [
                    {"step": step, "name": names[id(change)], "fingerprint": fingerprint(change)}
                    for step, change in arm.changes
                ],
                "shocks": schedule.shocks(code),
            }
            for code, arm in enumerate(arms)
        ],
        "replicas": {name: replicas[name].tolist() for name in ("arm", "world_seed", "mind_seed")},
        "minds": list(minds),
        "machine": {
            "platform": platform.platform(terse=True),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "numpy": np.__version__,
        },
    }


def after(
    status: str, steps_done: int, world: World, recorder: Recorder, router: Router, wall_s: float
) -> dict[str, Any]:
    """What is known at the end, whatever ended it; the seconds by part sum to `wall_s`."""
    replicas = world.tables["replicas"]
    seconds = world.clock.seconds
    seconds = seconds | {"other": max(wall_s - sum(seconds.values()), 0.0)}
    return {
        "status": status,
        "steps_done": steps_done,
        "digests": recorder.digest.hex(),
        "exogenous_digests": recorder.exogenous.hex(),
        "score_digests": recorder.scores.hex(),
        "faults": {int(r): replicas["fault"][r] for r in np.flatnonzero(~replicas["is_live"])},
        "wall_s": wall_s,
        "seconds_by_part": dict(sorted(seconds.items())),
        "work_by_grade": {
            grade: {"decisions": w.decisions, "wall_s": w.seconds, "nominal_flops": w.flops}
            for grade, w in router.work.items()
        },
        "work_by_arm": {
            arm: {grade: {"decisions": w.decisions, "nominal_flops": w.flops} for grade, w in work.items()}
            for arm, work in router.work_by_arm.items()
        },
    }


def identity(document: Mapping[str, Any]) -> str:
    """A hash of what a run is of: scenario, arms and seeds; a snapshot of another run is known by it."""
    facts = {name: document[name] for name in ("scenario", "arms", "replicas")}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def arms_of(manifest: Mapping[str, Any], own: Mapping[str, Any], place: str) -> list[Arm]:
    """The arms of a run, to run it again.

    Args:
        own: functions and minds of the user that sat in it, and functions that changed it, by name.

    Raises:
        RunError: one of them is not given, or a function that changed it is not what it was.
    """
    from ecosim.simulate import Arm

    missing = sorted({name for arm in manifest["arms"] for name in arm["own"]} - set(own))
    if missing:
        raise RunError(
            f"{place}: {', '.join(missing)} sat in this run and can't be had from its folder; from Python, pass "
            f"own={{{missing[0]!r}: …}}"
        )
    return [
        Arm(
            name=arm["name"],
            minds={
                role: [own[name] if name in arm["own"] else name for name in names]
                for role, names in arm["minds"].items()
            },
            num_seeds=arm["num_seeds"],
            has_other_luck=arm["has_other_luck"],
            interventions=_changes_of(arm, own, place),
        )
        for arm in manifest["arms"]
    ]


def _changes_of(arm: Mapping[str, Any], own: Mapping[str, Any], place: str) -> dict[int, list[Change]]:
    """The user's own interventions of an arm, by step."""
    found: dict[int, list[Change]] = {}
    for made in arm.get("interventions", []):
        name = made["name"]
        if name not in own:
            raise RunError(
                f"{place}: intervention {name} changed this run in step {made['step']} and can't be had from its "
                f"folder; from Python, pass own={{{name!r}: …}}"
            )
        if fingerprint(own[name]) != made["fingerprint"]:
            raise RunError(
                f"{place}: intervention {name!r} is not what it was when this run began (its code has changed), so the "
                "digest can't be the same; bring it back, or run anew"
            )
        found.setdefault(made["step"], []).append(own[name])
    return found


def check_minds(manifest: Mapping[str, Any], minds: Sequence[Mapping[str, Any]], place: str) -> None:
    """Refuse to go on with other minds than those that a run began with.

    Raises:
        RunError: a mind's code, weights or prompts have changed, or a model's bits are others on this machine.
    """
    if len(manifest["minds"]) != len(minds):
        raise RunError(
            f"{place}: this run began with {len(manifest['minds'])} minds and would go on with {len(minds)}: "
            "two of its own functions were given as one"
        )
    for then, now in zip(manifest["minds"], minds, strict=True):
        if then["fingerprint"] != now["fingerprint"]:
            raise RunError(
                f"{place}: mind {then['name']!r} is not what it was when this run began (its code, weights or prompts "
                "have changed), so the digest can't be the same; bring them back, or run anew"
            )
        bits = [mind.get("probe", {}).get("bits") for mind in (then, now)]
        if bits[0] != bits[1] and manifest["numerics"] == "reproducible":
            raise RunError(
                f"{place}: mind {then['name']!r} has other bits here than where this run began: another class of "
                "processor or version of torch; go on there, or run anew"
            )


def long_table(figures: Figures, known: Mapping[str, Figure]) -> pa.Table:
    """Figures as a long table: replica, step (for series), metric, group, value, unit."""
    pieces = []
    for (name, group), values in figures.items():
        steps = values.shape[0] if values.ndim == 2 else 0
        replica = np.arange(values.shape[-1])
        columns: dict[str, Any] = {"replica": np.tile(replica, max(steps, 1))}
        if steps:
            columns["step"] = np.repeat(np.arange(1, steps + 1), len(replica))
        rows = values.size
        columns |= {"metric": pa.repeat(name, rows), "group": pa.repeat(group, rows)}
        columns |= {"value": values.reshape(-1).astype(float), "unit": pa.repeat(known[name].unit, rows)}
        pieces.append(pa.table(columns))
    return pa.concat_tables(pieces)
