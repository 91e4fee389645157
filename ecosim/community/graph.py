"""The social graph of viewers: made before day 1, kept as columns, the same for the whole run.

The table `ties` has a row for each way along a tie, so who is tied to a viewer are neighbouring rows. Ties never lead
from one replica to another; each replica has a graph of its own, drawn from its world seed, unless it is the user's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx
import numpy as np

from ecosim.adder import Adder
from ecosim.community import edges
from ecosim.community.chapter import Chapter
from ecosim.community.facts.graph import Graph
from ecosim.community.scenario import CommunityScenario
from ecosim.community.spread import NODES, SCHEMAS, Spread, no_nodes
from ecosim.community.state import Layout
from ecosim.fields import Array
from ecosim.levers import Lever
from ecosim.meanings import Meaning, State
from ecosim.rules import networks
from ecosim.side import Events, Figure, Series
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World


def ties(world: World) -> tuple[Array, Array]:
    """Who gets what each viewer shares, as compressed rows: (start, friend), both in rows of the table `viewers`.

    Viewer in row i is tied to `friend[start[i]:start[i + 1]]`, in ascending order; start is int64 (viewers + 1,),
    friend int64 (ties,).
    """
    table, viewers = world.tables["ties"], world.tables["viewers"]
    start = np.append(0, np.cumsum(viewers["num_ties"]))
    return start, table["replica"].astype(np.int64) * (viewers.num_rows // world.num_replicas) + table["friend"]


def network(world: World, replica: int = 0) -> nx.Graph[int]:
    """The graph of a replica for networkx: viewers by number; of directed ties, arcs from sharer to friend."""
    scenario = world.scenario
    assert isinstance(scenario, CommunityScenario) and scenario.graph is not None
    graph: nx.Graph[int] = nx.DiGraph() if scenario.graph.is_directed else nx.Graph()
    graph.add_nodes_from(range(scenario.viewers.count))
    table = world.tables["ties"]
    mine = table.take(table["replica"] == replica)
    graph.add_edges_from(zip(mine["viewer"].tolist(), mine["friend"].tolist(), strict=True))
    return graph


def is_in(scenario: CommunityScenario) -> bool:
    """Whether viewers have a social graph."""
    return scenario.graph is not None


def build(scenario: CommunityScenario, net: Layout, replicas: Table, tables: dict[str, Table]) -> None:
    """Add the ties, and to viewers how many each has and its chance of sharing.

    Draws:
        From the world's seed: the graph (`rules.networks`).
    """
    facts, viewers = _facts(scenario), tables["viewers"]
    own = edges.edges(scenario) if facts.kind == "file" else None
    parts = [_ties(facts, net.num_viewers, replicas["world_seed"][[i]], own) for i in range(replicas.num_rows)]
    sizes = [len(part) for part in parts]
    both = np.concatenate(parts)
    tables["ties"] = Table(
        {
            "replica": np.repeat(replicas["replica"], sizes),
            "viewer": both[:, 0].astype(np.int32),
            "friend": both[:, 1].astype(np.int32),
        }
    )
    rows = net.viewer_row(tables["ties"]["replica"], both[:, 0])
    viewers["num_ties"] = np.bincount(rows, minlength=viewers.num_rows)
    viewers["share_chance"] = np.full(viewers.num_rows, facts.share_chance)
    tables["cascade_nodes"] = no_nodes()


def _facts(scenario: CommunityScenario) -> Graph:
    assert scenario.graph is not None
    return scenario.graph


def _ties(facts: Graph, num_viewers: int, seed: Array, own: Array | None) -> Array:
    """The ties of a replica, sorted, int64 (ties, 2)."""
    if facts.kind == "file":
        assert own is not None
        found = own
    elif facts.kind == "barabasi_albert":
        found = networks.barabasi_albert(num_viewers, facts.links, seed)
    elif facts.kind == "small_world":
        found = networks.small_world(num_viewers, facts.neighbours, facts.rewired, seed)
    elif facts.kind == "configuration":
        degrees = networks.power_law_degrees(num_viewers, facts.power, facts.least_ties, facts.most_ties, seed)
        found = networks.configuration(degrees, seed)
    else:
        found = np.zeros((0, 2), np.int64)
    if not facts.is_directed:
        found = networks.both_ways(found)
    return found[np.lexsort((found[:, 1], found[:, 0]))]


STATES = {
    "ties": State(
        "a way along a tie between two viewers",
        {
            "replica": Meaning("id", "where it is"),
            "viewer": Meaning("id", "who shares"),
            "friend": Meaning("id", "who gets what is shared"),
        },
    ),
    "cascade_nodes": NODES,
    "viewers": State(
        "",
        {
            "num_ties": Meaning("viewers", "who get what it shares"),
            "share_chance": Meaning("", "the chance that it shares a post that it has seen"),
        },
    ),
}

METRICS = {
    "cascade_shares": Figure("shares", "posts shared today, off the feed or after they came by ties"),
    "social_views": Figure("views", "views of posts that came by ties today"),
    "cascade_size": Figure("", "mean size of the cascades that grew today: the creator and all who have shared"),
    "largest_cascade": Figure("", "size of the largest of them"),
    "virality": Figure("", "their mean structural virality: the mean distance between two who shared"),
}
KPIS = {
    "shares_per_view": Figure("shares/view", "posts shared over posts watched, of the whole run"),
    "social_view_share": Figure("share", "of all views, those of posts that came by ties"),
    "largest_cascade": Figure("", "size of the largest cascade"),
    "virality": Figure("", "structural virality of growing cascades, mean over the days that had some"),
}


def measure(world: World, events: Events, add: Adder) -> None:
    """What was shared today; means are nan where no cascade grew."""
    grown = events.get("cascades")
    if grown is None:
        return
    count = np.bincount(grown["replica"], minlength=world.num_replicas)
    add("cascade_shares", grown, grown["shares"])
    add("social_views", grown, grown["views"])
    largest = np.zeros(world.num_replicas)
    np.maximum.at(largest, grown["replica"], grown["size"])
    add.figures["largest_cascade", ""] = largest
    with np.errstate(invalid="ignore"):
        for name, column in (("cascade_size", "size"), ("virality", "virality")):
            add(name, grown, grown[column])
            add.figures[name, ""] = add.figures[name, ""] / count


def conclude(world: World, series: Series, add: Adder) -> None:
    """Totals of the run."""
    views = np.maximum(series["views", ""].sum(axis=0), 1)
    virality = series["virality", ""]
    days = (~np.isnan(virality)).sum(axis=0)
    add.figures["shares_per_view", ""] = series["cascade_shares", ""].sum(axis=0) / views
    add.figures["social_view_share", ""] = series["social_views", ""].sum(axis=0) / views
    add.figures["largest_cascade", ""] = series["largest_cascade", ""].max(axis=0)
    with np.errstate(invalid="ignore"):
        add.figures["virality", ""] = np.nansum(virality, axis=0) / days


def levers(scenario: CommunityScenario, net: Layout) -> list[Lever]:
    """What interventions may change: how readily viewers share."""
    about = "the chance that it shares a post that it has seen"
    return [Lever(table="viewers", name="share_chance", unit="", about=about, high=1.0)]


def num_bytes(scenario: CommunityScenario) -> dict[str, int]:
    """Bytes of the ties of a replica, at 16 a way."""
    facts = _facts(scenario)
    a_viewer = {"barabasi_albert": 2 * facts.links, "small_world": facts.neighbours, "configuration": facts.least_ties}
    return {"viewers.count (× ties of graph)": 16 * scenario.viewers.count * a_viewer.get(facts.kind, 1)}


CHAPTER = Chapter(
    is_in=is_in,
    phases={"spread": Spread},
    schemas=SCHEMAS,
    states=STATES,
    build=build,
    metrics=METRICS,
    kpis=KPIS,
    measure=measure,
    conclude=conclude,
    levers=levers,
    num_bytes=num_bytes,
)
