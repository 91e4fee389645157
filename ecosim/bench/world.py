"""The market without models: how fast the world itself is, on one core, with negotiation, digests and metrics."""

from __future__ import annotations

import time
from typing import Any

from ecosim import simulate
from ecosim.record.store import Memory
from ecosim.simulate import Arm, Manner


def run(replicas: int = 1000, steps: int = 52) -> dict[str, Any]:
    """Run `smart_manufacturing` scripted, all replicas side by side, events chained into digests but not kept.

    Returns:
        `firm_weeks_per_s` (the claim), talks and rounds (so that the claim says how much was negotiated), and wall
        seconds by part.
    """
    facts = simulate.load_scenario("smart_manufacturing").with_changes(seeds=replicas, steps=steps)
    manner = Manner(keep_events=False)
    simulate.simulate(facts.with_changes(seeds=2, steps=2), [Arm(name="warm")], Memory(), manner)
    start = time.perf_counter()
    done = simulate.simulate(facts, [Arm(name="all")], Memory(), manner)
    wall_s = time.perf_counter() - start
    num_firms = done.world.tables["firms"].num_rows // replicas
    talks = sum(column.sum() for (name, _), column in done.series.items() if name == "talks")
    rounds = sum(column.sum() for (name, _), column in done.series.items() if name == "rounds")
    firm_weeks = num_firms * replicas * steps
    return {
        "firms": num_firms,
        "weeks": steps,
        "replicas": replicas,
        "wall_s": wall_s,
        "firm_weeks_per_s": firm_weeks / wall_s,
        "talks_per_firm_week": talks / firm_weeks,
        "rounds_per_talk": rounds / talks,
        "decisions_per_s": sum(w["decisions"] for w in done.manifest["work_by_grade"].values()) / wall_s,
        "seconds_by_part": {name: round(s, 2) for name, s in done.manifest["seconds_by_part"].items()},
    }
