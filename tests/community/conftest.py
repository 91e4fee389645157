"""Small communities to test with, and the run of one through the assembly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecosim.community.scenario import CommunityScenario
from ecosim.community.side import SIDE
from ecosim.record.store import Memory
from ecosim.scenario import build
from ecosim.simulate import Arm, Finished, Manner, simulate

SCENARIOS = Path(__file__).parents[2] / "scenarios"

SMALL: dict[str, Any] = {
    "world": "community",
    "title": "five creators, forty viewers",
    "steps": 4,
    "seeds": 2,
    "niches": {"sports": {"topics": ["running", "rowing"]}, "music": {"topics": ["jazz"]}},
    "creators": [
        {"role": "human_creator", "niche": "sports", "count": 2, "cash_eur": 5.0, "skill_spread": 0.5},
        {"role": "human_creator", "niche": "music", "cash_eur": 5.0},
        {"role": "ai_creator", "niche": "music", "count": 2, "cash_eur": 5.0},
    ],
    "viewers": {"count": 40, "skip": 1.0, "leave": -2.0, "follow_bar": 1.0, "title_appeal": 0.3},
    "feed": {"kind": "mix", "mix": ["content", "popular", "random"], "slate": 3, "kept_posts": 2},
    "publishing": {"medium": {"cost_eur": 0.1, "appeal": 0.2}, "noise": 0.2, "title_vectors": "words"},
    "trends": {"volatility": 0.2},
    "ads_eur_per_view": 0.1,
}


@pytest.fixture
def community() -> Callable[..., CommunityScenario]:
    """The small community with groups of keys changed: `community(viewers={"skip": 3.0}, steps=2)`."""

    def make(**changes: Any) -> CommunityScenario:
        data = dict(SMALL)
        for key, value in changes.items():
            data[key] = {**data[key], **value} if isinstance(value, dict) and key in data else value
        return build(CommunityScenario, data, place="test")

    return make


@pytest.fixture
def run() -> Callable[..., Finished]:
    """A run kept in memory: `run(scenario)`, or with arms."""

    def simulated(scenario: CommunityScenario, *arms: Arm, **options: Any) -> Finished:
        assert SIDE.kind is type(scenario)
        return simulate(scenario, arms or [Arm(name="scripted")], Memory(), Manner(**options))

    return simulated
