"""Who bought how much from whom, as a network: firms by role from left to right, edges as wide as their contracts.

Up to `MAX_FIRMS` every firm has its place and name; beyond that the firms of one group of the scenario are one node,
which the page says, and a table names the largest relations of single firms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
from markupsafe import Markup

from ecosim.fields import Array
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import ROLES, Layout, layout
from ecosim.report.canvas import INK, QUIET, Drawing, series_color
from ecosim.report.parts import Cell, Chart, Charts, Grid, Note, Part, heads
from ecosim.report.plots import WIDE
from ecosim.report.source import Source
from ecosim.report.words import compact, label, number, short

MAX_FIRMS = 40
"""Firms that are drawn one by one."""
MAX_TOP = 6
"""Firms of each role and item that are drawn beside the groups, those that traded most."""
MAX_EDGES = 400
"""Edges drawn, the largest first."""
MAX_PAIRS = 40
"""Relations in the table, the largest first."""
WIDEST = 9.0
"""Width of the largest edge, px."""
TOP, ROW = 34, 44
"""Room for the names of the columns, and for a node, px."""

_COLUMNS = ["seller", "buyer", "item", "quantity", "price"]


@dataclass(frozen=True, slots=True)
class Nodes:
    """What is drawn as one disc each.

    Attributes:
        of: the node of each firm, by member id.
        names: of the nodes.
        role, sells: of the nodes.
    """

    of: Array
    names: tuple[str, ...]
    role: Array
    sells: Array


def parts(source: Source) -> list[Part]:
    """The network of one replica."""
    replica = source.examples[0]
    contracts = source.events("contracts", ["replica", *_COLUMNS], replica=replica)
    if contracts.empty:
        return [Note("No network can be drawn: this run kept no contracts.", "quiet")]
    scenario = cast(ManufacturingScenario, source.run.scenario)
    net = layout(scenario)
    pairs = flows(contracts)
    nodes = single(net) if net.num_members <= MAX_FIRMS else grouped(net, scenario)
    edges = between(pairs, nodes)
    note = (
        f"All contracts of {source.named(replica)}. An edge is as wide as the units contracted in all, a node as large "
        "as what it bought and sold."
    )
    if len(nodes.names) < net.num_members:
        note += f" {net.num_members:,} firms are drawn as {len(nodes.names)} groups of the scenario."
    if len(edges) > MAX_EDGES:
        note += f" The {len(edges) - MAX_EDGES:,} smallest edges are not drawn."
    chart = Chart("Contracted goods", "", "edges: units contracted; colours: items", _draw(edges, nodes))
    found: list[Part] = [Charts((chart,), note, is_wide=True, by_arm=False)]
    if len(nodes.names) < net.num_members:
        found.append(_top(pairs, net))
    return [*found, _legend(pairs, net), _largest(pairs, net)]


def flows(contracts: pd.DataFrame) -> pd.DataFrame:
    """A row a seller, buyer and item that contracted: `contracts, units, value`, the largest first."""
    frame = contracts.assign(value=contracts["quantity"] * contracts["price"], contracts=1)
    found = frame.groupby(["seller", "buyer", "item"], as_index=False)[["contracts", "quantity", "value"]].sum()
    return found.rename(columns={"quantity": "units"}).sort_values(
        ["units", "seller", "buyer", "item"], ascending=[False, True, True, True], ignore_index=True
    )


def single(net: Layout) -> Nodes:
    """Every firm as a node."""
    return Nodes(np.arange(net.num_members), net.names, net.role, net.sells)


def grouped(net: Layout, scenario: ManufacturingScenario) -> Nodes:
    """Every entry of the scenario's firms as a node."""
    counts = [firms.count for firms in scenario.firms]
    first = np.cumsum([0, *counts[:-1]])
    names = tuple(f"{n:,} × {firms.name}" for n, firms in zip(counts, scenario.firms, strict=True))
    return Nodes(np.repeat(np.arange(len(counts)), counts), names, net.role[first], net.sells[first])


def top(pairs: pd.DataFrame, net: Layout) -> Nodes:
    """The firms of each role and item that traded most; `of` is -1 for all others."""
    num, units = net.num_members, pairs["units"].to_numpy()
    flow = np.bincount(pairs["seller"], units, num) + np.bincount(pairs["buyer"], units, num)
    order = np.lexsort((np.arange(num), -flow))
    kinds = sorted({*zip(net.role.tolist(), net.sells.tolist(), strict=True)})
    sorts = [order[(net.role[order] == role) & (net.sells[order] == item)][:MAX_TOP] for role, item in kinds]
    kept = np.concatenate(sorts)
    of = np.full(num, -1)
    of[kept] = np.arange(len(kept))
    return Nodes(of, tuple(net.names[firm] for firm in kept), net.role[kept], net.sells[kept])


