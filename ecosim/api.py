"""Runs from Python: start them, compare minds, take runs up again, check them, open their folders.

What `import ecosim` offers is here; the command line calls the same functions. What comes back is a `Run` or a
`Comparison` of `ecosim.explore`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from ecosim import contrast, rerun, simulate
from ecosim.arms import Changes, own_by_name
from ecosim.cluster.crew import Say
from ecosim.cluster.layout import DEADLINE_S, Layout
from ecosim.ecosystem import Ecosystem
from ecosim.errors import RunError, ScenarioError
from ecosim.estimation import estimate
from ecosim.explore import Comparison, Run
from ecosim.fields import Array
from ecosim.minds.seats import Wishes
from ecosim.record.store import Folder, Memory, Store
from ecosim.rerun import Own, Verdict
from ecosim.scenario import Scenario
from ecosim.simulate import Arm, Manner, Numerics, Progress

if TYPE_CHECKING:
    from ecosim.panel import Panel

Feeds = Mapping[str, Callable[..., Array]]
"""Feeds of the user's own, by the names that `feed.mix` has for them."""

__all__ = [
    "Comparison",
    "Ecosystem",
    "How",
    "Run",
    "compare",
    "estimate",
    "facts",
    "load",
    "manner_of",
    "replay",
    "resume",
    "run",
    "start",
    "verify",
    "watch",
]


class How(TypedDict, total=False):
    """How a run is carried out: keyword arguments of `run`, `compare`, `resume` and `verify`; none changes a digest.

    Attributes:
        hosts, workers: Ray actors for minds that answer by columns, and for language models; 0: in this process.
        ray_address: of a Ray cluster to join, as `ray.init` takes it; Ray on this machine by default.
        threads: of each worker; the cores of its machine shared out by default.
        deadline_s: a call to a host or worker that takes longer counts as lost and is made again.
        batch_limit: most rows in a batch of a language model.
        snapshot_every: steps between two snapshots of a run in a folder; every 20 s by default.
        numerics: of language models: `reproducible` (the same bits for any batch), or `fast`, which is the exception
            to the rule above.
        progress: called after each step with its number and the router of minds.
    """

    hosts: int
    workers: int
    ray_address: str
    threads: int | None
    deadline_s: float
    batch_limit: int | None
    snapshot_every: int | None
    numerics: Numerics
    progress: Progress | None


def manner_of(how: How, say: Say | None = None) -> Manner:
    """Keyword arguments as the assembly takes them.

    Raises:
        PoolError: a number is out of range.
        TypeError: an unknown keyword.
    """
    unknown = sorted(set(how) - set(How.__annotations__))
    if unknown:
        raise TypeError(f"unknown argument {unknown[0]!r}; known: {', '.join(How.__annotations__)}")
    layout = Layout(
        hosts=how.get("hosts", 0),
        workers=how.get("workers", 0),
        address=how.get("ray_address", ""),
        threads=how.get("threads"),
        deadline_s=how.get("deadline_s", DEADLINE_S),
    )
    return Manner(
        numerics=how.get("numerics", "reproducible"),
        layout=layout,
        batch_limit=how.get("batch_limit"),
        snapshot_steps=how.get("snapshot_every"),
        progress=how.get("progress"),
        say=say or _say,
    )


