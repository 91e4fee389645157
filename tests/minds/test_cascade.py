"""Cascades: the dearer mind where the cheaper one is in doubt; rows alone decide, wherever they are answered."""

import numpy as np
import pytest

import ecosim
from ecosim import catalog, simulate, testing
from ecosim.cluster.crew import crew
from ecosim.cluster.layout import Layout
from ecosim.errors import CatalogError, ScenarioError
from ecosim.minds.cascade import Cascade
from ecosim.minds.language import LanguageMind
from ecosim.minds.nano import NanoMind
from ecosim.minds.recipe import Recipe, cascade
from ecosim.minds.router import Router
from ecosim.minds.seats import models_of
from ecosim.models.nano.net import Net
from ecosim.models.nano.spec import NanoSpec
from ecosim.pool.engine import Engine
from ecosim.words import Decision

ROLE, PHASE = "distributor", "negotiate"
PRICE = {"scale": "limits", "bins": 9}


@pytest.fixture(scope="module")
def talks():
    return testing.questions("smart_manufacturing", seeds=1, steps=1, phase=PHASE)


@pytest.fixture(scope="module")
def question(talks):
    """Distributors in a negotiation, the round with most of them in it."""
    return max((q for q in talks if q.role == ROLE), key=lambda q: q.num_rows)


@pytest.fixture(scope="module")
def nano():
    """A network that nobody has trained: its margins are small, and differ."""
    spec = NanoSpec.model_validate(
        {
            "role": ROLE,
            "hidden": 16,
            "heads": 2,
            "questions": {
                PHASE: {
                    "tokens": {"time": {"round": 10, "rounds_left": 10}, "price": {"offer_price": "reservation"}},
                    "fields": {
                        "act": {"options": ["accept", "counter", "reject"]},
                        **{name: PRICE for name in ("price", "quantity", "week", "penalty", "claim")},
                        "speech": {"options": ["propose"]},
                    },
                }
            },
        }
    )
    return NanoMind.of({ROLE: Net(spec, seed=1)})


@pytest.fixture(scope="module")
def threshold(nano, question):
    """Half of the rows that leave a choice are in doubt."""
    margin = nano.decide(question).margin
    return float(np.median(margin[np.isfinite(margin)]))


class Sure:
    """A mind whose margin is its row's subject, and whose every answer is the lowest legal one."""

    name, grade, fingerprint = "sure", "nano", "sure"

    def decide(self, question):
        n = question.num_rows
        answers = {"quantity": question.field("quantity").low}
        margin = question.key["subject"].astype(float)
        return Decision(answers=answers, logp=np.zeros(n), margin=margin, flops=np.full(n, 10))


class Dear:
    name, grade, fingerprint = "dear", "nano", "dear"

    def decide(self, question):
        n = question.num_rows
        answers = {"quantity": question.field("quantity").high}
        return Decision(answers=answers, logp=np.full(n, -1.0), margin=np.full(n, 9.0), flops=np.full(n, 1000))


def test_rows_in_doubt_are_answered_by_the_second_at_the_price_of_both():
    asked = testing.questions("smart_manufacturing", seeds=2, steps=1, phase="replenish")[0]
    found = Cascade("careful", Sure(), Dear(), threshold=3.0).decide(asked)
    in_doubt = asked.key["subject"] < 3
    spec = asked.field("quantity")
    assert 0 < in_doubt.sum() < asked.num_rows
    assert np.array_equal(found.answers["quantity"], np.where(in_doubt, spec.high, spec.low))
    assert np.array_equal(found.flops, np.where(in_doubt, 1010, 10))
    assert np.array_equal(found.margin, np.where(in_doubt, 9.0, asked.key["subject"]))


@pytest.mark.parametrize(("threshold", "asked"), [(0.0, 0), (np.inf, 1)])
def test_at_the_ends_of_the_dial_stands_one_of_the_two(threshold, asked):
    question = testing.questions("smart_manufacturing", seeds=1, steps=1, phase="replenish")[0]
    mind = Cascade("careful", Sure(), Dear(), threshold)
    alone = (Sure(), Dear())[asked].decide(question)
    assert np.array_equal(mind.decide(question).answers["quantity"], alone.answers["quantity"])


def test_a_cascade_to_a_language_model_depends_on_the_row_alone(tiny, nano, question, threshold):
    language = LanguageMind({ROLE: catalog.card(ROLE)}, Engine(tiny), name="tiny", grade="untrained")
    margin = nano.decide(question).margin
    mind = Cascade("careful", nano, language, threshold)
    found = testing.check_mind(mind, question, splits=(1, 3))
    rows = sorted(set(found.trace["row"].tolist()))
    assert rows == np.flatnonzero(margin < mind.threshold).tolist() and 0 < len(rows) < question.num_rows
    assert mind.stats()["decisions"] > 0 and mind.engine is language.engine


