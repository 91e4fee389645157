"""Readers: what they learn from says what is planted in it, and is apart from all that they are tested on."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from ecosim import catalog, simulate
from ecosim.catalog import FieldCard
from ecosim.exact import MILLION
from ecosim.manufacturing import headlines, notices
from ecosim.manufacturing.intricate import INTRICATE
from ecosim.manufacturing.news import KINDS, OUTAGE
from ecosim.manufacturing.readers import keywords
from ecosim.manufacturing.wordings import TRAITS, write
from ecosim.minds.language import LanguageMind
from ecosim.minds.prompts import Prompts
from ecosim.training import intervals
from ecosim.training.reading import worth as reader_value
from ecosim.training.reading.baselines import Learner, masked, right
from ecosim.training.reading.stock import TRAINING
from ecosim.training.reading.texts import SLICES, TEST_NAMES, TRAIN_NAMES, readings
from ecosim.words import Table

NAMES = np.array(["silo", "barn", "silo_2"], dtype=object)
ITEMS = np.array(["grain"], dtype=object)
SOURCES = ("gazette", "blog")


@pytest.fixture(scope="module")
def train():
    return readings(np.random.default_rng(1), 1500, TRAINING, TRAIN_NAMES)


@pytest.fixture(scope="module")
def test():
    return readings(np.random.default_rng(2), 800, INTRICATE, TEST_NAMES)


def plain_words():
    by_kind = (headlines.CLAIMS, headlines.DENIALS, notices.LETTERS, notices.CALM, notices.SHOCKS, notices.NO_SHOCKS)
    found = {text for pools in by_kind for pool in pools.values() for text in pool}
    return found | set(headlines.IDLE) | set(headlines.OPENINGS) | set(notices.CLAUSES)


def test_the_wordings_of_training_and_of_worlds_are_apart():
    stocks = (TRAINING.templates(), INTRICATE.templates(), plain_words() - {""})
    assert [len(stock) > 90 for stock in stocks] == [True] * 3
    assert not stocks[0] & stocks[1] and not stocks[0] & stocks[2] and not stocks[1] & stocks[2]


def test_the_names_of_training_are_those_of_no_test_and_of_no_market_for_readers():
    facts = simulate.load_scenario("rumour_mill")
    stems = {stem for name in (*TEST_NAMES.firms, *(firm.name for firm in facts.firms)) for stem in (name, f"{name}_1")}
    assert not stems & set(TRAIN_NAMES.firms)
    assert not (set(TEST_NAMES.goods) | set(facts.items)) & set(TRAIN_NAMES.goods)
    assert not (set(TEST_NAMES.sources) | {s.name for s in facts.bulletins.sources}) & set(TRAIN_NAMES.sources)


def row(**changes):
    said = {"kind": OUTAGE, "about": 0, "beside": -1, "item": 0, "week": 9, "is_denied": 0, "source": 0, "words": 0}
    return Table({name: np.array([value]) for name, value in {**said, "rival": -1, "is_refuted": 0, **changes}.items()})


def said(table, now=6):
    texts, traits = write(table, NAMES, ITEMS, SOURCES, now, 4, INTRICATE)
    return texts[0], {trait for trait, has in zip(TRAITS, traits[0], strict=True) if has}


def test_texts_by_hand():
    """Lots in the order of the code: form of the week (4), twist (3), which wording, hedge (8), lead or aside (4)."""
    assert said(row(words=4)) == (
        "gazette: silo halts its presses in week 9 and keeps them still for four weeks.",
        set(),
    )
    text, traits = said(row(words=2 + 4))
    assert text == "gazette: silo halts its presses three weeks from now and keeps them still for four weeks."
    assert traits == {"relative"}
    text, traits = said(row(words=0, is_denied=1))
    assert (text, traits) == ("gazette: silo will not close in week 9, contrary to rumours.", {"negation"})
    text, traits = said(row(words=0, beside=1))
    assert traits == {"negation", "decoy"} and text.startswith("gazette: business as ever at barn; no appeal")
    text, traits = said(row(words=0, rival=1))
    assert (text.endswith("; the blog swears that this is wrong."), traits) == (True, {"conflict"})
    text, _ = said(row(words=0, rival=1, is_refuted=1))
    assert text.startswith("gazette: the blog would have you know that silo halts")


def test_a_text_has_the_firm_and_the_week_that_are_planted_in_it(train, test):
    for rows in (train, test):
        question, answers = rows.question, rows.answers
        claims = np.flatnonzero(answers["news"])
        assert 0.5 < len(claims) / question.num_rows < 0.8
        names = question["firm_name"][claims, answers["who"][claims]]
        assert all(name in text for name, text in zip(names, question["text"][claims], strict=True))
        dated = claims[~rows.rows_of("relative")[claims]]
        assert len(dated) > 100
        weeks = [f"week {week}" for week in answers["week"][dated]]
        assert all(week in text for week, text in zip(weeks, question["text"][dated], strict=True))
        for spec in question.fields:
            assert not spec.illegal(answers[spec.name], None if spec.only_if is None else answers["news"] == 1).any()


def test_the_chance_of_a_claim_follows_from_the_records(test):
    """Two that disagree, right with p and q: p(1 − q) ÷ (p(1 − q) + q(1 − p)); alone the record itself."""
    question, conflict = test.question, test.rows_of("conflict")
    p, q = question["source_record"][conflict], question["rival_record"][conflict]
    bringer = p * (1 - q) / (p * (1 - q) + q * (1 - p))
    chance = test.chance[conflict]
    assert (np.isclose(chance, bringer) | np.isclose(chance, 1 - bringer)).all() and conflict.sum() > 50
    alone = ~conflict & (test.answers["news"] == 1)
    assert (test.chance[alone] == question["source_record"][alone]).all()
    assert np.isnan(test.chance[test.answers["news"] == 0]).all()


def test_the_same_draws_give_the_same_rows(train):
    again = readings(np.random.default_rng(1), 1500, TRAINING, TRAIN_NAMES)
    assert (again.question["text"] == train.question["text"]).all()
    assert {name: again.rows_of(name).sum() > 100 for name in SLICES} == dict.fromkeys(SLICES, True)


def test_a_text_is_masked_by_slot_rival_and_how_far_weeks_are():
    rows = readings(np.random.default_rng(3), 400, TRAINING, TRAIN_NAMES)
    for text, names in zip(masked(rows.question), rows.question["firm_name"], strict=True):
        assert not any(f" {name} " in f" {text} " for name in names if name)
        assert not re.search(r"week \d", text)


def test_single_words_carry_far_on_known_wordings_and_not_on_others(train, test):
    known = readings(np.random.default_rng(4), 400, TRAINING, TRAIN_NAMES)
    learner = Learner("tfidf").learn(train)
    by_words = [right(rows, learner.answers(rows.question))["belief"].mean() for rows in (known, test)]
    by_rule = right(test, keywords(test.question))["belief"].mean()
    assert by_words[0] > 0.75 > by_words[1] > by_rule


# ---- what worlds make of it ------------------------------------------------------------------------------------------


def test_of_two_sources_that_disagree_one_is_right_and_both_records_say_so():
    from ecosim.opening import Arm

    changes = {"bulletins.conflict_chance": 1.0, "bulletins.idle_chance": 0.0, "bulletins.rumour_chance": 0.2}
    facts = simulate.load_scenario("rumour_mill", changes).with_changes(seeds=8, steps=40)
    world = simulate.prepare(facts, [Arm(name="all")])[0]
    news = next(phase for phase in world.phases if phase.name == "read").news
    rows = []
    for _ in range(40):
        world.step()
        rows.append(news.bulletins(world, world.steps))
    told = {name: np.concatenate([table[name] for table in rows]) for name in rows[0]}
    assert (told["rival"] >= 0).all() and (told["rival"] != told["source"]).all() and len(told["rival"]) > 200
    sources = world.tables["sources"]
    assert sources["told"].sum() == 2 * sources["proved"].sum() > 100
    record = sources["proved"].reshape(8, 3).sum(axis=0) / sources["told"].reshape(8, 3).sum(axis=0)
    assert record[0] > record[1] > 0.5 > record[2]


def test_who_has_one_partner_fears_only_for_that_one():
    from ecosim.opening import Arm

    facts = simulate.load_scenario("rumour_mill", {"bulletins.outage_chance": 0.3}).with_changes(seeds=2, steps=12)
    world = simulate.prepare(facts, [Arm(name="all", minds={"distributor.read": "credulous"})])[0]
    lost = []
    for _ in range(12):
        world.step()
        beliefs = world.tables["beliefs"]
        net = world.phases[0].net
        mine = net.partner_of(beliefs["member"], beliefs["item"]) == beliefs["about"]
        assert (beliefs["lost"] == np.where(mine, MILLION, 0)).all()
        lost += beliefs["lost"].tolist()
    assert {0, MILLION} == set(lost)


# ---- what it is worth ------------------------------------------------------------------------------------------------


def test_the_interval_of_a_share_by_hand():
    """Gains that are half of the truth's in every seed are half of it for sure; where truth is worth nothing: nan."""
    truth = np.array([3.0, 5.0, 4.0, 6.0])
    assert intervals.ratio(truth / 2, truth) == pytest.approx((0.5, 0.5))
    assert np.isnan(intervals.ratio(truth, np.array([-3.0, 3.0, -1.0, 1.0]))).all()


