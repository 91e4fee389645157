"""Who bought how much from whom, as a network: firms by role from left to right, edges as wide as their contracts."""

from __future__ import annotations

from typing import Any, cast

import networkx as nx
import numpy as np
import pandas as pd

from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import ROLES, Layout, layout
from ecosim.report.canvas import INK, QUIET, canvas, series_color
from ecosim.report.parts import Cell, Chart, Charts, Grid, Note, Part
from ecosim.report.plots import WIDE
from ecosim.report.source import Source
from ecosim.report.words import compact, label

MAX_EDGES = 400
"""Edges drawn, the largest first."""
MAX_LABELS = 40
"""Firms of a role that still get their names written."""
WIDEST = 9.0
"""Width of the largest edge, px."""
TOP, ROW = 34, 44
"""Room for the names of the columns, and for a firm, px."""


def parts(source: Source) -> list[Part]:
    """The network of one replica."""
    contracts = source.events("contracts")
    if contracts.empty:
        return [Note("No network can be drawn: this run kept no contracts.", "quiet")]
    net = layout(cast(ManufacturingScenario, source.run.scenario))
    replica = int(contracts["replica"].min())
    graph = network(contracts[contracts["replica"] == replica], net)
    drawn = sorted(graph.edges(data=True), key=lambda edge: -edge[2]["units"])[:MAX_EDGES]
    left = graph.number_of_edges() - len(drawn)
    note = (
        f"All contracts of {source.named(replica)}. An edge is as wide as the units contracted in all, a node as large "
        "as what the firm bought and sold."
    )
    if left:
        note += f" The {left:,} smallest edges are not drawn."
    chart = Chart("Contracted goods", "", "edges: units contracted; colours: items", _draw(graph, drawn, net))
    return [Charts((chart,), note, is_wide=True, by_arm=False), _legend(graph, net)]


def network(contracts: pd.DataFrame, net: Layout) -> nx.MultiDiGraph[int]:
    """Sellers to buyers, an edge an item, with `units`; firms that traded nothing are there too."""
    graph: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    graph.add_nodes_from((firm, {"layer": int(net.role[firm])}) for firm in range(net.num_members))
    flows = contracts.groupby(["seller", "buyer", "item"], as_index=False)["quantity"].sum()
    for flow in flows.itertuples():
        graph.add_edge(flow.seller, flow.buyer, key=flow.item, item=flow.item, units=flow.quantity)
    return graph


def _places(graph: nx.MultiDiGraph[int], net: Layout) -> tuple[dict[int, tuple[float, float]], int]:
    """Where firms stand, px: a column a role that is there; suppliers of one item stand together."""
    columns = [role for role in range(len(ROLES)) if (net.role == role).any()]
    tallest = max(int((net.role == role).sum()) for role in columns)
    height = TOP + max(5, min(tallest, 24)) * ROW
    at = {}
    for i, role in enumerate(columns):
        firms = sorted(np.flatnonzero(net.role == role).tolist(), key=lambda firm: (net.sells[firm], firm))
        x = WIDE * (0.16 + 0.68 * (i / max(1, len(columns) - 1) if len(columns) > 1 else 0.5))
        for j, firm in enumerate(firms):
            at[firm] = (x, TOP + (height - TOP) * (j + 0.5) / len(firms))
    return at, height


def _draw(graph: nx.MultiDiGraph[int], edges: list[tuple[int, int, dict[str, Any]]], net: Layout) -> Any:
    at, height = _places(graph, net)
    with canvas((WIDE, height), salt="network") as (figure, done):
        ax = figure.add_axes((0, 0, 1, 1))
        ax.set_axis_off()
        ax.set_xlim(0, WIDE)
        ax.set_ylim(height, 0)
        _edges(ax, edges, at)
        _nodes(ax, graph, net, at)
        for role in sorted({int(role) for role in net.role}):
            x = next(at[firm][0] for firm in at if net.role[firm] == role)
            ax.text(x, 14, f"{label(ROLES[role])}s", ha="center", va="center", color=QUIET, fontsize=12)
        return done()


def _edges(ax: Any, edges: list[tuple[int, int, dict[str, Any]]], at: dict[int, tuple[float, float]]) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    most = max((data["units"] for _, _, data in edges), default=1.0)
    for seller, buyer, data in reversed(edges):
        (x0, y0), (x1, y1) = at[seller], at[buyer]
        bend = (x1 - x0) / 2
        curve = Path([(x0, y0), (x0 + bend, y0), (x1 - bend, y1), (x1, y1)], [1, 4, 4, 4])
        width = max(0.4, WIDEST * data["units"] / most)
        ax.add_patch(PathPatch(curve, fill=False, edgecolor=series_color(data["item"]), linewidth=width, alpha=0.45))


def _nodes(ax: Any, graph: nx.MultiDiGraph[int], net: Layout, at: dict[int, tuple[float, float]]) -> None:
    flow = {firm: sum(data["units"] for *_, data in graph.in_edges(firm, data=True)) for firm in at}
    flow = {firm: flow[firm] + sum(data["units"] for *_, data in graph.out_edges(firm, data=True)) for firm in at}
    most = max(max(flow.values()), 1.0)
    crowded = max(int((net.role == role).sum()) for role in range(len(ROLES))) > MAX_LABELS
    for firm, (x, y) in at.items():
        radius = 3 + 6 * (flow[firm] / most) ** 0.5
        ax.plot(x, y, "o", markersize=2 * radius, color=INK, markeredgewidth=0)
        if crowded:
            continue
        side = {0: -1, len(ROLES) - 1: 1}.get(int(net.role[firm]), 0)
        place = (x + side * (radius + 6), y) if side else (x, y - radius - 9)
        align = {-1: "right", 1: "left", 0: "center"}[side]
        ax.text(*place, net.names[firm].replace("_", " "), ha=align, va="center", fontsize=11, color=INK)


def _legend(graph: nx.MultiDiGraph[int], net: Layout) -> Grid:
    """Items in their colours, with what was contracted of each."""
    totals = dict.fromkeys(range(len(net.items)), 0.0)
    for *_, data in graph.edges(data=True):
        totals[data["item"]] += data["units"]
    rows = tuple(
        (Cell(net.items[item], f"swatch s{item % 8 + 1}"), Cell(compact(units), "number"))
        for item, units in totals.items()
        if units
    )
    return Grid((Cell("item"), Cell("units contracted", "number")), rows)
