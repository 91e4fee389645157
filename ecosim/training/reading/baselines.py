"""What a trained reader is held against: classic learners on the same texts, and readers by rule.

Both learners get more help than the reader: names of firms in the text are replaced by their slot (so that unseen names
cost nothing), the rival's name by a word, weeks by how far ahead they are, and records come as numbers beside the text,
their difference among them. Each field has a logistic regression of its own, on TF-IDF of one to three words or on
MiniLM's vectors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np

from ecosim.fields import NOT_ASKED, Array, Bucket, Choice
from ecosim.training.reading.texts import Readings
from ecosim.words import Answers, Question

FIELDS = ("news", "kind", "who", "week", "believe")
_STRENGTH = 10.0
"""Inverse of the pull to zero of the regressions."""
_WEEK = re.compile(r"\bweek (\d+)")


def masked(question: Question) -> list[str]:
    """Texts with firms, rival and weeks replaced by what they are in their row."""
    rivals = question["rival"].tolist() if "rival" in question.columns else [""] * question.num_rows
    rows = zip(
        question["text"].tolist(), question["firm_name"].tolist(), rivals, question["this_week"].tolist(), strict=True
    )
    return [_masked(*row) for row in rows]


def _masked(text: str, names: list[str], rival: str, now: int) -> str:
    text = text.partition(": ")[2]
    places = {name: f"firm{slot}" for slot, name in enumerate(names) if name}
    for name in sorted(places, key=len, reverse=True):
        text = re.sub(rf"\b{re.escape(name)}(?!\w)", places[name], text)
    text = text.replace(f"the {rival}", "the rival").replace(f"The {rival}", "The rival") if rival else text
    return _WEEK.sub(lambda match: f"ahead{int(match[1]) - now}", text)


def numbers(question: Question) -> Array:
    """What stands beside the text: both records, whether there are two, and their difference, (rows, 4)."""
    record = question["source_record"]
    if "rival" not in question.columns:
        return np.stack([record, 0 * record, 0 * record, 0 * record], axis=1)
    other = question["rival_record"]
    is_two = question["rival"] != ""
    return np.stack([record, other, is_two.astype(np.float64), np.where(is_two, record - other, 0.0)], axis=1)


class Learner:
    """A logistic regression a field.

    Args:
        kind: `tfidf` or `minilm`, how texts become numbers.
    """

    def __init__(self, kind: Literal["tfidf", "minilm"]) -> None:
        self.kind = kind
        self._models: dict[str, Any] = {}
        self._see: Callable[[Question], Any] | None = None

    def learn(self, readings: Readings) -> Learner:
        """Fit all fields; those behind "yes" on rows that report something."""
        from sklearn.linear_model import LogisticRegression

        self._see = _tfidf(readings.question) if self.kind == "tfidf" else _minilm()
        seen, news = self._see(readings.question), readings.answers["news"] == 1
        for name in FIELDS:
            rows = np.ones(len(news), bool) if name == "news" else news
            model = LogisticRegression(C=_STRENGTH, max_iter=400)
            self._models[name] = model.fit(seen[rows], _relative(readings.question, name, readings.answers[name])[rows])
        return self

    def answers(self, question: Question) -> Answers:
        """The likeliest legal answers, row for row."""
        assert self._see is not None
        if not question.num_rows:
            return {name: np.zeros(0, np.int64) for name in FIELDS}
        seen = self._see(question)
        found = {name: self._best(question, name, seen) for name in FIELDS}
        is_news = found["news"] == 1
        return {n: a if n == "news" else np.where(is_news, a, NOT_ASKED) for n, a in found.items()}

    def _best(self, question: Question, name: str, seen: Any) -> Array:
        model, spec = self._models[name], question.field(name)
        chance = model.predict_proba(seen)
        if isinstance(spec, Bucket):
            ahead = model.classes_[chance.argmax(axis=1)]
            return spec.snap(question["this_week"] + ahead)
        assert isinstance(spec, Choice)
        legal = np.zeros(chance.shape)
        for k, option in enumerate(model.classes_):
            if option < len(spec.options):
                legal[:, k] = spec.allowed[:, option]
        return np.asarray(model.classes_[np.where(legal > 0, chance, -1.0).argmax(axis=1)])


def _relative(question: Question, name: str, answer: Array) -> Array:
    return answer - question["this_week"] if name == "week" else answer


def _tfidf(question: Question) -> Callable[[Question], Any]:
    from scipy.sparse import csr_matrix, hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(ngram_range=(1, 3), min_df=2, sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
    words.fit(masked(question))
    return lambda asked: hstack([words.transform(masked(asked)), csr_matrix(numbers(asked))]).tocsr()


def _minilm() -> Callable[[Question], Any]:
    from ecosim.models.encoder import SCALE, Encoder

    encoder = Encoder()
    return lambda asked: np.hstack([encoder.embed(masked(asked)) / SCALE, numbers(asked)])


def right(readings: Readings, answers: Mapping[str, Array]) -> dict[str, Array]:
    """Which rows are answered right, by field (True where a field is rightly not asked), and `belief`: all of them."""
    found = {name: np.asarray(answers[name] == readings.answers[name]) for name in FIELDS}
    return {**found, "belief": np.logical_and.reduce(list(found.values()))}
