"""Bits are promised on one class of machine; these tests ran on x86-64 Intel processors with AVX512 and AMX (Linux,
torch 2.13 CPU). Elsewhere the start-up probe says what holds, and the bit-equality tests are skipped where it says no.
"""

import random

import numpy as np
import pytest

from ecosim.models.load import LanguageModel, load
from ecosim.models.sources import BASE
from ecosim.pool.engine import Engine
from ecosim.pool.probe import probe
from ecosim.pool.talk import Ask, Scores, Script, Talk, Write

PREFIX = "You buy steel. Reply with one word.\n"
ACTS = (" accept", " counter", " reject")


def texts(rows: int) -> list[str]:
    draw = random.Random(1)
    more = ("", " Your stock is low.", " Your stock is low. You have two weeks left and nobody else sells.")
    return [f"Round {draw.randint(1, 20)}: {draw.randint(5, 99)} EUR for {i}.{draw.choice(more)}" for i in range(rows)]


def script(i: int, found: dict[int, list[object]], uniforms: np.ndarray) -> Script:
    """Four kinds of steps: words, numbers of unequal length, a written line, and a question after it."""
    replies = found.setdefault(i, [])
    replies.append((yield Ask("Answer:", ACTS)))
    if i % 3:
        replies.append((yield Ask(" counter\nPrice:", tuple(f" {8 + k}.{i}0\n" for k in range(2 + i % 4)))))
        line = yield Write(" 9.00\nTitle:", 6, 0.8, uniforms[i])
        replies.append(line)
        replies.append((yield Ask(f" {line.text}\nWeek:", (" 1", " 2", " 3"))))


def played(language: LanguageModel, order: list[int], batch_limit: int | None = None) -> dict[int, list[object]]:
    uniforms = np.random.default_rng(1).random((len(order), 6))
    found: dict[int, list[object]] = {}
    lines = texts(len(order))
    engine = Engine(language, batch_limit)
    engine.run([Talk(PREFIX, lines[i], script(i, found, uniforms)) for i in order])
    return found


def plain(found: dict[int, list[object]]) -> dict[int, list[object]]:
    """Replies by value, every bit of them."""
    return {
        i: [r.sums.tobytes() + bytes([*r.lengths]) if isinstance(r, Scores) else r for r in replies]
        for i, replies in sorted(found.items())
    }


def same_bits_in_any_batch(language: LanguageModel, rows: int) -> None:
    if not probe(Engine(language))["same_bits"]:
        pytest.skip("this machine does not give rows the same bits in any batch; the manifest says so")
    order = list(range(rows))
    shuffled = random.Random(5).sample(order, rows)
    reference = plain(played(language, order))
    assert sum(map(len, reference.values())) == sum(4 if i % 3 else 1 for i in order)
    for limit, rows_in_order in ((64, shuffled), (7, shuffled), (1, order)):
        assert plain(played(language, rows_in_order, limit)) == reference, f"batch limit {limit}"


def test_scores_and_text_have_the_same_bits_in_any_batch(tiny):
    same_bits_in_any_batch(tiny, rows=24)


@pytest.mark.model
def test_scores_and_text_of_the_base_model_have_the_same_bits_in_any_batch():
    same_bits_in_any_batch(load(BASE, device="cpu"), rows=6)


def rescored(engine: Engine, prompt: list[int], options: tuple[str, ...]) -> np.ndarray:
    """The slow reference: every option behind its whole prompt, as one plain sequence."""
    import torch

    sums = []
    for tail in engine.ids(options):
        with torch.inference_mode():
            logits = engine.language.model(torch.tensor([[*prompt, *tail]])).logits[0]
        logp = logits.double().log_softmax(-1)
        sums.append(sum(float(logp[len(prompt) - 1 + k, token]) for k, token in enumerate(tail)))
    return np.array(sums)


def agrees_with_rescoring(language: LanguageModel) -> None:
    engine = Engine(language)
    frame = engine.frame
    rows = texts(3)
    found: dict[int, list[object]] = {}
    prices = (" 9.50\n", " 9.80\n", " 12.00\n", " 9\n")

    def two_fields(i: int) -> Script:
        found[i] = [(yield Ask("Answer:", ACTS)), (yield Ask(" counter\nPrice:", prices))]

    engine.run([Talk(PREFIX, text, two_fields(i)) for i, text in enumerate(rows)])
    for i, text in enumerate(rows):
        prefix, row, answer, price = engine.ids([PREFIX, text, "Answer:", " counter\nPrice:"])
        start = [*frame.open, *prefix, *frame.turn, *row, *frame.close, *answer]
        first, second = found[i]
        asks = ((first, start, ACTS), (second, [*start, *price], prices))
        for scores, prompt, options in asks:  # within 1e-4 a token: float32 sums in another order
            assert scores.sums / scores.lengths == pytest.approx(
                rescored(engine, prompt, options) / scores.lengths, abs=1e-4
            )
        assert second.lengths.tolist() == [len(tail) for tail in engine.ids(prices)]


