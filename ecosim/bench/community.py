"""How fast a community runs without models: whole days, from publishing to the digest, for a thousand to a million.

Two platforms. `day`: 1,000 creators, a post each, tastes · traits in 16 dimensions, slates of five (two by content, two
by popularity, one random), every viewer there every day; from 10³ to 10⁶ viewers. `catalogue`: the scenario
`creator_community` with 10,000 viewers. Events are chained into the digest and kept in memory.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from ecosim.arms import Underway
from ecosim.community.scenario import CommunityScenario
from ecosim.record.store import Memory
from ecosim.scenario import Scenario, build
from ecosim.simulate import Arm, Manner, load_scenario, simulate

VIEWERS = (1_000, 10_000, 100_000, 1_000_000)
Y_SOCIAL_S = 10.0
"""Seconds that Y Social takes for a round of 1,000 agents with a language model; stated by its authors, not run."""
T_RECS_USERS = 1_000
"""About how many users the dense matrices of T-RECS and RecSim NG hold in what is published with them; not run."""

_NICHES = {f"niche_{i}": {"topics": [f"topic_{i}_{k}" for k in range(4)]} for i in range(4)}
_DAY: Mapping[str, Any] = {
    "world": "community",
    "title": "A day of a large platform",
    "niches": _NICHES,
    "creators": [
        {"role": role, "niche": niche, "count": 125, "skill_spread": 0.5}
        for niche in _NICHES
        for role in ("human_creator", "ai_creator")
    ],
    "tastes": {"kind": "dot", "dims": 16},
    "feed": {"kind": "mix", "mix": ["content", "content", "popular", "popular", "random"], "kept_posts": 1},
    "publishing": {"noise": 0.3},
    "ads_eur_per_view": 0.02,
}
_EVERYBODY_STAYS = {"visit_chance": 1.0, "leave": -50.0, "leave_per_idle_day": 0.0}


def run(viewers: tuple[int, ...] = VIEWERS, days: int = 3, catalogue_days: int = 60) -> dict[str, Any]:
    """Seconds of wall and core a day, by number of viewers, and peak memory of the process after each.

    Args:
        viewers: of the large platform, ascending, since the peak of memory is that of all so far.
        days: of each; the first, which finds nothing in the cache, is not counted.
        catalogue_days: of `creator_community`.
    """
    return {
        "day": [_day(number, days) for number in viewers],
        "catalogue": _catalogue(catalogue_days),
        "neighbours": {
            "y_social_1000_agents_s": Y_SOCIAL_S,
            "t_recs_recsim_ng_users": T_RECS_USERS,
            "note": "stated, not run",
        },
    }


def _day(viewers: int, days: int) -> dict[str, Any]:
    audience = {"count": viewers, **_EVERYBODY_STAYS}
    facts = build(CommunityScenario, {**_DAY, "steps": days + 1, "viewers": audience}, place="bench")
    found = _timed(facts)
    return {
        "viewers": viewers,
        "creators": facts.num_creators,
        "candidates": facts.num_creators * facts.feed.kept_posts,
        **found,
        "us_per_viewer": 1e6 * found["s_per_day_fastest"] / viewers,
    }


def _catalogue(days: int) -> dict[str, Any]:
    changes = {f"viewers.{name}": value for name, value in _EVERYBODY_STAYS.items()}
    changes |= {"seeds": 1, "steps": days + 1, "viewers.count": 10_000, "viewers.at_start": 10_000}
    found = _timed(load_scenario("creator_community", changes))
    return {
        "viewers": 10_000,
        **found,
        "days_per_s": 1 / found["s_per_day"],
        "days_per_core_s": 1 / found["core_s_per_day"],
    }


def _timed(facts: Scenario) -> dict[str, Any]:
    """A run whose first day is not counted; `core_s` is the time that it had a core, of all its threads."""
    ends: list[tuple[float, float]] = []
    parts: list[dict[str, float]] = []

    def watch(run: Underway) -> None:
        ends.append((time.perf_counter(), time.process_time()))
        parts.append(dict(run.world.clock.seconds))

    done = simulate(facts, [Arm(name="scripted")], Memory(), Manner(watch=watch))
    wall, core = np.diff(np.array(ends), axis=0).T
    shown = sum(column[1:].sum() for (name, _), column in done.series.items() if name == "impressions")
    return {
        "days": len(wall),
        "s_per_day": float(wall.mean()),
        "s_per_day_fastest": float(wall.min()),
        "core_s_per_day": float(core.mean()),
        "impressions_per_day": int(shown) // len(wall),
        "peak_memory_gb": _peak_gb(),
        "s_per_day_by_part": {
            name: round((parts[-1][name] - parts[0].get(name, 0.0)) / len(wall), 4) for name in parts[-1]
        },
        "digest": done.manifest["digests"][0],
    }


def _peak_gb() -> float:
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9
