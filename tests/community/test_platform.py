"""Topics drift, have their seasons and are shocked; the platform forecasts them and sets how much its feed explores."""

import numpy as np
import pytest

import ecosim
from ecosim import catalog
from ecosim.community.platform.experts import watchful
from ecosim.community.platform.steer import _moved
from ecosim.errors import ScenarioError
from ecosim.minds.language import LanguageMind
from ecosim.pool.engine import Engine
from ecosim.simulate import Arm

PLATFORM = {"horizon_days": 2, "season_days": 3, "history_days": 4, "explore_shares": [0.0, 0.5], "first_share": 0.0}
STILL = {"volatility": 0.0}


def heat(run_, topic):
    table = run_.events("heat")
    return table[(table["topic"] == topic) & (table["replica"] == 0)]["heat"].tolist()


# ---- trends ---------------------------------------------------------------------------------------------------------


def test_a_shock_comes_on_its_day_and_fades(community):
    shock = {"day": 2, "topic": "jazz", "size": 2.0}
    run = ecosim.run(community(trends={**STILL, "shocks": [shock], "shock_persistence": 0.5}, steps=4))
    assert heat(run, 2) == [0.0, 2.0, 1.0, 0.5]
    assert heat(run, 0) == [0.0] * 4
    assert run.events("trend_shocks")[["step", "shock", "topic", "size"]].iloc[0].tolist() == [2, 0, 2, 2.0]


def test_a_season_comes_again_to_its_niche_alone(community):
    run = ecosim.run(community(trends={**STILL, "season": {"sports": [0.0, 0.25]}}, steps=5))
    assert heat(run, 0) == heat(run, 1) == [0.0, 0.25, 0.0, 0.25, 0.0]
    assert heat(run, 2) == [0.0] * 5


def test_fashion_is_the_same_beside_a_lift(community):
    plain = ecosim.run(community(steps=4))
    lifted = ecosim.run(community(trends={"season": {"music": [1.0, 3.0]}}, steps=4))
    assert heat(lifted, 0) == heat(plain, 0)
    assert np.subtract(heat(lifted, 2), heat(plain, 2)) == pytest.approx([1.0, 3.0, 1.0, 3.0])


def test_drift_stays_and_spreads_with_the_root_of_time(community):
    run = ecosim.run(community(trends={**STILL, "drift": 0.1}, steps=16, seeds=60, viewers={"count": 1}))
    table = run.events("heat")
    last = table[table["step"] == 16]["heat"]
    assert len(last) == 180
    assert last.std() == pytest.approx(0.4, rel=0.22)  # 0.1 · √16; 4 standard errors of 180 draws are 21 %


def test_a_shock_by_chance_comes_as_often_as_it_says_to_topics_by_lot(community):
    run = ecosim.run(
        community(trends={**STILL, "shocks": [{"chance": 0.25, "size": 1.0}]}, steps=20, seeds=20, viewers={"count": 1})
    )
    shocks = run.events("trend_shocks")
    assert len(shocks) == pytest.approx(100, abs=4 * np.sqrt(400 * 0.25 * 0.75))
    assert set(shocks["topic"]) == {0, 1, 2}


def test_a_lever_moves_what_is_left_of_shocks(community):
    lift = {"step": 2, "table": "topics", "column": "shock", "where": {"topic": "jazz"}, "set": 1.0}
    facts = community(trends={**STILL, "drift": 1e-9, "shock_persistence": 0.5}, interventions=[lift], steps=3)
    assert heat(ecosim.run(facts), 2) == pytest.approx([0.0, 0.5, 0.25], abs=1e-6)  # it fades on the day itself


# ---- forecasts ------------------------------------------------------------------------------------------------------


def test_forecasts_are_of_the_views_that_came_and_are_scored_when_their_days_are_over(community):
    run = ecosim.run(community(platform=PLATFORM, steps=9), minds={"platform.forecast": "naive"})
    posts = run.events("posts").set_index(["replica", "post"])["topic"]
    seen = run.events("reactions").join(posts, on=["replica", "post"])
    views = seen[seen["replica"] == 0].groupby(["step", "topic"])["views"].sum().unstack(fill_value=0)
    views = views.reindex(range(1, 10), fill_value=0)
    told = run.events("trend_forecasts").query("replica == 0").set_index(["step", "topic"])["views"]
    scores = run.events("trend_scores").query("replica == 0").set_index(["step", "topic"])
    assert [told[4, t] for t in range(3)] == views.loc[3].tolist()  # naive: as many as yesterday
    assert scores.index.get_level_values("step").min() == 6  # horizon 2 + season 3 days behind, and one more
    for topic in range(3):
        score = scores.loc[(7, topic)]  # of days 5 and 6, made on day 5
        assert score["actual"] == views.loc[5:6, topic].sum() // 2
        assert score["views"] == told[5, topic]
        assert score["naive"] == views.loc[2:3, topic].sum() // 2


