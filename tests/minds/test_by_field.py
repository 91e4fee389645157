"""Two minds share a question by its fields, and rows choose their adapter by a column."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecosim import words
from ecosim.catalog import read_card
from ecosim.errors import CatalogError, DecisionError
from ecosim.fields import NOT_ASKED, Bucket, Choice, Text
from ecosim.minds.by_field import ByField, leading, narrowed
from ecosim.minds.language import ByColumn, LanguageMind
from ecosim.minds.recipe import Pool, Recipe
from ecosim.minds.scripted import Scripted
from ecosim.models import adapter as adapters
from ecosim.pool.engine import Engine
from ecosim.training.writing.publishing import Post
from ecosim.training.writing.publishing import question as question_about
from ecosim.words import Decision, Question, Table

NICHES = ("music", "sports", "cooking")


def posting(rows: int) -> Question:
    return Question(
        role="author",
        phase="publish",
        step=2,
        key=Table(
            {name: np.arange(rows) if name == "subject" else np.zeros(rows, int) for name in ("replica", *words.KEY)}
        ),
        seed=np.full(rows, 3, np.uint64),
        mind=np.zeros(rows, int),
        columns={"niche": np.array([NICHES[i % 3] for i in range(rows)], object)},
        fields=(
            Choice(name="act", options=("rest", "write"), allowed=np.ones((rows, 2), bool)),
            Text(name="title", max_tokens=5, only_if=("act", 1)),
        ),
    )


def card(folder: Path) -> dict:
    (folder / "author").mkdir(exist_ok=True)
    (folder / "author" / "card.yaml").write_text(
        "role: author\nabout: Writes.\nlicence: Apache-2.0\nquestions:\n  publish:\n    reads: {niche: ''}\n"
        "    fields: {act: {ask: 'Act:'}, title: {ask: 'Title:', temperature: 0.9}}\n"
    )
    (folder / "author" / "publish.j2").write_text("You write titles.\n=====\nNiche {{ niche }}.\n")
    return {"author": read_card(folder / "author" / "card.yaml")}


def every_second(question: Question) -> dict:
    return {"act": (question.key["subject"] % 2).astype(np.int64)}


def what_is_allowed(question: Question) -> dict:
    return {spec.name: spec.allowed.argmax(axis=1) for spec in question.fields if isinstance(spec, Choice)}


@pytest.fixture
def engine(tiny, tmp_path) -> Engine:
    engine = Engine(tiny)
    for seed, name in enumerate(NICHES[:2], start=1):
        folder = adapters.write_random(tmp_path / name, tiny.model, seed=seed, rank=2, size=0.3)
        engine.add_adapter(name, adapters.read(folder))
    return engine


def pair(engine: Engine, folder: Path) -> ByField:
    mind = LanguageMind(
        card(folder), engine, name="x", grade="y", adapters=ByColumn("niche", {n: n for n in NICHES[:2]})
    )
    return ByField(Scripted("every-second", every_second), mind, name="writer", grade="writer")


def same(a: Decision, b: Decision, rows: np.ndarray) -> bool:
    columns = [(a.logp, b.logp), (a.margin, b.margin), (a.flops, b.flops)]
    columns += [(a.answers[name], b.answers[name]) for name in a.answers]
    return all(np.array_equal(one[rows], other) for one, other in columns)


def test_the_first_chooses_and_the_second_writes_what_goes_with_it(engine, tmp_path):
    question = posting(12)
    decision = pair(engine, tmp_path).decide(question)
    words.check(question, decision, "writer")
    assert decision.answers["act"].tolist() == [0, 1] * 6
    assert [bool(title) for title in decision.answers["title"]] == [False, True] * 6
    assert (decision.flops[::2] == 0).all() and (decision.flops[1::2] > 0).all()
    read = [p for p, f in zip(decision.trace["prompt"], decision.trace["field"], strict=True) if f == "title"]
    assert all("Act: write\nTitle:" in prompt for prompt in read) and len(read) == 6


def test_a_row_is_answered_alike_alone_and_in_any_order(engine, tmp_path):
    mind, question = pair(engine, tmp_path), posting(12)
    whole = mind.decide(question)
    order = np.random.default_rng(1).permutation(12)
    assert same(whole, mind.decide(question.take(order)), order)
    for i in range(12):
        assert same(whole, mind.decide(question.take(np.array([i]))), np.array([i]))


def test_each_row_has_the_adapter_of_its_own_column_and_others_none(engine, tmp_path):
    question = narrowed(posting(12), {"act": np.ones(12, int)})
    mixed = pair(engine, tmp_path).second.decide(question).answers["title"]
    for niche in NICHES:
        adapter = niche if niche in NICHES[:2] else None
        alone = LanguageMind(card(tmp_path), engine, name="x", grade="y", adapter=adapter)
        mine = question["niche"] == niche
        assert mixed[mine].tolist() == alone.decide(question.take(mine)).answers["title"].tolist()
    base = LanguageMind(card(tmp_path), engine, name="x", grade="y").decide(question).answers["title"]
    assert (mixed != base)[question["niche"] != "cooking"].any()


def test_fingerprint_tells_by_which_column_adapters_are_chosen(engine, tmp_path):
    def mind(names: dict) -> str:
        by = ByColumn("niche", names)
        return LanguageMind(card(tmp_path), engine, name="x", grade="y", adapters=by).fingerprint

    assert len({mind({"music": "music"}), mind({"music": "sports"}), mind({"sports": "music"})}) == 3


def test_a_pool_makes_the_pair_from_its_recipe(tiny, tmp_path):
    for name in NICHES[:2]:
        adapters.write_random(tmp_path / name, tiny.model, seed=1, rank=2)
    recipe = Recipe(
        name="writer",
        grade="writer",
        roles=("ai_creator",),
        base="tiny",
        adapters={name: str(tmp_path / name) for name in NICHES[:2]},
        by="niche_name",
        chooser=Scripted("allowed", what_is_allowed),
    )
    assert recipe.folders == sorted(str(tmp_path / name) for name in NICHES[:2])
    mind = Pool({0: recipe}, lambda *_: tiny).minds[0]
    posts = [Post("music", "opera", 1, 0), Post("sports", "judo", 1, 1)]
    asked = question_about({"music": ["opera", "choirs"], "sports": ["judo", "chess"]}, posts, seed=1)
    decision = mind.decide(asked)
    words.check(asked, decision, "writer")
    assert (mind.name, mind.grade) == ("writer", "writer") and all(decision.answers["title"])
    told = mind.describe()
    assert told["first"]["name"] == "allowed" and set(told["adapters"]["by_text"]) == set(NICHES[:2])


def test_a_settled_question_has_one_answer_left_where_it_was_asked():
    rows = 3
    fields = (
        Choice(name="act", options=("a", "b", "c"), allowed=np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1]], bool)),
        Bucket(
            name="price",
            low=np.zeros(rows, int),
            high=np.full(rows, 10),
            step=np.ones(rows, int),
            unit="",
            only_if=("act", 1),
        ),
        Text(name="title", max_tokens=3),
    )
    question = replace(posting(rows), fields=fields)
    left = narrowed(question, {"act": np.array([1, 0, 1]), "price": np.array([4, NOT_ASKED, 7])})
    assert left.fields[0].allowed.tolist() == [[False, True, False], [True, False, False], [False, True, False]]
    assert (left.fields[1].low.tolist(), left.fields[1].high.tolist()) == ([4, 0, 7], [4, 10, 7])
    assert [spec.name for spec in leading(question).fields] == ["act", "price"]


def test_what_the_first_may_not_answer_is_refused(engine, tmp_path):
    mind = pair(engine, tmp_path)
    mind.first = Scripted("wild", lambda question: {"act": np.full(question.num_rows, 7)})
    with pytest.raises(DecisionError, match=r"wild.*act = 7 is not allowed"):
        mind.decide(posting(3))
    text_first = replace(posting(3), fields=(Text(name="title", max_tokens=3),))
    with pytest.raises(CatalogError, match="begins with a text; name a language mind"):
        mind.decide(text_first)
