"""The chapter of the platform as a member: tables, figures, and what belongs together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim.adder import Adder
from ecosim.community.chapter import Chapter
from ecosim.community.platform.experts import FORECAST, STEER
from ecosim.community.platform.forecast import Forecast
from ecosim.community.platform.steer import Steer
from ecosim.community.platform.words import HOME, ROLE, SCHEMAS, STATES
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import NOBODY, Layout, grid
from ecosim.side import Events, Figure, Series
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

METRICS = {
    "trend_error": Figure("views", "mean |views − forecast| of a topic, of forecasts whose days are over", "lower"),
    "trend_naive_error": Figure("views", "the same of seasonal-naive forecasts"),
    "explore_share": Figure("share", "of the slots in slates that show posts by chance, as the platform sets it"),
}
KPIS = {
    "trend_skill": Figure(
        "", "1 − |errors| of forecasts ÷ those of seasonal-naive in the same days; 0 is no better", "higher"
    ),
    "trend_mase": Figure("", "mean over topics of |error| ÷ the topic's mean seasonal-naive error until then", "lower"),
    "explore_share": Figure("share", "of the slots in slates that show posts by chance, mean over days"),
}


def build(scenario: CommunityScenario, net: Layout, replicas: Table, tables: dict[str, Table]) -> None:
    """One platform a replica that has seen nothing yet."""
    facts, size = scenario.platform, replicas.num_rows
    assert facts is not None
    shares, topics = len(facts.explore_shares), tables["topics"]
    tables[HOME] = Table(
        {
            "replica": np.arange(size),
            "member": np.zeros(size, np.int64),
            "explore_share": np.full(size, facts.first_share),
            "choice": np.full(size, facts.explore_shares.index(facts.first_share)),
            "choice_days": np.zeros((size, shares), np.int64),
            "choice_views": np.zeros((size, shares), np.int64),
            "days": np.zeros(size, np.int64),
        }
    )
    rows = topics.num_rows
    topics["views_by_day"] = np.zeros((rows, facts.kept_days), np.int64)
    topics["pending"] = np.full((rows, facts.horizon_days), NOBODY)
    for name in ("error", "naive_error", "scaled_days"):
        topics[name] = np.zeros(rows, np.int64)
    topics["scaled_error"] = np.zeros(rows)


def measure(world: World, events: Events, add: Adder) -> None:
    """Errors of the forecasts that were scored today, nan where none was; and the feed's exploration."""
    scores = events["trend_scores"]
    count = np.bincount(scores["replica"], minlength=world.num_replicas)
    for name, guess in (("trend_error", "views"), ("trend_naive_error", "naive")):
        add(name, scores, np.abs(scores["actual"] - scores[guess]))
        with np.errstate(invalid="ignore"):
            add.figures[name, ""] = add.figures[name, ""] / count
    add.figures["explore_share", ""] = world.tables[HOME]["explore_share"].copy()


def conclude(world: World, series: Series, add: Adder) -> None:
    """Scores of whole runs; nan where nothing was scored."""
    topics, size = world.tables["topics"], world.num_replicas
    error, naive = (grid(topics, name, size).sum(axis=1) for name in ("error", "naive_error"))
    scaled = topics.take(topics["scaled_days"] > 0)
    total = np.bincount(scaled["replica"], scaled["scaled_error"] / scaled["scaled_days"], size)
    with np.errstate(invalid="ignore", divide="ignore"):
        add.figures["trend_skill", ""] = 1 - error / naive
        add.figures["trend_mase", ""] = total / np.bincount(scaled["replica"], minlength=size)
    add.figures["explore_share", ""] = series["explore_share", ""].mean(axis=0)


def num_bytes(scenario: CommunityScenario) -> dict[str, int]:
    """What the columns take in a replica."""
    assert scenario.platform is not None
    days = scenario.platform.kept_days + scenario.platform.horizon_days
    return {"platform (× topics × days)": 8 * len(scenario.topics) * (days + 4)}


CHAPTER = Chapter(
    is_in=lambda scenario: scenario.platform is not None,
    phases={"forecast": Forecast, "steer": Steer},
    asks={ROLE: ("forecast", "steer")},
    populations={ROLE: HOME},
    experts={f"{ROLE}.forecast": FORECAST, f"{ROLE}.steer": STEER},
    schemas=SCHEMAS,
    states=STATES,
    build=build,
    metrics=METRICS,
    kpis=KPIS,
    measure=measure,
    conclude=conclude,
    num_bytes=num_bytes,
)
