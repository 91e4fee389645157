"""Sources of slates on a platform small enough to work out by hand: four creators, four posts, three viewers."""

from dataclasses import replace

import numpy as np
import pytest

import ecosim
from ecosim.community import bits
from ecosim.community.feeds import FEEDS, LEARNERS, Known, Sight, explore, ranking, shortlist
from ecosim.errors import DecisionError, RunError, ScenarioError

SMALL = {"seeds": 1, "steps": 2, "changes": {"viewers.count": 50, "viewers.at_start": 50, "feed.mix": ["mine"]}}


def known(follows=(), watched=(), **changes):
    """Posts 0 … 3 of creators 0 … 3, of days 1, 2, 3, 3; who follows whom and has watched what as pairs."""
    columns = {
        "post": np.array([[0, 5, 10, 11]]),
        "day": np.array([[1, 2, 3, 3]]),
        "views": np.array([[9, 1, 4, 0]]),
        "can_show": np.ones((1, 4), bool),
        "vector": np.array([[[1, 0], [0, 1], [1, 1], [0, -1]]], np.int8),
        "profile": np.zeros((1, 3, 2), np.int8),
        "follows": bits.none_set(3, 4)[None],
        "has_watched": bits.none_set(3, 4)[None],
    }
    for name, pairs in (("follows", follows), ("has_watched", watched)):
        for viewer, column in pairs:
            bits.put(columns[name][0], np.array([viewer]), np.array([column]))
    nothing = np.zeros((1, 4), np.int64)
    rest = {"topic": nothing, "impressions": nothing, "likes": nothing, "is_active": np.ones((1, 3), bool)}
    fixed = {"step": 3, "seed": np.array([7], np.uint64), "num_creators": 4, "prior_views": 1.0, "power": 1.0}
    return Known(**{**columns, **rest, **fixed, "watch_again": False, "explore_share": np.zeros(1), **changes})


def slates(feed, facts, num_slots=4):
    """The slates of viewers 0, 1, 2."""
    viewer = np.arange(3)[None]
    sight = Sight(facts, viewer, np.ones_like(viewer, bool), np.full((1, 3, num_slots), -1))
    return feed(sight, num_slots)[0].tolist()


def test_the_newest_come_first():
    for slate in slates(FEEDS["newest"], known()):
        assert slate[2:] == [1, 0] and sorted(slate[:2]) == [2, 3]  # two posts of one day in any order


def test_creators_whom_one_follows_come_before_newer_posts_of_others():
    first, second, _ = slates(FEEDS["following"], known(follows=[(0, 0), (0, 1), (1, 3)]))
    assert first[:2] == [1, 0] and sorted(first[2:]) == [2, 3]
    assert second == [3, 2, 1, 0]


def test_the_cosine_is_of_the_direction_where_the_product_is_of_length_too():
    """A profile (3, 1): products 3, 1, 4, −1; cosines with the axes and the diagonal 3/√10, 1/√10, 4/√20, −1/√10."""
    profile = np.tile(np.array([3, 1], np.int8), (1, 3, 1))
    assert slates(FEEDS["content"], known(profile=profile))[0] == [2, 0, 1, 3]
    assert slates(FEEDS["cosine"], known(profile=profile * 2))[0] == [0, 2, 1, 3]


def test_the_social_source_shows_what_those_watched_who_follow_the_same():
    """Viewers 0 and 1 follow creator 2, 0 and 2 both 0 and 1: the post that viewer 2 watched counts twice for 0."""
    facts = known(follows=[(0, 0), (0, 1), (0, 2), (1, 2), (2, 0), (2, 1)], watched=[(1, 3), (2, 1)])
    first, second, _ = slates(LEARNERS["social"](facts), facts)
    assert first[:2] == [1, 3]
    assert 3 not in second  # it has watched it


def test_with_ties_it_shows_what_those_watched_who_share_with_the_viewer():
    ties = (np.zeros(2, np.int64), np.array([1, 2]), np.array([0, 1]))  # 1 shares with 0, 2 shares with 1
    facts = known(follows=[(0, 1), (2, 1)], watched=[(1, 3), (2, 1)], ties=ties)
    first, second, _ = slates(LEARNERS["social"](facts), facts)
    assert (first[0], second[0]) == (3, 1)


def test_candidates_are_a_third_newest_a_third_most_watched_and_the_rest_by_lot():
    facts = known()
    few = shortlist(facts.can_show, facts.day, facts.views, facts.post, facts.seed, 3, most=3)
    assert few.sum() == 3 and few[0, 2:].any()
    assert few[0, 0]  # the most watched; had it been the newest, the next would be here
    two = known(can_show=np.array([[True, False, True, False]]))
    for feed in FEEDS.values():
        assert all(sorted(slate[:2]) == [0, 2] and slate[2:] == [-1, -1] for slate in slates(feed, two))


