"""What is measured: the figures of each day, and of whole replicas at the end, with their definitions.

Figures are outside the digest, so NumPy's floating point is fine here. A figure by role is not there where a scenario
has nobody of that role.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim.adder import ratio
from ecosim.community.facts.people import ROLES
from ecosim.community.state import BOOKS, NO_INCOME, grid
from ecosim.fields import Array
from ecosim.rules import inequality
from ecosim.side import Events, Figure, Figures, Series

if TYPE_CHECKING:
    from ecosim.world import World

_GINI = "0 when all creators get the same number, near 1 when one gets all"

METRICS: Mapping[str, Figure] = {
    "impressions": Figure("posts", "posts shown today"),
    "views": Figure("views", "posts watched today; by role of their creators", "higher"),
    "likes": Figure("likes", "posts liked today"),
    "follows": Figure("follows", "new follows today"),
    "followers": Figure("follows", "follows of active viewers; by role of the creators"),
    "active_viewers": Figure("viewers", "viewers who have come and not left", "higher"),
    "retention": Figure("share", "active viewers over all who have ever come", "higher"),
    "reach": Figure("share", "active viewers who watched something today", "higher"),
    "attention_gini": Figure("", f"Gini coefficient of today's views over creators: {_GINI}"),
    "ai_view_share": Figure("share", "today's views that went to posts of AI creators"),
    "topic_diversity": Figure("topics", "effective number of topics: exp of the entropy of today's views by topic"),
    "mean_cash": Figure("EUR", "cash of a creator, mean; by role"),
}

KPIS: Mapping[str, Figure] = {
    "views": Figure("views", "posts watched in the whole run; by role of their creators", "higher"),
    "likes_per_view": Figure("likes/view", "likes over views of the whole run; by role of the creators", "higher"),
    "reach": Figure("share", "of all who ever came, those who watched something; by role of its creator", "higher"),
    "retention": Figure("share", "of all who ever came, those still there at the end", "higher"),
    "attention_gini": Figure("", f"Gini coefficient of all views over creators: {_GINI}", "lower"),
    "ai_view_share": Figure("share", "views that went to posts of AI creators"),
    "topic_diversity": Figure("topics", "effective number of topics watched, mean over days", "higher"),
    "followers": Figure("follows", "follows of viewers still there, a creator; by role", "higher"),
    "income": Figure("EUR", "what a creator was paid, less effort, models and upkeep; by role", "higher"),
}


def measure(world: World, events: Events) -> Figures:
    """The figures of the day just done."""
    num = world.num_replicas
    posts, viewers, creators = (world.tables[name] for name in ("posts", "viewers", "creators"))
    today = {n: grid(posts, f"{n}_today", num).sum(axis=1) for n in ("impressions", "views", "likes", "follows")}
    active = grid(viewers, "is_active", num).sum(axis=1)
    come = active + grid(viewers, "has_left", num).sum(axis=1)
    views = grid(creators, "views_last", num)
    figures = {(name, ""): count for name, count in today.items()}
    figures |= {
        ("active_viewers", ""): active,
        ("retention", ""): ratio(active, come),
        ("reach", ""): ratio(today["views"], active + np.bincount(events["departures"]["replica"], minlength=num)),
        ("attention_gini", ""): gini(views),
        ("ai_view_share", ""): ratio((views * _is_role(world, "ai_creator")).sum(axis=1), today["views"]),
        ("topic_diversity", ""): _effective_number(_views_by_topic(world)),
        ("followers", ""): grid(creators, "followers", num).sum(axis=1),
        ("mean_cash", ""): _cash(world).mean(axis=1),
    }
    for role in _roles(world):
        of_role = _is_role(world, role)
        size = np.maximum(of_role.sum(axis=1), 1)
        figures["views", role] = (views * of_role).sum(axis=1)
        figures["followers", role] = (grid(creators, "followers", num) * of_role).sum(axis=1)
        figures["mean_cash", role] = (_cash(world) * of_role).sum(axis=1) / size
    return {key: np.asarray(value, dtype=np.float64) for key, value in figures.items()}


def conclude(world: World, series: Series) -> Figures:
    """The figures of whole replicas."""
    num = world.num_replicas
    creators, viewers = world.tables["creators"], world.tables["viewers"]
    counts = {name: grid(creators, name, num) for name in ("views", "likes", "followers")}
    income, reached = _income(world), grid(viewers, "reached_by", num)
    active = grid(viewers, "is_active", num).sum(axis=1)
    come = active + grid(viewers, "has_left", num).sum(axis=1)
    figures = {
        ("retention", ""): ratio(active, come),
        ("reach", ""): ratio(reached.any(axis=2).sum(axis=1), come),
        ("attention_gini", ""): gini(counts["views"]),
        ("topic_diversity", ""): series["topic_diversity", ""].mean(axis=0),
    }
    there = was_there(world)
    groups = {"": there} | {role: there & _is_role(world, role) for role in _roles(world)}
    for group, of_group in groups.items():
        sums = {name: (count * of_group).sum(axis=1) for name, count in counts.items()}
        size = np.maximum(of_group.sum(axis=1), 1)
        figures["views", group] = sums["views"]
        figures["likes_per_view", group] = ratio(sums["likes"], sums["views"])
        figures["followers", group] = sums["followers"] / size
        figures["income", group] = (income * of_group).sum(axis=1) / size
        if group:
            figures["reach", group] = ratio(reached[:, :, ROLES.index(group)].sum(axis=1), come)
    ai_views = (counts["views"] * _is_role(world, "ai_creator")).sum(axis=1)
    figures["ai_view_share", ""] = ratio(ai_views, figures["views", ""])
    return {key: np.asarray(value, dtype=np.float64) for key, value in figures.items()}


def gini(counts: Array) -> Array:
    """How unequally each row shares what it has, float64 (rows,); 0 for a row of zeros.

    Source: Gini (1912), as mean |difference| over twice the mean, all pairs, self-pairs included.

    >>> gini(np.array([[1, 1, 1, 1], [0, 0, 0, 8]]))
    array([0.  , 0.75])
    """
    return np.nan_to_num(inequality.gini(counts))


def unpredictability(shares: Array) -> float:
    """Mean over things of the mean |difference of shares| between two worlds; shares is (worlds, things).

    Source: Salganik, Dodds, Watts (2006), Experimental study of inequality and unpredictability.

    >>> unpredictability(np.array([[0.5, 0.5], [0.75, 0.25]]))
    0.25
    """
    ordered = np.sort(shares, axis=0)
    num_worlds = len(ordered)
    weights = 2 * np.arange(1, num_worlds + 1) - num_worlds - 1
    pairs = num_worlds * (num_worlds - 1) / 2
    return float((ordered * weights[:, None]).sum(axis=0).mean() / pairs)


def _effective_number(counts: Array) -> Array:
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    entropy = -(share * np.log(np.where(share > 0, share, 1.0))).sum(axis=1)
    return cast(Array, np.exp(entropy) * (counts.sum(axis=1) > 0))


def was_there(world: World) -> Array:
    """Who of the creators has ever been there, bool (replicas, creators)."""
    creators = world.tables["creators"]
    column = "came_day" if "came_day" in creators else "is_active"
    return cast(Array, grid(creators, column, world.num_replicas) > 0)


def _is_role(world: World, role: str) -> Array:
    code = list[str](ROLES).index(role)
    return cast(Array, grid(world.tables["creators"], "role", world.num_replicas) == code)


def _roles(world: World) -> list[str]:
    return [role for role in ROLES if _is_role(world, role).any()]


def _views_by_topic(world: World) -> Array:
    posts, num_topics = world.tables["posts"], grid(world.tables["topics"], "topic", world.num_replicas).shape[1]
    cell = posts["replica"] * num_topics + posts["topic"]
    count = np.bincount(cell, weights=posts["views_today"], minlength=world.num_replicas * num_topics)
    return count.reshape(world.num_replicas, num_topics)


def _cash(world: World) -> Array:
    accounts = world.ledger.accounts
    return cast(Array, accounts["balance"][accounts["is_member"], 0].reshape(world.num_replicas, -1) / 1e6)


def _income(world: World) -> Array:
    """What each creator earned, less what it spent, EUR."""
    accounts = world.ledger.accounts
    flows = accounts["cash_by_reason"][accounts["is_member"]]
    earned = flows.sum(axis=1) - flows[:, [BOOKS.reasons.index(why) for why in NO_INCOME]].sum(axis=1)
    return cast(Array, earned.reshape(world.num_replicas, -1) / 1e6)
