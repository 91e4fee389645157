"""The community as the assembly sees it: all its chapters in one.

`SIDE` needs no model. A scenario with `title_vectors: minilm` needs an embedder that only the assembly can bring,
because a side does not import models: `make_side({"minilm": embed})`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ecosim.adder import Adder
from ecosim.chapter import join
from ecosim.community import (
    attention,
    careers,
    collaboration,
    contest,
    day,
    earnings,
    graph,
    homogeneity,
    judging,
    opinions,
    platform,
    retraining,
    sharing,
    trends,
)
from ecosim.community.audience import chapter as audience
from ecosim.community.chapter import Chapter
from ecosim.community.facts.people import ROLES
from ecosim.community.moderation import chapter as moderation
from ecosim.community.scenario import NEEDS, CommunityScenario
from ecosim.community.state import books, build, layout
from ecosim.community.titles import Embedder
from ecosim.levers import Lever, Panel, Place
from ecosim.side import Brought, Events, Figures, Phase, Series, Side
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

CHAPTERS: tuple[Chapter, ...] = (
    attention.CHAPTER,
    homogeneity.CHAPTER,
    audience.CHAPTER,
    moderation.CHAPTER,
    graph.CHAPTER,
    opinions.CHAPTER,
    sharing.CHAPTER,
    contest.CHAPTER,
    careers.CHAPTER,
    earnings.CHAPTER,
    retraining.CHAPTER,
    trends.CHAPTER,
    platform.CHAPTER,
    collaboration.CHAPTER,
)
"""The subjects beyond the plain day, in the order in which they build and measure."""


def names(scenario: CommunityScenario) -> dict[str, tuple[str, ...]]:
    """Creators, topics and niches by number."""
    net = layout(scenario)
    return {"member": net.names, "topic": net.topics, "niche": net.niches}


def make_side(embedders: Mapping[str, Embedder]) -> Side:
    """The community with embedders for titles, by name as in `publishing.title_vectors`; `words` is there already."""
    chapters = (day.chapter(embedders), *CHAPTERS, judging.chapter(embedders))
    everything = join(chapters)

    def phases(scenario: CommunityScenario) -> list[Phase]:
        net = layout(scenario)
        return [everything.phases[name](scenario, net) for name in scenario.phases]

    def tables(scenario: CommunityScenario, replicas: Table) -> dict[str, Table]:
        """All tables but `replicas`, as they stand before day 1.

        There are no posts, follows or views yet. Creators have the cash of their group. Viewers come on the day that
        `at_start`, `arrivals_per_day` and `growth_per_day` give their number; the feed knows of each newcomer its
        favourite niche, no taste.

        Draws:
            From the world's seed: skill of each creator (normal, `skill` and `skill_spread` of its group); favourite
            niche of each viewer, in proportion to `audience`; tastes of viewers (`community.tastes`).
        """
        found = build(scenario, replicas)
        none = np.zeros(0, np.int64)
        empty = {home: Table({"replica": none, "member": none}) for home in everything.populations.values()}
        found |= {home: table for home, table in empty.items() if home not in found}
        everything.build(scenario, layout(scenario), replicas, found)
        return found

    def measure(world: World, events: Events) -> Figures:
        add = Adder(world.num_replicas, {})
        everything.measure(world, events, add)
        return add.figures

    def conclude(world: World, series: Series) -> Figures:
        add = Adder(world.num_replicas, {})
        everything.conclude(world, series, add)
        return add.figures

    def brought(scenario: CommunityScenario) -> Brought:
        own = join([chapter for chapter in chapters if chapter.is_in(scenario)])
        return Brought(schemas=own.schemas, metrics=own.metrics, kpis=own.kpis)

    def panel(scenario: CommunityScenario) -> Panel:
        net = layout(scenario)
        return _panel(everything, scenario, tuple(everything.levers(scenario, net)))

    return Side(
        name="community",
        step_name="day",
        kind=CommunityScenario,
        members="creators",
        roles={role: tuple(everything.asks.get(role, ())) for role in (*ROLES, *everything.populations)},
        experts=everything.experts,
        books=books,
        phases=phases,
        schemas=everything.schemas,
        build=tables,
        metrics=everything.metrics,
        kpis=everything.kpis,
        measure=measure,
        conclude=conclude,
        num_bytes=everything.num_bytes,
        member_roles=lambda scenario: layout(scenario).role,
        names=names,
        populations=everything.populations,
        panel=panel,
        tables=everything.states,
        phase_names=lambda scenario: scenario.phases,
        needs=NEEDS,
        brought=brought,
    )


def _panel(everything: Chapter, scenario: CommunityScenario, found: tuple[Lever, ...]) -> Panel:
    """The levers; creators are named by number, role or niche, topics by name or niche, viewers by number."""
    net = layout(scenario)
    creators = {
        "member": Place(np.arange(net.num_creators), net.names),
        "role": Place(net.role, ROLES),
        "niche": Place(net.niche, net.niches),
    }
    places = {lever.table: creators for lever in found}
    places["topics"] = {
        "topic": Place(np.arange(net.num_topics), net.topics),
        "niche": Place(net.topic_niche, net.niches),
    }
    places["viewers"] = {
        "viewer": Place(np.arange(net.num_viewers)),
        "role": Place(np.zeros(net.num_viewers, np.int64), ("viewer",)),
    }
    there = join([chapter for chapter in CHAPTERS if chapter.is_in(scenario)]).populations
    for role, home in everything.populations.items():  # one a replica, where the scenario has the subject
        if home != "viewers":
            rows = np.zeros(int(role in there), np.int64)
            places[home] = {"member": Place(rows, (role,)), "role": Place(rows, (role,))}
    return Panel(found, places)


SIDE = make_side({})
