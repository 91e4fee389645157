"""Who decides for creators whether to come and to stay, what is measured of it, and the chapter `entry`."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim.adder import Adder
from ecosim.community.chapter import Chapter
from ecosim.community.entry import NOT_YET, SCHEMAS, STATES, Enter, Quit
from ecosim.community.facts.entry import Turnover
from ecosim.community.facts.people import ROLES
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import Layout, grid
from ecosim.side import Events, Figure, Series
from ecosim.words import Answers, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

RUNWAY_DAYS = 14
"""How long the cash of a scripted creator has to last, and how long it waits before it judges by its income."""


def where_it_pays(question: Question) -> Answers:
    """Enters where an equal part of what its niche pays, shared with it too, is worth its upkeep and its time."""
    expected = question["niche_earned"] // (question["niche_creators"] + 1) - question["upkeep"]
    return {"enter": (expected >= np.maximum(question["outside"], 1)).astype(np.int64)}


def at_once(question: Question) -> Answers:
    """Enters as soon as it looks: newcomers at a rate."""
    return {"enter": np.ones(question.num_rows, np.int64)}


def patient_creator(question: Question) -> Answers:
    """Quits when its cash doesn't last, or when it earns too little for the second time, and no more than the first.

    Too little is less than it could earn elsewhere. How long cash lasts is reckoned with the loss of late.
    """
    last, before, outside = question["income_last"], question["income_before"], question["outside"]
    is_broke = (last < 0) & (question["cash"] + last * RUNWAY_DAYS < 0)
    is_settled = question["days_here"] > RUNWAY_DAYS
    is_poor = (last < outside) & (before < outside) & (last <= before)
    return {"quit": (is_broke | (is_settled & is_poor)).astype(np.int64)}


def free_creator(question: Question) -> Answers:
    """Quits as soon as it could have earned more elsewhere: the exit of free entry."""
    return {"quit": (question["income_last"] < question["outside"]).astype(np.int64)}


EXPERTS = {
    **{f"{role}.enter": {"scripted": where_it_pays, "at_once": at_once} for role in ROLES},
    **{f"{role}.quit": {"scripted": patient_creator, "free": free_creator} for role in ROLES},
}


def _build(scenario: CommunityScenario, net: Layout, replicas: Table, tables: dict[str, Table]) -> None:
    creators = tables["creators"]
    rank = np.concatenate([np.arange(group.count) for group in scenario.creators])
    first = np.repeat([g.count if g.at_start is None else g.at_start for g in scenario.creators], _counts(scenario))
    there = (rank < first)[creators["member"]]
    creators["is_active"] &= there
    creators["came_day"] = there.astype(np.int64)
    for name in STATES["creators"].columns:
        if name not in creators:
            creators[name] = np.zeros(creators.num_rows, np.int64)


def _counts(scenario: CommunityScenario) -> list[int]:
    return [group.count for group in scenario.creators]


def _measure(world: World, events: Events, add: Adder) -> None:
    creators = world.tables["creators"]
    add("active_creators", creators, creators["is_active"])
    add.by(ROLES, creators["role"], "active_creators", creators, creators["is_active"])
    for name in ("entries", "quits"):
        add(name, events[name], np.ones(events[name].num_rows))


def _conclude(world: World, series: Series, add: Adder) -> None:
    creators = world.tables["creators"]
    num_days = cast(Turnover, cast(CommunityScenario, world.scenario).entry).survival_days
    came, left = creators["came_day"], creators["left_day"]
    is_judged = (came > NOT_YET) & (came + num_days - 1 <= world.steps)
    has_stayed = is_judged & ((left == NOT_YET) | (left - came + 1 > num_days))
    groups = {"": came > NOT_YET, "at start": came == 1, "entrants": came > 1}
    groups |= {role: creators["role"] == code for code, role in enumerate(ROLES)}
    with np.errstate(invalid="ignore"):
        for group, of_group in groups.items():
            stayed, judged = (
                grid(Table({"x": who & of_group}), "x", world.num_replicas).sum(axis=1)
                for who in (has_stayed, is_judged)
            )
            add.figures["survival", group] = stayed / judged
    add.figures["active_creators", ""] = series["active_creators", ""].mean(axis=0)
    for name in ("entries", "quits"):
        add.figures[name, ""] = series[name, ""].sum(axis=0)


CHAPTER = Chapter(
    is_in=lambda scenario: scenario.entry is not None,
    phases={"enter": Enter, "quit": Quit},
    asks={role: ("enter", "quit") for role in ROLES},
    experts=EXPERTS,
    schemas=SCHEMAS,
    states=STATES,
    build=_build,
    metrics={
        "active_creators": Figure("creators", "who are there; by role"),
        "entries": Figure("creators", "who entered today"),
        "quits": Figure("creators", "who quit today", "lower"),
    },
    kpis={
        "active_creators": Figure("creators", "who are there, mean over days"),
        "entries": Figure("creators", "who entered in the whole run"),
        "quits": Figure("creators", "who quit in the whole run", "lower"),
        "survival": Figure(
            "share",
            "of creators who came at least `entry.survival_days` days before the end, those who were still there after "
            "so many; by role, and of those there on day 1 and later entrants; nan without any",
            "higher",
        ),
    },
    measure=_measure,
    conclude=_conclude,
    num_bytes=lambda scenario: {"creators (count × entry)": 7 * 8 * scenario.num_creators},
)
