"""The case of provider ecosystems: what viewers gain where they are shown the nearest of what providers make."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot

import numpy as np

from ecosim import simulate
from ecosim.community.feeds import Feed, Known, Sight, ranking
from ecosim.community.recommend import Recommend
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import grid, layout
from ecosim.fields import Array
from ecosim.record.store import Memory
from ecosim.scenario import build
from ecosim.simulate import Arm
from ecosim.validate.cases import Case, Figure, within
from ecosim.world import World

PROVIDERS = {"east": [1.0, 0.0], "north": [0.0, 1.0], "corner": [1.0, 1.0], "centre": [0.0, 0.0]}
"""Where each provider's documents lie around."""
SPREAD = 20.5
"""Standard deviation of viewers around the provider at the centre; others have it over 1 + their distance."""
PEAK, LIFT = 2.0, 48.0
"""Utility at distance 0; and what is added to all of them, so that even the farthest viewers rather watch than not."""
WORLDS = 20


def providers(worlds: int = WORLDS) -> list[Figure]:
    """Mean utility of one document for each of 2,000 viewers."""
    facts = _scenario(worlds)
    world, _, recorder = simulate.prepare(facts, [Arm(name="all", minds={"human_creator.publish": "niche"})], Memory())
    phase = Recommend(facts, layout(facts), learners={facts.feed.kind: lambda known: _nearest(world, known)})
    world.phases = [phase if old.name == phase.name else old for old in world.phases]
    world.step()
    recorder.close_step(1)
    found = float(world.tables["viewings"]["worth"].mean()) - LIFT
    return [within("mean utility of what is consumed", found, -14, 0.05 * 14, "5 %, as in the source")]


def _nearest(world: World, known: Known) -> Feed:
    """The source's recommender: it sees where viewers are, and ranks by nearness alone while nobody has any clicks."""
    taste = grid(world.tables["viewers"], "taste", world.num_replicas).astype(np.int64)
    traits = grid(world.tables["posts"], "traits", world.num_replicas).astype(np.int64)

    def score(sight: Sight) -> Array:
        replica = np.arange(len(taste))[:, None]
        gap = taste[replica, sight.viewer][:, :, None] - traits[:, None]
        return -(gap * gap).sum(axis=3)

    return ranking(score)


def _scenario(worlds: int) -> CommunityScenario:
    size = {name: 1 + hypot(*place) for name, place in PROVIDERS.items()}
    data = {
        "world": "community", "title": "Providers and their viewers", "steps": 1, "seeds": worlds,
        "niches": {name: {"topics": [name]} for name in PROVIDERS},
        "creators": [{"role": "human_creator", "niche": name, "count": 5} for name in PROVIDERS],
        "viewers": {"count": 2000, "skip": -50, "leave": -50, "leave_per_idle_day": 0, "bond": 0},
        "tastes": {"kind": "points", "peak": PEAK + LIFT, "place_spread": 1.0, "places": PROVIDERS, "crowds": [
            {"centre": place, "spread": SPREAD / size[name], "part": 1 / size[name]}
            for name, place in PROVIDERS.items()
        ]},
        "feed": {"kind": "random", "slate": 3, "kept_posts": 1},
    }  # fmt: skip
    return build(CommunityScenario, data, place="validate")


CASES: Sequence[Case] = (
    Case(
        name="providers", part="community", kind="V2",
        shows="viewers far apart gain as little from the nearest of twenty documents as in another simulator",
        source="RecSim NG (Mladenov et al. 2021), ecosystem_simulation: mean utility −14 over one consumption, ± 5 %",
        method=f"{WORLDS} worlds × 2,000 viewers × one day: documents at providers' places + N(0, 1), nearest three "
        "shown, one picked by multinomial logit, worth 2 − distance. Five documents a provider; the source draws "
        "whose they are. Its noise of utility, 0 in the mean, is left out",
        compute=providers,
    ),
)  # fmt: skip
