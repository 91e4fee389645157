"""Recommenders that make viewers alike: the experiment of Chaney, Stewart and Engelhardt, through the phases.

Ten posts a day stay for good; every viewer takes one a day from a slate of what its recommender ranks. What a viewer
has watched keeps its place there: it costs the others their rank, though nobody takes it twice. All recommenders meet
the same viewers and posts. How alike histories become is read against an ideal recommender, which knows all tastes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ecosim import simulate
from ecosim.community import bits
from ecosim.community.facts.learned import Collaborative as Wishes
from ecosim.community.feeds import Feed, Known, Sight
from ecosim.community.learned.collaborative import Collaborative
from ecosim.community.recommend import Recommend
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import NOBODY, grid, layout
from ecosim.errors import ScenarioError
from ecosim.fields import Array
from ecosim.record.store import Memory
from ecosim.rules.similarity import cosine, jaccard
from ecosim.scenario import build
from ecosim.simulate import Arm
from ecosim.validate.cases import Case, Figure, Unavailable, above, within

DAYS = 99
"""Days 0 … 98 of the original: what has been watched up to step 98."""
START_DAYS = 10
NEW_POSTS = 10
SLATE = 300
"""Of up to 990 posts; attention to what stands lower is under one part in 95, and nothing changes with 400."""
WORLDS = 3
TOLERANCE = 0.05
TARGETS = {"popularity": 0.221, "content": 0.147, "social": 0.095, "collaborative": 0.086, "random": 0.016}
"""Change of the overlap of each viewer's history with that of whom the recommender takes for most alike."""

Learned = tuple[Array, Array]
"""Scores of all posts for all viewers (worlds, viewers, posts), and how the recommender represents viewers."""


@dataclass(frozen=True, slots=True)
class Platform:
    """What one recommender may look at, in each of its worlds.

    Attributes:
        known, first: what all platforms know, and where in it the worlds of this one begin.
        views: of each post, float64 (worlds, posts).
        watched: who watched what, 0 or 1, float64 (worlds, viewers, posts).
        taste, traits: float64 (worlds, viewers, attributes) and (worlds, posts, attributes).
    """

    known: Known
    first: int
    views: Array
    watched: Array
    taste: Array
    traits: Array


Recommender = Callable[[Platform], Learned]


def homogenisation(worlds: int = WORLDS) -> list[Figure]:
    """How much more alike than under the ideal recommender, by recommender."""
    change = {name: float(found.mean()) for name, found in changes(worlds).items()}
    figures = [within(name, change[name], target, TOLERANCE, "as stated") for name, target in TARGETS.items()]
    gaps = [change[high] - change[low] for high, low in pairwise(("popularity", "content", "social", "random"))]
    gaps.append(change["collaborative"] - change["random"])
    return [*figures, above("least step down the published order", min(gaps), 0, "strict, but for the close pair")]


def changes(worlds: int) -> dict[str, Array]:
    """The change of overlap by recommender, one figure a world."""
    done = Experiment(worlds)
    return {
        name: (jaccard(done.watched[name], done.alike(name)) - jaccard(done.watched["ideal"], done.alike(name))).mean(
            axis=1
        )
        for name in TARGETS
    }


