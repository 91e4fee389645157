"""The field's own rules of thumb, as minds: pure functions from a question's columns to its answers.

Baselines for learned minds, and their teachers. Integer arithmetic, or floats through `exact`, so that their answers
have the same bits everywhere.

Negotiators ask for a share of their whole gain that falls to nothing at their deadline: in round n of N it is
1 − (n ÷ N)^e, with e = 4 (Boulware), 1 (linear) or ¼ (Conceder). A buyer's price is limit − share · (limit − lowest), a
seller's limit + share · (highest − limit), between the ends of the grid of prices. They accept an offer that gives them
the share that they would ask for now; a buyer counts each week of delay as one percent on the price, a seller refuses
weeks in which it cannot deliver. In their last round they offer their limit and take any gain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np

from ecosim import seeds
from ecosim.exact import MILLION, value
from ecosim.fields import NOT_ASKED, Array, Bucket, Choice
from ecosim.manufacturing.talks import ACCEPT, COUNTER, REJECT
from ecosim.rules import bargain
from ecosim.words import Answers, Expert, Question

SAFETY_WEEKS = 2
"""Weeks of demand that order-up-to holds as safety stock."""
FORECAST_WEEKS = 4
"""Weeks of history in the moving average."""
WAIT_COST_PERCENT = 1
"""What a buyer would pay less, in percent of the price, for each week that goods come later than it wants."""


def order_up_to(question: Question) -> Answers:
    """Order what lifts the inventory position to the forecast demand of lead time + review + safety.

    The forecast is the moving average of the last four weeks, the review takes one week, safety is two weeks of demand.
    So the order is forecast · (lead time + 1 + 2) − (on hand + on order − owed), never below 0. Makers order from
    themselves: what they plan to make.

    Source: Chen, Drezner, Ryan, Simchi-Levi (2000), Quantifying the bullwhip effect in a simple supply chain.
    """
    spec = _bucket(question, "quantity")
    forecast = question["demand_history"][:, :FORECAST_WEEKS].sum(axis=1) // FORECAST_WEEKS
    target = forecast * (question["lead_time"] + 1 + SAFETY_WEEKS)
    position = question["on_hand"] + question["on_order"] - question["owed"]
    return {"quantity": spec.snap(target - position + MILLION - 1)}


def heeding(question: Question) -> Answers:
    """As `order_up_to`, and more by the weeks of supply that the firm believes will be lost (forecast · weeks)."""
    if "feared_weeks" not in question.columns:
        return order_up_to(question)
    forecast = question["demand_history"][:, :FORECAST_WEEKS].sum(axis=1) // FORECAST_WEEKS
    target = forecast * (question["lead_time"] + 1 + SAFETY_WEEKS) + value(forecast, question["feared_weeks"])
    position = question["on_hand"] + question["on_order"] - question["owed"]
    return {"quantity": _bucket(question, "quantity").snap(target - position + MILLION - 1)}


def forecast_driven(question: Question) -> Answers:
    """A subscriber holds a week of demand and what may come above the forecast as safety; others as `order_up_to`.

    So the order is forecast · (lead time + 1 + 1) + (high − forecast) · (lead time + 1) − (on hand + on order − owed),
    with `high` the 90 % quantile of weekly demand as the forecaster gives it.
    """
    plain = order_up_to(question)["quantity"]
    if "forecast_high" not in question.columns:
        return {"quantity": plain}
    above = question["forecast_high"] - question["forecast"]
    weeks = question["lead_time"] + 1
    target = question["forecast"] * (weeks + 1) + above * weeks
    position = question["on_hand"] + question["on_order"] - question["owed"]
    wish = _bucket(question, "quantity").snap(target - position + MILLION - 1)
    return {"quantity": np.where(question["has_forecast"] == 1, wish, plain)}


def pass_on(question: Question) -> Answers:
    """Order what was asked for last week: no forecast, no correction."""
    return {"quantity": _bucket(question, "quantity").snap(question["demand_history"][:, 0])}


def most_reliable(question: Question) -> Answers:
    """Ask the seller with the best record of coming on time; among equals the first."""
    score = np.where(_choice(question, "partner").allowed, question["on_time"], -1.0)
    return {"partner": score.argmax(axis=1)}


def most_reputable(question: Question) -> Answers:
    """Ask the seller whose breaches are rarest, recent ones counting more; without a board, as `most_reliable`."""
    if "breach_chance" not in question.columns:
        return most_reliable(question)
    score = np.where(_choice(question, "partner").allowed, question["breach_chance"], 2.0)
    return {"partner": score.argmin(axis=1)}


def wary(question: Question) -> Answers:
    """As `any_partner`, but of sellers to whom it believes nothing will happen, if there are any."""
    plain = _choice(question, "partner").allowed
    if "is_feared" not in question.columns:
        return any_partner(question)
    calm = plain & (question["is_feared"] == 0)
    return {"partner": _any_of(question, np.where(calm.any(axis=1, keepdims=True), calm, plain))}


def cheapest(question: Question) -> Answers:
    """Ask the seller with the lowest list price; among equals the first."""
    dear = np.iinfo(np.int64).max
    score = np.where(_choice(question, "partner").allowed, question["list_price"], dear)
    return {"partner": score.argmin(axis=1)}


def any_partner(question: Question) -> Answers:
    """Ask any of the candidates, by the mind's own lot."""
    return {"partner": _any_of(question, _choice(question, "partner").allowed)}


