"""The chapter of transport: lanes and vehicles, docks, who dispatches, and what moving goods costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim.adder import Adder
from ecosim.exact import MILLION
from ecosim.levers import Lever
from ecosim.manufacturing.chapter import Chapter
from ecosim.manufacturing.dispatch import EXPERTS, Dispatch
from ecosim.manufacturing.docks import DOCKS, MODES, empty_docks
from ecosim.manufacturing.haulage import lanes_table
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import ROLES, Layout
from ecosim.meanings import Meaning, State
from ecosim.side import Column, Events, Figure, Schema, Series
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

SELLER = Column("seller", "i8", "id", "who ships, and pays", of="member")
BUYER = Column("buyer", "i8", "id", "for whom", of="member")

SCHEMAS = {
    "dispatches": Schema(
        "loads that were ready at the docks, and what became of them",
        3,
        (
            SELLER,
            BUYER,
            Column("item", "i8", "id", "which item", of="item"),
            Column("mode", "i8", "", ", ".join(f"{i} {name}" for i, name in enumerate(MODES)), MODES),
            Column("ready", "i8", "units/1e6", "the load"),
            Column("sent", "i8", "units/1e6", "of it, what left"),
            Column("cost", "i8", "EUR/1e6", "of moving it; of a round, this customer's share"),
            Column("space", "i8", "units/1e6", "what its shipments, or its share of a vehicle, would have held"),
            Column("arrive_week", "i8", "week", "when it will arrive; −1 if nothing left"),
        ),
        is_rare=True,
    ),
    "routes": Schema(
        "rounds of vehicles, stop by stop; the last stop is the way back",
        3,
        (
            SELLER,
            Column("vehicle", "i8", "", "of the seller's fleet, from 0"),
            Column("stop", "i8", "", "from 0"),
            Column("buyer", "i8", "id", "who is served; the seller itself at the end", of="member"),
            Column("metres", "i8", "m", "driven since the start of the round"),
            Column("load", "i8", "units/1e6", "handed over"),
        ),
        is_rare=True,
    ),
    "delays": Schema(
        "lanes on which whatever left this week comes late",
        2,
        (
            Column("origin", "i8", "", "place, in the order of the scenario", of="place"),
            Column("destination", "i8", "", "place, in the order of the scenario", of="place"),
            Column("weeks", "i8", "weeks", "by how much"),
        ),
        is_exogenous=True,
        is_rare=True,
    ),
}

LANES = State(
    "a lane between two places",
    {
        "replica": Meaning("id", "where it is"),
        "lane": Meaning("id", "its number: those of the file, then those of vehicles"),
        "origin": Meaning("id", "the place where goods leave, in the order of the scenario"),
        "destination": Meaning("id", "the place where they arrive"),
        "capacity": Meaning("units/1e6", "what it can carry a week, of vehicles each firm's fleet; 0: it is closed"),
    },
)

METRICS = {
    "transport_cost_eur": Figure("EUR", "paid for moving goods this week, by the role of who ships", "lower"),
    "carried_units": Figure("units", "goods that left their docks this week"),
    "carried_where_limited_units": Figure("units", "of these, what went by vehicles, or in shipments of limited size"),
    "space_units": Figure("units", "what those vehicles and shipments would have held"),
    "held_units": Figure("units", "goods that were ready for a customer this week and did not leave"),
}
KPIS = {
    "transport_cost_eur": Figure("EUR", "paid for moving goods, by the role of who ships", "lower"),
    "transport_eur_per_unit": Figure("EUR/unit", "cost of moving goods ÷ units moved", "lower"),
    "load_factor": Figure(
        "", "units carried ÷ what the vehicles, and the shipments of limited size, that left would have held", "higher"
    ),
    "held_units": Figure("units", "mean of what was ready in a week and did not leave", "lower"),
}


def build(scenario: ManufacturingScenario, net: Layout, replicas: Table, tables: dict[str, Table]) -> None:
    """Docks without loads, and open lanes."""
    assert net.roads is not None
    tables["docks"] = empty_docks()
    tables["lanes"] = lanes_table(net.roads, replicas.num_rows)


def measure(world: World, events: Events, add: Adder) -> None:
    """What left, what it cost, what stayed."""
    sent = events["dispatches"]
    role = world.tables["firms"]["role"][sent["seller"]]  # roles are the same in all replicas
    add.by(ROLES, role, "transport_cost_eur", sent, sent["cost"] / MILLION)
    add("carried_units", sent, sent["sent"] / MILLION)
    limited = np.where(sent["space"] > 0, sent["sent"], 0)
    add("carried_where_limited_units", sent, limited / MILLION)
    add("space_units", sent, sent["space"] / MILLION)
    add("held_units", sent, (sent["ready"] - sent["sent"]) / MILLION)


def conclude(world: World, series: Series, add: Adder) -> None:
    """Cost, cost a unit, and how full vehicles were."""
    figures = add.figures
    cost = {role: series["transport_cost_eur", role].sum(axis=0) for role in ROLES}
    for role, total in cost.items():
        figures["transport_cost_eur", role] = total
    with np.errstate(invalid="ignore", divide="ignore"):
        figures["transport_eur_per_unit", ""] = sum(cost.values()) / series["carried_units", ""].sum(axis=0)
        limited, space = (series[name, ""].sum(axis=0) for name in ("carried_where_limited_units", "space_units"))
        figures["load_factor", ""] = limited / space
    figures["held_units", ""] = series["held_units", ""].mean(axis=0)


def levers(scenario: ManufacturingScenario, net: Layout) -> list[Lever]:
    """What interventions may change: lanes may be closed, or carry more or less."""
    about = "what a lane can carry a week, of vehicles each firm's fleet; 0 closes it, for express too"
    return [
        Lever(table="lanes", name="capacity_units", column="capacity", unit="units/week", about=about,
              per_unit=MILLION, step=MILLION)
    ]  # fmt: skip


CHAPTER = Chapter(
    is_in=lambda scenario: scenario.transport is not None,
    phases={"dispatch": Dispatch},
    asks={role: ("dispatch",) for role in ROLES},
    experts={f"{role}.dispatch": EXPERTS for role in ROLES},
    schemas=SCHEMAS,
    states={"docks": DOCKS, "lanes": LANES},
    build=build,
    metrics=METRICS,
    kpis=KPIS,
    measure=measure,
    conclude=conclude,
    levers=levers,
)
