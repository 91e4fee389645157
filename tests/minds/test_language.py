import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecosim import catalog, words
from ecosim.bench.pool import negotiation, rescore
from ecosim.errors import CatalogError, DecisionError
from ecosim.fields import NOT_ASKED, Choice, Text
from ecosim.minds.language import LanguageMind, untrained
from ecosim.models import adapter as adapters
from ecosim.models.load import LanguageModel, load
from ecosim.models.sources import BASE
from ecosim.pool.engine import Engine
from ecosim.words import Decision, Question, Table

DISTRIBUTOR = {"distributor": catalog.card("distributor")}


@pytest.fixture
def mind(tiny) -> LanguageMind:
    return LanguageMind(DISTRIBUTOR, Engine(tiny), name="tiny", grade="untrained")


def writer(folder: Path, language: LanguageModel, act: str = "{ask: 'Act:'}") -> LanguageMind:
    """A role whose card is made here: one choice, then a title where the choice was `write`."""
    (folder / "author").mkdir(exist_ok=True)
    (folder / "author" / "card.yaml").write_text(
        "role: author\nabout: Writes.\nlicence: Apache-2.0\nquestions:\n  publish:\n    reads: {topic: '', likes: ''}\n"
        f"    fields: {{act: {act}, title: {{ask: 'Title:', temperature: 0.9}}}}\n"
    )
    (folder / "author" / "publish.j2").write_text(
        "You write titles.\n=====\nTopic {{ topic }}.{% for n in likes %} {{ options.act[filled.likes[loop.index0]] }} "
        "{{ n }}{% endfor %}\n"
    )
    card = catalog.read_card(folder / "author" / "card.yaml")
    return LanguageMind({"author": card}, Engine(language), name="tiny", grade="untrained")


def publishing(rows: int) -> Question:
    return Question(
        role="author",
        phase="publish",
        step=2,
        key=Table(
            {name: np.arange(rows) if name == "subject" else np.zeros(rows, int) for name in ("replica", *words.KEY)}
        ),
        seed=np.full(rows, 3, np.uint64),
        mind=np.zeros(rows, int),
        columns={
            "topic": np.array([f"football {i}" for i in range(rows)], object),
            "likes": np.arange(2 * rows).reshape(rows, 2),
        },
        masks={"likes": np.tile([False, True], (rows, 1))},
        fields=(
            Choice(name="act", options=("rest", "write"), allowed=np.ones((rows, 2), bool)),
            Text(name="title", max_tokens=5, only_if=("act", 1)),
        ),
    )


def same(a: Decision, b: Decision, rows: np.ndarray | slice = slice(None)) -> bool:
    columns = [(a.logp, b.logp), (a.margin, b.margin), (a.flops, b.flops)]
    columns += [(a.answers[name], b.answers[name]) for name in a.answers]
    return all(np.array_equal(one[rows], other) for one, other in columns)


def test_every_answer_is_legal_and_later_fields_follow_the_first(mind):
    question = negotiation(24)
    decision = mind.decide(question)
    words.check(question, decision, mind.name)
    countered = decision.answers["act"] == 1
    assert 0 < countered.sum() < 24
    assert (decision.answers["price"][~countered] == NOT_ASKED).all()
    assert (decision.answers["price"][countered] <= question["reservation"][countered]).all()
    assert (decision.logp < 0).all() and (decision.margin >= 0).all() and (decision.flops > 0).all()


def test_a_decision_depends_on_its_row_alone(tiny):
    question = negotiation(24)
    whole = LanguageMind(DISTRIBUTOR, Engine(tiny), name="tiny", grade="untrained").decide(question)
    shuffled = np.array(random.Random(3).sample(range(24), 24))
    for limit, rows in ((64, shuffled), (7, shuffled[:11]), (1, np.arange(5))):
        engine = Engine(tiny, limit)
        part = LanguageMind(DISTRIBUTOR, engine, name="tiny", grade="untrained").decide(question.take(rows))
        assert same(whole, part, rows)


@pytest.mark.model
def test_a_decision_of_the_base_model_depends_on_its_row_alone():
    """On x86-64 with AVX512 (Intel), torch 2.13 CPU: about 30 answers in all."""
    language = load(BASE, device="cpu")
    question = negotiation(7)
    whole = LanguageMind(DISTRIBUTOR, Engine(language), name="m", grade="untrained").decide(question)
    words.check(question, whole, "m")
    for limit, rows in ((7, np.arange(7)[::-1]), (1, np.array([5, 2]))):
        part = LanguageMind(DISTRIBUTOR, Engine(language, limit), name="m", grade="untrained").decide(
            question.take(rows)
        )
        assert same(whole, part, rows)


def test_the_trace_holds_what_was_read_and_scored(mind):
    question = negotiation(4)
    decision = mind.decide(question)
    trace = decision.trace
    first = trace.take(trace["row"] == 2)
    assert first["field"][0] == "act"
    assert "Limit " in first["prompt"][0].split("<|im_start|>user")[1] and first["prompt"][0].endswith(
        "<|im_start|>assistant\nAnswer:"
    )
    options, scores = json.loads(first["options"][0]), json.loads(first["scores"][0])
    assert options[-2:] == ["counter", "reject"] and len(scores) == len(options)
    assert first["answer"][0] == ("accept", "counter", "reject")[decision.answers["act"][2]]
    (plain,) = rescore(mind.engine, [(first["prompt"][0], options)])
    assert scores == pytest.approx(plain.tolist(), abs=1e-4)


