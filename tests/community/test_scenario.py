import numpy as np
import pytest

from ecosim.community.state import arrival_days
from ecosim.errors import ScenarioError


def test_all_faults_of_a_file_come_at_once(community):
    with pytest.raises(ScenarioError) as caught:
        community(
            creators=[{"role": "human_creator", "niche": "sport"}],
            feed={"slate": 9},
            viewers={"at_start": 99, "title_appeal": 1.0},
            publishing={"title_vectors": "none"},
        )
    message = str(caught.value)
    assert "creators[0].niche: unknown niche 'sport'; known: sports, music" in message
    assert "feed.slate: 9 posts a visit need as many places, got 2: 1 creators × kept_posts 2" in message
    assert "viewers.at_start: at most viewers.count = 40, got 99" in message
    assert "viewers.title_appeal: needs publishing.title_vectors" in message


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"feed": {"kind": "populr"}}, "feed.kind: input should be 'random', 'popular'"),
        (
            {"feed": {"kind": "mix", "mix": []}},
            "a feed of kind 'mix' needs its sources in `mix`, such as [content, popular]",
        ),
        ({"viewers": {"cuont": 3}}, "unknown key 'cuont', did you mean 'count'?"),
        ({"viewers": {"count": -1}}, "viewers.count: input should be greater than or equal to 1, got -1"),
        ({"viewers": {"skip": 51.0}}, "viewers.skip: input should be less than or equal to 50, got 51.0"),
        ({"niches": {"music": {"topics": ["running"]}}}, "niches: topic 'running' is named twice"),
    ],
)
def test_a_fault_is_named_with_its_place(community, changes, fault):
    with pytest.raises(ScenarioError, match=r".") as caught:
        community(**changes)
    assert fault in str(caught.value)


def test_a_feed_deals_its_sources_out_to_the_slots(community):
    feed = community(feed={"mix": ["content", "hot"], "slate": 5}).feed
    assert feed.sources() == ["content", "hot", "content", "hot", "content"]


def test_viewers_arrive_by_a_number_and_by_a_share_of_those_who_came(community):
    facts = {"count": 40, "at_start": 10, "arrivals_per_day": 2, "growth_per_day": 0.5}
    days = arrival_days(community(steps=3, viewers=facts))
    there = [int((days <= day).sum()) for day in (1, 2, 3)]
    assert there == [10, 17, 27]  # 10, 10 + 5 + 2, 17 + 8.5 + 2
    assert np.unique(days[27:]).tolist() == [4]  # after the last day: never