def test_who_is_who_and_how_much_doubt_is_part_of_the_fingerprint():
    one = Cascade("careful", Sure(), Dear(), 1.0)
    assert one.fingerprint == Cascade("other name", Sure(), Dear(), 1.0).fingerprint
    assert one.fingerprint != Cascade("careful", Sure(), Dear(), 1.1).fingerprint
    assert one.fingerprint != Cascade("careful", Dear(), Sure(), 1.0).fingerprint
    assert [part["name"] for part in one.describe()["cascade"]["parts"]] == ["sure", "dear"]
    with pytest.raises(ValueError, match="threshold must be >= 0, got nan"):
        Cascade("careful", Sure(), Dear(), float("nan"))


def answers(minds, layout, question):
    with crew(minds, layout) as people:
        found = Router(people.minds, people.dispatcher.answer).decide([question])[0]
        return found, people.minds[0].grade


def test_a_cascade_is_made_where_its_language_model_lives(tiny_folder, nano, question, threshold):
    recipe = Recipe(roles=(ROLE,), base=f"path:{tiny_folder}")
    made = cascade("careful", nano, recipe, threshold)
    found, grade = answers([made], Layout(), question)
    assert grade == "cascade" and 0 < len(set(found.trace["row"].tolist())) < question.num_rows


@pytest.mark.slow
@pytest.mark.alone
def test_ray_gives_the_same_answers_as_one_process(tiny_folder, nano, question, threshold):
    made = cascade("careful", nano, Recipe(roles=(ROLE,), base=f"path:{tiny_folder}"), threshold)
    here, _ = answers([made], Layout(), question)
    there, grade = answers([made], Layout(workers=1), question)
    assert grade == "cascade"
    for name, column in here.answers.items():
        assert np.array_equal(column, there.answers[name])
    for name in ("logp", "margin", "flops"):
        assert np.array_equal(getattr(here, name), getattr(there, name))


FAULTS = [
    ({"cascade": ["untrained", "tiny"], "threshold": 1.0}, "'untrained' comes first, which must be a nano mind"),
    (
        {"cascade": ["nothing", "untrained"], "threshold": 1.0},
        "models.careful.cascade: unknown model 'nothing'",
    ),
    ({"cascade": ["tiny", "tiny"], "threshold": 1.0}, "models.careful: cascade: two different minds"),
    ({"cascade": ["tiny", "untrained"]}, "models.careful: a cascade needs a threshold"),
    ({"threshold": 1.0}, "models.careful: a cascade needs a threshold"),
    ({"cascade": ["tiny", "untrained"], "threshold": 1.0, "base": "path:/x"}, "is a cascade of minds that have names"),
    ({"cascade": ["tiny", "far"], "threshold": 1.0}, "'far' is behind a URL"),
]


@pytest.mark.parametrize(("model", "message"), FAULTS)
def test_a_cascade_that_can_not_be_is_one_clear_line(model, message, tiny_folder):
    models = {
        "tiny": {"base": f"path:{tiny_folder}"},
        "far": {"url": "http://127.0.0.1:1/v1", "model": "x"},
        "careful": model,
    }
    with pytest.raises(ScenarioError) as told:
        facts = simulate.load_scenario("smart_manufacturing", {"models": models})
        simulate.check(facts, [simulate.Arm(name="all")])
    assert message in str(told.value)


def test_a_language_model_may_not_come_first():
    recipe = Recipe(roles=(ROLE,), base="smollm2-135m-instruct")
    with pytest.raises(CatalogError, match="the first mind must be a nano mind, not a language model"):
        cascade("careful", recipe, recipe, 1.0)


@pytest.mark.skipif(f"{ROLE}.{PHASE}" not in models_of().get("nano", ()), reason="no nano mind is shipped for the seat")
def test_a_scenario_names_a_cascade_of_the_catalogues_nano_mind(tiny_folder):
    """One week; where the nano mind doubts, a tiny language model answers, and both are billed."""
    models = {"tiny": {"base": f"path:{tiny_folder}"}, "careful": {"cascade": ["nano", "tiny"], "threshold": 1.5}}
    changes = {"models": models, "negotiation.max_rounds": 4}
    run = ecosim.run("smart_manufacturing", seeds=1, steps=1, minds={f"{ROLE}.{PHASE}": "careful"}, changes=changes)
    work = run.manifest["work_by_grade"]
    assert work["cascade"]["decisions"] > 0 and work["cascade"]["nominal_flops"] > 0
    facts = next(mind for mind in run.manifest["minds"] if mind["name"] == "careful")
    assert [part["grade"] for part in facts["cascade"]["parts"]] == ["nano", "untrained"]
