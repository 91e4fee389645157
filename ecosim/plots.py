"""Ready plots of a run: each draws into Matplotlib axes and gives them back, with units, over all replicas.

Colours are those of Matplotlib's settings, so that a plot fits the notebook or paper that it stands in. A band goes
from the 5 % to the 95 % quantile over replicas; a scale of amounts begins at 0 where none is negative.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecosim.errors import RunError
from ecosim.report.words import label

if TYPE_CHECKING:
    import networkx as nx
    from matplotlib.axes import Axes

    from ecosim.explore import Run

BAND = (0.05, 0.95)
"""Quantiles over replicas that a band shows."""
LEVEL = 0.95
"""Of the intervals of means."""
GRID = np.linspace(0, 1, 101)
"""Where Lorenz curves of several replicas meet."""
MAX_LABELS = 60
"""Firms of a network that still get their names written."""
WIDEST = 6.0
"""Width of a network's largest edge, points."""
TALK_KEYS = ("replica", "step", "buyer", "seller", "item")
GOLDEN = 0.618034
"""Multiples of it modulo 1 spread evenly: dots beside each other, the same each time."""


class Plots:
    """The plots of one run; calling it draws a metric over time."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def __call__(self, metric: str, group: str | None = None, ax: Axes | None = None) -> Axes:
        """A metric over time: the mean over replicas, and a band from the 5 % to the 95 % quantile.

        A dotted line marks a step in which something was changed from outside.

        Args:
            metric: one of `run.side.metrics`.
            group: a role or item; all groups by default.
            ax: where to draw; a new figure by default.

        Raises:
            RunError: there is no such metric or group.
        """
        frame = _chosen(self._run.metrics, "metric", metric, group)
        ax = _axes(ax)
        groups = list(frame["group"].unique())
        for name in groups:
            for arm in self._run.arms:
                part = frame[(frame["group"] == name) & (frame["arm"] == arm)]
                words = [arm] if len(self._run.arms) > 1 else []
                words += [name or "all"] if name or len(groups) > 1 else []
                wide = part.pivot(index="step", columns="replica", values="value").sort_index()
                _band(ax, wide, " · ".join(words))
        for step in self._run.changed_in:
            ax.axvline(step, color="0.6", linewidth=0.8, linestyle=":", zorder=0)
        ax.set_ylabel(_quantity(metric, self._run.side.metrics[metric].unit))
        return self._over_time(ax)

    def series(self, table: str, column: str, how: str = "sum", ax: Axes | None = None, **where: object) -> Axes:
        """A column of events over time, for some rows; a list of names gives a line each.

        Args:
            table, column, how, where: as for `run.series`.
            ax: where to draw; a new figure by default.
        """
        ax = _axes(ax)
        several = next((name for name, wanted in where.items() if isinstance(wanted, list | tuple)), None)
        for wanted in where[several] if several else [None]:  # type: ignore[attr-defined]
            only = where | ({several: wanted} if several else {})
            found = self._run.series(table, column, how, **only)
            for arm in self._run.arms:
                words = [arm] if len(self._run.arms) > 1 else []
                words += [str(wanted)] if several else []
                _band(ax, found.loc[:, self._run.replicas["arm"] == arm], " · ".join(words))
        unit = next((c.unit for c in self._run.side.events[table].columns if c.name == column), "")
        ax.set_ylabel(_quantity(column, unit.removesuffix("/1e6")))
        if not several:
            ax.set_title(", ".join(str(value) for value in where.values()), loc="left", fontsize="medium")
        return self._over_time(ax)

    def distribution(self, kpi: str, group: str | None = None, ax: Axes | None = None) -> Axes:
        """A KPI in every replica, by arm: a dot a replica, and the mean with its 95 % interval (Student's t).

        Args:
            kpi: one of `run.side.kpis`.
            group: a role or item; all groups by default. With one group, lines join replicas of the same world seed.
            ax: where to draw; a new figure by default.
        """
        frame = _chosen(self._run.kpis, "KPI", kpi, group)
        arms, groups = self._run.arms, list(frame["group"].unique())
        by_arm = len(groups) == 1
        places = {
            (name, arm): float(j) if by_arm else i + 0.8 * ((j + 0.5) / len(arms) - 0.5)
            for i, name in enumerate(groups)
            for j, arm in enumerate(arms)
        }
        ax = _axes(ax, (1.8 + 1.3 * (len(arms) if by_arm else len(groups) * max(1.0, len(arms) / 2)), 3.5))
        width = 0.3 if by_arm else 0.5 / len(arms)
        if by_arm and len(arms) > 1:
            self._pairs(ax, frame, width)
        for (name, arm), x in places.items():
            part = frame[(frame["group"] == name) & (frame["arm"] == arm)].sort_values("replica")
            _dots(ax, x, part["value"].to_numpy(), width, f"C{arms.index(arm)}", arm if name == groups[0] else "")
        names = arms if by_arm else [name or "all" for name in groups]
        ax.set_xticks(range(len(names)), names)
        ax.set_xlim(-0.6, len(names) - 0.4)
        ax.set_xlabel("a dot a replica; bar: mean with its 95 % interval", fontsize="small")
        title = _quantity(kpi, self._run.side.kpis[kpi].unit)
        ax.set_ylabel(f"{title} · {groups[0]}" if by_arm and groups[0] else title)
        if not by_arm and len(arms) > 1:
            ax.legend(frameon=False, fontsize="small")
        return ax

    def network(self, replica: int = 0, ax: Axes | None = None) -> Axes:
        """Who sold to whom in one replica: firms by role from left to right, edges as wide as their contracts.

        Raises:
            RunError: nothing was contracted in this run.
        """
        ax = draw_network(self._run.graph(replica), _axes(ax, (7.5, 5)))
        ax.set_title(f"contracts of replica {replica}, edges as wide as units", loc="left", fontsize="medium")
        return ax

    def ripple(self, replica: int = 0, since: int | None = None, ax: Axes | None = None) -> Axes:
        """The network of one replica, each firm in the colour of the weeks until a shock reached it; white: never.

        Args:
            replica: which.
            since: the week of the shock; by default that of the replica's first.
            ax: where to draw; a new figure by default.

        Raises:
            RunError: there was no shock in this replica, or nothing was contracted.
        """
        from ecosim.manufacturing.resilience import ripple

        wave = ripple(self._run, since)
        wave = wave[wave["replica"] == replica].set_index("name")
        if wave.empty:
            raise RunError(f"no shock in replica {replica} of this run; name a week: since=…")
        ax = draw_network(self._run.graph(replica), _axes(ax, (7.5, 5)))
        _draw_wave(ax, self._run.graph(replica), wave["after"])
        ax.set_title(f"replica {replica}: weeks after week {wave['since'].iloc[0]}", loc="left", fontsize="medium")
        return ax

    def talk(self, talk: Mapping[str, Any] | None = None, ax: Axes | None = None) -> Axes:
        """One negotiation: the prices that both sides offered, move by move, and the limits that each kept to itself.

        Args:
            talk: a row of `run.events("talks")`, with names or without; the longest that ended in a deal by default.
            ax: where to draw; a new figure by default.
        """
        names = talk is not None and isinstance(talk["buyer"], str)
        talks, offers = self._run.events("talks", names=names), self._run.events("offers", names=names)
        row = _the_talk(talks, talk)
        shown = self._run.events("talks", names=True).loc[row]
        mine = (offers[list(TALK_KEYS)] == talks.loc[row, list(TALK_KEYS)]).all(axis=1)
        moves = self._run.events("offers", names=True)[mine].sort_values("move")
        return _draw_talk(_axes(ax), shown, moves, self._run.side.step_name)

    def attention(self, by: str = "post", ax: Axes | None = None) -> Axes:
        """How evenly views fall on posts: the share of all views that the least watched posts got (Lorenz curve).

        Args:
            by: `post`, or `creator`.
            ax: where to draw; a new figure by default.

        Raises:
            RunError: there are no posts in this run.
        """
        posts = self._run.events("posts")
        if by not in ("post", "creator"):
            raise RunError(f"by: expected 'post' or 'creator', got {by!r}")
        views = self._run.events("reactions").groupby(["replica", by])["views"].sum()
        every = posts.groupby(["replica", by]).size()
        views = views.reindex(every.index, fill_value=0)  # posts that nobody was shown count too
        ax = _axes(ax, (4.5, 4.5))
        ax.plot([0, 100], [0, 100], color="0.6", linewidth=0.8, linestyle="--", label="all get the same")
        curves = pd.DataFrame({replica: lorenz(part.to_numpy()) for replica, part in views.groupby(level=0)}, GRID)
        for arm in self._run.arms:
            part = curves.loc[:, [self._run.replicas["arm"].iloc[replica] == arm for replica in curves]]
            _band(ax, part * 100, arm if len(self._run.arms) > 1 else "mean over replicas", x=GRID * 100)
        ax.set_xlabel(f"{by}s, least watched first (%)")
        ax.set_ylabel("their share of all views (%)")
        ax.set_xlim(0, 100)
        ax.set_ylim(0, 100)
        ax.set_aspect("equal")
        ax.legend(frameon=False, fontsize="small", loc="upper left")
        return ax

    def time(self, ax: Axes | None = None) -> Axes:
        """What the wall time of the run went to, part by part: phases, minds, record and the rest."""
        seconds = pd.Series(self._run.manifest.get("seconds_by_part", {}), dtype=float).sort_values()
        if seconds.empty:
            raise RunError("this run kept no times")
        ax = _axes(ax, (6, 0.9 + 0.25 * len(seconds)))
        bars = ax.barh(seconds.index, seconds)
        ax.bar_label(bars, [f" {share:.0%}" for share in seconds / seconds.sum()], fontsize="small")
        ax.set_xlabel("wall time (s)")
        ax.margins(x=0.12)
        return ax

    def _over_time(self, ax: Axes) -> Axes:
        from matplotlib.ticker import MaxNLocator

        ax.set_xlabel(self._run.side.step_name)
        ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
        ax.autoscale(axis="y")  # a plot that was here before has fixed its own limit
        if ax.dataLim.ymin >= 0:
            ax.set_ylim(bottom=0)
        if ax.get_legend_handles_labels()[1]:
            ax.legend(frameon=False, fontsize="small")
        return ax

    def _pairs(self, ax: Axes, frame: pd.DataFrame, width: float) -> None:
        """Faint lines between replicas of different arms that met the same world."""
        rows = frame.assign(world_seed=self._run.replicas["world_seed"].to_numpy()[frame["replica"]])
        wide = rows.pivot(index="world_seed", columns="arm", values="value")[self._run.arms]
        at = np.arange(len(self._run.arms))[:, None] + _spread(len(wide), width)
        ax.plot(at, wide.to_numpy().T, color="0.8", linewidth=0.6, zorder=0)


def lorenz(amounts: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Share of the whole that the lowest shares of GRID own; nan where there is nothing to share.

    >>> lorenz(np.array([1, 3]))[[0, 50, 100]].tolist()
    [0.0, 0.25, 1.0]
    """
    if amounts.sum() == 0:
        return np.full(len(GRID), np.nan)
    owned = np.concatenate([[0], np.sort(amounts).cumsum()]) / amounts.sum()
    return np.interp(GRID, np.linspace(0, 1, len(owned)), owned)


def draw_network(graph: nx.MultiDiGraph[str], ax: Axes) -> Axes:
    """Firms in columns by role, and what was sold between them; `graph` as `run.graph` gives it."""
    import networkx as nx
    from matplotlib.lines import Line2D

    place = _columns(graph)
    totals: dict[str, float] = {}
    for *_, facts in graph.edges(data=True):
        totals[facts["item"]] = totals.get(facts["item"], 0.0) + facts["units"]
    most = max((facts["units"] for *_, facts in graph.edges(data=True)), default=1.0)
    for i, item in enumerate(totals):
        flows = [(a, b, facts["units"]) for a, b, facts in graph.edges(data=True) if facts["item"] == item]
        pairs, widths = [(a, b) for a, b, _ in flows], [max(0.3, WIDEST * units / most) for *_, units in flows]
        nx.draw_networkx_edges(
            nx.DiGraph(pairs), place, ax=ax, edgelist=pairs, width=widths, edge_color=f"C{i}", alpha=0.5, arrows=False
        )
    nx.draw_networkx_nodes(graph, place, ax=ax, node_size=30, node_color="0.25")
    if len(graph) <= MAX_LABELS:
        _firm_names(ax, graph, place)
    lines = [Line2D([], [], color=f"C{i}", alpha=0.7, linewidth=3) for i in range(len(totals))]
    texts = [f"{item}: {units:,.0f} units" for item, units in totals.items()]
    ax.legend(lines, texts, frameon=False, fontsize="small", loc="upper center", bbox_to_anchor=(0.5, 0), ncols=4)
    ax.set_axis_off()
    ax.margins(x=0.2)
    return ax


def _draw_wave(ax: Axes, graph: nx.MultiDiGraph[str], after: pd.Series[float]) -> None:
    """Discs over the firms of a network: darker the sooner, white where it never came."""
    place = _columns(graph)
    x, y = np.array([place[name] for name in after.index]).T
    never = after.isna().to_numpy()
    ax.scatter(x[never], y[never], s=70, c="white", edgecolors="0.5", zorder=3)
    discs = ax.scatter(x[~never], y[~never], s=90, c=after[~never], cmap="inferno", edgecolors="0.25", zorder=3, vmin=0)
    ax.figure.colorbar(discs, ax=ax, label="weeks until it fell short", shrink=0.6)


def _axes(ax: Axes | None, size: tuple[float, float] = (7, 3.5)) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=size, layout="constrained")[1]


