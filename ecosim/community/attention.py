"""Who gets the attention: how concentrated views are, how much of what is there is shown, and whether merit is.

Sees posts, slates' counts and views only. All figures are cheap: they look at posts and creators, never at viewers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim.adder import Adder, ratio
from ecosim.community.chapter import Chapter
from ecosim.community.facts.people import ROLES
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import grid, layout
from ecosim.fields import Array
from ecosim.rules import inequality
from ecosim.side import Events, Figure, Series

if TYPE_CHECKING:
    from ecosim.world import World

_EXPOSURE = "times that an open post is shown in a day, mean; by role of its creator; new (of the day) and old"

METRICS: Mapping[str, Figure] = {
    "coverage": Figure("share", "open posts that somebody is shown today"),
    "exposure": Figure("posts", f"today: {_EXPOSURE}"),
}
KPIS: Mapping[str, Figure] = {
    "coverage": Figure("share", "open posts that somebody is shown on a day, mean over days", "higher"),
    "exposure": Figure("posts", f"{_EXPOSURE}; mean over days"),
    "ai_exposure_ratio": Figure("", "how often a post of an AI creator is shown, over how often a human one's is"),
    "new_exposure_ratio": Figure("", "how often a post is shown on its first day, over how often on a later one"),
    "view_hhi": Figure("", "Herfindahl-Hirschman index of views over creators: Σ share², 1 / creators to 1", "lower"),
    "top_tenth_share": Figure("share", "of all views, those of the most watched tenth of creators (at least one)"),
    "exposure_merit": Figure(
        "",
        "Spearman correlation of appeal and times shown, over the posts that stand at the end: 1 where exposure "
        "follows merit (Singh and Joachims 2018 ask that it be in proportion); 0 where it can't be said",
        "higher",
    ),
}


def spearman(x: Array, y: Array) -> float:
    """Correlation of ranks, equals sharing theirs; 0 where one of the two does not vary.

    >>> spearman(np.array([1, 2, 3, 4]), np.array([10, 30, 20, 40]))
    0.8
    """
    if len(x) < 2:
        return 0.0
    a, b = (_ranks(values) - (len(values) + 1) / 2 for values in (x, y))
    spread = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / spread if spread > 0 else 0.0


def _ranks(values: Array) -> Array:
    """From 1; equals share the mean of their ranks."""
    _, kind, size = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(size) - (size - 1) / 2)[kind]


def _measure(world: World, events: Events, add: Adder) -> None:
    posts, num = world.tables["posts"], world.num_replicas
    is_open = grid(posts, "is_open", num)
    shown = grid(posts, "impressions_today", num)
    add.figures["coverage", ""] = ratio(((shown > 0) & is_open).sum(axis=1), is_open.sum(axis=1))
    for group, members in _groups(world).items():
        there = is_open & members
        add.figures["exposure", group] = ratio((shown * there).sum(axis=1), there.sum(axis=1))


def _conclude(world: World, series: Series, add: Adder) -> None:
    num = world.num_replicas
    for name in ("coverage", "exposure"):
        for (metric, group), days in series.items():
            if metric == name:
                add.figures[name, group] = days.mean(axis=0)
    shown = {group: value for (name, group), value in add.figures.items() if name == "exposure"}
    if set(ROLES) <= set(shown):
        add.figures["ai_exposure_ratio", ""] = ratio(shown["ai_creator"], shown["human_creator"])
    add.figures["new_exposure_ratio", ""] = ratio(shown["new"], shown["old"])
    views = grid(world.tables["creators"], "views", num)
    share = views / np.maximum(views.sum(axis=1, keepdims=True), 1)
    add.figures["view_hhi", ""] = np.nan_to_num(inequality.herfindahl(views))
    add.figures["top_tenth_share", ""] = np.sort(share, axis=1)[:, -max(1, views.shape[1] // 10) :].sum(axis=1)
    add.figures["exposure_merit", ""] = _merit(world)


def _merit(world: World) -> Array:
    posts, num = world.tables["posts"], world.num_replicas
    is_open, appeal, shown = (grid(posts, name, num) for name in ("is_open", "appeal", "impressions"))
    return np.array([spearman(appeal[r, is_open[r]], shown[r, is_open[r]]) for r in range(num)])


def _groups(world: World) -> dict[str, Array]:
    """Which places for posts belong to each group, bool (replicas, places)."""
    scenario = cast(CommunityScenario, world.scenario)
    net, posts = layout(scenario), world.tables["posts"]
    role = np.tile(net.role, net.kept)[None, :]
    is_new = grid(posts, "day", world.num_replicas) == world.steps
    by_role: dict[str, Array] = {name: role == code for code, name in enumerate(ROLES) if (net.role == code).any()}
    return {"": np.ones_like(is_new), **by_role, "new": is_new, "old": ~is_new}


CHAPTER = Chapter(metrics=METRICS, kpis=KPIS, measure=_measure, conclude=_conclude)
