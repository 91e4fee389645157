"""The chapter of collaboration: tables, figures, and what belongs together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim.adder import Adder
from ecosim.community import bits
from ecosim.community.chapter import Chapter
from ecosim.community.collaboration.credit import Credit, Royalties
from ecosim.community.collaboration.experts import INVITE, SPLIT
from ecosim.community.collaboration.invite import Invite
from ecosim.community.collaboration.split import Split
from ecosim.community.collaboration.words import ACCEPT, REJECT, SCHEMAS, STATES
from ecosim.community.facts.people import ROLES
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import NOBODY, Layout, grid
from ecosim.exact import MILLION
from ecosim.fields import Array
from ecosim.side import Events, Figure, Series
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

METRICS = {
    "talks_ended": Figure("talks", "talks about joint works that ended today"),
    "joint_works": Figure("works", "joint works that appeared today"),
    "partner_share": Figure("share", "of the income of today's new works that goes to the partner, mean; nan for none"),
    "joint_views": Figure("views", "of joint works today"),
    "partner_views": Figure("views", "of these, the partners' shares"),
}
KPIS = {
    "joint_share": Figure("share", "joint works over all posts that appeared"),
    "talk_success": Figure("share", "talks that ended in a joint work", "higher"),
    "partner_share": Figure("share", "of a joint work's income that goes to the partner, mean over works"),
    "work_gain": Figure(
        "", "views of a joint work ÷ views of a post made alone, means; two parts make a work", "higher"
    ),
    "host_gain": Figure("", "the host's share of a work's views ÷ views of a post made alone, means", "higher"),
    "partner_gain": Figure("", "the partner's share of a work's views ÷ views of a post made alone, means", "higher"),
    "cross_niche_share": Figure("share", "joint works whose makers are of different niches"),
    "partners": Figure("creators", "with whom a creator ever made a work, mean: degree in the network of partners"),
    "partner_clustering": Figure("", "clustering coefficient of the network of partners, mean over creators"),
}


def build(scenario: CommunityScenario, net: Layout, replicas: Table, tables: dict[str, Table]) -> None:
    """Nobody has worked with anybody."""
    creators, posts, none = tables["creators"], tables["posts"], np.zeros(0, np.int64)
    rows = creators.num_rows
    for name in ("joint_works", "joint_views"):
        creators[name] = np.zeros((rows, len(net.niches)), np.int64)
    for name in ("views_hosted", "views_unpaid", "earned_before"):
        creators[name] = np.zeros(rows, np.int64)
    creators["last_partner"] = np.full(rows, NOBODY)
    creators["worked_with"] = bits.none_set(rows, net.num_creators)
    for name, value in (("partner", NOBODY), ("second_topic", NOBODY), ("partner_share", 0)):
        posts[name] = np.full(posts.num_rows, value)
    for name in ("talks", "works", "dues"):
        tables[name] = Table({column: none for column in STATES[name].columns})


def measure(world: World, events: Events, add: Adder) -> None:
    """Talks that ended, works that appeared, and views of all works so far."""
    ended = events["splits"].take((events["splits"]["act"] == ACCEPT) | (events["splits"]["act"] == REJECT))
    works = events["works"]
    add("talks_ended", ended, np.ones(ended.num_rows))
    add("joint_works", works, np.ones(works.num_rows))
    add("partner_share", works, works["partner_share"] / MILLION)
    with np.errstate(invalid="ignore"):
        add.figures["partner_share", ""] = add.figures["partner_share", ""] / add.figures["joint_works", ""]
    posts = world.tables["posts"]
    joint = posts.take(posts["partner"] != NOBODY)
    add("joint_views", joint, joint["views_today"])
    add("partner_views", joint, joint["views_today"] * (joint["partner_share"] / MILLION))


def conclude(world: World, series: Series, add: Adder) -> None:
    """What joint works were and brought; nan where there were none."""
    creators, size = world.tables["creators"], world.num_replicas
    total = {name: series[name, ""].sum(axis=0) for name in METRICS if name != "partner_share"}
    works = total["joint_works"]
    made = grid(creators, "posts", size).sum(axis=1)
    shared = np.nan_to_num(series["partner_share", ""]) * series["joint_works", ""]
    hosted = grid(creators, "views_hosted", size).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        alone = (grid(creators, "views", size).sum(axis=1) - hosted) / (made - 2 * works)
        found = {
            "joint_share": works / (made - works),
            "talk_success": works / total["talks_ended"],
            "partner_share": shared.sum(axis=0) / works,
            "work_gain": total["joint_views"] / works / alone,
            "host_gain": (total["joint_views"] - total["partner_views"]) / works / alone,
            "partner_gain": total["partner_views"] / works / alone,
            "cross_niche_share": 1 - _within_niches(creators, size) / (2 * works),
        }
    degree, clustering = _network(creators, size)
    found |= {"partners": degree, "partner_clustering": clustering}
    add.figures.update({(name, ""): value for name, value in found.items()})


def _within_niches(creators: Table, size: int) -> Array:
    """Parts in works of two of one niche, in each replica."""
    own = creators["joint_works"][np.arange(creators.num_rows), creators["niche"]]
    return own.reshape(size, -1).sum(axis=1)


def _network(creators: Table, size: int) -> tuple[Array, Array]:
    """Mean degree and mean clustering of who worked with whom, float64 (replicas,) each."""
    import networkx as nx  # a tenth of a second of imports: only for who asks

    num = creators.num_rows // size
    ties = bits.unpacked(creators["worked_with"], num).reshape(size, num, num)
    clustering = [nx.average_clustering(nx.from_numpy_array(tie)) for tie in ties]
    return ties.sum(axis=2).mean(axis=1), np.array(clustering)


def num_bytes(scenario: CommunityScenario) -> dict[str, int]:
    """What the columns take in a replica."""
    creators = scenario.num_creators
    return {
        "collaboration (× creators²)": creators * -(-creators // 8),
        "collaboration (× creators × niches)": 16 * creators * (len(scenario.niches) + 2),
        "collaboration (× feed.kept_posts)": 24 * creators * scenario.feed.kept_posts,
    }


CHAPTER = Chapter(
    is_in=lambda scenario: scenario.collaboration is not None,
    phases={"invite": Invite, "split": Split, "credit": Credit, "royalties": Royalties},
    asks={role: ("invite", "split") for role in ROLES},
    experts={
        **{f"{role}.invite": INVITE for role in ROLES},
        **{f"{role}.split": SPLIT for role in ROLES},
    },
    schemas=SCHEMAS,
    states=STATES,
    build=build,
    metrics=METRICS,
    kpis=KPIS,
    measure=measure,
    conclude=conclude,
    num_bytes=num_bytes,
)
