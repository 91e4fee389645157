"""Publishing: creators choose a topic and an effort, AI creators write a title; the posts appear.

What a creator sees is its own record by topic, what the platform's viewers watched lately (`trend`), and its means.
The titles of human creators come from templates, drawn from the world's seed. A post's appeal is skill + effort +
noise, and less outside the creator's niche; its vector (niche, topic, signs of the title) is what feeds compare.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.community import rivals
from ecosim.community.catalogue import FilmTitles
from ecosim.community.facts.people import ROLES
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import Layout, grid, text_column
from ecosim.community.tastes import tastes
from ecosim.community.titles import NUM_TITLES, Compass, Embedder, template_titles
from ecosim.exact import micro
from ecosim.fields import Array, Choice, Field, Text
from ecosim.meanings import Meaning, units
from ecosim.side import Events
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

EFFORTS = ("low", "medium", "high")
TITLE_TOKENS = 12
TREND_SCALE = 1024
"""Recent posts and views are counted in 1024ths, so that fading by whole numbers loses little."""

SEES = {
    "niche_name": Meaning("text", "the niche that its skill lies in"),
    "followers": Meaning("", "viewers who follow it now"),
    "posts": Meaning("", "posts that it has made so far"),
    "views": Meaning("", "views of all its posts so far"),
    "views_last": Meaning("", "views of all its posts on the day before"),
    "likes_last": Meaning("", "likes of all its posts on the day before"),
    "cash": Meaning("EUR/1e6", "what it owns"),
    "pay_per_view": Meaning("EUR/1e6", "what it is paid for a view"),
    "effort_cost": Meaning("EUR/1e6", "what a post costs at each level of effort: low, medium, high"),
    "topic_name": Meaning("text", "the topics of the platform"),
    "is_own_niche": Meaning("", "for each topic, whether it belongs to the creator's niche"),
    "posts_by_topic": Meaning("", "for each topic, its own posts so far"),
    "views_by_topic": Meaning("", "for each topic, views of its own posts so far"),
    "likes_by_topic": Meaning("", "for each topic, likes of its own posts so far"),
    "trend": Meaning("views/post", "for each topic, views a post had lately on the whole platform"),
}
ANSWERS = {
    "topic": Meaning("", "what the post is about; any topic of the platform"),
    "effort": Meaning("", "costs money and adds appeal; low may always be chosen, the others by whoever can pay"),
    "title": Meaning("text", "what viewers read; the titles of human creators come from templates"),
}
MODEL = {
    "topic_weights": Meaning("", "for each topic, how often its model takes it, relative to the others"),
    "opening_weights": Meaning("", "for each opening of the title templates, how often its model takes it"),
    "ending_weights": Meaning("", "for each ending of the title templates, how often its model takes it"),
}
"""What a creator sees of its model, where a scenario has `retraining`; of a human, what humans post."""
_BY_TOPIC = ("topic_name", "is_own_niche", "posts_by_topic", "views_by_topic", "likes_by_topic", "trend")


class Publish:
    """Every creator that is due makes a post: it chooses topic and effort, an AI creator a title too.

    The appeal of a post, in log-odds, is skill + appeal of the effort + `outside_niche` where the topic is not the
    creator's own + `noise` · normal draw. A creator's newest post takes the place of its oldest among those that feeds
    may show (`kept_posts`).

    Draws:
        From the world's seed, keyed by the creator: the noise of each post; the titles of human creators, evenly from
        the templates, or from the films of the topic where there is a `catalogue`.

    Args:
        scenario, net: the facts, and who is who.
        embed: how titles become vectors; None if they do not.
    """

    name = "publish"
    repeats = False
    sees, answers, writes = SEES, ANSWERS, ("posts",)

    def __init__(self, scenario: CommunityScenario, net: Layout, embed: Embedder | None) -> None:
        self._of_model = {} if scenario.retraining is None else MODEL
        facts = scenario.publishing
        levels = (facts.low, facts.medium, facts.high)
        self._every = facts.every_days
        self._noise, self._outside = facts.noise, facts.outside_niche
        self._costs = np.array([micro(level.cost_eur) for level in levels])
        self._gains = np.array([level.appeal for level in levels])
        self._net, self._tastes = net, tastes(scenario, net)
        self._topic_names = text_column(net.topics)
        self._films = None if scenario.catalogue is None else FilmTitles(net.topics)
        self._niche_names = text_column(net.niches)
        label = self._topic_names + " " + self._niche_names[net.topic_niche]
        self._compass = Compass(embed, label.tolist(), net.title_dims)
        self._rivals = rivals.Rivals(scenario, net) if facts.shows_rivals else None
        self.sees = {**SEES, **({} if self._rivals is None else self._rivals.sees), **self._of_model}

    def ask(self, world: World) -> list[Question]:
        """One question a role, to all of its creators."""
        if (world.steps - 1) % self._every:
            return []
        creators = world.tables["creators"]
        live = world.is_live[creators["replica"]]
        due = [np.flatnonzero(live & creators["is_active"] & (creators["role"] == code)) for code in range(len(ROLES))]
        return [self._question(world, ROLES[code], rows) for code, rows in enumerate(due) if len(rows)]

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Pay for the efforts and put up the posts, in the order of creators."""
        if not questions:
            return {}
        parts = [self._drafts(world, q, d) for q, d in zip(questions, decisions, strict=True)]
        drafts = Table({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
        drafts = drafts.take(np.lexsort((drafts["creator"], drafts["replica"])))
        self._finish(world, drafts)
        self._put_up(world, drafts)
        return {"posts": Table({n: c for n, c in drafts.items() if n not in ("vector", "row", "place")})}

    # ---- what they see --------------------------------------------------------------------------------------------

    def _question(self, world: World, role: str, rows: Array) -> Question:
        creators = world.tables["creators"]
        replica, member = creators["replica"][rows], creators["member"][rows]
        none = np.full(len(rows), -1)
        columns = self._columns(world, rows, replica, member)
        shape = (len(rows), self._net.num_topics)
        seen = {name: np.broadcast_to(True, shape) for name in (*_BY_TOPIC, *rivals.BY_TOPIC) if name in columns}
        seen |= {name: np.broadcast_to(True, columns[name].shape) for name in self._of_model}
        return Question(
            role=role,
            phase=self.name,
            step=world.steps,
            key=Table({"replica": replica, "subject": member, "counterpart": none, "item": none, "round": none}),
            seed=world.seed(seeds.MIND, replica),
            mind=world.minds(self.name, replica, member),
            columns=columns,
            masks={**seen, "effort_cost": np.broadcast_to(True, (len(rows), len(EFFORTS)))},
            units=units(self.sees),
            fields=self._fields(role, columns["cash"]),
        )

    def _columns(self, world: World, rows: Array, replica: Array, member: Array) -> dict[str, Array]:
        creators, niche = world.tables["creators"], self._net.niche[member]
        shape = (len(rows), self._net.num_topics)
        own = {name: creators[name][rows] for name in ("followers", "posts", "views", "views_last", "likes_last")}
        records = {name: creators[name][rows] for name in ("posts_by_topic", "views_by_topic", "likes_by_topic")}
        return {
            "niche_name": self._niche_names[niche],
            **own,
            "cash": world.ledger.accounts["balance"][world.ledger.rows(replica, member), 0],
            "pay_per_view": creators["paid_per_view" if "paid_per_view" in creators else "pay_per_view"][rows],
            "effort_cost": np.broadcast_to(self._costs, (len(rows), len(EFFORTS))),
            "topic_name": np.broadcast_to(self._topic_names, shape),
            "is_own_niche": self._net.topic_niche == niche[:, None],
            **records,
            "trend": trend(world)[replica],
            **({} if self._rivals is None else self._rivals.columns(world, replica, member)),
            **{name: creators[name][rows] for name in self._of_model},
        }

    def _fields(self, role: str, cash: Array) -> tuple[Field, ...]:
        any_topic = np.broadcast_to(True, (len(cash), self._net.num_topics))
        can_pay = self._costs <= cash[:, None]
        can_pay[:, 0] = True
        fields: tuple[Field, ...] = (
            Choice(name="topic", options=self._net.topics, allowed=any_topic),
            Choice(name="effort", options=EFFORTS, allowed=can_pay),
        )
        return (*fields, Text(name="title", max_tokens=TITLE_TOKENS)) if role == "ai_creator" else fields

    # ---- what comes of it -----------------------------------------------------------------------------------------

    def _drafts(self, world: World, question: Question, decision: Decision) -> Table:
        replica, member = question.key["replica"], question.key["subject"]
        topic = decision.answers["topic"]
        title = decision.answers.get("title")
        if title is None:
            seed = world.seed(seeds.WORLD, replica)
            films = self._films
            num = NUM_TITLES if films is None else films.num[topic]
            pick = seeds.integers(num, seeds.WORLD, seed, world.steps, self.name, (member,), lane=1)
            title = template_titles(self._topic_names[topic], pick) if films is None else films(topic, pick)
        return Table(
            {
                "replica": replica,
                "post": (world.steps - 1) * self._net.num_creators + member,
                "creator": member,
                "topic": topic,
                "effort": decision.answers["effort"],
                "title": title,
            }
        )

    def _finish(self, world: World, drafts: Table) -> None:
        """Add what a post is worth, and where it stands."""
        replica, member, topic = drafts["replica"], drafts["creator"], drafts["topic"]
        row = world.first_member[replica] + member
        seed = world.seed(seeds.WORLD, replica)
        luck = seeds.normal(seeds.WORLD, seed, world.steps, self.name, (member,), lane=0)
        is_away = self._net.topic_niche[topic] != self._net.niche[member]
        skill = world.tables["creators"]["skill"][row] + np.where(is_away, self._outside, 0.0)
        signs = self._signs(drafts["title"])
        drafts["cost"] = self._costs[drafts["effort"]]
        drafts["appeal"] = (skill + self._gains[drafts["effort"]]) + self._noise * luck
        drafts["title_fit"] = self._compass.fit(signs, topic)
        drafts["vector"] = self._vector(topic, signs)
        drafts["row"] = row
        turn = world.tables["creators"]["posts"][row] % self._net.kept
        drafts["place"] = turn * self._net.num_creators + member

    def _signs(self, titles: Array) -> Array:
        """Each different title is embedded once."""
        different = sorted(set(titles.tolist()))
        number = {title: i for i, title in enumerate(different)}
        return self._compass.signs(different)[[number[title] for title in titles.tolist()]]

    def _vector(self, topic: Array, signs: Array) -> Array:
        num_niches, num_topics = len(self._net.niches), self._net.num_topics
        vector = np.zeros((len(topic), num_niches + num_topics + signs.shape[1]), np.int8)
        post = np.arange(len(topic))
        vector[post, self._net.topic_niche[topic]] = 1
        vector[post, num_niches + topic] = 1
        vector[:, num_niches + num_topics :] = signs
        return vector

    def _put_up(self, world: World, drafts: Table) -> None:
        ledger, posts, creators = world.ledger, world.tables["posts"], world.tables["creators"]
        replica, topic = drafts["replica"], drafts["topic"]
        payer = ledger.rows(replica, drafts["creator"])
        ledger.pay("effort", drafts["cost"], payer, ledger.outside("nature", replica))
        place = self._net.post_row(replica, drafts["place"])
        for name in ("post", "topic", "appeal", "title", "title_fit", "vector"):
            posts[name][place] = drafts[name]
        posts["day"][place] = world.steps
        posts["is_open"][place] = True
        seed = world.seed(seeds.WORLD, replica)
        posts["traits"][place] = self._tastes.of_posts(drafts["creator"], topic, seed, world.steps)
        for name in ("impressions", "views", "likes"):
            posts[name][place] = 0
        self._forget(world, replica, drafts["place"])
        creators["posts"][drafts["row"]] += 1
        creators["posts_by_topic"][drafts["row"], topic] += 1
        np.add.at(world.tables["topics"]["recent_posts"], self._net.topic_row(replica, topic), TREND_SCALE)

    def _forget(self, world: World, replica: Array, place: Array) -> None:
        """Nobody has watched a post that stands where another one stood."""
        is_new = np.zeros((world.num_replicas, self._net.num_places), bool)
        is_new[replica, place] = True
        watched = grid(world.tables["viewers"], "has_watched", world.num_replicas)
        watched &= ~np.packbits(is_new, axis=1, bitorder="little")[:, None, :]


def trend(world: World) -> Array:
    """Views a post had lately, by topic, float64 (replicas, topics); 0 where nobody posted."""
    topics = world.tables["topics"]
    share = topics["recent_views"] / np.maximum(topics["recent_posts"], 1)
    return share.reshape(world.num_replicas, -1)
