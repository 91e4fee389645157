"""A mind of two: one answers the first fields of a question, the other the rest, and sees what the first answered.

So a nano mind or an expert may choose what a post is about, and a language model write its title. The second is asked
the same question, in which the fields that are settled have one legal answer left: a language mind then reads them as
its own earlier answers and spends nothing on them. No way of asking of its own is needed, and both stay what they are.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.errors import CatalogError
from ecosim.fields import Array, Bucket, Choice, Field, Text
from ecosim.words import Answers, Decision, Mind, Question, check

if TYPE_CHECKING:
    from ecosim.minds.language import LanguageMind
    from ecosim.pool.engine import Engine

_VERSION = 1
"""Part of the fingerprint; goes up when the way of sharing a question changes."""


class ByField:
    """A language mind behind a mind that settles all fields before the first Text.

    Args:
        first: settles them; it is asked a question that ends before the first Text.
        second: answers what is left. A question without a Text is the first's alone.
        name, grade: how scenarios call the two together, and their rung on the ladder.
    """

    def __init__(self, first: Mind, second: LanguageMind, *, name: str, grade: str) -> None:
        self.first, self.second = first, second
        self.name, self.grade = name, grade

    @property
    def fingerprint(self) -> str:
        """A hash of both minds' own."""
        parts = (str(_VERSION), self.first.fingerprint, self.second.fingerprint)
        return hashlib.sha256(" ".join(parts).encode()).hexdigest()

    @property
    def engine(self) -> Engine:
        """The model that answers the second part."""
        return self.second.engine

    @property
    def tally(self) -> tuple[int, int]:
        """Rows answered so far and their nominal FLOPs, of the second part."""
        return self.second.tally

    def describe(self) -> dict[str, Any]:
        """What the language mind says of itself, and who settles the first fields."""
        first = {"name": self.first.name, "grade": self.first.grade, "fingerprint": self.first.fingerprint}
        return {**self.second.describe(), "first": first}

    def stats(self) -> dict[str, int | float]:
        """What the pool has done for the second part so far."""
        return self.second.stats()

    def decide(self, question: Question) -> Decision:
        """The answers of both: log-probabilities and costs added up, the margin of the first field.

        Raises:
            CatalogError, DecisionError: as the minds raise them.
        """
        asked = leading(question)
        if not asked.fields:
            raise CatalogError(f"mind {self.name!r}: {question.name} begins with a text; name a language mind for it")
        settled = self.first.decide(asked)
        check(asked, settled, self.first.name)
        if len(asked.fields) == len(question.fields):
            return settled
        written = self.second.decide(narrowed(question, settled.answers))
        return Decision(
            answers={f.name: {**written.answers, **settled.answers}[f.name] for f in question.fields},
            logp=settled.logp + written.logp,
            margin=settled.margin,
            flops=settled.flops + written.flops,
            memory=settled.memory,
            trace=written.trace,
        )


def leading(question: Question) -> Question:
    """The same question without its first Text and what comes after it."""
    kinds = [isinstance(spec, Text) for spec in question.fields]
    fields = question.fields[: kinds.index(True)] if any(kinds) else question.fields
    return replace(question, fields=fields, whole=None, rows=None)


def narrowed(question: Question, answers: Answers) -> Question:
    """The same question with one legal answer left in each field that is answered.

    Where a field is not asked (`only_if`) its rule stays as it is.
    """
    fields = tuple(_settled(spec, answers[spec.name]) if spec.name in answers else spec for spec in question.fields)
    return replace(question, fields=fields, whole=None, rows=None)


def _settled(spec: Field, answer: Array) -> Field:
    if isinstance(spec, Choice):
        return replace(spec, allowed=_only(spec.allowed, answer))
    if isinstance(spec, Bucket):
        is_asked = (answer >= spec.low) & (answer <= spec.high)
        return replace(spec, low=np.where(is_asked, answer, spec.low), high=np.where(is_asked, answer, spec.high))
    raise ValueError(f"{spec.name} is a text; texts are not settled beforehand")


def _only(allowed: Array, answer: Array) -> Array:
    """What is allowed where one option is taken: that option; all as before where none is."""
    taken = np.arange(allowed.shape[1]) == np.asarray(answer)[:, None]
    return np.where((answer >= 0)[:, None], taken, allowed)
