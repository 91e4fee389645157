"""The scripted minds of the community: pure functions from the columns of a question to its answers.

Creators: `scripted` is a bandit over topics (Thompson sampling on views per post), `trend` posts what is watched
lately, `niche` stays with its own niche, `best_reply` goes where most viewers are left for it, `model` draws from what
its model learned (`retraining`). Viewers: `scripted` is a multinomial logit over the slate and doing something else,
`best` takes what is worth most to it, `attentive` what is after attention has faded down the slate. Whatever they
sample is drawn from the mind's seed, keyed by the member.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np

from ecosim import exact, seeds
from ecosim.community.rivals import best_topic
from ecosim.community.titles import NUM_ENDINGS, NUM_TITLES, template_titles
from ecosim.community.worth import worth as worth_of
from ecosim.fields import NOT_ASKED, Array
from ecosim.rules.feeds import drawn_by_row
from ecosim.words import Answers, Expert, Question

_EFFORT_SHARE = 3
"""Creators spend at most one part in three of what a post brought in on average."""

_ATTENTION = 0.8
"""How fast attention falls down a slate: in proportion to rank^−0.8, as Chaney et al. (2018) take it."""

_PRIOR_POSTS = 1
"""A topic that a creator has not tried is judged as one post with what the platform's posts on it had lately."""


def bandit_creator(question: Question) -> Answers:
    """Thompson sampling: each topic's views per post as far as known, plus luck that shrinks with experience.

    Each topic gets mean + z · max(mean, 1) ÷ √(posts + 1), where mean is (views + trend) ÷ (posts + 1) and z a normal
    draw: one post of the platform's stands in for experience. It takes the topic that comes out best, and the highest
    effort whose cost is at most a third of what its posts brought in on average.

    Source: Thompson (1933), On the likelihood that one unknown probability exceeds another (here a normal posterior).
    """
    posts, views = question["posts_by_topic"], question["views_by_topic"]
    known = posts + _PRIOR_POSTS
    mean = (views + _PRIOR_POSTS * question["trend"]) / known
    spread = np.maximum(mean, 1.0) / np.sqrt(known)  # views scatter about as much as they are
    return _post(question, _best_topic(question, mean + spread * _per_topic(question, seeds.normal)))


def trend_creator(question: Question) -> Answers:
    """A topic with a chance in proportion to the views that posts on it had lately; effort as the bandit's."""
    return _post(question, _drawn_topic(question, question["trend"] + 1e-3))


def niche_creator(question: Question) -> Answers:
    """Any topic of its own niche, with the same chance; effort as the bandit's."""
    return _post(question, _drawn_topic(question, question["is_own_niche"].astype(np.float64)))


def best_reply_creator(question: Question) -> Answers:
    """The topic that draws most viewers as its rivals stand (`community.rivals`); effort as the bandit's."""
    return _post(question, best_topic(question))


def model_creator(question: Question) -> Answers:
    """Topic, opening and ending of the title are drawn one by one, with chances in proportion to its model's weights.

    Where a scenario has no `retraining`, and so nobody a model, it posts as `niche` does. Effort as the bandit's.
    """
    if "topic_weights" not in question.columns:
        return niche_creator(question)
    allowed = question.field("topic").allowed  # type: ignore[union-attr]
    topic = _drawn_of_model(question, "topic_weights", allowed, lane=2)
    answers = _post(question, topic)
    if "title" in answers:
        names = question["topic_name"][np.arange(question.num_rows), topic]
        every = np.array(True)
        opening = _drawn_of_model(question, "opening_weights", every, lane=3)
        ending = _drawn_of_model(question, "ending_weights", every, lane=4)
        answers["title"] = template_titles(names, opening * NUM_ENDINGS + ending)
    return answers


