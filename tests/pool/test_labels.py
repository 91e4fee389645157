"""Options offered by letter: one forward, a few rows of the head. Bits were observed where `test_engine` says."""

import random

import numpy as np
import pytest

from ecosim.errors import CatalogError
from ecosim.models.load import LanguageModel, load
from ecosim.models.sources import BASE
from ecosim.pool.engine import Engine
from ecosim.pool.probe import probe
from ecosim.pool.talk import Pick, Scores, Script, Talk

PREFIX = "You buy steel. Reply with one letter.\n"


def picked(engine: Engine, rows, num=lambda i: 2 + i % 5) -> dict[int, Scores]:
    found: dict[int, Scores] = {}

    def script(i: int) -> Script:
        listed = "".join(f"{label.strip()}: {10 + k}\n" for k, label in enumerate(engine.labels[: num(i)]))
        found[i] = yield Pick(f"{listed}Price:", engine.labels[: num(i)])

    engine.run([Talk(PREFIX, f"Round {i}.{' Low.' * (i % 3)}", script(i)) for i in rows])
    return dict(sorted(found.items()))


def same_bits_in_any_batch(language: LanguageModel, rows: int) -> None:
    if not probe(Engine(language))["same_bits"]:
        pytest.skip("this machine does not give rows the same bits in any batch; the manifest says so")
    order = list(range(rows))
    bits = {i: score.sums.tobytes() for i, score in picked(Engine(language, memo=0), order).items()}
    for limit, some in ((64, random.Random(5).sample(order, rows)), (7, order[::-1]), (1, order)):
        again = picked(Engine(language, limit, memo=0), some)
        assert {i: score.sums.tobytes() for i, score in again.items()} == bits, f"batch limit {limit}"


def test_labels_have_the_same_bits_in_any_batch(tiny):
    same_bits_in_any_batch(tiny, rows=40)


@pytest.mark.model
def test_labels_of_the_base_model_have_the_same_bits_in_any_batch():
    language = load(BASE, device="cpu")
    assert Engine(language).labels[:3] == (" A", " B", " C")
    same_bits_in_any_batch(language, rows=20)


def test_labels_are_scored_against_each_other_alone(tiny):
    """The reference: the whole head at the last token of the plain prompt, then a softmax over the labels."""
    import torch

    engine = Engine(tiny)
    (score,) = picked(engine, [0], lambda i: 3).values()
    frame, labels = engine.frame, engine.labels[:3]
    listed = "".join(f"{label.strip()}: {10 + k}\n" for k, label in enumerate(labels)) + "Price:"
    prefix, text, ask, *tokens = engine.ids([PREFIX, "Round 0.", listed, *labels])
    ids = [*frame.open, *prefix, *frame.turn, *text, *frame.close, *ask]
    with torch.inference_mode():
        logits = tiny.model(torch.tensor([ids])).logits[0, -1, [token for (token,) in tokens]]
    assert score.sums == pytest.approx(logits.double().log_softmax(-1).numpy(), abs=1e-5)
    assert (np.exp(score.sums).sum(), score.lengths.tolist()) == (pytest.approx(1), [1, 1, 1])


def test_a_label_costs_its_row_of_the_head_and_no_tokens(tiny):
    """Same text, two labels or five: three rows of the head more, two operations a number."""
    engine = Engine(tiny)
    asks = [Pick("Price:", engine.labels[:num]) for num in (2, 5)]
    found: list[Scores] = []

    def script(ask: Pick) -> Script:
        found.append((yield ask))

    engine.run([Talk(PREFIX, "Round 1.", script(ask)) for ask in asks])
    assert found[1].flops - found[0].flops == 3 * 2 * 64
    log = engine.drain_batches()
    assert set(log["kind"]) == {"prefix", "label"}


def test_a_label_of_several_tokens_is_refused(tiny):
    with pytest.raises(CatalogError, match=r"label ' accept!' is \d tokens of this model, expected one"):
        Engine(tiny).run([Talk(PREFIX, "Round 1.", picks(" accept!"))])


def picks(*labels: str) -> Script:
    yield Pick("Answer:", labels)
