"""The controls that a report card must show: minds that are cheap to have, and that a product has to beat.

* `Noisy`: the teacher, who answers at random in a share ε of all rows. At ε such that it disagrees as often as the
  product does, it tells whether the product's errors are of the harmless kind;
* `Majority`: the teacher's most frequent answer, whatever the row says;
* `Boosted` (`cards.boosting`): gradient boosting on the same columns. Where it does as well as a language
  model, nothing was gained by reading.

All are minds: they sit in worlds, answer legally, and a row's answer depends on the row alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np

from ecosim import seeds
from ecosim.fields import NOT_ASKED, Array, Bucket, Choice, Field, Text, asked
from ecosim.words import KEY, Decision, Mind, Question, certain


class Noisy:
    """A mind that is replaced by legal answers at random in a share of rows.

    Args:
        mind: whose answers the other rows keep.
        epsilon: the share, 0 … 1; or the share of each phase, 0 of those that are not named.
    """

    grade = "scripted"

    def __init__(self, mind: Mind, epsilon: float | Mapping[str, float]) -> None:
        shares = epsilon.values() if isinstance(epsilon, Mapping) else [epsilon]
        if not all(0 <= share <= 1 for share in shares):
            raise ValueError(f"epsilon must be within 0 … 1, got {epsilon}")
        self._mind, self.epsilon = mind, epsilon
        self.name = f"{mind.name}-noisy"
        self.fingerprint = f"{mind.fingerprint}-noisy-{epsilon!r}"

    def decide(self, question: Question) -> Decision:
        """The mind's answers, and random ones in rows drawn by their keys; texts stay as they are."""
        decision = self._mind.decide(question)
        share = self.epsilon.get(question.phase, 0.0) if isinstance(self.epsilon, Mapping) else self.epsilon
        hit = _draw(question, "noise") < share
        answers: dict[str, Array] = {}
        for spec in question.fields:
            kept = decision.answers[spec.name]
            if isinstance(spec, Text):
                answers[spec.name] = np.where(asked(spec, answers, question.num_rows), kept, "")
                continue
            wild = legal_at(spec, _draw(question, f"noise.{spec.name}"))
            wanted = asked(spec, answers, question.num_rows)
            answers[spec.name] = np.where(wanted, np.where(hit, wild, kept), NOT_ASKED)
        return certain(answers, question.num_rows, decision.flops)


class Majority:
    """The most frequent answer to each question; of a number, the median.

    Args:
        asked: questions of training seeds.
        decisions: the teacher's answers to them.
        chance: how often these answers are the teacher's, by question; measured later (`base_rates`), 1 until then.
    """

    grade = "scripted"
    name = "majority"

    def __init__(self, asked: Sequence[Question], decisions: Sequence[Decision]) -> None:
        self.chance: dict[str, float] = {}
        self._counts: dict[tuple[str, str], Array] = {}
        self._medians: dict[tuple[str, str], int] = {}
        for (phase, name), (spec, column) in _columns(asked, decisions).items():
            if isinstance(spec, Choice):
                self._counts[phase, name] = np.bincount(column, minlength=len(spec.options))
            elif isinstance(spec, Bucket):
                self._medians[phase, name] = int(np.median(column)) if len(column) else 0
        self.fingerprint = repr((sorted(self._medians.items()), [(k, v.tolist()) for k, v in self._counts.items()]))

    def decide(self, question: Question) -> Decision:
        """The same answer in every row, as far as it is legal there."""
        n = question.num_rows
        answers: dict[str, Array] = {}
        for spec in question.fields:
            wanted = asked(spec, answers, n)
            place = (question.phase, spec.name)
            if isinstance(spec, Text):
                answers[spec.name] = np.full(n, "", object)
            elif isinstance(spec, Choice):
                counts = np.zeros(len(spec.options))
                known = self._counts.get(place, counts)[: len(spec.options)]
                counts[: len(known)] = known
                best = np.where(spec.allowed, counts, -1.0).argmax(axis=1)
                answers[spec.name] = np.where(wanted, best, NOT_ASKED)
            else:
                wish = np.full(n, self._medians.get(place, 0))
                answers[spec.name] = np.where(wanted, nearest(spec, wish), NOT_ASKED)
        chance = self.chance.get(question.phase, 1.0)
        return Decision(
            answers=answers,
            logp=np.full(n, np.log(max(chance, 1e-12))),
            margin=np.full(n, np.inf),
            flops=np.zeros(n, np.int64),
        )


def epsilon_for(disagreement: float, at_random: float) -> float:
    """The noise at which a teacher disagrees as often as a product.

    Args:
        disagreement: of the product.
        at_random: disagreement of answers that are all at random.

    >>> epsilon_for(0.1, 0.8), epsilon_for(0.9, 0.8), epsilon_for(0.0, 0.0)
    (0.125, 1.0, 0.0)
    """
    if disagreement <= 0:
        return 0.0
    return min(1.0, disagreement / at_random) if at_random > 0 else 1.0


def legal_at(spec: Choice | Bucket, draw: Array) -> Array:
    """A legal answer a row, by a uniform draw from (0, 1)."""
    if isinstance(spec, Choice):
        count = spec.allowed.sum(axis=1)
        rank = np.minimum((draw * count).astype(np.int64), count - 1)
        return cast(Array, (spec.allowed.cumsum(axis=1) > rank[:, None]).argmax(axis=1))
    last = (spec.high - spec.low) // spec.step
    return cast(Array, spec.low + spec.step * np.minimum((draw * (last + 1)).astype(np.int64), last))


def nearest(spec: Bucket, wish: Array) -> Array:
    """The legal value nearest to each wish."""
    wish = np.rint(wish).astype(np.int64)
    below = spec.snap(wish)
    above = np.where(below + spec.step <= spec.high, below + spec.step, below)
    return np.where(np.abs(above - wish) < np.abs(wish - below), above, below)


def _columns(
    questions: Sequence[Question], decisions: Sequence[Decision]
) -> Mapping[tuple[str, str], tuple[Field, Array]]:
    """All answers to each field that was asked, by phase and name."""
    parts: dict[tuple[str, str], tuple[Field, list[Array]]] = {}
    for question, decision in zip(questions, decisions, strict=True):
        for spec in question.fields:
            mine = asked(spec, decision.answers, question.num_rows)
            held = parts.setdefault((question.phase, spec.name), (spec, []))
            if isinstance(spec, Choice) and isinstance(held[0], Choice) and len(spec.options) > len(held[0].options):
                parts[question.phase, spec.name] = (spec, held[1])
            held[1].append(decision.answers[spec.name][mine])
    return {place: (spec, np.concatenate(columns)) for place, (spec, columns) in parts.items()}


def _draw(question: Question, what: str) -> Array:
    key = tuple(question.key[name] for name in KEY)
    return seeds.uniform(seeds.MIND, question.seed, question.step, f"{question.name}.{what}", key)
