"""The plain day of a community: publish, recommend, react, settle. Every scenario has this chapter.

A scenario with `title_vectors: minilm` needs an embedder that only the assembly can bring, because a side does not
import models: `chapter({"minilm": embed})`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ecosim.adder import Adder
from ecosim.community import figures
from ecosim.community.arrivals import Arrive
from ecosim.community.chapter import Chapter
from ecosim.community.columns import TABLES
from ecosim.community.experts import EXPERTS
from ecosim.community.levers import levers
from ecosim.community.posts import EFFORTS, Publish
from ecosim.community.reactions import React
from ecosim.community.recommend import Recommend
from ecosim.community.revenue import Settle
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import Layout, num_bytes
from ecosim.community.titles import Embedder, word_vectors
from ecosim.errors import ScenarioError
from ecosim.side import Column, Events, Schema, Series

if TYPE_CHECKING:
    from ecosim.world import World

_POST = Column("post", "i8", "", "(day − 1) · creators + creator")
_CREATOR = Column("creator", "i8", "", "who made it", of="member")
_VIEWER = Column("viewer", "i8", "", "who")

SCHEMAS: Mapping[str, Schema] = {
    "arrivals": Schema(
        "Viewers who come for the first time.",
        1,
        (
            Column("niche", "i8", "", "their favourite niche, in the scenario's order", of="niche"),
            Column("viewers", "i8", "viewers", "how many"),
        ),
        is_exogenous=True,
    ),
    "heat": Schema(
        "How much each topic is in fashion.",
        1,
        (
            Column("topic", "i8", "", "in the scenario's order", of="topic"),
            Column("heat", "f8", "log-odds", "what it adds to the appeal of posts on the topic"),
        ),
        is_exogenous=True,
    ),
    "posts": Schema(
        "Posts as they appear.",
        1,
        (
            _POST,
            _CREATOR,
            Column("topic", "i8", "", "in the scenario's order", of="topic"),
            Column("effort", "i8", "", "0 low, 1 medium, 2 high", EFFORTS),
            Column("title", "str", "", "as viewers see it"),
            Column("cost", "i8", "EUR/1e6", "what the effort cost"),
            Column("appeal", "f8", "log-odds", "skill, effort and luck"),
            Column("title_fit", "f8", "", "how well the title fits the topic, −1 to 1; 0 without title vectors"),
        ),
    ),
    "reactions": Schema(
        "What became of each post that was shown in the step.",
        1,
        (
            _POST,
            _CREATOR,
            Column("impressions", "i8", "posts", "times on a slate"),
            Column("views", "i8", "views", "times watched"),
            Column("likes", "i8", "likes", "times liked"),
            Column("follows", "i8", "follows", "new follows that it won"),
        ),
    ),
    "follows": Schema(
        "New follows.", 2, (_VIEWER, Column("creator", "i8", "", "whom the viewer now follows", of="member"))
    ),
    "departures": Schema(
        "Viewers who leave for good.",
        1,
        (
            _VIEWER,
            Column("idle_days", "i8", "days", "visits on end without anything watched"),
            Column("views", "i8", "views", "what the viewer had watched in all"),
        ),
    ),
    "payments": Schema(
        "What advertisers pay.",
        1,
        (
            Column("creator", "i8", "", "who is paid", of="member"),
            Column("views", "i8", "views", "of all its posts in the step"),
            Column("ads", "i8", "EUR/1e6", "the payment"),
        ),
    ),
}


def chapter(embedders: Mapping[str, Embedder]) -> Chapter:
    """The plain day, with embedders for titles by name as in `publishing.title_vectors`; `words` is there already."""
    known: dict[str, Embedder | None] = {"none": None, "words": word_vectors, **embedders}

    def publish(scenario: CommunityScenario, net: Layout) -> Publish:
        name = scenario.publishing.title_vectors
        if name not in known:
            raise ScenarioError(
                f"scenario: publishing.title_vectors: {name!r} needs a model that is not at hand here; "
                f"known: {', '.join(known)}"
            )
        return Publish(scenario, net, known[name])

    return Chapter(
        phases={"arrive": Arrive, "publish": publish, "recommend": Recommend, "react": React, "settle": Settle},
        asks={"human_creator": ("publish",), "ai_creator": ("publish",), "viewer": ("react",)},
        populations={"viewer": "viewers"},
        experts=EXPERTS,
        schemas=SCHEMAS,
        states=TABLES,
        metrics=figures.METRICS,
        kpis=figures.KPIS,
        measure=_measure,
        conclude=_conclude,
        levers=lambda scenario, net: levers(),
        num_bytes=num_bytes,
    )


def _measure(world: World, events: Events, add: Adder) -> None:
    add.figures.update(figures.measure(world, events))


def _conclude(world: World, series: Series, add: Adder) -> None:
    add.figures.update(figures.conclude(world, series))
