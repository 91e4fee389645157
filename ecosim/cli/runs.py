"""The commands about runs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

import ecosim
from ecosim.cli import show
from ecosim.cli.options import (
    BatchLimit,
    Change,
    Fast,
    Folder,
    Json,
    NoReport,
    Out,
    Scenario,
    Seeds,
    SnapshotEvery,
    Steps,
    arm_of,
    changes_of,
    minds_of,
    with_layout,
)
from ecosim.errors import DecisionError, PoolError, ScenarioError, printable

if TYPE_CHECKING:
    from ecosim.api import How
    from ecosim.explore import Run
    from ecosim.simulate import Arm


_CARD = "card.yaml"
"""What the card of a role is called."""


@with_layout
def run(
    scenario: Scenario,
    how: dict[str, Any],
    seeds: Seeds = None,
    steps: Steps = None,
    mind: Annotated[
        list[str] | None, typer.Option(help="Who answers: `--mind distributor=untrained`; repeatable.")
    ] = None,
    change: Change = None,
    out: Out = None,
    fast: Fast = False,
    batch_limit: BatchLimit = None,
    snapshot_every: SnapshotEvery = None,
    no_report: NoReport = False,
    as_json: Json = False,
) -> None:
    """Run a scenario, all seeds side by side, and write its report.

    Example: `ecosim run smart_manufacturing --seeds 5 --set lead_time_weeks=3`
    """
    from ecosim.simulate import Arm

    arms = [Arm(name="all", minds=minds_of(mind or [], "--mind"))]
    how |= {"numerics": "fast" if fast else "reproducible", "batch_limit": batch_limit}
    how |= {"snapshot_every": snapshot_every}
    _finish(_start(scenario, arms, seeds, steps, change, out, how, as_json), no_report, as_json)


@with_layout
def compare(
    scenario: Scenario,
    how: dict[str, Any],
    arm: Annotated[
        list[str],
        typer.Option(
            help="`scripted` (a mind for all), or `role=mind[,role.phase=mind]`; `name:` before it names the arm, "
            "`@3` after it gives it the first three seeds only. Repeatable; the first is the baseline."
        ),
    ],
    seeds: Seeds = None,
    steps: Steps = None,
    same: Annotated[bool, typer.Option("--same", help="Add an A/A arm: the baseline with other luck.")] = False,
    change: Change = None,
    out: Out = None,
    fast: Fast = False,
    batch_limit: BatchLimit = None,
    snapshot_every: SnapshotEvery = None,
    no_report: NoReport = False,
    as_json: Json = False,
) -> None:
    """Run several choices of minds in the same worlds, and compare.

    Differences are paired by world seed, with 95 % intervals.

    Example: `ecosim compare smart_manufacturing --arm scripted --arm distributor.negotiate=conceder --seeds 20`
    """
    from ecosim.simulate import Arm

    arms = [arm_of(text, scenario) for text in arm]
    if len({a.name for a in arms}) < len(arms):
        raise ScenarioError(
            f"--arm: two arms have the same name: {', '.join(a.name for a in arms)}; put `name:` before"
        )
    if same:
        arms.insert(1, Arm(name=f"{arms[0].name} again", minds=arms[0].minds, has_other_luck=True))
    if len(arms) < 2:
        raise ScenarioError(f"--arm: a comparison needs at least two, got {len(arms)}")
    how |= {"numerics": "fast" if fast else "reproducible", "batch_limit": batch_limit}
    how |= {"snapshot_every": snapshot_every}
    found = _start(scenario, arms, seeds, steps, change, out, how, as_json, is_comparison=True)
    _finish(found, no_report, as_json)


@with_layout
def resume(
    folder: Folder,
    how: dict[str, Any],
    snapshot_every: SnapshotEvery = None,
    no_report: NoReport = False,
    as_json: Json = False,
) -> None:
    """Finish a run that was killed, interrupted or failed.

    On any layout; its digest is that of an undisturbed run.

    Example: `ecosim resume runs/market --hosts 2`
    """
    from ecosim import api

    found = api.load(folder)
    if found.manifest["status"] == "done":  # a job that is tried again asks for this; it is no fault
        show.line(f"ecosim: {folder}: done already")
        _finish(found, no_report, as_json)
        return
    steps = int(found.manifest["scenario"]["steps"])
    with show.progress(steps, as_json) as tick:
        how |= {"snapshot_every": snapshot_every, "progress": tick}
        with _resumable(folder):
            found = api.resume(folder, **cast("How", how))
    after = found.manifest["resumed_after"][-1]
    show.line(f"ecosim: went on after step {after} of {steps}")
    _finish(found, no_report, as_json)


@with_layout
def verify(
    folder: Folder,
    how: dict[str, Any],
    no_rerun: Annotated[bool, typer.Option("--no-rerun", help="Check the files only.")] = False,
    as_json: Json = False,
) -> None:
    """Check a finished run by its files and by running it again.

    Do both give its digests, on any layout?
    Exit code 1 if not.

    Example: `ecosim verify runs/market --no-rerun`
    """
    from ecosim import api

    steps = int(api.load(folder).manifest["scenario"]["steps"])
    with show.progress(steps, as_json or no_rerun) as tick:
        how |= {"progress": tick}
        verdict = api.verify(folder, with_rerun=not no_rerun, **cast("How", how))
    if as_json:
        print(json.dumps({"replicas": verdict.replicas, "faults": verdict.faults}))
    for fault in () if as_json else verdict.faults:
        print(fault)
    if verdict.faults:
        raise typer.Exit(1)
    if not as_json:
        what = "the files give" if no_rerun else "the files and a second run give"
        print(f"{folder}: good: {what} the digests of all {verdict.replicas} replicas")


def replay(folder: Folder, out: Out = None, as_json: Json = False) -> None:
    """Have a run again from its recorded decisions, without models.

    It is checked to be the same.

    Example: `ecosim replay runs/market --out runs/market-again`
    """
    from ecosim import api

    found = api.replay(folder, out)
    differences = _results(found, as_json)
    if as_json:
        print(json.dumps({"folder": str(out) if out else None, "manifest": found.manifest, **differences}))
        return
    print(f"{folder}: replayed: the digests of all {len(found.manifest['digests'])} replicas are the same")
    if out is not None:
        print(f"run     {out}")


def report(
    folder: Folder,
    out: Annotated[Path | None, typer.Option(help="Another place for it than report.html in the folder.")] = None,
    as_json: Json = False,
) -> None:
    """Write the report of a run anew.

    An interrupted or failed run has one too.

    Example: `ecosim report runs/market --out market.html`
    """
    page = ecosim.load(folder).report(out)
    print(json.dumps({"folder": str(folder), "report": str(page)}) if as_json else page)


def check(
    scenario: Annotated[
        str, typer.Argument(help="A scenario of the catalogue by name, a YAML file, or a role's card.yaml.")
    ],
    change: Change = None,
    as_json: Json = False,
) -> None:
    """Check a scenario without running it; all faults at once.

    Of a role's card.yaml: the card, and the templates of its prompts.

    Example: `ecosim check smart_manufacturing --set lead_time_weeks=3`
    """
    from ecosim import reading  # less to import than simulate: a check is for every keystroke
    from ecosim.arms import Arm
    from ecosim.report.words import plural

    if Path(scenario).name == _CARD:
        _check_card(Path(scenario), change, as_json)
        return
    facts = reading.load_scenario(scenario, changes_of(change))
    reading.check(facts, [Arm(name="all")], place=scenario)
    if as_json:
        print(json.dumps(facts.model_dump(mode="json")))
        return
    arms = ", ".join(dict.fromkeys(arm for item in facts.interventions for arm in item.arms))
    compared = f" For a comparison: it changes the arms {arms}." if arms else ""
    length = f"{plural(facts.seeds, 'seed')}, {plural(facts.steps, 'step')}"
    print(printable(f"{scenario}: good. {facts.title}: {length}.{compared}"))


def _check_card(path: Path, change: list[str] | None, as_json: bool) -> None:
    """Read a card and the templates that it names."""
    from ecosim import catalog
    from ecosim.minds.prompts import Prompts

    if change:
        raise ScenarioError("--set: changes keys of a scenario; a card has none")
    card = catalog.read_card(path.absolute())
    for phase in card.questions:
        Prompts(card, phase)
    if as_json:
        print(json.dumps(card.model_dump(mode="json")))
    else:
        print(printable(f"{path}: good. {card.role}: prompts for {', '.join(card.questions)}."))


def demo(
    out: Out = None,
    minds: Annotated[
        list[str] | None,
        typer.Option(help="Who takes seats beside the scripts: default, writer, untrained, or scripted for nobody."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Run both ecosystems by rule, with trained minds in all seats, and with language models in some.

    About 8 minutes; less than one with `--minds default`.

    Example: `ecosim demo --minds default --out runs/demo`
    """
    from ecosim import demo as stage

    known = (*stage.GRADES, "scripted")
    for name in minds or ():
        if name not in known:
            raise ScenarioError(f"--minds: must be one of {', '.join(known)}, got {name!r}")
    grades = [grade for grade in stage.GRADES if minds is None or grade in minds]

    folder = out if out is not None else stage.default_folder()
    say = show.line if as_json else print
    made = stage.run(folder, grades, say, lambda steps: show.progress(steps, as_json))
    pages = [str(page.resolve()) for page in made]
    print(json.dumps({"folder": str(folder), "reports": pages}) if as_json else "\n".join(pages))


