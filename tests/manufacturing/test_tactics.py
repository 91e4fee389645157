"""Those who negotiate by a rule, and what their talks come to, by hand."""

import numpy as np
import pytest

import ecosim
from ecosim import simulate, testing
from ecosim.exact import MILLION
from ecosim.manufacturing import tactics
from ecosim.manufacturing.opponent import fit, worth_waiting_for
from ecosim.manufacturing.tactics import NEGOTIATE
from ecosim.manufacturing.talks import COUNTER
from ecosim.minds.scripted import Scripted
from ecosim.simulate import Arm
from ecosim.validate.bargaining import agreement, knowing_the_pie, talk
from ecosim.validate.minds import anything_legal

CENT = 10_000


@pytest.fixture(scope="module")
def asked():
    return {
        name: testing.questions(name, seeds=2, steps=2, phase="negotiate")
        for name in ("smart_manufacturing", "talking_market")
    }


@pytest.mark.parametrize("name", NEGOTIATE)
def test_every_tactic_answers_each_row_by_itself_and_legally(asked, name):
    mind = Scripted(name, NEGOTIATE[name])
    for questions in asked.values():
        for question in questions[1:9:2]:
            testing.check_mind(mind, question, splits=(1, 7))


def test_a_question_that_mixes_buyers_and_sellers_is_answered_side_by_side(asked):
    buyers, sellers = (q.take(slice(0, 5)) for q in asked["smart_manufacturing"][:3:2])
    assert buyers["is_buyer"].all() and not sellers["is_buyer"].any()
    from dataclasses import replace

    from ecosim.words import Table

    def both(a, b):
        return np.concatenate([a, b])

    fields = tuple(
        replace(f, allowed=both(f.allowed, g.allowed))
        if f.name == "act"
        else replace(f, low=both(f.low, g.low), high=both(f.high, g.high), step=both(f.step, g.step))
        for f, g in zip(buyers.fields, sellers.fields, strict=True)
    )
    mixed = replace(
        buyers,
        key=Table({name: both(buyers.key[name], sellers.key[name]) for name in buyers.key}),
        seed=both(buyers.seed, sellers.seed),
        mind=both(buyers.mind, sellers.mind),
        columns={name: both(buyers[name], sellers[name]) for name in buyers.columns},
        masks={name: both(buyers.masks[name], sellers.masks[name]) for name in buyers.masks},
        fields=fields,
    )
    answers = tactics.mixed(mixed)
    for name, column in answers.items():
        assert column.tolist() == [*tactics.mixed(buyers)[name], *tactics.mixed(sellers)[name]]


def prices_of(run, side):
    offers = run.events("offers").sort_values("move")
    mine = offers[(offers["move"] % 2 == (side == "seller")) & (offers["act"] == COUNTER)]
    return (mine["price"] * 100).round().astype(int).tolist()


def test_tit_for_tat_gives_way_in_the_proportion_of_the_other():
    """The seller comes down 100, 90, 80 …; the buyer, at 10 until it has seen two offers, goes up by 100/90, 90/80 …"""

    def buyer(question):
        answers = tactics.tit_for_tat(question)
        return answers | {"price": np.where(question["has_own"] == 1, answers["price"], 10 * CENT)}

    def seller(question):
        answers = knowing_the_pie("linear", 100 * CENT)(question)
        wish = np.maximum(110 - 10 * question["round"], 50) * CENT
        return answers | {"price": np.where(answers["act"] == COUNTER, wish, -1)}

    run = talk(1.0, buyer, seller)
    assert prices_of(run, "seller")[:5] == [100, 90, 80, 70, 60]
    # 10 · 100 ÷ 90 = 11.1, on the grid of cents 11; 11 · 90 ÷ 80 = 12.4; 12 · 80 ÷ 70 = 13.7; 13 · 70 ÷ 60 = 15.2
    assert prices_of(run, "buyer")[:6] == [10, 10, 11, 12, 13, 15]


def test_the_regression_finds_the_tactic_behind_three_offers():
    for exponent in (4.0, 2.0, 1.0, 0.5, 0.25):
        rounds = np.array([[3.0, 4.0, 5.0]])
        seen = fit(1000 - 700 * (rounds / 9) ** exponent, np.array([5]))
        assert seen.exponent[0] == exponent
        assert seen.offer(np.array([9]))[0] == pytest.approx(300)


def test_the_best_offer_is_waited_for_until_a_deadline_or_the_others_limit():
    """Offers of 90, 80, 70 in rounds 1–3 go on evenly: 60, 50 … down to the other's limit 45; the own limit is 100."""
    seen = fit(np.array([[90.0, 80.0, 70.0]]), np.array([3]))

    def waited(rounds_left, discount):
        found = worth_waiting_for(
            seen, np.array([70]), np.array([3]), np.array([rounds_left]), (np.array([100]), np.array([45])),
            np.array([discount]), True,
        )  # fmt: skip
        return int(found[0])

    assert [waited(n, 1.0) for n in (0, 1, 2, 3, 9)] == [70, 60, 50, 45, 45]
    assert waited(9, 0.7) == 70  # gains of 30 now, 28 and 24.5 later: what stands is the best


def test_who_foresees_the_other_gets_more_than_who_does_not():
    pie = 100 * CENT
    price = {
        name: agreement(talk(1.0, knowing_the_pie(name, pie), knowing_the_pie("conceder", pie)))[0]
        for name in ("linear", "best_response")
    }
    assert price["best_response"] < price["linear"]