def run(
    scenario: str | Path | Scenario,
    *,
    seeds: int | None = None,
    steps: int | None = None,
    minds: Wishes | None = None,
    changes: Mapping[str, object] | None = None,
    feeds: Feeds | None = None,
    interventions: Changes | None = None,
    out: str | Path | None = None,
    **how: Unpack[How],
) -> Run:
    """Run a scenario, all seeds side by side.

    Args:
        scenario: a name from the catalogue, a YAML file, or a Scenario.
        seeds, steps: how many replicas and steps, if not as the scenario says.
        minds: who answers, by `role` or `role.phase`: a mind by name, your own function from a Question to a dict of
            answer columns, or a list of these to be dealt out to the members in turn.
        changes: other keys of the scenario, dotted: `{"lead_time_weeks": 3}`.
        feeds: of a community, feeds of your own by name, `{"mine": my_feed}`, which `changes={"feed.mix": ["mine"]}`
            may name: functions of a `Sight` and a number of slots (`ecosim.community.feeds`; `ranking` makes them of
            scores).
        interventions: your own functions by step, `{10: close_port}`: each is called before the first phase of its step
            with one replica at a time as a world of its own, and may write columns of `world.tables`.
        out: a folder to be made for the record; in memory by default.
        how: hosts, workers, numerics and the like: see `How`.

    Raises:
        ScenarioError: the scenario, a role, or a mind is not what it should be.
        DecisionError: a mind gave an illegal answer.
        PoolError: hosts and workers can't be had.
        RunError: `out` exists already.

    >>> kpis = run("smart_manufacturing", seeds=2, steps=4).kpis
    >>> sorted(kpis["replica"].unique().tolist())
    [0, 1]
    """
    resolved = facts(scenario, seeds, steps, with_feeds(changes, feeds))
    arm = Arm(name="all", minds=minds or {}, interventions=interventions or {})
    return start(resolved, [arm], out, place=str(scenario), manner=manner_of(how))


def compare(
    scenario: str | Path | Scenario,
    arms: Mapping[str, Wishes | Arm],
    *,
    seeds: int | None = None,
    steps: int | None = None,
    changes: Mapping[str, object] | None = None,
    feeds: Feeds | None = None,
    interventions: Changes | None = None,
    with_same: bool = False,
    out: str | Path | None = None,
    **how: Unpack[How],
) -> Comparison:
    """Run several choices of minds in the same worlds, and compare each with the first, pair by pair.

    Args:
        scenario, seeds, steps, changes, feeds, out, how: as for `run`.
        arms: by name, minds as for `run`; at least two. An `Arm` may have interventions of its own.
        interventions: as for `run`, in all arms, before those of an arm.
        with_same: adds the first arm once more with other mind seeds (A/A); its interval should hold 0.

    Raises:
        ScenarioError: as for `run`, or there are fewer than two arms or seeds.
        RunError: the arms met different exogenous worlds; nothing can be compared.
    """
    resolved = facts(scenario, seeds, steps, with_feeds(changes, feeds))
    chosen = [arm.after(interventions or {}) for arm in _arms(arms)]
    if with_same and chosen:
        chosen.insert(1, replace(chosen[0], name=f"{chosen[0].name} again", has_other_luck=True))
    if len(chosen) < 2:
        raise ScenarioError(f"a comparison needs at least two arms, got {[arm.name for arm in chosen]}")
    if resolved.seeds < 2:
        raise ScenarioError(f"a comparison needs at least two seeds for an interval, got {resolved.seeds}")
    found = start(resolved, chosen, out, place=str(scenario), manner=manner_of(how))
    contrast.check_common_world(found.manifest)
    return Comparison(found)


def watch(
    scenario: str | Path | Scenario,
    *,
    seeds: int | None = None,
    steps: int | None = None,
    minds: Wishes | None = None,
    arms: Mapping[str, Wishes | Arm] | None = None,
    changes: Mapping[str, object] | None = None,
    out: str | Path | None = None,
    metric: str | None = None,
    play: bool = True,
    **how: Unpack[How],
) -> Panel:
    """Run a scenario and look on: a panel for notebooks, with buttons, a choice of metrics, and a plot that grows.

    The run goes on in a thread of its own. When it is over, or stopped, `panel.run` is the run.

    Args:
        scenario, seeds, steps, minds, changes, out, how: as for `run`.
        arms: several choices of minds, as for `compare`, instead of `minds`.
        metric: what is drawn at first.
        play: False waits for a click on `play` or `step`, or for `panel.step()`.

    Raises:
        ScenarioError: as for `run`, or there is no such metric.
        RunError: ipywidgets is not installed, or `out` exists already.
    """
    from ecosim.panel import Panel

    resolved = facts(scenario, seeds, steps, changes)
    known = simulate.side(resolved.world).metrics
    if metric is not None and metric not in known:
        raise ScenarioError(f"metric: unknown {metric!r}; known: {', '.join(known)}")
    chosen = _arms(arms) if arms is not None else [Arm(name="all", minds=minds or {})]
    panel = Panel(resolved, chosen, out, place=str(scenario), manner=manner_of(how), metric=metric)
    if play:
        panel.play()
    return panel


