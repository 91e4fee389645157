"""The market without models: how fast the world itself is on one core, with negotiation, digests and figures.

Beside it stand the figures of neighbours, as they were measured elsewhere: they are not run here.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from typing import Any

from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.record.store import Memory
from ecosim.scenario import Scenario
from ecosim.simulate import Arm, Manner, load_scenario, simulate

PLAIN, FULL = "smart_manufacturing", "open_market_entry"
"""The market alone, and with all that an open market has: entry, credit, contracts that break, a bulletin board."""
NEIGHBOURS = {"scml_firm_days_per_s": [33, 92], "stockpyl_node_periods_per_s": 3_000}
"""On one core, by their own schedulers; from the project's survey of its neighbours."""
BYTES_PER_KIB = 1024


def run() -> dict[str, Any]:
    """Firm-weeks a second: many replicas of few firms, one of many, and what a big run takes with all events kept.

    Returns:
        By scenario and size: `firm_weeks_per_s`, talks and rounds (so that the claim says how much was negotiated) and
        seconds by part; `linear` is the ratio of both rates of one replica (1: cost is linear in firms).
    """
    many = pace(PLAIN, firms=20, replicas=1_000, steps=52)
    sizes = {name: {n: pace(name, firms=n, replicas=1, steps=50) for n in (100, 1_000)} for name in (PLAIN, FULL)}
    return {
        "replicas_of_20_firms": many,
        **{f"{name}_{n}_firms": figures for name, by_size in sizes.items() for n, figures in by_size.items()},
        "linear": {
            name: by_size[1_000]["firm_weeks_per_s"] / by_size[100]["firm_weeks_per_s"]
            for name, by_size in sizes.items()
        },
        "big_run": alone(firms=1_000, steps=100),
        "neighbours_as_published": NEIGHBOURS,
    }


def pace(name: str, firms: int, replicas: int, steps: int) -> dict[str, Any]:
    """How fast a scenario of the catalogue runs with about so many firms; events go into digests and are not kept."""
    facts = scaled(load_scenario(name), firms).with_changes(seeds=replicas, steps=steps)
    manner = Manner(keep_events=False)
    simulate(facts.with_changes(seeds=1, steps=2), [Arm(name="warm")], Memory(), manner)
    start = time.perf_counter()
    done = simulate(facts, [Arm(name="all")], Memory(), manner)
    wall_s = time.perf_counter() - start
    num_firms = done.world.tables["firms"].num_rows // replicas
    talks = sum(column.sum() for (figure, _), column in done.series.items() if figure == "talks")
    rounds = sum(column.sum() for (figure, _), column in done.series.items() if figure == "rounds")
    firm_weeks = num_firms * replicas * steps
    return {
        "firms": num_firms,
        "weeks": steps,
        "replicas": replicas,
        "wall_s": wall_s,
        "firm_weeks_per_s": firm_weeks / wall_s,
        "talks_per_firm_week": float(talks / firm_weeks),
        "rounds_per_talk": float(rounds / talks),
        "seconds_by_part": {part: round(s, 2) for part, s in done.manifest["seconds_by_part"].items()},
    }


def scaled(scenario: Scenario, firms: int) -> ManufacturingScenario:
    """The same market with about so many firms: the groups grow in proportion."""
    assert isinstance(scenario, ManufacturingScenario)
    factor = firms / sum(group.count for group in scenario.firms)
    groups = [
        {**group.model_dump(exclude_unset=True), "count": max(1, round(group.count * factor))}
        for group in scenario.firms
    ]
    return scenario.with_changes(firms=groups)


def alone(firms: int, steps: int) -> dict[str, Any]:
    """A run of the full market in a process of its own, all events kept in memory: seconds and peak memory."""
    done = subprocess.run(
        [sys.executable, "-m", "ecosim.bench.market", str(firms), str(steps)], check=True, stdout=subprocess.PIPE
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _big(firms: int, steps: int) -> dict[str, Any]:
    facts = scaled(load_scenario(FULL), firms).with_changes(seeds=1, steps=steps)
    start = time.perf_counter()
    simulate(facts, [Arm(name="all")], Memory())
    wall_s = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * BYTES_PER_KIB
    num_firms = sum(group.count for group in facts.firms)
    return {"firms": num_firms, "weeks": steps, "wall_s": wall_s, "peak_gb": peak / 1e9}


if __name__ == "__main__":
    print(json.dumps(_big(*map(int, sys.argv[1:]))))
