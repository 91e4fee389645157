"""What the commands take: options with their help, and how their texts are read."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecosim.errors import ScenarioError

if TYPE_CHECKING:
    from ecosim.simulate import Arm

Scenario = Annotated[str, typer.Argument(help="A scenario of the catalogue by name, or a YAML file.")]
Seeds = Annotated[int | None, typer.Option(help="How many replicas, each with its own seeds.", min=1)]
Steps = Annotated[int | None, typer.Option(help="How many steps.", min=1)]
Change = Annotated[list[str] | None, typer.Option("--set", help="Change a key: `--set lead_time_weeks=3`; repeatable.")]
Out = Annotated[Path | None, typer.Option(help="The folder to be made for this run.")]
Fast = Annotated[bool, typer.Option("--fast", help="bf16 where the machine has it: faster, bits may vary.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, no progress.")]
NoReport = Annotated[bool, typer.Option("--no-report", help="Do not write report.html.")]
BatchLimit = Annotated[
    int | None, typer.Option(help="Most rows in a batch of a language model; no answer depends on it.", min=1)
]
SnapshotEvery = Annotated[int | None, typer.Option(help="Steps between snapshots; every 20 s by default.", min=1)]
Folder = Annotated[Path, typer.Argument(help="The folder of a run.")]


LAYOUT: dict[str, tuple[Any, Any]] = {
    "hosts": (
        Annotated[int, typer.Option(help="Ray actors for minds that answer by columns; 0: in this process.", min=0)],
        0,
    ),
    "workers": (
        Annotated[int, typer.Option(help="Ray actors that hold the language models; 0: in this process.", min=0)],
        0,
    ),
    "ray_address": (
        Annotated[str, typer.Option(help="A Ray cluster to join (`auto` in a Ray job); none: Ray on this machine.")],
        "",
    ),
    "threads": (
        Annotated[int | None, typer.Option(help="Threads of each worker; the cores shared out by default.", min=1)],
        None,
    ),
}
"""Options that say where minds answer; no digest depends on them."""


def arm_of(text: str, scenario: str) -> Arm:
    """An arm from its text on the command line."""
    from ecosim import simulate
    from ecosim.simulate import Arm

    named, _, rest = text.rpartition(":")
    spec, _, count = rest.partition("@")
    if count and not (count.isdigit() and int(count) > 0):
        raise ScenarioError(f"--arm {text}: after @ stands a number of seeds, got {count!r}")
    if "=" in spec:
        minds = minds_of(spec.split(","), f"--arm {text}")
    else:
        world = simulate.side(simulate.load_scenario(scenario).world)
        minds = dict.fromkeys(world.roles, spec)
    return Arm(name=named or spec, minds=minds, num_seeds=int(count) if count else None)


def minds_of(pairs: list[str], place: str) -> dict[str, str]:
    """Minds by role, from `role=mind` texts."""
    found = {}
    for pair in pairs:
        role, equals, mind = pair.partition("=")
        if not (role and equals and mind):
            raise ScenarioError(f"{place}: expected role=mind or role.phase=mind, got {pair!r}")
        found[role] = mind
    return found


def changes_of(pairs: list[str] | None) -> dict[str, object]:
    """Values by dotted key, from `key=value` texts; values are read as those in a scenario file."""
    from ecosim import strict

    found: dict[str, object] = {}
    for pair in pairs or []:
        key, equals, value = pair.partition("=")
        if not (key and equals):
            raise ScenarioError(f"--set {pair}: expected key=value, such as lead_time_weeks=3")
        found[key], faults = strict.value(value, f"--set {key}")
        if faults:
            raise ScenarioError(faults)
    return found


def with_layout(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `How` that say where minds answer; it gets them as its argument `how`."""
    own = inspect.signature(command, eval_str=True)
    extra = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in LAYOUT.items()
    ]

    @functools.wraps(command)
    def wrapped(**given: Any) -> None:
        how = {name: given.pop(name) for name in LAYOUT}
        command(**given, how=how)

    kept = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own.parameters.values() if p.name != "how"]
    wrapped.__signature__ = own.replace(parameters=[*kept, *extra])  # type: ignore[attr-defined]
    wrapped.__annotations__ = {p.name: p.annotation for p in (*kept, *extra)}
    return wrapped
