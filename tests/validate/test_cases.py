"""The cases at their smallest honest size; the long ones are in the tests of what they are about, marked slow."""

import math
from statistics import NormalDist

import numpy as np
import pytest

from ecosim.exact import MILLION
from ecosim.manufacturing.delivery import Arrive
from ecosim.manufacturing.side import ALL
from ecosim.manufacturing.tactics import NEGOTIATE, linear
from ecosim.validate import bargaining, community, inventory, language, laws, minds, moderation
from ecosim.validate.cases import above, between, estimated, exactly, jackknife_error, within


def met(figures):
    return {figure.name: figure.is_met for figure in figures} == {figure.name: True for figure in figures}


# ---- what counts as met ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("figure", "is_met"),
    [
        (exactly("x", 3, 3), True),
        (exactly("x", 3.0000001, 3), False),
        (within("x", 1.05, 1, 0.05, "why"), True),
        (within("x", 1.06, 1, 0.05, "why"), False),
        (between("x", 0.3, 0.3, 0.38, 0.34, "why"), True),
        (above("x", 1, 1, "why"), False),
        (above("x", 1.001, 1, "why"), True),
        (exactly("x", math.nan, 3), False),
        (within("x", math.nan, 3, 100, "why"), False),
    ],
)
def test_a_figure_is_met_within_its_tolerance_and_nan_never_is(figure, is_met):
    assert figure.is_met is is_met


def test_an_estimate_may_lie_four_standard_errors_off():
    """Mean 2, deviation 1, four values: standard error ½."""
    figure = estimated("x", np.array([1, 1, 3, 3]) * np.sqrt(3) / 2 + 2 - np.sqrt(3), 2)
    assert (figure.found, figure.low, figure.high) == pytest.approx((2, 0, 4))


def test_the_jackknife_of_a_mean_is_its_standard_error():
    sample = np.array([1.0, 4.0, 4.0, 7.0])
    assert jackknife_error(sample, np.mean) == pytest.approx(sample.std(ddof=1) / 2)


# ---- the cases ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("buyer", "seller", "price", "round_"),
    [
        ("boulware", "boulware", 50, 85),
        ("linear", "linear", 50, 51),
        ("conceder", "conceder", 51, 7),
        ("boulware", "conceder", 13, 61),
    ],
)
def test_two_tactics_over_a_pie_of_100_meet_where_they_should(buyer, seller, price, round_):
    """Through the market's phases; both move each round, buyer first, t = round / (100 + 1)."""
    assert [figure.found for figure in bargaining.tactics(buyer, seller)] == [price, round_]


def test_equal_patience_gives_the_first_mover_a_little_more_than_half():
    """Rubinstein (1982): (1 − δ) / (1 − δ²) = 1 / 1.9; agreed at once."""
    share, round_ = bargaining.patience()
    assert (share.found, round_.found) == (pytest.approx(1 / 1.9, abs=1e-4), 1)


@pytest.mark.parametrize(("lead_weeks", "ratio"), [(1, 1.48), (2, 2.12), (4, 3.88)])
def test_a_moving_average_amplifies_orders_as_theory_says(lead_weeks, ratio):
    (figure,) = inventory.bullwhip(lead_weeks, seeds=200, weeks=25)
    assert figure.target == ratio
    assert figure.is_met and figure.high - ratio < 0.1 * ratio


@pytest.mark.parametrize(("lead_weeks", "cost_eur"), [(0, 1.9976), (4, 3.9952)])
def test_the_best_stock_costs_what_the_newsvendor_pays(lead_weeks, cost_eur):
    figures = inventory.newsvendor(lead_weeks, seeds=300, weeks=12)
    assert figures[0].target == cost_eur
    assert met(figures)


def test_the_newsvendors_target_is_what_the_formula_gives():
    """(h + b)·σ·φ(z) at the critical ratio b / (b + h)."""
    facts, normal = inventory.NEWSVENDOR, NormalDist()
    h, b, sd = facts["holding"], facts["backlog"], facts["sd"]
    z = normal.inv_cdf(b / (b + h))
    assert facts["stock"] == pytest.approx(facts["mean"] + z * sd, abs=5e-4)
    assert facts["cost"] == pytest.approx((h + b) * sd * normal.pdf(z), abs=5e-5)


