"""A run as a researcher holds it: DataFrames, plots and a report; from Python or Jupyter.

`run` and `compare` start runs, `load` opens a folder that the command line wrote. Units are natural here (euros, units
of goods): columns that the record keeps in millionths are divided on the way out.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import pandas as pd

from ecosim import contrast, rerun, simulate
from ecosim.cluster.crew import Say
from ecosim.cluster.layout import DEADLINE_S, Layout
from ecosim.errors import RunError, ScenarioError
from ecosim.exact import MILLION
from ecosim.minds.seats import Wishes
from ecosim.record.store import Folder, Memory, Store
from ecosim.rerun import Own, Verdict
from ecosim.scenario import Scenario, build
from ecosim.simulate import Arm, Manner, Numerics, Progress
from ecosim.world import Side, World

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BAND = (0.05, 0.95)
"""Quantiles over replicas that a band shows."""


class Run:
    """A finished run, from memory or from its folder.

    Attributes:
        manifest: scenario, seeds, digests, minds, machine, times: everything that is needed to say what this run was.
        path: its folder; None for a run in memory.
    """

    def __init__(self, store: Store, path: Path | None = None, world: World | None = None) -> None:
        self._store = store
        self._world = world
        self.path = path
        self.manifest = store.read_json(simulate.MANIFEST)

    def __repr__(self) -> str:
        replicas = len(self.manifest["replicas"]["arm"])
        where = f", {self.path}" if self.path else ""
        return f"<Run {self.title!r}: {replicas} replicas × {self.manifest.get('steps_done', 0)} steps{where}>"

    @property
    def title(self) -> str:
        """The scenario's title."""
        return str(self.manifest["scenario"]["title"])

    @cached_property
    def side(self) -> Side:
        """The ecosystem."""
        return simulate.side(self.manifest["scenario"]["world"])

    @cached_property
    def scenario(self) -> Scenario:
        """The scenario, resolved."""
        return build(self.side.kind, self.manifest["scenario"], place="manifest")

    @property
    def arms(self) -> list[str]:
        """The names of the arms."""
        return [arm["name"] for arm in self.manifest["arms"]]

    @cached_property
    def replicas(self) -> pd.DataFrame:
        """A row a replica: `arm`, `world_seed`, `mind_seed`."""
        frame = pd.DataFrame(self.manifest["replicas"])
        frame["arm"] = [self.arms[code] for code in frame["arm"]]
        frame.index.name = "replica"
        return frame

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """Figures of every step, long: `replica, step, metric, group, value, unit, arm`."""
        return self._with_arm(self._store.read("metrics").to_pandas())

    @cached_property
    def kpis(self) -> pd.DataFrame:
        """Figures of whole replicas, long: `replica, metric, group, value, unit, arm`."""
        return self._with_arm(self._store.read("kpis").to_pandas())

    def events(self, name: str) -> pd.DataFrame:
        """One event table in natural units; `run.tables` names them.

        Raises:
            RunError: there is no such table, or it holds no rows.
        """
        known = {table.removeprefix("events/") for table in self._store.names() if table.startswith("events/")}
        if name not in known:
            raise RunError(f"no events {name!r} in this run; it has {', '.join(sorted(known)) or 'none'}")
        frame = self._store.read(f"events/{name}").to_pandas()
        schema = self.side.events.get(name)
        for column in schema.columns if schema else ():
            if column.unit.endswith("/1e6"):
                frame[column.name] = frame[column.name] / MILLION
        return frame

    @property
    def tables(self) -> list[str]:
        """The event tables that hold rows; `answers` are the language minds' prompts, scores and answers."""
        return [name.removeprefix("events/") for name in self._store.names() if name.startswith("events/")]

    def world(self, replica: int) -> World:
        """One replica as it stands at the end, as a Mesa model of its own: `world.agents`, `world.step()`.

        Raises:
            RunError: the run was loaded from a folder, which holds events but no tables.
        """
        if self._world is None:
            raise RunError("a run loaded from a folder has no world to step; ecosim.replay(folder) gives it one")
        if not 0 <= replica < self._world.num_replicas:
            raise RunError(f"replica {replica} is not in 0 … {self._world.num_replicas - 1}")
        return self._world.replica(replica)

    def plot(self, metric: str, group: str | None = None, ax: Axes | None = None) -> Axes:
        """A metric over time: the mean over replicas, and a band from the 5 % to the 95 % quantile.

        Args:
            metric: one of `run.side.metrics`.
            group: a role or item; all groups by default.
            ax: where to draw; a new figure by default.
        """
        import matplotlib.pyplot as plt

        frame = self.metrics[self.metrics["metric"] == metric]
        if frame.empty:
            raise RunError(f"no metric {metric!r} in this run; it has {', '.join(self.metrics['metric'].unique())}")
        if group is not None and group not in frame["group"].unique():
            raise RunError(f"no group {group!r} of {metric} in this run; it has {', '.join(frame['group'].unique())}")
        ax = ax if ax is not None else plt.subplots(figsize=(7, 3.5), layout="constrained")[1]
        groups = list(frame["group"].unique()) if group is None else [group]
        for name in groups:
            part = frame[frame["group"] == name]
            for arm in self.arms:
                what = name or ("all" if len(groups) > 1 else "")
                draw_band(ax, part[part["arm"] == arm], label=" · ".join(n for n in (_arm(arm, self.arms), what) if n))
        unit, words = self.side.metrics[metric].unit, _words(metric)
        ax.set_xlabel(self.side.step_name)
        ax.set_ylabel(words if unit in ("", words) else f"{words} ({unit})")
        ax.autoscale(axis="y")  # a plot that was here before has fixed its own limit
        if ax.dataLim.ymin >= 0:
            ax.set_ylim(bottom=0)
        if len(ax.get_legend_handles_labels()[1]):
            ax.legend(frameon=False, fontsize="small")
        return ax

    def report(self, path: str | Path | None = None) -> Path:
        """Write the report, one HTML file that needs no network; into the run's folder by default."""
        from ecosim.report import page

        target = Path(path) if path is not None else (self.path or Path()) / "report.html"
        try:
            page.write(self, target)
        except OSError as error:
            raise RunError(f"{target}: the report cannot be written: {error.strerror}; name another place") from error
        return target

    def _with_arm(self, frame: pd.DataFrame) -> pd.DataFrame:
        frame["arm"] = self.replicas["arm"].to_numpy()[frame["replica"]]
        return frame


