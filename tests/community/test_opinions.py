"""Opinions: who comes closer to whom, by hand."""

import numpy as np
import pytest

from ecosim import testing
from ecosim.adder import Adder
from ecosim.community import opinions
from ecosim.errors import ScenarioError
from ecosim.rules import opinions as rules
from ecosim.simulate import Arm, prepare

STILL = {"visit_chance": 0.0}


def step(scenario, opinion, **columns):
    """The opinions after a day that begins with these, in both replicas; columns of `creators` may be set too."""
    world, _, _ = prepare(scenario, [Arm(name="all")])
    world.tables["viewers"]["opinion"][:] = np.tile(opinion, 2)
    for name, value in columns.items():
        world.tables["creators"][name][:] = value
    world.step()
    return world.tables["viewers"]["opinion"].reshape(2, -1)


def test_two_who_differ_little_meet_in_the_middle_and_others_keep_their_minds(community):
    two = {"viewers": {**STILL, "count": 2}, "opinions": {"tolerance": 0.2, "pull": 0.5}}
    assert step(community(**two), [400_000, 500_000]).tolist() == [[450_000, 450_000]] * 2
    assert step(community(**two), [400_000, 600_000]).tolist() == [[400_000, 600_000]] * 2


def test_a_meeting_keeps_the_sum_of_opinions(community):
    scenario = community(viewers={**STILL, "count": 41}, opinions={"tolerance": 0.5, "pull": 0.3, "rounds_per_day": 7})
    before = np.arange(41) * 24_390 + 7
    assert step(scenario, before).sum(axis=1).tolist() == [before.sum()] * 2


@pytest.fixture
def ties(tmp_path):
    (tmp_path / "ties.csv").write_text("viewer,friend\n0,1\n1,2\n")
    return {"kind": "file", "file": str(tmp_path / "ties.csv")}


def test_among_ties_nobody_meets_a_stranger(community, ties):
    """0 – 1 – 2, and 3 is tied to nobody: one of the two ties meets, and 3 never moves."""
    among = {"tolerance": 1.0, "pull": 0.5, "among": "ties"}
    found = step(community(viewers={**STILL, "count": 4}, graph=ties, opinions=among), [0, 100_000, 200_000, 900_000])
    assert {tuple(row) for row in found.tolist()} <= {
        (50_000, 50_000, 200_000, 900_000),
        (0, 150_000, 150_000, 900_000),
    }


def test_degroot_moves_everybody_at_once_as_its_matrix_says(community, ties):
    """W = [[.5, .5, 0], [.25, .5, .25], [0, .5, .5]] on (0, .4, 1)."""
    scenario = community(viewers={**STILL, "count": 3}, graph=ties, opinions={"kind": "degroot", "pull": 0.5})
    assert step(scenario, [0, 400_000, 1_000_000]).tolist() == [[200_000, 450_000, 700_000]] * 2
    trust = np.array([[2, 2, 0], [1, 2, 1], [0, 2, 2]])
    assert rules.pooled(trust, np.array([0, 400_000, 1_000_000])).tolist() == [200_000, 450_000, 700_000]


def test_a_watched_post_draws_those_who_think_alike(community):
    """All watch a post whose creator stands at .5; half of the way from .4, not a step from .2."""
    scenario = community(
        viewers={"count": 40, "skip": -50.0, "leave": -50.0},
        graph={"share_chance": 0.0},
        opinions={"tolerance": 0.2, "post_pull": 0.5, "among": "ties"},
        phases=["arrive", "publish", "recommend", "react", "spread", "discuss", "settle"],
    )
    world, _, _ = prepare(scenario, [Arm(name="all")])
    world.step()
    phase = next(phase for phase in world.phases if phase.name == "discuss")
    assert len(np.unique(world.tables["viewings"]["viewer"])) == 40
    world.tables["creators"]["stance"][:] = 500_000
    world.tables["viewers"]["opinion"][:] = np.tile([400_000, 200_000], 40)
    phase._hear(world)
    assert world.tables["viewers"]["opinion"].tolist() == [450_000, 200_000] * 40


def test_camps_are_counted_without_loners():
    three = np.repeat([100_000, 500_000, 900_000], [30, 1, 19])
    assert rules.num_camps(three, 200_000, 2) == 2 and rules.num_camps(three, 200_000, 1) == 3
    assert rules.num_camps(three, 500_000, 2) == 1


def test_tenths_hold_everybody_who_is_there(community, run):
    finished = run(community(opinions={"tolerance": 0.2}), keep_events=True)
    found = finished.store.read("events/opinions").to_pandas()
    there = finished.series["active_viewers", ""]
    assert (found.groupby(["step", "replica"])["viewers"].sum().unstack().to_numpy() == there).all()
    assert (found["total"] >= found["viewers"] * found["tenth"] * 100_000).all()


def test_half_at_each_end_is_all_the_polarisation_there_is(community):
    scenario = community(viewers={**STILL, "count": 40}, opinions={"tolerance": 0.1}, steps=1)
    world, _, _ = prepare(scenario, [Arm(name="all")])
    world.step()
    world.tables["viewers"]["opinion"][:] = np.tile([0, 1_000_000], 40)
    add = Adder(2, {})
    opinions.measure(world, {}, add)
    assert add.figures["polarisation", ""].tolist() == [1.0, 1.0]
    assert add.figures["opinion_camps", ""].tolist() == [2.0, 2.0]


def test_a_replica_among_others_is_what_it_is_alone(community):
    facts = {"tolerance": 0.3, "among": "ties", "post_pull": 0.2, "rounds_per_day": 2}
    scenario = community(graph={"share_chance": 0.3}, opinions=facts)
    assert len(testing.check_alone(scenario, seeds=2, steps=4)) == 2


@pytest.mark.parametrize(
    ("facts", "fault"),
    [
        ({"opinions": {"kind": "degroot"}}, "opinions: these opinions move along ties; add the key graph"),
        ({"opinions": {"among": "ties"}, "graph": {"kind": "well_mixed"}}, "of a kind other than well_mixed"),
        ({"opinions": {"pull": 0.7}}, "pull: at most 0.5 for kind: bounded_confidence, where both move, got 0.7"),
        ({"opinions": {"tolerance": 0.0}}, "opinions.tolerance"),
        ({"phases": ["arrive", "discuss"]}, "phases: 'discuss' does nothing without the key 'opinions'; add it"),
    ],
)
def test_keys_that_do_not_fit_are_told(community, facts, fault):
    with pytest.raises(ScenarioError) as told:
        community(**facts)
    assert fault in str(told.value)