def test_more_or_less_stock_than_the_best_costs_more():
    best, less, more = (
        inventory.newsvendor(0, seeds=100, weeks=10, rule=inventory.base_stock(level))[0].found
        for level in (5660, 5300, 6000)
    )
    assert best < min(less, more)


def test_viewers_choose_as_the_multinomial_logit_says():
    assert met(community.logit())


@pytest.mark.parametrize("scenario", ["smart_manufacturing", "creator_community"])
def test_cash_and_goods_come_from_nowhere(scenario):
    figures = laws.conservation(scenario, seeds=2, steps=4)
    assert len(figures) == {"smart_manufacturing": 4, "creator_community": 2}[scenario]
    assert met(figures)


def test_a_unit_that_vanishes_in_a_phase_is_noticed(monkeypatch):
    """The ledger balances, because nature took it; no event says so."""

    class Leaky(Arrive):
        def apply(self, world, questions, decisions):
            steelworks = world.ledger.rows(np.array([0]), np.array([0]))
            world.ledger.move(1, np.array([MILLION]), steelworks, world.ledger.outside("nature", np.array([0])))
            return super().apply(world, questions, decisions)

    monkeypatch.setitem(ALL.phases, "arrive", Leaky)
    balance, frozen, debt, untold = laws.conservation("smart_manufacturing", seeds=1, steps=1)
    assert (balance.found, frozen.found, debt.found, untold.found) == (0, 0, 0, 1)
    assert not untold.is_met


def test_arms_meet_the_same_worlds_and_replicas_are_alone():
    assert met(laws.common_worlds("smart_manufacturing", {"distributor.negotiate": "conceder"}, seeds=2, steps=3))
    assert met(laws.alone("creator_community", seeds=2, steps=2))


def test_answers_by_lot_among_the_legal_ones_break_nothing():
    assert met(minds.random_minds(seeds_=1, steps=3))


def test_a_model_answers_with_the_same_bits_at_any_batch(tiny):
    assert met(language.same_bits(lambda: tiny, rows=4))


def test_the_tree_scores_as_plain_teacher_forcing_does(tiny):
    figures = language.tree_scores(lambda: tiny, rows=2)
    assert met(figures)
    assert figures[0].found > 0  # sums in another order, not the same sums


@pytest.mark.model
def test_letters_of_the_base_model_score_as_plain_teacher_forcing_does():
    assert met(language.label_scores(rows=2))


# ---- broken minds are found -----------------------------------------------------------------------------------------


def test_a_rule_that_orders_less_misses_the_benchmark():
    from ecosim.validate import beer_game

    def timid(fixed_weeks):
        rule = beer_game.benchmark_rule(fixed_weeks)
        return lambda question: {"quantity": rule(question)["quantity"] // 2_000_000 * 1_000_000}

    assert not any(figure.is_met for figure in beer_game.benchmark(4, timid)[:1])


def test_a_mind_that_looks_at_its_neighbours_is_found():
    from ecosim.minds.scripted import Scripted
    from ecosim.validate.company import is_alone

    def copycat(question):
        return {"quantity": np.full(question.num_rows, question["demand_history"][0, 0] // 10**6 * 10**6)}

    question = replenishing()
    assert is_alone(Scripted("honest", lambda q: {"quantity": q["demand_history"][:, 0] // 10**6 * 10**6}), question)
    assert not is_alone(Scripted("copycat", copycat), question)


def replenishing():
    from ecosim import testing

    return testing.questions("smart_manufacturing", seeds=2, steps=2, phase="replenish")[-1]


def test_the_experts_of_the_market_are_those_that_bargain(monkeypatch):
    monkeypatch.setitem(NEGOTIATE, "boulware", linear)
    assert [figure.found for figure in bargaining.tactics("boulware", "boulware")] == [50, 51]


def test_moderators_who_know_and_who_remove_all_do_as_definitions_say():
    assert met(moderation.truth(seeds=3))
    assert met(moderation.everything(seeds=3))