class Comparison:
    """Arms of one run against its first arm, in pairs of equal world seeds.

    Attributes:
        run: the run that holds all arms.
        table: a row a KPI and arm: means, difference, 95 % interval, p-value, pairs.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.table = contrast.differences(run.kpis, run.replicas, run.arms)

    def __repr__(self) -> str:
        return f"<Comparison of {', '.join(self.run.arms)}: {len(self.table)} rows>"

    def _repr_html_(self) -> str:
        return str(self.table.to_html(index=False))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Every difference with its interval, in standard deviations of the first arm, so that all share an axis."""
        return contrast.plot(self.table, ax)

    def report(self, path: str | Path | None = None) -> Path:
        """The report of the run, which shows the comparison first."""
        return self.run.report(path)


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
    resolved = facts(scenario, seeds, steps, changes)
    return start(resolved, [Arm(name="all", minds=minds or {})], out, place=str(scenario), manner=manner_of(how))


def compare(
    scenario: str | Path | Scenario,
    arms: Mapping[str, Wishes | Arm],
    *,
    seeds: int | None = None,
    steps: int | None = None,
    changes: Mapping[str, object] | None = None,
    with_same: bool = False,
    out: str | Path | None = None,
    **how: Unpack[How],
) -> Comparison:
    """Run several choices of minds in the same worlds, and compare each with the first, pair by pair.

    Args:
        scenario, seeds, steps, changes, out, how: as for `run`.
        arms: by name, minds as for `run`; at least two.
        with_same: adds the first arm once more with other mind seeds (A/A); its interval should hold 0.

    Raises:
        ScenarioError: as for `run`, or there are fewer than two arms or seeds.
        RunError: the arms met different exogenous worlds; nothing can be compared.
    """
    resolved = facts(scenario, seeds, steps, changes)
    if not isinstance(arms, Mapping):
        raise ScenarioError(f"arms: expected minds by the name of the arm, got {type(arms).__name__}")
    chosen = [arm if isinstance(arm, Arm) else Arm(name=name, minds=arm) for name, arm in arms.items()]
    if with_same and chosen:
        same = Arm(name=f"{chosen[0].name} again", minds=chosen[0].minds, has_other_luck=True)
        chosen.insert(1, same)
    if len(chosen) < 2:
        raise ScenarioError(f"a comparison needs at least two arms, got {[arm.name for arm in chosen]}")
    if resolved.seeds < 2:
        raise ScenarioError(f"a comparison needs at least two seeds for an interval, got {resolved.seeds}")
    found = start(resolved, chosen, out, place=str(scenario), manner=manner_of(how))
    contrast.check_common_world(found.manifest)
    return Comparison(found)