class Experiment:
    """All recommenders side by side, each in the same worlds: who watched what, and who was taken for alike.

    Attributes:
        watched: who watched which post, by recommender, bool (worlds, viewers, posts).
    """

    def __init__(self, num_worlds: int) -> None:
        facts = _scenario(num_worlds)
        self._num = num_worlds
        arms = [Arm(name=name, minds={"viewer": "attentive"}) for name in RECOMMENDERS]
        self._world, _, recorder = simulate.prepare(facts, arms, Memory())
        phase = Recommend(facts, layout(facts), learners={facts.feed.kind: self._learn})
        self._world.phases = [phase if old.name == phase.name else old for old in self._world.phases]
        self._kinds: dict[str, Array] = {}
        for day in range(1, DAYS + 1):
            self._world.step()
            recorder.close_step(day)
        packed = grid(self._world.tables["viewers"], "has_watched", self._world.num_replicas)
        watched = bits.unpacked(packed, layout(facts).num_places)
        self.watched = {name: watched[part] for name, part in self._parts().items()}

    def alike(self, name: str) -> Array:
        """Whom a recommender takes for most alike to each viewer, by the angle, ties by lot: (worlds, viewers)."""
        near = np.round(cosine(self._kinds[name]), 9)
        viewer = np.arange(near.shape[1])
        near[:, viewer, viewer] = -np.inf
        return (near + 1e-10 * np.random.default_rng(1).random(near.shape)).argmax(axis=2)

    def _parts(self) -> dict[str, slice]:
        """The replicas of each recommender."""
        return {name: slice(i * self._num, (i + 1) * self._num) for i, name in enumerate(RECOMMENDERS)}

    def _learn(self, known: Known) -> Feed:
        if known.step > START_DAYS:
            found = {name: RECOMMENDERS[name](self._platform(known, part)) for name, part in self._parts().items()}
            self._kinds = {name: kinds for name, (_, kinds) in found.items()}
            score = np.concatenate([score for score, _ in found.values()])

        def feed(sight: Sight, num_slots: int) -> Array:
            replica = np.arange(len(sight.viewer))[:, None]
            new = NEW_POSTS * (known.step - 1) + _lot(known, NEW_POSTS).argsort(axis=2)[replica, sight.viewer]
            if known.step <= START_DAYS:
                return np.pad(new, ((0, 0), (0, 0), (0, num_slots - NEW_POSTS)), constant_values=NOBODY)
            return _between(known, _ranked(score[replica, sight.viewer], NEW_POSTS * (known.step - 1), num_slots), new)

        return feed

    def _platform(self, known: Known, part: slice) -> Platform:
        tables, num = self._world.tables, self._world.num_replicas
        return Platform(
            known=known,
            first=part.start,
            views=known.views[part].astype(np.float64),
            watched=bits.unpacked(known.has_watched[part], known.num_places).astype(np.float64),
            taste=grid(tables["viewers"], "taste", num)[part].astype(np.float64),
            traits=grid(tables["posts"], "traits", num)[part].astype(np.float64),
        )


def _scenario(num_worlds: int) -> CommunityScenario:
    data = {
        "world": "community", "title": "Algorithmic confounding", "steps": DAYS, "seeds": num_worlds,
        "niches": {"all": {"topics": ["any"]}},
        "creators": [{"role": "human_creator", "niche": "all", "count": NEW_POSTS}],
        "viewers": {"count": 100, "skip": -50, "leave": -50, "leave_per_idle_day": 0, "like_bar": 50,
                    "follow_bar": 50, "bond": 0},
        "tastes": {"kind": "shares", "dims": 20, "taste_weight": 10, "taste_evenness": 1, "trait_weight": 0.1,
                   "trait_evenness": 100},
        "feed": {"kind": "random", "slate": SLATE, "kept_posts": DAYS, "shows_watched": True},
        "publishing": {"outside_niche": 0},
    }  # fmt: skip
    return build(CommunityScenario, data, place="validate")


def _ranked(score: Array, num_old: int, num_slots: int) -> Array:
    """The places of the older posts by score, best first, −1 at the end; of equals the older."""
    order = np.argsort(-score[:, :, :num_old], axis=2, kind="stable")[:, :, :num_slots]
    return np.pad(order, ((0, 0), (0, 0), (0, num_slots - order.shape[2])), constant_values=NOBODY)


