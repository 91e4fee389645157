"""Remembered answers: the bits that the model gave, and the bits that it would have given to what is asked next."""

import random

import numpy as np
import pytest

from ecosim.pool.engine import Engine
from ecosim.pool.memo import Memo
from ecosim.pool.talk import Ask, Pick, Scores, Script, Talk, Write

PREFIX = "You buy steel. Reply with one word.\n"
ACTS = (" accept", " counter", " reject")
PRICES = (" 9.50\n", " 9.80\n", " 12.00\n", " 9\n")


def script(i: int, labels, replies: list[object]) -> Script:
    """Rows of one text ask the same at first and then go separate ways."""
    replies.append((yield Ask("Answer:", ACTS)))
    replies.append((yield Ask(" counter\nPrice:", PRICES[: 2 + i % 2])))
    replies.append((yield Write(f" {i % 2}.00\nTitle:", 3, 0.9, np.random.default_rng(i).random(3))))
    replies.append((yield Pick(f" {i % 3}\nA: 1\nB: 2\nWeek:", labels[:2])))


def played(engine: Engine, rows, length: int = 4) -> dict[int, list[object]]:
    """Eighteen talks about six texts; a talk may end early."""
    found: dict[int, list[object]] = {i: [] for i in rows}

    def cut(i: int) -> Script:
        whole, reply = script(i, engine.labels, found[i]), None
        for _ in range(length):
            reply = yield whole.send(reply)
        found[i].append(reply)

    engine.run([Talk(PREFIX, f"Round {i % 6}: {'low ' * (i % 6)}", cut(i)) for i in rows])
    return found


def plain(found):
    return {
        i: [(r.sums.tobytes(), r.flops) if isinstance(r, Scores) else r for r in row]
        for i, row in sorted(found.items())
    }


ROWS = list(range(18))


def test_a_memo_changes_no_bit_and_no_bill(tiny):
    expected = plain(played(Engine(tiny, memo=0), ROWS))
    assert all(len(row) == 4 for row in expected.values())
    engine = Engine(tiny)
    assert plain(played(engine, ROWS)) == expected
    assert plain(played(engine, random.Random(1).sample(ROWS, 18))) == expected
    assert plain(played(Engine(tiny, 1), ROWS)) == expected


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_row_that_leaves_what_is_remembered_reads_it_again_and_has_its_bits(tiny, length):
    """Short talks first, so that the long ones find their first answers and must read up before the next."""
    expected = plain(played(Engine(tiny, memo=0), ROWS))
    engine = Engine(tiny)
    played(engine, ROWS, length)
    engine.drain_batches()
    assert plain(played(engine, ROWS)) == expected
    kinds = set(engine.drain_batches()["kind"])
    assert {"memo", "reread"} <= kinds


def test_prefix_hits_change_no_bit(tiny):
    engine = Engine(tiny, memo=0)
    assert plain(played(engine, ROWS)) == plain(played(engine, ROWS))
    assert engine.stats.prefix_hits > 18


def test_equal_rows_go_through_the_model_once_and_are_counted_apart(tiny):
    engine = Engine(tiny)
    scores = engine.score(PREFIX, ["Round 1", "Round 2", "Round 1", "Round 1"], [ACTS, ACTS, ACTS, ACTS[:2]])
    assert (engine.stats.decisions, engine.stats.memo_hits) == (4, 1)
    assert scores[0].sums.tolist() == scores[2].sums.tolist()
    log = engine.drain_batches()
    assert (log["rows"][log["kind"] == "score"].sum(), log["memo_hits"].sum()) == (3, 1)


def test_what_was_asked_before_is_not_computed_again(tiny):
    engine = Engine(tiny)
    first = engine.score(PREFIX, ["Round 1"], [ACTS])
    before = engine.stats.flops
    again = engine.score(PREFIX, ["Round 1"], [ACTS])
    assert (engine.stats.flops, engine.stats.memo_hits, engine.stats.decisions) == (before, 1, 2)
    assert again[0].flops == first[0].flops > 0
    assert engine.stats.memo_tokens == engine.stats.useful_tokens


def test_another_prefix_text_ask_or_order_of_options_is_another_question(tiny):
    engine = Engine(tiny)
    for prefix, text, options in (
        (PREFIX, "Round 1", ACTS),
        (PREFIX, "Round 1", ACTS[::-1]),
        (PREFIX, "Round 2", ACTS),
        ("You sell.\n", "Round 1", ACTS),
    ):
        engine.score(prefix, [text], [options])
    assert engine.stats.memo_hits == 0


def test_without_a_memo_every_row_goes_through_the_model(tiny):
    engine = Engine(tiny, memo=0)
    engine.score(PREFIX, ["Round 1"] * 3, [ACTS] * 3)
    log = engine.drain_batches()
    assert (engine.stats.memo_hits, log["rows"][log["kind"] == "score"].sum()) == (0, 3)


def test_the_least_recently_used_answers_go_first():
    memo, scores = Memo(2), Scores(np.zeros(1), np.ones(1, np.int64), 1)
    memo.put(b"a", scores)
    memo.put(b"b", scores)
    assert memo.get(b"a") is scores
    memo.put(b"c", scores)
    assert (memo.get(b"b"), memo.get(b"a"), len(memo)) == (None, scores, 2)
