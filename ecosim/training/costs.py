"""What a mind costs: weights, nominal operations, and time, a row at a time and in the best batch.

Times are wall seconds of `decide`, question in, decision out, on this machine as it is, with whatever threads the
libraries have here: the median of repeated calls. Batches double until nothing is gained, rows run out, or a call takes
longer than `ENOUGH_S`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter

import numpy as np

from ecosim.words import Mind, Question

ENOUGH_S = 2.0
"""A call that takes longer is the last of its mind, s."""
ALONE = 15
"""Rows that are asked alone."""
_FIRST_BATCH = 16


def cost(mind: Mind, questions: Sequence[Question], repeats: int = 3) -> dict[str, float]:
    """Time and operations of a mind on questions of one phase.

    Returns:
        `ms_at_1` (milliseconds), `per_s_at_1` and `per_s` (decisions a second at batch 1 and at the best batch),
        `best_batch` (rows), `flops` (nominal operations a decision).
    """
    largest = max(questions, key=lambda question: question.num_rows)
    mind.decide(largest.take(np.arange(min(4, largest.num_rows))))  # warm: threads, caches of prefixes
    alone = [largest.take(np.array([i])) for i in range(min(ALONE, largest.num_rows))]
    start, times, flops = perf_counter(), [], []
    for one in alone:
        times.append(seconds(lambda one=one: flops.append(float(mind.decide(one).flops.mean()))))  # type: ignore[misc]
        if perf_counter() - start > ENOUGH_S:
            break
    best_batch, best = 1, 1 / median(times)
    size = _FIRST_BATCH
    while size // 2 < largest.num_rows:
        some = largest.take(np.arange(min(size, largest.num_rows)))
        taken = median(seconds(lambda some=some: mind.decide(some)) for _ in range(repeats))  # type: ignore[misc]
        if some.num_rows / taken > best:
            best_batch, best = some.num_rows, some.num_rows / taken
        if taken > ENOUGH_S:
            break
        size *= 2
    return {
        "ms_at_1": 1000 * median(times),
        "per_s_at_1": 1 / median(times),
        "per_s": best,
        "best_batch": float(best_batch),
        "flops": float(np.mean(flops)),
    }


def seconds(job: Callable[[], object]) -> float:
    """Wall seconds of a call."""
    start = perf_counter()
    job()
    return perf_counter() - start
