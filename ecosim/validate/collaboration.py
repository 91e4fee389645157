"""Collaboration through its phases: how two creators come to share a work, and what a work of two niches is worth.

The talks of `split` follow the rules of the market's talks, so the published figures of the one are those of the other:
the pie is the income of a joint work, both move once a round, the host first.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from ecosim import api
from ecosim.community.collaboration.words import ACCEPT, COUNTER
from ecosim.community.scenario import CommunityScenario
from ecosim.exact import MILLION
from ecosim.explore import Run
from ecosim.fields import NOT_ASKED, Array, Bucket, Choice
from ecosim.scenario import build
from ecosim.validate.bargaining import FARATIN, PATIENCE, ROUNDS, RUBINSTEIN, TACTICS, share_of_mover
from ecosim.validate.cases import Case, Figure, estimated, exactly, within
from ecosim.words import Answers, Expert, Question

PLANTED = {("music", "art"): 1.2, ("music", "sports"): -0.6}
"""What works of two niches gain, log-odds; nothing for art with sports."""
VIEWERS, WORLDS = 400, 40
SKIP = 1.0


def community(niches: list[str], count: int, step: float, **more: Any) -> CommunityScenario:
    """A day of a community whose creators differ in their niche alone, and whose viewers see one post by chance."""
    data = {
        "world": "community",
        "title": "joint works",
        "steps": 1,
        "seeds": 1,
        "niches": {name: {"topics": [f"all about {name}"]} for name in niches},
        "creators": [{"role": "human_creator", "niche": name, "count": count} for name in niches],
        "feed": {"kind": "random", "slate": 1, "kept_posts": 1},
        "ads_eur_per_view": 0.01,
        **more,
    }
    data["viewers"] = {
        "count": VIEWERS, "taste_spread": 0.0, "favourite_bonus": 0.0, "bond": 0.0, "skip": SKIP, "leave": -50.0,
        "leave_per_idle_day": 0.0,
    }  # fmt: skip
    talk = {"min_rounds": ROUNDS, "max_rounds": ROUNDS, "least_share": 0.0, "private_spread": 0.0, "share_step": step}
    data["collaboration"] = {"candidates": 1, **talk, **more.get("collaboration", {})}
    return build(CommunityScenario, data, place="validate")


def first_invites(question: Question) -> Answers:
    """Creator 0 invites; nobody else does."""
    return {"invite": (question.key["subject"] == 0).astype(np.int64)}


def talk(host: Expert | str, partner: Expert | str, step: float) -> Run:
    """One talk of two creators about a pie in steps of `step`; creator 0, the host, is human, creator 1 an AI."""
    both = [{"role": role, "niche": "music"} for role in ("human_creator", "ai_creator")]
    minds: Mapping[str, Expert | str] = {
        "human_creator.invite": first_invites, "ai_creator.invite": first_invites,
        "human_creator.split": host, "ai_creator.split": partner,
    }  # fmt: skip
    return api.run(community(["music"], 1, step, creators=both), minds=minds)


def tactics(host: str, partner: str) -> list[Figure]:
    """Where two time-dependent tactics meet over a pie of 100 parts; a price is what the first mover gives away."""
    work = talk(host, partner, 0.01).events("works").iloc[0]
    target_price, target_round = TACTICS[host, partner]
    return [
        exactly("share of the partner", round(work["partner_share"] * 100, 6), target_price, "% of the income"),
        exactly("round of the agreement", work["round"], target_round),
    ]


def perfect(question: Question) -> Answers:
    """The perfect equilibrium of a pie that shrinks by a tenth with each move, found from the deadline backwards."""
    share, act = question.field("share"), question.field("act")
    assert isinstance(share, Bucket) and isinstance(act, Choice)
    moves_left = 2 * question["rounds_left"] + (question["is_host"] == 1)
    mine = np.array([share_of_mover(int(n)) for n in moves_left])
    accept = act.allowed[:, ACCEPT] & (question["offer_share"] / MILLION >= PATIENCE * mine)
    asked = share.snap(np.floor(mine * MILLION).astype(np.int64))
    return {"act": np.where(accept, ACCEPT, COUNTER), "share": np.where(accept, NOT_ASKED, asked)}


def patience(mind: Expert = perfect) -> list[Figure]:
    """What the host gets of a pie of 10,000 parts."""
    work = talk(mind, mind, 1e-4).events("works").iloc[0]
    reach, why = 1.5e-4, "a part of 10,000, last digit given"
    return [
        within("share of the host", 1 - work["partner_share"], RUBINSTEIN, reach, why),
        exactly("round of the agreement", work["round"], 1),
    ]


def gains() -> list[Figure]:
    """Complementarity found again from views alone: log-odds of being watched over those of doing something else."""
    planted: dict[str, dict[str, float]] = {}
    for (one, other), worth in PLANTED.items():
        planted.setdefault(one, {})[other] = worth
    facts = community(
        ["music", "art", "sports"], 8, 0.01, seeds=WORLDS, steps=4, collaboration={"complementarity": planted}
    )
    run = api.run(facts, minds={"human_creator.split": "fair", "human_creator.publish": "niche"})
    seen = run.events("reactions").groupby(["replica", "post"])[["impressions", "views"]].sum()
    seen = run.events("works").set_index(["replica", "post"])[["host_niche", "partner_niche"]].join(seen)
    ends = np.sort(seen[["host_niche", "partner_niche"]].to_numpy(), axis=1)
    names = ("music", "art", "sports")
    figures = []
    for pair in (("music", "art"), ("music", "sports"), ("art", "sports")):
        is_pair = (ends == sorted(names.index(name) for name in pair)).all(axis=1)
        total = seen[is_pair].groupby("replica")[["impressions", "views"]].sum()
        figures.append(
            estimated(
                f"{pair[0]} with {pair[1]}", _log_odds(total.to_numpy()) + SKIP, PLANTED.get(pair, 0.0), "log-odds"
            )
        )
    return figures


def _log_odds(total: Array) -> Array:
    """Log-odds of views among impressions, (worlds, 2), with the usual half a case to either side."""
    shown, views = total.T
    return np.asarray(np.log((views + 0.5) / (shown - views + 0.5)))


CASES = (
    *(
        Case(
            name=f"split_{host}_{partner}",
            part="community",
            kind="V1",
            shows=f"a {host} host and a {partner} partner agree on {price} of 100 for the partner in round {round_}",
            source=FARATIN,
            method=f"the phases invite, split, publish, credit with the experts {host!r} and {partner!r}; deadlines of "
            f"{ROUNDS} rounds, so that t = round / (100 + 1); limits of 0",
            compute=partial(tactics, host, partner),
        )
        for (host, partner), (price, round_) in TACTICS.items()
    ),
    Case(
        name="split_patience",
        part="community",
        kind="V1",
        shows="equal patience gives the host a little more than half",
        source="Rubinstein (1982), Econometrica 50(1): 1 / (1 + δ), δ = .9",
        method=f"the phases invite, split, publish, credit; minds that solve the game of {2 * ROUNDS} moves "
        "from its end. Income is not discounted: patience is in the minds",
        compute=patience,
    ),
    Case(
        name="complementarity",
        part="community",
        kind="V1",
        shows="what two niches are worth together is found again in views",
        source="planted by the scenario; views by the multinomial logit of McFadden (1974)",
        method=f"{WORLDS} worlds × 4 days of 24 like creators and {VIEWERS} viewers without tastes; log-odds of "
        "views when shown, of joint works by pair of niches, less those of doing something else",
        compute=gains,
    ),
)
