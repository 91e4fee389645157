"""Minds that are plain functions: the side's experts, and a user's own."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Iterable, Mapping

import numpy as np

from ecosim.errors import DecisionError
from ecosim.fingerprint import fingerprint
from ecosim.words import Answers, Decision, Expert, Question, certain


class Scripted:
    """A pure function in a seat; it is sure of itself and costs nothing."""

    grade = "scripted"

    def __init__(self, name: str, function: Expert) -> None:
        self.name = name
        self.fingerprint = fingerprint(function)  # here, once: what a function is does not depend on who looks
        self._function = function

    def decide(self, question: Question) -> Decision:
        """The function's answers.

        Raises:
            DecisionError: the function raised, or gave something other than answers by field.
        """
        place = f"mind {self.name!r}, {question.name}, step {question.step}"
        try:
            answers = self._function(question)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise DecisionError(f"{place}: {type(error).__name__}: {error}") from error
        if not isinstance(answers, Mapping):
            raise DecisionError(f"{place}: must return a dict of columns by field name, got {type(answers).__name__}")
        return certain(_columns(answers), question.num_rows)


class Experts:
    """A side's scripted minds of one name, over all questions that have an expert of that name."""

    grade = "scripted"

    def __init__(self, name: str, by_question: Mapping[str, Expert]) -> None:
        self.name = name
        self.by_question = dict(by_question)

    @property
    def fingerprint(self) -> str:
        """A hash of the functions' names and of the source of the modules that they stand in, helpers and all."""
        parts = [f"{name}:{self.name}" for name in sorted(self.by_question)]
        parts += sorted({inspect.getsource(sys.modules[f.__module__]) for f in self.by_question.values()})
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def is_for_any_role(self, names: Iterable[str]) -> bool:
        """Whether some questions have one expert that does not look at the role: it may be asked them as one."""
        found = {self.by_question[name] for name in names}
        return len(found) == 1 and getattr(found.pop(), "is_for_any_role", False)

    def decide(self, question: Question) -> Decision:
        """The expert's answers."""
        expert = self.by_question[question.name]
        flops = getattr(expert, "flops", None)
        return certain(_columns(expert(question)), question.num_rows, None if flops is None else flops(question))


def _columns(answers: Answers) -> Answers:
    return {name: np.asarray(column) for name, column in answers.items()}
