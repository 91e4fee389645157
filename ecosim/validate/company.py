"""Whether a mind answers legally, and a row the same whatever stands beside it."""

from __future__ import annotations

import numpy as np

from ecosim.errors import DecisionError
from ecosim.fields import Array
from ecosim.words import Decision, Mind, Question, check

OWN_LAW = "a law of this simulator: a decision depends on its own row"


def is_legal(mind: Mind, question: Question) -> bool:
    """Whether the decision passes the check that every decision of a run passes."""
    try:
        check(question, mind.decide(question), mind.name)
    except DecisionError:
        return False
    return True


def is_alone(mind: Mind, question: Question) -> bool:
    """Whether rows get the same answers shuffled, and in pieces of 1, 7 and 64."""
    whole = mind.decide(question)
    order = np.random.default_rng(0).permutation(question.num_rows)
    orders = [order, *(order[i : i + size] for size in (1, 7, 64) for i in range(0, len(order), size))]
    return all(same(whole, mind.decide(question.take(rows)), rows) for rows in orders)


def same(whole: Decision, part: Decision, rows: Array) -> bool:
    """Whether a part of the rows was answered as among all, to the bit."""
    columns = [(whole.logp, part.logp), (whole.margin, part.margin), (whole.flops, part.flops)]
    columns += [(whole.answers[name], part.answers[name]) for name in whole.answers]
    return all(np.array_equal(one[rows], other) for one, other in columns)
