"""The field's own rules of thumb, as minds: pure functions from a question's columns to its answers.

Baselines for learned minds, and their teachers. Integer arithmetic, or floats through `exact`, so that their answers
have the same bits everywhere.
Those who negotiate are in `tactics`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ecosim import seeds
from ecosim.exact import MILLION, value
from ecosim.fields import Array, Bucket, Choice
from ecosim.manufacturing.tactics import NEGOTIATE
from ecosim.words import Answers, Expert, Question

SAFETY_WEEKS = 2
"""Weeks of demand that order-up-to holds as safety stock."""
FORECAST_WEEKS = 4
"""Weeks of history in the moving average."""


def keep_policy(question: Question) -> Answers:
    """Keep to the policy that the scenario gives the firm (`policies`); without one order up to the forecast.

    At or below the reorder point it orders up to the level, or the fewest whole lots that lift the position above the
    reorder point.
    """
    usual = order_up_to(question)
    if "has_policy" not in question.columns:
        return usual
    point, lot = question["reorder_point"], question["lot"]
    short = point + MILLION - question["position"]
    wish = np.where(lot > 0, -(-short // np.maximum(lot, 1)) * lot, question["order_up_to"] - question["position"])
    kept = _bucket(question, "quantity").snap(np.where(short > 0, wish + MILLION - 1, 0))
    return {"quantity": np.where(question["has_policy"] == 1, kept, usual["quantity"])}


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


def _bucket(question: Question, name: str) -> Bucket:
    spec = question.field(name)
    assert isinstance(spec, Bucket)
    return spec


def _choice(question: Question, name: str) -> Choice:
    spec = question.field(name)
    assert isinstance(spec, Choice)
    return spec


REPLENISH: Mapping[str, Expert] = {
    "scripted": keep_policy,
    "keep_policy": keep_policy,
    "order_up_to": order_up_to,
    "pass_on": pass_on,
    "forecast_driven": forecast_driven,
    "heeding": heeding,
}
QUOTE: Mapping[str, Expert] = {
    "scripted": any_partner, "any_partner": any_partner, "most_reliable": most_reliable,
    "most_reputable": most_reputable, "cheapest": cheapest, "wary": wary,
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
