"""Negotiators of the bargaining table: rules of thumb over the question's columns, whole numbers wherever they decide.

Time-based agents ask, in round n of N, for reservation + (best − reservation) · (1 − (n ÷ (N + 1))^e), with e = 4
(Boulware), 1 (linear) or ¼ (Conceder). All accept an offer that is worth at least what they ask for, and offer the
worst of their own outcomes that is. They would rather go without a deal than take less than their reservation value,
which, where agreements lose value with each round, an agreement must be worth now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from math import prod
from typing import Any

import numpy as np

from ecosim.exact import MILLION
from ecosim.fields import NOT_ASKED, Array, Choice
from ecosim.manufacturing.table_acts import ACCEPT, COUNTER, INSIST, REJECT
from ecosim.rules import bargain
from ecosim.words import Answers, Expert, Question

TACTICS = (bargain.BOULWARE, bargain.LINEAR, bargain.CONCEDER)
_STEPS = 4
"""How far down its ranking a negotiator is followed step by step; most give way by one or two."""

Pick = Callable[[Question, Array, Array], Array]
"""Which outcome to offer in some rows, as a place in the own ranking, given the least utility to ask for."""


def boulware(question: Question) -> Answers:
    """A negotiator who gives way late: its aspiration falls with the fourth power of time.

    Source: Faratin, Sierra, Jennings (1998), Negotiation decision functions for autonomous agents.
    """
    return _answer(question, _aspiration(question, bargain.BOULWARE))


def linear(question: Question) -> Answers:
    """A negotiator who gives way evenly until its deadline.

    Source: Faratin, Sierra, Jennings (1998), Negotiation decision functions for autonomous agents.
    """
    return _answer(question, _aspiration(question, bargain.LINEAR))


def conceder(question: Question) -> Answers:
    """A negotiator who gives way early: its aspiration falls with the fourth root of time.

    Source: Faratin, Sierra, Jennings (1998), Negotiation decision functions for autonomous agents.
    """
    return _answer(question, _aspiration(question, bargain.CONCEDER))


def mixed(question: Question) -> Answers:
    """A population: firms are Boulware, linear and Conceder negotiators in turn, by their id.

    Source: Faratin, Sierra, Jennings (1998), Negotiation decision functions for autonomous agents.
    """
    tactic = question.key["subject"] % len(TACTICS)
    return _answer(question, np.choose(tactic, [_aspiration(question, exponent) for exponent in TACTICS]))


def tit_for_tat(question: Question) -> Answers:
    """A negotiator who concedes in proportion: what it asks for shrinks as what the other withholds has shrunk.

    Withheld is what is missing to a utility of 1 in the other's offer; if its last move has cut that by a tenth, this
    one asks for a tenth less than before. It begins with its best outcome, never raises its demand, and answers a
    stubborn opponent with stubbornness, so two of them never agree.

    Source: Faratin, Sierra, Jennings (1998), relative tit-for-tat, here on utilities.
    """
    before, now = question["offer_before"], question["offer_utility"]
    was, left = np.maximum(MILLION - before, 1), np.maximum(MILLION - now, 0).astype(np.int64)
    less = (before >= 0) & (left < was)
    asks = np.where(question["has_own"] == 1, question["own_utility"], question["best"])
    asks = np.where(less, asks * left // was, asks)
    return _answer(question, np.maximum(asks, _least(question)))


def best_response(question: Question) -> Answers:
    """A Boulware negotiator who makes each concession where the other seems to want it most.

    The other's weights are taken from how often each issue stayed as it was when it changed its offer, its values from
    how far an option is from that of its first offer. Of all own outcomes worth at least the aspiration, it offers the
    one that is best for the other by that estimate; of equals the one best for itself.

    Source: frequency model of Hindriks, Tykhonov (2008) and van Krimpen, Looije, Hajizadeh (2013, HardHeaded), with
    ordered options in place of counts.
    """
    return _answer(question, _aspiration(question, bargain.BOULWARE), _for_the_other, may_insist=False)


def _answer(question: Question, floor: Array, pick: Pick | None = None, *, may_insist: bool = True) -> Answers:
    """Accept what is worth the floor; else offer a new outcome that is, or insist where the last one still is the pick.

    Args:
        question: with the usual columns.
        floor: the least utility to ask for, millionths, int64 (rows,).
        pick: which outcome; by default the worst of the own ones.
        may_insist: whether the last offer is known to be the pick, if it is the worst at or above the floor.
    """
    may = _may(question)
    act = np.full(question.num_rows, COUNTER, np.int8)
    if may_insist and may[INSIST] is not False:
        act += (question["own_utility"] >= floor) & (question["below_utility"] < floor) & may[INSIST]
    no_gain = question["best"] < floor
    if may[COUNTER] is not True or no_gain.any():
        act[no_gain | np.logical_not(may[COUNTER])] = REJECT
    if may[ACCEPT] is not False:
        act[((question["offer_utility"] >= floor) & may[ACCEPT]).nonzero()[0]] = ACCEPT
    rows = (act == COUNTER).nonzero()[0]
    if len(rows) == 0:
        return {"act": act, **_spelt(question, rows, rows)}
    place = (pick or _worst)(question, rows, floor.take(rows))
    return {"act": act, **_spelt(question, rows, _at(question["ranked"], rows, place))}


def _may(question: Question) -> Sequence[Array | bool]:
    """Which acts are allowed: by act a column, or one bool where it is the same for all."""
    allowed = _choice(question, "act").allowed
    if allowed.strides[0] == 0:
        same: list[bool] = allowed[0].tolist()
        return same
    return tuple(allowed.T)


def _spelt(question: Question, rows: Array, outcome: Array) -> Answers:
    """Outcomes of some rows as answers issue by issue; elsewhere nothing is asked."""
    options = _options(tuple(_sizes(question)))
    if len(rows) == 0:
        return dict.fromkeys((f"issue_{i + 1}" for i in range(len(options))), _nothing(question.num_rows))
    columns = np.full((len(options), question.num_rows), NOT_ASKED, np.int16)
    for column, option in zip(columns, options, strict=True):
        column[rows] = option.take(outcome)
    return {f"issue_{i + 1}": column for i, column in enumerate(columns)}


@lru_cache(64)
def _nothing(rows: int) -> Array:
    """What is answered where nothing is asked; takes no room."""
    return np.broadcast_to(np.int16(NOT_ASKED), rows)


@cache
def _options(sizes: tuple[int, ...]) -> tuple[Array, ...]:
    """The option of each issue in every outcome, where issues have so many options."""
    return tuple(option.astype(np.int16) for option in np.unravel_index(np.arange(prod(sizes)), sizes))


def _worst(question: Question, rows: Array, floor: Array) -> Array:
    """The place of the worst own outcome at or above the floor: down from the last offer, or by halving the list."""
    ladder = question["ladder"]
    last, flat = ladder.shape[1] - 1, ladder.reshape(-1)
    start = question["own_place"].take(rows).astype(np.int64)
    start += question["below_utility"].take(rows) >= floor
    start[question["own_utility"].take(rows) < floor] = 0  # the best is at or above every floor asked for
    at = rows * (last + 1) + start
    goes = np.ones(len(rows), bool)
    low = start.copy()
    for step in range(1, _STEPS + 1):  # a step past the end of a list is taken by lists that are worth it to the end
        goes &= flat.take(at + step, mode="clip") >= floor
        low += goes
    low = np.minimum(low, last, out=low)
    far = (goes & (low < last)).nonzero()[0]
    if len(far):
        low[far] = _halved(ladder, rows[far], low[far], floor[far])
    return low


def _halved(ladder: Array, rows: Array, low: Array, floor: Array) -> Array:
    """The last place whose utility is at or above the floor, at `low` or below it in the list, by bisection."""
    high = np.full(len(rows), ladder.shape[1])
    while (high - low > 1).any():
        middle = (low + high) // 2
        fits = _at(ladder, rows, middle) >= floor
        low, high = np.where(fits, middle, low), np.where(fits, high, np.maximum(middle, low + 1))
    return low


def _for_the_other(question: Question, rows: Array, floor: Array) -> Array:
    """The place, among own outcomes at or above the floor, of the one that seems best for the other."""
    ranked, sizes = question["ranked"][rows], _sizes(question)
    first = np.where(question["has_offer"][rows, None] == 1, question["offer_first"][rows], -1)
    guess = np.zeros((len(rows), 1), np.int64)
    for i in range(len(sizes) - 1, -1, -1):
        near = MILLION - MILLION * np.abs(np.arange(sizes[i]) - first[:, i, None]) // max(sizes[i] - 1, 1)
        worth = (question["offer_kept"][rows, i, None] + 1) * np.where(first[:, i, None] < 0, 0, near)
        guess = (worth[:, :, None] + guess[:, None, :]).reshape(len(rows), sizes[i] * guess.shape[1])
    order = np.take_along_axis(guess, ranked.astype(np.int64), axis=1)
    return np.asarray(np.where(question["ladder"][rows] >= floor[:, None], order, -1).argmax(axis=1))


def _aspiration(question: Question, exponent: float) -> Array:
    """What a time-based negotiator asks for now, millionths, rounded up, int64 (rows,)."""
    least = _least(question)
    gain = (question["best"] - least) * _share(question, exponent)
    return np.asarray(least + np.ceil(gain, out=gain).astype(least.dtype))


def _share(question: Question, exponent: float) -> Array | float:
    """The share of its whole gain that it asks for; looked up, as rounds are few and rows are many."""
    round_, left = question["round"], question["rounds_left"]
    now, more = _one(round_), _one(left)
    if now is not None and more is not None:
        return _shares(exponent, int(now), int(now + more) + 1)[-1]
    last = round_ + left
    spans = int(last.max()) + 1
    found = np.empty(len(round_))
    for one in np.unique(round_).tolist():
        mine = round_ == one
        found[mine] = np.array(_shares(exponent, one, spans))[last[mine]]
    return found


@cache
def _shares(exponent: float, round_: int, spans: int) -> tuple[float, ...]:
    """The share asked for in a round, by the last round, 0 … spans − 1 (from the deadline on, that of the deadline)."""
    last = np.arange(spans)
    shares: list[float] = bargain.aspiration(bargain.elapsed(np.minimum(round_, last), last), exponent).tolist()
    return tuple(shares)


def _least(question: Question) -> Array | np.int32:
    """What an agreement must be worth, before the discount, to be as good as none; whole millionths (rows,) or one."""
    discount, reservation = _one(question["discount"]), _one(question["reservation"])
    if discount == 1.0:
        return question["reservation"] if reservation is None else np.int32(reservation)
    return np.asarray(np.ceil(question["reservation"] / question["discount"]).astype(np.int64))


def _one(column: Array) -> Any:
    """What all rows of a column hold, or None where they differ; a column spread out by broadcasting isn't read."""
    return column[0] if column.strides[0] == 0 or (column == column[0]).all() else None


def _at(matrix: Array, rows: Array, slots: Array) -> Array:
    """One value of each of some rows."""
    return np.asarray(matrix.reshape(-1).take(rows * matrix.shape[1] + slots))


def _sizes(question: Question) -> list[int]:
    """How many options each issue has."""
    return [len(_choice(question, spec.name).options) for spec in question.fields[1:]]


def _choice(question: Question, name: str) -> Choice:
    spec = question.field(name)
    assert isinstance(spec, Choice)
    return spec


BARGAIN: Mapping[str, Expert] = {
    "scripted": mixed, "mixed": mixed, "boulware": boulware, "linear": linear, "conceder": conceder,
    "tit_for_tat": tit_for_tat, "best_response": best_response,
}  # fmt: skip
EXPERTS = {f"{role}.bargain": BARGAIN for role in ("supplier", "manufacturer", "distributor")}
