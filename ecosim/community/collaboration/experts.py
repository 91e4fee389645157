"""Creators who collaborate by a rule: whom to invite, and how to bargain about the share.

Bargainers are those of the market (`manufacturing.tactics`), by the same rules (`rules.bargain`): a mover accepts what
is at least its target and else asks for its target, past its deadline it leaves. The target is a share of the work's
income between its private limit and all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ecosim import seeds
from ecosim.community.collaboration.words import ACCEPT, COUNTER, REJECT
from ecosim.exact import MILLION
from ecosim.fields import NOT_ASKED, Array, Bucket, Choice
from ecosim.rules import bargain
from ecosim.words import Answers, Expert, Question, for_any_role

Target = Callable[[Question], Array]
"""The least share that a mover asks for or accepts, millionths, int64 (rows,)."""


# ---- whom to invite -------------------------------------------------------------------------------------------------


@for_any_role
def bandit(question: Question) -> Answers:
    """Thompson sampling over partners: who promises more views for itself than it has alone is invited.

    A candidate gets mean + z · max(mean, 1) ÷ √(works + 1), where mean is what came to the creator of works with the
    candidate's niche, one untried work counted as a post alone, and z is a normal draw.

    Source: Thompson (1933), On the likelihood that one unknown probability exceeds another (here a normal posterior).
    """
    alone = question["views_alone"] / np.maximum(question["posts_alone"], 1)
    known = question["candidate_works"] + 1
    mean = (question["candidate_views"] + alone[:, None]) / known
    score = mean + np.maximum(mean, 1.0) / np.sqrt(known) * _luck(question)
    return _invited(question, score, alone)


@for_any_role
def famous(question: Question) -> Answers:
    """The candidate with the most followers; of equals the first."""
    return _invited(question, question["candidate_followers"].astype(np.float64), np.full(question.num_rows, -1.0))


@for_any_role
def alone(question: Question) -> Answers:
    """Nobody: it works alone, unless it is asked."""
    return {"invite": np.zeros(question.num_rows, np.int64)}


def _invited(question: Question, score: Array, least: Array) -> Answers:
    """The candidate with the best score, if that is above the least; else nobody."""
    allowed = _choice(question, "invite").allowed[:, 1:]
    score = np.where(allowed, score, -np.inf)
    best = score.argmax(axis=1)
    return {"invite": np.where(score.max(axis=1) > least, best + 1, 0)}


def _luck(question: Question) -> Array:
    """One normal draw a row and candidate."""
    rows, slots = question["candidate_works"].shape
    key = (np.repeat(question.key["subject"], slots), np.tile(np.arange(slots), rows))
    seed = np.repeat(question.seed, slots)
    return seeds.normal(seeds.MIND, seed, question.step, question.phase, key).reshape(rows, slots)


# ---- how to share ---------------------------------------------------------------------------------------------------


@for_any_role
def mixed(question: Question) -> Answers:
    """A population: creators are Boulware, linear and Conceder negotiators in turn, by their number.

    Source: Faratin, Sierra, Jennings (1998), Negotiation decision functions for autonomous agents.
    """
    return _moved(question, lambda q: _time_based(q, q.key["subject"] % len(bargain.TACTICS)))


@for_any_role
def boulware(question: Question) -> Answers:
    """A negotiator who gives way late: its aspiration falls with the fourth power of time.

    Source: Faratin, Sierra, Jennings (1998), Negotiation decision functions for autonomous agents.
    """
    return _moved(question, lambda q: _time_based(q, 0))


@for_any_role
def linear(question: Question) -> Answers:
    """A negotiator who gives way evenly until its deadline.

    Source: Faratin, Sierra, Jennings (1998), Negotiation decision functions for autonomous agents.
    """
    return _moved(question, lambda q: _time_based(q, 1))


@for_any_role
def conceder(question: Question) -> Answers:
    """A negotiator who gives way early: its aspiration falls with the fourth root of time.

    Source: Faratin, Sierra, Jennings (1998), Negotiation decision functions for autonomous agents.
    """
    return _moved(question, lambda q: _time_based(q, 2))


@for_any_role
def fair(question: Question) -> Answers:
    """Half each from the first word to the last, or its limit where that is more.

    Source: Güth, Schmittberger, Schwarze (1982), An experimental analysis of ultimatum bargaining (the equal split).
    """
    return _moved(question, lambda q: np.maximum(q["reservation"], MILLION // 2))


@for_any_role
def tough(question: Question) -> Answers:
    """Nine parts in ten for itself until its last round; then it takes anything down to its limit."""
    return _moved(
        question,
        lambda q: np.where(q["rounds_left"] == 0, q["reservation"], np.maximum(q["reservation"], MILLION * 9 // 10)),
    )


def _time_based(question: Question, tactic: Array | int) -> Array:
    round_, least = question["round"], question["reservation"]
    asked = bargain.demanded(tactic, round_, round_ + question["rounds_left"])
    return bargain.seller_price(least, np.full(len(least), MILLION), asked)


def _moved(question: Question, target: Target) -> Answers:
    """Accept what is at least the target, else ask for it while there is time, else leave."""
    least, share, allowed = target(question), _bucket(question, "share"), _choice(question, "act").allowed
    accept = allowed[:, ACCEPT] & (question["offer_share"] >= least)
    act = np.where(accept, ACCEPT, np.where(allowed[:, COUNTER], COUNTER, REJECT))
    asked = share.snap(least + share.step - 1)
    return {"act": act, "share": np.where(act == COUNTER, asked, NOT_ASKED)}


def _bucket(question: Question, name: str) -> Bucket:
    spec = question.field(name)
    assert isinstance(spec, Bucket)
    return spec


def _choice(question: Question, name: str) -> Choice:
    spec = question.field(name)
    assert isinstance(spec, Choice)
    return spec


INVITE: Mapping[str, Expert] = {"scripted": bandit, "bandit": bandit, "famous": famous, "alone": alone}
SPLIT: Mapping[str, Expert] = {
    "scripted": mixed, "mixed": mixed, "boulware": boulware, "linear": linear, "conceder": conceder,
    "fair": fair, "tough": tough,
}  # fmt: skip