def start(
    scenario: Scenario, arms: Sequence[Arm], out: str | Path | None, *, place: str, manner: Manner | None = None
) -> Run:
    """Simulate some arms and give the run."""
    path = Path(out) if out is not None else None
    store: Store = Folder(path) if path is not None else Memory()
    done = simulate.simulate(scenario, arms, store, manner, place=place)
    return Run(store, path, done.world, {**own_by_name(arms), **scenario.functions})


def resume(path: str | Path, *, own: Own | None = None, **how: Unpack[How]) -> Run:
    """Finish a run that was killed, interrupted or failed, on any layout: the same digest as if nothing had happened.

    Args:
        path: its folder.
        own: your own functions and minds that sat in it, by name.
        how: as for `run`; numerics and batch limit are those of the run.

    Raises:
        RunError: it is no run, is done already, is still going on, or its minds have changed.
    """
    folder = _folder(path)
    done = rerun.resume(folder, manner_of(how), own)
    return Run(done.store, folder, done.world, own)


def verify(path: str | Path, *, own: Own | None = None, with_rerun: bool = True, **how: Unpack[How]) -> Verdict:
    """Check a finished run: do its files give its digests, and does running it again, on any layout?

    Raises:
        RunError: it is no run, is not done, or its minds have changed.
    """
    return rerun.verify(_folder(path), manner_of(how), own, with_rerun)


def replay(path: str | Path, out: str | Path | None = None, *, own: Own | None = None) -> Run:
    """Have a finished run again from its recorded decisions, without any model; it has its world then.

    Args:
        path: the run's folder.
        out: a folder to be made for the replay; in memory by default.
        own: functions that changed the run (`interventions`), by name.

    Raises:
        RunError: it is no run, is not done, a function that changed it is missing, or the replay has another digest.
    """
    target = Path(out) if out is not None else None
    done = rerun.replay(_folder(path), Folder(target) if target is not None else None, own=own)
    return Run(done.store, target, done.world)


def load(path: str | Path) -> Run:
    """Open the folder of a run.

    Raises:
        RunError: it is not there, or it is no run.
    """
    folder = _folder(path)
    return Run(Folder(folder), folder)


def facts(
    scenario: str | Path | Scenario, seeds: int | None, steps: int | None, changes: Mapping[str, object] | None
) -> Scenario:
    """A scenario with changes, seeds and steps as given."""
    found = simulate.load_scenario(scenario, changes)
    numbers = {name: n for name, n in (("seeds", seeds), ("steps", steps)) if n is not None}
    return found.with_changes(**numbers) if numbers else found


def with_feeds(changes: Mapping[str, object] | None, feeds: Feeds | None) -> Mapping[str, object] | None:
    """Changes of a scenario, with feeds of the user's own among them."""
    return changes if feeds is None else {"feed.own": dict(feeds), **(changes or {})}


def _arms(arms: Mapping[str, Wishes | Arm]) -> list[Arm]:
    if not isinstance(arms, Mapping):
        raise ScenarioError(f"arms: expected minds by the name of the arm, got {type(arms).__name__}")
    return [arm if isinstance(arm, Arm) else Arm(name=name, minds=arm) for name, arm in arms.items()]


def _folder(path: str | Path) -> Path:
    folder = Path(path)
    if not folder.is_dir():
        raise RunError(f"{folder}: there is no such folder")
    return folder


def _say(line: str) -> None:
    """What is going to be made, for whoever watches."""
    print(line, file=sys.stderr)
