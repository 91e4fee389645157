"""The bargaining table: who sits opposite whom, what is said, what it comes to, and what a file may not say."""

import re
from itertools import pairwise

import numpy as np
import pytest

import ecosim
from ecosim import simulate
from ecosim.errors import ScenarioError
from ecosim.fields import NOT_ASKED
from ecosim.manufacturing.bargains import NOTHING
from ecosim.manufacturing.table_acts import ACCEPT, COUNTER, INSIST, REJECT
from ecosim.manufacturing.table_experts import BARGAIN
from ecosim.record.store import Memory
from ecosim.rules import alternate, domain, frontier
from ecosim.simulate import Arm
from ecosim.validate import bargaining_table
from ecosim.validate.cases import Case

NAME = "bargaining_table"


def seats(buyer, seller):
    return {"manufacturer.bargain": buyer, "supplier.bargain": seller}


def play(buyer="boulware", seller="boulware", seeds=2, steps=2, **changes):
    return ecosim.run(NAME, seeds=seeds, steps=steps, minds=seats(buyer, seller), changes=changes)


@pytest.mark.parametrize("case", bargaining_table.CASES, ids=lambda case: case.name)
def test_published_figures_come_out_of_the_phase(case: Case):
    missed = [f"{f.name}: {f.found}, not {f.target}" for f in case.compute() if not f.is_met]
    assert not missed


def test_the_phase_plays_what_the_kernel_plays():
    """Two hundred talks with weights of their own, read from the table as dealt and played in one call."""
    facts = simulate.load_scenario(NAME).with_changes(seeds=40, steps=1)
    world, _, _ = simulate.prepare(facts, [Arm(name="all", minds=seats("boulware", "linear"))], Memory())
    world.steps = 1
    talks = world.phases[0].dealer.deal(world, "bargain").all
    kernel = alternate.negotiate(talks["buyer_worth"], talks["seller_worth"], (4.0, 1.0))
    ended = play("boulware", "linear", seeds=40, steps=1).events("bargains")
    assert ended["agreed"].tolist() == kernel.outcome.tolist()
    assert ended["round"].tolist() == kernel.round.tolist()


def test_every_talk_has_weights_of_its_own_and_all_are_known_to_the_digest():
    stakes = play().events("stakes")
    assert len(stakes) == 20
    assert stakes["nash_buyer"].nunique() > 10
    plain = play(**{"table.weight_spread": 0.0}).events("stakes")
    assert plain["nash_buyer"].nunique() == 1
    assert plain["nash_seller"].iloc[0] == pytest.approx(0.67706, abs=1e-5)


def test_a_run_has_one_digest_alone_and_among_others_and_arms_meet_the_same_stakes():
    many, one = play(seeds=3), play(seeds=1)
    again = play(seeds=3)
    digests = [run.manifest["digests"] for run in (many, one, again)]
    assert digests[0] == digests[2]
    assert digests[1][0] == digests[0][0]
    soft = play("conceder", "tit_for_tat", seeds=3)
    assert soft.manifest["digests"] != digests[0]
    assert soft.manifest["exogenous_digests"] == many.manifest["exogenous_digests"]
    assert soft.events("stakes").equals(many.events("stakes"))


def test_offers_are_events_when_they_change_and_tell_all_moves():
    run = play(seeds=1, steps=1)
    bids, ended = run.events("bids"), run.events("bargains")
    for _, talk in ended.iterrows():
        mine = bids[(bids["buyer"] == talk["buyer"]) & (bids["seller"] == talk["seller"])]
        assert mine["move"].is_monotonic_increasing and mine["move"].iloc[0] == 0
        for parity in (0, 1):
            side = mine[mine["move"] % 2 == parity]["offer"]
            assert (side.diff() != 0).all()
        by_other = mine[mine["move"] % 2 == talk["moves"] % 2]
        assert by_other["offer"].iloc[-1] == talk["agreed"]
        assert talk["round"] == (talk["moves"] + 1) // 2


