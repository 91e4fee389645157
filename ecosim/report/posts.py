"""Posts of one replica as a gallery: the extremes, some by lot, and titles that language models wrote, as written."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pandas as pd

from ecosim.community.facts.people import ROLES
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import layout
from ecosim.report.answers import ANSWERS, MAX_PROMPT
from ecosim.report.parts import Card, Gallery, Note, Part
from ecosim.report.source import Source
from ecosim.report.words import label, number, shown

TOP, END, BY_LOT, MAX_CARDS = 9, 4, 9, 40
"""Most watched posts, posts of every other kind, posts by lot, and cards in all."""
FEWEST_VIEWS = 10
"""A share of likes is an extreme only where so many watched."""
MAX_TITLE = 200
EFFORTS = ("low", "medium", "high")
COUNTS = ["impressions", "views", "likes", "follows"]
_POSTS = ("replica", "step", "post", "creator", "topic", "effort", "title", "cost")


def parts(source: Source) -> list[Part]:
    """The gallery of one replica."""
    written = _written(source)
    replica = int(written["replica"].iloc[0]) if not written.empty else source.examples[0]
    posts = source.events("posts", _POSTS, replica=replica)
    reactions = source.events("reactions", ("post", *COUNTS), replica=replica)
    if posts.empty or reactions.empty:
        return [Note("No posts can be shown: this run kept none.", "quiet")]
    mine = with_counts(posts, reactions).merge(written, how="left", on=["replica", "step", "creator"])
    who = Creators(cast(CommunityScenario, source.run.scenario))
    reasons = chosen(mine)
    cards = tuple(_card(mine.loc[row], reasons[row], who) for row in sorted(reasons)[:MAX_CARDS])
    why = ", the first in which a language model wrote titles" if not written.empty else ""
    note = (
        f"{len(cards)} of {len(mine):,} posts of {source.named(replica)}{why}, with what came of them until the last "
        f"{source.run.side.step_name}. A post is here for the reason on its card; those by lot show the usual run."
    )
    return [Gallery(cards, note)]


def with_counts(posts: pd.DataFrame, reactions: pd.DataFrame) -> pd.DataFrame:
    """Posts with what came of them, the most watched first."""
    sums = reactions.groupby("post")[COUNTS].sum()
    mine = posts.join(sums, on="post").fillna(dict.fromkeys(COUNTS, 0))
    return mine.sort_values(["views", "likes", "post"], ascending=[False, False, True], ignore_index=True)


def chosen(posts: pd.DataFrame) -> dict[int, list[str]]:
    """Rows to show, with the reasons; posts as from `with_counts`, with a `prompt` where a language model wrote."""
    liked = (posts["likes"] / posts["views"]).where(posts["views"] >= FEWEST_VIEWS).dropna()
    passed = (posts["views"] / posts["impressions"]).where(posts["impressions"] >= FEWEST_VIEWS).dropna()
    followed = posts["follows"][posts["follows"] > 0]
    mixed = posts["post"].to_numpy(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    wanted: dict[str, list[int]] = {
        "most watched": posts.index[:TOP].tolist(),
        "title by a language model": posts.index[posts["prompt"].notna()][:TOP].tolist(),
        "most likes a view": liked.nlargest(END).index.tolist(),
        "fewest likes a view": liked.nsmallest(END).index.tolist(),
        "most new followers": followed.nlargest(END).index.tolist(),
        "shown and passed over": passed.nsmallest(END).index.tolist(),
        "picked by lot": np.argsort(mixed, kind="stable")[:BY_LOT].tolist(),
    }
    reasons: dict[int, list[str]] = {}
    for reason, rows in wanted.items():
        for row in rows:
            reasons.setdefault(row, []).append(reason)
    return reasons


class Creators:
    """Roles and niches of creators and topics, by number."""

    def __init__(self, scenario: CommunityScenario) -> None:
        net = layout(scenario)
        self.topics = net.topics
        self.niches = [label(niche) for niche in net.niches]
        self.role, self.niche, self.topic_niche = net.role, net.niche, net.topic_niche
        self.pay_eur = scenario.ads_eur_per_view

    def is_ai(self, creator: int) -> bool:
        """Whether a creator is an AI."""
        return ROLES[self.role[creator]] == "ai_creator"

    def by(self, creator: int) -> str:
        """A creator in words."""
        return f"{'AI' if self.is_ai(creator) else 'human'}, no. {creator}"


def _written(source: Source) -> pd.DataFrame:
    """The prompts of titles that language models wrote: `replica, step, creator, prompt`."""
    columns = ["replica", "step", "creator", "prompt"]
    answers = source.events(ANSWERS, ("replica", "step", "question", "field", "subject", "prompt"))
    if answers.empty:
        return pd.DataFrame(columns=columns).astype({name: np.int64 for name in columns[:3]})
    titles = answers[answers["question"].str.endswith(".publish") & (answers["field"] == "title")]
    return titles.rename(columns={"subject": "creator"})[columns]


def _card(row: Any, reasons: list[str], who: Creators) -> Card:
    creator, topic = int(row.creator), int(row.topic)
    title = shown(str(row.title), MAX_TITLE) if str(row.title).strip() else "(empty)"
    niche = who.niches[who.topic_niche[topic]]
    effort = EFFORTS[int(row.effort)]
    kind = "AI" if who.is_ai(creator) else "human"
    facets = (("made by", kind), ("niche", niche), ("topic", who.topics[topic]), ("shown as", "|".join(reasons)))
    counts = [("shown", row.impressions), ("views", row.views), ("likes", row.likes), ("follows", row.follows)]
    figures = [(name, f"{int(value):,}", float(value)) for name, value in counts]
    paid = float(row.views) * who.pay_eur
    figures += [("ads, EUR", number(paid, 3), paid), ("cost, EUR", number(float(row.cost), 3), float(row.cost))]
    place = f"{who.topics[topic]} ({niche}), {effort} effort, day {int(row.step)}"
    prompt = shown(str(row.prompt), MAX_PROMPT) if isinstance(row.prompt, str) else ""
    return Card(title, who.by(creator), place, kind == "AI", tuple(reasons), facets, tuple(figures), prompt)
