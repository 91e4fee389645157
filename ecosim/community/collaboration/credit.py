"""Joint works: two parts become one post, and what it brings is shared.

A joint work stands where its host's post would. Feeds see the niches and topics of both parts, viewers find in it the
topic that they like better, and those who follow either maker have their bond with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim.community import bits
from ecosim.community.posts import TREND_SCALE
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import NOBODY, Layout
from ecosim.exact import MILLION, value
from ecosim.fields import Array
from ecosim.side import Events
from ecosim.words import Decision, Question, Table, concat

if TYPE_CHECKING:
    from ecosim.world import World

INCOME = ("ads", "payouts")
"""Reasons for which creators are paid for views."""


class Credit:
    """The parts of those who agreed become one post.

    Its appeal is the mean of both parts', and `complementarity` of the makers' niches. The partner's part is not shown
    on its own. Where one of the two has made no part today, there is no joint work.
    """

    name = "credit"
    repeats = False
    writes = ("works",)

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        assert scenario.collaboration is not None
        self._net = net
        self._together = complementarity(scenario, net)

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked: it was agreed on."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Join the parts, and remember who worked with whom, and what had been earned until now."""
        posts, creators, net = world.tables["posts"], world.tables["creators"], self._net
        creators["earned_before"][:] = earned(world, creators["replica"], creators["member"])
        new = (posts["day"] == world.steps) & (posts["post"] != NOBODY)
        for name, none in (("partner", NOBODY), ("second_topic", NOBODY), ("partner_share", 0)):
            posts[name][new] = none
        works = self._works(world)
        world.tables["works"] = world.tables["works"].take(np.zeros(0, np.int64))
        if not works.num_rows:
            return {}
        host, partner = works["host_row"], works["partner_row"]
        niches = [net.niche[works[side]] for side in ("host", "partner")]
        parts = {side: posts["appeal"][works[f"{side}_row"]] for side in ("host", "partner")}
        posts["appeal"][host] = (parts["host"] + parts["partner"]) / 2 + self._together[niches[0], niches[1]]
        self._join(posts, works)
        posts["is_open"][partner] = False
        self._remember(world, works, niches)
        return {
            "works": Table(
                {
                    "replica": works["replica"],
                    "post": posts["post"][host],
                    "host": works["host"],
                    "partner": works["partner"],
                    "host_niche": niches[0],
                    "partner_niche": niches[1],
                    "topic": posts["topic"][host],
                    "second_topic": posts["topic"][partner],
                    "partner_share": works["partner_share"],
                    "round": works["round"],
                    "host_appeal": parts["host"],
                    "partner_appeal": parts["partner"],
                    "appeal": posts["appeal"][host],
                }
            )
        }

    def _works(self, world: World) -> Table:
        """Today's works in which both have made their part, with the rows of both in `posts`."""
        works, posts = world.tables["works"], world.tables["posts"]
        works = works.take(np.lexsort((works["host"], works["replica"])))
        made = np.ones(works.num_rows, bool)
        for side in ("host", "partner"):
            row = latest(world, self._net, works["replica"], works[side])
            works[f"{side}_row"] = row
            made &= (posts["day"][row] == world.steps) & posts["is_open"][row]
        return works.take(made & world.is_live[works["replica"]])

    def _join(self, posts: Table, works: Table) -> None:
        host, partner, net = works["host_row"], works["partner_row"], self._net
        kinds = len(net.niches) + net.num_topics  # what both parts say; the title is the host's
        posts["vector"][host, :kinds] |= posts["vector"][partner, :kinds]
        if "traits" in posts:
            posts["traits"][host] = (posts["traits"][host].astype(np.int64) + posts["traits"][partner]) // 2
        posts["partner"][host] = works["partner"]
        posts["second_topic"][host] = posts["topic"][partner]
        posts["partner_share"][host] = works["partner_share"]

    def _remember(self, world: World, works: Table, niches: list[Array]) -> None:
        creators, net = world.tables["creators"], self._net
        host, partner = (net.creator_row(works["replica"], works[side]) for side in ("host", "partner"))
        for mine, other, niche in ((host, works["partner"], niches[1]), (partner, works["host"], niches[0])):
            creators["joint_works"][mine, niche] += 1
            creators["last_partner"][mine] = other
            bits.put(creators["worked_with"], mine, other)


