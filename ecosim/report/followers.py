"""Whose followers are whose: creators on a circle, joined where the same viewers follow both, and who is shown to whom.

The record has every new follow (viewer, creator), and of posts how often each was shown, but not to whom; so the
drawing is of follows, and of what was shown the table has totals by niche and kind of creator.
"""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np
import pandas as pd
from markupsafe import Markup

from ecosim.community.scenario import CommunityScenario
from ecosim.report.canvas import INK, QUIET, SERIES, Drawing
from ecosim.report.parts import Cell, Chart, Charts, Grid, Note, Part, heads
from ecosim.report.plots import WIDE
from ecosim.report.posts import COUNTS, Creators
from ecosim.report.source import Source
from ecosim.report.words import number, short

MAX_CREATORS, MAX_EDGES = 36, 150
"""Creators on the circle, those with most follows; and edges, the widest."""
WIDEST, RADIUS, HEIGHT = 7.0, 230.0, 500
HUMAN, AI = SERIES[0], SERIES[1]


def parts(source: Source) -> list[Part]:
    """The network of one replica, and follows, views and impressions by niche and kind."""
    replica = source.examples[0]
    follows = source.events("follows", ("viewer", "creator"), replica=replica)
    reactions = source.events("reactions", ("creator", *COUNTS), replica=replica)
    if follows.empty:
        return [Note("No follows can be drawn: this run has none.", "quiet")]
    who = Creators(cast(CommunityScenario, source.run.scenario))
    count = follows["creator"].value_counts().sort_index()
    kept = count.nlargest(MAX_CREATORS, keep="first").index.tolist()
    kept = sorted(kept, key=lambda creator: (who.niche[creator], who.is_ai(creator), creator))
    num_viewers = follows["viewer"].nunique()
    note = (
        f"All follows of {source.named(replica)}: {len(follows):,} by {num_viewers:,} viewers. A disc is as large as a "
        "creator’s follows, a line as wide as the number of viewers who follow both; blue are humans, orange AI."
    )
    if len(kept) < len(who.role):
        note += f" Drawn are the {len(kept)} of {len(who.role):,} creators with most follows."
    both = shared(follows, kept)
    drawn = _draw(both, count, kept, who)
    chart = Chart("Shared followers", "", "discs: follows; lines: viewers who follow both", drawn)
    return [Charts((chart,), note, is_wide=True, by_arm=False), _by_niche(count, reactions, who)]


def shared(follows: pd.DataFrame, creators: list[int]) -> Any:
    """How many viewers follow both, shape (creators, creators); the diagonal has the followers of each."""
    from scipy.sparse import csr_array

    mine = follows[follows["creator"].isin(creators)].drop_duplicates()
    viewer, _ = pd.factorize(mine["viewer"])
    place = pd.Series(range(len(creators)), index=creators)[mine["creator"]].to_numpy()
    shape = (int(viewer.max()) + 1, len(creators))
    matrix = csr_array((np.ones(len(mine), np.int64), (viewer, place)), shape=shape)
    return (matrix.T @ matrix).toarray()


def _draw(both: Any, count: pd.Series[int], creators: list[int], who: Creators) -> Markup:
    drawing = Drawing(WIDE, HEIGHT, "creators on a circle by niche, joined where they share followers")
    at = [_place(i, len(creators)) for i in range(len(creators))]
    pairs = [(int(both[i, j]), i, j) for i in range(len(creators)) for j in range(i) if both[i, j]]
    edges = sorted(pairs, key=lambda edge: (-edge[0], edge[1:]))[:MAX_EDGES]
    for num, i, j in reversed(edges):
        drawing.line([at[i], at[j]], QUIET, max(0.3, WIDEST * num / edges[0][0]), opacity=0.3)
    for i, creator in enumerate(creators):
        (x, y), color = at[i], AI if who.is_ai(creator) else HUMAN
        name = f"{who.by(creator)} · {short(who.niches[who.niche[creator]], 20)}"
        radius = 3 + 7 * math.sqrt(count[creator] / count.max())
        drawing.dot(x, y, radius, color, about=f"{name}: {count[creator]:,} follows")
        is_right = x >= WIDE / 2
        drawing.text(x + (14 if is_right else -14), y, name, "start" if is_right else "end", INK)
    left = len(pairs) - len(edges)
    if left:
        drawing.text(WIDE - 4, HEIGHT - 8, f"{left:,} thinner lines are not drawn", "end")
    return drawing.svg()


def _place(i: int, num: int) -> tuple[float, float]:
    """On an ellipse, down its right side and up its left, at even heights so that no two names share a line."""
    half = (num + 1) // 2
    is_right, rank = i < half, i if i < half else num - 1 - i
    height = 2 * (rank + 0.5) / half - 1
    away = RADIUS * math.sqrt(1 - 0.9 * height**2)
    return WIDE / 2 + (away if is_right else -away), HEIGHT / 2 + 0.46 * HEIGHT * height


def _by_niche(count: pd.Series[int], reactions: pd.DataFrame, who: Creators) -> Grid:
    sums = reactions.groupby("creator")[COUNTS[:2]].sum().reindex(range(len(who.role)), fill_value=0)
    creators = pd.DataFrame(
        {
            "niche": [who.niches[niche] for niche in who.niche],
            "kind": ["AI" if who.is_ai(creator) else "human" for creator in range(len(who.role))],
            "creators": 1,
            "follows": count.reindex(range(len(who.role)), fill_value=0),
            **sums,
        }
    )
    table = creators.groupby(["niche", "kind"], sort=False).sum().reset_index()
    rows = tuple(
        (
            Cell(row.niche),
            Cell(row.kind, "swatch " + ("s2" if row.kind == "AI" else "s1")),
            *(Cell(f"{int(value):,}", "number") for value in (row.creators, row.impressions, row.views, row.follows)),
            Cell(number(row.views / row.impressions if row.impressions else math.nan, 3), "number"),
        )
        for row in table.itertuples()
    )
    names = ("niche", "made by", "creators", "times shown", "views", "new follows", "views a time shown")
    return Grid(heads(*names, numbers=",".join(names[2:])), rows)
