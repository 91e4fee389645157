"""Feeds that learn, and fair slates: what they find in small worlds whose answer is known."""

import builtins
import sys

import numpy as np
import pytest

from ecosim.community import bits, homogeneity
from ecosim.community.facts.learned import Bandit as BanditFacts
from ecosim.community.facts.learned import Collaborative as CollaborativeFacts
from ecosim.community.facts.learned import Fairness
from ecosim.community.feeds import Known, Sight
from ecosim.community.learned.bandit import GUESSES, UNIT, Bandit
from ecosim.community.learned.collaborative import Collaborative
from ecosim.community.recommend import Recommend
from ecosim.community.state import NOBODY, grid, layout
from ecosim.errors import ScenarioError
from ecosim.rules import fairness
from ecosim.validate import homogenisation

TWO_CROWDS = np.kron(np.eye(2), np.ones((6, 4))).astype(bool)
"""Six viewers watched posts 0 … 3, six others posts 4 … 7; each of them has missed one."""
TWO_CROWDS[[0, 6], [3, 7]] = False


def known(watched, impressions=None, views=None, watch_again=False):
    num_viewers, num_posts = watched.shape
    packed = bits.none_set(num_viewers, num_posts)
    bits.put(packed, *np.nonzero(watched))
    zeros = np.zeros((1, num_posts), np.int64)
    return Known(
        step=3, seed=np.array([7], np.uint64), num_creators=num_posts, post=np.arange(num_posts)[None], day=zeros + 1,
        topic=zeros, impressions=zeros if impressions is None else impressions[None],
        views=zeros if views is None else views[None], likes=zeros, can_show=np.ones((1, num_posts), bool),
        vector=np.zeros((1, num_posts, 1), np.int8), profile=np.zeros((1, num_viewers, 1), np.int8),
        follows=bits.none_set(num_viewers, num_posts)[None], has_watched=packed[None],
        is_active=np.ones((1, num_viewers), bool), prior_views=1.0, power=1.0, watch_again=watch_again,
        explore_share=np.zeros(1),
    )  # fmt: skip


def shown(learner, facts, num_slots):
    num_viewers = facts.profile.shape[1]
    slate = np.full((1, num_viewers, num_slots), NOBODY)
    sight = Sight(facts, np.arange(num_viewers)[None], np.ones((1, num_viewers), bool), slate)
    return learner(facts)(sight, num_slots)[0]


def test_the_collaborative_feed_shows_what_others_of_ones_crowd_watched():
    slates = shown(Collaborative(CollaborativeFacts(factors=2, rounds=10)), known(TWO_CROWDS), 1)
    assert slates[0].tolist() == [3]
    assert slates[6].tolist() == [7]


def test_a_fit_gives_the_same_whole_numbers_twice():
    learner, facts = Collaborative(CollaborativeFacts()), known(TWO_CROWDS)
    (viewers, posts), (again, _) = learner.factors(facts, 0), learner.factors(facts, 0)
    assert (viewers == again).all()
    assert (viewers == np.rint(viewers)).all()
    assert viewers.shape == (12, 16)
    assert posts.shape == (8, 16)


def test_a_replica_learns_the_same_beside_others_and_alone(community, run):
    feed = {"kind": "mix", "mix": ["collaborative", "bandit"]}
    beside = run(community(seeds=2, feed=feed)).manifest["digests"]
    assert beside[1] == run(community(seeds=1, world_seed=2, mind_seed=2, feed=feed)).manifest["digests"][0]
    assert beside[0] != beside[1]


def test_nobody_has_watched_anything_on_the_first_day():
    slates = shown(Collaborative(CollaborativeFacts()), known(np.zeros((64, 4), bool)), 2)
    assert (np.bincount(slates[:, 0], minlength=4) > 0).all()  # no factors: each has an order of its own


