"""What machines come to: availability, performance, quality and OEE, MTBF and MTTR, from the events of each week.

Time is counted in machine-weeks. The planned busy time is all time but planned maintenance. A machine of a firm with n
machines makes capacity ÷ n a week at ideal speed, so what was made, in units of that, is the ideal time it took: sums
over items and firms have a meaning. Idle time, for want of orders, of materials or by an outage, is a loss of
performance: the six big losses count it so, and OEE of a plant without orders says little of its machines.

Source: ISO 22400-2; `ecosim.rules.reliability` has the formulas.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim.adder import Adder
from ecosim.exact import MILLION
from ecosim.fields import Array
from ecosim.manufacturing import equipment, maintenance
from ecosim.manufacturing.chapter import Chapter
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import ROLES, Layout, layout
from ecosim.rules import reliability
from ecosim.side import Events, Figure, Series
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

Put = Callable[[str, Table, Array], None]
"""Takes the values of a metric, a row each, and adds them up by role and in all."""

METRICS: Mapping[str, Figure] = {
    "planned_time": Figure("machine-weeks", "planned busy time: all machines, less planned maintenance"),
    "repair_time": Figure("machine-weeks", "time in which machines stood still for repair", "lower"),
    "maintenance_time": Figure("machine-weeks", "time in which machines stood still for planned maintenance", "lower"),
    "ideal_time": Figure("machine-weeks", "what was made, good or not, in machine-weeks at ideal speed"),
    "good_time": Figure("machine-weeks", "what was good of it, in machine-weeks at ideal speed", "higher"),
    "failures": Figure("", "machines that failed", "lower"),
    "maintenances": Figure("", "planned maintenances that began"),
    "inspections": Figure("", "machines that were inspected"),
    "upkeep_eur": Figure("EUR", "cost of repairs, maintenance and inspections", "lower"),
}
KPIS: Mapping[str, Figure] = {
    "availability": Figure("", "(planned busy time − repair time) ÷ planned busy time (ISO 22400-2)", "higher"),
    "performance": Figure("", "ideal time of what was made ÷ running time; idle and slow time is lost", "higher"),
    "quality": Figure("", "good output ÷ output", "higher"),
    "oee": Figure("", "availability × performance × quality, of all machines of a role or of the whole", "higher"),
    "uptime": Figure("", "share of all time in which machines could run, planned maintenance not", "higher"),
    "mtbf_weeks": Figure("weeks", "running time a failure; nan without failures", "higher"),
    "mttr_weeks": Figure("weeks", "repair time a failure; nan without failures", "lower"),
    "failures": Figure("", "machines that failed in the whole run", "lower"),
    "upkeep_eur": Figure("EUR", "cost of repairs, maintenance and inspections in the whole run", "lower"),
}


def measure(world: World, events: Events, add: Adder) -> None:
    """Times, output and counts of a week, by role and in all."""
    scenario = cast(ManufacturingScenario, world.scenario)
    facts, net = scenario.equipment, layout(scenario)
    assert facts is not None

    def put(name: str, table: Table, values: Array) -> None:
        add.by(ROLES, net.role[table["member"]], name, table, values)
        add(name, table, values)

    machines, acts = events["machines"], events["maintenance"]
    both = _stacked(machines, acts)
    stopped = np.concatenate([machines["maintenance"], acts["stop"]]) / MILLION
    week = np.concatenate([np.ones(machines.num_rows), np.zeros(acts.num_rows)])
    put("planned_time", both, week - stopped)
    put("maintenance_time", both, stopped)
    put("upkeep_eur", both, np.concatenate([machines["cost"], acts["cost"]]) / MILLION)
    put("repair_time", machines, machines["repair"] / MILLION)
    put("failures", machines, machines["failed"].astype(float))
    put("maintenances", acts, (acts["act"] == maintenance.NOW).astype(float))
    put("inspections", acts, (acts["act"] == maintenance.INSPECT).astype(float))
    has = np.isin(np.arange(net.num_members), equipment.owners(scenario, net))
    _put_output(world, net, events, has * facts.machines, put)


def _stacked(machines: Table, acts: Table) -> Table:
    return Table({name: np.concatenate([machines[name], acts[name]]) for name in ("replica", "member")})


def _put_output(world: World, net: Layout, events: Events, machines: Array, put: Put) -> None:
    """Output in machine-weeks at ideal speed: units ÷ (capacity ÷ machines)."""
    capacity = world.tables["firms"]["capacity"]

    def time(table: Table, column: str) -> Array:
        ideal = capacity[net.firm_row(table["replica"], table["member"])]
        return np.where(ideal > 0, table[column] / np.maximum(ideal, 1), 0.0) * machines[table["member"]]

    made, rejects = events["production"], events["rejects"]
    put("ideal_time", made, time(made, "made"))
    both = _stacked(made, rejects)
    put("good_time", both, np.concatenate([time(made, "made"), -time(rejects, "quantity")]))


def conclude(world: World, series: Series, add: Adder) -> None:
    """OEE and its parts over whole runs, of each role that has machines and of all."""
    scenario = cast(ManufacturingScenario, world.scenario)
    net = layout(scenario)
    roles = {ROLES[code] for code in net.role[equipment.owners(scenario, net)].tolist()}
    for group in ("", *sorted(roles)):
        total = {name: series[name, group].sum(axis=0) for name in METRICS if (name, group) in series}
        if not total:
            continue  # a run of no steps
        for name, value in figures(total).items():
            add.figures[name, group] = value


def figures(total: Mapping[str, Array]) -> dict[str, Array]:
    """The KPIs from sums of the metrics over a run."""
    planned, repair = total["planned_time"], total["repair_time"]
    running = planned - repair
    parts = (
        reliability.availability(planned, repair),
        reliability.performance(total["ideal_time"], running),
        reliability.quality(total["good_time"], total["ideal_time"]),
    )
    return {
        **dict(zip(("availability", "performance", "quality"), parts, strict=True)),
        "oee": reliability.oee(*parts),
        "uptime": running / (planned + total["maintenance_time"]),
        "mtbf_weeks": reliability.mean_time(running, total["failures"]),
        "mttr_weeks": reliability.mean_time(repair, total["failures"]),
        "failures": total["failures"],
        "upkeep_eur": total["upkeep_eur"],
    }


CHAPTER = Chapter(
    is_in=lambda scenario: scenario.equipment is not None,
    phases={"wear": equipment.Wear, "maintain": maintenance.Maintain},
    asks={"supplier": ("maintain",), "manufacturer": ("maintain",)},
    experts=maintenance.EXPERTS,
    schemas={**equipment.SCHEMAS, **maintenance.SCHEMAS},
    states=equipment.STATES,
    build=equipment.build,
    metrics=METRICS,
    kpis=KPIS,
    measure=measure,
    conclude=conclude,
    num_bytes=lambda scenario: {
        "equipment.machines (× firms)": 8
        * 18
        * (scenario.equipment.machines if scenario.equipment else 0)
        * sum(firms.count for firms in scenario.firms if firms.role != "distributor")
    },
)
