"""Those who negotiate by a rule: from what a negotiator sees to its move. Pure functions over columns.

Every tactic has a *target*: what a unit should cost a buyer, or bring a seller, with everything counted
(`rules.deals`).

* It accepts an offer that is at least as good as its target, and where gains are discounted, one that is as good as the
  target would be a round later. A seller refuses weeks in which it cannot deliver. Past its deadline it leaves.
* Else it offers the price at which a unit is worth its target, all that it needs (a seller: all that was asked for), in
  the week that it wants. Of the penalty a buyer asks for the largest at first and for none at its limit, a seller the
  other way round, in proportion to the price.

Where there is speech, all tactics react alike to what the other says: a rival's price that was cited is the other's
outside option, which they match down to their own limit; a threat moves their target a tenth of the way to their
limit, and at least a cent past their own last offer; to a promise of volume the time-dependent tactics give way as in
the next round; of an apology nothing follows but that the threat is gone. And they speak alike, by the first of these
that may be said: a seller that comes late apologises in its first round; a buyer asks in its first round; who has a
rival better than the offer cites it (as it is, or where bluffing is allowed and it has none, one a tenth better than
the offer); who makes a second offer promises its volume; who has one round left threatens. Else they just propose.

Sources: Faratin, Sierra, Jennings (1998), Negotiation decision functions for autonomous agents (time-dependent and
imitative tactics); Hou (2004), Predicting agents' tactics in automated negotiation (regression on the family of
tactics); Li, Giampapa, Sycara (2006), Bilateral negotiation decisions with uncertain dynamic outside options.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ecosim.exact import MILLION
from ecosim.fields import NOT_ASKED, Array, Bucket, Choice
from ecosim.manufacturing import speech
from ecosim.manufacturing.hearing import ACCEPT, COUNTER, REJECT
from ecosim.manufacturing.openings import CENT
from ecosim.manufacturing.opponent import fit, worth_waiting_for
from ecosim.rules import bargain, deals
from ecosim.words import Answers, Expert, Question, for_any_role

YIELD_TO_THREAT = 10
"""A threat moves the target by one of so many parts of the way to the limit."""
BLUFF = 10
"""A made-up rival is better than the standing offer by one of so many parts of it."""

Target = Callable[[Question, bool], Array]
"""The target of every row, for buyers (True) or sellers, EUR/1e6."""


@for_any_role
def mixed(question: Question) -> Answers:
    """A population: the firms of a network are Boulware, linear and Conceder negotiators in turn, by their id.

    Source: Faratin, Sierra, Jennings (1998), Negotiation decision functions for autonomous agents.
    """
    return moved(question, lambda q, is_buyer: _time_based(q, is_buyer, q.key["subject"] % len(bargain.TACTICS)))


@for_any_role
def boulware(question: Question) -> Answers:
    """A negotiator who gives way late: its aspiration falls with the fourth power of time.

    Source: Faratin, Sierra, Jennings (1998), Negotiation decision functions for autonomous agents.
    """
    return moved(question, lambda q, is_buyer: _time_based(q, is_buyer, 0))


@for_any_role
def linear(question: Question) -> Answers:
    """A negotiator who gives way evenly until its deadline.

    Source: Faratin, Sierra, Jennings (1998), Negotiation decision functions for autonomous agents.
    """
    return moved(question, lambda q, is_buyer: _time_based(q, is_buyer, 1))


@for_any_role
def conceder(question: Question) -> Answers:
    """A negotiator who gives way early: its aspiration falls with the fourth root of time.

    Source: Faratin, Sierra, Jennings (1998), Negotiation decision functions for autonomous agents.
    """
    return moved(question, lambda q, is_buyer: _time_based(q, is_buyer, 2))


@for_any_role
def tit_for_tat(question: Question) -> Answers:
    """A negotiator who gives way in the proportion in which the other did: own price × other's last but one ÷ last.

    It opens with its best price and stays there until the other has made two offers; in its last round it offers its
    limit and takes any gain.

    Source: Faratin, Sierra, Jennings (1998), equation of relative tit-for-tat with a lag of one offer.
    """
    return moved(question, _imitated)


@for_any_role
def averaged_tit_for_tat(question: Question) -> Answers:
    """As `tit_for_tat`, over the other's last three offers once it has made them.

    Source: Faratin, Sierra, Jennings (1998), equation of averaged tit-for-tat with a window of two offers.
    """
    return moved(question, lambda q, is_buyer: _imitated(q, is_buyer, window=2))


@for_any_role
def best_response(question: Question) -> Answers:
    """A negotiator who foresees the other's offers by regression and waits for the best of them; see `opponent`.

    Until it has seen three offers it is Boulware; in its last round it offers its limit and takes any gain.

    Source: Hou (2004), Predicting agents' tactics in automated negotiation.
    """
    return moved(question, _best_response)


@for_any_role
def with_rivals(question: Question) -> Answers:
    """A negotiator who gives way evenly, never past the best offer of its other talks: that is its outside option.

    Without rivals in view (`negotiation.rivals: true`) it is the linear tactic.

    Source: Li, Giampapa, Sycara (2006), Bilateral negotiation decisions with uncertain dynamic outside options.
    """
    return moved(question, _with_rivals)


# ---- targets ------------------------------------------------------------------------------------------------------


def _time_based(question: Question, is_buyer: bool, tactic: Array | int) -> Array:
    """Ask for a share of the whole gain that falls with time, by the exponent of each row; see `rules.bargain`."""
    price = _bucket(question, "price")
    return _shared_out(price.low, price.high, _aspiration(question, tactic), is_buyer)


def _imitated(question: Question, is_buyer: bool, window: int = 1) -> Array:
    price, prices = _bucket(question, "price"), question["offers_price"]
    seen = question.masks["offers_price"]
    best, limit = (price.low, price.high) if is_buyer else (price.high, price.low)
    last, own = np.maximum(prices[:, 0], 1), question["own_price"]
    before = prices[:, 2].copy()
    if window == 2:
        before = np.where(seen[:, 4], prices[:, 4], before)
    wish = np.where(seen[:, 2], own * before // last, np.where(question["has_own"] == 1, own, best))
    wish = np.minimum(np.maximum(wish, price.low), price.high)
    return np.where(question["rounds_left"] == 0, limit, wish)


def _best_response(question: Question, is_buyer: bool) -> Array:
    price = _bucket(question, "price")
    limit = price.high if is_buyer else price.low
    seen, known = question.masks["offers_price"][:, 4], _time_based(question, is_buyer, 0)
    if not seen.any():
        return known
    offers = question["offers_price"][:, [4, 2, 0]]
    discount = question["discount"] if "discount" in question.columns else np.ones(len(limit))
    last = question["round"] - is_buyer  # the buyer moves first: it has seen offers up to the round before
    other = 2 * question["market_price"] - limit
    best = worth_waiting_for(
        fit(offers, last), offers[:, 2], last, question["rounds_left"], (limit, other), discount, is_buyer
    )
    best = np.minimum(best, limit) if is_buyer else np.maximum(best, limit)
    return np.where(question["rounds_left"] == 0, limit, np.where(seen, best, known))


def _with_rivals(question: Question, is_buyer: bool) -> Array:
    price = _bucket(question, "price")
    if "rival_price" not in question.columns:
        return _time_based(question, is_buyer, 1)
    rival, share = question["rival_price"], _aspiration(question, 1)
    if is_buyer:
        limit = np.where(rival >= 0, np.maximum(np.minimum(rival, price.high), price.low), price.high)
        return _shared_out(price.low, limit, share, is_buyer)
    limit = np.where(rival >= 0, np.minimum(np.maximum(rival, price.low), price.high), price.low)
    return _shared_out(limit, price.high, share, is_buyer)


def _shared_out(low: Array, high: Array, share: Array, is_buyer: bool) -> Array:
    return bargain.buyer_price(low, high, share) if is_buyer else bargain.seller_price(low, high, share)


def _aspiration(question: Question, tactic: Array | int) -> Array:
    """The aspiration of each row; the last round is the end of time."""
    round_ = question["round"]
    last = round_ + question["rounds_left"]
    if "said" in question.columns:
        round_ = np.minimum(round_ + (question["said"] == speech.PROMISE), last)
    return bargain.demanded(tactic, round_, last)


# ---- moves --------------------------------------------------------------------------------------------------------


def moved(question: Question, tactic: Target) -> Answers:
    """The move that follows from a target; a question of the market has buyers or sellers, any mixture is answered."""
    is_buyer = question["is_buyer"] == 1
    if is_buyer.all():
        return _move(question, tactic, True)
    if not is_buyer.any():
        return _move(question, tactic, False)
    answers: dict[str, Array] = {}
    for side, rows in ((True, np.flatnonzero(is_buyer)), (False, np.flatnonzero(~is_buyer))):
        for name, column in _move(question.take(rows), tactic, side).items():
            answers.setdefault(name, np.full(question.num_rows, NOT_ASKED))[rows] = column
    return answers


def _move(question: Question, tactic: Target, is_buyer: bool) -> Answers:
    target = tactic(question, is_buyer)
    price, quantity, week = (_bucket(question, name) for name in ("price", "quantity", "week"))
    limit = price.high if is_buyer else price.low
    has_words = "said" in question.columns
    if has_words:
        target = _impressed(question, target, limit, is_buyer)
    allowed = _choice(question, "act").allowed
    accept = _is_good(question, target, limit, is_buyer) & allowed[:, ACCEPT]
    act = np.where(accept, ACCEPT, np.where(allowed[:, COUNTER], COUNTER, REJECT))
    wish = question["need"] if is_buyer else np.minimum(question["offer_quantity"], question["need"])
    if has_words:
        told = question["told_need"]
        wish = np.where(told > 0, np.minimum(wish, told), wish)
    answers = {"act": act, "price": target, "quantity": quantity.snap(wish), "week": week.snap(question["wanted_week"])}
    if "expected_lateness" in question.columns:
        answers["penalty"] = _penalty(question, target, is_buyer)
        answers["price"] = _priced(target, answers["penalty"], question["expected_lateness"], is_buyer)
    answers["price"] = price.snap(answers["price"] if is_buyer else answers["price"] + price.step - 1)
    if has_words:
        answers["speech"] = _spoken(question, is_buyer)
    counter = act == COUNTER
    if not counter.all():
        answers = {n: column if n == "act" else np.where(counter, column, NOT_ASKED) for n, column in answers.items()}
    if has_words and any(spec.name == "claim" for spec in question.fields):
        answers["claim"] = np.where(answers["speech"] == speech.CITE, _claim(question, is_buyer), NOT_ASKED)
    return answers


def _is_good(question: Question, target: Array, limit: Array, is_buyer: bool) -> Array:
    """Whether the standing offer is as good as the target, or as good as that would be a round later."""
    if "discount" in question.columns:
        kept = ((target - limit) * question["discount"]).astype(np.int64)  # cut towards 0: towards the limit
        target = limit + kept
    value = worth(question, is_buyer)
    if is_buyer:
        return value <= target
    return (value >= target) & (question["offer_week"] >= question["wanted_week"])


def worth(question: Question, is_buyer: bool) -> Array:
    """What a unit of the standing offer costs a buyer or brings a seller, with everything counted."""
    price = question["offer_price"]
    terms: tuple[Array, ...] = ()
    if "expected_lateness" in question.columns:
        terms = (np.maximum(question["offer_penalty"], 0), question["expected_lateness"])
    if not is_buyer:
        return deals.return_to_seller(price, *terms)
    return deals.cost_to_buyer(price, np.maximum(question["offer_week"] - question["wanted_week"], 0), *terms)


def _penalty(question: Question, target: Array, is_buyer: bool) -> Array:
    """The penalty in proportion to the price that is asked for: the best for the side at its best price."""
    price, grid = _bucket(question, "price"), _bucket(question, "penalty")
    span = np.maximum(price.high - price.low, 1)
    part = (price.high - target) * (grid.high // grid.step) // span
    return grid.snap(part * grid.step)


def _priced(target: Array, penalty: Array, lateness: Array, is_buyer: bool) -> Array:
    """The price at which a unit is worth the target, given the penalty."""
    left = MILLION - penalty * lateness // MILLION
    return target * MILLION // left if is_buyer else -(-target * MILLION // left)


# ---- words --------------------------------------------------------------------------------------------------------


def _impressed(question: Question, target: Array, limit: Array, is_buyer: bool) -> Array:
    """The target after what the other has said."""
    cited, threatened = question["said_cited"], question["said_threat"] == 1
    sign = 1 if is_buyer else -1  # towards the limit is up for a buyer, down for a seller
    away = sign * (limit - target)  # how far the limit is, ≥ 0
    matched = np.where(cited >= 0, sign * (cited - target), 0)
    own = np.where(question["has_own"] == 1, sign * (question["own_price"] - target) + CENT, 0)
    pressed = np.where(threatened, np.maximum(away // YIELD_TO_THREAT, own), 0)
    return target + sign * np.minimum(np.maximum(np.maximum(matched, pressed), 0), away)


def _spoken(question: Question, is_buyer: bool) -> Array:
    """What to say with an offer: the first in the module's list that is allowed."""
    allowed = _choice(question, "speech").allowed
    first = question["round"] == 1
    offer, rival = question["offer_price"], question["rival_price"]
    has_better = (rival >= 0) & ((rival < offer) if is_buyer else (rival > offer))
    can_bluff = np.array([any(spec.name == "claim" for spec in question.fields)])
    wants = (
        (speech.APOLOGISE, first & (not is_buyer)),
        (speech.ASK, first & is_buyer),
        (speech.CITE, has_better | (can_bluff & (question["round"] == 3))),
        (speech.PROMISE, (question["round"] == 2) & (question["own_promise"] == 0)),
        (speech.THREATEN, question["rounds_left"] == 1),
    )
    said = np.full(question.num_rows, speech.PROPOSE)
    for act, wanted in reversed(wants):
        said = np.where(wanted & allowed[:, act], act, said)
    return said


def _claim(question: Question, is_buyer: bool) -> Array:
    """The rival's price if it is better than the offer, else one that is made up."""
    grid, offer, rival = _bucket(question, "claim"), question["offer_price"], question["rival_price"]
    has_better = (rival >= 0) & ((rival < offer) if is_buyer else (rival > offer))
    made_up = offer - offer // BLUFF if is_buyer else offer + offer // BLUFF
    return grid.snap(np.where(has_better, rival, made_up))


def _bucket(question: Question, name: str) -> Bucket:
    spec = question.field(name)
    assert isinstance(spec, Bucket)
    return spec


def _choice(question: Question, name: str) -> Choice:
    spec = question.field(name)
    assert isinstance(spec, Choice)
    return spec


NEGOTIATE: Mapping[str, Expert] = {
    "scripted": mixed, "mixed": mixed, "boulware": boulware, "linear": linear, "conceder": conceder,
    "tit_for_tat": tit_for_tat, "averaged_tit_for_tat": averaged_tit_for_tat, "best_response": best_response,
    "with_rivals": with_rivals,
}  # fmt: skip
