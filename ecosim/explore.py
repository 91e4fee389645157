"""A run as a researcher holds it: DataFrames, plots and a report; from Python or Jupyter.

Units are natural here (euros, units of goods): columns that the record keeps in millionths are divided on the way out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import pandas as pd

from ecosim import contrast, simulate
from ecosim.errors import RunError
from ecosim.exact import MILLION
from ecosim.record import document
from ecosim.record.store import Store
from ecosim.scenario import Scenario, build
from ecosim.side import Side

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ecosim.interview import Asking, Interview
    from ecosim.rerun import Own
    from ecosim.why import Which, Why
    from ecosim.world import World

BAND = (0.05, 0.95)
"""Quantiles over replicas that a band shows."""


class Run:
    """A finished run, from memory or from its folder.

    Attributes:
        manifest: scenario, seeds, digests, minds, machine, times: everything that is needed to say what this run was.
        path: its folder; None for a run in memory.
    """

    def __init__(
        self, store: Store, path: Path | None = None, world: World | None = None, own: Own | None = None
    ) -> None:
        self._store = store
        self._world = world
        self._own = dict(own or {})
        self.path = path
        self.manifest = document.read(store, path or "this run")

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

        A dotted line marks a step in which something was changed from outside.

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
        for step in self._changed_in():
            ax.axvline(step, color="0.6", linewidth=0.8, linestyle=":", zorder=0)
        unit, words = self.side.metrics[metric].unit, _words(metric)
        ax.set_xlabel(self.side.step_name)
        ax.set_ylabel(words if unit in ("", words) else f"{words} ({unit})")
        ax.autoscale(axis="y")  # a plot that was here before has fixed its own limit
        if ax.dataLim.ymin >= 0:
            ax.set_ylim(bottom=0)
        if len(ax.get_legend_handles_labels()[1]):
            ax.legend(frameon=False, fontsize="small")
        return ax

    def why(self, step: int, member: int, *, own: Own | None = None, **narrowing: Unpack[Which]) -> Why:
        """Why a member answered as it did: what it saw, its scores, what each column was worth, what would flip it.

        Args:
            step: from 1.
            member: its id, as in `subject` of decisions.
            own: your own functions and minds that sat in the run, by name; those of a run just made are known.
            narrowing: `replica` (0), and `phase`, `counterpart`, `item`, `round` where it was asked several things;
                `tries` a column; `ask=False` shows what was recorded only.

        Raises:
            RunError: no such question, or several, or the mind is no longer what it was.
            CatalogError: its model can't be had.
        """
        from ecosim import why

        return why.explain(self._store, step, member, own={**self._own, **(own or {})}, **narrowing)

    def ask(
        self,
        step: int,
        member: int | Sequence[int] | str,
        question: str,
        *,
        own: Own | None = None,
        **how: Unpack[Asking],
    ) -> Interview:
        """Ask members something at the end of a step, in words; the run is not touched.

        Args:
            member: its id, several, or a role.
            question: such as "What do you think of your stock?"
            own: your own language minds that sat in the run, by name; those of a run just made are known.
            how: `replica` (0), `max_tokens` (60); `voice="untrained"` lets the base model speak for others.

        Raises:
            RunError: no such member, or it has no language.
            CatalogError: the model can't be had.
        """
        from ecosim.interview import interview

        members = [member] if isinstance(member, int) else member
        return interview(self._store, step, members, question, own={**self._own, **(own or {})}, **how)

    def report(self, path: str | Path | None = None) -> Path:
        """Write the report, one HTML file that needs no network; into the run's folder by default."""
        from ecosim.report import page

        target = Path(path) if path is not None else (self.path or Path()) / "report.html"
        try:
            page.write(self, target)
        except OSError as error:
            raise RunError(f"{target}: the report cannot be written: {error.strerror}; name another place") from error
        return target

    def _changed_in(self) -> list[int]:
        """The steps in which something was changed from outside, in any arm."""
        own = [made["step"] for arm in self.manifest["arms"] for made in arm.get("interventions", [])]
        planned = {*own, *(item.step for item in self.scenario.interventions)}
        return sorted(step for step in planned if step <= self.manifest.get("steps_done", 0))

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


def draw_band(ax: Axes, frame: pd.DataFrame, label: str) -> None:
    """Mean and quantile band over replicas of one metric, group and arm."""
    wide = frame.pivot(index="step", columns="replica", values="value").sort_index()
    if wide.empty:
        return
    low, high = wide.quantile(BAND[0], axis=1), wide.quantile(BAND[1], axis=1)
    (line,) = ax.plot(wide.index, wide.mean(axis=1), label=label, linewidth=1.6)
    if wide.shape[1] > 1:
        ax.fill_between(wide.index, low, high, alpha=0.18, linewidth=0, color=line.get_color())


def _arm(name: str, arms: Sequence[str]) -> str:
    return name if len(arms) > 1 else ""


def _words(name: str) -> str:
    stem, _, unit = name.rpartition("_")
    return (stem if unit in ("eur", "units") else name).replace("_", " ")