def logit_viewer(question: Question) -> Answers:
    """Random utility: the chance of each post is exp(worth), of none exp(skip), over their sum.

    The worth of a post is appeal + taste + bond, and fatigue + trust where a scenario has them.

    Liking, following and leaving are binary logits: worth − like_bar, worth − follow_bar, leave_pull. So are sharing
    (worth − share_bar), unfollowing (unfollow_bar − worth) and reporting (report_bar + harm − worth). The share watched
    is logit-normal around worth − watch_bar, to a percent. A comment is a choice among none (comment_bar), praise
    (worth), question (0) and critique (−worth).

    Source: McFadden (1974), Conditional logit analysis of qualitative choice behavior.
    """
    is_shown = question.masks["appeal"]
    worth = np.where(is_shown, worth_of(question), -np.inf)
    pick = _logit_pick(worth, question["skip"], _luck(question, 0))
    watched = pick >= 0
    slot = np.maximum(pick, 0)
    leave = _luck(question, 3) < _logistic(question["leave_pull"])
    chosen = np.where(watched, worth[np.arange(question.num_rows), slot], 0.0)
    return {**_acts(question, watched, slot, chosen), "leave": leave.astype(np.int64)}


def attentive_viewer(question: Question) -> Answers:
    """The post that is worth most, or none if `skip` is more, after attention has faded: worth − 0.8 · log(rank).

    It likes, follows, leaves and so on as the scripted viewer does.

    Source: Chaney, Stewart, Engelhardt (2018), RecSys: argmax of known utility × rank^−0.8; here in logarithms.
    """
    worth = np.where(question.masks["appeal"], worth_of(question), -np.inf)
    rows = np.arange(question.num_rows)
    seen = worth - _ATTENTION * exact.log(np.arange(1, worth.shape[1] + 1))
    slot = seen.argmax(axis=1)
    watched = seen[rows, slot] > question["skip"]
    leave = _luck(question, 3) < _logistic(question["leave_pull"])
    return {
        **_acts(question, watched, slot, np.where(watched, worth[rows, slot], 0.0)),
        "leave": leave.astype(np.int64),
    }


def best_viewer(question: Question) -> Answers:
    """Watches the post worth most to it, of equals any with the same chance, if that is worth more than `skip`.

    It likes, follows and so on as the scripted viewer does, and never leaves.
    """
    is_shown = question.masks["appeal"]
    worth = np.where(is_shown, worth_of(question), -np.inf)
    top = worth.max(axis=1)
    is_best = (worth == top[:, None]) & is_shown
    ticket = (_luck(question, 0) * is_best.sum(axis=1)).astype(np.int64)
    slot = (is_best.cumsum(axis=1) <= ticket[:, None]).sum(axis=1)
    watched = is_shown.any(axis=1) & (top > question["skip"])
    slot = np.minimum(slot, worth.shape[1] - 1)
    none = np.zeros(question.num_rows, np.int64)
    return {**_acts(question, watched, slot, np.where(watched, top, 0.0)), "leave": none}


def _acts(question: Question, watched: Array, slot: Array, worth: Array) -> dict[str, Array]:
    """What a viewer does who watches the post in a slot, whose worth is this: all that is asked, but for leaving."""
    asked = [field.name for field in question.fields if field.name in _ACTS]
    done = {name: np.where(watched, _ACTS[name](question, worth, slot), NOT_ASKED) for name in asked}
    return {"watch": watched.astype(np.int64), "pick": np.where(watched, slot, NOT_ASKED), **done}


def _follow(question: Question, worth: Array, slot: Array) -> Array:
    is_followed = question["is_followed"][np.arange(question.num_rows), slot]
    return ~is_followed & (_luck(question, 2) < _logistic(worth - question["follow_bar"]))


def _share_watched(question: Question, worth: Array, slot: Array) -> Array:
    """Percent, 1 to 100.

    Source of the logit-normal: Atchison, Shen (1980), Logistic-normal distributions: some properties and uses.
    """
    luck = _luck_of(seeds.normal, question, 4)
    return np.maximum(np.rint(100 * _logistic(worth - question["watch_bar"] + luck)), 1).astype(np.int64)


def _comment(question: Question, worth: Array, slot: Array) -> Array:
    said = np.stack([worth, np.zeros_like(worth), -worth], axis=1)
    return _logit_pick(said, question["comment_bar"], _luck(question, 6)) + 1


def _unfollow(question: Question, worth: Array, slot: Array) -> Array:
    is_followed = question["is_followed"][np.arange(question.num_rows), slot]
    return is_followed & (_luck(question, 7) < _logistic(question["unfollow_bar"] - worth))


def _report(question: Question, worth: Array, slot: Array) -> Array:
    harm = question["harm"][np.arange(question.num_rows), slot]
    return _luck(question, 8) < _logistic(question["report_bar"] + harm - worth)


