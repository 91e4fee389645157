"""The cases of the creator community: what feeds show, what viewers pick, and what becomes of popularity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from math import exp, log, log10
from typing import Any

import numpy as np

from ecosim import simulate
from ecosim.community.figures import gini, unpredictability
from ecosim.community.recommend import Recommend
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import layout
from ecosim.fields import Array
from ecosim.record.store import Memory
from ecosim.rules import feeds
from ecosim.scenario import Scenario, build
from ecosim.seeds import normal_quantile
from ecosim.simulate import Arm, Finished, Manner, load_scenario
from ecosim.validate import collaboration, competition, laws
from ecosim.validate.cases import (
    Case,
    Figure,
    above,
    between,
    estimated,
    jackknife_error,
    near,
    standard_error,
    within,
)

STILL_VIEWERS = {
    "taste_spread": 0.0, "favourite_bonus": 0.0, "bond": 0.0, "skip": 0.0, "leave": -50.0, "leave_per_idle_day": 0.0,
    "watch_again": True,
}  # fmt: skip
"""Viewers without tastes or bonds who never leave: what remains is the post itself."""

MORNING_S = 1722931200
"""2024-08-06 08:00:00 UTC, Unix time."""
HOT = {0: 13086.7377111, 1: 13086.7377111, 10: 13087.7377111, 100: 13088.7377111, -10: 13085.7377111}
"""Reddit's score of a post of that moment, by its net votes."""

SHARES = (0.5289, 0.2975, 0.1322, 0.0331, 0.0083)
"""Of views in the trial-offer market: in proportion to quality squared."""

NUM_SONGS, QUALITY_SPREAD = 48, 0.439
"""Of the Music Lab: songs, and the log-normal spread of quality that stands in for data that is not ours to ship."""
INFLUENCE = 0.32
"""r in the chance (downloads + 1)^r of being shown: the middle of .24 … .40, which fit the released counts."""
NULL_GINI, NULL_UNPREDICTABILITY = 0.282, 0.0061
"""What pure sampling gives, without any influence."""


def market(creators: Sequence[Mapping[str, Any]], **more: Any) -> CommunityScenario:
    """A community of one niche and one topic that publishes on day 1 only."""
    data = {
        "world": "community",
        "title": "a market of songs",
        "niches": {"music": {"topics": ["song"]}},
        "creators": [{"role": "human_creator", "niche": "music", **group} for group in creators],
        "publishing": {"every_days": 100_000},
        **more,
    }
    return build(CommunityScenario, data, place="validate")


def simulated(scenario: Scenario, keep_events: bool = False) -> Finished:
    """A run kept in memory, with its world."""
    return simulate.simulate(scenario, [Arm(name="all")], Memory(), Manner(keep_events=keep_events))


def views_of(finished: Finished) -> Array:
    """Views of each creator, int64 (replicas, creators)."""
    views: Array = finished.world.tables["creators"]["views"]
    return views.reshape(finished.scenario.seeds, -1)


def in_shares(counts: Array) -> Array:
    """Counts as shares of their row."""
    return counts / counts.sum(axis=1, keepdims=True)


# ---- popularity -----------------------------------------------------------------------------------------------------


def polya(seeds: int = 100) -> list[Figure]:
    """Inequality within and difference between worlds where only popularity decides."""
    shares = in_shares(views_of(simulated(load_scenario("polya_feed").with_changes(seeds=seeds))))
    error = jackknife_error(shares, unpredictability)
    return [
        estimated("Gini of views", gini(shares), 0.4896),
        near("unpredictability U", unpredictability(shares), error, 0.0206),
    ]


def trial_offer(seeds: int = 20) -> list[Figure]:
    """Where shares of views settle; what is left of equal shares at the start fades as √(prior views / views)."""
    facts = load_scenario("trial_offer").with_changes(seeds=seeds)
    assert isinstance(facts, CommunityScenario)
    views = views_of(simulated(facts))
    shares = in_shares(views)
    start = (len(SHARES) * facts.feed.prior_views / views.sum(axis=1).min()) ** 0.5
    figures = []
    for post, settled in enumerate(SHARES):
        reach = 4 * standard_error(shares[:, post]) + start * abs(settled - 1 / len(SHARES))
        figures.append(
            within(f"share of post {post + 1}", shares[:, post].mean(), settled, reach, "4 standard errors + the start")
        )
    return figures