def test_truth_is_worth_more_than_what_is_said_and_rules_that_misread():
    found = reader_value.compare("rumour_mill", {"keywords": "keywords"}, seeds=4).set_index("arm")
    assert list(found.index) == ["truth", "said", "keywords"]
    assert found.loc["truth", ["share", "accuracy"]].tolist() == [1.0, 1.0]
    assert found.loc["said", "accuracy"] == 1.0 > 0.6 > found.loc["keywords", "accuracy"]
    assert found.loc["truth", "value"] > found.loc["keywords", "value"]


def test_kinds_have_wordings_in_both_stocks():
    for kind in KINDS[1:]:
        assert TRAINING.claims[kind] and INTRICATE.claims[kind]
        assert kind == "clause" or (TRAINING.denials[kind] and INTRICATE.denials[kind])


def test_all_roles_that_read_are_asked_alike():
    cards = [catalog.card(role) for role in ("supplier", "manufacturer", "distributor")]
    asks = [card.weights["reader"].asks["read"].model_dump() for card in cards]
    texts = [card.asking("reader").template("read") for card in cards]
    assert asks[0] == asks[1] == asks[2] and texts[0] == texts[1] == texts[2]


def test_firms_are_shown_with_their_letters_records_compared_and_weeks_counted():
    rows = readings(np.random.default_rng(5), 200, INTRICATE, TEST_NAMES)
    shown = [text for _, text in Prompts(catalog.card("distributor").asking("reader"), "read").render(rows.question)]
    dispute = np.flatnonzero(rows.rows_of("conflict") & ~rows.rows_of("relative"))[0]
    question = rows.question
    record, text = shown[dispute].splitlines()
    named = [name for name in question["firm_name"][dispute] if name and name in question["text"][dispute]]
    for name in named:
        letter = "ABCD"[question["firm_name"][dispute].tolist().index(name)]
        assert f"{name} ({letter})" in text
    assert named and question["firm_name"][dispute][rows.answers["who"][dispute]] in named
    ahead = rows.answers["week"][dispute] - question["this_week"][dispute]
    assert f"week {rows.answers['week'][dispute]} ({ahead:+d})" in text
    ours, theirs = question["source_record"][dispute], question["rival_record"][dispute]
    assert record == (
        f"{question['source'][dispute]} {ours:.0%}, {'more' if ours > theirs else 'less'} than "
        f"{question['rival'][dispute]} {theirs:.0%}"
    )


def test_letters_that_are_not_listed_belong_to_the_option_and_not_to_its_place_among_the_allowed():
    engine = SimpleNamespace(labels=(" A", " B", " C", " D"))
    mind = LanguageMind({}, engine, name="reader", grade="reader")
    heard, listed = (FieldCard(ask="Who:", answer="label", listed=how) for how in (False, True))
    assert mind._labels(heard, (" first", " third"), [0, 2]) == (" A", " C")
    assert mind._labels(listed, (" first", " third"), [0, 2]) == (" A", " B")
