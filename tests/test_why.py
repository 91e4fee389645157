"""Why a member answered so: worth and flips of minds whose rule is known, and a run that nobody touched."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

import ecosim
from ecosim import rerun
from ecosim.errors import RunError
from ecosim.exact import MILLION
from ecosim.minds.language import LanguageMind
from ecosim.pool.engine import Engine

MARKET, COMMUNITY = "smart_manufacturing", "creator_community"
SMALL = {"viewers.count": 60, "viewers.at_start": 50, "viewers.arrivals_per_day": 1}


def sparing(question):
    """Order 50 where less than ten are there, else nothing."""
    wish = np.where(question["on_hand"] < 10 * MILLION, 50 * MILLION, 0)
    return {"quantity": question.field("quantity").snap(wish)}


def thrifty(question):
    """Post on the first topic; make an effort with 15 EUR or more."""
    topic = np.zeros(question.num_rows, np.int64)
    return {"topic": topic, "effort": np.where(question["cash"] >= 15 * MILLION, 1, 0)}


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    """Distributors whose rule is `sparing`, and its folder."""
    folder = tmp_path_factory.mktemp("runs") / "market"
    return ecosim.run(MARKET, seeds=2, steps=3, minds={"distributor.replenish": sparing}, out=folder, snapshot_every=1)


@pytest.fixture(scope="module")
def sparing_answers(market):
    """All rows of the replenish question of step 2."""
    moment = rerun.until(market._store, 2)
    (question,) = [q for q in moment.questions if q.name == "distributor.replenish"]
    return question


def sums(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


# ---- a moment -------------------------------------------------------------------------------------------------------


def test_a_moment_is_the_run_up_to_a_step_from_any_start(market):
    """Step 3 from the snapshot of step 2, and step 1 from the first day, have the recorded digests and rows."""
    for step in (1, 3):
        moment = rerun.until(market._store, step, own={"sparing": sparing})
        asked = [q for q in moment.questions if q.name == "distributor.replenish"]
        assert [(q.step, q.num_rows) for q in asked] == [(step, 12)]
        assert moment.world.steps == step
    stock = [world.tables["accounts"]["balance"].tolist() for world in (moment.world, market._world)]
    assert stock[0] == stock[1], "after the last step it stands where the run ended"


def test_a_run_that_was_changed_is_no_moment(tmp_path):
    run = ecosim.run(MARKET, seeds=1, steps=1, minds={"distributor.replenish": sparing}, out=tmp_path / "run")
    file = tmp_path / "run" / "decisions" / "distributor.replenish-00000.parquet"
    import pandas as pd

    kept = pd.read_parquet(file)
    kept.loc[3, "answer.quantity"] += MILLION
    kept.to_parquet(file)
    with pytest.raises(RunError, match="had again from its record, step 1 has another digest"):
        ecosim.load(run.path).why(1, 15)


# ---- worth and flips ------------------------------------------------------------------------------------------------


def test_only_the_column_that_a_mind_reads_is_worth_anything(market, sparing_answers):
    found = market.why(2, 15, phase="replenish")
    assert set(found.worth["column"]) == set(sparing_answers.columns)
    worth = found.worth.set_index("column")["changed"].fillna(0)
    assert (worth.drop("on_hand") == 0).all()
    assert set(found.flips["column"]) == {"on_hand"}


def test_the_worth_of_a_column_is_what_the_others_would_have_got(market, sparing_answers):
    """Every other distributor of both replicas saw a stock; the rule says by hand what it would have answered."""
    stock = dict(zip(zip(*(sparing_answers.key[n].tolist() for n in ("replica", "subject")), strict=True),
                     sparing_answers["on_hand"].tolist(), strict=True))  # fmt: skip
    mine = stock.pop((0, 15))
    others = [value for value in stock.values() if value != mine]
    changed = [(value < 10 * MILLION) != (mine < 10 * MILLION) for value in others]
    row = market.why(2, 15, phase="replenish").worth.set_index("column").loc["on_hand"]
    assert (row["source"], row["tried"]) == ("peers", len(others))
    assert row["changed"] == pytest.approx(np.mean(changed))
    assert row["quantity_change"] == pytest.approx(50 * np.mean(changed))


@pytest.mark.parametrize("limit", [10, 37])
def test_an_answer_flips_exactly_at_the_threshold_in_the_code(limit):
    def below(question):
        wish = np.where(question["on_hand"] < limit * MILLION, 50 * MILLION, 0)
        return {"quantity": question.field("quantity").snap(wish)}

    run = ecosim.run(MARKET, seeds=1, steps=2, minds={"distributor.replenish": below})
    found = run.why(2, 15, phase="replenish")
    (flip,) = found.flips.to_dict("records")
    has_less = flip["seen"] < limit
    assert (flip["column"], flip["unit"]) == ("on_hand", "units")
    assert flip["needed"] == (limit if has_less else limit - 1), "stocks are whole units here"
    assert flip["new_answer"] == f"quantity {0 if has_less else 50} units"


def test_a_creator_flips_a_cent_below_its_limit_and_a_viewer_is_explained_too():
    """Nobody has so little: the limit lies between the 20 EUR that creators start with and half of it."""
    run = ecosim.run(COMMUNITY, seeds=1, steps=2, minds={"human_creator.publish": thrifty}, changes=SMALL)
    found = run.why(2, 15, phase="publish")
    (flip,) = found.flips.to_dict("records")
    assert (flip["column"], flip["needed"], flip["unit"]) == ("cash", 14.99, "EUR")
    assert not flip["among_peers"]
    assert flip["new_answer"] == "effort low"
    visitor = int(next(q for q in rerun.until(run._store, 2).questions if q.role == "viewer").key["subject"][0])
    viewer = run.why(2, visitor, phase="viewer.react")
    assert viewer.about["mind"] == "scripted"
    assert {"appeal", "taste", "skip"} <= set(viewer.worth["column"][:5]), "the worths of a logit choice"
    assert viewer.worth.set_index("column")["changed"]["title"] == 0, "a logit viewer reads no titles"


def test_the_same_question_gives_the_same_tables_and_leaves_the_run_alone(market):
    before = sums(market.path)
    once, twice = (ecosim.load(market.path).why(2, 3, phase="replenish") for _ in range(2))
    assert json.dumps(once.as_dict()) == json.dumps(twice.as_dict())
    assert sums(market.path) == before


def test_slots_that_hold_nothing_are_told_and_nothing_is_no_number(market):
    found = market.why(1, 3, phase="negotiate", round=1, counterpart=market_buyer(market))
    saw = found.saw.set_index("column")["value"]
    assert saw["own_price"] is None, "no offer of its own yet"
    assert [price is not None for price in saw["offers_price"]] == [True, False, False, False, False, False]
    assert found.flips["column"].tolist() and "own_price" not in set(found.flips["column"])


def market_buyer(market) -> int:
    moment = rerun.until(market._store, 1)
    return int(next(a.key["counterpart"] for a in moment.find(3, phase="negotiate") if a.key["round"] == 1))


def test_a_mind_that_fails_on_a_variant_is_counted_and_the_rest_is_told():
    def brittle(question):
        if (question["on_hand"] < 10 * MILLION).any():
            raise ValueError("too little to think")
        return {"quantity": question.field("quantity").snap(question["on_hand"])}

    run = ecosim.run(MARKET, seeds=1, steps=1, minds={"distributor.replenish": brittle})
    found = run.why(1, 15, phase="replenish")
    assert found.worth["column"][0] == "on_hand"
    assert any("too little to think" in note for note in found.notes)


# ---- who can be asked -----------------------------------------------------------------------------------------------


def test_without_an_own_function_the_record_is_shown_and_said_so(market):
    found = ecosim.load(market.path).why(2, 15, phase="replenish")
    assert len(found.worth) == len(found.flips) == 0
    assert found.answer.startswith("quantity ")
    assert found.notes == ["'sparing' was not asked again; from Python, pass own={'sparing': …}: what is above is the record."]  # fmt: skip # noqa: E501
    given = ecosim.load(market.path).why(2, 15, phase="replenish", own={"sparing": sparing})
    assert given.flips["column"].tolist() == ["on_hand"]
    with pytest.raises(RunError, match="mind 'sparing' is not what it was in this run"):
        ecosim.load(market.path).why(2, 15, phase="replenish", own={"sparing": thrifty})


def test_an_interrupted_run_is_explained_up_to_its_last_step(tmp_path):
    def stop(step, router):
        if step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ecosim.run(MARKET, seeds=1, steps=4, out=tmp_path / "run", progress=stop)
    run = ecosim.load(tmp_path / "run")
    assert run.why(2, 3, phase="replenish").answer.startswith("quantity ")
    with pytest.raises(RunError, match=r"no step 3 in this run; it has 1 … 2"):
        run.why(3, 3)


def test_a_language_mind_has_its_prompt_scores_and_chances(tiny):
    """A tiny model with random weights: the record and asking again are word for word the same."""
    mind = LanguageMind(
        {"distributor": ecosim.catalog.card("distributor")}, Engine(tiny), name="tiny", grade="untrained"
    )
    run = ecosim.run(MARKET, seeds=1, steps=1, minds={"distributor.replenish": mind})
    found = run.why(1, 15, phase="replenish", tries=2)
    recorded = run.events("answers").set_index("subject").loc[15]
    assert found.prompt == f"{recorded['prompt']} {recorded['answer']}"
    assert found.scores["score"].tolist() == json.loads(recorded["scores"])
    weights = np.exp(found.scores["score"])
    assert found.scores["chance"].tolist() == pytest.approx((weights / weights.sum()).tolist())
    assert np.log(found.scores["chance"][found.scores["taken"]].item()) == pytest.approx(found.about["logp"])
    assert any("the recorded answer, prompt and scores, word for word" in note for note in found.notes)
    unread = set(found.saw["column"][~found.saw["in_prompt"]])
    assert {"capacity", "makes"} <= unread
    worth = found.worth.set_index("column")
    assert (worth.loc[list(unread), "logp_change"].fillna(0) == 0).all(), "what is not in the prompt moves no chance"
    assert worth.loc["price", "logp_change"] != 0


@pytest.mark.model
def test_the_base_model_is_explained_word_for_word(tmp_path):
    minds = {"distributor.replenish": "untrained"}
    changes = {"phases": ["replenish"]}
    run = ecosim.run(MARKET, seeds=1, steps=1, minds=minds, out=tmp_path / "run", changes=changes)
    before = sums(run.path)
    found = ecosim.load(run.path).why(1, 15, tries=1)
    recorded = run.events("answers").set_index("subject").loc[15]
    assert found.prompt == f"{recorded['prompt']} {recorded['answer']}"
    assert found.scores["score"].tolist() == json.loads(recorded["scores"])
    assert any("the recorded answer, prompt and scores, word for word" in note for note in found.notes)
    first, second = (ecosim.load(run.path).ask(1, 15, "What do you think of your stock?", max_tokens=8) for _ in "12")
    assert first == second and first.statements[0].words
    assert first.statements[0].prompt == f"{found.prompt}\n\nWhat do you think of your stock?\n"
    assert sums(run.path) == before


# ---- what it looks like ---------------------------------------------------------------------------------------------


def test_it_is_drawn_and_shown_in_a_notebook(market):
    found = market.why(2, 3, phase="replenish")
    assert len(found.plot().patches) == (found.worth["tried"] > 0).sum()
    page = found._repr_html_()
    assert "What each column was worth" in page and "demand_history" in page
    with pytest.raises(RunError, match="nobody was asked again"):
        market.why(2, 3, phase="replenish", ask=False).plot()


def test_the_command_prints_all_of_it_or_one_object(shell, market):
    which = ("why", market.path, "--step", 2, "--member", 3, "--phase", "replenish")
    code, out, err = shell(*which)
    assert (code, err) == (0, "")
    for heading in ("What it saw", "What it might answer", "What each column was worth", "Nearest values"):
        assert heading in out
    code, out, err = shell(*which, "--json")
    found = json.loads(out)
    assert (code, err, out.count("\n")) == (0, "", 1)
    assert (found["member"], found["phase"], found["mind"]) == (3, "replenish", "scripted")
    assert {row["column"] for row in found["worth"]} == {row["column"] for row in found["saw"]}


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--step", 9, "--member", 3], "no step 9 in this run; it has 1 … 3"),
        (["--step", 2, "--member", 99], "member 99 was asked nothing; asked were: supplier.replenish (0 … 7)"),
        (["--step", 2, "--member", 3, "--phase", "quote"], "nothing with phase quote; it was asked replenish (item 0)"),
        (["--step", 2, "--member", 3, "--phase", "negotiate"], "such questions in step 2, replica 0: negotiate ("),
        (["--step", 2, "--member", 3, "--replica", 5], "no replica 5; the run has 0 … 1"),
    ],
)  # fmt: skip
def test_a_question_that_is_not_there_is_one_line_with_what_is(shell, market, words, line):
    code, out, err = shell("why", market.path, *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert line in err


def test_a_run_without_a_record_cannot_be_had_again():
    run = ecosim.run(MARKET, seeds=1, steps=1, minds={"distributor.replenish": sparing})
    run._store._tables.pop("decisions/distributor.replenish")
    with pytest.raises(RunError, match=r"can't be had again: .* no decision was recorded"):
        run.why(1, 15)
