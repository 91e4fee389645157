"""The manufacturing side as the assembly sees it: all its chapters in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim.levers import Panel, Place
from ecosim.manufacturing import adoption, companies, concentration, entry, finance, menu, week
from ecosim.manufacturing.adder import Adder
from ecosim.manufacturing.chapter import join
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import ROLES, books, build, layout
from ecosim.side import Events, Figures, Phase, Series, Side
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

ALL = join([week.CHAPTER, concentration.CHAPTER, companies.CHAPTER, finance.CHAPTER, entry.CHAPTER, adoption.CHAPTER])


def phases(scenario: ManufacturingScenario) -> list[Phase]:
    """The phases of a week, in the order of the scenario."""
    net = layout(scenario)
    return [ALL.phases[name](scenario, net) for name in scenario.phases]


def names(scenario: ManufacturingScenario) -> dict[str, tuple[str, ...]]:
    """Firms and items by number."""
    net = layout(scenario)
    return {"member": net.names, "item": net.items}


def tables(scenario: ManufacturingScenario, replicas: Table) -> dict[str, Table]:
    """All tables as they stand before week 1: those of the network, then what each chapter adds."""
    found = build(scenario, replicas)
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


def panel(scenario: ManufacturingScenario) -> Panel:
    """The levers; firms are named by number, name or role."""
    net = layout(scenario)
    firms = {"member": Place(np.arange(net.num_members), net.names), "role": Place(net.role, ROLES)}
    found = tuple(ALL.levers(scenario, net))
    return Panel(found, {lever.table: firms for lever in found})


SIDE = Side(
    name="manufacturing",
    step_name="week",
    kind=ManufacturingScenario,
    members="firms",
    roles={role: tuple(ALL.asks.get(role, ())) for role in ROLES},
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
    panel=panel,
    tables=ALL.states,
    member_roles=lambda scenario: layout(scenario).role,
    names=names,
    menu=menu.menu,
)
