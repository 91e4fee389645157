import numpy as np

from ecosim.pool.batches import Batch, Batches
from ecosim.pool.engine import Engine
from ecosim.pool.talk import Ask, Script, Talk, Write

PREFIX = "You buy steel. Reply with one word.\n"


def script() -> Script:
    yield Ask("Answer:", (" accept", " reject"))
    yield Write(" accept\nTitle:", 3, 1e-3, np.full(3, 0.5))


def test_every_forward_is_on_record_and_adds_up_to_the_counts(tiny):
    engine = Engine(tiny)
    engine.run([Talk(PREFIX, f"Round {i}", script()) for i in range(3)])
    log, stats = engine.drain_batches(), engine.stats
    assert log["kind"].tolist()[:3] == ["prefix", "score", "write"]
    answers = log.take(log["kind"] != "prefix")
    assert answers["useful_tokens"].sum() == stats.useful_tokens
    assert answers["padded_tokens"].sum() == stats.padded_tokens
    assert (log["rows"].sum(), log.num_rows) == (stats.rows, stats.batches)
    assert (answers["width"][0], answers["adapters"][0]) == (answers["padded_tokens"][0] / 3, 1)
    assert 0 < log["seconds"].sum() <= stats.seconds
    assert engine.drain_batches().num_rows == 0


def test_only_the_latest_records_are_kept():
    batches = Batches(limit=2)
    for rows in (1, 2, 3):
        batches.add(Batch(kind="score", rows=rows))
    assert batches.drain()["rows"].tolist() == [2, 3]


def test_no_records_are_a_table_of_no_rows():
    assert {name: len(column) for name, column in Batches().drain().items()}["kind"] == 0