def _any_of(question: Question, allowed: Array) -> Array:
    key = question.key
    parts = (key["subject"], key["item"], key["round"])
    lot = seeds.integers(allowed.sum(axis=1), seeds.MIND, question.seed, question.step, question.name, parts)
    return np.asarray((allowed.cumsum(axis=1) > lot[:, None]).argmax(axis=1))


def mixed(question: Question) -> Answers:
    """A population: the firms of a network are Boulware, linear and Conceder negotiators in turn, by their id.

    Source: Faratin, Sierra, Jennings (1998), Negotiation decision functions for autonomous agents.
    """
    return _time_based(question, TACTICS[question.key["subject"] % len(TACTICS)])


def boulware(question: Question) -> Answers:
    """A negotiator who gives way late: its aspiration falls with the fourth power of time.

    Source: Faratin, Sierra, Jennings (1998), Negotiation decision functions for autonomous agents.
    """
    return _time_based(question, bargain.BOULWARE)


def linear(question: Question) -> Answers:
    """A negotiator who gives way evenly until its deadline.

    Source: Faratin, Sierra, Jennings (1998), Negotiation decision functions for autonomous agents.
    """
    return _time_based(question, bargain.LINEAR)


def conceder(question: Question) -> Answers:
    """A negotiator who gives way early: its aspiration falls with the fourth root of time.

    Source: Faratin, Sierra, Jennings (1998), Negotiation decision functions for autonomous agents.
    """
    return _time_based(question, bargain.CONCEDER)


def _time_based(question: Question, exponent: Array | float) -> Answers:
    """A negotiator whose aspiration falls with time, with an exponent a row; see `rules.bargain`.

    After its deadline it leaves, if it cannot accept.
    """
    price, quantity, week = (_bucket(question, name) for name in ("price", "quantity", "week"))
    allowed = _choice(question, "act").allowed
    is_buyer = question["is_buyer"] == 1
    share = _aspiration(question["round"], question["round"] + question["rounds_left"], exponent)
    target = np.where(
        is_buyer,
        bargain.buyer_price(price.low, price.high, share),
        bargain.seller_price(price.low, price.high, share),
    )
    late = np.maximum(question["offer_week"] - question["wanted_week"], 0)
    worth = question["offer_price"] * (100 + WAIT_COST_PERCENT * late) // 100
    in_time = question["offer_week"] >= question["wanted_week"]
    good = np.where(is_buyer, worth <= target, (question["offer_price"] >= target) & in_time)
    accept = good & allowed[:, ACCEPT]
    act = np.where(accept, ACCEPT, np.where(allowed[:, COUNTER], COUNTER, REJECT))
    wish = np.where(is_buyer, question["need"], np.minimum(question["offer_quantity"], question["need"]))
    counter = act == COUNTER
    return {
        "act": act,
        "price": np.where(counter, _snap_up(price, target, ~is_buyer), NOT_ASKED),
        "quantity": np.where(counter, quantity.snap(wish), NOT_ASKED),
        "week": np.where(counter, week.snap(question["wanted_week"]), NOT_ASKED),
    }


def _aspiration(round_: Array, last_round: Array, exponent: Array | float) -> Array:
    """The aspiration of each row, looked up: rounds are few, rows are many; the last round is the end of time."""
    spans = int(last_round.max()) + 1
    place = round_ * spans + last_round
    if isinstance(exponent, float):
        return _aspirations(exponent, spans)[place]
    tables = np.stack([_aspirations(one, spans) for one in TACTICS.tolist()])
    return tables[np.searchsorted(-TACTICS, -exponent), place]


@cache
def _aspirations(exponent: float, spans: int) -> Array:
    """The aspiration at every round of every span of rounds, at round × spans + span."""
    now, last = np.divmod(np.arange(spans * spans), spans)
    return bargain.aspiration(bargain.elapsed(np.minimum(now, last), np.maximum(last, 1) - 1), exponent)


def _snap_up(spec: Bucket, wish: Array, up: Array) -> Array:
    """On the grid, away from giving in: down for buyers, up for sellers."""
    return spec.snap(np.where(up, wish + spec.step - 1, wish))


def _bucket(question: Question, name: str) -> Bucket:
    spec = question.field(name)
    assert isinstance(spec, Bucket)
    return spec


def _choice(question: Question, name: str) -> Choice:
    spec = question.field(name)
    assert isinstance(spec, Choice)
    return spec


TACTICS = np.array([bargain.BOULWARE, bargain.LINEAR, bargain.CONCEDER])

REPLENISH: Mapping[str, Expert] = {
    "scripted": order_up_to,
    "order_up_to": order_up_to,
    "pass_on": pass_on,
    "forecast_driven": forecast_driven,
    "heeding": heeding,
}
QUOTE: Mapping[str, Expert] = {
    "scripted": any_partner, "any_partner": any_partner, "most_reliable": most_reliable,
    "most_reputable": most_reputable, "cheapest": cheapest, "wary": wary,
}  # fmt: skip
NEGOTIATE: Mapping[str, Expert] = {
    "scripted": mixed, "mixed": mixed, "boulware": boulware, "linear": linear, "conceder": conceder,
}  # fmt: skip

EXPERTS: Mapping[str, Mapping[str, Callable[[Question], Answers]]] = {
    "supplier.replenish": REPLENISH,
    "manufacturer.replenish": REPLENISH,
    "distributor.replenish": REPLENISH,
    "manufacturer.quote": QUOTE,
    "distributor.quote": QUOTE,
    "supplier.negotiate": NEGOTIATE,
    "manufacturer.negotiate": NEGOTIATE,
    "distributor.negotiate": NEGOTIATE,
}