def _between(known: Known, old: Array, new: Array) -> Array:
    """The newest posts at places drawn by lot, the same for all visitors; the others in their order."""
    size, num_slots = NEW_POSTS * known.step, old.shape[2]
    is_new = _lot(known, size)[:, :1].argsort(axis=2) < NEW_POSTS  # so many of a random order, evenly
    is_new = np.pad(is_new, ((0, 0), (0, 0), (0, max(0, num_slots - size))))[:, :, :num_slots]
    nth_new, nth_old = (np.maximum(which.cumsum(axis=2) - 1, 0) for which in (is_new, ~is_new))
    return np.where(is_new, np.take_along_axis(new, nth_new, axis=2), np.take_along_axis(old, nth_old, axis=2))


def _lot(known: Known, num_each: int) -> Array:
    """Even draws of the day, (replicas, viewers, num_each); NumPy's, as these feeds are the case's own."""
    draws = [np.random.default_rng([int(seed), known.step]) for seed in known.seed]
    return np.stack([draw.random((known.profile.shape[1], num_each)) for draw in draws])


# ---- recommenders ---------------------------------------------------------------------------------------------------


def _ideal(platform: Platform) -> Learned:
    """What each post is really worth."""
    return platform.taste @ platform.traits.transpose(0, 2, 1), platform.taste


def _popularity(platform: Platform) -> Learned:
    """Posts by views; it takes all viewers for the same."""
    return np.broadcast_to(platform.views[:, None, :], platform.watched.shape), np.ones((*platform.taste.shape[:2], 1))


def _content(platform: Platform) -> Learned:
    """What share of the posts of each attribute the viewer took: least squares, where a post is of one kind."""
    kinds = platform.watched @ platform.traits / np.maximum(platform.traits.sum(axis=1, keepdims=True), 1.0)
    return kinds @ platform.traits.transpose(0, 2, 1), kinds


def _social(platform: Platform) -> Learned:
    """What those watched whom a viewer is tied to; ties wherever tastes covary enough to leave nobody without one."""
    ties = np.stack([_ties(np.cov(taste)) for taste in platform.taste])
    return ties @ platform.watched, ties


def _ties(covariance: Array) -> Array:
    """Above the highest bar at which everybody, itself counted, has somebody; as many bars as viewers are left out."""
    bars = np.sort(covariance, axis=None)[::-1][len(covariance) :]
    bar = min(bars[0], covariance.max(axis=1).min())
    return (covariance >= bar).astype(np.float64)


def _collaborative(platform: Platform) -> Learned:
    """The shipped factorisation, with 20 factors."""
    try:
        learner = Collaborative(Wishes(factors=20))
    except ScenarioError as error:
        raise Unavailable(str(error)) from None
    fits = [learner.factors(platform.known, platform.first + world) for world in range(len(platform.watched))]
    viewers, posts = (np.stack([fit[side] for fit in fits]) for side in (0, 1))
    return viewers @ posts.transpose(0, 2, 1), viewers


def _random(platform: Platform) -> Learned:
    """Any order, and any opinion of viewers."""
    lot = _lot(platform.known, platform.views.shape[1])[platform.first :][: len(platform.views)]
    return lot, lot[:, :, :20]


RECOMMENDERS: dict[str, Recommender] = {
    "ideal": _ideal,
    "popularity": _popularity,
    "content": _content,
    "social": _social,
    "collaborative": _collaborative,
    "random": _random,
}


CASES: Sequence[Case] = (
    Case(
        name="homogenisation", part="community", kind="V2",
        shows="recommenders that learn from what they cause make viewers alike, popularity most",
        source="Chaney, Stewart, Engelhardt (2018), RecSys: repeated training, as re-run by T-RECS (Lucherini et al. "
        "2021): change in Jaccard index at step 98",
        method=f"{WORLDS} worlds × {DAYS} days × 6 recommenders through the phases, viewers `attentive`, tastes "
        "`shares`; the recommenders but `collaborative` are the case's own feeds. Posts that were watched keep their "
        f"rank, as in T-RECS. Utility is θᵀα to 12 bits without the original's noise of 1e-5; slates of {SLATE}; "
        "content by least squares for posts of one kind in place of NNLS; standard error of a figure about 0.012",
        compute=homogenisation,
    ),
)  # fmt: skip
