"""What moderation is measured by; floating point is fine here, as figures are outside the digest.

A harmful post is *caught*, a harmless one *accused*, when moderators first act on it, label, limit or remove; what an
appeal gives back later still counts. Posts of which there is none give nan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim.adder import Adder
from ecosim.community.facts.people import ROLES
from ecosim.community.moderation.state import ACTIONS, HOME, JUDGES, SPELLINGS
from ecosim.community.state import grid, layout
from ecosim.fields import Array
from ecosim.side import Events, Figure, Series

if TYPE_CHECKING:
    from ecosim.world import World

_SPLIT = "by role, niche and spelling of the creators"

METRICS = {
    "harmful_views": Figure("views", "views of harmful posts today", "lower"),
    "harm_exposure": Figure("share", "of today's views, those of harmful posts", "lower"),
    "verdicts": Figure("posts", "posts that moderators acted on today; by action"),
    "reported_posts": Figure("posts", "posts in the feeds that were reported and not yet judged for it"),
}
KPIS = {
    "moderation_precision": Figure("share", "of the posts that moderators acted on, those that were harmful", "higher"),
    "moderation_recall": Figure("share", f"of harmful posts, those that moderators acted on; {_SPLIT}", "higher"),
    "moderation_f1": Figure("", "harmonic mean of precision and recall", "higher"),
    "false_positive_rate": Figure("share", f"of harmless posts, those that moderators acted on; {_SPLIT}", "lower"),
    "wrongful_removals": Figure(
        "share", f"of harmless posts, those that were removed, if only for a time; {_SPLIT}", "lower"
    ),
    "days_to_action": Figure("days", "from publication to the first action, mean over harmful posts acted on", "lower"),
    "views_before_action": Figure("views", "of a harmful post acted on, before the first action, mean", "lower"),
    "harmful_views": Figure("views", "views of harmful posts in the whole run", "lower"),
    "harm_exposure": Figure("share", "of all views, those of harmful posts", "lower"),
    "appeals": Figure("appeals", "decided in the whole run"),
    "appeals_granted": Figure("share", "of appeals decided, those in favour of the creator"),
    "moderation_mflops": Figure("10^6 operations", "nominal cost of moderators' minds; by where they judge", "lower"),
    "flops_per_post": Figure("operations", "nominal cost of judging a post, mean; by where it is judged"),
}


def measure(world: World, events: Events, add: Adder) -> None:
    """The day's harm and verdicts."""
    num, posts = world.num_replicas, world.tables["posts"]
    harmful = grid(posts, "views_today", num) * grid(posts, "is_harmful", num)
    views = grid(posts, "views_today", num).sum(axis=1)
    add.figures["harmful_views", ""] = harmful.sum(axis=1).astype(np.float64)
    add.figures["harm_exposure", ""] = harmful.sum(axis=1) / np.maximum(views, 1)
    verdicts = events["verdicts"]
    ones = np.ones(verdicts.num_rows)
    add("verdicts", verdicts, ones)
    add.by(ACTIONS, verdicts["action"], "verdicts", verdicts, ones)
    del add.figures["verdicts", ACTIONS[0]]
    waits = (posts["reports"] > 0) & ~posts["is_reviewed"] & posts["is_open"]
    add.figures["reported_posts", ""] = waits.reshape(num, -1).sum(axis=1).astype(np.float64)


def conclude(world: World, series: Series, add: Adder) -> None:
    """The figures of whole replicas."""
    figures, num = add.figures, world.num_replicas
    creators, moderators = world.tables["creators"], world.tables[HOME]
    names = (
        "harmful_posts",
        "harmless_posts",
        "caught",
        "accused",
        "wrongly_removed",
        "days_to_action",
        "views_before_action",
    )
    counts = {name: grid(creators, name, num) for name in names}
    for group, of_group in _groups(world).items():
        total = {name: (count * of_group).sum(axis=1) for name, count in counts.items()}
        figures["moderation_recall", group] = _ratio(total["caught"], total["harmful_posts"])
        figures["false_positive_rate", group] = _ratio(total["accused"], total["harmless_posts"])
        figures["wrongful_removals", group] = _ratio(total["wrongly_removed"], total["harmless_posts"])
    whole = {name: count.sum(axis=1) for name, count in counts.items()}
    acted = whole["caught"] + whole["accused"]
    figures["moderation_precision", ""] = _ratio(whole["caught"], acted)
    figures["moderation_f1", ""] = _ratio(2 * whole["caught"], acted + whole["harmful_posts"])
    figures["days_to_action", ""] = _ratio(whole["days_to_action"], whole["caught"])
    figures["views_before_action", ""] = _ratio(whole["views_before_action"], whole["caught"])
    figures["harmful_views", ""] = series["harmful_views", ""].sum(axis=0)
    figures["harm_exposure", ""] = _ratio(series["harmful_views", ""].sum(axis=0), series["views", ""].sum(axis=0))
    figures["appeals", ""] = moderators["appeals"].astype(np.float64)
    figures["appeals_granted", ""] = _ratio(moderators["appeals_granted"], moderators["appeals"])
    _costs(world, figures)


def _costs(world: World, figures: dict[tuple[str, str], Array]) -> None:
    moderators = world.tables[HOME]
    figures["moderation_mflops", ""] = (moderators["flops_device"] + moderators["flops_central"]) / 1e6
    for judge in JUDGES:
        figures["moderation_mflops", judge] = moderators[f"flops_{judge}"] / 1e6
        figures["flops_per_post", judge] = _ratio(moderators[f"flops_{judge}"], moderators[f"judged_{judge}"])


def _groups(world: World) -> dict[str, Array]:
    """Which creators are of each group, bool (replicas, creators), by the group's name; "" for all."""
    num, creators = world.num_replicas, world.tables["creators"]
    net = layout(world.scenario)  # type: ignore[arg-type]  # a world of this side
    everybody = {"": np.ones((num, net.num_creators), bool)}
    kinds = (("role", ROLES), ("niche", net.niches), ("spelling", SPELLINGS))
    by_kind = {name: grid(creators, kind, num) == code for kind, names in kinds for code, name in enumerate(names)}
    return everybody | {name: of_group for name, of_group in by_kind.items() if of_group.any()}


def _ratio(above: Array, below: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(above / np.where(below == 0, np.nan, below))