def test_the_tree_scores_as_plain_rescoring_does(tiny):
    agrees_with_rescoring(tiny)


@pytest.mark.model
def test_the_tree_scores_as_plain_rescoring_does_with_the_base_model():
    agrees_with_rescoring(load(BASE, device="cpu"))


def test_a_row_does_not_change_when_its_neighbours_ask_more(tiny):
    """Row 0 ends after one question, the others go on."""
    alone, among = played(tiny, [0]), played(tiny, list(range(9)))
    assert plain({0: alone[0]}) == plain({0: among[0]})


def test_prefixes_are_read_once_and_padding_is_counted(tiny):
    engine = Engine(tiny, memo=0)
    engine.score(PREFIX, texts(4), [ACTS] * 4)
    first = engine.stats.as_dict()
    engine.score(PREFIX, texts(4), [ACTS] * 4)
    assert engine.stats.prefix_tokens == first["prefix_tokens"] > 0
    assert (engine.stats.prefix_hits, engine.stats.cached_prefix_tokens) == (7, 7 * first["prefix_tokens"])
    assert (engine.stats.talks, engine.stats.decisions) == (8, 8)
    assert engine.stats.padded_tokens >= engine.stats.useful_tokens == 2 * first["useful_tokens"]


def test_nominal_operations_are_of_the_row_alone(tiny):
    costs = [[s.flops for s in Engine(tiny, limit).score(PREFIX, texts(6), [ACTS] * 6)] for limit in (None, 1)]
    assert costs[0] == costs[1]
    assert len(set(costs[0])) > 1


def test_the_operations_of_a_row_can_be_counted_by_hand(tiny):
    """Tokens × 2 × parameters, 4 × size of a query for each pair and layer, and the head where an answer is read."""
    engine = Engine(tiny)
    (score,) = engine.score(PREFIX, ["Round 1"], [(" 1", " 2")])
    past = engine.stats.prefix_tokens
    text = len(engine.ids(["Round 1"])[0]) + len(engine.frame.close)
    (one, _), (two, _) = engine.ids([" 1", " 2"])
    assert one == two  # both begin with the same space: one inner node
    pairs = text * past + text * (text + 1) // 2 + (past + text + 1)
    vocabulary, layers = tiny.model.config.vocab_size, 2
    core = 2 * (64 * 64 + 64 * 32) + 3 * 64 * 128 + 2 * 64
    expected = (text + 1) * 2 * (layers * core + 64) + pairs * 4 * 64 * layers + 2 * 2 * 64 * vocabulary
    assert score.flops == expected


def test_a_written_line_is_one_line_of_at_most_so_many_tokens(tiny):
    engine = Engine(tiny)
    uniforms = np.random.default_rng(2).random((20, 5))
    lines = engine.write(PREFIX, texts(20), 5, 1.5, uniforms)
    assert len(lines) == 20
    assert 0 < engine.stats.written_tokens <= 20 * 5
    for line in lines:
        assert "\n" not in line.text and "<|" not in line.text
        assert line.logp < 0
    assert engine.write(PREFIX, texts(20), 5, 1.5, uniforms) == lines
    assert engine.write(PREFIX, texts(20), 5, 1.5, uniforms[::-1]) != lines


def test_a_cold_pen_writes_what_is_likeliest(tiny):
    """Near temperature 0 the draw does not matter."""
    engine = Engine(tiny)
    low, high = (engine.write(PREFIX, texts(3), 4, 1e-3, np.full((3, 4), u)) for u in (0.01, 0.99))
    assert [line.text for line in low] == [line.text for line in high]


def test_a_control_token_in_a_text_is_plain_characters(tiny):
    engine = Engine(tiny)
    control = tiny.tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert control in engine.frame.close
    assert control not in engine.ids(["Buy now <|im_end|> "])[0]


def test_a_limit_below_one_row_is_refused(tiny):
    with pytest.raises(ValueError, match="batch_limit must be >= 1, got 0"):
        Engine(tiny, 0)
    with pytest.raises(ValueError, match="memo must be >= 0, got -1"):
        Engine(tiny, memo=-1)


def test_the_probe_leaves_the_engine_as_it_was(tiny):
    engine = Engine(tiny, 7)
    before = engine.stats.as_dict()
    report = probe(engine)
    assert (engine.batch_limit, engine.stats.as_dict()) == (7, before)
    assert report["same_bits"] == (report["rows_that_differ"] == 0)
    assert {"mkl_cbwr", "threads", "torch", "device", "dtype"} <= set(report)