def test_a_deadline_leaves_accept_and_reject():
    """Two who never give way end when the first deadline has passed; they keep their reservation values."""
    seen = []

    def stubborn(question):
        seen.append(question.field("act").allowed.copy())
        return BARGAIN["tit_for_tat"](question)

    changes = {"table.min_rounds": 3, "table.max_rounds": 3, "table.buyer.reservation": 0.2}
    run = play(stubborn, stubborn, seeds=1, steps=1, **changes)
    ended = run.events("bargains")
    assert ended["end"].tolist() == [2] * 5 and ended["agreed"].tolist() == [NOTHING] * 5
    assert ended["round"].tolist() == [4] * 5 and ended["buyer_utility"].tolist() == [0.2] * 5
    assert (ended["to_pareto"] > 0.1).all()
    assert [allowed[0].tolist() for allowed in seen] == [
        [False, True, False, True],
        [True, True, False, True],
        *[[True, True, True, True]] * 4,
        [True, False, False, True],
    ]


def test_deadlines_are_drawn_between_their_ends():
    stakes = play(seeds=20, **{"table.min_rounds": 5, "table.max_rounds": 8}).events("stakes")
    assert set(stakes["buyer_rounds"]) == set(stakes["seller_rounds"]) == {5, 6, 7, 8}
    assert (stakes["buyer_rounds"] != stakes["seller_rounds"]).any()


def test_a_discount_makes_late_agreements_worth_less():
    ended = play(seeds=1, **{"table.seller.discount": 0.99}).events("bargains")
    expected = ended["seller_utility"] * 0.99 ** (ended["round"] - 1)
    assert ended["seller_worth"].to_numpy() == pytest.approx(expected.to_numpy(), abs=2e-6)
    assert ended["buyer_worth"].equals(ended["buyer_utility"])


def test_tit_for_tat_gives_as_the_other_gives():
    """It meets a Boulware with patience and a Conceder with an early deal."""
    late, soon = (play("tit_for_tat", other).kpis for other in ("boulware", "conceder"))
    rounds = [k[k["metric"] == "bargain_rounds"]["value"].mean() for k in (late, soon)]
    assert rounds[0] > 2 * rounds[1]


def test_modelling_the_other_brings_agreements_nearer_to_the_frontier():
    plain, tuned = (play(buyer, seeds=10).events("bargains") for buyer in ("boulware", "best_response"))
    assert tuned["to_pareto"].mean() < plain["to_pareto"].mean() / 2
    assert tuned["seller_utility"].mean() > plain["seller_utility"].mean()


