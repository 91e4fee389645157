"""Where posts come from: who made each, with which generation of a model, in whose wake; and the style that it has.

A creator's model is columns of its row, versioned by `generation`: weights of topics, openings and endings of titles,
and the moments of a normal style in `style_dims` dimensions. Humans have the truth there, and never another. Models
start at the truth. The archive keeps the posts that a later corpus may be drawn from, with whatever a model could
learn from them.

Style is whole thousandths of the true standard deviation, so that its moments are exact. Where tastes are of kind
`dot`, a post's style is its traits: viewers feel it. Elsewhere it is measured and not felt.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim import exact, seeds
from ecosim.community.facts.people import ROLES
from ecosim.community.facts.retraining import Retraining
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import NOBODY, Layout, grid
from ecosim.community.tastes import SCALE
from ecosim.community.titles import NUM_ENDINGS, NUM_OPENINGS, template_parts
from ecosim.exact import MILLION
from ecosim.fields import Array
from ecosim.meanings import Meaning, State
from ecosim.rules import refit
from ecosim.side import Column, Events, Schema
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

STYLE_SCALE = 1000
"""Style is counts of thousandths of the standard deviation of what humans post."""
_MOST = 32_000
"""Where traits stop: they are int16."""
CATEGORIES = {"topic": "topic_weights", "opening": "opening_weights", "ending": "ending_weights"}
"""What a model draws of a post, and the column of its weights."""

_POST = Column("post", "i8", "", "(day − 1) · creators + creator")
PROVENANCE = Schema(
    "Where each new post comes from.",
    1,
    (
        _POST,
        Column("creator", "i8", "", "who made it", of="member"),
        Column("is_ai", "i8", "", "1 if an AI did"),
        Column("generation", "i8", "", "of its maker's model, 0 the first; −1 of humans"),
        Column("parent", "i8", "", "a post on its topic that the model learned from; −1 if none. `corpora` has all"),
    ),
    is_rare=True,
)
_REPLICA = Meaning("id", "where it is")
STATES = {
    "creators": State(
        "",
        {
            "generation": Meaning("", "of its model: how often it was fitted; 0 of humans"),
            "topic_weights": Meaning("", "for each topic, how often its model takes it, relative to the others"),
            "opening_weights": Meaning("", "the same for each opening of the title templates"),
            "ending_weights": Meaning("", "the same for each ending of the title templates"),
            "style_posts": Meaning("posts", "that the moments of its style rest on"),
            "style_sum": Meaning("SD/1e3", "for each dimension of style, its sum over those posts"),
            "style_squares": Meaning("SD²/1e6", "for each dimension of style, the sum of its squares over them"),
            "parents": Meaning("id", "for each topic, one post of its corpus; −1 if there was none"),
        },
    ),
    "posts": State(
        "",
        {
            "generation": Meaning("", "of its maker's model; −1 of humans"),
            "style": Meaning("SD/1e3", "in each dimension, from the mean of what humans post"),
        },
    ),
    "archive": State(
        "a post that a corpus may be drawn from; row (day modulo the days kept) · creators + creator of a replica",
        {
            "replica": _REPLICA,
            "post": Meaning("id", "(day − 1) · creators + creator; −1 where empty"),
            "topic": Meaning("id", "what it is about"),
            "opening": Meaning("id", "of its title, a number among those of the templates; −1 for any other"),
            "ending": Meaning("id", "of its title, the same way"),
            "style": Meaning("SD/1e3", "as posted"),
            "generation": Meaning("", "of its maker's model; −1 of humans"),
            "views": Meaning("views", "so far; kept only where corpora are curated by them"),
            "likes": Meaning("likes", "so far; kept only where corpora are curated by them"),
        },
    ),
}


def facts_of(scenario: CommunityScenario) -> Retraining:
    """What the scenario says of retraining; only called where it does."""
    return cast(Retraining, scenario.retraining)


def num_days(scenario: CommunityScenario) -> int:
    """Days that the archive keeps."""
    facts = facts_of(scenario)
    return min(facts.every_days, scenario.steps) if facts.keep == "replace" else scenario.steps


def true_weights(scenario: CommunityScenario) -> Array:
    """How often humans take each topic, relative to the others, int64 (topics,); a million in all, but for rounding."""
    niches, power, sizes = scenario.niches.values(), facts_of(scenario).topic_power, []
    for niche in niches:
        rank = exact.power(np.arange(1, len(niche.topics) + 1), -power)
        sizes.append(niche.audience * rank / sum(rank.tolist()))
    size = np.concatenate(sizes) / sum(niche.audience for niche in niches)
    return np.maximum(np.rint(MILLION * size), 1).astype(np.int64)


def build(scenario: CommunityScenario, net: Layout, replicas: Table, tables: dict[str, Table]) -> None:
    """Every model starts at the truth; the archive is empty."""
    creators, posts = tables["creators"], tables["posts"]
    size, dims = creators.num_rows, facts_of(scenario).style_dims
    creators["generation"] = np.zeros(size, np.int64)
    creators["topic_weights"] = np.tile(true_weights(scenario), (size, 1))
    creators["opening_weights"] = np.ones((size, NUM_OPENINGS), np.int64)
    creators["ending_weights"] = np.ones((size, NUM_ENDINGS), np.int64)
    creators["style_posts"] = np.ones(size, np.int64)
    creators["style_sum"] = np.zeros((size, dims), np.int64)
    creators["style_squares"] = np.full((size, dims), STYLE_SCALE**2)
    creators["parents"] = np.full((size, net.num_topics), NOBODY)
    posts["generation"] = np.full(posts.num_rows, NOBODY)
    posts["style"] = np.zeros((posts.num_rows, dims), np.int32)
    tables["archive"] = _archive(replicas, num_days(scenario) * net.num_creators, dims)


def num_bytes(scenario: CommunityScenario) -> dict[str, int]:
    """The archive and the models."""
    dims, topics = facts_of(scenario).style_dims, len(scenario.topics)
    model = 8 * (2 * topics + NUM_OPENINGS + NUM_ENDINGS + 2 * dims)
    archive = num_days(scenario) * (7 * 8 + 4 * dims)
    return {"retraining.style_dims (× creators × days kept)": scenario.num_creators * (archive + model)}


class Trace:
    """Each new post gets the style that its maker's model draws, and its provenance is written down.

    A human's style is normal with mean 0 and standard deviation 1 in each dimension; an AI's has the mean and variance
    of what its model was fitted to. Where tastes are of kind `dot`, style · `trait_spread` becomes the post's traits.

    Draws:
        From the world's seed, keyed by the creator and the dimension: a standard normal each, which the model's moments
        stretch and shift; so creators of like models have like luck in every arm of a comparison.
    """

    name = "trace"
    repeats = False
    writes = ("provenance",)

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        self._net, self._days = net, num_days(scenario)
        self._is_ai = net.role == ROLES.index("ai_creator")
        tastes = scenario.tastes
        self._trait_scale = SCALE * tastes.trait_spread / STYLE_SCALE if tastes.kind == "dot" else None

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Today's posts: their style, and where they come from."""
        posts, creators = world.tables["posts"], world.tables["creators"]
        at = np.flatnonzero((posts["post"] != NOBODY) & (posts["day"] == world.steps) & world.is_live[posts["replica"]])
        replica, member = posts["replica"][at], posts["place"][at] % self._net.num_creators
        order = np.lexsort((member, replica))
        at, replica, member = at[order], replica[order], member[order]
        row = self._net.creator_row(replica, member)
        style = self._style(world, row)
        posts["style"][at] = style
        if self._trait_scale is not None:
            posts["traits"][at] = np.clip(np.rint(style * self._trait_scale), -_MOST, _MOST)
        is_ai = self._is_ai[member]
        posts["generation"][at] = np.where(is_ai, creators["generation"][row], NOBODY)
        self._file(world, at, row)
        parent = creators["parents"][row, posts["topic"][at]]
        found = {"replica": replica, "post": posts["post"][at], "creator": member, "is_ai": is_ai.astype(np.int64)}
        return {"provenance": Table({**found, "generation": posts["generation"][at], "parent": parent})}

    def _style(self, world: World, row: Array) -> Array:
        """Thousandths, int32 (posts, dims)."""
        creators = world.tables["creators"]
        replica, member = creators["replica"][row], creators["member"][row]
        seed, dims = world.seed(seeds.WORLD, replica), creators["style_sum"].shape[1]
        key = (np.repeat(member, dims), np.tile(np.arange(dims), len(row)))
        z = seeds.normal(seeds.WORLD, np.repeat(seed, dims), world.steps, self.name, key).reshape(-1, dims)
        total, squares = creators["style_sum"][row], creators["style_squares"][row]
        return refit.normal(creators["style_posts"][row, None], total, squares, z).astype(np.int32)

    def _file(self, world: World, at: Array, row: Array) -> None:
        """Today's posts take the places of those that are too old."""
        posts, archive = world.tables["posts"], world.tables["archive"]
        today = (world.steps - 1) % self._days
        shape = (world.num_replicas, self._days, self._net.num_creators)
        archive["post"].reshape(shape)[world.is_live, today] = NOBODY
        replica, member = np.divmod(row, self._net.num_creators)
        to = (replica * self._days + today) * self._net.num_creators + member
        for name in ("post", "topic", "style", "generation"):
            archive[name][to] = posts[name][at]
        archive["opening"][to], archive["ending"][to] = template_parts(posts["title"][at].tolist())
        archive["views"][to] = archive["likes"][to] = 0


def styles(world: World) -> Array:
    """Styles of all places for posts, as multiples of the true standard deviation, float64 (replicas, places, dims)."""
    return grid(world.tables["posts"], "style", world.num_replicas) / STYLE_SCALE


def _archive(replicas: Table, num_rows: int, dims: int) -> Table:
    size = replicas.num_rows * num_rows
    whole = ("topic", "views", "likes")
    return Table(
        {
            "replica": np.repeat(replicas["replica"], num_rows),
            **{name: np.full(size, NOBODY, np.int64) for name in ("post", "generation", "opening", "ending")},
            **{name: np.zeros(size, np.int64) for name in whole},
            "style": np.zeros((size, dims), np.int32),
        }
    )