class Royalties:
    """After the day's settlement hosts pay their partners, and both learn from the views of the work.

    What a work brought its host is the part of what the host was paid (`INCOME`) that the work's views are of all its
    views since it was paid before, rounded down; the partner gets its share of that, rounded down.
    """

    name = "royalties"
    repeats = False
    writes = ("royalties",)

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        self._net = net

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked: the shares were agreed on."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Share what views of joint works have brought."""
        posts, creators = world.tables["posts"], world.tables["creators"]
        rows = np.flatnonzero((posts["partner"] != NOBODY) & (posts["views_today"] > 0))
        rows = rows[world.is_live[posts["replica"][rows]]]
        self._learn(world, rows)
        creators["views_unpaid"] += creators["views_last"]
        dues = self._dues(world, rows)
        host = self._net.creator_row(dues["replica"], dues["host"])
        income = earned(world, creators["replica"], creators["member"]) - creators["earned_before"]
        is_paid = income[host] > 0
        creators["views_unpaid"][income > 0] = 0
        world.tables["dues"] = dues.take(~is_paid)
        return {"royalties": self._pay(world, dues.take(is_paid), income[host[is_paid]])} if is_paid.any() else {}

    def _learn(self, world: World, rows: Array) -> None:
        """The partner's record counts the work by its own topic; both keep their share of the views by niche."""
        posts, creators, topics, net = *(world.tables[n] for n in ("posts", "creators", "topics")), self._net
        replica, views, second = (posts[name][rows] for name in ("replica", "views_today", "second_topic"))
        host = net.creator_row(replica, posts["place"][rows] % net.num_creators)
        partner = net.creator_row(replica, posts["partner"][rows])
        for name, count in (("views_by_topic", views), ("likes_by_topic", posts["likes_today"][rows])):
            np.add.at(creators[name], (partner, second), count)
        np.add.at(topics["recent_views"], net.topic_row(replica, second), views * TREND_SCALE)
        of_partner = views * posts["partner_share"][rows]
        np.add.at(creators["joint_views"], (host, creators["niche"][partner]), views * MILLION - of_partner)
        np.add.at(creators["joint_views"], (partner, creators["niche"][host]), of_partner)
        np.add.at(creators["views_hosted"], host, views)

    def _dues(self, world: World, rows: Array) -> Table:
        """What waits to be paid, with today's views: a row a work, by replica and post; and its host's views so far."""
        posts, net = world.tables["posts"], self._net
        today = {name: posts[name][rows] for name in ("replica", "post", "partner", "partner_share")}
        host = posts["place"][rows] % net.num_creators
        zero = np.zeros(len(rows), np.int64)
        new = Table({**today, "host": host, "views": posts["views_today"][rows], "of_views": zero})
        both = concat([world.tables["dues"], new])
        key = both["replica"] * (world.steps * net.num_creators + 1) + both["post"]
        different, first, row = np.unique(key, return_index=True, return_inverse=True)
        dues = both.take(first)
        dues["views"] = np.zeros(len(different), np.int64)
        np.add.at(dues["views"], row, both["views"])
        dues["of_views"] = world.tables["creators"]["views_unpaid"][net.creator_row(dues["replica"], dues["host"])]
        return dues

    def _pay(self, world: World, dues: Table, income: Array) -> Table:
        replica, ledger = dues["replica"], world.ledger
        income = income * dues["views"] // np.maximum(dues["of_views"], 1)
        paid = value(income, dues["partner_share"])
        ledger.pay("royalties", paid, ledger.rows(replica, dues["host"]), ledger.rows(replica, dues["partner"]))
        told = {name: dues[name] for name in ("replica", "post", "host", "partner", "views")}
        return Table({**told, "income": income, "paid": paid})


def earned(world: World, replica: Array, creator: Array) -> Array:
    """What views have brought each creator so far, EUR/1e6."""
    ledger = world.ledger
    reasons = [ledger.reasons.index(why) for why in INCOME]
    return cast(Array, ledger.accounts["cash_by_reason"][ledger.rows(replica, creator)][:, reasons].sum(axis=1))


def complementarity(scenario: CommunityScenario, net: Layout) -> Array:
    """What a work of two niches gains by them, log-odds, float64 (niches, niches), symmetric."""
    assert scenario.collaboration is not None
    gain = np.zeros((len(net.niches), len(net.niches)))
    for one, row in scenario.collaboration.complementarity.items():
        for other, log_odds in row.items():
            i, j = net.niches.index(one), net.niches.index(other)
            gain[i, j] = gain[j, i] = log_odds
    return gain


def latest(world: World, net: Layout, replica: Array, creator: Array) -> Array:
    """The row in `posts` of each creator's latest post, or, before its first, of its last place."""
    made = world.tables["creators"]["posts"][net.creator_row(replica, creator)]
    return net.post_row(replica, (made - 1) % net.kept * net.num_creators + creator)
