"""A cascade: ask the cheaper mind; where it is in doubt, ask the dearer. Adaptive compute on one dial.

Doubt is the first mind's margin in the first field, the log-odds of its best answer over its next best. Rows with a
margin under the threshold go to the second mind, whose answers then stand; the others keep the first's. At threshold 0
nobody is asked twice; the higher it is, the more rows are. A margin is a function of its row, so which mind answers is
too: a cascade depends on the row alone as long as its parts do.

A row costs what it was asked: the first mind always, the second where it was in doubt.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from ecosim.minds.router import merge
from ecosim.words import Decision, Mind, Question


class Cascade:
    """Two minds in one seat.

    Args:
        name: how scenarios call it.
        first: asked every row; it must doubt (a scripted mind never does).
        second: asked where the first is in doubt.
        threshold: margins under it are doubt, natural log-odds, ≥ 0.

    Raises:
        ValueError: the threshold is negative or no number.
    """

    grade = "cascade"

    def __init__(self, name: str, first: Mind, second: Mind, threshold: float) -> None:
        if not threshold >= 0:
            raise ValueError(f"threshold must be >= 0, got {threshold}")
        self.name = name
        self.first, self.second, self.threshold = first, second, float(threshold)
        self._kept = (0, 0)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of both minds' fingerprints and the threshold."""
        facts = f"cascade 1\n{self.first.fingerprint}\n{self.second.fingerprint}\n{self.threshold!r}"
        return hashlib.sha256(facts.encode()).hexdigest()

    def decide(self, question: Question) -> Decision:
        """The answers to every row.

        Raises:
            CatalogError, DecisionError: as the parts do.
        """
        first = self.first.decide(question)
        in_doubt = first.margin < self.threshold
        asked, kept = np.flatnonzero(in_doubt), np.flatnonzero(~in_doubt)
        self._kept = (self._kept[0] + len(kept), self._kept[1] + int(first.flops.sum()))
        if len(asked) == 0:
            return first
        second = _dearer(self.second.decide(question.take(asked)), first.flops[asked])
        if len(kept) == 0:
            return second
        return merge(question, [kept, asked], [first.take(kept), second])

    # ---- what hosts and manifests ask for -------------------------------------------------------------------------

    def describe(self) -> dict[str, Any]:
        """The parts, and what the second tells of itself (its model, the start-up probe)."""
        parts = [{"name": m.name, "grade": m.grade, "fingerprint": m.fingerprint} for m in (self.first, self.second)]
        more = self.second.describe() if hasattr(self.second, "describe") else {}
        return {**more, "cascade": {"parts": parts, "threshold": self.threshold}}

    def __getattr__(self, name: str) -> Any:
        """`engine` and `stats` of the second mind, where it is a language model."""
        if name in ("engine", "stats") and "second" in self.__dict__:
            return getattr(self.second, name)
        raise AttributeError(name)

    @property
    def tally(self) -> tuple[int, int]:
        """Rows answered so far and their nominal FLOPs; moves while the second mind is at work, if that counts."""
        rows, flops = getattr(self.second, "tally", (0, 0))
        return self._kept[0] + rows, self._kept[1] + flops


def _dearer(decision: Decision, flops: Any) -> Decision:
    """The second mind's decision, at the price of both."""
    return Decision(
        answers=decision.answers,
        logp=decision.logp,
        margin=decision.margin,
        flops=decision.flops + flops,
        memory=decision.memory,
        trace=decision.trace,
    )