def test_a_buyer_with_rivals_never_pays_more_than_the_best_of_them():
    run = ecosim.run(
        "talking_market", seeds=2, steps=4, minds={"distributor.negotiate": "with_rivals"},
        changes={"negotiation.speech": False, "negotiation.may_bluff": False, "negotiation.rivals": True,
                 "negotiation.max_penalty_share": 0.0},
    )  # fmt: skip
    offers = run.events("offers")
    offers = offers[offers["item"] == 2].sort_values(["replica", "step", "buyer", "move"])
    checked = 0
    for _, group in offers.groupby(["replica", "step", "buyer"]):
        for row in group[(group["act"] == 0) & (group["move"] % 2 == 0)].itertuples():
            there = group[(group["move"] == row.move - 1) & (group["act"] == COUNTER) & (group["seller"] != row.seller)]
            mine = there[there["seller"].isin(group[group["move"] == row.move]["seller"])]
            if not mine.empty:
                assert row.price <= mine["price"].min() + 1e-9
                checked += 1
    assert checked > 5


def test_impatience_makes_deals_come_sooner():
    rounds = {}
    for discount in (1.0, 0.7):
        run = ecosim.run("smart_manufacturing", seeds=2, steps=4, changes={"negotiation.discount": discount})
        talks = run.events("talks")
        rounds[discount] = talks[talks["outcome"] == 1]["moves"].mean()
    assert rounds[0.7] < rounds[1.0]


ALL_ON = {
    "negotiation.max_penalty_share": 0.2, "negotiation.analysis": True, "negotiation.rivals": True,
}  # fmt: skip


def test_the_penalty_agreed_is_the_penalty_paid():
    """What sellers pay back for a late delivery is the share that was agreed in the talk that led to it."""
    run = ecosim.run("smart_manufacturing", seeds=2, steps=10, changes=ALL_ON)
    said = run.events("speeches").query("speech == 1")  # accepts
    keys = ["replica", "step", "buyer", "seller", "item"]
    agreed = run.events("contracts").merge(said, on=keys)
    assert len(agreed) == len(run.events("contracts")) and agreed["penalty"].nunique() > 3
    agreed = agreed.rename(columns={"step": "signed_week"})[[*keys[:1], *keys[2:], "signed_week", "penalty", "price"]]
    keys[1] = "signed_week"
    came = run.events("deliveries").query("buyer != seller").merge(agreed, on=keys, suffixes=("_eur", ""))
    late = came[came["late"] > 0]
    assert len(late) > 5
    due = late["price"] * late["quantity"] * (late["penalty"] * late["late"]).clip(upper=1)
    assert late["penalty_eur"].to_numpy() == pytest.approx(due.to_numpy(), abs=1e-4)
    assert (came[came["late"] == 0]["penalty_eur"] == 0).all()


def test_arms_with_other_tactics_meet_the_same_private_values():
    arms = [Arm(name="a"), Arm(name="b", minds={"distributor.negotiate": "best_response"})]
    facts = simulate.load_scenario("talking_market").with_changes(seeds=2, steps=3)
    from ecosim.record.store import Memory

    done = simulate.simulate(facts, arms, Memory()).manifest
    assert done["exogenous_digests"][:2] == done["exogenous_digests"][2:]
    assert not set(done["digests"][:2]) & set(done["digests"][2:])


def test_under_any_legal_answers_nothing_comes_from_nothing_in_a_market_that_speaks():
    minds = dict.fromkeys(("supplier", "manufacturer", "distributor"), anything_legal)
    facts = simulate.load_scenario("talking_market").with_changes(seeds=2, steps=6)
    world, _, recorder = simulate.prepare(facts, [Arm(name="all", minds=minds)])
    for step in range(1, 7):
        world.step()
        events = recorder.close_step(step)
        assert world.is_live.all(), world.tables["replicas"]["fault"]
        assert (world.tables["positions"]["room"] >= 0).all() and world.tables["talks"].num_rows == 0
        assert events["speeches"].num_rows == events["offers"].num_rows > 0
        assert events["analyses"].num_rows == events["talks"].num_rows > 0
        for phase in world.phases:
            testing.check_phase(phase, world)


def test_a_talk_is_measured_against_what_could_have_been_agreed(monkeypatch):
    """Linear against linear over a pie of 100 cents agree on 50 in round 51: half the pie, in the middle, no loss."""
    from ecosim.manufacturing.scenario import ManufacturingScenario
    from ecosim.validate import bargaining

    def analysed(scenario, **how):
        facts = scenario.with_changes(
            negotiation={**scenario.negotiation.model_dump(), "analysis": True, "discount": 0.99}
        )
        assert isinstance(facts, ManufacturingScenario)
        return ecosim.api.run(facts, **how)

    monkeypatch.setattr(bargaining, "api", type("Api", (), {"run": staticmethod(analysed)}))
    pie = 100 * CENT
    run = talk(1.0, knowing_the_pie("linear", pie), knowing_the_pie("linear", pie))
    row = run.events("analyses").iloc[0]
    price, round_ = agreement(run)
    worth = 0.99 ** (row["rounds"] - 1)
    assert row["zone"] == 1.0 and row["best_welfare"] == 1.0 and row["is_efficient"] == 1 and row["rounds"] == round_
    assert row["nash_price"] == row["kalai_price"] == row["ks_price"] == 0.5
    assert row["buyer_gain"] == pytest.approx((1 - price) * worth, abs=1e-6)
    assert row["seller_gain"] == pytest.approx(price * worth, abs=1e-6)
    away = np.hypot(row["buyer_gain"] - 0.5, row["seller_gain"] - 0.5)
    assert row["nash_distance"] == pytest.approx(away, abs=2e-6)
    kpis = run.kpis.set_index("metric")["value"]
    assert kpis["efficiency"] == pytest.approx(worth, abs=1e-6) and kpis["pareto_share"] == 1
    assert MILLION == 10**6