def music_lab(seeds: int = 100, power: float = INFLUENCE) -> list[Figure]:
    """48 songs, about 830 downloads a world, with influence and without."""
    (gini_alone, u_alone, _), (gini_social, u_social, error) = (listened(r, seeds) for r in (0.0, power))
    published = "accepted range"
    null = "pure sampling"
    return [
        between("Gini of market shares", gini_social, 0.30, 0.38, 0.340, published),
        between("unpredictability U", u_social, 0.0070, 0.0095, 0.00821, published),
        above("Gini above pure sampling's", gini_social, NULL_GINI, null),
        above("U above pure sampling's", u_social, NULL_UNPREDICTABILITY, null),
        above("Gini, rise by influence", gini_social - gini_alone, 0, "strict order"),
        above("U, rise by influence", u_social - u_alone, 4 * error, "strict order by 4 standard errors"),
    ]


def listened(power: float, seeds: int) -> tuple[float, float, float]:
    """Mean Gini of worlds of listeners, U, and the standard error of U."""
    quality = [0.3 * exp(QUALITY_SPREAD * z) for z in normal_quantile((np.arange(NUM_SONGS) + 0.5) / NUM_SONGS)]
    scenario = market(
        [{"skill": log(q / (1 - q))} for q in quality],
        steps=250, seeds=seeds, viewers={"count": 10, **STILL_VIEWERS},
        feed={"kind": "popular", "slate": 1, "kept_posts": 1, "popularity_power": power},
    )  # fmt: skip
    shares = in_shares(views_of(simulated(scenario)))
    return float(gini(shares).mean()), unpredictability(shares), jackknife_error(shares, unpredictability)


# ---- feeds and viewers ----------------------------------------------------------------------------------------------


def coverage(seeds: int = 20) -> list[Figure]:
    """The share of 500 posts that somebody is shown when each of 200 visitors gets a random ten."""
    scenario = market(
        [{"count": 500}], steps=1, seeds=seeds, viewers={"count": 200},
        feed={"kind": "random", "slate": 10, "kept_posts": 1},
    )  # fmt: skip
    shown = simulated(scenario, keep_events=True).store.read("events/reactions").to_pandas()
    return [estimated("share of posts shown", shown.groupby("replica").size().to_numpy() / 500, 0.9824)]


def hot_page(num_shown: int = 3, days: int = 5) -> list[Figure]:
    """Reddit's published scores, and whether every visitor's slate is the front page that they make."""
    score = feeds.hot_score(np.array(list(HOT)), np.full(len(HOT), MORNING_S))
    figures = [
        within(f"score at {votes} votes", found, target, 1e-7, "digits given")
        for (votes, target), found in zip(HOT.items(), score, strict=True)
    ]
    scenario = market(
        [{"count": 12}], steps=days, seeds=2, viewers={"count": 200, **STILL_VIEWERS, "like_bar": 0.0},
        feed={"kind": "hot", "slate": num_shown, "kept_posts": 3}, publishing={"every_days": 2, "noise": 1.0},
    )  # fmt: skip
    world = simulated(scenario).world
    world.tables["viewers"]["is_visiting"][:] = True
    Recommend(scenario, layout(scenario)).apply(world, [], [])
    slates = world.tables["viewers"]["slate"].reshape(scenario.seeds, -1, num_shown)
    posts = {name: world.tables["posts"][name].reshape(scenario.seeds, -1) for name in ("post", "likes", "day")}
    wrong = 0
    for replica in range(scenario.seeds):
        likes, day = posts["likes"][replica].tolist(), posts["day"][replica].tolist()
        rank = np.array([log10(max(n, 1)) + d * 86_400 / 45_000 for n, d in zip(likes, day, strict=True)])
        best = np.sort(rank[posts["post"][replica] >= 0])[::-1][:num_shown]
        wrong += int((np.abs(rank[slates[replica]] - best) > 1e-9).any(axis=1).sum())
    return [*figures, within("slates that are not the front page", wrong, 0, 0, "of 400, none")]


def popular_slates(visitors: int = 20_000) -> list[Figure]:
    """How often the popular feed draws each first and second post, against their exact chances."""
    weight = np.array([1.0, 2.0, 3.0, 4.0])
    scenario = market(
        [{"count": len(weight)}], steps=1, seeds=1, viewers={"count": visitors, **STILL_VIEWERS},
        feed={"kind": "popular", "slate": 2, "kept_posts": 1, "prior_views": 1.0},
    )  # fmt: skip
    world = simulated(scenario).world
    world.tables["posts"]["views"][:] = weight - 1
    Recommend(scenario, layout(scenario)).apply(world, [], [])
    slate, distance = world.tables["viewers"]["slate"], 0.0
    for first, second in permutations(range(len(weight)), 2):
        expected = visitors * weight[first] / 10 * weight[second] / (10 - weight[first])
        seen = int(((slate[:, 0] == first) & (slate[:, 1] == second)).sum())
        distance += (seen - expected) ** 2 / expected
    return [between("χ² over 12 slates", distance, 0, 31.26, 11, "99.9 % of fair samples, 11 degrees of freedom")]