def test_about_the_share_that_explores_is_drawn_by_lot_and_no_post_is_there_twice():
    """10,000 visits of two slots, ten posts: a slot is explored with ¼, and then holds another post always."""
    num, posts = 10_000, 10
    empty = {name: np.zeros((1, posts), np.int64) for name in ("day", "views", "likes", "topic", "impressions")}
    many = {name: np.zeros((1, num, 2), np.uint8) for name in ("follows", "has_watched", "profile")}
    posts_there = {"post": np.arange(posts)[None], "can_show": np.ones((1, posts), bool)}
    facts = replace(known(), **posts_there, **empty, **many, explore_share=np.array([0.25]))
    viewer = np.arange(num)[None]
    slate = np.tile(np.array([0, 1]), (1, num, 1))
    explore(Sight(facts, viewer, np.ones((1, num), bool), slate))
    changed = (slate != [0, 1]).mean()
    assert changed == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / (2 * num)))
    assert (slate[0, :, 0] != slate[0, :, 1]).all()


def test_a_score_is_a_feed():
    mine = ranking(lambda sight: sight.known.views[:, None, :])
    assert slates(mine, known(watched=[(1, 0)])) == [[0, 2, 1, 3], [2, 1, 3, -1], [0, 2, 1, 3]]


def test_equals_in_a_score_are_ordered_for_each_visitor():
    indifferent = ranking(lambda sight: np.zeros(1))
    many = known(follows=[], seed=np.array([1], np.uint64))
    assert sorted(slates(indifferent, many)[0]) == [0, 1, 2, 3]
    assert slates(indifferent, many) == slates(indifferent, many)


def newest_first(sight, num_slots):
    return FEEDS["newest"](sight, num_slots)


def oldest_first(sight, num_slots):
    return ranking(lambda some: -some.known.day[:, None, :])(sight, num_slots)


def test_a_feed_of_ones_own_runs_as_the_known_one_that_it_copies():
    mine = ecosim.run("creator_community", feeds={"mine": newest_first}, **SMALL)
    known_one = ecosim.run("creator_community", seeds=1, steps=2, changes={**SMALL["changes"], "feed.mix": ["newest"]})
    assert mine.manifest["digests"] == known_one.manifest["digests"]


def test_a_record_names_ones_own_feed_and_can_be_had_again_only_with_it(tmp_path):
    out = tmp_path / "run"
    run = ecosim.run("creator_community", feeds={"mine": newest_first}, out=out, **SMALL)
    assert run.manifest["scenario"]["feed"]["own"]["mine"].startswith("newest_first ")
    own = {"mine": newest_first}
    assert not ecosim.verify(out, own=own).faults
    assert ecosim.replay(out, own=own).manifest["digests"] == run.manifest["digests"]
    for again in (ecosim.verify, ecosim.replay):
        with pytest.raises(RunError, match=r"feed 'mine' \(newest_first .*pass own=\{'mine': …\}"):
            again(out)
        with pytest.raises(RunError, match="feed 'mine' is not what it was when this run began"):
            again(out, own={"mine": oldest_first})


def no_places(sight, num_slots):
    return np.zeros(3, np.int64)


def one_post_for_all_slots(sight, num_slots):
    return np.zeros((*sight.viewer.shape, num_slots), np.int64)


def beyond_the_last(sight, num_slots):
    return np.full((*sight.viewer.shape, num_slots), 10**6)


def raises(sight, num_slots):
    return sight.tastes


@pytest.mark.parametrize(
    ("feed", "fault"),
    [
        (no_places, r"must give places as integers of shape \(1, 50, 5\)"),
        (one_post_for_all_slots, "one post twice on a slate"),
        (beyond_the_last, "there is no such place; places are 0 … 119"),
        (raises, "AttributeError: 'Sight' object has no attribute 'tastes'"),
    ],
)
def test_a_wrong_slate_stops_the_run_with_the_feed_and_the_step(feed, fault):
    with pytest.raises(DecisionError, match=f"feed 'mine', step 1.*{fault}"):
        ecosim.run("creator_community", feeds={"mine": feed}, **{**SMALL, "changes": {
            **SMALL["changes"], "viewers.visit_chance": 1.0}})  # fmt: skip


@pytest.mark.parametrize(
    ("feeds", "mix", "fault"),
    [
        (None, ["mine"], r"feed: mix\[0\]: unknown source 'mine'"),
        ({"mine": newest_first}, ["mein"], "unknown source 'mein', did you mean 'mine'"),
        ({"hot": newest_first}, ["hot"], "own.hot: there is a source of that name already"),
        ({"mine": 3}, ["mine"], "feed.own.mine: must be a function of a sight and a number of slots, got 3"),
        ({"mine": "newest_first 0123"}, ["mine"], "feed.own.mine: a feed of your own, which no file can bring"),
    ],
)
def test_a_feed_that_is_not_there_is_told_in_one_line(feeds, mix, fault):
    with pytest.raises(ScenarioError, match=fault):
        ecosim.run("creator_community", feeds=feeds, changes={"feed.mix": mix})
