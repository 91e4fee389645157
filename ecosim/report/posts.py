"""The most watched posts of one replica, and titles that language models wrote, as they wrote them."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pandas as pd

from ecosim.community.scenario import ROLES, CommunityScenario
from ecosim.community.tables import creator_niches, creator_roles, topic_niches
from ecosim.fields import Array
from ecosim.report.answers import ANSWERS
from ecosim.report.parts import Cell, Grid, Note, Part
from ecosim.report.source import Source
from ecosim.report.tables import heads
from ecosim.report.words import label

TOP = 12
"""Posts shown."""
EFFORTS = ("low", "medium", "high")
COUNTS = ["impressions", "views", "likes", "follows"]


def parts(source: Source) -> list[Part]:
    """The table of one replica, and where language models wrote titles, a table of these."""
    posts, reactions = source.events("posts"), source.events("reactions")
    if posts.empty or reactions.empty:
        return [Note("No posts can be shown: this run kept none.", "quiet")]
    written = _written(source.events(ANSWERS))
    replica = int(written["replica"].iloc[0]) if not written.empty else int(posts["replica"].min())
    mine = _with_counts(posts[posts["replica"] == replica], reactions[reactions["replica"] == replica])
    mine = mine.merge(written, how="left", on=["replica", "step", "creator"]) if not written.empty else mine
    scenario = cast(CommunityScenario, source.run.scenario)
    why = ", the first in which a language model wrote titles" if not written.empty else ""
    found: list[Part] = [
        Note(f"Views and likes until the last day, in {source.named(replica)}{why}."),
        _table(mine.head(TOP), scenario, is_written=False),
    ]
    if not written.empty:
        titles = mine[mine["prompt"].notna()].head(TOP)
        found += [
            Note("The most watched titles that a language model wrote, with what it had read:"),
            _table(titles, scenario, True),
        ]
    return found


def _with_counts(posts: pd.DataFrame, reactions: pd.DataFrame) -> pd.DataFrame:
    """Posts with what came of them, the most watched first."""
    sums = reactions.groupby("post")[COUNTS].sum()
    mine = posts.join(sums, on="post").fillna(dict.fromkeys(COUNTS, 0))
    return mine.sort_values(["views", "likes", "post"], ascending=[False, False, True])


def _written(answers: pd.DataFrame) -> pd.DataFrame:
    """The prompts of titles that language models wrote: `replica, step, creator, prompt`."""
    columns = ["replica", "step", "creator", "prompt"]
    if answers.empty:
        return pd.DataFrame(columns=columns)
    titles = answers[answers["question"].str.endswith(".publish") & (answers["field"] == "title")]
    return titles.rename(columns={"subject": "creator"})[columns]


def _table(posts: pd.DataFrame, scenario: CommunityScenario, is_written: bool) -> Grid:
    who = _Creators(scenario)
    rows = tuple(_row(i, row, who, is_written) for i, row in enumerate(posts.itertuples(), start=1))
    names = ("", "title", "topic", "niche", "by", "effort", "day", "views", "likes", "follows")
    return Grid(heads(*names, numbers=",day,views,likes,follows"), rows)


class _Creators:
    """Roles and niches of creators and topics, by number."""

    def __init__(self, scenario: CommunityScenario) -> None:
        self.topics = scenario.topics
        self.niches = [label(niche) for niche in scenario.niches]
        self.role: Array = np.asarray(creator_roles(scenario))
        self.niche: Array = np.asarray(creator_niches(scenario))
        self.topic_niche: Array = np.asarray(topic_niches(scenario))

    def by(self, creator: int) -> str:
        """A creator in words."""
        kind = "AI" if ROLES[self.role[creator]] == "ai_creator" else "human"
        return f"{kind}, no. {creator}"


def _row(rank: int, row: Any, who: _Creators, is_written: bool) -> tuple[Cell, ...]:
    numbers = tuple(Cell(f"{int(value):,}", "number") for value in (row.step, row.views, row.likes, row.follows))
    title = row.title if row.title.strip() else "(empty)"
    details = str(row.prompt) if is_written else ""
    return (
        Cell(str(rank), "number quiet"),
        Cell(title, "title", details=details),
        Cell(who.topics[row.topic], "nowrap"),
        Cell(who.niches[who.topic_niche[row.topic]], "nowrap"),
        Cell(who.by(row.creator), "nowrap", about=f"niche of the creator: {who.niches[who.niche[row.creator]]}"),
        Cell(EFFORTS[row.effort], "quiet"),
        *numbers,
    )
