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
from ecosim.exact import MILLION
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


def pass_on(question: Question) -> Answers:
    """Order what was asked for last week: no forecast, no correction."""
    return {"quantity": _bucket(question, "quantity").snap(question["demand_history"][:, 0])}


def make_to_order(question: Question) -> Answers:
    """Order, or make, what is owed and neither in stock nor on order."""
    lack = question["owed"] - question["on_hand"] - question["on_order"]
    return {"quantity": _bucket(question, "quantity").snap(lack + MILLION - 1)}


def most_reliable(question: Question) -> Answers:
    """Ask the seller with the best record of coming on time; among equals the first."""
    score = np.where(_choice(question, "partner").allowed, question["on_time"], -1.0)
    return {"partner": score.argmax(axis=1)}


def any_partner(question: Question) -> Answers:
    """Ask any of the candidates, by the mind's own lot."""
    allowed = _choice(question, "partner").allowed
    key = question.key
    parts = (key["subject"], key["item"], key["round"])
    lot = seeds.integers(allowed.sum(axis=1), seeds.MIND, question.seed, question.step, question.name, parts)
    return {"partner": (allowed.cumsum(axis=1) > lot[:, None]).argmax(axis=1)}


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
    "scripted": order_up_to, "order_up_to": order_up_to, "pass_on": pass_on, "make_to_order": make_to_order,
}  # fmt: skip
QUOTE: Mapping[str, Expert] = {"scripted": any_partner, "any_partner": any_partner, "most_reliable": most_reliable}
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
