"""What a mind costs: weights, nominal operations, and time, a row at a time and in the best batch.

Times are wall seconds of `decide`, question in, decision out, on this machine as it is, with whatever threads the
libraries have here: the median of repeated calls. Batches double until `MOST` rows, or until a call takes longer than
`ENOUGH_S`. A mind of columns is given rows over again to fill a batch; a language model, which answers equal rows once,
gets no row twice, and its memory of answers is put aside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from time import perf_counter, process_time

import numpy as np

from ecosim.words import Mind, Question

ENOUGH_S = 2.0
"""A call that takes longer is the last of its mind, s."""
ALONE = 15
"""Rows that are asked alone."""
MOST = 4096
"""Rows of the largest batch."""
_FIRST_BATCH = 16


def cost(mind: Mind, questions: Sequence[Question], repeats: int = 3) -> dict[str, float]:
    """Time and operations of a mind on questions of one phase.

    Returns:
        `ms_at_1` (milliseconds), `per_s_at_1` and `per_s` (decisions a second at batch 1 and at the best batch),
        `per_cpu_s` (the best of processor time, which neighbours on the machine disturb less), `best_batch` (rows),
        `flops` (nominal operations a decision).
    """
    with _without_memory(mind):
        return _cost(mind, max(questions, key=lambda question: question.num_rows), repeats)


def _cost(mind: Mind, question: Question, repeats: int) -> dict[str, float]:
    mind.decide(question.take(np.arange(min(4, question.num_rows))))  # warm: threads, caches of prefixes
    most = question.num_rows if hasattr(mind, "engine") else MOST
    start, times, flops = perf_counter(), [], []
    for i in range(min(ALONE, question.num_rows)):
        one = question.take(np.array([i]))
        began = perf_counter()
        decision = mind.decide(one)
        times.append(perf_counter() - began)
        flops.append(float(decision.flops.mean()))
        if perf_counter() - start > ENOUGH_S:
            break
    best_batch, best, size, cpu = 1, 1 / median(times), _FIRST_BATCH, 0.0
    while size // 2 < most:
        some = question.take(np.arange(min(size, most)) % question.num_rows)
        before = process_time()
        taken = median(_seconds(mind, some) for _ in range(repeats))
        cpu = max(cpu, some.num_rows * repeats / max(process_time() - before, 1e-9))
        if some.num_rows / taken > best:
            best_batch, best = some.num_rows, some.num_rows / taken
        if taken > ENOUGH_S:
            break
        size *= 2
    return {
        "ms_at_1": 1000 * median(times),
        "per_s_at_1": 1 / median(times),
        "per_s": best,
        "per_cpu_s": cpu,
        "best_batch": float(best_batch),
        "flops": float(np.mean(flops)),
    }


def _seconds(mind: Mind, question: Question) -> float:
    start = perf_counter()
    mind.decide(question)
    return perf_counter() - start


@contextmanager
def _without_memory(mind: Mind) -> Iterator[None]:
    """A language model whose engine sends every row through the model while the block lasts."""
    engine = getattr(mind, "engine", None)
    if engine is None:
        yield
        return
    kept, engine.memo = engine.memo, type(engine.memo)(0)
    try:
        yield
    finally:
        engine.memo = kept
