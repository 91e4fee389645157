"""Where a mind is at its worst: agreement by scenario, by round, by item, and by quarter of every column it reads.

A mean hides the tail that makes a market break. Each column cuts the rows of a question into groups: words and numbers
of few values by value, other numbers by quarters (ends as they were found in these very rows), columns of slots by the
mean of their filled ones. Groups of fewer than `LEAST` rows are left out, as anything happens in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ecosim.fields import Array
from ecosim.training.cards.fidelity import scale
from ecosim.words import Question

LEAST = 30
"""Rows that a group must have to be told."""
MOST_VALUES = 12
"""A number with more values than this is cut into quarters."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A group of rows: what they have in common, how many there are, and the share that agrees."""

    name: str
    rows: int
    agreement: float


def worst(questions: Sequence[Question], scenarios: Sequence[str], agrees: Array, most: int = 8) -> list[Slice]:
    """The groups with the lowest agreement, lowest first.

    Args:
        questions: whose rows, one after another, are those of `agrees`; their roles and steps may differ.
        scenarios: where each was asked.
        agrees: bool (rows,).
        most: how many are told.
    """
    counts = [question.num_rows for question in questions]
    cuts = {"scenario": np.repeat(np.array(scenarios, object), counts)}
    cuts["role"] = np.repeat(np.array([question.role for question in questions], object), counts)
    names = dict.fromkeys(name for question in questions for name in question.columns)
    for name in names:
        cuts[name] = np.concatenate([_column(question, name) for question in questions])
    units = {name: unit for question in questions for name, unit in question.units.items()}
    found = [
        Slice(f"{name} {word}", int(mine.sum()), float(agrees[mine].mean()))
        for name, column in cuts.items()
        for word, mine in _groups(column, units.get(name, ""))
        if LEAST <= mine.sum() < len(agrees)
    ]
    return sorted(found, key=lambda one: (one.agreement, -one.rows, one.name))[:most]


def _column(question: Question, name: str) -> Array:
    """One value a row; nan or None where the question has no such column."""
    n = question.num_rows
    if name not in question.columns:
        return np.full(n, None, object)
    column = question[name]
    if column.ndim == 1:
        return column.astype(object) if column.dtype == object else column.astype(np.float64)
    if column.dtype == object:
        return np.full(n, None, object)
    mask = question.masks.get(name, np.ones(column.shape, bool))
    filled = mask.sum(axis=1)
    total = np.where(mask, column, 0).sum(axis=1)
    return np.where(filled > 0, total / np.maximum(filled, 1), np.nan)


def _groups(column: Array, unit: str) -> list[tuple[str, Array]]:
    """What each group has in common, and which rows it has."""
    words = np.array([isinstance(value, str) for value in column.tolist()])
    if words.any():
        texts = column.astype(str)
        known = sorted(set(texts[words].tolist()))
        return [(f"= {word}", words & (texts == word)) for word in known] if len(known) <= MOST_VALUES else []
    numbers = np.array([np.nan if value is None else float(value) for value in column.tolist()])
    there = np.isfinite(numbers)
    values = np.unique(numbers[there])
    factor = scale(unit)
    if len(values) <= MOST_VALUES:
        return [(f"= {value * factor:g}", numbers == value) for value in values.tolist()]
    ends = np.unique(np.quantile(numbers[there], [0, 0.25, 0.5, 0.75, 1]))
    found = []
    for low, high in pairwise(ends.tolist()):
        mine = there & (numbers >= low) & ((numbers < high) | (high == ends[-1]))
        found.append((f"{low * factor:.4g} … {high * factor:.4g}", mine))
    return found
