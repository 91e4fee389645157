"""The control that costs nothing: gradient-boosted trees on the very columns that a mind is shown.

Every column of a question becomes features: numbers as they are, slots one by one (nan where a slot is empty), words by
their place in the training rows' vocabulary; where numbers share a unit with the answer, nothing is scaled, as trees
don't care. A Choice is classified among the legal options; a Bucket is regressed twice, in its own unit and as a share
of the row's legal range, and whichever came nearer on rows set aside is kept.

Only here is scikit-learn imported; it comes with `pip install "ecosim[train]"`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecosim.errors import CatalogError
from ecosim.fields import NOT_ASKED, Array, Bucket, Choice, Text, asked
from ecosim.training.cards.controls import nearest
from ecosim.words import Decision, Question

ROUNDS = 150
"""Trees a class: more moves nothing on the tables of these worlds."""
_ASIDE = 5  # every fifth row is set aside, to choose between two ways to regress
_LEAF = 5  # fewest rows of a leaf: teachers are rules, and rules have corners


class Boosted:
    """Gradient boosting that stands for a teacher.

    Args:
        questions: of training seeds, of any phases.
        decisions: the teacher's answers to them.
        rounds: trees a class.

    Raises:
        CatalogError: scikit-learn is not installed.
    """

    grade = "boosted"
    name = "boosted"

    def __init__(self, questions: Sequence[Question], decisions: Sequence[Decision], rounds: int = ROUNDS) -> None:
        self._features: dict[str, _Features] = {}
        self._fields: dict[tuple[str, str], _Chosen | _Valued] = {}
        hashed = hashlib.sha256(str(rounds).encode())
        for phase in dict.fromkeys(question.phase for question in questions):
            pairs = [(q, d) for q, d in zip(questions, decisions, strict=True) if q.phase == phase]
            features = self._features[phase] = _Features([question for question, _ in pairs])
            x = np.concatenate([features.of(question, {}) for question, _ in pairs])
            for name in dict.fromkeys(spec.name for question, _ in pairs for spec in question.fields):
                some = [(q, d) for q, d in pairs if any(spec.name == name for spec in q.fields)]
                made = _fitted(name, some, features, rounds)
                if made is not None:
                    self._fields[phase, name] = made
            hashed.update(x.tobytes())
        self.fingerprint = hashed.hexdigest()

    def decide(self, question: Question) -> Decision:
        """The likeliest legal answer to each field, later fields seeing earlier answers."""
        n = question.num_rows
        features = self._features[question.phase]
        answers: dict[str, Array] = {}
        logp, margin = np.zeros(n), np.full(n, np.inf)
        for spec in question.fields:
            wanted = asked(spec, answers, n)
            if isinstance(spec, Text):
                answers[spec.name] = np.full(n, "", object)
                continue
            model = self._fields.get((question.phase, spec.name))
            x = features.of(question, answers)
            if isinstance(spec, Choice):
                chance = np.where(spec.allowed, 1e-9, 0.0)
                if isinstance(model, _Chosen):
                    chance = chance + model.chances(x, len(spec.options)) * spec.allowed
                chance /= chance.sum(axis=1, keepdims=True)
                found = chance.argmax(axis=1)
                logp += np.where(wanted, np.log(chance[np.arange(n), found]), 0.0)
                if spec is question.fields[0] and chance.shape[1] > 1:
                    top = np.sort(chance, axis=1)[:, -2:]
                    with np.errstate(divide="ignore"):
                        margin = np.log(top[:, 1]) - np.log(top[:, 0])
            else:
                found = nearest(spec, model.values(x, spec) if isinstance(model, _Valued) else spec.low)
            answers[spec.name] = np.where(wanted, found, NOT_ASKED)
        return Decision(answers=answers, logp=logp, margin=margin, flops=np.zeros(n, np.int64))


class _Features:
    """From a question's columns to numbers: the same places in every question of a phase."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self.width: dict[str, int] = {}
        self.words: dict[str, dict[str, int]] = {}
        self.answers = list(
            dict.fromkeys(spec.name for question in questions for spec in question.fields if not isinstance(spec, Text))
        )
        for question in questions:
            for name, column in question.columns.items():
                width = column.shape[1] if column.ndim == 2 else 1
                self.width[name] = max(width, self.width.get(name, 0))
                if column.dtype == object:
                    known = self.words.setdefault(name, {})
                    for word in np.unique(column.astype(str)).tolist():
                        known.setdefault(word, len(known))

    def of(self, question: Question, so_far: dict[str, Array]) -> Array:
        """float64 (rows, features): columns first, then the answers so far."""
        n = question.num_rows
        parts = [self._column(question, name, width) for name, width in self.width.items()]
        nothing = np.full(n, NOT_ASKED)
        given = [so_far.get(name, nothing) for name in self.answers]
        said = [np.where(column == NOT_ASKED, np.nan, column) for column in given]
        return np.column_stack([*parts, *said]).astype(np.float64)

    def _column(self, question: Question, name: str, width: int) -> Array:
        n = question.num_rows
        out = np.full((n, width), np.nan)
        if name not in question.columns:
            return out
        column = question[name]
        if column.dtype == object:
            known = self.words.get(name, {})
            column = np.vectorize(lambda word: known.get(str(word), -1), otypes=[np.float64])(column)
        column = column.reshape(n, -1)[:, :width].astype(np.float64)
        if name in question.masks:
            column = np.where(question.masks[name][:, :width], column, np.nan)
        out[:, : column.shape[1]] = column
        return out


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A classifier, or the only class that there was."""

    model: Any
    classes: Array

    def chances(self, x: Array, num_options: int) -> Array:
        """float64 (rows, options)."""
        out = np.zeros((len(x), num_options))
        found = np.ones((len(x), 1)) if self.model is None else self.model.predict_proba(x)
        for k, option in enumerate(self.classes.tolist()):
            if option < num_options:
                out[:, option] = found[:, k]
        return out


@dataclass(frozen=True, slots=True)
class _Valued:
    """A regression of values, or of their place in the legal range."""

    model: Any
    is_share: bool

    def values(self, x: Array, spec: Bucket) -> Array:
        """float64 (rows,)."""
        found = self.model.predict(x)
        return spec.low + found * (spec.high - spec.low) if self.is_share else found


def _fitted(
    name: str, pairs: Sequence[tuple[Question, Decision]], features: _Features, rounds: int
) -> _Chosen | _Valued | None:
    """The model of one field; None where it was never asked, or is a text."""
    boosting = _scikit()
    xs, ys, lows, ranges = [], [], [], []
    for question, decision in pairs:
        spec = question.field(name)
        if isinstance(spec, Text):
            return None
        mine = np.flatnonzero(asked(spec, decision.answers, question.num_rows))
        names = [one.name for one in question.fields]
        before = {one: decision.answers[one] for one in names[: names.index(name)]}
        xs.append(features.of(question, before)[mine])
        ys.append(decision.answers[name][mine])
        if isinstance(spec, Bucket):
            lows.append(spec.low[mine])
            ranges.append(np.maximum(spec.high - spec.low, 1)[mine])
    x, y = np.concatenate(xs), np.concatenate(ys)
    if len(y) == 0:
        return None
    aside = np.arange(len(y)) % _ASIDE == 0
    for part in (aside, ~aside):
        x[:, np.isnan(x[part]).all(axis=0)] = 0.0  # a column of nothing can't be binned; a constant one never splits
    how = {"max_iter": rounds, "min_samples_leaf": _LEAF, "random_state": 0, "early_stopping": False}
    if not lows:
        classes = np.unique(y)
        model = boosting.HistGradientBoostingClassifier(**how).fit(x, y) if len(classes) > 1 else None
        return _Chosen(model, classes)
    low, width = np.concatenate(lows), np.concatenate(ranges)
    share = (y - low) / width
    kinds = [(False, y.astype(np.float64)), (True, share)]
    if aside.all() or len(y) < 2 * _ASIDE:
        return _Valued(boosting.HistGradientBoostingRegressor(**how).fit(x, kinds[0][1]), False)
    misses = []
    for is_share, target in kinds:
        found = boosting.HistGradientBoostingRegressor(**how).fit(x[~aside], target[~aside]).predict(x[aside])
        value = low[aside] + found * width[aside] if is_share else found
        misses.append(np.abs(value - y[aside]).mean())
    is_share, target = kinds[int(np.argmin(misses))]
    return _Valued(boosting.HistGradientBoostingRegressor(**how).fit(x, target), is_share)


def _scikit() -> Any:
    try:
        from sklearn import ensemble
    except ImportError as error:
        raise CatalogError('a report card needs scikit-learn: pip install "ecosim[train]"') from error
    return ensemble
