"""The platform's forecasts of what will be watched, topic by topic, and how good they were.

A forecast is scored when its horizon is over, by `rules.accuracy`, against the views that came and against the
seasonal-naive forecast of the same days. Forecasts that reach into days before day 1 are not scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.community.platform.words import FORECAST_ANSWERS, FORECAST_SEES, FORECAST_UNITS, HOME, ROLE
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import NOBODY, Layout, grid, text_column
from ecosim.fields import Array, Bucket
from ecosim.rules import accuracy
from ecosim.side import Events
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

LEAST_HIGH = 100
"""The largest forecast allowed is four times the most views shown, and at least so many."""
_TIMES = 4


class Forecast:
    """The platform says how much each topic will be watched; forecasts whose days are over are scored."""

    name = "forecast"
    repeats = False
    sees, answers, writes = FORECAST_SEES, FORECAST_ANSWERS, ("trend_forecasts", "trend_scores")

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        assert scenario.platform is not None
        self._facts, self._net = scenario.platform, net
        self._topics, niches = text_column(net.topics), text_column(net.niches)
        self._niche_of = niches[net.topic_niche]

    def ask(self, world: World) -> list[Question]:
        """One question: a row for each topic."""
        topics, facts = world.tables["topics"], self._facts
        rows = np.flatnonzero(world.is_live[topics["replica"]])
        if not len(rows):
            return []
        replica, topic = topics["replica"][rows], topics["topic"][rows]
        history = self._history(world)[rows, : facts.history_days]
        none = np.full(len(rows), NOBODY)
        return [
            Question(
                role=ROLE,
                phase=self.name,
                step=world.steps,
                key=Table(
                    {
                        "replica": replica,
                        "subject": np.zeros(len(rows), np.int64),
                        "counterpart": none,
                        "item": topic,
                        "round": none,
                    }
                ),
                seed=world.seed(seeds.MIND, replica),
                mind=world.tables[HOME][f"mind.{self.name}"][replica],
                columns={
                    "topic_name": self._topics[topic],
                    "niche_name": self._niche_of[topic],
                    "history": history,
                    "open_posts": self._open_posts(world)[rows],
                    "season_days": np.full(len(rows), facts.season_days),
                    "horizon_days": np.full(len(rows), facts.horizon_days),
                    "day": np.full(len(rows), world.steps),
                },
                masks={"history": np.ones(history.shape, bool)},
                units=FORECAST_UNITS,
                fields=(
                    Bucket(
                        name="views",
                        low=np.zeros(len(rows), np.int64),
                        high=np.maximum(_TIMES * history.max(axis=1), LEAST_HIGH),
                        step=np.ones(len(rows), np.int64),
                        unit="views",
                    ),
                ),
            )
        ]

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Keep the forecasts, and score those whose days are over."""
        if not questions:
            return {}
        topics, key = world.tables["topics"], questions[0].key
        live = world.is_live[topics["replica"]]
        topics["views_by_day"][live] = self._history(world)[live]
        scores = self._score(world)
        views = decisions[0].answers["views"].astype(np.int64)
        topics["pending"][live, 1:] = topics["pending"][live, :-1]
        topics["pending"][self._net.topic_row(key["replica"], key["item"]), 0] = views
        told = Table({"replica": key["replica"], "topic": key["item"], "views": views})
        return {"trend_forecasts": told, "trend_scores": scores}

    def _history(self, world: World) -> Array:
        """Views of past days with yesterday's in front, int64 (topics of all replicas, days)."""
        posts, topics = world.tables["posts"], world.tables["topics"]
        row = self._net.topic_row(posts["replica"], posts["topic"])
        yesterday = np.zeros(topics.num_rows, np.int64)
        np.add.at(yesterday, row, posts["views_today"])
        return np.concatenate([yesterday[:, None], topics["views_by_day"][:, :-1]], axis=1)

    def _open_posts(self, world: World) -> Array:
        posts = world.tables["posts"]
        shown = posts["is_open"] & (posts["post"] != NOBODY)
        row = self._net.topic_row(posts["replica"][shown], posts["topic"][shown])
        return np.bincount(row, minlength=world.tables["topics"].num_rows)

    def _score(self, world: World) -> Table:
        """Compare forecasts made `horizon_days` ago with what came; `views_by_day` ends with yesterday."""
        facts, topics = self._facts, world.tables["topics"]
        due = topics["pending"][:, facts.horizon_days - 1] != NOBODY
        due &= world.steps > facts.horizon_days + facts.season_days  # no day before day 1 is needed
        rows = np.flatnonzero(due & world.is_live[topics["replica"]])
        history, guess = topics["views_by_day"][rows], topics["pending"][rows, facts.horizon_days - 1]
        actual = history[:, : facts.horizon_days].sum(axis=1) // facts.horizon_days
        naive = accuracy.seasonal_naive(history, facts.season_days, facts.horizon_days, ago=facts.horizon_days)
        if len(rows):
            self._add_up(world, rows, guess, actual, naive)
        where = {name: topics[name][rows] for name in ("replica", "topic")}
        return Table({**where, "views": guess, "actual": actual, "naive": naive})

    def _add_up(self, world: World, rows: Array, guess: Array, actual: Array, naive: Array) -> None:
        """Errors are scaled by the mean naive error of the days before."""
        topics, home = world.tables["topics"], world.tables[HOME]
        before = np.maximum(home["days"][topics["replica"][rows]], 1)
        scaled = accuracy.scaled_error(actual, guess, topics["naive_error"][rows] / before)
        is_scaled = ~np.isnan(scaled)
        topics["scaled_days"][rows] += is_scaled
        topics["scaled_error"][rows] += np.where(is_scaled, scaled, 0.0)
        topics["error"][rows] += np.abs(actual - guess)
        topics["naive_error"][rows] += np.abs(actual - naive)
        home["days"][world.is_live] += 1


def views_by_day(world: World) -> Array:
    """Views of each topic in past days, the newest first, int64 (replicas, topics, days)."""
    return grid(world.tables["topics"], "views_by_day", world.num_replicas)
