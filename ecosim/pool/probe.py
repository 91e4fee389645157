"""The start-up probe: do rows get the same bits alone and in company, on this machine, with these weights?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ecosim.models.load import numerics_state
from ecosim.pool.engine import Engine

_PREFIX = "You buy parts for a factory. Each week sellers send offers. Reply with one word.\n"
_TEXTS = (
    "Round 2, they offer 12.40 for 57.",
    "Round 10, they offer 9.05 for 120. Stock is low.",
    "Round 3, they offer 11.80 for 60.",
    "They made no offer yet.",
    "Round 4, they offer 10.00 for 44. You offered 8.00.",
)
_OPTIONS = (" accept", " counter with 9.50", " counter with 9.80", " reject")


def probe(engine: Engine) -> dict[str, Any]:
    """What a manifest keeps: `same_bits`, how many of the rows differ between batches, and on what that depends."""
    limit, before = engine.batch_limit, replace(engine.stats)
    scores = []
    try:
        for rows in (None, 1):
            engine.batch_limit = rows
            scores.append(engine.score(_PREFIX, _TEXTS, [_OPTIONS] * len(_TEXTS)))
    finally:
        engine.batch_limit, engine.stats = limit, before
    differ = sum(not np.array_equal(a.sums, b.sums) for a, b in zip(*scores, strict=True))
    return {
        "same_bits": differ == 0,
        "rows_that_differ": differ,
        "rows": len(_TEXTS),
        "numerics": engine.language.numerics,
        "dtype": engine.language.dtype,
        "device": engine.language.device,
        **numerics_state(),
    }
