"""Sharing: who gets what, through whom, and what becomes of it; small audiences that can be followed by hand."""

import networkx as nx
import numpy as np
import pytest

import ecosim
from ecosim import testing
from ecosim.record.store import Folder, Memory
from ecosim.rules import cascades
from ecosim.simulate import Arm, Manner, prepare, simulate

EVERYBODY = {"skip": -50.0, "leave": -50.0, "leave_per_idle_day": 0.0, "title_appeal": 0.0}
ONE = {
    "niches": {"music": {"topics": ["jazz"]}},
    "creators": [{"role": "human_creator", "niche": "music"}],
    "feed": {"kind": "random", "mix": [], "slate": 1, "kept_posts": 1},
    "publishing": {"every_days": 100, "title_vectors": "none", "noise": 0.0},
    "seeds": 1,
}


@pytest.fixture
def shared(community, tmp_path, run):
    """A post that viewer 0 alone gets from the feed and shares; ties as given: `shared([(0, 1)], steps=2)`."""

    def told(ties, count, steps=1, *changes, **facts):
        lines = "".join(f"{viewer},{friend}\n" for viewer, friend in ties)
        (tmp_path / "ties.csv").write_text("viewer,friend\n" + lines)
        own = {"kind": "file", "file": str(tmp_path / "ties.csv"), "share_chance": 1.0, **facts}
        only_one = {"table": "viewers", "column": "visit_chance", "where": {"viewer": 0}, "set": 1.0, "step": 1}
        scenario = community(
            **ONE, steps=steps, viewers={**EVERYBODY, "count": count, "visit_chance": 0.0}, graph=own,
            interventions=[only_one, *changes],
        )  # fmt: skip
        return run(scenario, keep_events=True)

    return told


def rows(finished, *columns):
    found = finished.store.read("events/cascades").to_pandas()
    return found[list(columns)].to_numpy().tolist()


def test_a_post_goes_along_a_chain_in_a_day_and_everybody_has_watched_it(shared):
    """0 → 1 → 2 → 3: views by ties 3, shares 4; a path of 5 with the creator, mean distance (5 + 1) ÷ 3."""
    finished = shared([(0, 1), (1, 2), (2, 3)], count=5)
    wanted = [[1, 3, 4, 1, 5, 4, 1, 2.0]]
    assert rows(finished, "step", "views", "shares", "seeds", "size", "depth", "breadth", "virality") == wanted
    world = finished.world
    assert world.tables["viewers"]["views"].tolist() == [1, 1, 1, 1, 0]
    assert world.tables["viewings"]["viewer"].tolist() == [0, 1, 2, 3]
    assert world.tables["viewings"]["slot"].tolist() == [0, -1, -1, -1]
    assert world.tables["posts"]["views"].tolist() == [4] and world.tables["posts"]["impressions"].tolist() == [1]
    assert world.tables["creators"]["views"].tolist() == [4]
    assert world.ledger.accounts["balance"][0, 0] == 400_000  # four views at ten cents


def test_one_hop_a_day_takes_a_day_for_each_tie(shared):
    finished = shared([(0, 1), (1, 2), (2, 3)], count=4, steps=5, hops_per_day=1)
    assert rows(finished, "step", "views", "size") == [[1, 1, 3], [2, 1, 4], [3, 1, 5]]


def test_a_star_has_one_parent_and_nobody_is_reached_twice(shared):
    """0 is tied to 1 … 4, who are all tied to 5: five come through 0 and 5 through one of the four."""
    ties = [(0, i) for i in range(1, 5)] + [(i, 5) for i in range(1, 5)]
    assert rows(shared(ties, count=6), "views", "size", "depth", "breadth") == [[5, 7, 3, 4]]


def test_who_does_not_share_ends_the_way_but_has_seen_it(shared):
    silent = {"table": "viewers", "column": "share_chance", "where": {"viewer": 1}, "set": 0.0, "step": 1}
    finished = shared([(0, 1), (1, 2)], 3, 1, silent)
    assert rows(finished, "views", "shares", "size") == [[1, 1, 2]]
    assert finished.world.tables["viewers"]["views"].tolist() == [1, 1, 0]
    assert finished.kpis["social_view_share", ""].tolist() == [0.5]


def test_a_chance_of_passing_needs_several_days_where_sharers_go_on(shared):
    """At 1 in 4 a day, a hundred ties carry it to 25 on the first day, and to 99.7 of them in twenty days."""
    star = [(0, i) for i in range(1, 101)]
    once = shared(star, count=101, steps=20, pass_chance=0.25, pass_days=1)
    always = shared(star, count=101, steps=20, pass_chance=0.25, pass_days=20)
    assert 10 < rows(once, "views")[0][0] < 40 and len(rows(once, "views")) == 1
    assert sum(views for (views,) in rows(always, "views")) >= 97


