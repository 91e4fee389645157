"""The command that says what a run will take."""

from __future__ import annotations

import json
import math
import sys
from typing import Annotated, Any

import typer

from ecosim.cli import show
from ecosim.cli.options import (
    BatchLimit,
    Change,
    Fast,
    Json,
    Scenario,
    Seeds,
    Steps,
    arm_of,
    changes_of,
    minds_of,
    with_layout,
)
from ecosim.errors import ScenarioError

_SHOWN = {
    "replicas": "replicas",
    "members": "members",
    "decisions": "decisions",
    "prompt_tokens": "tokens of prompts",
    "computed_tokens": "… read or written",
    "nominal_flops": "FLOPs",
    "minds_s": "seconds of minds",
    "world_s": "… of the world",
    "record_s": "… of the record",
    "wall_s": "… in all",
    "disk_bytes": "disk",
    "memory_bytes": "memory",
    "workers_memory_bytes": "… of hosts and workers",
}
"""What people are shown, in this order."""


@with_layout
def estimate(
    scenario: Scenario,
    how: dict[str, Any],
    seeds: Seeds = None,
    steps: Steps = None,
    mind: Annotated[
        list[str] | None, typer.Option(help="Who answers: `--mind distributor=untrained`; repeatable.")
    ] = None,
    arm: Annotated[list[str] | None, typer.Option(help="An arm, as `ecosim compare` takes it; repeatable.")] = None,
    same: Annotated[bool, typer.Option("--same", help="Add an A/A arm, as `ecosim compare` does.")] = False,
    change: Change = None,
    fast: Fast = False,
    batch_limit: BatchLimit = None,
    pilot_s: Annotated[float, typer.Option(help="About how many seconds the pilots may take.", min=0.1)] = 20.0,
    as_json: Json = False,
) -> None:
    """What a run will take: seconds, FLOPs, memory and disk, by arm.

    It runs a few seeds for some seconds, with the real minds, and keeps nothing; Ctrl-C ends that early.

    Example: `ecosim estimate smart_manufacturing --seeds 20`
    """
    from ecosim import api, estimation
    from ecosim.cluster.layout import Layout
    from ecosim.simulate import Arm

    if arm and mind:
        raise ScenarioError("--mind: of one run, --arm: of a comparison; give one of them")
    arms = [arm_of(text, scenario) for text in arm or []] or [Arm(name="all", minds=minds_of(mind or [], "--mind"))]
    if same:
        arms.insert(1, Arm(name=f"{arms[0].name} again", minds=arms[0].minds, has_other_luck=True))
    if sys.stderr.isatty() and not as_json:
        show.line(f"pilots, about {pilot_s:g} s beside the loading of models; Ctrl-C ends them early")
    found = estimation.estimate_arms(
        api.facts(scenario, seeds, steps, changes_of(change)),
        arms,
        layout=Layout(hosts=how["hosts"], workers=how["workers"]),
        numerics="fast" if fast else "reproducible",
        batch_limit=batch_limit,
        pilot_s=pilot_s,
        place=scenario,
    )
    rows = found.rows()
    if as_json:
        about = {"method": found.method, "load_s": found.load_s, "wall_share": found.wall_share}
        plain = [{name: _plain(value) for name, value in row.items()} for row in rows]
        print(json.dumps({"arms": plain[:-1], "total": plain[-1], **about}))
        return
    shown = rows if len(rows) > 2 else rows[-1:]
    show.rows([line for name, label in _SHOWN.items() if (line := _line(name, label, shown))])
    print(f"\n{found.method}")
    print(f"seconds on this machine as busy as it is now, within about {found.wall_share:.0%}", end="")
    print(f"; models load in {found.load_s:.0f} s before that" if found.load_s else "")


def _line(name: str, label: str, rows: list[dict[str, Any]]) -> dict[str, str]:
    """A figure of every arm; of the grades of decisions, a line each."""
    values = [row.get(name) for row in rows]
    if not any(values):
        return {}
    return {"": label, **{row["arm"]: _text(name, value) for row, value in zip(rows, values, strict=True)}}


def _text(name: str, value: float | None) -> str:
    from ecosim.report.words import compact, seconds

    if value is None or math.isnan(value):
        return "–"
    if name.endswith("_s"):
        return seconds(value)
    if name.endswith("_bytes"):
        return f"{compact(value)}B"
    return f"{value:,}" if value < 10**7 else compact(value)


def _plain(value: Any) -> Any:
    """None for what is not known: NaN is no JSON."""
    return None if isinstance(value, float) and math.isnan(value) else value
