"""What new posts say: some are harmful, and their texts show it, or hide it. The truth that moderators are held to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim import exact, seeds
from ecosim.community.moderation.phrases import KINDS
from ecosim.community.moderation.state import facts_of
from ecosim.community.moderation.texts import compose
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import Layout, text_column
from ecosim.fields import Array
from ecosim.side import Events
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World


class Compose:
    """Every new post gets a text; harmful ones gain `harm.appeal`.

    A post is harmful with its creator's own chance; which kind of harm is drawn evenly. The text is an opening, a
    phrase that is harmless or harmful, and an ending, from phrases that no classifier was trained on, in the creator's
    spelling.

    Draws:
        From the world's seed, keyed by the post: whether it is harmful, the kind, severe or mild, plain or hard, and
        which phrases.
    """

    name = "compose"
    repeats = False
    writes = ("texts",)

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        self._net, self._harm = net, facts_of(scenario).harm
        self._topics = text_column(net.topics)

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked: what is harmful is planted."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Write the texts of today's posts."""
        rows = new_posts(world)
        if not len(rows):
            return {}
        posts, creators = world.tables["posts"], world.tables["creators"]
        replica, creator = posts["replica"][rows], posts["place"][rows] % self._net.num_creators
        found = self._found(world, rows, self._net.creator_row(replica, creator))
        is_harmful = found["harm"] > 0
        for name in ("harm", "severity", "text"):
            posts[name][rows] = found[name]
        posts["is_harmful"][rows] = is_harmful
        for name in ("action", "reports", "first_report", "is_reviewed", "is_hidden"):
            posts[name][rows] = 0
        posts["appeal"][rows] += np.where(is_harmful, self._harm.appeal, 0.0)
        at = self._net.creator_row(replica, creator)
        np.add.at(creators["harmful_posts"], at, is_harmful)
        np.add.at(creators["harmless_posts"], at, ~is_harmful)
        told = {name: found[name] for name in ("harm", "severity", "text")}
        return {"texts": Table({"replica": replica, "post": posts["post"][rows], "creator": creator, **told})}

    def _found(self, world: World, rows: Array, creator_row: Array) -> dict[str, Array]:
        posts, creators, harm = world.tables["posts"], world.tables["creators"], self._harm
        seed, key = world.seed(seeds.WORLD, posts["replica"][rows]), (posts["post"][rows],)

        def lots(lane: int) -> tuple[Array, Array]:
            return seeds.two_uniforms(seeds.WORLD, seed, world.steps, self.name, key, lane)

        (whether, which), (severe, hard), (opening, phrase), (ending, _) = (lots(lane) for lane in range(4))
        is_harmful = whether < 1.0 / (1.0 + exact.exp(-creators["harm_bent"][creator_row]))
        kind = np.where(is_harmful, 1 + (which * (len(KINDS) - 1)).astype(np.int64), 0)
        is_severe = severe < harm.severe_share
        topics = self._topics[posts["topic"][rows]]
        words = np.stack([opening, phrase, ending], axis=1)
        is_coastal = creators["spelling"][creator_row] == 1
        return {
            "harm": kind,
            "severity": np.where(is_harmful, 1 + is_severe, 0),
            "text": compose(kind, is_severe, hard < harm.hard_share, is_coastal, topics, words),
        }


def new_posts(world: World) -> Array:
    """Rows in `posts` of what was published today."""
    posts = world.tables["posts"]
    is_new = (posts["day"] == world.steps) & (posts["post"] >= 0)
    return np.flatnonzero(is_new & world.is_live[posts["replica"]])