def test_where_one_answer_is_left_it_is_taken_without_asking(mind):
    question = negotiation(3)
    only = Choice(name="act", options=("accept", "counter", "reject"), allowed=np.tile([False, False, True], (3, 1)))
    decision = mind.decide(replace(question, fields=(only, *question.fields[1:])))
    assert decision.answers["act"].tolist() == [2, 2, 2]
    assert (mind.engine.stats.decisions, decision.flops.tolist()) == (0, [0, 0, 0])
    assert np.isinf(decision.margin).all() and (decision.logp == 0).all()


def test_a_row_that_allows_nothing_is_refused(mind):
    question = negotiation(2)
    none = Choice(name="act", options=("accept", "counter", "reject"), allowed=np.zeros((2, 3), bool))
    with pytest.raises(
        DecisionError, match=r"distributor\.negotiate, step 1, replica 0, subject 0.*act allows no answer"
    ):
        mind.decide(replace(question, fields=(none, *question.fields[1:])))


def test_a_title_is_written_only_where_the_choice_says_so(tiny, tmp_path):
    mind, question = writer(tmp_path, tiny, "{ask: 'Act:', choose: sample, temperature: 9}"), publishing(12)
    decision = mind.decide(question)
    words.check(question, decision, mind.name)
    wrote = decision.answers["act"] == 1
    assert 0 < wrote.sum() < 12
    assert all((title != "") <= bool(w) for title, w in zip(decision.answers["title"], wrote, strict=True))
    assert "Topic football 3. write 7<|im_end|>" in decision.trace["prompt"][list(decision.trace["row"]).index(3)]


def test_argmax_takes_the_best_score_and_a_sample_follows_the_seed(tiny, tmp_path):
    question = publishing(16)
    best = writer(tmp_path, tiny).decide(question)
    scores = [json.loads(s) for f, s in zip(best.trace["field"], best.trace["scores"], strict=True) if f == "act"]
    assert best.answers["act"].tolist() == [int(np.argmax(row)) for row in scores]
    assert best.margin == pytest.approx([abs(a - b) for a, b in scores])
    sampling = writer(tmp_path, tiny, "{ask: 'Act:', choose: sample, temperature: 50}")
    draws = [sampling.decide(replace(question, seed=np.full(16, seed, np.uint64))).answers["act"] for seed in (1, 1, 2)]
    assert np.array_equal(draws[0], draws[1]) and not np.array_equal(draws[0], draws[2])


def test_the_mean_divides_by_the_tokens_of_an_option(tiny, tmp_path):
    question = publishing(3)
    by_sum = writer(tmp_path, tiny).decide(question).trace
    by_mean = writer(tmp_path, tiny, "{ask: 'Act:', normalise: mean}").decide(question).trace
    lengths = [len(ids) for ids in Engine(tiny).ids([" rest", " write"])]
    assert lengths != [1, 1]
    sums, means = (json.loads(trace["scores"][0]) for trace in (by_sum, by_mean))
    assert means == pytest.approx([s / n for s, n in zip(sums, lengths, strict=True)])


def test_the_fingerprint_is_of_weights_cards_and_prompts(tiny, tmp_path):
    one = writer(tmp_path, tiny).fingerprint
    assert writer(tmp_path, tiny).fingerprint == one
    assert writer(tmp_path, tiny, "{ask: 'Act:', temperature: 2}").fingerprint != one
    (tmp_path / "author" / "publish.j2").write_text("You write good titles.\n=====\nTopic {{ topic }}.\n")
    card = catalog.read_card(tmp_path / "author" / "card.yaml")
    again = LanguageMind({"author": card}, Engine(tiny), name="tiny", grade="untrained").fingerprint
    assert again != writer(tmp_path, tiny).fingerprint


def test_options_are_listed_by_letter_where_the_card_says_so(tiny, tmp_path):
    mind, question = (
        writer(tmp_path, tiny, "{ask: 'Act:', choose: sample, temperature: 9, answer: label}"),
        publishing(9),
    )
    decision = mind.decide(question)
    words.check(question, decision, mind.name)
    assert set(decision.answers["act"]) == {0, 1}
    trace, label = decision.trace, mind.engine.labels
    acts = trace.take(trace["field"] == "act")
    assert all(prompt.endswith("assistant\nA: rest\nB: write\nAct:") for prompt in acts["prompt"])
    assert set(acts["answer"]) == {"rest", "write"} and json.loads(acts["options"][0]) == ["rest", "write"]
    assert np.exp(json.loads(acts["scores"][0])).sum() == pytest.approx(1)
    titled = trace["prompt"][trace["field"] == "title"][0]
    assert titled.endswith(f"Act:{label[1]}\nTitle:")
    assert "label" in set(mind.engine.drain_batches()["kind"])


