"""The cases of creators who compete: for a prize, for niches, for places on a line, and for shares of revenue (C6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ecosim import simulate
from ecosim.community.scenario import CommunityScenario
from ecosim.minds.seats import Wishes
from ecosim.record.store import Memory
from ecosim.rules.seats import dhondt
from ecosim.scenario import build
from ecosim.simulate import Arm, Manner
from ecosim.validate.cases import Case, Figure, estimated, exactly, within
from ecosim.words import Answers, Question

STEADY = {"taste_spread": 0.0, "bond": 0.0, "leave": -50.0, "leave_per_idle_day": 0.0, "watch_again": True}
"""Viewers without moods, who never leave."""
NICHES = (50, 30, 15, 5)
NUM_IN_NICHES = 10
NUM_PLACES = 21
"""Topics on the line from 0 to 1, so that every quarter is one."""


def community(num: int, niches: Mapping[str, Any], viewers: Mapping[str, Any], **more: Any) -> CommunityScenario:
    """Equal creators without costs, whose posts of today all viewers are shown."""
    data = {
        "world": "community",
        "title": "creators who compete",
        "niches": niches,
        "creators": [{"role": "human_creator", "niche": next(iter(niches)), "count": num, "cash_eur": 1e6}],
        "viewers": {**STEADY, **viewers},
        "feed": {"kind": "random", "slate": num, "kept_posts": 1},
        "publishing": {"outside_niche": 0.0, "shows_rivals": True},
        **more,
    }
    return build(CommunityScenario, data, place="validate")


def events(scenario: CommunityScenario, minds: Wishes, table: str) -> pd.DataFrame:
    """An event table of a run with some minds."""
    arm = Arm(name="all", minds=minds)
    store = simulate.simulate(scenario, [arm], Memory(), Manner(keep_events=True)).store
    return store.read(f"events/{table}").to_pandas()


# ---- a prize --------------------------------------------------------------------------------------------------------


def prize(num: int, **more: Any) -> CommunityScenario:
    """So many creators in a contest a day for 1 EUR, with hardly anybody to watch them."""
    rules = {"prize_eur": 1.0, "pays": more.pop("pays")}
    return community(num, {"music": {"topics": ["song"]}}, {"count": 1}, contest=rules, **more)


def tullock(num: int, effort: float, payoff: float) -> list[Figure]:
    """Stakes and payoffs of the last of 100 contests; creators reply to each other."""
    awards = events(prize(num, pays="shares", steps=100, seeds=8), {"human_creator.award": "best_reply"}, "awards")
    last, grid = awards[awards["step"] == 100] / 1e6, "a step of the grid of stakes"
    return [
        within("stake, lowest", last["score"].min(), effort, 0.001, grid, "EUR"),
        within("stake, highest", last["score"].max(), effort, 0.001, grid, "EUR"),
        within("payoff, mean", (last["prize"] - last["score"]).mean(), payoff, 0.001, grid, "EUR"),
    ]


def drawn_winners(days: int = 60, seeds: int = 40) -> list[Figure]:
    """How often one wins who stakes .5 against another's .25."""

    def stakes(question: Question) -> Answers:
        return {"stake": np.where(question.key["subject"] == 0, 500_000, 250_000)}

    awards = events(prize(2, pays="one", steps=days, seeds=seeds), {"human_creator.award": stakes}, "awards")
    won = awards[(awards["creator"] == 0) & (awards["prize"] > 0)].groupby("replica").size().to_numpy() / days
    return [estimated("wins of who stakes twice as much", won, 2 / 3, "share")]


# ---- niches and places ----------------------------------------------------------------------------------------------


def niches(weights: Sequence[int] = NICHES, creators: int = NUM_IN_NICHES, days: int = 100) -> list[Figure]:
    """Who is where, and who watches them, on the last day; all begin in the largest niche."""
    names = {f"niche_{i + 1}": {"topics": [f"topic_{i + 1}"], "audience": w} for i, w in enumerate(weights)}
    viewers = {"count": 4000, "visit_chance": 0.01, "favourite_bonus": 10.0, "skip": 5.0}
    facts = community(creators, names, viewers, steps=days, seeds=6)
    minds = {"human_creator.publish": "best_reply", "viewer.react": "best"}
    posts, seats = events(facts, minds, "posts"), dhondt(weights, creators)
    moves = posts[posts["step"] > days - 20].groupby(["replica", "creator"])["topic"].nunique() - 1
    last = posts[posts["step"] == days]
    count = pd.crosstab(last["replica"], last["topic"]).reindex(columns=range(len(weights)), fill_value=0)
    bounds = [
        exactly(f"{end} creators in the niche of {w}", pick(count[i]), seats[i])
        for i, w in enumerate(weights)
        for end, pick in (("fewest", min), ("most", max))
    ]
    return [*bounds, exactly("moves in the last 20 days", int(moves.sum()), 0)]


