"""Creators invite each other, bargain about the split, and make works of two niches."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ecosim
from ecosim import catalog
from ecosim.community import bits
from ecosim.community.collaboration.words import BUSY, TALKS
from ecosim.community.state import grid
from ecosim.errors import ScenarioError
from ecosim.exact import MILLION
from ecosim.minds.language import LanguageMind
from ecosim.pool.engine import Engine
from ecosim.rules.matching import paired
from ecosim.simulate import Arm
from ecosim.validate.collaboration import CASES

TOGETHER = {"candidates": 2, "complementarity": {"music": {"sports": 0.5}}}


def mean_of(run, name):
    return run.kpis[run.kpis["metric"] == name]["value"].mean()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_published_bargains_and_planted_gains_are_found_through_the_phases(case):
    figures = case.compute()
    assert figures
    assert all(figure.is_met for figure in figures), figures


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9), st.integers(0, 20)), max_size=40))
def test_pairs_come_together_as_if_gone_through_one_by_one(asked):
    first = np.array([a for a, _, _ in asked], np.int64)
    second = np.array([(a + b) % 10 for a, b, _ in asked], np.int64)
    lot = np.array([c / 20 for _, _, c in asked], float)
    taken, expected = set(), np.zeros(len(asked), bool)
    for i in np.argsort(lot, kind="stable").tolist():
        if not {first[i], second[i]} & taken:
            expected[i] = True
            taken |= {first[i], second[i]}
    assert (paired(first, second, lot, 10) == expected).all()


def test_a_creator_talks_with_one_other_a_day(community, run):
    done = run(community(collaboration=TOGETHER, steps=6))
    asked = done.store.read("events/invitations").to_pandas()
    assert set(asked["outcome"]) == {TALKS, BUSY}
    talks = asked[asked["outcome"] == TALKS]
    both = np.concatenate([talks[["replica", "step", side]].to_numpy() for side in ("host", "partner")])
    assert len(np.unique(both, axis=0)) == len(both)


def test_two_who_share_evenly_agree_at_once_and_who_asks_for_nearly_all_goes_alone(community):
    facts = community(collaboration=TOGETHER, steps=6)
    fair = ecosim.run(facts, minds={"human_creator.split": "fair", "ai_creator.split": "fair"})
    works = fair.events("works")
    assert len(works) > 5
    assert set(works["partner_share"]) == {0.5}
    assert set(works["round"]) == {1}
    proud = {"human_creator.split": asks_for_all, "ai_creator.split": asks_for_all}
    assert mean_of(ecosim.run(facts, minds=proud), "talk_success") == 0


def asks_for_all(question):
    allowed = question.field("act").allowed
    act = np.where(allowed[:, 1], 1, 2)
    return {"act": act, "share": np.where(act == 1, MILLION, -1)}


def test_limits_and_deadlines_are_kept_and_private(community, run):
    done = run(
        community(collaboration={**TOGETHER, "least_share": 0.4, "private_spread": 0.05, "max_rounds": 5}, steps=6)
    )
    works = done.store.read("events/works").to_pandas()
    assert len(works) and works["partner_share"].between(350_000, 650_000).all()
    assert works["round"].max() <= 5


def test_a_work_is_the_mean_of_its_parts_and_what_the_niches_are_worth(community, run):
    done = run(community(collaboration=TOGETHER, steps=6))
    works = done.store.read("events/works").to_pandas()
    gain = works["appeal"] - (works["host_appeal"] + works["partner_appeal"]) / 2
    of_two_niches = works["host_niche"] != works["partner_niche"]
    assert of_two_niches.any() and not of_two_niches.all()
    assert gain.tolist() == pytest.approx(np.where(of_two_niches, 0.5, 0.0).tolist())


def test_a_part_that_went_into_a_work_is_not_shown_on_its_own(community, run):
    done = run(community(collaboration=TOGETHER, steps=6))
    works = done.store.read("events/works").to_pandas()
    seen = done.store.read("events/reactions").to_pandas()
    num_creators = 5
    parts = set(zip(works["replica"], works["post"] - works["host"] + works["partner"], strict=True))
    assert len(parts) == len(works) > 0
    assert not parts & set(zip(seen["replica"], seen["post"], strict=True))
    assert (works["post"] == (works["step"] - 1) * num_creators + works["host"]).all()


def test_feeds_and_tastes_meet_both_topics_of_a_work(community, run):
    world = run(community(collaboration=TOGETHER, steps=6)).world
    posts = world.tables["posts"]
    rows = np.flatnonzero((posts["partner"] >= 0) & (posts["topic"] != posts["second_topic"]))
    assert len(rows)
    topics = posts["vector"][rows, 2:5]  # two niches, three topics, then the title
    assert (topics.sum(axis=1) == 2).all()
    assert topics[np.arange(len(rows)), posts["second_topic"][rows]].all()


def test_income_is_shared_to_the_millionth_and_nothing_is_lost(community, run):
    done = run(community(collaboration=TOGETHER, steps=6))
    royalties = done.store.read("events/royalties").to_pandas()
    works = done.store.read("events/works").to_pandas()
    paid = royalties.merge(works[["replica", "post", "partner_share"]], on=["replica", "post"])
    assert len(paid) == len(royalties) > 0
    assert (paid["income"] == paid["views"] * 100_000).all()  # 0.10 EUR a view
    assert (paid["paid"] == paid["income"] * paid["partner_share"] // MILLION).all()
    ledger = done.world.ledger
    column = ledger.accounts["cash_by_reason"][:, ledger.reasons.index("royalties")]
    assert column.sum() == 0 and column[column > 0].sum() > 0
    assert ledger.faults() == {}


def test_both_makers_learn_from_a_work(community, run):
    world = run(community(collaboration=TOGETHER, steps=6)).world
    creators = world.tables["creators"]
    assert creators["joint_views"].sum() == creators["views_hosted"].sum() * MILLION > 0
    assert (creators["posts_by_topic"].sum(axis=1) == creators["posts"]).all()
    partners = creators["views_by_topic"].sum(axis=1) > creators["views"]
    assert partners.any()


def test_the_network_of_partners_is_measured_by_its_definition(community):
    run = ecosim.run(community(collaboration=TOGETHER, steps=6, seeds=1))
    graph = nx.Graph()
    graph.add_nodes_from(range(5))
    works = run.events("works")
    graph.add_edges_from(zip(works["host"], works["partner"], strict=True))
    assert mean_of(run, "partners") == pytest.approx(2 * graph.number_of_edges() / 5)
    assert mean_of(run, "partner_clustering") == pytest.approx(nx.average_clustering(graph))
    ties = bits.unpacked(grid(run.world(0).tables["creators"], "worked_with", 1)[0], 5)
    assert (ties == ties.T).all() and not ties.diagonal().any()


def test_nobody_who_works_alone_has_a_work(community):
    minds = {"human_creator.invite": "alone", "ai_creator.invite": "alone"}
    run = ecosim.run(community(collaboration=TOGETHER), minds=minds)
    assert not {"invitations", "splits", "works"} & set(run.tables)
    assert mean_of(run, "joint_share") == 0


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"complementarity": {"musik": {"sports": 1.0}}}, "unknown niche 'musik'; known: sports, music"),
        (
            {"complementarity": {"music": {"sports": 1.0}, "sports": {"music": 2.0}}},
            "music with sports is 1.0, sports with music is 2.0; a work has no order: say it once",
        ),
        ({"min_rounds": 9, "max_rounds": 3}, r"min_rounds \(9\) must not be above max_rounds \(3\)"),
        ({"least_share": 0.05}, r"least_share \(0.05\) ± private_spread \(0.1\) leaves 0 … 1"),
        ({"share_step": 0.03}, "1 must be a whole number of steps, got 0.03; 0.01 would do"),
        ({"candidates": 0}, "candidates: input should be greater than or equal to 1, got 0"),
        ({"complementarity": {"music": {"sports": "much"}}}, "complementarity.music.sports"),
        ({"shares": 3}, "unknown key 'shares'"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(community, changes, fault):
    with pytest.raises(ScenarioError, match=fault):
        community(collaboration=changes)


def test_a_language_model_invites_and_bargains_as_an_ai_creator(community, run, tiny):
    mind = LanguageMind({"ai_creator": catalog.card("ai_creator")}, Engine(tiny), name="tiny", grade="untrained")
    seats = {f"ai_creator.{phase}": mind for phase in ("invite", "split")}
    done = run(community(collaboration=TOGETHER, seeds=1, steps=2), Arm(name="all", minds=seats))
    assert not done.manifest["faults"]
    asked = done.manifest["work_by_grade"]["untrained"]["decisions"]
    assert asked > 4


def test_partners_get_their_share_of_what_a_settlement_brings_however_long_it_takes(community, run):
    money = {"rule": "pro_rata", "every_days": 3, "platform_share": 0.5}
    done = run(community(collaboration=TOGETHER, revenue=money, steps=6))
    royalties = done.store.read("events/royalties").to_pandas()
    shares = done.store.read("events/payouts").to_pandas().set_index(["replica", "step", "creator"])
    assert set(royalties["step"]) == {3, 6}
    brought = royalties.groupby(["replica", "step", "host"])[["income", "views"]].sum()
    paid = shares.loc[brought.index.set_names(["replica", "step", "creator"])]
    assert (brought["income"].to_numpy() <= paid["amount"].to_numpy()).all()
    assert (brought["views"].to_numpy() <= paid["views"].to_numpy()).all()
    assert done.world.tables["creators"]["views_hosted"].sum() == royalties["views"].sum()
