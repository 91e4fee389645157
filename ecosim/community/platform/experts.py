"""Platforms by rule: forecasters of a topic's views, and those who set how much the feed explores."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ecosim import seeds
from ecosim.fields import Array, Bucket
from ecosim.rules import accuracy, forecasts
from ecosim.words import Answers, Expert, Question

AVERAGED_DAYS = 7
MUCH = 1.5
"""Topics move a lot where they moved so many times as far as they usually do."""


# ---- forecasts ------------------------------------------------------------------------------------------------------


def moving_average(question: Question) -> Answers:
    """The mean of the last seven days."""
    return _views(question, forecasts.average(question["history"], AVERAGED_DAYS))


def naive(question: Question) -> Answers:
    """As many as yesterday."""
    return _views(question, question["history"][:, 0])


def seasonal_naive(question: Question) -> Answers:
    """Every day repeats the last one of its season.

    Source: Hyndman, Athanasopoulos (2021), Forecasting: principles and practice, section 5.2.
    """
    history, season = question["history"], int(question["season_days"][0])
    if history.shape[1] < season:  # not a whole season to look back on: yesterday stands in
        season = 1
    return _views(question, accuracy.seasonal_naive(history, season, int(question["horizon_days"][0])))


def exponential_smoothing(question: Question) -> Answers:
    """A level that moves 30 % of the way to each new day.

    Source: Brown (1959), Statistical forecasting for inventory control.
    """
    return _views(question, forecasts.smoothed(question["history"])[0])


def _views(question: Question, mean: Array) -> Answers:
    spec = question.field("views")
    assert isinstance(spec, Bucket)
    return {"views": spec.snap(np.rint(mean).astype(np.int64))}


# ---- exploration ----------------------------------------------------------------------------------------------------


def fixed(question: Question) -> Answers:
    """The share that holds now."""
    return {"explore": (question["choice"] == question["explore_share"][:, None]).argmax(axis=1)}


def bandit(question: Question) -> Answers:
    """Thompson sampling over shares by the views that a day with each brought; every share is tried once.

    A share gets mean + z · spread ÷ √days, where the spread is a tenth of the mean of all days and z a normal draw.

    Source: Thompson (1933), On the likelihood that one unknown probability exceeds another (here a normal posterior).
    """
    days, views = question["choice_days"], question["choice_views"]
    tried = np.maximum(days, 1)
    typical = views.sum(axis=1) / np.maximum(days.sum(axis=1), 1)
    score = views / tried + (typical / 10)[:, None] / np.sqrt(tried) * _luck(question)
    return {"explore": np.where(days == 0, np.inf, score).argmax(axis=1)}


def watchful(question: Question) -> Answers:
    """The largest share while topics move half as far again as usual, then back down, one share a day."""
    top = question["choice"].shape[1] - 1
    now = (question["choice"] == question["explore_share"][:, None]).argmax(axis=1)
    stirs = (question["moved"] > MUCH * question["moved_before"]) & (question["moved_before"] > 0)
    return {"explore": np.where(stirs, top, np.maximum(now - 1, 0))}


def _luck(question: Question) -> Array:
    """One normal draw a row and share."""
    rows, slots = question["choice"].shape
    key = (np.repeat(question.key["subject"], slots), np.tile(np.arange(slots), rows))
    seed = np.repeat(question.seed, slots)
    return seeds.normal(seeds.MIND, seed, question.step, question.name, key).reshape(rows, slots)


FORECAST: Mapping[str, Expert] = {
    "scripted": moving_average, "moving_average": moving_average, "naive": naive, "seasonal_naive": seasonal_naive,
    "exponential_smoothing": exponential_smoothing,
}  # fmt: skip
STEER: Mapping[str, Expert] = {"scripted": fixed, "fixed": fixed, "bandit": bandit, "watchful": watchful}
