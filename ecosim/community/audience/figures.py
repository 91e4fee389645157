"""How viewers fare: what they get out of the feed, what it misses, how far they drift apart, who goes and comes back.

Figures are outside the digest, so NumPy's floating point is fine here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim.adder import Adder, ratio
from ecosim.community import bits
from ecosim.community.audience.acts import COMMENTS
from ecosim.community.state import Layout, grid, layout
from ecosim.community.worth import Worth
from ecosim.fields import Array
from ecosim.side import Events, Figure, Series
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

ASKED = 64
"""Visitors of a replica for whom the best post that they were not shown is looked up each day."""

METRICS = {
    "viewer_utility": Figure(
        "log-odds", "what was watched was worth above doing something else, mean over visits; 0 for none", "higher"
    ),
    "missed_utility": Figure(
        "log-odds",
        f"appeal and taste of the best open post above the best on the slate, mean of the first {ASKED} visitors",
        "lower",
    ),
    "satisfaction": Figure("share", "views that did not let the viewer down: no harm, no title that overstates"),
    "polarisation": Figure("", "how far viewers differ in the niches that they watched so far: 0 not, 1 wholly"),
    "churn": Figure("share", "viewers who were there and left today", "lower"),
    "returns": Figure("viewers", "who had left and came back today"),
    "watch_hours": Figure("h", "time watched today", "higher"),
    "completion": Figure("share", "of its length that a watched post was watched, mean", "higher"),
    "shares": Figure("shares", "posts shared today"),
    "comments": Figure("comments", "comments today; by label"),
    "unfollows": Figure("follows", "follows that ended today, but for those who left"),
    "reports": Figure("reports", "posts reported today"),
    "trust_in_platform": Figure("", "0 to 1, mean of those who are there", "higher"),
    "trust_in_ai": Figure("", "0 to 1, mean of those who are there"),
}
KPIS = {
    "viewer_utility": Figure("log-odds", "what was watched was worth above doing something else, mean", "higher"),
    "missed_utility": Figure("log-odds", "what the best open post was worth above the best shown, mean", "lower"),
    "satisfaction": Figure("share", "views that did not let the viewer down, mean of days", "higher"),
    "polarisation": Figure(
        "", "how much likelier two views of one viewer are of one niche than two of any: 0 not, 1 wholly"
    ),
    "churn": Figure("share", "viewers who leave on a day, mean of days", "lower"),
    "returns": Figure("share", "departures of the whole run that were followed by a return", "higher"),
    "watch_hours": Figure("h", "time watched in the whole run", "higher"),
}


def measure(world: World, events: Events, add: Adder) -> None:
    """The figures of the day just done; of what came by the feed, where posts also come by ties."""
    viewers, acts, seen = world.tables["viewers"], events["acts"], world.tables["viewings"]
    seen = seen.take(seen["slot"] >= 0)
    num, facts = world.num_replicas, world.scenario.audience  # type: ignore[attr-defined]  # a community's
    net = layout(world.scenario)  # type: ignore[arg-type]
    visits = grid(viewers, "is_visiting", num).sum(axis=1)
    gained = np.bincount(seen["replica"], seen["worth"] - world.scenario.viewers.skip, num)  # type: ignore[attr-defined]
    views = np.bincount(seen["replica"], minlength=num)
    active, gone = grid(viewers, "is_active", num).sum(axis=1), _count(events["departures"], num)
    found = {
        "viewer_utility": ratio(gained, visits),
        "missed_utility": missed(world, net),
        "satisfaction": ratio(views - np.bincount(acts["replica"], acts["let_down"], num), views),
        "polarisation": polarisation(grid(viewers, "niche_views", num)),
        "churn": ratio(gone, active + gone),
        "returns": _count(events["returns"], num),
    }
    for name in ("trust_in_platform", "trust_in_ai"):
        if name in viewers:
            total = (grid(viewers, name, num) * grid(viewers, "is_active", num)).sum(axis=1)
            found[name] = ratio(total / 1e6, active)
    if facts.watch_bar is not None:
        watched = np.bincount(seen["replica"], seen["share_watched"], num)
        found |= {"watch_hours": watched * facts.post_s / 3600, "completion": ratio(watched, views)}
    for name, bar in (("shares", "share_bar"), ("unfollows", "unfollow_bar"), ("reports", "report_bar")):
        if getattr(facts, bar) is not None:
            found[name] = np.bincount(acts["replica"], acts[name], num)
    if facts.comment_bar is not None:
        said = seen.take(seen["comment"] > 0)
        add.by(COMMENTS[1:], said["comment"] - 1, "comments", said, np.ones(said.num_rows))
        found["comments"] = _count(said, num)
    add.figures.update({(name, ""): np.asarray(value, np.float64) for name, value in found.items()})


def conclude(world: World, series: Series, add: Adder) -> None:
    """The figures of whole replicas."""
    num = world.num_replicas
    for name in ("viewer_utility", "missed_utility", "satisfaction", "churn"):
        add.figures[name, ""] = series[name, ""].mean(axis=0)
    add.figures["polarisation", ""] = polarisation(grid(world.tables["viewers"], "niche_views", num))
    back = series["returns", ""].sum(axis=0)
    still_gone = grid(world.tables["viewers"], "has_left", num).sum(axis=1)
    add.figures["returns", ""] = ratio(back, back + still_gone)
    if ("watch_hours", "") in series:
        add.figures["watch_hours", ""] = series["watch_hours", ""].sum(axis=0)


def polarisation(views: Array) -> Array:
    """How much likelier two views of one viewer are of one niche than two views of any: (own − any) ÷ (1 − any).

    Own is the chance that two different views of a viewer are of one niche, any the chance of two views drawn with
    replacement from all. 0 where all viewers watch the same mix, 1 where each keeps to one niche; viewers who have
    watched once say nothing of it, and chance adds nothing to its mean.

    Args:
        views: by niche, shape (…, viewers, niches).

    Source: Nei (1973), Analysis of gene diversity in subdivided populations: the coefficient of differentiation, with
    viewers as populations and niches as alleles.

    >>> polarisation(np.array([[[2, 2], [2, 2]], [[4, 0], [0, 4]]])).round(2)
    array([-0.33,  1.  ])
    """
    views = views.astype(np.float64)
    size = views.sum(axis=-1)
    own = ratio((views * (views - 1)).sum(axis=(-1, -2)), (size * (size - 1)).sum(axis=-1))
    of_niche = views.sum(axis=-2)
    anyone = ratio((of_niche**2).sum(axis=-1), of_niche.sum(axis=-1) ** 2)
    differs = (size > 1).any(axis=-1) & (anyone < 1)
    return np.where(differs, (own - anyone) / np.where(anyone < 1, 1 - anyone, 1), 0.0)


def missed(world: World, net: Layout) -> Array:
    """What the feed misses, mean over the first visitors of each replica: the regret of its slates, float64.

    A visitor's regret is appeal + taste of the best open post that it has not watched, above the best on its slate; 0
    where the slate has the best. So it needs neither bonds nor moods, which the day may have moved.

    Source of regret: Lai, Robbins (1985), Asymptotically efficient adaptive allocation rules.
    """
    viewers, posts, num = world.tables["viewers"], world.tables["posts"], world.num_replicas
    visits = grid(viewers, "is_visiting", num) & world.is_live[:, None]
    first = visits & (np.cumsum(visits, axis=1) <= ASKED)
    rows = np.flatnonzero(first)
    if not len(rows):
        return np.zeros(num)
    kind = Worth(world.scenario, net)  # type: ignore[arg-type]
    place = np.broadcast_to(np.arange(net.num_places), (len(rows), net.num_places))
    at = net.post_row(viewers["replica"][rows][:, None], place)
    found = kind.appeal(world)[at] + kind.taste(world, rows, at)
    is_shown = np.zeros(found.shape, bool)
    visit, slot = np.nonzero(viewers["slate"][rows] >= 0)
    is_shown[visit, viewers["slate"][rows][visit, slot]] = True
    can_show = posts["is_open"][at] & ~bits.unpacked(viewers["has_watched"][rows], net.num_places)
    best_shown = np.where(is_shown, found, -np.inf).max(axis=1)
    best = np.where(can_show | is_shown, found, -np.inf).max(axis=1)
    is_asked = best_shown > -np.inf
    regret = np.where(is_asked, best - np.where(is_asked, best_shown, 0.0), 0.0)
    replica = viewers["replica"][rows]
    return ratio(np.bincount(replica, regret, num), np.bincount(replica, is_asked, num))


def _count(table: Table, num: int) -> Array:
    return np.bincount(table["replica"], minlength=num)
