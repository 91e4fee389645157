"""What language minds saw and scored, shown word for word; the mind here is made by hand."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import ecosim
from ecosim import simulate
from ecosim.explore import Run
from ecosim.record.recorder import Recorder
from ecosim.record.store import Memory
from ecosim.report import page
from ecosim.report.answers import asked
from ecosim.report.source import Source
from ecosim.report.talk import parts
from ecosim.words import Decision, Question, Table

PROMPT = "<|im_start|>You sell & <b>bargain</b>.\nAnswer:"
NEXT = PROMPT + " counter\nPrice:"


def decision(question: Question, trace: list[tuple[int, str, str, str, str, str]]) -> Decision:
    names = ("field", "prompt", "answer", "options", "scores")
    columns: dict[str, Any] = {"row": np.array([line[0] for line in trace])}
    columns |= {name: np.array([line[k] for line in trace], object) for k, name in enumerate(names, start=1)}
    num = question.num_rows
    return Decision(
        answers={},
        logp=np.full(num, -1.0),
        margin=np.full(num, 0.5),
        flops=np.full(num, 10**9),
        trace=Table(columns),
    )


def countered(row: int) -> list[tuple[int, str, str, str, str, str]]:
    acts, prices = json.dumps(["counter", "reject"]), json.dumps(["11.00", "12.00"])
    return [
        (row, "act", PROMPT, "counter", acts, json.dumps([-0.25, -1.75])),
        (row, "price", NEXT, "12.00", prices, json.dumps([-3.0, -3.0])),
    ]


@pytest.fixture(scope="module")
def run() -> Run:
    """A scripted run, with the record of a language mind for every first move of distributors."""
    seen: list[Question] = []

    def watches(question: Question):
        seen.append(question)
        return simulate.side("manufacturing").experts[question.name]["linear"](question)

    store = Memory()
    facts = simulate.load_scenario("smart_manufacturing").with_changes(seeds=1, steps=2)
    done = simulate.simulate(facts, [simulate.Arm(name="all", minds={"distributor.negotiate": watches})], store)
    first = next(question for question in seen if int(question.key["round"][0]) == 0)
    recorder = Recorder(done.side.schemas, 1, store)
    recorder.take_answers(
        [first], [decision(first, [line for row in range(first.num_rows) for line in countered(row)])]
    )
    recorder.close_step(first.step)
    return Run(store, None, done.world)


@pytest.fixture(scope="module")
def html(run: Run) -> str:
    return page.html(run)


def test_a_talk_in_which_a_language_mind_moved_comes_first(run: Run):
    _, talks = parts(Source(run))
    transcript = talks.talks[0]
    assert "a language model moves in it" in transcript.reasons
    assert [field.name for field in transcript.moves[0].asked] == ["act", "price"]
    assert all(move.asked == () for move in transcript.moves[1:])


def test_prompts_and_scores_stand_word_for_word_and_the_choice_is_marked(html: str):
    assert "&lt;|im_start|&gt;You sell &amp; &lt;b&gt;bargain&lt;/b&gt;." in html
    assert 'title="-0.25">−0.250<' in html
    chosen, with_language = '<tr class="chosen"><td>▸</td><td>counter</td>', "a language model moves"
    assert html.count(chosen) == html.count(f"&#34;minds&#34;: &#34;{with_language}&#34;") == 8


def test_a_later_prompt_shows_only_what_it_adds(run: Run):
    answers = run.events("answers").head(2)
    act, price = asked(answers)
    assert (act.prompt, act.continues) == (PROMPT, False)
    assert (price.prompt, price.continues) == (" counter\nPrice:", True)


def test_shares_are_the_softmax_of_the_scores(run: Run):
    act, price = asked(run.events("answers").head(2))
    assert [option.percent for option in price.options] == pytest.approx([50, 50])
    assert act.options[0].percent / act.options[1].percent == pytest.approx(np.exp(1.5))


def test_sureness_is_told_by_question_and_field(html: str):
    assert "<h2>Language minds</h2>" in html
    assert "<td>distributor.negotiate</td><td>price</td>" in html.replace("\n", "")


def test_titles_that_a_model_wrote_are_shown_with_what_it_had_read():
    store = Memory()
    facts = simulate.load_scenario("creator_community", {"viewers.count": 200, "viewers.at_start": 150}).with_changes(
        seeds=1, steps=2
    )
    seen: list[Question] = []

    def watches(question: Question):
        seen.append(question)
        answers = dict(simulate.side("community").experts[question.name]["scripted"](question))
        return answers | {"title": np.array(["<i>Drums</i> & more"] * question.num_rows, object)}

    done = simulate.simulate(facts, [simulate.Arm(name="all", minds={"ai_creator.publish": watches})], store)
    recorder = Recorder(done.side.schemas, 1, store)
    trace = [(row, "title", PROMPT, "<i>Drums</i> & more", "[]", "[]") for row in range(seen[0].num_rows)]
    recorder.take_answers([seen[0]], [decision(seen[0], trace)])
    recorder.close_step(seen[0].step)
    html = page.html(Run(store, None, done.world))
    assert "<h3>&lt;i&gt;Drums&lt;/i&gt; &amp; more</h3>" in html
    assert "title by a language model" in html
    assert "the first in which a language model wrote titles" in html


def test_the_untrained_are_called_what_they_are():
    run = ecosim.run("polya_feed", seeds=1, steps=2)
    run.manifest["minds"].append({"name": "untrained-135M", "grade": "untrained", "fingerprint": "0" * 64})
    assert "never shown this task" in page.html(run)


def test_tokens_and_operations_of_a_pool_are_listed():
    run = ecosim.run("polya_feed", seeds=1, steps=2)
    run.manifest["pools"] = {"untrained-135M": {"useful_tokens": 1234, "flops": 5 * 10**12, "occupancy": 0.875}}
    html = page.html(run)
    assert "1,234" in html
    assert ">5T<" in html
    assert ">88 %<" in html
