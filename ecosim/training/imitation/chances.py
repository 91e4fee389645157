"""Teacher `chances`: the community's scripted minds, who draw what they do, with the chances that they draw by.

A logit viewer and a bandit creator answer by luck. Their one answer of today says little; the chances behind it, worked
out from the same columns, are the whole rule. Thompson sampling takes the best of some normal draws: the chance that a
draw is the best is an integral over its own value of the chance that all others lie below, summed on a grid.

Source of the integral: Thompson (1933), On the likelihood that one unknown probability exceeds another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from scipy.special import expit, ndtr, ndtri

from ecosim.community.side import SIDE
from ecosim.community.worth import worth
from ecosim.errors import CatalogError
from ecosim.fields import Array
from ecosim.minds.scripted import Experts
from ecosim.training.imitation.collect import Lesson, Soft
from ecosim.words import Answers, Question

_REACH, _NODES = 5.0, 61
"""The grid of standard normal values: beyond 5 there is less than one draw in a million."""
_ROWS_AT_ONCE = 256
_QUANTILES = 15
"""Into how many equally likely answers a number that is drawn is cut."""


class Chances:
    """A scripted mind that samples, as a teacher who says how likely each answer was."""

    name = "chances"

    def __init__(self, role: str, phase: str) -> None:
        question = f"{role}.{phase}"
        if phase not in _WEIGHERS or question not in SIDE.experts:
            known = ", ".join(_WEIGHERS)
            raise CatalogError(f"{question}: teacher 'chances' knows what is drawn in {known}; name another teacher")
        self._mind = Experts("scripted", {question: SIDE.experts[question]["scripted"]})
        self._weigh = _WEIGHERS[phase]

    def teach(self, question: Question) -> Lesson:
        """What the mind answers, and the chance of every answer that it might have given in its place."""
        answers = self._mind.decide(question).answers
        return Lesson(question=question, answers=answers, soft=self._weigh(question, answers))


def teacher(role: str, phase: str) -> Chances:
    """The teacher of a question.

    Raises:
        CatalogError: nothing is drawn there.
    """
    return Chances(role, phase)


def best_of_normals(mean: Array, spread: Array, least: Array | None = None) -> Array:
    """The chance of each of some normal draws to be the best, and above `least`, (rows, draws); NaN means are never.

    >>> best_of_normals(np.array([[0.0, 0.0, np.nan]]), np.array([[1.0, 2.0, 1.0]])).round(3)
    array([[0.5, 0.5, 0. ]])
    """
    parts = range(0, len(mean), _ROWS_AT_ONCE)
    floor = np.full(len(mean), -np.inf) if least is None else least
    cut = [slice(at, at + _ROWS_AT_ONCE) for at in parts]
    return np.concatenate([_best(mean[s], spread[s], floor[s]) for s in cut]) if cut else np.zeros(mean.shape)


def _best(mean: Array, spread: Array, least: Array) -> Array:
    z = np.linspace(-_REACH, _REACH, _NODES)
    there = np.isfinite(mean)
    centre, width = np.where(there, mean, 0.0), np.where(there, spread, 1.0)
    value = centre[:, :, None] + width[:, :, None] * z  # (rows, own, nodes)
    weight = np.exp(-0.5 * z * z) * (value > least[:, None, None])
    for other in range(mean.shape[1]):
        below = ndtr((value - centre[:, other, None, None]) / width[:, other, None, None])
        below[:, other] = 1.0
        weight = weight * np.where(there[:, other, None, None], below, 1.0)
    raw = weight.sum(axis=2) * there
    total = raw.sum(axis=1, keepdims=True)
    beaten = np.where(there, ndtr((least[:, None] - centre) / width), 1.0).prod(axis=1)
    return np.where(total > 0, raw / np.where(total > 0, total, 1.0), 0.0) * (1 - beaten)[:, None]


# ---- by question ----------------------------------------------------------------------------------------------------


def _react(question: Question, answers: Answers) -> dict[str, Soft]:
    """As `community.experts.logit_viewer` draws; what is asked of a post is asked of the one that was picked."""
    shown = np.where(question.masks["appeal"], worth(question), -np.inf)
    top = np.maximum(shown.max(axis=1), question["skip"])
    weights, skip = np.exp(shown - top[:, None]), np.exp(question["skip"] - top)
    total = weights.sum(axis=1)
    rows, slot = np.arange(question.num_rows), np.maximum(answers["pick"], 0)
    chosen = np.where(answers["watch"] == 1, shown[rows, slot], 0.0)
    is_followed = question["is_followed"][rows, slot]
    pick = weights / np.where(total > 0, total, 1.0)[:, None]
    found = {"watch": _yes(total / (total + skip)), "pick": _each(pick), "leave": _yes(expit(question["leave_pull"]))}
    found["like"] = _yes(expit(chosen - question["like_bar"]))
    found["follow"] = _yes(np.where(is_followed, 0.0, expit(chosen - question["follow_bar"])))
    asked = {field.name for field in question.fields}
    if "share_watched" in asked:
        luck = ndtri((np.arange(_QUANTILES) + 0.5) / _QUANTILES)
        share = 100 * expit((chosen - question["watch_bar"])[:, None] + luck)
        percent = np.maximum(np.rint(share), 1).astype(np.int64)
        found["share_watched"] = percent, np.full(percent.shape, 1 / _QUANTILES)
    if "share" in asked:
        found["share"] = _yes(expit(chosen - question["share_bar"]))
    if "comment" in asked:
        said = np.exp(np.stack([question["comment_bar"], chosen, np.zeros_like(chosen), -chosen], axis=1))
        found["comment"] = _each(said / said.sum(axis=1, keepdims=True))
    if "unfollow" in asked:
        found["unfollow"] = _yes(np.where(is_followed, expit(question["unfollow_bar"] - chosen), 0.0))
    if "report" in asked:
        harm = question["harm"][rows, slot]
        found["report"] = _yes(expit(question["report_bar"] + harm - chosen))
    return found


def _publish(question: Question, answers: Answers) -> dict[str, Soft]:
    """As `community.experts.bandit_creator` draws."""
    known = question["posts_by_topic"] + 1
    mean = (question["views_by_topic"] + question["trend"]) / known
    allowed = question.field("topic").allowed  # type: ignore[union-attr]
    spread = np.maximum(mean, 1.0) / np.sqrt(known)
    return {"topic": _each(best_of_normals(np.where(allowed, mean, np.nan), spread))}


def _invite(question: Question, answers: Answers) -> dict[str, Soft]:
    """As `community.collaboration.experts.bandit` draws."""
    alone = question["views_alone"] / np.maximum(question["posts_alone"], 1)
    known = question["candidate_works"] + 1
    mean = (question["candidate_views"] + alone[:, None]) / known
    allowed = question.field("invite").allowed[:, 1:]  # type: ignore[union-attr]
    best = best_of_normals(np.where(allowed, mean, np.nan), np.maximum(mean, 1.0) / np.sqrt(known), alone)
    return {"invite": _each(np.concatenate([1 - best.sum(axis=1, keepdims=True), best], axis=1))}


_WEIGHERS: Mapping[str, Callable[[Question, Answers], dict[str, Soft]]] = {
    "react": _react,
    "publish": _publish,
    "invite": _invite,
}


def _yes(chance: Array) -> Soft:
    """No or yes, with this chance of yes."""
    return _each(np.stack([1 - chance, chance], axis=1))


def _each(chances: Array) -> Soft:
    """Every option, with its chance."""
    return np.broadcast_to(np.arange(chances.shape[1]), chances.shape), chances