def test_letters_answer_as_their_rows_alone(tiny, tmp_path):
    mind, question = (
        writer(tmp_path, tiny, "{ask: 'Act:', choose: sample, temperature: 9, answer: label}"),
        publishing(9),
    )
    whole = mind.decide(question)
    for rows in (np.array([4]), np.arange(9)[::-1]):
        again = writer(tmp_path, tiny, "{ask: 'Act:', choose: sample, temperature: 9, answer: label}")
        assert same(whole, again.decide(question.take(rows)), rows)


def test_more_options_than_letters_are_an_error(tiny, tmp_path):
    mind, question = writer(tmp_path, tiny, "{ask: 'Act:', answer: label}"), publishing(1)
    many = Choice(name="act", options=tuple(f"word {i}" for i in range(53)), allowed=np.ones((1, 53), bool))
    with pytest.raises(CatalogError, match="answer: label: 53 options, but this model has 52 letters of one token"):
        mind.decide(replace(question, fields=(many, question.fields[1])))


def test_an_adapter_answers_and_is_part_of_the_fingerprint(tiny, tmp_path):
    engine = Engine(tiny)
    for seed, name in enumerate(("one", "two")):
        folder = adapters.write_random(tmp_path / name, tiny.model, seed=seed, size=0.1)
        engine.add_adapter(name, adapters.read(folder))
    minds = [
        LanguageMind(DISTRIBUTOR, engine, name="m", grade="specialist", adapter=name) for name in (None, "one", "two")
    ]
    assert len({mind.fingerprint for mind in minds}) == 3
    question = negotiation(6)
    decisions = [mind.decide(question) for mind in minds]
    assert not same(decisions[0], decisions[1]) and not same(decisions[1], decisions[2])
    assert "adapter" not in minds[0].describe() and minds[1].describe()["adapter"]["rank"] == 8
    with pytest.raises(CatalogError, match="adapter 'three' was not added to this engine; known: 'one', 'two'"):
        LanguageMind(DISTRIBUTOR, engine, name="m", grade="specialist", adapter="three")


def test_what_is_remembered_changes_no_decision_and_no_bill(tiny):
    question = negotiation(12)
    twice = question.take(np.array([*range(12), *range(6)]))
    plain = LanguageMind(DISTRIBUTOR, Engine(tiny, memo=0), name="m", grade="untrained").decide(twice)
    mind = LanguageMind(DISTRIBUTOR, Engine(tiny), name="m", grade="untrained")
    assert same(plain, mind.decide(twice)) and same(plain, mind.decide(twice))
    assert mind.stats()["memo_hits"] > mind.stats()["decisions"] / 2


def test_a_card_that_does_not_fit_its_question_says_where(tiny, tmp_path):
    question = publishing(2)
    mind = writer(tmp_path, tiny)
    with pytest.raises(
        CatalogError, match=r"card\.yaml: reads\.likes: author\.publish has no such column; it has topic"
    ):
        mind.decide(replace(question, columns={"topic": question["topic"]}, masks={}))
    with pytest.raises(CatalogError, match=r"reads\.likes: the card reads it in '', the question gives 'EUR/1e6'"):
        mind.decide(replace(question, units={"likes": "EUR/1e6"}))
    with pytest.raises(CatalogError, match=r"fields: the question asks \['act'\] in this order, the card has"):
        mind.decide(replace(question, fields=question.fields[:1]))
    with pytest.raises(CatalogError, match=r"no card for the question 'baker\.publish'; it has author\.publish"):
        mind.decide(replace(question, role="baker"))


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("{{ secret }}", "'secret' is undefined; a template of this question sees: topic, likes, step"),
        ("{{ topic.__class__ }}", "access to attribute '__class__' of 'str' object is unsafe"),
    ],
)
def test_a_template_sees_only_what_its_card_reads(tiny, tmp_path, template, fault):
    writer(tmp_path, tiny)
    (tmp_path / "author" / "publish.j2").write_text(f"You write.\n=====\n{template}\n")
    card = catalog.read_card(tmp_path / "author" / "card.yaml")
    with pytest.raises(CatalogError, match=fault):
        LanguageMind({"author": card}, Engine(tiny), name="tiny", grade="untrained").decide(publishing(2))


def test_a_template_that_is_not_jinja_is_refused_at_once(tiny, tmp_path):
    writer(tmp_path, tiny)
    (tmp_path / "author" / "publish.j2").write_text("{% if %}\n=====\n")
    with pytest.raises(CatalogError, match=r"publish\.j2:1: not a Jinja template"):
        LanguageMind(
            {"author": catalog.read_card(tmp_path / "author" / "card.yaml")}, Engine(tiny), name="m", grade="x"
        )


def test_a_mind_is_named_by_the_size_of_its_model(tiny_folder):
    mind = untrained(["supplier", "distributor"], f"path:{tiny_folder}", device="cpu")
    assert (mind.name, mind.grade) == ("untrained-0M", "untrained")
    with pytest.raises(CatalogError, match="no role 'baker'"):
        untrained(["baker"], f"path:{tiny_folder}")
