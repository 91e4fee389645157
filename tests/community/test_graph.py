"""The social graph: degrees as networkx has them, the user's own edge list, and what is wrong with one."""

import networkx as nx
import numpy as np
import pytest

from ecosim.community import graph
from ecosim.errors import ScenarioError
from ecosim.rules import networks
from ecosim.simulate import Arm, load_scenario, prepare

SEED = np.array([7], np.uint64)
NUM = 4000


def degrees(edges, num_nodes):
    return np.bincount(edges.ravel(), minlength=num_nodes)


def shares(degree, most=30):
    return np.bincount(np.minimum(degree, most), minlength=most + 1) / len(degree)


def of_networkx(made):
    return np.array([degree for _, degree in made.degree()])


def distance(ours, theirs):
    """The largest difference of the two distribution functions (Kolmogorov, Smirnov)."""
    return np.abs(np.cumsum(shares(ours)) - np.cumsum(shares(theirs))).max()


KINDS = {
    "barabasi_albert": (networks.barabasi_albert(NUM, 3, SEED), nx.barabasi_albert_graph(NUM, 3, seed=7)),
    "small_world": (networks.small_world(NUM, 6, 0.2, SEED), nx.watts_strogatz_graph(NUM, 6, 0.2, seed=7)),
    "configuration": (
        networks.configuration(np.resize([1, 2, 5, 20], NUM), SEED),
        nx.Graph(nx.configuration_model(np.resize([1, 2, 5, 20], NUM).tolist(), seed=7)),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_degrees_are_distributed_as_networkx_has_them(kind):
    """Two samples of 4,000 differ by 1.95 · √(2 ÷ 4,000) = .044 once in a thousand times."""
    ours, theirs = KINDS[kind]
    assert distance(degrees(ours, NUM), of_networkx(theirs)) < 0.044


@pytest.mark.parametrize("kind", KINDS)
def test_no_tie_is_there_twice_or_leads_to_oneself(kind):
    low, high = np.sort(KINDS[kind][0], axis=1).T
    assert (low < high).all() and len(np.unique(low * NUM + high)) == len(low)


def test_newcomers_make_their_links_and_the_ring_keeps_its_ties():
    assert len(networks.barabasi_albert(100, 3, SEED)) == 3 * 97
    ring = networks.small_world(10, 4, 0.0, SEED)
    assert degrees(ring, 10).tolist() == [4] * 10
    assert len(networks.small_world(10, 4, 1.0, SEED)) == 20


def test_many_short_cuts_leave_little_of_the_ring_s_clustering():
    """Watts, Strogatz (1998): 3(k − 2) ÷ 4(k − 1) = .6 on a ring of six, that times (1 − p)³ with short cuts."""
    clustering = [nx.average_clustering(nx.Graph(networks.small_world(NUM, 6, p, SEED).tolist())) for p in (0, 0.3)]
    assert clustering[0] == pytest.approx(0.6)
    assert clustering[1] == pytest.approx(0.6 * 0.7**3, abs=0.02)


def test_degrees_of_a_power_law_halve_as_it_says():
    """With exponent 2, degree 1 is four times as frequent as degree 2, and nine times as degree 3."""
    count = np.bincount(networks.power_law_degrees(40_000, 2.0, 1, 50, SEED))
    assert len(count) <= 51
    assert count[1] / count[2] == pytest.approx(4, rel=0.1) and count[1] / count[3] == pytest.approx(9, rel=0.1)


def world_of(scenario):
    return prepare(scenario, [Arm(name="all")])[0]


def test_replicas_have_graphs_of_their_own_and_ties_never_leave_them(community):
    world = world_of(community(graph={"links": 2}, seeds=3))
    start, friend = graph.ties(world)
    sharer = np.repeat(np.arange(120), np.diff(start))
    assert (sharer // 40 == friend // 40).all() and len(friend) == 3 * 2 * 2 * 38
    first, second = graph.network(world, 0), graph.network(world, 1)
    assert first.number_of_edges() == second.number_of_edges() == 76 and not nx.utils.graphs_equal(first, second)
    assert sorted(first[0]) == friend[: start[1]].tolist()


def own(tmp_path, text, name="ties.csv"):
    (tmp_path / name).write_text(text)
    return {"kind": "file", "file": str(tmp_path / name)}


def test_an_edge_list_goes_both_ways_unless_it_says_that_it_is_directed(community, tmp_path):
    facts = own(tmp_path, "friend,viewer\n3,1\n2,1\n")
    for directed, wanted in ((False, [0, 2, 1, 1]), (True, [0, 2, 0, 0])):
        world = world_of(community(graph={**facts, "is_directed": directed}))
        assert world.tables["viewers"]["num_ties"][:4].tolist() == wanted
        assert graph.network(world, 1).is_directed() == directed


def test_an_edge_list_may_come_from_networkx_as_parquet(community, tmp_path):
    club = nx.karate_club_graph()
    nx.to_pandas_edgelist(club, "viewer", "friend")[["viewer", "friend"]].to_parquet(tmp_path / "club.parquet")
    world = world_of(community(graph={"kind": "file", "file": str(tmp_path / "club.parquet")}))
    assert world.tables["viewers"]["num_ties"][:34].tolist() == [degree for _, degree in club.degree()]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("viewer,friend\n0,1\n2,x\n", "graph.file: ties.csv:3: friend: must be a whole number from 0, got 'x'"),
        ("viewer,friend\n0,1.5\n", "graph.file: ties.csv:2: friend: must be a whole number from 0, got '1.5'"),
        ("viewer,friend\n0,\n", "graph.file: ties.csv:2: friend: must be a whole number from 0, got ''"),
        ("viewer,friend\n0,40\n", "graph.file: ties.csv:2: there is no viewer 40; numbers are 0 … 39"),
        ("viewer,friend\n-1,4\n", "graph.file: ties.csv:2: there is no viewer -1; numbers are 0 … 39"),
        ("viewer,friend\n5,5\n", "graph.file: ties.csv:2: viewer 5 is tied to itself; leave the row out"),
        ("viewer,friend\n0,1\n1,0\n", "graph.file: ties.csv:3: the tie of 1 and 0 is there twice; keep one of them"),
        ("viewer,frend\n0,1\n", "graph.file: ties.csv: unknown column 'frend', did you mean 'friend'?"),
        ("viewer\n0\n", "graph.file: ties.csv: needs a column friend"),
        ("viewer,friend\n", "graph.file: ties.csv: has no ties; give a row a tie"),
        ("", "graph.file: ties.csv: is empty; give a header with viewer and friend"),
        ("viewer,friend\n0,1,2\n0,1,2,3\n", "graph.file: ties.csv: is no CSV file"),
    ],
)
def test_what_is_wrong_with_an_edge_list_is_told_with_its_line(tmp_path, text, fault):
    with pytest.raises(ScenarioError) as told:
        load(tmp_path, own(tmp_path, text))
    assert fault in str(told.value)


def test_a_tie_both_ways_is_no_fault_where_ties_are_directed(tmp_path):
    assert load(tmp_path, {**own(tmp_path, "viewer,friend\n0,1\n1,0\n"), "is_directed": True}).graph.is_directed


def test_a_file_that_is_not_there_or_of_another_kind_is_a_fault(tmp_path):
    for name, fault in (("none.csv", "No such file"), ("ties.txt", "unknown kind of file; give one that ends in .csv")):
        (tmp_path / "ties.txt").write_text("0 1")
        with pytest.raises(ScenarioError, match=fault):
            load(tmp_path, {"kind": "file", "file": name})


def test_many_faults_are_counted(tmp_path):
    with pytest.raises(ScenarioError, match=r"ties.csv: and 5 more faults"):
        load(tmp_path, own(tmp_path, "viewer,friend\n" + "".join(f"{i},{i}\n" for i in range(15))))


def load(tmp_path, facts):
    text = [f"  {key}: {str(value).lower() if isinstance(value, bool) else value}" for key, value in facts.items()]
    (tmp_path / "small.yaml").write_text(
        "world: community\ntitle: small\nsteps: 1\nniches: {music: {topics: [jazz]}}\n"
        "creators: [{role: human_creator, niche: music, count: 5}]\nviewers: {count: 40}\ngraph:\n" + "\n".join(text)
    )
    return load_scenario(tmp_path / "small.yaml")


def test_a_relative_path_starts_from_the_scenario_s_folder(tmp_path):
    own(tmp_path, "viewer,friend\n0,1\n")
    assert load(tmp_path, {"kind": "file", "file": "ties.csv"}).graph.file == str(tmp_path / "ties.csv")


@pytest.mark.parametrize(
    ("facts", "fault"),
    [
        ({"kind": "small_world", "neighbours": 5}, "neighbours: must be even, half on each side, got 5"),
        ({"kind": "small_world", "neighbours": 22}, "graph.neighbours: at most half of viewers.count = 40, got 22"),
        ({"links": 40}, "graph.links: must be below viewers.count = 40, got 40"),
        ({"kind": "configuration"}, "graph.most_ties: must be below viewers.count = 40, got 100"),
        ({"kind": "configuration", "least_ties": 9, "most_ties": 8}, "most_ties: at least least_ties = 9, got 8"),
        ({"kind": "file"}, "file: missing; kind: file needs it"),
        ({"kind": "well_mixed", "links": 3}, "links: only for kind: barabasi_albert, not well_mixed"),
        ({"share_chance": 1.5}, "graph.share_chance"),
    ],
)
def test_keys_that_do_not_fit_are_told(community, facts, fault):
    with pytest.raises(ScenarioError) as told:
        community(graph=facts)
    assert fault in str(told.value)
