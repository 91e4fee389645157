"""What holds in any community, whatever feed fills the slates: laws that hypothesis tries to break."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecosim import simulate
from ecosim.arms import Arm
from ecosim.community import bits
from ecosim.community.facts.feed import SOURCES
from ecosim.community.feeds import FEEDS, LEARNERS
from ecosim.community.learned import LEARNED
from ecosim.community.state import NOBODY, grid

CREATORS, SEEDS = 5, 2

few_examples = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
places = st.fixed_dictionaries(
    {
        "world_seed": st.integers(1, 10_000),
        "viewers": st.fixed_dictionaries(
            {
                "count": st.integers(3, 30),
                "skip": st.sampled_from([-5.0, 1.0]),
                "leave": st.sampled_from([-50.0, -1.0]),
                "follow_bar": st.sampled_from([-5.0, 2.0]),
                "visit_chance": st.sampled_from([0.5, 1.0]),
                "watch_again": st.booleans(),
            }
        ),
        "feed": st.fixed_dictionaries(
            {
                "slate": st.integers(1, CREATORS),
                "kept_posts": st.integers(1, 3),
                "candidates": st.sampled_from([None, CREATORS]),
                "explore_share": st.sampled_from([0.0, 0.5]),
            }
        ),
    }
)


def test_every_source_that_a_scenario_may_name_is_there():
    assert sorted(SOURCES) == sorted([*FEEDS, *LEARNERS, *LEARNED])


@pytest.mark.parametrize("source", SOURCES)
@few_examples
@given(facts=places, days=st.integers(1, 4))
def test_the_laws_of_slates_follows_and_departures_hold(community, source, facts, days):
    facts["feed"] |= {"kind": source, "mix": []}
    scenario = community(steps=days, seeds=SEEDS, **facts)
    world, _, _ = simulate.prepare(scenario, [Arm(name="all")])
    for _ in range(days):
        before = {name: column.copy() for name, column in world.tables["viewers"].items()}
        world.step()
        check_slates(world, before)
        check_bonds(world)


@pytest.mark.parametrize("source", SOURCES)
def test_a_post_that_is_taken_down_is_shown_to_nobody(community, source):
    feed = {"kind": source, "mix": [], "explore_share": 0.3}
    scenario = community(steps=3, viewers={"leave": -50.0, "skip": 50.0}, feed=feed, publishing={"every_days": 100})
    world, _, _ = simulate.prepare(scenario, [Arm(name="all")])
    world.step()
    world.tables["posts"]["is_open"][world.tables["posts"]["place"] == 2] = False
    world.step()
    shown = np.unique(world.tables["viewers"]["slate"])
    assert shown.tolist() == [0, 1, 3, 4]


def check_slates(world, before):
    """Before the step each of `before` stood as it says; a slate has different open posts, new ones if it must."""
    viewers, posts = world.tables["viewers"], world.tables["posts"]
    slate, visits = viewers["slate"], viewers["is_visiting"]
    num_places = posts.num_rows // SEEDS
    is_there = slate != NOBODY
    row = viewers["replica"][:, None] * num_places + np.maximum(slate, 0)
    assert not is_there[~visits].any()
    assert not is_there[before["has_left"]].any()
    assert posts["is_open"][row][is_there].all()
    for shown in slate[visits].tolist():
        kept = [place for place in shown if place != NOBODY]
        assert len(kept) == len(set(kept))
    can_see = grid(posts, "is_open", SEEDS)[viewers["replica"]]
    if not world.scenario.viewers.watch_again:
        fresh = posts["day"].reshape(SEEDS, -1)[viewers["replica"]] == world.steps
        seen = bits.unpacked(before["has_watched"], num_places) & ~fresh
        assert not (np.take_along_axis(seen, np.maximum(slate, 0), axis=1) & is_there).any()
        can_see = can_see & ~seen
    if world.scenario.feed.candidates is None:
        enough = np.minimum(can_see.sum(axis=1), slate.shape[1])
        assert (is_there.sum(axis=1) == np.where(visits, enough, 0)).all()
    assert posts["impressions_today"].sum() == is_there.sum()


def check_bonds(world):
    """Follows are a set; whoever has left follows nobody and is not counted."""
    viewers, creators = world.tables["viewers"], world.tables["creators"]
    follows = bits.unpacked(viewers["follows"], CREATORS)
    assert not follows[viewers["has_left"]].any() and not (viewers["is_active"] & viewers["has_left"]).any()
    followers = follows.reshape(SEEDS, -1, CREATORS).sum(axis=1)
    assert followers.tolist() == grid(creators, "followers", SEEDS).tolist()
