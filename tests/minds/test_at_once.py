"""Roles that are asked alike are answered in one call, and nothing but the clock can tell."""

import pickle

import numpy as np
import pytest

from ecosim.arms import Arm
from ecosim.minds.host import Failure, Host, Job
from ecosim.minds.scripted import Experts
from ecosim.simulate import load_scenario, prepare
from ecosim.words import for_any_role


@pytest.fixture(scope="module")
def questions():
    """The sellers' turn of a market in which two roles sell."""
    world, _, _ = prepare(load_scenario("smart_manufacturing").with_changes(seeds=2), [Arm(name="plain")])
    found = []

    def listening(phase, ask):
        def heard(world):
            asked = ask(world)
            if len(asked) > 1 and all(question.whole is not None for question in asked):
                found.append(asked)
            return asked

        return heard

    for phase in world.phases:
        if phase.name == "negotiate":
            phase.ask = listening(phase, phase.ask)
    world.step()
    return found[0]


def experts(function, questions):
    return Experts("mine", {question.name: function for question in questions})


def counters(question):
    """Counters at the mover's best price that is legal, and accepts nothing."""
    price, quantity, week = (question.field(name) for name in ("price", "quantity", "week"))
    allowed = question.field("act").allowed
    counter = allowed[:, 1]
    offers = {
        name: np.where(counter, spec.low, -1)
        for name, spec in zip(("price", "quantity", "week"), (price, quantity, week), strict=True)
    }
    return {"act": np.where(counter, 1, 2), **offers}


def test_an_expert_for_any_role_is_asked_once_and_every_role_gets_its_own_answers(questions):
    calls = []

    @for_any_role
    def counted(question):
        calls.append(question.num_rows)
        return counters(question)

    jobs = [Job(0, question) for question in questions]
    together = [answered.outcome for answered in Host({0: experts(counted, questions)}).answer(jobs)]
    alone = [answered.outcome for answered in Host({0: experts(counters, questions)}).answer(jobs)]
    assert calls == [sum(question.num_rows for question in questions)]
    for one, other in zip(together, alone, strict=True):
        assert {name: column.tolist() for name, column in one.answers.items()} == {
            name: column.tolist() for name, column in other.answers.items()
        }


def test_an_illegal_answer_is_told_with_the_role_that_it_was_given_to(questions):
    @for_any_role
    def greedy(question):
        answers = counters(question)
        return {**answers, "price": answers["price"] - 10**15}

    outcomes = [a.outcome for a in Host({0: experts(greedy, questions)}).answer([Job(0, q) for q in questions])]
    assert all(isinstance(outcome, Failure) for outcome in outcomes)
    assert [question.name in outcome.reason for question, outcome in zip(questions, outcomes, strict=True)] == [
        True,
        True,
    ]


def test_a_part_has_the_rows_of_its_role_and_travels_without_the_others(questions):
    part = questions[1]
    whole = part.whole
    assert sum(question.num_rows for question in questions) == whole.num_rows
    copy = pickle.loads(pickle.dumps(part))
    assert copy.whole is None and copy.num_rows == part.num_rows < whole.num_rows
    assert all((copy[name] == whole[name][part.rows]).all() for name in whole.columns)
    assert (copy.key["subject"] == whole.key["subject"][part.rows]).all()
    assert (copy.field("price").low == whole.field("price").low[part.rows]).all()
    assert not hasattr(part, "nothing_of_the_kind")
