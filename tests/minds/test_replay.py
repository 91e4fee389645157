"""Recorded decisions in a seat: the same answers row for row, without whoever gave them."""

from dataclasses import replace

import numpy as np
import pytest

from ecosim import simulate, testing
from ecosim.errors import DecisionError
from ecosim.fields import Choice, Text
from ecosim.minds.replay import Replay
from ecosim.record.decisions import recorded
from ecosim.record.recorder import Recorder
from ecosim.record.store import Folder, Memory
from ecosim.simulate import Arm
from ecosim.words import Decision, Question, Table
from ecosim.world import World

SUBJECTS = [0, 1, 2**62, -1]


def question(step, subjects, replica=0):
    rows = len(subjects)
    nobody = np.full(rows, -1)
    key = {"replica": np.full(rows, replica), "subject": np.array(subjects), "counterpart": nobody, "item": nobody}
    return Question(
        role="firm",
        phase="order",
        step=step,
        key=Table(key | {"round": np.zeros(rows, int)}),
        seed=np.zeros(rows, np.uint64),
        mind=np.full(rows, 3),
        columns={},
        fields=(
            Choice(name="act", options=("wait", "order"), allowed=np.ones((rows, 2), bool)),
            Text(name="letter", max_tokens=5, only_if=("act", 1)),
        ),
    )


def oracle(asked):
    """Odd steps and odd subjects order; a coin was tossed, and work was done."""
    act = (asked.step + asked.key["subject"] + asked.key["replica"]) % 2
    return Decision(
        answers={"act": act, "letter": np.array(["please" if a else "" for a in act], object)},
        logp=-np.abs(asked.key["subject"]) / 3,
        margin=1 / (2.0 + asked.step + np.abs(asked.key["subject"])),
        flops=np.full(asked.num_rows, asked.step),
        memory={"mood": asked.key["subject"] // 2},
    )


@pytest.fixture
def replay(tmp_path):
    store = Folder(tmp_path)
    recorder = Recorder({}, 2, store, kept_minds=[3])
    for step in (1, 2, 3):
        for replica in (1, 0):
            asked = question(step, SUBJECTS[::-1], replica)
            recorder.take_answers([asked], [oracle(asked)])
        recorder.close_step(step)
    store.flush()
    return Replay(lambda name: recorded(store, name), name="oracle", fingerprint="f")


@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.parametrize("replica", [0, 1])
def test_every_row_is_answered_as_it_was(replay, step, replica):
    asked = question(step, SUBJECTS, replica)
    given, before = testing.check_mind(replay, asked, splits=(1, 3)), oracle(asked)
    assert given.answers["act"].tolist() == before.answers["act"].tolist()
    assert given.answers["letter"].tolist() == before.answers["letter"].tolist()
    assert given.answers["letter"].dtype == object
    for name in ("logp", "margin", "flops"):
        assert getattr(given, name).tobytes() == getattr(before, name).tobytes()
    assert given.memory["mood"].tolist() == before.memory["mood"].tolist()


def test_a_row_that_was_not_recorded_is_named(replay):
    asked = question(2, [0, 7], replica=1)
    with pytest.raises(DecisionError) as error:
        replay.decide(asked)
    assert str(error.value) == (
        "replay of 'oracle', firm.order, step 2, replica 1, subject 7, counterpart -1, item -1, round 0: no decision "
        "was recorded (1 of 2 rows); replay the run's own scenario, seeds and minds"
    )


@pytest.mark.parametrize("asked", [question(4, [0]), question(0, [0]), replace(question(1, [0]), phase="quote")])
def test_a_step_or_a_question_that_was_not_recorded_is_named(replay, asked):
    with pytest.raises(DecisionError, match=rf"firm\.{asked.phase}, step {asked.step}, replica 0, .* no decision"):
        replay.decide(asked)


def test_a_field_that_was_not_recorded_is_named(replay):
    asked = question(1, [0])
    other = Choice(name="colour", options=("red",), allowed=np.ones((1, 1), bool))
    with pytest.raises(DecisionError, match=r"no answers to 'colour' were recorded, but to \['act', 'letter'\]"):
        replay.decide(replace(asked, fields=(*asked.fields, other)))


def test_a_row_that_was_recorded_twice_is_refused():
    asked = question(1, [0, 0])
    recorder = Recorder({}, 1, store := Memory(), kept_minds=[3])
    recorder.take_answers([asked], [oracle(asked)])
    recorder.close_step(1)
    with pytest.raises(DecisionError, match=r"firm\.order, step 1: the record has a row twice"):
        Replay(lambda name: recorded(store, name), name="oracle", fingerprint="f").decide(question(1, [0]))


def test_a_record_is_read_when_its_question_is_asked_and_once():
    reads = []

    def read(name):
        reads.append(name)
        return Table({})

    replay = Replay(read, name="oracle", fingerprint="f")
    assert reads == []
    for _ in range(2):
        with pytest.raises(DecisionError):
            replay.decide(question(1, [0]))
    assert reads == ["firm.order"]


@pytest.mark.parametrize("name", ["smart_manufacturing", "creator_community"])
def test_a_run_has_its_digests_again_from_its_recorded_decisions_alone(name, tmp_path):
    facts = simulate.load_scenario(name).with_changes(seeds=2, steps=3)
    store = Folder(tmp_path)

    def digests(decide, kept, store):
        fresh, _, _ = simulate.prepare(facts, [Arm(name="all")])
        recorder = Recorder(fresh.side.schemas, 2, store, kept_minds=kept)

        def heard(questions):
            decisions = decide(questions)
            recorder.take_answers(questions, decisions)
            return decisions

        world = World(fresh.side, facts, fresh.tables, heard, recorder.take)
        for step in range(1, facts.steps + 1):
            world.step()
            recorder.close_step(step)
        return recorder.chains()

    _, router, _ = simulate.prepare(facts, [Arm(name="all")])
    first = digests(router.decide, range(len(router.minds)), store)
    store.flush()
    replay = Replay(lambda question: recorded(store, question), name="scripted", fingerprint="f")
    assert digests(lambda questions: [replay.decide(q) for q in questions], (), None) == first
