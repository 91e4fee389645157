"""What must hold in every community, whatever its numbers."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecosim.catalog import card
from ecosim.community import bits
from ecosim.community.figures import gini
from ecosim.community.side import SIDE
from ecosim.community.state import grid
from ecosim.simulate import Arm

ALMOST_ANY = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SOURCES = st.sampled_from(["random", "popular", "hot", "content"])


@ALMOST_ANY
@given(slots=st.lists(SOURCES, min_size=1, max_size=5), leave=st.floats(-4, 1), at_start=st.integers(0, 40))
def test_impressions_are_visits_times_slots(community, run, slots, leave, at_start):
    facts = community(
        feed={"mix": slots, "slate": len(slots), "kept_posts": 3},
        viewers={"leave": leave, "at_start": at_start, "arrivals_per_day": 3, "watch_again": True},
    )
    finished = run(facts)
    visits = finished.series["active_viewers", ""] + _per_step(finished.store, "departures", facts)
    assert (finished.series["impressions", ""] == visits * len(slots)).all()


@ALMOST_ANY
@given(leave=st.floats(-3, 3), follow_bar=st.floats(-5, 2), world_seed=st.integers(1, 1000))
def test_who_left_is_not_counted_and_follows_are_a_set(community, run, leave, follow_bar, world_seed):
    facts = community(viewers={"leave": leave, "follow_bar": follow_bar}, world_seed=world_seed, steps=5)
    finished = run(facts)
    viewers, creators = finished.world.tables["viewers"], finished.world.tables["creators"]
    assert not (viewers["is_active"] & viewers["has_left"]).any()
    assert not viewers["follows"][viewers["has_left"]].any()
    followers = bits.unpacked(grid(viewers, "follows", facts.seeds), facts.num_creators).sum(axis=1)
    assert (followers == grid(creators, "followers", facts.seeds)).all()
    pairs = _rows(finished.store, "follows", ("replica", "viewer", "creator"))
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    gone = _rows(finished.store, "departures", ("replica", "viewer"))
    assert len(np.unique(gone, axis=0)) == len(gone) == viewers["has_left"].sum()


def test_views_are_counted_once_and_paid_for(community, run):
    finished = run(community(steps=6))
    reactions = finished.store.read("events/reactions").to_pandas()
    creators, ledger = finished.world.tables["creators"], finished.world.ledger
    by_creator = reactions.groupby(["replica", "creator"]).views.sum()
    assert by_creator.reindex(
        list(zip(creators["replica"], creators["member"], strict=True)), fill_value=0
    ).tolist() == (creators["views"].tolist())
    assert (creators["views_by_topic"].sum(axis=1) == creators["views"]).all()
    ads = ledger.accounts["cash_by_reason"][ledger.accounts["is_member"], 1]
    assert (ads == creators["views"] * 100_000).all()  # 0.10 EUR a view
    assert ledger.faults() == {}
    assert not finished.manifest["faults"]


def test_a_post_has_one_id_and_a_days_posts_stand_in_order(community, run):
    posts = run(community(steps=3)).store.read("events/posts").to_pandas()
    assert len(posts) == 2 * 3 * 5
    assert (posts.post == (posts.step - 1) * 5 + posts.creator).all()
    assert posts.title.str.len().min() > 0


def test_creators_pay_for_effort_only_what_they_have(community, run):
    poor = [{"role": "ai_creator", "niche": "music", "count": 5, "cash_eur": 0.25}]
    finished = run(community(creators=poor, ads_eur_per_view=0.0, steps=9, publishing={"noise": 0.0}))
    assert (finished.world.ledger.accounts["balance"][finished.world.ledger.accounts["is_member"], 0] >= 0).all()


def test_a_replica_among_others_is_the_replica_alone(community, run):
    together = run(community(seeds=3, steps=5)).manifest["digests"]
    alone = [run(community(seeds=1, steps=5, world_seed=i, mind_seed=i)).manifest["digests"][0] for i in (1, 2, 3)]
    assert together == alone
    assert len(set(together)) == 3


def test_a_replica_that_breaks_a_law_stands_still_and_the_others_go_on(community, run):
    world = run(community(seeds=2)).world
    other = run(community(seeds=2, steps=6)).world
    events = []
    world._record = lambda phase, tables: events.extend(tables.values())
    world.ledger.accounts["balance"][0, 0] += 1  # a millionth of a euro from nothing, in replica 0
    world.step()
    before = {name: table.take(table["replica"] == 0) for name, table in world.tables.items()}
    events.clear()
    world.step()
    assert world.tables["replicas"]["fault"][0].startswith("step 5: cash is not conserved: off by 1")
    assert {int(r) for table in events for r in table["replica"]} == {1}
    for name, table in world.tables.items():
        state, same = table.take(table["replica"] == 0), ("impressions_today", "views_last", "slate", "is_visiting")
        assert all((state[c] == before[name][c]).all() for c in table if not c.endswith(same) and "today" not in c)
    going, free = (w.tables["creators"]["views"][5:] for w in (world, other))
    assert going.tolist() == free.tolist()


def test_other_luck_of_the_minds_meets_the_same_world(community, run):
    manifest = run(community(seeds=2), Arm(name="a"), Arm(name="a again", has_other_luck=True)).manifest
    assert manifest["digests"][:2] != manifest["digests"][2:]
    assert manifest["exogenous_digests"][:2] == manifest["exogenous_digests"][2:]


def test_other_minds_meet_the_same_world(community, run):
    arms = [Arm(name="bandits"), Arm(name="trend", minds={"ai_creator.publish": "trend", "viewer": leaves_at_once})]
    manifest = run(community(seeds=2), *arms).manifest
    assert manifest["exogenous_digests"][:2] == manifest["exogenous_digests"][2:]


def leaves_at_once(question):
    none = np.full(question.num_rows, -1)
    zero = np.zeros(question.num_rows, np.int64)
    return {"watch": zero, "pick": none, "like": none, "follow": none, "leave": zero + 1}


def test_a_function_of_ones_own_answers_for_viewers(community, run):
    finished = run(community(minds={}), Arm(name="a", minds={"viewer": leaves_at_once}))
    assert finished.kpis["retention", ""].tolist() == [0.0, 0.0]
    assert finished.kpis["views", ""].tolist() == [0.0, 0.0]
    assert finished.kpis["attention_gini", ""].tolist() == [0.0, 0.0]


def test_every_figure_is_declared_and_finite(community, run):
    finished = run(community())
    own = SIDE.within(finished.scenario)
    for figures, declared in ((finished.series, own.metrics), (finished.kpis, own.kpis)):
        assert {name for name, _ in figures} == set(declared)
        assert all(np.isfinite(values).all() for values in figures.values())
    assert {group for _, group in finished.kpis} == {"", "human_creator", "ai_creator", "new", "old"}


def test_gini_is_the_mean_difference_over_twice_the_mean():
    counts = np.array([[3, 1, 7, 5, 0]])
    slow = np.abs(counts[0][:, None] - counts[0][None, :]).mean() / (2 * counts.mean())
    assert gini(counts)[0] == pytest.approx(slow)


def test_the_card_reads_what_the_question_shows(community, run):
    asked = []

    def watch(question):
        asked.append(question)
        return SIDE.experts[question.name]["scripted"](question)

    run(community(), Arm(name="a", minds={"ai_creator": watch}))
    question, reads = asked[0], card("ai_creator").questions["publish"]
    assert {name: question.units[name] for name in reads.reads} == reads.reads
    assert list(reads.fields) == [field.name for field in question.fields]


def _rows(store, name, columns):
    if f"events/{name}" not in store.names():
        return np.zeros((0, len(columns)), int)
    table = store.read(f"events/{name}").to_pandas()
    return table[list(columns)].to_numpy()


def _per_step(store, name, facts):
    """How many events of a kind each step and replica has."""
    rows = _rows(store, name, ("step", "replica"))
    counts = np.zeros((facts.steps, facts.seeds))
    np.add.at(counts, (rows[:, 0] - 1, rows[:, 1]), 1)
    return counts