def line(creators: int, target: Sequence[float], days: int, seeds: int = 8) -> list[Figure]:
    """Where creators are on a line of 21 places on the last day, from left to right."""
    topics = [f"at_{i}" for i in range(NUM_PLACES)]
    tastes = {"kind": "points", "places": {t: [i / (NUM_PLACES - 1)] for i, t in enumerate(topics)}, "peak": 10.0}
    audience = {"count": 10_000, "visit_chance": 0.002, "skip": 0.0}
    facts = community(creators, {"line": {"topics": topics}}, audience, tastes=tastes, steps=days, seeds=seeds)
    posts = events(facts, {"human_creator.publish": "best_reply", "viewer.react": "best"}, "posts")
    last = posts[posts["step"] == days]["topic"].to_numpy().reshape(seeds, creators)
    where = np.sort(last / (NUM_PLACES - 1), axis=1)
    return [
        within(f"place of creator {i + 1}, median", float(np.median(where[:, i])), t, 1 / (NUM_PLACES - 1), "a place")
        for i, t in enumerate(target)
    ]


# ---- coming and going -----------------------------------------------------------------------------------------------


def free_entry(outside_eur: float = 9.0, days: int = 140, seeds: int = 6) -> list[Figure]:
    """How many share 100 EUR a day, over the last 70 days, where each could earn so much elsewhere."""
    group = {"role": "human_creator", "niche": "music", "count": 30, "at_start": 2, "outside_eur_per_day": outside_eur}
    song, feed = {"music": {"topics": ["song"]}}, {"kind": "random", "slate": 1, "kept_posts": 1}
    money = {"revenue": {"fee_eur_per_day": 0.1}, "entry": {"look_chance": 0.02}}
    viewers = {"count": 1000, "skip": -50.0}
    facts = community(30, song, viewers, creators=[group], feed=feed, steps=days, seeds=seeds, **money)
    done = simulate.simulate(facts, [Arm(name="all")], Memory())
    there = done.series["active_creators", ""][days // 2 :].mean(axis=0)
    return [within("creators, mean", float(there.mean()), 100 // outside_eur, 1, "one creator")]


CASES = (
    *(
        Case(
            name=f"tullock_{num}",
            part="community",
            kind="V1",
            shows=f"{num} creators who reply to each other's stakes end where none gains by another",
            source="Tullock (1980), Efficient rent seeking: V·r·(n − 1)/n²; Ewerhart (2017) for convergence",
            method="a contest a day for 1 EUR through the phase award, r 1, shares paid; from a tenth of the prize "
            "each; best replies one creator at a time, by lot; the 100th contest of 8 replicas",
            compute=partial(tullock, num, effort, payoff),
        )
        for num, effort, payoff in ((2, 0.25, 0.25), (5, 0.16, 0.04))
    ),
    Case(
        name="contest_lottery",
        part="community",
        kind="V1",
        shows="who puts in x wins a contest with the chance x ÷ Σ x",
        source="Tullock (1980), Efficient rent seeking",
        method="stakes of .5 and .25 EUR, 60 contests in 40 replicas through the phase award",
        compute=drawn_winners,
    ),
    Case(
        name="niches_dhondt",
        part="community",
        kind="V1",
        shows="creators who go where most viewers are left for them fill niches like seats by D'Hondt's method",
        source="Rosenthal (1973) for convergence; D'Hondt (1882); seats (6, 3, 1, 0) worked out by hand",
        method="10 creators, audiences 50, 30, 15, 5 of 4,000 viewers, who watch their niche alone; best replies "
        "through the phase publish, one creator at a time, by lot; day 100 of 6 replicas",
        compute=niches,
    ),
    Case(
        name="hotelling_2",
        part="community",
        kind="V1",
        shows="two creators on a line of viewers meet in the middle",
        source="Hotelling (1929), Stability in competition",
        method="21 topics from 0 to 1, 10,000 viewers spread evenly, each watches a nearest post; best replies through "
        "the phase publish, one creator at a time, by lot; day 60 of 8 replicas",
        compute=partial(line, 2, (0.5, 0.5), 60),
    ),
    Case(
        name="hotelling_4",
        part="community",
        kind="V1",
        shows="four creators on a line of viewers sit in two pairs, at the quartiles",
        source="Eaton, Lipsey (1975), The principle of minimum differentiation reconsidered: the only equilibrium",
        method="as hotelling_2, day 150; that replies settle is no theorem: the median of replicas is compared",
        compute=partial(line, 4, (0.25, 0.25, 0.75, 0.75), 150),
    ),
    Case(
        name="free_entry",
        part="community",
        kind="V1",
        shows="creators come until one more would earn less than elsewhere",
        source="free entry: the largest n with R ÷ n at least the wage elsewhere; 100 EUR a day and 9 EUR: 11",
        method="1,000 subscribers at .10 EUR a day, shared pro rata; 30 creators, 2 there at first; "
        "scripted minds through the phases enter, settle and quit; mean of days 71 to 140 in 6 replicas",
        compute=free_entry,
    ),
)
