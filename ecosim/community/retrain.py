"""Retraining: every so many days AI creators fit their models again, to posts by humans and to posts by models.

What it refuses to know: how a language model would be trained. Today a model is counts and moments in the creator's
row, and a fit is a sum. Once adapters can be trained (`card.yaml`, `weights`), this is where a creator's corpus goes
to the trainer, and where the catalogue name of what comes back goes into the creator's column `mind.publish`; corpora,
generations and provenance stay as they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.community.facts.people import ROLES
from ecosim.community.provenance import CATEGORIES, STYLE_SCALE, facts_of, num_days
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import NOBODY, Layout, grid, text_column
from ecosim.fields import Array
from ecosim.rules import refit
from ecosim.side import Column, Events, Schema
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

_CREATOR = Column("creator", "i8", "", "whose model it is", of="member")
_GENERATION = Column("generation", "i8", "", "that the fit makes; 1 after the first")
SCHEMAS = {
    "generations": Schema(
        "New generations of models.",
        1,
        (
            _CREATOR,
            _GENERATION,
            Column("posts", "i8", "posts", "in the corpus"),
            Column("human_posts", "i8", "posts", "of them, made by humans"),
            Column("topics", "i8", "topics", "different ones in the corpus"),
            Column("style_variance", "f8", "", "of the new model, mean over dimensions; 1 is the truth's"),
            Column("weights", "str", "", "hash of all that the model is (BLAKE2b, 64 bits)"),
        ),
        is_rare=True,
    ),
    "corpora": Schema(
        "What models were fitted to: the parents of every post that they make from then on.",
        3,
        (_CREATOR, _GENERATION, Column("post", "i8", "", "a post of the corpus")),
        is_rare=True,
    ),
}
_WEIGHTS = (*CATEGORIES.values(), "style_posts", "style_sum", "style_squares")


class Retrain:
    """At the end of every `every_days`-th day each AI creator's model becomes the best fit to a corpus of posts.

    The corpus is drawn without replacement from the posts since the last fit, or from all so far (`keep`): `posts` in
    all, of which `human_share` by humans and the others by AI creators, its own, others', or all of them (`of`). Each
    post is as likely to be drawn as any other, or in proportion to (views or likes) + 1 (`curated_by`). Where too few
    are there, the corpus is that much smaller. The fit is by maximum likelihood: counts of topics, openings and endings
    of titles; mean and variance (÷ n) of each dimension of style. Corpora of fewer than two posts change nothing.

    Draws:
        From the world's seed, keyed by creator and post: which posts come into a corpus, and which of them is the
        parent of posts on its topic.
    """

    name = "retrain"
    repeats = False
    writes = ("generations", "corpora")

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        self._facts, self._net, self._days = facts_of(scenario), net, num_days(scenario)
        self._pupils = np.flatnonzero(net.role == ROLES.index("ai_creator"))
        is_human = net.role == ROLES.index("human_creator")
        self._humans = np.flatnonzero(is_human & (self._facts.human_share > 0))

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked: who retrains, and on what, is the scenario's to say."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Keep count of what was watched and liked; on the day of the fit, draw corpora and fit."""
        if self._facts.curated_by != "nothing":
            self._count(world)
        if world.steps % self._facts.every_days or not len(self._pupils):
            return {}
        row, post = self._corpora(world)
        return self._fit(world, row, post) if len(row) else {}

    # ---- corpora --------------------------------------------------------------------------------------------------

    def _count(self, world: World) -> None:
        """Bring views and likes so far to the archive."""
        posts, archive = world.tables["posts"], world.tables["archive"]
        at = np.flatnonzero((posts["post"] != NOBODY) & (posts["day"] > world.steps - self._days))
        day, member = np.divmod(posts["post"][at], self._net.num_creators)
        to = (posts["replica"][at] * self._days + day % self._days) * self._net.num_creators + member
        for name in ("views", "likes"):
            archive[name][to] = posts[name][at]

    def _corpora(self, world: World) -> tuple[Array, Array]:
        """Row in `creators` and row in `archive` of each post of each corpus, sorted."""
        ai_row, ai_post = self._eligible(world, self._ai_makers())
        human_row, human_post = self._eligible(world, np.tile(self._humans, (len(self._pupils), 1)))
        of_ai, of_human = self._numbers(ai_row, world.tables["creators"].num_rows)
        parts = []
        for row, post, take in ((ai_row, ai_post, of_ai), (human_row, human_post, of_human)):
            drawn = self._drawn(world, row, post, take)
            parts.append((row[drawn], post[drawn]))
        row, post = (np.concatenate(both) for both in zip(*parts, strict=True))
        order = np.lexsort((world.tables["archive"]["post"][post], row))
        return row[order], post[order]

    def _ai_makers(self) -> Array:
        """Whose AI posts each pupil may learn from, (pupils, makers)."""
        pupils, size = self._pupils, len(self._pupils)
        if self._facts.of == "own":
            return pupils[:, None]
        everybody = np.tile(pupils, (size, 1))
        return everybody if self._facts.of == "all" else everybody[~np.eye(size, dtype=bool)].reshape(size, size - 1)

    def _eligible(self, world: World, makers: Array) -> tuple[Array, Array]:
        """Each pupil with each post of its makers that the archive has, as rows, pupil by pupil."""
        creators, archive = world.tables["creators"], world.tables["archive"]
        replica = np.flatnonzero(world.is_live)
        day = np.arange(self._days)
        at = (replica[:, None, None, None] * self._days + day[:, None]) * self._net.num_creators + makers[:, None, :]
        row = self._net.creator_row(replica[:, None], self._pupils)
        row, at = np.broadcast_to(row[:, :, None, None], at.shape).ravel(), at.ravel()
        is_there = (archive["post"][at] != NOBODY) & creators["is_active"][row]
        return row[is_there], at[is_there]

    def _numbers(self, ai_row: Array, num_rows: int) -> tuple[Array, Array]:
        """How many posts each creator's corpus has, by AI and by humans."""
        facts, human = self._facts, self._facts.num_human()
        if facts.posts is not None and human is not None:
            return np.full(num_rows, facts.posts - human), np.full(num_rows, human)
        there = np.bincount(ai_row, minlength=num_rows)
        if facts.human_share == 1:
            return np.zeros_like(there), there  # as many as the others would have been
        return there, np.rint(there * facts.human_share / (1 - facts.human_share)).astype(np.int64)

    def _drawn(self, world: World, row: Array, post: Array, take: Array) -> Array:
        size = np.bincount(row, minlength=len(take))
        if (size <= take).all():
            return np.ones(len(row), bool)
        archive, by = world.tables["archive"], self._facts.curated_by
        weight = np.ones(len(row)) if by == "nothing" else archive[by][post] + 1.0
        return refit.raced(row, take, weight, self._luck(world, row, post, lane=0))

    def _luck(self, world: World, row: Array, post: Array, lane: int) -> Array:
        replica, member = np.divmod(row, self._net.num_creators)
        key = (member, world.tables["archive"]["post"][post])
        return seeds.uniform(seeds.WORLD, world.seed(seeds.WORLD, replica), world.steps, self.name, key, lane)

    # ---- fits -----------------------------------------------------------------------------------------------------

    def _fit(self, world: World, row: Array, post: Array) -> Events:
        creators = world.tables["creators"]
        size = np.bincount(row, minlength=creators.num_rows)
        enough = size[row] > 1
        row, post = row[enough], post[enough]
        pupil = np.flatnonzero(size > 1)
        for what, weights in CATEGORIES.items():
            creators[weights][pupil] = self._counts(world, what, weights, row, post)[pupil]
        style = world.tables["archive"]["style"][post].astype(np.int64)
        creators["style_posts"][pupil] = size[pupil]
        creators["style_sum"][pupil] = refit.sums(row, creators.num_rows, style)[pupil]
        creators["style_squares"][pupil] = refit.sums(row, creators.num_rows, style * style)[pupil]
        creators["parents"][pupil] = self._parents(world, row, post)[pupil]
        creators["generation"][pupil] += 1
        corpora = {"replica": row // self._net.num_creators, "creator": row % self._net.num_creators}
        corpora |= {"generation": creators["generation"][row], "post": world.tables["archive"]["post"][post]}
        return {"generations": self._generations(world, pupil, row, post), "corpora": Table(corpora)}

    def _counts(self, world: World, what: str, weights: str, row: Array, post: Array) -> Array:
        """How often each topic, opening or ending is in each corpus, int64 (creators, kinds)."""
        shape = world.tables["creators"][weights].shape
        code = world.tables["archive"][what][post]
        known = code != NOBODY
        return np.bincount(row[known] * shape[1] + code[known], minlength=shape[0] * shape[1]).reshape(shape)

    def _parents(self, world: World, row: Array, post: Array) -> Array:
        """For each topic one post of the corpus, drawn evenly; a topic drawn from counts is a copy of such a post's."""
        archive, parents = world.tables["archive"], np.full_like(world.tables["creators"]["parents"], NOBODY)
        order = np.argsort(self._luck(world, row, post, lane=1), kind="stable")
        parents[row[order], archive["topic"][post[order]]] = archive["post"][post[order]]  # the last one written stays
        return parents

    def _generations(self, world: World, pupil: Array, row: Array, post: Array) -> Table:
        creators = world.tables["creators"]
        is_human = world.tables["archive"]["generation"][post] == NOBODY
        return Table(
            {
                "replica": creators["replica"][pupil],
                "creator": creators["member"][pupil],
                "generation": creators["generation"][pupil],
                "posts": creators["style_posts"][pupil],
                "human_posts": np.bincount(row, is_human, creators.num_rows)[pupil].astype(np.int64),
                "topics": (creators["topic_weights"][pupil] > 0).sum(axis=1),
                "style_variance": _mean_variance(creators, pupil),
                "weights": text_column([_hash(creators, one) for one in pupil.tolist()]),
            }
        )


def style_variances(world: World) -> Array:
    """The variance of each model's style, over the truth's, float64 (replicas, creators, dims)."""
    creators, num = world.tables["creators"], world.num_replicas
    number, total, squares = (grid(creators, f"style_{name}", num) for name in ("posts", "sum", "squares"))
    return refit.variance(number[:, :, None], total, squares) / STYLE_SCALE**2


def _mean_variance(creators: Table, row: Array) -> Array:
    """Mean over dimensions, added up in whole numbers."""
    number, total, squares = (creators[f"style_{name}"][row] for name in ("posts", "sum", "squares"))
    over = (number[:, None] * squares - total * total).sum(axis=1)
    below = number * number * (total.shape[1] * STYLE_SCALE**2)
    found: Array = over / below
    return found


def _hash(creators: Table, row: int) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for name in _WEIGHTS:
        digest.update(creators[name][row].astype("<i8").tobytes())
    return digest.hexdigest()
