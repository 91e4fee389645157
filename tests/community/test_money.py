"""Revenue shares, contests, and creators who come and go: what reaches whom, to the millionth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecosim import simulate
from ecosim.community.earnings import top_share
from ecosim.community.scenario import CommunityScenario
from ecosim.community.sharing import Sharing
from ecosim.community.state import BOOKS, layout
from ecosim.errors import ScenarioError
from ecosim.record.store import Memory
from ecosim.rules.ledger import CASH
from ecosim.scenario import build
from ecosim.simulate import Arm
from ecosim.words import Table

EURO = 1_000_000
LISTENING = {"fee_eur_per_day": 10.0, "platform_share": 0.3}


def three_creators(replicas=1, **revenue):
    """A day before which nothing has happened: three creators, two viewers."""
    data = {
        "world": "community",
        "title": "two viewers, three artists",
        "steps": 2,
        "seeds": replicas,
        "niches": {"music": {"topics": ["song"]}},
        "creators": [{"role": "human_creator", "niche": "music", "count": 3}],
        "viewers": {"count": 2},
        "feed": {"slate": 3},
        "revenue": revenue,
    }
    scenario = build(CommunityScenario, data, place="test")
    world, _, _ = simulate.prepare(scenario, [Arm(name="all")], Memory())
    world.tables["viewers"]["is_active"][:] = True
    world.steps = 1
    return world, Sharing(scenario, layout(scenario))


def watched(replica, viewer, creator, **more):
    columns = {"replica": replica, "viewer": viewer, "creator": creator, **more}
    return Table({name: np.array(column, dtype=None if name in more else np.int64) for name, column in columns.items()})


def cash(world):
    accounts = world.ledger.accounts
    return accounts["balance"][accounts["is_member"], CASH].tolist()


HEAVY = [0] * 90 + [1] * 10
"""The viewer of each of 100 views: one watches a lot, the other little."""


@pytest.mark.parametrize(
    ("rule", "shares"),
    [("pro_rata", [12.6, 1.4, 0.0]), ("user_centric", [7.0, 7.0, 0.0]), ("shapley", [7.0, 7.0, 0.0])],
)
def test_what_one_viewer_watches_a_lot_counts_ninety_percent_or_half(rule, shares):
    """Dimont (2018): by subscriber, those whom light listeners love get what these listeners pay."""
    world, sharing = three_creators(rule=rule, **LISTENING)
    world.tables["viewings"] = watched([0] * 100, HEAVY, HEAVY)
    sharing.settle(world)
    assert cash(world) == [share * EURO for share in shares]
    platform = world.ledger.outside("platform", np.zeros(1, np.int64))
    assert world.ledger.accounts["balance"][platform, CASH] == 6 * EURO


def test_a_viewers_money_goes_by_views_or_in_equal_parts_to_all_whom_it_watched():
    for rule, shares in (("user_centric", [7.5, 2.5, 0]), ("shapley", [5, 5, 0])):
        world, sharing = three_creators(rule=rule, fee_eur_per_day=5.0)
        world.tables["viewings"] = watched([0] * 4, [0, 0, 0, 0], [0, 0, 0, 1])
        events = sharing.settle(world)  # the other viewer watched nothing: its 5 EUR are shared by all views
        common = [3.75, 1.25, 0]
        own = [share / 2 for share in shares]
        assert cash(world) == [(a + b) * EURO for a, b in zip(common, own, strict=True)]
        assert events["payouts"]["views"].tolist() == [3, 1]


def test_time_watched_counts_where_viewers_decide_on_it():
    world, sharing = three_creators(by="watch_time", fee_eur_per_day=1.0)
    world.tables["viewings"] = watched([0, 0], [0, 1], [0, 1], share_watched=[0.25, 0.75])
    sharing.settle(world)
    assert cash(world) == [EURO // 2, EURO * 3 // 2, 0]


def test_nobody_is_paid_where_nobody_watched_and_the_platform_keeps_what_came_in():
    world, sharing = three_creators(**LISTENING)
    events = sharing.settle(world)
    assert cash(world) == [0, 0, 0]
    assert dict(zip(events["takings"]["what"], events["takings"]["amount"], strict=True)) == {1: 20e6, 3: 20e6}


def test_money_waits_for_the_day_of_settlement():
    world, sharing = three_creators(rule="user_centric", every_days=2, fee_eur_per_day=1.0)
    paid = []
    for day, creator in ((1, 0), (2, 1)):
        world.steps = day
        world.tables["viewings"] = watched([0, 0], [0, 1], [creator, 2])
        sharing.settle(world)
        paid.append(cash(world))
    assert paid == [[0, 0, 0], [EURO, EURO, 2 * EURO]]


VIEWS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(0, 2), st.floats(0, 1)), max_size=20)


@settings(deadline=None, max_examples=40)
@given(
    VIEWS,
    st.sampled_from(["pro_rata", "user_centric", "shapley"]),
    st.sampled_from(["views", "watch_time"]),
    st.floats(0, 1),
    st.floats(0, 1e6),
)
def test_shares_and_what_the_platform_keeps_are_the_revenue_whoever_watched_what(views, rule, by, part, fee):
    world, sharing = three_creators(replicas=2, rule=rule, by=by, platform_share=part, fee_eur_per_day=fee)
    world.tables["creators"]["pay_per_view"][:] = 333_333
    columns = list(zip(*views, strict=True)) or [[], [], [], []]
    world.tables["viewings"] = watched(*columns[:3], share_watched=np.array(columns[3], np.float64))
    takings = sharing.settle(world)["takings"]
    for replica in range(2):
        mine = takings.take(takings["replica"] == replica)
        amount = {what: mine["amount"][mine["what"] == what].sum() for what in range(4)}
        assert amount[0] + amount[1] == amount[2] + amount[3]
        assert amount[0] == 333_333 * sum(view[0] == replica for view in views)
        assert amount[2] == sum(cash(world)[3 * replica : 3 * replica + 3])
    assert not world.ledger.faults()


def test_a_run_with_all_of_it_keeps_the_books_and_does_not_depend_on_its_neighbours(community, run):
    facts = community(
        steps=8,
        revenue={"fee_eur_per_day": 0.05, "rule": "user_centric", "every_days": 2},
        contest={"prize_eur": 0.5, "every_days": 3},
        entry={"every_days": 2, "look_chance": 0.5},
        creators=[
            {"role": "human_creator", "niche": "sports", "count": 4, "at_start": 2, "cash_eur": 5.0},
            {"role": "ai_creator", "niche": "music", "count": 3, "upkeep_eur_per_day": 1.0, "cash_eur": 5.0},
        ],
    )
    both = run(facts)
    alone = run(facts.with_changes(seeds=1, world_seed=facts.world_seed + 1, mind_seed=facts.mind_seed + 1))
    assert both.manifest["digests"][1:] == alone.manifest["digests"] and not both.manifest["faults"]
    assert (both.kpis["quits", ""] > 0).all()  # upkeep eats the AI creators' cash
    taken, paid = (both.series[name, ""].sum(axis=0) for name in ("takings", "paid_out"))
    platform = both.kpis["platform_revenue", ""]
    assert platform == pytest.approx(taken - paid - both.kpis["prizes", ""])


# ---- contests -------------------------------------------------------------------------------------------------------


def test_the_equilibrium_of_five_stakes_a_sixth_and_most_of_the_prize_is_spent(community, run):
    facts = community(contest={"prize_eur": 1.0, "pays": "shares"}, steps=3)
    finished = run(facts, keep_events=True)
    awards = finished.store.read("events/awards").to_pandas()
    assert set(awards["score"]) == {160_000} and set(awards["prize"]) == {200_000}
    assert finished.kpis["dissipation", ""] == pytest.approx(0.8)


def test_who_gets_a_prize_for_views_or_effort_is_drawn_among_those_who_had_any(community, run):
    costly = {"low": {"cost_eur": 0.05}, "high": {"cost_eur": 0.05}}
    for scores in ("views", "effort"):
        facts = community(publishing=costly, contest={"prize_eur": 1.0, "scores": scores, "every_days": 2})
        awards = run(facts, keep_events=True).store.read("events/awards").to_pandas()
        assert set(awards["step"]) == {2, 4} and (awards["score"] > 0).all()
        assert (awards.groupby(["replica", "step"])["prize"].sum() == EURO).all()
        assert awards.groupby(["replica", "step"])["chance"].sum().to_numpy() == pytest.approx(1)


def test_a_stake_is_never_above_what_a_creator_owns(community, run):
    poor = [{"role": "human_creator", "niche": "music", "count": 3, "cash_eur": 0.1}]
    facts = community(contest={"prize_eur": 1.0}, creators=poor, ads_eur_per_view=0.0, steps=1)
    awards = run(facts, keep_events=True).store.read("events/awards").to_pandas()
    assert set(awards["score"]) == {100_000}  # not 2/9 EUR


# ---- coming and going -----------------------------------------------------------------------------------------------


def waiting(community, **entry):
    groups = [
        {"role": "human_creator", "niche": "sports", "count": 2},
        {"role": "ai_creator", "niche": "music", "count": 3, "at_start": 0},
    ]
    return community(creators=groups, entry={"every_days": 2, **entry}, steps=6)


def test_who_waits_is_asked_nothing_and_publishes_from_the_day_it_enters(community, run):
    facts = waiting(community, look_chance=0.3)
    arm = Arm(name="a", minds={"ai_creator.enter": "at_once"})
    finished = run(facts, arm, keep_events=True)
    came = finished.store.read("events/entries").to_pandas()
    posts = finished.store.read("events/posts").to_pandas()
    first = posts.groupby(["replica", "creator"])["step"].min()
    assert len(came) > 2
    assert all(first[row.replica, row.creator] == row.step for row in came.itertuples())
    assert finished.series["active_creators", "ai_creator"][-1].tolist() == came.groupby("replica").size().tolist()


def quit_on_day_4(question):
    return {"quit": np.full(question.num_rows, question.step == 4, dtype=np.int64)}


def test_who_quits_posts_no_more_and_its_posts_are_closed_unless_they_stay(community, run):
    for keeps_posts in (False, True):
        facts = waiting(community, keeps_posts=keeps_posts)
        finished = run(facts, Arm(name="a", minds={"human_creator.quit": quit_on_day_4}), keep_events=True)
        events = {name: finished.store.read(f"events/{name}").to_pandas() for name in ("posts", "quits", "reactions")}
        assert events["posts"]["step"].max() == 4
        assert events["quits"].groupby(["step", "creator"]).size().to_dict() == {(4, 0): 2, (4, 1): 2}
        assert (events["reactions"]["step"].max() > 4) == keeps_posts
        assert (finished.kpis["quits", ""] == 2).all()


def test_survival_counts_those_who_came_long_enough_ago(community, run):
    facts = waiting(community, survival_days=5)
    arm = Arm(name="a", minds={"human_creator.quit": quit_on_day_4, "ai_creator.enter": "at_once"})
    survival = {group: values for (name, group), values in run(facts, arm).kpis.items() if name == "survival"}
    assert survival["human_creator"].tolist() == survival["at start"].tolist() == [0, 0]
    assert set(survival) == {"", "at start", "entrants", "human_creator", "ai_creator"}


def test_upkeep_is_a_cost_of_those_who_are_there(community, run):
    groups = [{"role": "human_creator", "niche": "music", "count": 3, "at_start": 1, "upkeep_eur_per_day": 0.25}]
    finished = run(community(creators=groups, ads_eur_per_view=0.0, entry={"every_days": 30}, steps=4))
    accounts = finished.world.ledger.accounts
    upkeep = accounts["cash_by_reason"][accounts["is_member"], BOOKS.reasons.index("upkeep")]
    assert upkeep.tolist() == [-EURO, 0, 0] * 2
    assert finished.kpis["income", ""] == pytest.approx(-1)


def test_the_best_paid_tenth_is_at_least_one():
    assert top_share(np.array([[3.0, 1.0]]), np.ones((1, 2), bool)).tolist() == [0.75]


# ---- what can't be meant --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"creators": [{"role": "ai_creator", "niche": "music", "count": 3, "at_start": 1}]}, "add it"),
        ({"creators": [{"role": "ai_creator", "niche": "music", "count": 3, "upkeep_eur_per_day": 1.0}]}, "'entry'"),
        (
            {"creators": [{"role": "ai_creator", "niche": "music", "count": 3, "at_start": 4}], "entry": {}},
            r"at_start: at most count = 3, got 4",
        ),
        ({"revenue": {"platform_share": 1.5}}, "platform_share"),
        ({"revenue": {"rule": "fair"}}, "rule"),
        ({"contest": {"prize_eur": 0.0}}, "prize_eur"),
        ({"contest": {"prize_eur": 1.0, "power": 9.0}}, "power"),
        ({"phases": ["arrive", "publish", "recommend", "react", "settle", "award"]}, "without the key 'contest'"),
        ({"entry": {}, "phases": ["arrive", "publish", "recommend", "react", "settle"]}, "without the phase 'enter'"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(community, changes, fault):
    with pytest.raises(ScenarioError, match=fault) as caught:
        community(**changes)
    assert len(caught.value.faults) <= 2


def test_best_replies_need_to_know_their_rivals(community, run):
    with pytest.raises(Exception, match=r"needs publishing\.shows_rivals: true"):
        run(community(), Arm(name="a", minds={"human_creator.publish": "best_reply"}))