def test_whoever_left_neither_gets_nor_passes(shared, community):
    finished = shared([(0, 1), (1, 2)], count=3)
    world = finished.world
    phase = next(phase for phase in world.phases if phase.name == "spread")
    world.tables["viewers"]["is_active"][1] = False
    world.tables["viewers"]["has_watched"][1:] = 0
    world.tables["cascade_nodes"]["until"][:] = 1
    events = phase.apply(world, [], [])
    assert events["cascades"]["views"].sum() == 0


def test_a_closed_post_goes_no_further(shared):
    world = shared([(0, 1)], count=2, steps=1, pass_chance=0.0, pass_days=9).world
    phase = next(phase for phase in world.phases if phase.name == "spread")
    world.tables["posts"]["is_open"][:] = False
    world.steps = 2
    assert phase.apply(world, [], [])["cascades"].num_rows == 0


def test_what_viewers_said_of_sharing_counts_before_their_chance(shared):
    """Where `viewings` says who shared, it is they; viewer 0 did not."""
    world = shared([(0, 1)], count=2, pass_chance=1.0).world
    phase = next(phase for phase in world.phases if phase.name == "spread")
    world.tables["viewings"] = world.tables["viewings"].take(np.array([0]))
    world.tables["viewings"]["is_shared"] = np.array([False])
    world.tables["viewers"]["has_watched"][1] = 0
    world.tables["cascade_nodes"] = world.tables["cascade_nodes"].take(np.array([], int))
    assert phase.apply(world, [], [])["cascades"].num_rows == 0
    world.tables["viewings"]["is_shared"][:] = True
    assert phase.apply(world, [], [])["cascades"]["views"].tolist() == [1]


def test_what_came_by_ties_is_watched_whole(community, run):
    """Where viewers say how much they watch, a post that a friend shared counts in full."""
    facts = {"watch_bar": 5.0, "share_bar": 0.0}
    seen = run(community(audience=facts, graph={"share_chance": 0.5}, steps=2)).world.tables["viewings"]
    by_ties = seen["slot"] == -1
    assert (seen["share_watched"][by_ties] == 1.0).all()
    assert 0 < seen["is_shared"][by_ties].sum() < by_ties.sum()
    assert (seen["share_watched"][~by_ties] < 1.0).any()


def test_sharing_makes_views_and_pays_for_them(community, run):
    """The same community with and without sharing: what the feed shows on day 1 is the same."""
    alone, shared = (run(community(steps=1, graph={"share_chance": chance})) for chance in (0.0, 0.5))
    more = shared.series["social_views", ""][0]
    assert (more > 0).all()
    assert (shared.series["views", ""][0] == alone.series["views", ""][0] + more).all()


def grown(community, **more):
    viewers = {"skip": 0.0, "visit_chance": 0.6}
    return community(steps=5, seeds=3, viewers=viewers, graph={"share_chance": 0.4, "hops_per_day": 2, **more})


@pytest.mark.parametrize("kind", ["barabasi_albert", "small_world", "well_mixed"])
def test_a_replica_among_others_is_what_it_is_alone(community, kind):
    scenario = grown(community, kind=kind, pass_chance=0.7, pass_days=2)
    assert len(testing.check_alone(scenario, seeds=3, steps=5)) == 3


def test_ask_never_writes_and_a_run_that_was_stopped_goes_on_to_the_same_digest(community, tmp_path):
    def stop(underway):
        if underway.steps_done == 3:
            raise KeyboardInterrupt

    scenario = grown(community, pass_days=3)
    scenario = scenario.with_changes(opinions={"among": "ties"})
    world, _, _ = prepare(scenario, [Arm(name="all")])
    world.step()
    for phase in world.phases:
        testing.check_phase(phase, world)
    with pytest.raises(KeyboardInterrupt):
        simulate(scenario, [Arm(name="all")], Folder(tmp_path / "run"), Manner(snapshot_steps=2, watch=stop))
    whole = simulate(scenario, [Arm(name="all")], Memory()).manifest["digests"]
    assert ecosim.resume(tmp_path / "run").manifest["digests"] == whole


def test_no_cascade_is_larger_than_who_watched_and_virality_is_networkx_s_mean_distance(community, run):
    finished = run(grown(community), keep_events=True)
    found = finished.store.read("events/cascades").to_pandas()
    assert len(found) > 20
    assert (found["size"] - 1 <= 40).all() and (found["breadth"] * found["depth"] >= found["size"] - 1).all()
    parent = np.array([-1, 0, 0, 1, 1, 2, 5, -1, 7])
    shape = cascades.shapes(parent, np.array([0] * 7 + [1] * 2), 2)
    tree = nx.Graph([(i, int(parent[i])) for i in range(1, 7)])
    assert shape.virality.tolist() == [nx.average_shortest_path_length(tree), 1.0]
    assert shape.size.tolist() == [7, 2] and shape.depth.tolist() == [3, 1] and shape.breadth.tolist() == [3, 1]


def test_readier_sharers_are_a_lever(community, run):
    change = {"step": 1, "table": "viewers", "column": "share_chance", "set": 0.0}
    stopped = run(community(steps=2, graph={"share_chance": 0.5}, interventions=[change]))
    assert stopped.series["cascade_shares", ""].tolist() == [[0, 0], [0, 0]]
