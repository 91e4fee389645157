"""How fast the creator community runs without models: the catalogue's scenario, everybody visits, nobody leaves."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from ecosim.record.store import Memory
from ecosim.simulate import Arm, load_scenario, simulate


def run(viewers: int = 10_000, steps: int = 100, seeds: int = 1) -> dict[str, Any]:
    """Seconds for so many viewers a replica, steps and replicas on this machine, events kept in memory.

    The feed is the catalogue's (two slots by content, two by popularity, one random), all minds are scripted.
    """
    changes = {
        "seeds": seeds,
        "steps": steps,
        "viewers.count": viewers,
        "viewers.at_start": viewers,
        "viewers.visit_chance": 1.0,
        "viewers.leave": -50.0,
        "viewers.leave_per_idle_day": 0.0,
    }
    scenario = load_scenario("creator_community", changes)
    start = perf_counter()
    finished = simulate(scenario, [Arm(name="scripted")], Memory())
    seconds = perf_counter() - start
    slates = sum(series.sum() for (name, _), series in finished.series.items() if name == "impressions")
    return {
        "viewers": viewers,
        "steps": steps,
        "seeds": seeds,
        "seconds": seconds,
        "impressions": int(slates),
        "viewer_steps_per_s": viewers * steps * seeds / seconds,
        "seconds_by_part": dict(finished.world.clock.seconds),
    }