@pytest.mark.parametrize("mind", sorted(BARGAIN))
def test_an_answer_depends_on_its_own_row_alone(mind):
    """Each expert answers a shuffled half of its question as it answers the whole."""
    asked = []

    def watch(question):
        answers = BARGAIN[mind](question)
        if len(asked) < 40:
            order = np.random.default_rng(len(asked)).permutation(question.num_rows)[: question.num_rows // 2 + 1]
            part = BARGAIN[mind](question.take(order))
            asked.append(all((part[name] == answers[name][order]).all() for name in answers))
        return answers

    play(watch, watch, seeds=3, steps=1, **{"table.min_rounds": 10, "table.max_rounds": 14})
    assert len(asked) > 4 and all(asked)


def test_insisting_and_offering_the_same_again_are_one():
    def parrot(question):
        answers = {name: column.copy() for name, column in BARGAIN["boulware"](question).items()}
        stays = answers["act"] == INSIST
        for i in range(4):
            answers[f"issue_{i + 1}"][stays] = question["own"][stays, i]
        return answers | {"act": np.where(stays, COUNTER, answers["act"])}

    assert play(parrot, parrot).manifest["digests"] == play().manifest["digests"]


def test_what_is_seen_of_the_other_is_what_it_has_said():
    """How often issues stayed, its first offer, and what both offers are worth, checked against the record."""
    said, wrong = {}, []

    def watch(question):
        answers = BARGAIN["conceder" if question["is_buyer"][0] else "linear"](question)
        for row, who in enumerate(question.key["subject"].tolist()):
            heard = said.get(int(question.key["counterpart"][row]), [])
            changed = [one for i, one in enumerate(heard) if i == 0 or one != heard[i - 1]]
            pairs = list(pairwise(changed))
            kept = [sum(a[i] == b[i] for a, b in pairs) for i in range(4)]
            if heard:
                sizes = np.cumsum([0, 5, 4, 3])
                points = question["points"][row]
                is_right = (
                    question["offer"][row].tolist() == heard[-1]
                    and question["offer_first"][row].tolist() == heard[0]
                    and question["offer_kept"][row].tolist() == kept
                    and question["offer_changes"][row] == len(pairs)
                    and question["offer_utility"][row]
                    == sum(points[at + o] for at, o in zip(sizes, heard[-1], strict=True))
                )
                wrong.extend([] if is_right else [who])
            if answers["act"][row] == COUNTER:
                said.setdefault(who, []).append([int(answers[f"issue_{i + 1}"][row]) for i in range(4)])
        return answers

    play(watch, watch, seeds=1, steps=1, **{"table.weight_spread": 0.5})
    assert said and not wrong


def test_three_tiers_bargain_in_pairs_up_and_down_the_chain():
    firms = [
        {"name": "mill", "role": "supplier", "sells": "parts", "count": 2},
        {"name": "maker", "role": "manufacturer", "sells": "parts", "count": 3},
        {"name": "shop", "role": "distributor", "sells": "parts", "count": 2},
    ]
    facts = simulate.load_scenario(NAME).with_changes(seeds=1, steps=1, firms=firms)
    ended = ecosim.run(facts).events("bargains")
    assert sorted(zip(ended["buyer"], ended["seller"], strict=True)) == [(2, 0), (3, 1), (5, 2), (6, 3)]


def test_the_table_fits_into_a_whole_week():
    facts = simulate.load_scenario(NAME)
    changes = {"table": facts.model_dump(exclude_unset=True)["table"]}
    market = simulate.load_scenario("smart_manufacturing").with_changes(seeds=2, steps=3, **changes)
    assert "bargain" in market.phases
    run = ecosim.run(market)
    assert len(run.events("bargains")) == 2 * 3 * 12  # six distributors, six of eight suppliers
    assert (run.world(0).tables["replicas"]["fault"] == "").all()


def test_a_domain_too_large_is_told_by_its_size():
    assert frontier.POINTS[0] == "nash" and domain.Domain(("a",), (("x", "y"),)).num_outcomes == 2
    options = [str(k) for k in range(100)]
    with pytest.raises(ScenarioError, match=r"issues: 10,000 combinations of options, at most 4,096"):
        simulate.load_scenario(NAME).with_changes(
            table={
                "issues": {"a": options, "b": options},
                "buyer": {"weights": {"a": 1.0, "b": 1.0}, "values": {"a": [0.0] * 100, "b": [0.0] * 100}},
                "seller": {"weights": {"a": 1.0, "b": 1.0}, "values": {"a": [0.0] * 100, "b": [0.0] * 100}},
            }
        )


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("table.min_rounds", 200, "min_rounds (200) must not be above max_rounds (100)"),
        ("table.max_rounds", 5000, "max_rounds"),
        ("table.buyer.discount", 0.0, "discount"),
        ("table.seller.reservation", 1.5, "reservation"),
        ("table.weight_spread", -0.1, "weight_spread"),
        ("table.buyer.weights", {"price": 1.0}, "buyer.weights.delivery: missing; every issue needs a weight"),
        ("table.buyer.values.colour", [1.0], "buyer.values.colour: unknown issue 'colour'; known: price, delivery"),
        ("table.seller.values.price", [1.0, 0.0], "seller.values.price: 2 values, but the issue has 5 options"),
        ("table.seller.weights.price", -1.0, "price"),
        ("table.issues.price", ["$4", "$4", "$3", "$2", "$1"], "issues.price: option '$4' is given twice"),
        ("table.issues.price", [], "price"),
        (
            "table.buyer.weights",
            {"price": 0.0, "delivery": 0.0, "payment": 0.0, "returns": 0.0},
            "buyer.weights: all are 0; at least one issue must matter",
        ),
        ("phases", ["bargain", "demand"], "demand: missing; this key is required"),
        ("firms.1.role", "supplier", "'bargain' needs a buyer opposite each seller, but all firms are suppliers"),
    ],
)
def test_each_fault_has_a_line_of_its_own(key, value, fault):
    with pytest.raises(ScenarioError, match=re.escape(fault)):
        simulate.load_scenario(NAME, {key: value})


def test_the_phase_does_nothing_without_its_key():
    with pytest.raises(ScenarioError, match=r"phases: 'bargain' does nothing without the key 'table'; add it"):
        simulate.load_scenario("smart_manufacturing", {"phases": ["bargain"]})


def test_answers_of_other_acts_are_not_asked():
    question = []
    play(lambda q: question.append(BARGAIN["linear"](q)) or question[-1], "linear", seeds=1, steps=1)
    for answers in question:
        other = answers["act"] != COUNTER
        assert (answers["issue_1"][other] == NOT_ASKED).all()
        assert set(answers["act"].tolist()) <= {ACCEPT, COUNTER, INSIST, REJECT}