def _chosen(frame: pd.DataFrame, what: str, name: str, group: str | None) -> pd.DataFrame:
    """The rows of one figure, and of one of its groups."""
    rows = frame[frame["metric"] == name]
    if rows.empty:
        raise RunError(f"no {what} {name!r} in this run; it has {', '.join(frame['metric'].unique())}")
    if group is not None and group not in rows["group"].unique():
        raise RunError(f"no group {group!r} of {name} in this run; it has {', '.join(rows['group'].unique())}")
    return rows if group is None else rows[rows["group"] == group]


def _band(ax: Axes, wide: pd.DataFrame, name: str, x: Any = None) -> None:
    """Mean and quantile band over the columns, which are replicas."""
    if wide.empty:
        return
    at = wide.index if x is None else x
    (line,) = ax.plot(at, wide.mean(axis=1), label=name, linewidth=1.6)
    if wide.shape[1] > 1:
        low, high = wide.quantile(BAND[0], axis=1), wide.quantile(BAND[1], axis=1)
        ax.fill_between(at, low, high, alpha=0.18, linewidth=0, color=line.get_color())


def _dots(ax: Axes, x: float, values: np.ndarray[Any, Any], width: float, color: str, name: str) -> None:
    """A dot a replica about x, and the mean with its interval beside them."""
    from scipy import stats

    ax.plot(x + _spread(len(values), width), values, "o", color=color, alpha=0.5, ms=4.5, markeredgewidth=0, label=name)
    values = values[~np.isnan(values)]
    if len(values) > 1:
        reach = stats.t.ppf(0.5 + LEVEL / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
        ax.errorbar(x, values.mean(), yerr=reach, fmt="_", color="black", markersize=14, capsize=4, linewidth=1.2)


def _spread(count: int, width: float) -> np.ndarray[Any, Any]:
    """How far each dot stands from its place, so that they do not cover each other."""
    return (np.arange(count) * GOLDEN % 1 - 0.5) * width


def _columns(graph: Any) -> dict[str, tuple[float, float]]:
    """Where firms stand: a column a role, from top to bottom in the order of the scenario."""
    layers: dict[int, list[str]] = {}
    for firm, facts in graph.nodes(data=True):
        layers.setdefault(facts["layer"], []).append(firm)
    return {
        firm: (float(x), -(i + 0.5) / len(firms))
        for x, (_, firms) in enumerate(sorted(layers.items()))
        for i, firm in enumerate(firms)
    }


def _firm_names(ax: Axes, graph: Any, place: Mapping[str, Any]) -> None:
    """Names outside the first and last column, above the firms between."""
    columns = sorted({facts["layer"] for _, facts in graph.nodes(data=True)})
    for firm, facts in graph.nodes(data=True):
        at = {columns[0]: (-6, 0, "right", "center"), columns[-1]: (6, 0, "left", "center")}
        dx, dy, ha, va = at.get(facts["layer"], (0, 5, "center", "bottom"))
        ax.annotate(firm, place[firm], xytext=(dx, dy), textcoords="offset points", ha=ha, va=va, fontsize="x-small")


def _the_talk(talks: pd.DataFrame, wanted: Mapping[str, Any] | None) -> Any:
    """The index of a talk in its table."""
    if wanted is None:
        agreed = talks[talks["outcome"] == 1]  # codes: the table is without names then
        found = agreed if len(agreed) else talks
        return found["moves"].idxmax()
    same = (talks[list(TALK_KEYS)] == [wanted[key] for key in TALK_KEYS]).all(axis=1)
    if not same.any():
        raise RunError(f"no such talk in this run: {dict((key, wanted[key]) for key in TALK_KEYS)}")
    return same.idxmax()


def _draw_talk(ax: Axes, talk: Any, moves: pd.DataFrame, step_name: str) -> Axes:
    from matplotlib.ticker import MaxNLocator

    spoken = moves[moves["act"] != "reject"]
    if talk["buyer_limit"] > talk["seller_limit"]:
        zone = (talk["seller_limit"], talk["buyer_limit"])
        ax.axhspan(*zone, color="0.93", zorder=0, label="prices good for both")
    for i, side in enumerate(("buyer", "seller")):
        mine = spoken[spoken["move"] % 2 == i]
        ax.plot(mine["move"] + 1, mine["price"], "o-", color=f"C{i}", label=f"{side}: {talk[side]}")
        ax.axhline(talk[f"{side}_limit"], color=f"C{i}", linestyle="--", linewidth=1, label=f"{side}’s private limit")
    if talk["outcome"] == "agreed" and len(spoken):
        last = spoken.iloc[-1]
        ax.plot(last["move"] + 1, last["price"], "o", mec="black", mfc="none", markersize=11, label="deal")
    where = f"{step_name} {talk['step']}, replica {talk['replica']}"
    ax.set_title(f"{talk['item']}, {where}: {talk['outcome']}", loc="left", fontsize="medium")
    ax.set_xlabel("move")
    ax.set_ylabel("price (EUR/unit)")
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    ax.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))
    return ax


def _quantity(name: str, unit: str) -> str:
    """A figure in words, with its unit."""
    words = label(name)
    return words if unit in ("", words) else f"{words} ({unit})"
