"""What a recorder keeps of a run beside its events: links, decisions; and how it goes on from a snapshot."""

import numpy as np
import pytest

from ecosim.fields import NOT_ASKED, Bucket, Choice, Text
from ecosim.record.decisions import recorded
from ecosim.record.recorder import Recorder
from ecosim.record.store import Folder, Memory
from ecosim.side import Column, Schema
from ecosim.words import Decision, Question, Table

SCHEMAS = {
    "sales": Schema("sales", 1, (Column("firm", "i8", "", ""), Column("sold", "i8", "", ""))),
    "rain": Schema("weather", 1, (Column("field", "i8", "", ""),), is_exogenous=True),
}


def sale(firm, sold, replica=0):
    return {"sales": Table({"replica": np.array([replica]), "firm": np.array([firm]), "sold": np.array([sold])})}


def question(step, subjects, minds, round_=0, replica=0):
    rows = len(subjects)
    key = {"replica": np.full(rows, replica), "subject": np.array(subjects), "counterpart": np.full(rows, -1)}
    return Question(
        role="firm",
        phase="order",
        step=step,
        key=Table(key | {"item": np.full(rows, -1), "round": np.full(rows, round_)}),
        seed=np.zeros(rows, np.uint64),
        mind=np.array(minds),
        columns={},
        fields=(
            Choice(name="act", options=("wait", "order"), allowed=np.ones((rows, 2), bool)),
            Bucket(
                name="quantity",
                low=np.zeros(rows, int),
                high=np.full(rows, 9),
                step=np.ones(rows, int),
                unit="units",
                only_if=("act", 1),
            ),
            Text(name="letter", max_tokens=5, only_if=("act", 1)),
        ),
    )


def decision(quantities, memory=None):
    """Orders; a quantity of None is a wait."""
    asked = [q is not None for q in quantities]
    rows = len(quantities)
    return Decision(
        answers={
            "act": np.array(asked).astype(int),
            "quantity": np.array([q if q is not None else NOT_ASKED for q in quantities]),
            "letter": np.array([f"send {q}" if q is not None else "" for q in quantities], object),
        },
        logp=-np.arange(rows) / 4,
        margin=np.full(rows, np.inf),
        flops=np.arange(rows) * 10**6,
        memory=memory or {},
    )


def test_decisions_of_the_minds_that_are_kept_are_stored_in_the_order_of_their_keys():
    store = Memory()
    recorder = Recorder(SCHEMAS, 1, store, kept_minds=[1, 2])
    recorder.take_answers([question(1, [5, 3, 4], [2, 0, 1], round_=1)], [decision([7, 8, None])])
    recorder.take_answers([question(1, [4], [1])], [decision([2])])
    assert "decisions/firm.order" not in store.names()  # like events, they come with the end of the step
    recorder.close_step(1)
    table = store.read("decisions/firm.order").to_pydict()
    assert table == {
        "replica": [0, 0, 0],
        "step": [1, 1, 1],
        "subject": [4, 4, 5],
        "counterpart": [-1] * 3,
        "item": [-1] * 3,
        "round": [0, 1, 1],
        "mind": [1, 1, 2],
        "answer.act": [1, 0, 1],
        "answer.quantity": [2, NOT_ASKED, 7],
        "answer.letter": ["send 2", "", "send 7"],
        "logp": [0.0, -0.5, 0.0],
        "margin": [np.inf] * 3,
        "flops": [0, 2 * 10**6, 0],
    }


def test_no_decisions_are_kept_unless_asked_for():
    store = Memory()
    recorder = Recorder(SCHEMAS, 1, store)
    recorder.take_answers([question(1, [1], [0])], [decision([7])])
    recorder.close_step(1)
    assert store.names() == ["ops/digests"]


def test_memory_that_a_mind_did_not_give_reads_as_nothing(tmp_path):
    folder = Folder(tmp_path)
    recorder = Recorder(SCHEMAS, 1, folder, kept_minds=[0])
    for step, memory in ((1, None), (2, {"trust": np.array([3])})):
        recorder.take_answers([question(step, [1], [0])], [decision([7], memory)])
        recorder.close_step(step)
        folder.flush()
    assert recorded(folder, "firm.order")["memory.trust"].tolist() == [0, 3]
    assert recorded(folder, "firm.quote").num_rows == 0


def test_the_link_of_every_step_is_stored_outside_the_digest():
    store = Memory()
    recorder, silent = Recorder(SCHEMAS, 2, store), Recorder(SCHEMAS, 2, None)
    for step in (1, 2):
        for each in (recorder, silent):
            each.take("sell", sale(firm=1, sold=step, replica=1))
            each.close_step(step)
    links = store.read("ops/digests").to_pydict()
    assert (links["replica"], links["step"]) == ([0, 1, 0, 1], [1, 1, 2, 2])
    assert links["events"][2:] == recorder.digest.hex() == silent.digest.hex()
    assert len(set(links["events"])) == 4


def test_a_recorder_goes_on_from_the_chains_of_another():
    whole = Recorder(SCHEMAS, 1, None)
    chains = None
    for step in (1, 2, 3):
        half = Recorder(SCHEMAS, 1, None, chains=chains)
        for each in (whole, half):
            each.take("sell", sale(firm=step, sold=3))
            each.take("rain", {"rain": Table({"replica": np.zeros(1, int), "field": np.array([step])})})
            each.take_answers([question(step, [1, 2], [0, 0])], [decision([7, 8])])
            each.close_step(step)
        chains = half.chains()
    assert chains == whole.chains()
    assert sorted(chains) == ["events", "exogenous", "scores"]
    assert len({links[0] for links in chains.values()}) == 3


def test_the_chains_given_out_stay_as_they_were():
    recorder = Recorder(SCHEMAS, 1, None)
    chains = recorder.chains()
    before = [list(links) for links in chains.values()]
    recorder.take("sell", sale(firm=1, sold=3))
    recorder.take_answers([question(1, [1, 2], [0, 0])], [decision([7, 8])])
    recorder.close_step(1)
    assert list(chains.values()) == before


@pytest.mark.parametrize("place", ["memory", "folder"])
def test_an_event_is_stored_with_its_replica_and_step(place, tmp_path):
    store = Memory() if place == "memory" else Folder(tmp_path)
    recorder = Recorder(SCHEMAS, 1, store)
    recorder.take("sell", sale(firm=4, sold=9))
    given = recorder.close_step(6)
    store.flush()
    assert store.read("events/sales").to_pylist() == [{"replica": 0, "step": 6, "firm": 4, "sold": 9}]
    assert given["sales"]["sold"].tolist() == [9]
    assert given["rain"].num_rows == 0