def test_the_collaborative_feed_says_what_it_lacks(community, monkeypatch):
    def without(name, *args, _import=builtins.__import__, **kwargs):
        if name == "implicit":
            raise ImportError(name)
        return _import(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "implicit", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    facts = community(feed={"kind": "collaborative", "mix": []})
    with pytest.raises(ScenarioError, match=r"needs the package implicit.*pip install 'ecosim\[learn\]'"):
        Recommend(facts, layout(facts))


def test_the_bandit_keeps_what_does_well_and_still_tries_what_nobody_knows():
    """Post 0: 600 of 1,000 watched it; post 1: 100 of 1,000; post 2: never shown, Beta(1, 4): .6 or more in 2.6 %."""
    facts = known(np.zeros((4000, 3), bool), np.array([1000, 1000, 0]), np.array([600, 100, 0]))
    first = shown(Bandit(BanditFacts()), facts, 1)[:, 0]
    assert (first != 1).all()
    assert np.isin(first, (0, 2)).all()
    guess = Bandit(BanditFacts()).guesses(facts)[0] / UNIT
    assert guess.shape == (GUESSES, 3)
    assert np.abs(guess[:, 0] - 0.6).max() < 4 * np.sqrt(0.6 * 0.4 / 1000)
    assert guess[:, 2].std() > guess[:, 0].std()


def test_guesses_of_a_new_post_scatter_as_its_prior():
    """Beta(1, 4): mean .2, standard deviation √(4 / (25 · 6)) = .163; 8 × 4,000 draws."""
    guess = Bandit(BanditFacts()).guesses(known(np.zeros((1, 4000), bool))) / UNIT
    assert guess.mean() == pytest.approx(0.2, abs=4 * 0.163 / np.sqrt(guess.size))
    assert guess.std() == pytest.approx(0.163, abs=0.003)


@pytest.mark.parametrize("kind", ["popular", "hot", "content", "random", "bandit"])
def test_every_head_of_a_slate_has_what_it_owes(community, run, kind):
    feed = {"kind": kind, "mix": [], "slate": 4, "fairness": {"group": "ai_creator", "share": 0.5}}
    facts = community(feed=feed, steps=2, viewers={"leave": -50.0, "watch_again": True})
    world = run(facts).world
    slate = world.tables["viewers"]["slate"]
    is_ai = layout(facts).role[slate % 5] == 1
    assert (slate != NOBODY).all()
    assert (is_ai.cumsum(axis=1) >= fairness.owed(0.5, 4)).all()


def test_fairness_leaves_slates_alone_that_owe_nothing(community, run):
    plain = community(steps=3)
    fair = community(steps=3, feed={"fairness": {"group": "ai_creator", "share": 0.0}})
    assert run(plain).manifest["digests"] == run(fair).manifest["digests"]


def test_little_seen_posts_are_a_group_too(community, run):
    group = {"group": "little_seen", "share": 1.0, "few_impressions": 1}
    facts = community(feed={"kind": "popular", "mix": [], "slate": 2, "fairness": group}, steps=1)
    world = run(facts).world
    world.tables["posts"]["impressions"][:] = 5
    grid(world.tables["posts"], "impressions", 2)[:, 3] = 0
    world.tables["viewers"]["is_visiting"][:] = True
    Recommend(facts, layout(facts)).apply(world, [], [])
    assert (world.tables["viewers"]["slate"] == 3).any(axis=1).mean() > 0.9  # all but those who have watched it


def test_fairness_asks_for_a_share_below_chance_only():
    assert Fairness(group="ai_creator", share=0.3).significance is None
    assert fairness.owed(0.3, 10, 0.1)[-1] == 1
    assert fairness.owed(0.3, 10)[-1] == 3


def test_what_was_watched_keeps_its_place_but_nobody_takes_it_twice(community, run):
    feed = {"kind": "hot", "mix": [], "slate": 5, "kept_posts": 1, "shows_watched": True}
    facts = community(feed=feed, steps=3, viewers={"skip": -50.0, "leave": -50.0}, publishing={"every_days": 9})
    world = run(facts).world
    viewers = world.tables["viewers"]
    assert (np.sort(viewers["slate"], axis=1) == np.arange(5)).all()
    assert (bits.num_set(viewers["has_watched"]) == 3).all()  # another one each day


def test_attention_fades_down_the_slate(community, run):
    """Five posts of equal worth: an attentive viewer takes the first, a scripted one any."""
    facts = community(
        creators=[{"role": "human_creator", "niche": "music", "count": 5}], steps=1, trends={"volatility": 0.0},
        feed={"kind": "random", "mix": [], "slate": 5, "kept_posts": 1},
        publishing={"noise": 0.0, "outside_niche": 0.0, "medium": {}},
        viewers={"skip": -50.0, "taste_spread": 0.0, "favourite_bonus": 0.0, "title_appeal": 0.0},
        minds={"viewer": ["attentive"]},
    )  # fmt: skip
    assert (run(facts).world.tables["viewings"]["slot"] == 0).all()


def test_overlap_is_that_of_the_sets_themselves(community, run):
    world = run(community(viewers={"skip": -50.0, "leave": -50.0})).world
    watched = bits.unpacked(grid(world.tables["viewers"], "has_watched", 2), 10)
    one, other = homogeneity._pairs(world, 40)
    assert (one != other).all()
    slow = [
        np.mean([(w[a] & w[b]).sum() / max(1, (w[a] | w[b]).sum()) for a, b in zip(one[r], other[r], strict=True)])
        for r, w in enumerate(watched)
    ]
    assert homogeneity.overlap(world) == pytest.approx(slow)


def test_novelty_is_what_it_is_worth_to_know_that_somebody_watched_a_post(community, run):
    """A post that 9 of 39 viewers watched, (9 + 1) / (39 + 1): two bits."""
    world = run(community(steps=1)).world
    posts, viewers = world.tables["posts"], world.tables["viewers"]
    posts["views"][:], posts["impressions_today"][:] = 9, 1
    viewers["is_active"][:], viewers["has_left"][:] = True, False
    viewers["is_active"][[0, 40]] = False
    assert homogeneity._novelty(world) == pytest.approx(2.0)


@pytest.mark.slow
def test_recommenders_make_viewers_as_alike_as_published():
    """Chaney, Stewart, Engelhardt (2018), as re-run by T-RECS."""
    assert all(figure.is_met for figure in homogenisation.homogenisation())