_ACTS: dict[str, Callable[[Question, Array, Array], Array]] = {
    "like": lambda question, worth, slot: _luck(question, 1) < _logistic(worth - question["like_bar"]),
    "follow": _follow,
    "share_watched": _share_watched,
    "share": lambda question, worth, slot: _luck(question, 5) < _logistic(worth - question["share_bar"]),
    "comment": _comment,
    "unfollow": _unfollow,
    "report": _report,
}
"""By field: what a viewer does with a post of this worth, in this slot."""


_PUBLISHERS: dict[str, Expert] = {
    "scripted": bandit_creator,
    "best_reply": best_reply_creator,
    "trend": trend_creator,
    "niche": niche_creator,
    "model": model_creator,
}
EXPERTS: dict[str, dict[str, Expert]] = {
    "human_creator.publish": _PUBLISHERS,
    "ai_creator.publish": _PUBLISHERS,
    "viewer.react": {"scripted": logit_viewer, "best": best_viewer, "attentive": attentive_viewer},
}


def _logit_pick(worth: Array, skip: Array, u: Array) -> Array:
    """The slot that each draw picks, −1 for none; worth is (rows, slots), −inf where nothing is shown."""
    top = np.maximum(worth.max(axis=1), skip)
    below = exact.exp(skip - top)
    ends = [below]
    weights = exact.exp(worth - top[:, None])
    for slot in range(worth.shape[1]):  # one after another: the order of a float sum is part of the result
        below = below + weights[:, slot]
        ends.append(below)
    ticket = u * below
    pick = sum(((ticket >= end).astype(np.int64) for end in ends[:-1]), np.full(len(skip), -1))
    return cast(Array, pick)


def _logistic(x: Array) -> Array:
    return cast(Array, 1.0 / (1.0 + exact.exp(-x)))


def _luck(question: Question, lane: int) -> Array:
    return _luck_of(seeds.uniform, question, lane)


def _luck_of(draw: Callable[..., Array], question: Question, lane: int) -> Array:
    return draw(seeds.MIND, question.seed, question.step, question.name, (question.key["subject"],), lane)


def _per_topic(question: Question, draw: Callable[..., Array]) -> Array:
    """One draw a row and topic, (rows, topics)."""
    shape = question["trend"].shape
    subject, topic = np.repeat(question.key["subject"], shape[1]), np.tile(np.arange(shape[1]), shape[0])
    seed = np.repeat(question.seed, shape[1])
    return draw(seeds.MIND, seed, question.step, question.name, (subject, topic), lane=0).reshape(shape)


def _best_topic(question: Question, score: Array) -> Array:
    allowed = question.fields[0].allowed  # type: ignore[union-attr]
    return np.where(allowed, score, -np.inf).argmax(axis=1)


def _drawn_topic(question: Question, weight: Array) -> Array:
    """A topic with a chance in proportion to its weight: the best of log weight + Gumbel noise."""
    noise = -exact.log(-exact.log(_per_topic(question, seeds.uniform)))
    return _best_topic(question, exact.log(weight) + noise)


def _drawn_of_model(question: Question, weights: str, allowed: Array, lane: int) -> Array:
    """What each row's model draws; anything that is allowed where it knows of nothing."""
    weight = question[weights] * allowed
    return drawn_by_row(np.where(weight.any(axis=1, keepdims=True), weight, allowed), _luck(question, lane))


def _post(question: Question, topic: Array) -> dict[str, Array]:
    """A post on the topic: the effort that it can be expected to pay for, and a title where one is asked."""
    income = question["views"] * question["pay_per_view"] // np.maximum(question["posts"], 1)
    fits = question["effort_cost"] * _EFFORT_SHARE <= income[:, None]
    fits &= question.field("effort").allowed  # type: ignore[union-attr]
    fits[:, 0] = True
    levels = np.arange(fits.shape[1])
    answers = {"topic": topic, "effort": np.where(fits, levels, 0).max(axis=1)}
    if any(field.name == "title" for field in question.fields):
        rows = np.arange(question.num_rows)
        pick = np.minimum((_luck(question, 1) * NUM_TITLES).astype(np.int64), NUM_TITLES - 1)
        answers["title"] = template_titles(question["topic_name"][rows, topic], pick)
    return answers
