"""Feeds through the phase that uses them, and their rules against values worked out by hand."""

import numpy as np
import pytest

from ecosim.community.feeds import FEEDS
from ecosim.community.recommend import Recommend
from ecosim.community.state import layout
from ecosim.rules import feeds
from ecosim.validate import community as reference


def test_the_hot_feed_ranks_as_reddit_did():
    """For 2024-08-06 08:00:00 UTC; log10 of the votes plus 12.5 hours an order of magnitude."""
    *scores, wrong_slates = reference.hot_page()
    expected = [13086.7377111, 13086.7377111, 13087.7377111, 13088.7377111, 13085.7377111]
    assert [score.found for score in scores] == pytest.approx(expected, abs=1e-7)
    assert wrong_slates.found == 0


def test_a_random_feed_covers_as_many_posts_as_it_should():
    """1 − (1 − k/N)^U for k 10, N 500, U 200 is .9824; 20 replicas of 500 posts: standard error .0013."""
    (shown,) = reference.coverage()
    assert shown.found == pytest.approx(feeds.random_coverage(10, 500, 200), abs=4 * 0.0013)
    assert shown.is_met


def test_the_popular_feed_draws_without_replacement_in_proportion_to_views():
    """20,000 slates of two posts against their exact chances; 99.9 % of fair samples stay below 31.26."""
    (distance,) = reference.popular_slates()
    assert 0 < distance.found < 31.26


def test_weights_follow_the_power_of_views():
    open_to_all = np.ones((1, 3), bool)
    weights = feeds.popularity_weights(np.array([[0, 3, 8]]), 1.0, 0.5, open_to_all)
    assert (weights / weights.max()).tolist() == [[pytest.approx(1 / 3), pytest.approx(2 / 3), 1.0]]


def test_the_last_post_left_is_found_where_the_lottery_hardly_ever_draws_it():
    weights = np.array([[2**32, 1]])
    assert feeds.drawn_by_row(weights * np.array([[False, True]]), np.array([0.5])).tolist() == [1]
    assert feeds.drawn_by_row(weights * False, np.array([0.5])).tolist() == [-1]


def test_the_content_feed_shows_what_the_viewer_signed_up_for_and_follows(community, run):
    feed = {"kind": "content", "mix": [], "slate": 1, "kept_posts": 1}
    minds = {"human_creator.publish": ["niche"], "ai_creator.publish": ["niche"]}
    world = run(community(steps=1, feed=feed, minds=minds, viewers={"skip": 50.0, "title_appeal": 0.0})).world
    viewers = world.tables["viewers"]
    creator = viewers["slate"][:, 0] % 5
    niche = world.tables["creators"]["niche"][creator]
    assert (niche == viewers["favourite"]).all()
    assert len(np.unique(creator)) == 5  # posts that match equally well share the viewers


def test_the_hot_feed_shows_one_front_page(community, run):
    feed = {"kind": "hot", "mix": [], "slate": 2, "kept_posts": 1}
    facts = community(steps=2, seeds=1, feed=feed, publishing={"every_days": 9}, viewers={"watch_again": True})
    world = run(facts).world
    likes = world.tables["posts"]["likes"].copy()
    world.tables["viewers"]["is_visiting"][:] = True
    Recommend(facts, layout(facts)).apply(world, [], [])
    (page,) = np.unique(world.tables["viewers"]["slate"], axis=0)
    assert likes[page].tolist() == sorted(likes.tolist(), reverse=True)[:2]  # equals are drawn by lot


def test_nobody_is_shown_a_post_twice_after_watching_it(community, run):
    audience = {"skip": -50.0, "leave": -50.0}
    facts = community(steps=6, creators=[{"role": "human_creator", "niche": "music", "count": 5}], viewers=audience,
                      publishing={"every_days": 100})  # fmt: skip
    reactions = run(facts).store.read("events/reactions").to_pandas()
    shown = reactions.groupby("step").impressions.sum().tolist()
    assert shown == [2 * 40 * left for left in (3, 3, 3, 2, 1)]  # of five posts one is watched a day, none on day 6


def test_a_feed_of_ones_own_takes_the_place_of_a_known_one(community, run):
    def newest_place(sight, num_slots):
        return np.where(sight.is_here, sight.known.post.shape[1] - 1, -1)[:, :, None].repeat(num_slots, axis=2)

    facts = community(feed={"kind": "random", "mix": [], "slate": 1})
    world = run(facts).world
    world.tables["viewers"]["is_visiting"][:] = True
    Recommend(facts, layout(facts), {**FEEDS, "random": newest_place}).apply(world, [], [])
    assert np.unique(world.tables["viewers"]["slate"]).tolist() == [9]