def between(pairs: pd.DataFrame, nodes: Nodes) -> pd.DataFrame:
    """Edges between nodes: `start, end, item, units`, the largest first."""
    ends = pairs.assign(start=nodes.of[pairs["seller"]], end=nodes.of[pairs["buyer"]])
    ends = ends[(ends["start"] >= 0) & (ends["end"] >= 0)]
    edges = ends.groupby(["start", "end", "item"], as_index=False)["units"].sum()
    return edges.sort_values(["units", "start", "end", "item"], ascending=[False, True, True, True], ignore_index=True)


def _top(pairs: pd.DataFrame, net: Layout) -> Charts:
    """The largest firms one by one."""
    nodes = top(pairs, net)
    edges = between(pairs, nodes)
    share = 100 * edges["units"].sum() / pairs["units"].sum()
    chart = Chart(
        "The largest firms", f"up to {MAX_TOP} of each role and item", "edges: units contracted", _draw(edges, nodes)
    )
    note = f"Contracts among these {len(nodes.names)} firms are {share:.2g} % of all units contracted."
    return Charts((chart,), note, is_wide=True, by_arm=False)


def _places(nodes: Nodes) -> tuple[dict[int, tuple[float, float]], int]:
    """Where nodes stand, px: a column a role that is there; sellers of one item stand together."""
    columns = [role for role in range(len(ROLES)) if (nodes.role == role).any()]
    tallest = max(int((nodes.role == role).sum()) for role in columns)
    height = TOP + max(5, min(tallest, 24)) * ROW
    at = {}
    for i, role in enumerate(columns):
        mine = sorted(np.flatnonzero(nodes.role == role).tolist(), key=lambda node: (nodes.sells[node], node))
        x = WIDE * (0.18 + 0.64 * (i / max(1, len(columns) - 1) if len(columns) > 1 else 0.5))
        for j, node in enumerate(mine):
            at[node] = (x, TOP + (height - TOP) * (j + 0.5) / len(mine))
    return at, height


def _draw(edges: pd.DataFrame, nodes: Nodes) -> Markup:
    at, height = _places(nodes)
    drawing = Drawing(WIDE, height, "who contracted with whom, from suppliers at the left to distributors at the right")
    most = max(edges["units"].tolist(), default=1.0)
    for edge in reversed(list(edges.head(MAX_EDGES).itertuples())):
        width = max(0.4, WIDEST * edge.units / most)
        drawing.curve(at[edge.start], at[edge.end], series_color(edge.item), width)
    _discs(drawing, edges, nodes, at)
    for role in sorted({int(role) for role in nodes.role}):
        x = next(at[node][0] for node in at if nodes.role[node] == role)
        drawing.text(x, 14, f"{label(ROLES[role])}s", "middle", QUIET, is_bold=True)
    return drawing.svg()


def _discs(drawing: Drawing, edges: pd.DataFrame, nodes: Nodes, at: dict[int, tuple[float, float]]) -> None:
    units = edges["units"].to_numpy()
    num = len(nodes.names)
    flow = np.bincount(edges["start"], units, num) + np.bincount(edges["end"], units, num)
    for node, (x, y) in at.items():
        radius = 3 + 6 * (flow[node] / max(flow.max(), 1.0)) ** 0.5
        name = short(nodes.names[node].replace("_", " "), 26)
        drawing.dot(x, y, radius, INK, about=f"{name}: {compact(flow[node])} units")
        role = int(nodes.role[node])
        if role == 0:
            drawing.text(x - radius - 6, y, name, "end", INK)
        elif role == len(ROLES) - 1:
            drawing.text(x + radius + 6, y, name, "start", INK)
        else:
            drawing.text(x, y - radius - 9, name, "middle", INK)


def _legend(pairs: pd.DataFrame, net: Layout) -> Grid:
    """Items in their colours, with what was contracted of each."""
    totals = pairs.groupby("item")["units"].sum()
    rows = tuple(
        (Cell(net.items[item], f"swatch s{item % 8 + 1}"), Cell(compact(units), "number", value=float(units)))
        for item, units in totals.items()
    )
    return Grid(heads("item", "units contracted", numbers="units contracted"), rows)


def _largest(pairs: pd.DataFrame, net: Layout) -> Grid:
    """Single firms that traded most."""
    rows = tuple(
        (
            Cell(net.names[pair.seller]),
            Cell(net.names[pair.buyer]),
            Cell(net.items[pair.item], f"swatch s{pair.item % 8 + 1}"),
            Cell(f"{pair.contracts:,}", "number"),
            Cell(number(pair.units), "number", value=float(pair.units)),
            Cell(number(pair.value), "number", value=float(pair.value)),
            Cell(number(pair.value / pair.units), "number", value=float(pair.value / pair.units)),
        )
        for pair in pairs.head(MAX_PAIRS).itertuples()
    )
    names = ("seller", "buyer", "item", "contracts", "units", "value, EUR", "EUR/unit")
    left = len(pairs) - len(rows)
    note = f"{left:,} more relations are in events/contracts." if left else ""
    fold = f"The {len(rows)} largest relations" if left else f"All {len(rows)} relations"
    return Grid(heads(*names, numbers=",".join(names[3:])), rows, note, fold)
