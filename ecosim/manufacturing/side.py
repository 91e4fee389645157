"""The manufacturing side as the assembly sees it: all its chapters in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim.adder import Adder
from ecosim.chapter import join
from ecosim.levers import Panel, Place
from ecosim.manufacturing import (
    adoption,
    aftermath,
    board,
    breach,
    companies,
    concentration,
    demand_kinds,
    effectiveness,
    entry,
    exogenous,
    finance,
    forecasters,
    menu,
    network,
    perish,
    readers,
    resilience,
    service,
    speech,
    spot,
    table,
    transport,
    week,
    welfare,
)
from ecosim.manufacturing.scenario import NEEDS, ManufacturingScenario
from ecosim.manufacturing.state import ROLES, books, build, layout
from ecosim.side import Brought, Events, Figures, Phase, Series, Side
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

CHAPTERS = (
    week.CHAPTER,
    service.CHAPTER,
    speech.CHAPTER,
    aftermath.CHAPTER,
    network.CHAPTER,
    companies.CHAPTER,
    finance.CHAPTER,
    entry.CHAPTER,
    effectiveness.CHAPTER,
    resilience.CHAPTER,
    board.CHAPTER,
    forecasters.CHAPTER,
    table.CHAPTER,
    readers.CHAPTER,
    transport.CHAPTER,
    welfare.CHAPTER,
    demand_kinds.CHAPTER,
    concentration.CHAPTER,
    adoption.CHAPTER,
    exogenous.CHAPTER,
    breach.CHAPTER,
    spot.CHAPTER,
    perish.CHAPTER,
)
ALL = join(CHAPTERS)


def phases(scenario: ManufacturingScenario) -> list[Phase]:
    """The phases of a week, in the order of the scenario."""
    net = layout(scenario)
    return [ALL.phases[name](scenario, net) for name in scenario.phases]


def names(scenario: ManufacturingScenario) -> dict[str, tuple[str, ...]]:
    """Firms, items, shocks and places by number."""
    net = layout(scenario)
    return {
        "member": net.names,
        "item": net.items,
        "shock": tuple(shock.name for shock in scenario.shocks or []),
        **({} if net.roads is None else {"place": net.roads.names}),
    }


def tables(scenario: ManufacturingScenario, replicas: Table) -> dict[str, Table]:
    """All tables as they stand before week 1: those of the network, then what each chapter adds."""
    found = build(scenario, replicas)
    none = np.zeros(0, np.int64)
    found |= {home: Table({"replica": none, "member": none}) for home in ALL.populations.values()}
    ALL.build(scenario, layout(scenario), replicas, found)
    return found


def measure(world: World, events: Events) -> Figures:
    """The metrics of a week."""
    add = Adder(world.num_replicas, {})
    ALL.measure(world, events, add)
    return add.figures


def conclude(world: World, series: Series) -> Figures:
    """The KPIs of whole runs."""
    add = Adder(world.num_replicas, {})
    ALL.conclude(world, series, add)
    return add.figures


def brought(scenario: ManufacturingScenario) -> Brought:
    """Events and figures of the chapters that a scenario has; of two figures of one name, that of its own chapter."""
    own = join([chapter for chapter in CHAPTERS if chapter.is_in(scenario)])
    return Brought(schemas=own.schemas, metrics=own.metrics, kpis=own.kpis)


def panel(scenario: ManufacturingScenario) -> Panel:
    """The levers; firms are named by number, name or role, lanes by the places at their ends."""
    net = layout(scenario)
    firms = {"member": Place(np.arange(net.num_members), net.names), "role": Place(net.role, ROLES)}
    found = tuple(ALL.levers(scenario, net))
    places = {lever.table: firms for lever in found}
    if net.roads is not None:
        places["lanes"] = {
            "origin": Place(net.roads.origin, net.roads.names),
            "destination": Place(net.roads.destination, net.roads.names),
        }
    for role, home in ALL.populations.items():  # one a replica, where the scenario has the key of its name
        rows = np.zeros(int(getattr(scenario, role) is not None), np.int64)
        places[home] = {"member": Place(rows, (role,)), "role": Place(rows, (role,))}
    return Panel(found, places)


SIDE = Side(
    name="manufacturing",
    step_name="week",
    kind=ManufacturingScenario,
    members="firms",
    roles={role: tuple(ALL.asks.get(role, ())) for role in (*ROLES, *ALL.populations)},
    experts=ALL.experts,
    books=books,
    phases=phases,
    schemas=ALL.schemas,
    build=tables,
    metrics=ALL.metrics,
    kpis=ALL.kpis,
    measure=measure,
    conclude=conclude,
    num_bytes=ALL.num_bytes,
    populations=ALL.populations,
    panel=panel,
    tables=ALL.states,
    member_roles=lambda scenario: layout(scenario).role,
    names=names,
    phase_names=lambda scenario: scenario.phases,
    needs=NEEDS,
    menu=menu.menu,
    brought=brought,
)
