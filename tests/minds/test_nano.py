"""Nano minds: what they read of a row, what they may answer, and that a row's answer is its own."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecosim.errors import CatalogError, DecisionError
from ecosim.fields import NOT_ASKED, Bucket, Choice, Text
from ecosim.minds.nano import NanoMind
from ecosim.minds.scripted import Scripted
from ecosim.models.nano import files
from ecosim.models.nano.encode import concat, encode, targets
from ecosim.models.nano.net import Net
from ecosim.models.nano.spec import NanoSpec, parts, scale_parts
from ecosim.words import KEY, Question, Table, check

SPEC = NanoSpec(
    role="shop",
    hidden=16,
    layers=1,
    heads=2,
    head_hidden=16,
    questions={
        "order": {
            "tokens": {"stock": {"on_hand - owed": "mean(sales, 2)"}, "sales": {"sales": 10}, "clock": {"week": 4}},
            "slots": {"sales": 3},
            "fields": {
                "act": {"options": ["wait", "order", "beg"]},
                "amount": {"scale": "mean(sales, 2)", "low": 0, "high": 8, "bins": 9},
                "from": {"points": {"price": 10}, "before": 1, "choose": "sample"},
            },
        }
    },
)


def question(rows: int = 5, options: tuple[str, ...] = ("wait", "order"), **more: object) -> Question:
    i = np.arange(rows)
    sales = np.stack([i * 10, i * 10 + 20, i], axis=1)
    is_order = ("act", options.index("order"))
    return Question(
        role="shop",
        phase="order",
        step=3,
        key=Table({"replica": i * 0, **{name: i if name == "subject" else i * 0 - 1 for name in KEY}}),
        seed=np.full(rows, 7, np.uint64),
        mind=i * 0,
        columns={"on_hand": i * 7, "owed": i, "sales": sales, "week": i, "price": np.stack([i, 9 - i], axis=1), **more},
        masks={"sales": np.ones((rows, 3), bool), "price": np.ones((rows, 2), bool)},
        fields=(
            Choice(name="act", options=options, allowed=np.ones((rows, len(options)), bool)),
            Bucket(name="amount", low=i * 0, high=i * 0 + 60, step=i * 0 + 5, unit="units", only_if=is_order),
            Choice(name="from", options=("nobody", "first", "second"), allowed=np.array([[True, False, True]] * rows)),
        ),
    )


def mind(seed: int = 1) -> NanoMind:
    return NanoMind.of({"shop": Net(SPEC, seed)})


def test_terms_and_scales_are_read_as_they_are_written():
    assert parts("a - b + c") == [(1, "a"), (-1, "b"), (1, "c")]
    assert scale_parts("sum(views)") == ("sum", "views", 0)


def test_a_number_is_read_on_its_rows_own_scale():
    x = encode(SPEC, question()).x
    assert x.shape == (5, (1 + 3 + 1) * 4)
    z = (2 * 7 - 2) / 30  # row 2 has 14 on hand, owes 2, sold 20 and 40: a mean of 30
    np.testing.assert_allclose(x[2, :4], [z, z / (1 + z), 8 * z / (1 + 8 * z), 1], rtol=1e-6)


def test_a_column_that_is_not_there_counts_as_absent():
    q = question()
    lacking = Question(
        **{f: getattr(q, f) for f in ("role", "phase", "step", "key", "seed", "mind", "masks", "fields")},
        columns={name: column for name, column in q.columns.items() if name != "week"},
    )
    assert (encode(SPEC, lacking).x[:, -4:] == 0).all()
    mind().decide(lacking)


def test_bins_stand_for_legal_answers_nearest_to_them():
    encoded = encode(SPEC, question())
    assert encoded.fine["amount"][2].tolist() == [0, 30, 60, 90, 120, 150, 180, 210, 240]
    assert encoded.values["amount"][2].tolist() == [0, 30, 60, 60, 60, 60, 60, 60, 60]
    assert encoded.values["amount"][1].tolist() == [0, 20, 40, 60, 60, 60, 60, 60, 60]


def test_an_answer_between_two_bins_is_shared_between_them():
    q = question()
    answers = {"act": np.array([1, 1, 1, 0, 1]), "amount": np.array([0, 25, 45, -1, 60]), "from": np.array([2] * 5)}
    found = targets(encode(SPEC, q), q, answers, SPEC)
    np.testing.assert_allclose(found["amount"][1, :3], [0, 0.75, 0.25])
    np.testing.assert_allclose(found["amount"][2, :3], [0, 0.5, 0.5][:3])
    assert found["amount"][3].sum() == 0, "where nothing was ordered nothing is asked"
    assert found["act"][:, :3].tolist() == [[0, 1, 0]] * 3 + [[1, 0, 0], [0, 1, 0]]


def test_answers_are_legal_and_hang_on_earlier_ones():
    q = question(200)
    decision = mind().decide(q)
    check(q, decision, "nano")
    waits = decision.answers["act"] == 0
    assert (decision.answers["amount"][waits] == NOT_ASKED).all()
    assert set(decision.answers["from"].tolist()) <= {0, 2}
    assert (decision.logp <= 0).all() and (decision.flops > 0).all()


def test_words_may_come_in_another_order():
    one, other = (mind().decide(question(50, options)) for options in (("wait", "order"), ("order", "wait")))
    assert (one.answers["act"] == 1 - other.answers["act"]).all()
    assert one.answers["amount"].tolist() == other.answers["amount"].tolist()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 1499), min_size=1, max_size=80, unique=True))
def test_a_row_is_answered_alike_in_any_company(rows: list[int]):
    q, some = question(1500), np.array(rows)
    whole, part = WHOLE.setdefault(0, mind().decide(q)), mind().decide(q.take(some))
    for name, answers in part.answers.items():
        assert answers.tolist() == whole.answers[name][some].tolist()
    assert part.logp.tobytes() == whole.logp[some].tobytes()
    assert part.margin.tobytes() == whole.margin[some].tobytes()


WHOLE: dict = {}


def test_draws_are_the_rows_own():
    q = question(400)
    again = mind().decide(q).answers["from"]
    other = Question(
        **{f: getattr(q, f) for f in ("role", "phase", "step", "key", "mind", "masks", "fields", "columns")},
        seed=q.seed + 1,
    )
    assert (mind().decide(q).answers["from"] == again).all()
    assert (mind().decide(other).answers["from"] != again).any()


def test_a_network_is_kept_in_one_file_with_all_that_it_knows(tmp_path):
    net = Net(SPEC, 1)
    sha = files.save(net, tmp_path / "nano.safetensors")
    assert files.save(net, tmp_path / "again.safetensors") == sha
    kept = NanoMind({"shop": (tmp_path / "nano.safetensors", sha)})
    assert kept.fingerprint == mind().fingerprint != mind(2).fingerprint
    moved = pickle.loads(pickle.dumps(kept))
    assert moved.fingerprint == kept.fingerprint
    assert moved.decide(question()).logp.tobytes() == kept.decide(question()).logp.tobytes()


def test_what_is_wrong_with_a_file_is_told_in_one_line(tmp_path):
    path = tmp_path / "nano.safetensors"
    with pytest.raises(CatalogError, match="no such file"):
        NanoMind({"shop": (path, None)})
    files.save(Net(SPEC), path)
    with pytest.raises(CatalogError, match="the card says 000"):
        NanoMind({"shop": (path, "0" * 64)})
    with pytest.raises(CatalogError, match="a network for shop, not for bank"):
        NanoMind({"bank": (path, None)})
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CatalogError, match="not a nano network"):
        NanoMind({"shop": (path, None)})


def test_what_it_does_not_know_is_refused():
    q = question()
    with pytest.raises(CatalogError, match="has no network for bank"):
        mind().decide(Question(**{f: getattr(q, f) for f in FIELDS} | {"role": "bank"}))
    with pytest.raises(CatalogError, match=r"asked shop.sell, it answers shop.order"):
        mind().decide(Question(**{f: getattr(q, f) for f in FIELDS} | {"phase": "sell"}))
    with pytest.raises(CatalogError, match="offers 'steal', it knows wait, order, beg"):
        mind().decide(question(5, ("order", "steal")))
    with pytest.raises(CatalogError, match="is a text"):
        mind().decide(Question(**{f: getattr(q, f) for f in FIELDS} | {"fields": (Text(name="word", max_tokens=4),)}))
    nothing = Choice(name="act", options=("wait", "order"), allowed=np.zeros((5, 2), bool))
    with pytest.raises(DecisionError, match="allows no answer"):
        mind().decide(Question(**{f: getattr(q, f) for f in FIELDS} | {"fields": (nothing,)}))


FIELDS = ("role", "phase", "step", "key", "seed", "mind", "columns", "masks", "fields")


def test_questions_of_several_sizes_are_learnt_together():
    few, many = encode(SPEC, question(3)), encode(SPEC, question(4))
    both = concat([few, many])
    assert both.num_rows == 7 and both.legal["from"].shape == (7, 3)
    assert both.take(slice(0, 3)).x.tobytes() == few.x.tobytes()


def test_a_network_learns_a_rule():
    import torch

    q = question(12)
    encoded = encode(SPEC, q)
    amount = np.clip(q["on_hand"] // 5 * 5, 0, 60)
    answers = {"act": np.full(12, 1), "amount": amount, "from": np.where(q["week"] < 6, 0, 2)}
    wanted = {name: torch.from_numpy(t) for name, t in targets(encoded, q, answers, SPEC).items()}
    net, x = Net(SPEC, 3), torch.from_numpy(encoded.x)
    slots = {name: torch.from_numpy(t) for name, t in encoded.slots.items()}
    chosen = {name: t.argmax(dim=1) for name, t in wanted.items()}
    optimiser = torch.optim.AdamW(net.parameters(), lr=5e-3)
    for _ in range(120):
        scores = net("order", x, slots, chosen)
        loss = sum(-(wanted[n] * scores[n].log_softmax(1)).sum(1).mean() for n in wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    found = NanoMind.of({"shop": net}).decide(q).answers
    assert (found["act"] == 1).all()
    assert np.abs(found["amount"] - amount).mean() < 3
    assert (found["from"] == answers["from"]).mean() == 1


def test_texts_are_left_to_a_writer_that_sees_what_is_settled():
    """The writer may answer as the network did and no other way, and whatever it says but the text is not heard."""
    seen = []

    def herald(asked):
        seen.append(asked.field("act").allowed)
        return {
            **dict.fromkeys(("act", "amount", "from"), np.zeros(5)),
            "note": np.array([f"Dear {i}" for i in range(5)]),
        }

    q = question()
    with_note = replace(q, fields=(*q.fields, Text(name="note", max_tokens=8)))
    alone = mind().decide(q)
    both = NanoMind.of({"shop": Net(SPEC, 1)}, writer=Scripted("herald", herald)).decide(with_note)
    assert [list(both.answers[n]) for n in alone.answers] == [list(column) for column in alone.answers.values()]
    assert list(both.answers) == ["act", "amount", "from", "note"] and both.answers["note"][4] == "Dear 4"
    assert (seen[0].argmax(axis=1) == alone.answers["act"]).all() and (seen[0].sum(axis=1) == 1).all()
    assert NanoMind.of({"shop": Net(SPEC, 1)}, writer=Scripted("herald", herald)).fingerprint != mind().fingerprint