def start(
    scenario: Scenario, arms: Sequence[Arm], out: str | Path | None, *, place: str, manner: Manner | None = None
) -> Run:
    """Simulate some arms and give the run."""
    path = Path(out) if out is not None else None
    store: Store = Folder(path) if path is not None else Memory()
    done = simulate.simulate(scenario, arms, store, manner, place=place)
    return Run(store, path, done.world)


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
    return Run(done.store, folder, done.world)


def verify(path: str | Path, *, own: Own | None = None, with_rerun: bool = True, **how: Unpack[How]) -> Verdict:
    """Check a finished run: do its files give its digests, and does running it again, on any layout?

    Raises:
        RunError: it is no run, is not done, or its minds have changed.
    """
    return rerun.verify(_folder(path), manner_of(how), own, with_rerun)


def replay(path: str | Path, out: str | Path | None = None) -> Run:
    """Have a finished run again from its recorded decisions, without any model; it has its world then.

    Args:
        path: the run's folder.
        out: a folder to be made for the replay; in memory by default.

    Raises:
        RunError: it is no run, is not done, or the replay has another digest.
    """
    target = Path(out) if out is not None else None
    done = rerun.replay(_folder(path), Folder(target) if target is not None else None)
    return Run(done.store, target, done.world)


def load(path: str | Path) -> Run:
    """Open the folder of a run.

    Raises:
        RunError: it is not there, or it is no run.
    """
    folder = _folder(path)
    return Run(Folder(folder), folder)


def _folder(path: str | Path) -> Path:
    folder = Path(path)
    if not folder.is_dir():
        raise RunError(f"{folder}: there is no such folder")
    return folder


def _say(line: str) -> None:
    """What is going to be made, for whoever watches."""
    print(line, file=sys.stderr)


def draw_band(ax: Axes, frame: pd.DataFrame, label: str) -> None:
    """Mean and quantile band over replicas of one metric, group and arm."""
    wide = frame.pivot(index="step", columns="replica", values="value").sort_index()
    if wide.empty:
        return
    low, high = wide.quantile(BAND[0], axis=1), wide.quantile(BAND[1], axis=1)
    (line,) = ax.plot(wide.index, wide.mean(axis=1), label=label, linewidth=1.6)
    if wide.shape[1] > 1:
        ax.fill_between(wide.index, low, high, alpha=0.18, linewidth=0, color=line.get_color())


def facts(
    scenario: str | Path | Scenario, seeds: int | None, steps: int | None, changes: Mapping[str, object] | None
) -> Scenario:
    """A scenario with changes, seeds and steps as given."""
    found = simulate.load_scenario(scenario, changes)
    numbers = {name: n for name, n in (("seeds", seeds), ("steps", steps)) if n is not None}
    return found.with_changes(**numbers) if numbers else found


def _arm(name: str, arms: Sequence[str]) -> str:
    return name if len(arms) > 1 else ""


def _words(name: str) -> str:
    stem, _, unit = name.rpartition("_")
    return (stem if unit in ("eur", "units") else name).replace("_", " ")
