"""What the world keeps of harm and moderation: columns of posts and creators, the moderators, open cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim import exact, seeds
from ecosim.community.facts.moderation import Moderation
from ecosim.community.moderation.phrases import KINDS
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import Layout, text_column
from ecosim.levers import Lever
from ecosim.meanings import Meaning, State
from ecosim.side import Column, Schema
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

ROLE = "moderator"
HOME = "moderators"
ACTIONS = ("none", "label", "limit", "remove")
NONE, LABEL, LIMIT, REMOVE = range(4)
SEVERITIES = ("none", "mild", "severe")
SPELLINGS = ("common", "coastal")
JUDGES = ("device", "central")

_POST_COUNTS = ("harm", "severity", "action", "reports", "first_report")
_CREATOR_COUNTS = (
    "strikes", "harmful_posts", "harmless_posts", "caught", "accused", "wrongly_removed", "days_to_action",
    "views_before_action",
)  # fmt: skip
_MODERATOR_COUNTS = ("judged_device", "judged_central", "flops_device", "flops_central", "appeals", "appeals_granted")

STATES = {
    "posts": State(
        "",
        {
            "text": Meaning("text", "what it says, after its title"),
            "harm": Meaning("", f"the truth about it: {', '.join(f'{i} {kind}' for i, kind in enumerate(KINDS))}"),
            "severity": Meaning("", "of the harm: 0 none, 1 mild, 2 severe"),
            "is_harmful": Meaning("", "whether there is any harm in it"),
            "action": Meaning("", "what moderators have done: 0 none, 1 label, 2 limit, 3 remove"),
            "reports": Meaning("reports", "by viewers so far"),
            "first_report": Meaning("day", "when it was first reported; 0 if never"),
            "is_reviewed": Meaning("", "whether it has been judged after reports, or cleared by an appeal"),
            "is_hidden": Meaning("", "whether moderation keeps it from feeds today"),
        },
    ),
    "creators": State(
        "",
        {
            "spelling": Meaning("", "0 common, 1 coastal"),
            "harm_bent": Meaning("log-odds", "that a post of its is harmful"),
            "strikes": Meaning("posts", "removed, and not given back"),
            "harmful_posts": Meaning("posts", "that were harmful"),
            "harmless_posts": Meaning("posts", "that were not"),
            "caught": Meaning("posts", "harmful ones that moderators acted on"),
            "accused": Meaning("posts", "harmless ones that moderators acted on"),
            "wrongly_removed": Meaning("posts", "harmless ones that were removed, if only for a time"),
            "days_to_action": Meaning("days", "from publication to the first action, of those caught, added up"),
            "views_before_action": Meaning("views", "of those caught, before the first action"),
        },
    ),
    HOME: State(
        "the moderators of a platform, one mind; none where the scenario has no `moderation`",
        {
            "replica": Meaning("id", "where it is"),
            "member": Meaning("id", "its number"),
            "judged_device": Meaning("posts", "judged on the device so far"),
            "judged_central": Meaning("posts", "judged after reports so far"),
            "flops_device": Meaning("operations", "nominal cost of the former"),
            "flops_central": Meaning("operations", "nominal cost of the latter"),
            "appeals": Meaning("appeals", "decided so far"),
            "appeals_granted": Meaning("appeals", "of these, in favour of the creator"),
        },
    ),
    "cases": State(
        "a post that was limited or removed today, or whose appeal is not yet decided",
        {
            "replica": Meaning("id", "where it is"),
            "post": Meaning("id", "(day − 1) · creators + creator"),
            "creator": Meaning("id", "whose it is"),
            "place": Meaning("id", "where it stands, or stood"),
            "action": Meaning("", "2 limit, 3 remove"),
            "harm": Meaning("", "the truth about it, as in `posts`"),
            "day": Meaning("day", "of the action"),
        },
    ),
}

_POST = Column("post", "i8", "", "(day − 1) · creators + creator")
_CREATOR = Column("creator", "i8", "", "who made it", of="member")
_HARM = Column("harm", "i8", "", "the truth about it", KINDS)
SCHEMAS = {
    "texts": Schema(
        "What new posts say, and the truth about it.",
        1,
        (
            _POST,
            _CREATOR,
            _HARM,
            Column("severity", "i8", "", "of the harm", SEVERITIES),
            Column("text", "str", "", "after the title"),
        ),
        is_rare=True,
    ),
    "verdicts": Schema(
        "Actions of moderators on posts.",
        2,
        (
            _POST,
            Column("judge", "i8", "", "where the post was judged", JUDGES),
            _CREATOR,
            Column("action", "i8", "", "what was done", ACTIONS),
            _HARM,
            Column("days", "i8", "days", "since the post appeared"),
            Column("views", "i8", "views", "that it had had"),
        ),
        is_rare=True,
    ),
    "appeals": Schema(
        "Appeals of creators, as they are decided.",
        2,
        (
            _POST,
            Column("action", "i8", "", "against what", ACTIONS),
            _CREATOR,
            _HARM,
            Column("is_granted", "i8", "", "1 if the action was taken back", ("no", "yes")),
        ),
        is_rare=True,
    ),
}

LEVERS = (
    Lever(
        table="creators",
        name="harm_bent",
        unit="log-odds",
        about="that a post of its is harmful, for posts from now on",
        low=-50.0,
        high=50.0,
    ),
)


def facts_of(scenario: CommunityScenario) -> Moderation:
    """What the scenario says of moderation; only called where it does."""
    assert scenario.moderation is not None
    return scenario.moderation


def keeps_posts(world: World) -> bool:
    """Whether posts of creators who have quit may still be shown."""
    scenario: Any = world.scenario  # a world of this side
    return scenario.entry is None or scenario.entry.keeps_posts


def build(scenario: CommunityScenario, net: Layout, replicas: Table, tables: dict[str, Table]) -> None:
    """Add the columns, the moderators and an empty table of cases.

    Draws:
        From the world's seed, keyed by creator: how it spells, evenly by `coastal_shares` of its niche; how far its
        chance of harm lies from the others', a standard normal draw times `spread`.
    """
    harm = facts_of(scenario).harm
    creators, posts = tables["creators"], tables["posts"]
    seed, member = replicas["world_seed"][creators["replica"]], creators["member"]
    lot = seeds.uniform(seeds.WORLD, seed, 0, "moderation.build", (member,), lane=0)
    luck = seeds.normal(seeds.WORLD, seed, 0, "moderation.build", (member,), lane=1)
    shares = np.array([harm.coastal_shares.get(niche, 0.0) for niche in net.niches])
    middle = exact.log(np.array([harm.share / (1.0 - harm.share)]))[0]
    creators["spelling"] = (lot < shares[net.niche[member]]).astype(np.int64)
    creators["harm_bent"] = middle + harm.spread * luck
    _add_counts(creators, _CREATOR_COUNTS)
    _add_counts(posts, _POST_COUNTS)
    posts["text"] = text_column([""] * posts.num_rows)
    for name in ("is_harmful", "is_reviewed", "is_hidden"):
        posts[name] = np.zeros(posts.num_rows, bool)
    size = replicas.num_rows
    tables[HOME] = Table({"replica": np.arange(size), "member": np.zeros(size, np.int64)})
    _add_counts(tables[HOME], _MODERATOR_COUNTS)
    tables["cases"] = Table({name: np.zeros(0, np.int64) for name in STATES["cases"].columns})


def num_bytes(scenario: CommunityScenario) -> dict[str, int]:
    """What the columns of posts take in a replica, texts of about 200 letters among them."""
    return {"moderation (× creators × feed.kept_posts)": scenario.num_creators * scenario.feed.kept_posts * 250}


def _add_counts(table: Table, names: tuple[str, ...]) -> None:
    for name in names:
        table[name] = np.zeros(table.num_rows, np.int64)
