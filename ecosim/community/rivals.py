"""Creators who know their market: what each topic's audience is and what rivals post, and the best reply to it.

With `publishing.shows_rivals` the question `publish` has these columns too. The audience of a topic are the viewers
whose favourite niche it belongs to, in equal parts; where tastes are by nearness on a line, the viewers to whom it is
nearest.

Creators who share the audience of a topic equally play a congestion game: whoever revises gets closer to an
equilibrium (Rosenthal 1973), which is where D'Hondt's method would put them. On a line it is Hotelling's game: two meet
in the middle, three never rest, four sit in pairs at the quartiles (Eaton, Lipsey 1975); nothing says that revisions
settle there for four, but they mostly do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim import seeds
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import Layout, grid
from ecosim.community.tastes import PLACE_SCALE
from ecosim.errors import DecisionError
from ecosim.fields import Array
from ecosim.meanings import Meaning
from ecosim.words import Question

if TYPE_CHECKING:
    from ecosim.world import World

SEES = {
    "num_creators": Meaning("", "creators who are there"),
    "audience": Meaning("viewers", "for each topic, viewers there whose favourite niche it is in, or nearest to it"),
    "rival_posts": Meaning("posts", "for each topic, posts of others that may be shown now"),
    "own_posts": Meaning("posts", "for each topic, posts of its own that may be shown now"),
    "topic_place": Meaning("1/1000", "for each topic, where it lies on a line; only where tastes are by nearness"),
}
BY_TOPIC = ("audience", "rival_posts", "own_posts", "topic_place")
PARTS = 720_720
"""Whole numbers up to 16 divide it, so that equal shares are mostly exact."""
FAR = 2**50
"""Beyond every distance and its square."""
WORTH_IT = (101, 100)
"""Who would gain less than a hundredth stays: so much is noise."""


class Rivals:
    """Fills the columns."""

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        self.net = net
        self.in_niche = np.bincount(net.topic_niche, minlength=len(net.niches))
        places = scenario.tastes.places
        on_line = places and len(next(iter(places.values()))) == 1
        self.place = np.array([round(PLACE_SCALE * places[t][0]) for t in net.topics]) if on_line else None
        self.sees = {name: said for name, said in SEES.items() if on_line or name != "topic_place"}

    def columns(self, world: World, replica: Array, member: Array) -> dict[str, Array]:
        """What creators see besides."""
        creators = world.tables["creators"]
        own, all_ = self._posts(world)
        mine = own[self.net.creator_row(replica, member)]
        columns = {
            "num_creators": grid(creators, "is_active", world.num_replicas).sum(axis=1)[replica],
            "audience": self._audience(world)[replica],
            "rival_posts": all_[replica] - mine,
            "own_posts": mine,
        }
        if self.place is not None:
            columns["topic_place"] = np.broadcast_to(self.place, mine.shape)
        return columns

    def _posts(self, world: World) -> tuple[Array, Array]:
        """Open posts by creator and topic, (creators of all replicas, topics), and by replica and topic."""
        posts, net = world.tables["posts"], self.net
        rows = np.flatnonzero(posts["is_open"])
        replica, topic = posts["replica"][rows], posts["topic"][rows]
        maker = net.creator_row(replica, posts["place"][rows] % net.num_creators)
        own = np.zeros((world.num_replicas * net.num_creators, net.num_topics), np.int64)
        np.add.at(own, (maker, topic), 1)
        return own, own.reshape(world.num_replicas, net.num_creators, -1).sum(axis=1)

    def _audience(self, world: World) -> Array:
        """Viewers by topic, int64 (replicas, topics)."""
        viewers, net = world.tables["viewers"], self.net
        there = np.flatnonzero(viewers["is_active"])
        size = len(net.niches) if self.place is None else net.num_topics
        home = viewers["favourite"][there] if self.place is None else self._nearest(viewers["taste"][there, 0])
        cell = viewers["replica"][there] * size + home
        count = np.bincount(cell, minlength=world.num_replicas * size).reshape(-1, size)
        return (count // self.in_niche)[:, net.topic_niche] if self.place is None else count

    def _nearest(self, where: Array) -> Array:
        """The topic nearest to each viewer on the line, of equals the first."""
        place = cast(Array, self.place)
        least, nearest = np.full(len(where), FAR), np.zeros(len(where), np.int64)
        for topic in range(len(place)):
            gap = np.abs(where.astype(np.int64) - place[topic])
            nearest[gap < least] = topic
            least = np.minimum(least, gap)
        return nearest


def best_topic(question: Question) -> Array:
    """The topic with the most viewers for one post, as the others stand now; one creator revises at a time, by lot.

    A viewer watches one of the posts nearest to it, each with the same chance; without places, one on its topic. A
    creator moves only where it gains a hundredth at least; if all moved at once they would chase each other.
    """
    if "audience" not in question.columns:
        raise DecisionError(f"mind 'best_reply', {question.name}: needs publishing.shows_rivals: true")
    gains, rows = viewers_won(question), np.arange(question.num_rows)
    best, now = gains.argmax(axis=1), question["own_posts"].argmax(axis=1)
    more, less = WORTH_IT
    gains_enough = gains[rows, best] * less > gains[rows, now] * more
    moves = gains_enough & has_turn(question, question["num_creators"])
    is_new = ~question["own_posts"].any(axis=1)
    return cast(Array, np.where(moves | is_new, best, now))


def has_turn(question: Question, num: Array) -> Array:
    """Whose turn it is to revise, of so many: one a time, the same lot for all of a replica, bool (rows,)."""
    lot = seeds.integers(num, seeds.MIND, question.seed, question.step, "turn", (np.zeros_like(num),))
    return cast(Array, question.key["subject"] % num == lot)


def viewers_won(question: Question) -> Array:
    """What a post on each topic would draw beside those of others, int64 (rows, topics) in parts of a viewer."""
    others, audience = question["rival_posts"], question["audience"]
    num_topics = others.shape[1]
    if "topic_place" not in question.columns:
        return cast(Array, PARTS * audience // (others + 1))
    place = question["topic_place"][0]  # the same for all
    gap = np.abs(place[:, None] - place)  # (viewers' topic, post's topic)
    won = np.empty_like(others)
    for topic in range(num_topics):
        posts = others.copy()
        posts[:, topic] += 1
        reach = np.where(posts[:, None, :] > 0, gap, FAR)
        is_nearest = reach == reach.min(axis=2, keepdims=True)  # (rows, viewers' topic, post's topic)
        rivals = np.where(is_nearest, posts[:, None, :], 0).sum(axis=2)
        won[:, topic] = (PARTS * audience * is_nearest[:, :, topic] // rivals).sum(axis=1)
    return won
