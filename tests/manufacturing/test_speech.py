"""Speech acts: what they bind to, what the other side sees of them, and how they read."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ecosim
from ecosim import testing
from ecosim.errors import DecisionError, ScenarioError
from ecosim.exact import MILLION
from ecosim.fields import NOT_ASKED
from ecosim.manufacturing import speech
from ecosim.manufacturing.rivals import rivals
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.speech import ACTS, CITE, Said, heard, sentence
from ecosim.manufacturing.talks import ACCEPT, COUNTER, OUTCOMES
from ecosim.scenario import build
from ecosim.words import Table

AMOUNT = st.integers(0, 10**12)


@given(act=st.sampled_from(range(len(ACTS))), price=AMOUNT, quantity=AMOUNT, week=st.integers(0, 520),
       penalty=st.integers(-1, MILLION), cited=AMOUNT)  # fmt: skip
def test_every_sentence_is_heard_as_it_was_said(act, price, quantity, week, penalty, cited):
    said = Said(act, price, quantity, week, penalty, cited if act == CITE else -1)
    assert heard(sentence(said)) == said


def test_acts_read_differently_and_nonsense_is_refused():
    texts = {sentence(Said(act, 5 * MILLION, MILLION, 1)) for act in range(len(ACTS))}
    assert len(texts) == len(ACTS) == 8
    assert sentence(Said(speech.AGREE, 5 * MILLION, MILLION, 1)) == (
        "I accept 1 unit at 5.00 EUR a unit, delivered in week 1."
    )
    with pytest.raises(ValueError, match="no sentence of a negotiation: 'Hello'"):
        heard("Hello")


def test_a_firm_sees_the_best_of_its_other_talks():
    """Position 0 has three talks, position 1 one: who has the best offer sees the second best."""
    talks = Table({"buyer_position": np.array([0, 1, 0, 0]), "seller_price": np.array([50, 40, 30, 70])})
    price, count = rivals(talks, "buyer", "seller")
    assert price.tolist() == [30, -1, 50, 30] and count.tolist() == [2, 0, 2, 2]
    talks = Table({"seller_position": np.array([0, 0, 0]), "buyer_price": np.array([50, -1, 30])})
    assert rivals(talks, "seller", "buyer")[0].tolist() == [30, 50, 50]


def one_talk(buyer, seller, sellers=1, **negotiation):
    """One buyer, so many sellers of a good that is worth 10 EUR and costs 4; one week; minds are functions."""
    data = {
        "world": "manufacturing", "title": "one talk", "steps": 1, "seeds": 1,
        "items": {"good": {"value_eur": 10.0, "make_cost_eur": 4.0}},
        "firms": [
            {"name": "buyer", "role": "distributor", "sells": "good", "demand": "consumers"},
            {"name": "seller", "role": "supplier", "sells": "good", "capacity_units": 10, "count": sellers,
             "stock_units": {"good": 10}},
        ],
        "demand": {"kind": "step", "mean_units": 1},
        "negotiation": {"requests": sellers, "min_rounds": 5, "max_rounds": 5, "private_spread": 0, "late_weeks": 0,
                        "speech": True, **negotiation},
        "phases": ["replenish", "quote", "negotiate"],
    }  # fmt: skip
    minds = {
        "distributor.replenish": lambda q: {"quantity": np.full(q.num_rows, 4 * MILLION)},
        "supplier.replenish": lambda q: {"quantity": np.zeros(q.num_rows, np.int64)},
        "distributor.negotiate": buyer, "supplier.negotiate": seller,
    }  # fmt: skip
    return ecosim.run(build(ManufacturingScenario, data, place="test"), minds=minds)


def saying(*moves):
    """A mind that says so in each round: (price EUR, units, speech); a word alone is an act; the last for ever."""

    def decide(question):
        rows = question.num_rows
        what = moves[min(int(question["round"][0]), len(moves)) - 1]
        answers = {spec.name: np.full(rows, NOT_ASKED) for spec in question.fields}
        if isinstance(what, str):
            answers["act"][:] = ("accept", "counter", "reject").index(what)
            return answers
        price, units, act = what
        answers["act"][:] = COUNTER
        answers["price"][:], answers["quantity"][:] = round(price * 100) * 10_000, units * MILLION
        answers["week"][:], answers["speech"][:] = question.field("week").low, ACTS.index(act)
        return answers

    return decide


def outcome(run):
    return [OUTCOMES[code] for code in run.events("talks")["outcome"]]


STUBBORN = ((8, 4, "propose"), (8, 4, "propose"), "reject")


def test_a_binding_threat_that_is_not_heeded_ends_the_talk():
    buyer = saying((5, 4, "propose"), (5.5, 4, "threaten"), "accept")
    run = one_talk(buyer, saying(*STUBBORN))
    assert outcome(run) == ["left"] and "events/contracts" not in run.tables
    assert run.events("speeches")["speech"].map(ACTS.__getitem__).tolist() == [
        "propose", "propose", "threaten", "propose",
    ]  # fmt: skip


def test_a_binding_threat_that_is_heeded_is_over():
    buyer = saying((5, 4, "propose"), (5.5, 4, "threaten"), (5.5, 4, "propose"), "accept")
    run = one_talk(buyer, saying((8, 4, "propose"), (7.99, 4, "propose"), (7.99, 4, "propose")))
    assert outcome(run) == ["agreed"]


def test_a_cheap_threat_ends_nothing_and_is_taken_back_by_an_apology():
    seen = []

    def seller(question):
        seen.append((int(question["said_threat"][0]), str(question["said_word"][0])))
        return saying(*STUBBORN[:2], (8, 4, "propose"), "accept")(question)

    buyer = saying((5, 4, "propose"), (5.5, 4, "threaten"), (5.5, 4, "propose"), (5.6, 4, "apologise"))
    run = one_talk(buyer, seller, threats="cheap")
    assert outcome(run) == ["agreed"]
    assert seen == [(0, "propose"), (1, "threaten"), (1, "propose"), (0, "apologise")]


def test_who_promises_a_volume_can_neither_offer_nor_accept_less():
    seen = []

    def buyer(question):
        seen.append((int(question.field("quantity").low[0]) // MILLION, bool(question.field("act").allowed[0, ACCEPT])))
        return saying((5, 3, "promise"), (5.1, 3, "propose"), "reject")(question)

    one_talk(buyer, saying((8, 2, "propose"), (7, 3, "propose")))
    assert seen == [(1, False), (3, False), (3, True)]  # two units are below the promise, three are not


def test_who_asks_is_told_what_the_other_can_promise():
    seen = []

    def buyer(question):
        seen.append(int(question["told_need"][0]))
        return saying((5, 4, "ask"), "reject")(question)

    one_talk(buyer, saying((8, 4, "propose")))
    assert seen == [-1, 20 * MILLION]  # a stock of ten, and a week's capacity of ten


def test_a_rival_is_cited_only_where_there_is_one_and_as_it_is():
    seen = []

    def seller(question):
        seen.append(sorted(question["said_cited"].tolist()))
        answers = saying((8, 4, "propose"))(question)
        first = question.key["subject"] == 1
        return answers | {"price": np.where(first, 7 * MILLION, answers["price"])}

    allowed = []

    def buyer(question):
        allowed.append(question.field("speech").allowed[:, CITE].tolist())
        return saying((5, 4, "propose"), (5, 4, "cite"), "reject")(question)

    run = one_talk(buyer, seller, sellers=2)
    assert allowed[:2] == [[False, False], [True, True]]
    assert seen == [[-1, -1], [7 * MILLION, 8 * MILLION]]
    cited = run.events("speeches").query("speech == 4").set_index("seller")["cited"].to_dict()
    assert cited == {1: 8.0, 2: 7.0}  # each is told the other's price
    one_talk(lambda q: allowed.append(q.field("speech").allowed[:, CITE].tolist()) or saying("reject")(q), seller)
    assert allowed[-1] == [False]


def test_a_bluffer_names_any_price():
    def buyer(question):
        answers = saying((5, 4, "propose"), (5, 4, "cite"), "reject")(question)
        said = answers["speech"] == CITE
        return answers | {"claim": np.where(said, question.field("claim").low, NOT_ASKED)}

    run = one_talk(buyer, lambda q: saying((8, 4, "propose"))(q) | {"claim": np.full(q.num_rows, -1)}, may_bluff=True)
    assert run.events("speeches")["cited"].max() == 2.0  # half the unit cost: the lower end of the grid


def test_words_that_are_not_allowed_are_refused():
    with pytest.raises(DecisionError, match="speech = 4 is not allowed here; allowed: propose, promise, ask"):
        one_talk(saying((5, 4, "cite")), saying("reject"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_penalty_share": 0.5, "expected_late_weeks": 1.0}, "comes to the whole price; give less of one of them"),
        ({"max_penalty_share": 0.000001}, "the grid of penalties has 10 steps of at least a millionth"),
        ({"may_bluff": True, "speech": False}, "may_bluff: true does nothing without 'speech: true'; add it"),
        ({"threats": "cheap", "speech": False}, "threats: cheap does nothing without 'speech: true'; add it"),
        ({"discount": 0.0}, "negotiation.discount: .*greater than 0"),
        ({"discount": 1.5}, "negotiation.discount: .*less than or equal to 1"),
        ({"threats": "loud"}, "negotiation.threats: .*'binding' or 'cheap'"),
        ({"max_penalty_share": -0.1}, "negotiation.max_penalty_share"),
        ({"expected_late_weeks": "soon"}, "negotiation.expected_late_weeks"),
    ],
)
def test_bad_terms_of_negotiation_are_told(change, message):
    with pytest.raises(ScenarioError, match=message):
        one_talk(saying("reject"), saying("reject"), **change)


def test_all_faults_of_a_negotiation_are_told_at_once():
    with pytest.raises(ScenarioError, match=r"(?s)min_rounds .9. must not.*may_bluff.*threats: cheap"):
        one_talk(None, None, min_rounds=9, max_rounds=3, speech=False, may_bluff=True, threats="cheap")


def test_the_whole_market_may_speak():
    """Every act is said, and a run is the same run twice, alone and among others."""
    run = ecosim.run("talking_market", seeds=2, steps=8)
    assert set(run.events("speeches")["speech"]) == set(range(len(ACTS)))
    digests = testing.check_alone("talking_market", seeds=2, steps=3)
    assert digests == testing.run_digests("talking_market", seeds=2, steps=3).manifest["digests"]