def test_repeating_the_season_has_no_skill_by_definition(community):
    run = ecosim.run(community(platform=PLATFORM, steps=12), minds={"platform.forecast": "seasonal_naive"})
    skill = run.kpis[run.kpis["metric"] == "trend_skill"]["value"]
    assert skill.tolist() == [0.0, 0.0]


def test_smoothing_beats_repeating_the_season_where_there_is_none():
    run = ecosim.run("trend_shock", seeds=4, steps=20, changes={"trends.shocks": [], "trends.season": {}})
    assert run.kpis[run.kpis["metric"] == "trend_skill"]["value"].min() > 0.1


# ---- steering -------------------------------------------------------------------------------------------------------


def test_the_share_that_is_chosen_holds_and_what_it_brought_is_booked_to_it(community):
    run = ecosim.run(community(platform=PLATFORM, steps=6, seeds=1), minds={"platform.steer": turns})
    steering = run.events("steering")
    assert steering["explore_share"].tolist() == [0.5, 0.0] * 3
    views = run.events("reactions").groupby("step")["views"].sum().reindex(range(1, 7), fill_value=0)
    home = run.world(0).tables["platform"]
    assert home["choice_days"].tolist() == [[2, 3]]
    assert home["choice_views"].tolist() == [[views[[2, 4]].sum(), views[[1, 3, 5]].sum()]]
    assert run.kpis[run.kpis["metric"] == "explore_share"]["value"].tolist() == [0.25]


def turns(question):
    return {"explore": np.full(question.num_rows, question.step % 2)}


def test_how_far_attention_moves_is_half_the_sum_of_changes():
    views = np.array([[[30, 10], [10, 10], [0, 20]]])  # today and yesterday, of three topics
    assert _moved(views) == pytest.approx(np.array([[(0.5 + 0.0 + 0.5) / 2]]))


def test_a_watchful_platform_explores_when_topics_move():
    class Seen(dict):
        num_rows = 3

    seen = Seen(
        choice=np.tile([0.0, 0.1, 0.4], (3, 1)),
        explore_share=np.array([0.0, 0.4, 0.1]),
        moved=np.array([0.4, 0.1, 0.4]),
        moved_before=np.array([0.2, 0.2, 0.0]),
    )
    assert watchful(seen)["explore"].tolist() == [2, 1, 0]


@pytest.mark.parametrize("expert", ["fixed", "bandit", "watchful"])
def test_every_share_that_a_rule_chooses_is_one_of_the_scenario(community, expert):
    run = ecosim.run(community(platform=PLATFORM, steps=6), minds={"platform.steer": expert})
    assert set(run.events("steering")["explore_share"]) <= {0.0, 0.5}
    assert (set(run.events("steering")["explore_share"]) == {0.0}) == (expert == "fixed")


def test_a_language_model_runs_the_platform(community, run, tiny):
    mind = LanguageMind({"platform": catalog.card("platform")}, Engine(tiny), name="tiny", grade="untrained")
    seats = {"platform.forecast": mind, "platform.steer": mind}
    done = run(community(platform=PLATFORM, seeds=1, steps=2), Arm(name="all", minds=seats))
    assert not done.manifest["faults"]
    assert done.manifest["work_by_grade"]["untrained"]["decisions"] == 2 * (3 + 1)  # three topics and the share


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"trends": {"season": {"musik": [1.0]}}}, "trends.season: unknown niche 'musik'; known: sports, music"),
        (
            {"trends": {"shocks": [{"day": 1, "topic": "polka", "size": 1.0}]}},
            r"trends.shocks\[0\].topic: unknown topic 'polka'; known: running, rowing, jazz",
        ),
        ({"trends": {"shocks": [{"size": 1.0}]}}, "a shock comes at a `day` or by a `chance` above 0: say one"),
        ({"trends": {"shocks": [{"day": 3, "chance": 0.1, "size": 1.0}]}}, "say one of the two"),
        ({"trends": {"shocks": [{"day": 3}]}}, "size: missing"),
        ({"platform": {"explore_shares": [0.2, 0.1]}}, r"explore_shares must rise, without equals, got \[0.2, 0.1\]"),
        ({"platform": {"first_share": 0.3}}, r"first_share must be one of explore_shares .*, got 0.3"),
        ({"platform": {"horizon_days": 0}}, "horizon_days: input should be greater than or equal to 1, got 0"),
        ({"platform": {"explore": 1}}, "unknown key 'explore'"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(community, changes, fault):
    with pytest.raises(ScenarioError, match=fault):
        community(**changes)
