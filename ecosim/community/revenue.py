"""The end of a day: advertisers pay for views, and creators see what came of their posts, topic by topic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim.community.posts import TREND_SCALE
from ecosim.community.scenario import CommunityScenario
from ecosim.community.sharing import Sharing
from ecosim.community.state import Layout
from ecosim.side import Events
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World


class Settle:
    """Advertisers pay every creator `ads_eur_per_view` for the day's views, and records by topic grow.

    With `revenue`, advertisers and viewers pay the platform, which keeps its part and shares out the rest.
    """

    name = "settle"
    repeats = False
    writes: tuple[str, ...] = ("payments",)

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        self._num_creators = net.num_creators
        self._num_topics = net.num_topics
        self._sharing = Sharing(scenario, net) if scenario.revenue is not None else None
        if self._sharing is not None:
            self.writes = ("takings", "payouts")

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Bring the day's views to their creators' records and accounts."""
        self._learn(world)
        if self._sharing is not None:
            return self._sharing.settle(world)
        return {"payments": self._pay_out(world)}

    def _learn(self, world: World) -> None:
        posts, creators, topics = (world.tables[name] for name in ("posts", "creators", "topics"))
        today = np.flatnonzero(posts["impressions_today"] + posts["views_today"])  # views may come without the feed
        replica, topic = posts["replica"][today], posts["topic"][today]
        creator = world.first_member[replica] + posts["place"][today] % self._num_creators
        for name in ("views", "likes"):
            count = posts[f"{name}_today"][today]
            creators[f"{name}_last"][:] = 0
            np.add.at(creators[f"{name}_last"], creator, count)
            np.add.at(creators[f"{name}_by_topic"], (creator, topic), count)
            creators[name] += creators[f"{name}_last"]
        views = posts["views_today"][today] * TREND_SCALE
        np.add.at(topics["recent_views"], replica * self._num_topics + topic, views)

    def _pay_out(self, world: World) -> Table:
        """One row a creator that is paid."""
        creators, ledger = world.tables["creators"], world.ledger
        due = creators["views_last"] * creators["pay_per_view"]
        rows = np.flatnonzero(due)
        replica, member = creators["replica"][rows], creators["member"][rows]
        amount = due[rows]
        ledger.pay("ads", amount, ledger.outside("advertisers", replica), ledger.rows(replica, member))
        return Table({"replica": replica, "creator": member, "views": creators["views_last"][rows], "ads": amount})