def logit(visitors: int = 20_000) -> list[Figure]:
    """How many pick each of three posts, or nothing, against exp(appeal) over their sum."""
    appeals = (0.5, 0.0, -0.5)
    scenario = market(
        [{"skill": appeal} for appeal in appeals], steps=1, seeds=1, viewers={"count": visitors, **STILL_VIEWERS},
        feed={"kind": "random", "slate": len(appeals), "kept_posts": 1},
    )  # fmt: skip
    views = views_of(simulated(scenario))[0]
    total = 1 + sum(exp(appeal) for appeal in appeals)
    chances = [exp(appeal) / total for appeal in appeals]
    picked = [*views / visitors, 1 - views.sum() / visitors]
    return [
        near(name, found, (chance * (1 - chance) / visitors) ** 0.5, round(chance, 4))
        for name, found, chance in zip(
            ("share of post 1", "share of post 2", "share of post 3", "share that watch nothing"),
            picked, [*chances, 1 / total], strict=True,
        )
    ]  # fmt: skip


SALGANIK = "Salganik, Dodds, Watts (2006), Science 311: experiment 1, from the released counts"

CASES = (
    Case(
        name="polya_feed", part="community", kind="V1",
        shows="popularity alone makes shares as unequal, and worlds as unlike, as Pólya's urn does",
        source="Pólya's urn, n 48, a 1: shares follow Dirichlet(1, …, 1); Gini (n − 1) / 2n",
        method="the scenario polya_feed: 100 replicas × 540 days, about 20,000 views each; error of U by jackknife",
        compute=polya,
    ),
    Case(
        name="trial_offer", part="community", kind="V1",
        shows="influence below linear settles at powers of quality, the same in every world",
        source="trial-offer market with signal share^r: shares ∝ q^(1/(1 − r)), r .5",
        method="the scenario trial_offer: 20 replicas × 600 days, about 110,000 views each",
        compute=trial_offer,
    ),
    Case(
        name="music_lab", part="community", kind="V3",
        shows="social influence makes hits bigger and less predictable, about as much as it did for people",
        source=SALGANIK,
        method="48 songs, 100 worlds, about 830 downloads each; popular feed of one song a visit with (downloads + 1)^"
        f"{INFLUENCE}, and the same with power 0. Qualities are a log-normal stand-in, σ {QUALITY_SPREAD}; the "
        "power is the middle of what fits the data, so this shows that the mechanism reaches the data; "
        "it predicts nothing",
        compute=music_lab,
    ),
    Case(
        name="random_feed_coverage", part="community", kind="V1",
        shows="a random feed of 10 from 500 reaches as many posts as it should",
        source="1 − (1 − k/N)^U, k 10, N 500, U 200",
        method="20 replicas × 1 day through the recommend phase",
        compute=coverage,
    ),
    Case(
        name="hot_feed", part="community", kind="V1",
        shows="the hot feed ranks as Reddit did",
        source="Reddit's open-sourced _sorts: sign(s)·log10(max(|s|, 1)) + (t − 1134028003) / 45000",
        method="the feed's rule at published values; then all slates of a day after five days of likes",
        compute=hot_page,
    ),
    Case(
        name="popular_feed", part="community", kind="V1",
        shows="the popular feed draws without replacement, in proportion to views",
        source="chances of ordered draws without replacement, weights 1, 2, 3, 4",
        method="20,000 slates of two posts through the recommend phase",
        compute=popular_slates,
    ),
    Case(
        name="logit_viewers", part="community", kind="V1",
        shows="viewers choose as the multinomial logit says",
        source="McFadden (1974): exp(u) / Σ exp(u)",
        method="20,000 viewers × 1 day, three posts of appeal .5, 0, −.5, and doing nothing of appeal 0",
        compute=logit,
    ),
    *competition.CASES,
    *collaboration.CASES,
    laws.conserved("community", "creator_community"),
    laws.common("community", "creator_community", {"human_creator.publish": "trend"}),
)  # fmt: skip
