"""Scripted forecasters, what their forecasts are measured by, and the chapter that brings them into the market.

Each gives a mean and, for demand that scatters around it with a standard deviation s, quantiles mean ± 1.2816 · s ·
√(1 ÷ horizon + 1 ÷ n), where n is how many weeks the mean rests on: means of several weeks scatter less, and a level
that was estimated from few weeks is uncertain itself. Divisions and square roots have the same bits everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ecosim.adder import Adder
from ecosim.exact import MILLION
from ecosim.fields import Array, Bucket
from ecosim.manufacturing.chapter import Chapter
from ecosim.manufacturing.forecasting import HOME, ROLE, SCHEMAS, STATES, Forecast, build, num_bytes
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.rules import accuracy, forecasts
from ecosim.side import Events, Figure, Series
from ecosim.words import Answers, Expert, Question

if TYPE_CHECKING:
    from ecosim.world import World

AVERAGED_WEEKS = 4
Z_90 = 1.2815515655446004
"""The standard normal value that 90 % lie below."""


def moving_average(question: Question) -> Answers:
    """The mean of the last four weeks; the scatter is that of all weeks shown around their mean."""
    history = question["history"]
    weeks = min(AVERAGED_WEEKS, history.shape[1])
    return _answers(question, forecasts.average(history, weeks), _scatter(history), 1.0 / weeks)


def seasonal_naive(question: Question) -> Answers:
    """Every week repeats the last one of its season; the scatter is that of differences over a season.

    Source: Hyndman, Athanasopoulos (2021), Forecasting: principles and practice, section 5.2.
    """
    history = question["history"]
    season, horizon = int(question["season_weeks"][0]), int(question["horizon_weeks"][0])
    if history.shape[1] <= season:  # not a whole season to look back on: the last week stands in
        season = 1
    mean = accuracy.seasonal_naive(history, season, horizon)
    gaps = (history[:, :-season] - history[:, season:]).astype(np.float64)
    # a difference of two weeks scatters √2 as much as a week
    return _answers(question, mean, np.sqrt((gaps * gaps).sum(axis=1) / (2 * max(gaps.shape[1], 1))), 1.0)


def exponential_smoothing(question: Question) -> Answers:
    """A level that moves 30 % of the way to each new week; the scatter is that of its errors.

    Source: Brown (1959), Statistical forecasting for inventory control.
    """
    history, smoothing = question["history"], forecasts.SMOOTHING
    level, squares = forecasts.smoothed(history)
    scatter = np.sqrt(squares / max(history.shape[1] - 1, 1))
    return _answers(question, level, scatter, smoothing / (2.0 - smoothing))


def _scatter(history: Array) -> Array:
    """Standard deviation of each row."""
    gap = history - history.sum(axis=1, keepdims=True) / history.shape[1]
    return np.sqrt((gap * gap).sum(axis=1) / max(history.shape[1] - 1, 1))


def _answers(question: Question, mean: Array, scatter: Array, of_level: float) -> Answers:
    """Mean and quantiles on the grid; `of_level` is the variance of the level, relative to that of a week."""
    reach = Z_90 * scatter * np.sqrt(1.0 / question["horizon_weeks"] + of_level)
    found = {"mean": mean, "low": mean - reach, "high": mean + reach}
    answers = {}
    for name, value in found.items():
        spec = question.field(name)
        assert isinstance(spec, Bucket)
        answers[name] = spec.snap(np.rint(value / MILLION).astype(np.int64) * MILLION)
    return answers


FORECAST: Mapping[str, Expert] = {
    "scripted": moving_average, "moving_average": moving_average, "seasonal_naive": seasonal_naive,
    "exponential_smoothing": exponential_smoothing,
}  # fmt: skip

METRICS = {
    "forecast_error_units": Figure("units", "mean |demand − forecast| of forecasts whose weeks are over", "lower"),
    "naive_error_units": Figure("units", "the same of seasonal-naive forecasts"),
}
KPIS = {
    "mase": Figure("", "mean over series of |error| ÷ the series' mean seasonal-naive error until then", "lower"),
    "forecast_error_ratio": Figure("", "|errors| of forecasts ÷ those of seasonal-naive in the same weeks", "lower"),
    "pinball_units": Figure("units", "pinball loss of the 10 % and 90 % forecasts, a forecast", "lower"),
    "pinball_ratio": Figure("", "pinball loss ÷ that of seasonal-naive in the same weeks", "lower"),
    "forecast_coverage": Figure("", "share of weeks in which demand came from low to high; 0.8 is right"),
}


def measure(world: World, events: Events, add: Adder) -> None:
    """Errors of the forecasts that were scored this week; nan where none was."""
    scores = events["forecast_scores"]
    count = np.bincount(scores["replica"], minlength=world.num_replicas)
    for name, guess in (("forecast_error_units", "mean"), ("naive_error_units", "naive")):
        add(name, scores, np.abs(scores["actual"] - scores[guess]) / MILLION)
        with np.errstate(invalid="ignore"):
            add.figures[name, ""] = add.figures[name, ""] / count


def conclude(world: World, series: Series, add: Adder) -> None:
    """Scores of whole runs; nan where nothing was scored."""
    known = world.tables["forecasts"]
    mine = known.take(known["weeks"] > 0)
    replica, size = mine["replica"], world.num_replicas

    def total(name: str) -> Array:
        return np.bincount(replica, mine[name], size)

    scaled = mine.take(mine["scaled_weeks"] > 0)
    mase = np.bincount(scaled["replica"], scaled["scaled_error"] / scaled["scaled_weeks"], size)
    with np.errstate(invalid="ignore", divide="ignore"):
        add.figures["mase", ""] = mase / np.bincount(scaled["replica"], minlength=size)
        add.figures["forecast_error_ratio", ""] = total("error") / total("naive_error")
        add.figures["pinball_units", ""] = total("loss") / MILLION / (2 * total("weeks"))
        add.figures["pinball_ratio", ""] = total("loss") / total("naive_loss")
        add.figures["forecast_coverage", ""] = total("covered") / total("weeks")


def is_in(scenario: ManufacturingScenario) -> bool:
    """Whether the market has a forecaster."""
    return scenario.forecaster is not None


CHAPTER = Chapter(
    is_in=is_in,
    phases={"forecast": Forecast},
    asks={ROLE: ("forecast",)},
    populations={ROLE: HOME},
    experts={f"{ROLE}.forecast": FORECAST},
    schemas=SCHEMAS,
    states=STATES,
    build=build,
    metrics=METRICS,
    kpis=KPIS,
    measure=measure,
    conclude=conclude,
    num_bytes=num_bytes,
)
