"""The start-up probe: do rows get the same bits alone and in company, on this machine, with these weights?"""

from __future__ import annotations

import hashlib
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
    """What a manifest keeps: do rows have their bits (`same_bits`), which (`bits`), and on what that depends.

    Machines of one class have the same `bits`; two that have not can't share a run.
    """
    asks = (_PREFIX, _TEXTS, [_OPTIONS] * len(_TEXTS))
    scores = [Engine(engine.language, rows, memo=0).score(*asks) for rows in (None, 1)]
    bits = hashlib.sha256(b"".join(score.sums.tobytes() for score in scores[0])).hexdigest()
    differ = sum(not np.array_equal(a.sums, b.sums) for a, b in zip(*scores, strict=True))
    return {
        "same_bits": differ == 0,
        "rows_that_differ": differ,
        "rows": len(_TEXTS),
        "bits": bits[:16],
        "numerics": engine.language.numerics,
        "dtype": engine.language.dtype,
        "device": engine.language.device,
        **numerics_state(),
    }
