"""The cases of diffusion: what passes from viewer to viewer, how far it comes, and what popularity alone makes."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ecosim.arms import Arm
from ecosim.community.scenario import CommunityScenario
from ecosim.fields import Array
from ecosim.rules import diffusion
from ecosim.simulate import prepare
from ecosim.validate.cases import SIGMAS, Case, Figure, estimated, exactly, near, standard_error, within
from ecosim.validate.community import STILL_VIEWERS, market, simulated

ADVERTISED, TOLD = 0.03, 0.38
"""p and q of Bass, a unit of time."""
DAYS = 10
"""Steps in a unit of time: hazards are held for a tenth of it."""
BASS = {5: 0.3312, 10: 0.8128, 20: 0.9963}
BASS_PEAK = diffusion.Peak(time=6.193, share=0.4605, rate=0.1106)
DEGREES = {2: 0.5, 3: 0.2, 4: 0.1}
COUNTS = {1: 0.5263, 2: 0.1692, 3: 0.0823}
NEW_EVERY = 10
"""One event in so many is a new post: a .1 of Yule and Simon."""


def _one_feed(**more: Any) -> dict[str, Any]:
    return {"kind": "random", "slate": 1, "kept_posts": 1, **more}


def _always(**more: Any) -> dict[str, Any]:
    """Viewers who watch whatever the feed shows them."""
    return {**STILL_VIEWERS, "skip": -50.0, **more}


# ---- adoption -------------------------------------------------------------------------------------------------------


def bass(seeds: int = 10, viewers: int = 2000) -> list[Figure]:
    """One thing that viewers hear of from advertising, or from those who have it; each tells a viewer by lot."""
    scenario = market(
        [{}], steps=21 * DAYS, seeds=seeds,
        viewers=_always(count=viewers, visit_chance=ADVERTISED / DAYS, watch_again=False), feed=_one_feed(),
        graph={
            "kind": "well_mixed", "contacts": 1.0, "pass_chance": TOLD / DAYS, "share_chance": 1.0,
            "pass_days": 10**6, "hops_per_day": 1,
        },
    )  # fmt: skip
    daily = simulated(scenario).series["views", ""]
    share = np.vstack([np.zeros(seeds), np.cumsum(daily, axis=0)]) / viewers  # (days + 1, replicas)
    steps = _bass_in_steps(len(share))
    figures = [
        _bass_figure(f"share that has it at {time}", share[time * DAYS], steps[time * DAYS], target)
        for time, target in BASS.items()
    ]
    first, last = (round((BASS_PEAK.time + side) * DAYS) for side in (-0.5, 0.5))
    found = {
        "time of the peak": ([_reached(one, BASS_PEAK.share) for one in share.T], _reached(steps, BASS_PEAK.share)),
        "share at the peak": (share[round(BASS_PEAK.time * DAYS)], steps[round(BASS_PEAK.time * DAYS)]),
        "rate at the peak": (share[last] - share[first], steps[last] - steps[first]),
    }
    return figures + [
        _bass_figure(name, np.asarray(sample), by_steps, target)
        for (name, (sample, by_steps)), target in zip(found.items(), BASS_PEAK, strict=True)
    ]


def _bass_in_steps(num: int) -> Array:
    """The share after each step of a large audience, hazards held for a step: what steps themselves put off."""
    share = np.zeros(num)
    for step in range(1, num):
        told = share[step - 1] + (1 - share[step - 1]) * ADVERTISED / DAYS
        share[step] = told + (1 - told) * (1 - exp(-TOLD / DAYS * told))
    return share


def _bass_figure(name: str, sample: Array, by_steps: float, target: float) -> Figure:
    reach = SIGMAS * standard_error(sample) + abs(by_steps - target)
    return within(name, float(sample.mean()), target, reach, f"{SIGMAS:g} standard errors + what steps put off")


def _reached(share: Array, level: float) -> float:
    """The time at which a share is reached, between steps by line."""
    step = int(np.argmax(share >= level))
    return (step - (share[step] - level) / (share[step] - share[step - 1])) / DAYS


# ---- cascades -------------------------------------------------------------------------------------------------------


def branching() -> list[Figure]:
    """Cascades in which everybody who shares finds a Poisson number of new sharers."""
    small, large = _cascades(0.5, days=2), _cascades(0.9, days=8)
    return [
        estimated("mean cascade, r .5", small, 2.0),
        estimated("lone sharers, r .5", small == 1, 0.6065),
        estimated("mean cascade, r .9", large, 10.0),
        estimated("cascades of 100 or more, r .9", large >= 100, 0.0174),
    ]


def _cascades(mean: float, days: int, posts: int = 1000, viewers: int = 100_000) -> Array:
    """Sizes of the cascades of posts that one viewer shared off the feed, that viewer among them."""
    scenario = market(
        [{"count": posts}], steps=days, seeds=2, publishing={"every_days": 1},
        viewers=_always(count=viewers, visit_chance=posts / viewers / mean, watch_again=False), feed=_one_feed(),
        graph={"kind": "well_mixed", "contacts": 1.0, "share_chance": mean, "hops_per_day": 1000},
    )  # fmt: skip
    found = simulated(scenario, keep_events=True).store.read("events/cascades").to_pandas()
    return (found["size"][found["seeds"] == 1] - 1).to_numpy()


def virality(size: int = 100) -> list[Figure]:
    """A post that the feed brings to 99 sharers, and one that 99 pass on one after the other."""
    sharers = size - 1
    star = market(
        [{}], steps=1, viewers=_always(count=sharers), feed=_one_feed(), graph={"share_chance": 1.0, "pass_chance": 0.0}
    )
    with TemporaryDirectory() as folder:
        chain = Path(folder) / "chain.csv"
        chain.write_text("viewer,friend\n" + "".join(f"{i},{i + 1}\n" for i in range(sharers - 1)))
        path = market(
            [{}], steps=1, viewers=_always(count=sharers, visit_chance=0.0), feed=_one_feed(),
            graph={"kind": "file", "file": str(chain), "share_chance": 1.0, "hops_per_day": size},
            interventions=[
                {"step": 1, "table": "viewers", "column": "visit_chance", "where": {"viewer": [0]}, "set": 1.0}
            ],
        )  # fmt: skip
        shapes = {"star": _shape(star), "path": _shape(path)}
    wanted = {"star": (1, 1.98), "path": (sharers, 33.67)}
    figures = []
    for name, (depth, mean_distance) in wanted.items():
        found = shapes[name]
        figures += [
            exactly(f"size of the {name}", found["size"], size),
            exactly(f"depth of the {name}", found["depth"], depth),
            within(f"structural virality of the {name}", found["virality"], mean_distance, 0.005, "digits given"),
        ]
    return figures


def _shape(scenario: CommunityScenario) -> Any:
    return simulated(scenario, keep_events=True).store.read("events/cascades").to_pandas().iloc[-1]


# ---- popularity -----------------------------------------------------------------------------------------------------


def attachment(seeds: int = 10, viewers: int = 20_000) -> list[Figure]:
    """How many ties viewers have in the social graph that a run begins with."""
    scenario = market(
        [{}], steps=1, seeds=seeds, viewers={"count": viewers}, feed=_one_feed(),
        graph={"kind": "barabasi_albert", "links": 2},
    )  # fmt: skip
    world, _, _ = prepare(scenario, [Arm(name="all")])
    ties = world.tables["viewers"]["num_ties"].reshape(seeds, -1)
    return [estimated(f"viewers with {k} ties", (ties == k).mean(axis=1), share) for k, share in DEGREES.items()]


def yule_simon(seeds: int = 12, days: int = 500, posts: int = 3) -> list[Figure]:
    """Posts that enter with one view to their credit, and views that go to posts in proportion to views."""
    scenario = market(
        [{"count": posts}], steps=days, seeds=seeds, viewers=_always(count=posts * (NEW_EVERY - 1)),
        feed={"kind": "popular", "slate": 1, "kept_posts": days, "prior_views": 1.0},
        publishing={"every_days": 1},
    )  # fmt: skip
    world = simulated(scenario).world
    counts = world.tables["posts"]["views"].reshape(seeds, -1) + 1
    pooled = counts.size
    return [
        near(f"posts with a count of {k}", (counts == k).mean(), (share * (1 - share) / pooled) ** 0.5, share)
        for k, share in COUNTS.items()
    ]


CASES: Sequence[Case] = (
    Case(
        name="bass", part="community", kind="V1",
        shows="advertising and word of mouth spread a product as fast as Bass's model says",
        source="Bass (1969), Management Science 15: p .03, q .38; F(t), t* = ln(q/p)/(p + q), (p + q)²/4q",
        method=f"10 replicas × 2,000 viewers, {DAYS} days a unit of time: a viewer visits with chance p/{DAYS} and "
        f"watches; every watcher tells one viewer by lot a day, who listens with chance q/{DAYS}. The time of the peak "
        "is when the share of the peak is reached, the rate is over one unit of time around it",
        compute=bass,
    ),
    Case(
        name="branching_cascades", part="community", kind="V1",
        shows="cascades are as large, and as rarely huge, as branching makes them",
        source="Borel (1942), Otter (1949): offspring Poisson(r); mean 1/(1 − r), P(1) = e^−r",
        method="posts that one of 100,000 viewers shared off the feed: who shares reaches a Poisson number of viewers, "
        "mean 1, each of whom shares on with chance r; about 1,500 cascades with r .5, 6,000 with r .9",
        compute=branching,
    ),
    Case(
        name="structural_virality", part="community", kind="V1",
        shows="a broadcast and a chain of the same size are told apart by structural virality",
        source="Goel, Anderson, Hofman, Watts (2016), Management Science 62: mean distance over all pairs; "
        "2(n − 1)/n of a star, (n + 1)/3 of a path",
        method="n 100, the creator and 99 who share: all off the feed, and along an edge list that is a chain",
        compute=virality,
    ),
    Case(
        name="barabasi_albert", part="community", kind="V1",
        shows="the social graph has the degrees of preferential attachment",
        source="Dorogovtsev, Mendes, Samukhin (2000): 2m(m + 1) / (k(k + 1)(k + 2)), m 2",
        method="10 replicas × 20,000 viewers as they stand before day 1",
        compute=attachment,
    ),
    Case(
        name="yule_simon", part="community", kind="V1",
        shows="posts that keep coming into a popular feed share views as Yule and Simon say",
        source="Simon (1955), Biometrika 42: ρ·B(k, ρ + 1), ρ = 1/(1 − a), a .1",
        method="12 replicas × 500 days: each day 3 new posts and 27 views, one post a slate, drawn in proportion to "
        "views + 1; no post makes way",
        compute=yule_simon,
    ),
)  # fmt: skip