def _start(
    scenario: str,
    arms: list[Arm],
    seeds: int | None,
    steps: int | None,
    change: list[str] | None,
    out: Path | None,
    how: dict[str, Any],
    quiet: bool,
    is_comparison: bool = False,
) -> Run:
    from ecosim import api, simulate

    facts = api.facts(scenario, seeds, steps, changes_of(change))
    if is_comparison and facts.seeds < 2:
        raise ScenarioError(f"--seeds: a comparison needs at least two for an interval, got {facts.seeds}")
    simulate.check(facts, arms, place=scenario)
    folder = out if out is not None else simulate.default_folder(facts, Path(scenario).stem, time.time())
    with show.progress(facts.steps, quiet) as tick:
        how |= {"progress": tick}
        manner = api.manner_of(cast("How", how), show.line)
        with _resumable(folder):
            return api.start(facts, arms, folder, place=scenario, manner=manner)


@contextmanager
def _resumable(folder: Path) -> Iterator[None]:
    """Tell of a run that ends early how to go on with it."""
    from ecosim import manifest

    try:
        yield
    except (KeyboardInterrupt, DecisionError, PoolError) as error:
        if (folder / manifest.NAME).is_file():
            raise show.Stopped(error, folder) from error
        raise


def _finish(found: Run, no_report: bool, as_json: bool) -> None:
    """Print where the run is and what it came to; of several arms, their differences."""
    page = None if no_report else found.report()
    for replica, fault in found.manifest["faults"].items():
        print(f"ecosim: replica {replica} broke a law and was frozen: {fault}", file=sys.stderr)
    differences = _results(found, as_json)
    if as_json:
        where = {"folder": str(found.path), "report": str(page) if page else None}
        print(json.dumps({**where, "manifest": found.manifest, **differences}))
        return
    print(f"run     {found.path}")
    if page is not None:
        print(f"report  {page}")


def _results(found: Run, quiet: bool) -> dict[str, Any]:
    """Show the figures, or the differences between arms; gives the latter."""
    from ecosim import contrast
    from ecosim.explore import Comparison

    if len(found.arms) < 2:
        if not quiet:
            show.kpis(found)
        return {}
    contrast.check_common_world(found.manifest)
    table = Comparison(found).table
    if not quiet:
        show.comparison(table)
    return {"comparison": json.loads(table.to_json(orient="records"))}
