"""Supply networks as graphs: a scenario's firms and bills of materials for networkx, and a graph of yours as one.

Arcs point the way that goods go: from seller to buyer, from part to whole.

A graph that becomes a scenario (`scenario`) may carry:

- on nodes, which are firms by name: any key of a group of firms (`role`, `sells`, `capacity_units`, `stock_units`,
  `line`, …). Left out, a firm sells `"goods"`, sells to consumers if nobody buys from it, and is a supplier if it buys
  nothing, a distributor if it buys what it sells, and else a manufacturer;
- on arcs: `item` (left out, what the seller sells), `units` of it in one unit of what the buyer makes (left out, 1),
  and `lead_time_weeks` and `order_weeks`, which are the buyer's and so the same on all arcs into it;
- on the graph: `items`, the facts of each item by name (`nx.DiGraph(items={"bike": {"holding_cost_eur": 2.0}})`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import networkx as nx

from ecosim.errors import ScenarioError
from ecosim.faults import did_you_mean
from ecosim.manufacturing import wiring
from ecosim.manufacturing.facts.firms import Firms
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.scenario import build

Topology = Literal["serial", "assembly", "distribution", "general"]
Graph = nx.DiGraph  # generic in the stubs alone

WEEK = ("arrive", "demand", "replenish", "order", "produce", "ship", "charge")
"""The week of a network whose partners are fixed: an order leaves in the week in which it was decided."""
GOODS = "goods"
"""What firms sell that say nothing else."""
_ARC_KEYS = ("item", "units", "lead_time_weeks", "order_weeks")
_OF_BUYER = ("lead_time_weeks", "order_weeks")


def network(scenario: ManufacturingScenario) -> Graph[str]:
    """The firms, and who may buy what from whom.

    With fixed partners (`order`) an arc is a partner; in an open market it is any seller of what the buyer needs.

    Returns:
        Nodes by name with `member` (number), `role`, `sells` and `to_consumers`; arcs with `items`, a tuple.
    """
    graph: Graph[str] = nx.DiGraph()
    every = wiring.firm_names(scenario)
    for member, (name, firms) in enumerate(every):
        graph.add_node(
            name, member=member, role=firms.role, sells=firms.sells, to_consumers=firms.demand == "consumers"
        )
    number = wiring.numbers(scenario)
    is_fixed = "order" in scenario.phases
    makers = {
        item: [name for name, f in every if f.sells == item and f.role != "distributor"] for item in scenario.items
    }
    for name, firms in every:
        for item in wiring.needs(scenario, firms):
            partner = wiring.partner_name(firms, item) if is_fixed else None
            sellers = [every[number[partner]][0]] if partner in number else [] if is_fixed else makers[item]
            for seller in sellers:
                items = graph.edges[seller, name]["items"] if graph.has_edge(seller, name) else ()
                graph.add_edge(seller, name, items=(*items, item))
    return graph


def bill_of_materials(scenario: ManufacturingScenario) -> Graph[str]:
    """The items; an arc from part to whole with `units` of the part in one unit of the whole."""
    graph: Graph[str] = nx.DiGraph()
    graph.add_nodes_from(scenario.items)
    for whole, item in scenario.items.items():
        graph.add_edges_from((part, whole, {"units": units}) for part, units in item.bom.items())
    return graph


def topology(graph: Graph[str]) -> Topology:
    """What kind of network it is: a chain, a tree into one firm, a tree out of one firm, or anything else.

    Raises:
        ValueError: goods would go round in a ring.

    >>> topology(nx.DiGraph([("mill", "shop")])), topology(nx.DiGraph([("a", "c"), ("b", "c")]))
    ('serial', 'assembly')
    """
    if ring := _ring(graph):
        raise ValueError(f"the graph has a ring: {' → '.join(ring)}")
    one_source = all(degree <= 1 for _, degree in graph.in_degree())
    one_target = all(degree <= 1 for _, degree in graph.out_degree())
    if not nx.is_weakly_connected(graph):
        return "general"
    if one_source and one_target:
        return "serial"
    return "assembly" if one_target else "distribution" if one_source else "general"


def scenario(graph: Graph[str], **keys: Any) -> ManufacturingScenario:
    """A graph as a scenario with fixed partners; `keys` are further keys, such as title, steps and demand.

    Raises:
        ScenarioError: anything that is wrong with the graph, or with the scenario that it would be.
    """
    return build(ManufacturingScenario, scenario_data(graph, **keys), place="graph")


def scenario_data(graph: Graph[str], **keys: Any) -> dict[str, Any]:
    """The same as plain data, to be changed or written to a file.

    Raises:
        ScenarioError: a ring, or attributes that are unknown or contradict each other; one line a fault.
    """
    faults = _faults(graph)
    if faults:
        raise ScenarioError([f"graph: {fault}" for fault in faults])
    sells = {name: data.get("sells", GOODS) for name, data in graph.nodes(data=True)}
    items: dict[str, dict[str, Any]] = {item: {} for item in sells.values()}
    items |= {item: dict(facts) for item, facts in graph.graph.get("items", {}).items()}
    firms = [_firm(graph, name, sells) for name in graph.nodes]
    for firm in firms:
        if firm["role"] == "manufacturer":
            bought = {_item(graph, seller, firm["name"]): graph.edges[seller, firm["name"]].get("units", 1)
                      for seller in graph.predecessors(firm["name"])}  # fmt: skip
            items[firm["sells"]].setdefault("bom", {}).update(bought)
    return {
        "world": "manufacturing",
        "title": "a network",
        "items": items,
        "firms": firms,
        "phases": list(WEEK),
        **keys,
    }


def _firm(graph: Graph[str], name: str, sells: Mapping[str, str]) -> dict[str, Any]:
    """A node as a group of one firm."""
    partners = {_item(graph, seller, name): seller for seller in graph.predecessors(name)}
    role = "supplier" if not partners else "distributor" if set(partners) == {sells[name]} else "manufacturer"
    last = {"demand": "consumers"} if graph.out_degree(name) == 0 else {}
    buying = {"partners": partners} if partners else {}
    for key in _OF_BUYER:
        told = {data[key] for _, _, data in graph.in_edges(name, data=True) if key in data}
        buying |= {key: told.pop()} if told else {}
    return {"name": name, "role": role, "sells": sells[name], **last, **buying, **graph.nodes[name]}


def _item(graph: Graph[str], seller: str, buyer: str) -> str:
    """What goes along an arc."""
    return str(graph.edges[seller, buyer].get("item", graph.nodes[seller].get("sells", GOODS)))


def _ring(graph: Graph[str]) -> list[str]:
    """The nodes of one ring, the first at the end again; empty where there is none."""
    try:
        arcs = nx.find_cycle(graph)
    except nx.NetworkXNoCycle:
        return []
    return [arcs[0][0], *(arc[1] for arc in arcs)]


def _faults(graph: Graph[str]) -> list[str]:
    found = [f"node {name!r}: a firm's name is a text" for name in graph.nodes if not isinstance(name, str)]
    if found:
        return found
    if ring := _ring(graph):
        found.append(f"a ring of firms ({' → '.join(ring)}): goods would come from nowhere; take an arc out")
    known = [key for key in Firms.model_fields if key not in ("name", "count", "partner", "partners")]
    for name, data in graph.nodes(data=True):
        found += [
            f"node {name!r}: unknown attribute {key!r}{did_you_mean(key, known)}" for key in data if key not in known
        ]
        for key in _OF_BUYER:
            told = sorted({d[key] for _, _, d in graph.in_edges(name, data=True) if key in d})
            if len(told) > 1:
                found.append(
                    f"node {name!r}: arcs into it have {key} {' and '.join(map(str, told))}; it is the buyer's"
                )
        items = [_item(graph, seller, name) for seller in graph.predecessors(name)]
        twice = {item for item in items if items.count(item) > 1}
        found += [f"node {name!r}: buys {item!r} from two firms; leave one arc" for item in sorted(twice)]
    for seller, buyer, data in graph.edges(data=True):
        place = f"arc {seller!r} → {buyer!r}"
        found += [f"{place}: unknown attribute {k!r}{did_you_mean(k, _ARC_KEYS)}" for k in data if k not in _ARC_KEYS]
        sells = graph.nodes[seller].get("sells", GOODS)
        if data.get("item", sells) != sells:
            found.append(f"{place}: carries {data['item']!r}, but {seller!r} sells {sells!r}")
    return found + _ratio_faults(graph)


def _ratio_faults(graph: Graph[str]) -> list[str]:
    """Two makers of one item that would need different parts."""
    found: list[str] = []
    recipe: dict[tuple[str, str], tuple[int, str]] = {}
    for seller, buyer, data in graph.edges(data=True):
        part, whole, units = _item(graph, seller, buyer), graph.nodes[buyer].get("sells", GOODS), data.get("units", 1)
        if part == whole:
            continue
        first, who = recipe.setdefault((part, whole), (units, buyer))
        if first != units:
            found.append(f"{who!r} and {buyer!r} need {first} and {units} units of {part!r} for one {whole!r}")
    return found
