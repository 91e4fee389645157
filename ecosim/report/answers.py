"""What language minds saw and how they scored what they could answer: how sure they were, and answers verbatim."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ecosim.report.parts import Asked, Cell, Grid, Note, Option, Part, Section, heads
from ecosim.report.source import Source
from ecosim.report.words import number, plural, short, shown

ANSWERS = "answers"
MAX_SCORED = 5000
"""Answers of a question's field that sureness is taken from; the first ones, and the table says so."""
MAX_PROMPT, MAX_ANSWER, MAX_OPTIONS = 6_000, 300, 60
"""Characters of a prompt and an answer, and answers offered, that are shown."""
_COLUMNS = ("question", "field", "answer", "options", "scores")


def section(source: Source) -> Section | None:
    """How sure the language minds were; None where none answered, or nothing of it was kept."""
    answers = source.events(ANSWERS, _COLUMNS)
    if answers.empty:
        return None
    rows = [
        _row(str(question), str(field), part)
        for (question, field), part in answers.groupby(["question", "field"], sort=False)
    ]
    note = (
        "Sureness is 1 − entropy of the softmax of the scores ÷ entropy of a uniform guess, mean over answers: 0 % is "
        "a coin toss among the options, 100 % is certainty. It says nothing about whether the answer was a good one."
    )
    if any(len(part) > MAX_SCORED for _, part in answers.groupby(["question", "field"])):
        note += f" It is taken from the first {MAX_SCORED:,} answers of each field."
    names = ("question", "field", "answers", "options", "sureness", "most frequent answer", "its share")
    grid = Grid(heads(*names, numbers="answers,options,sureness,its share"), tuple(rows), note)
    lead = "What the language models in the seats were asked, and how sure they were of what they chose."
    parts: list[Part] = [grid]
    if "untrained" in source.language_grades():
        parts.append(Note(UNTRAINED))
    return Section("language", "Language minds", lead, tuple(parts))


UNTRAINED = (
    "Untrained means: a general language model, never shown this task. What it chooses follows the likelihood of "
    "words more than the member’s interest, and is often near chance. It is the floor that trained specialists are "
    "measured against."
)


def asked(rows: pd.DataFrame) -> tuple[Asked, ...]:
    """The fields of one decision in the order asked; a prompt that goes on from the one before shows what is new."""
    found, before = [], ""
    for row in rows.itertuples():
        prompt = str(row.prompt)
        continues = bool(before) and prompt.startswith(before)
        new = prompt[len(before) :] if continues else prompt
        all_options = options(row)
        kept = tuple(o for i, o in enumerate(all_options) if i < MAX_OPTIONS or o.is_chosen)
        left = len(all_options) - len(kept)
        found.append(
            Asked(str(row.field), shown(new, MAX_PROMPT), continues, shown(str(row.answer), MAX_ANSWER), kept, left)
        )
        before = prompt
    return tuple(found)


def options(row: Any) -> tuple[Option, ...]:
    """The answers offered, their scores as recorded, and their shares under softmax; empty for free text.

    A server elsewhere tells no scores: of what it was offered the answer alone is shown.
    """
    texts, scores = json.loads(row.options), json.loads(row.scores)
    if not scores:
        return ()
    shares = softmax(scores)
    return tuple(
        Option(
            shown(str(text), MAX_ANSWER),
            f"{score:.3f}".replace("-", "−"),
            repr(score),
            100 * float(share),
            str(text) == row.answer,
        )
        for text, score, share in zip(texts, scores, shares, strict=True)
    )


def softmax(scores: Sequence[float]) -> np.ndarray[Any, Any]:
    """Chances in proportion to exp(score).

    >>> softmax([0.0, 0.0]).tolist()
    [0.5, 0.5]
    """
    weights = np.exp(np.array(scores) - max(scores))
    return np.asarray(weights / weights.sum())


def sureness(scores: Sequence[float]) -> float:
    """1 − entropy of the chances ÷ entropy of a uniform guess; nan where there is nothing to choose.

    >>> sureness([0.0, 0.0]), sureness([0.0, -1000.0]), sureness([0.0])
    (0.0, 1.0, nan)
    """
    if len(scores) < 2:
        return float("nan")
    shares = softmax(scores)
    entropy = -(shares * np.log(np.where(shares > 0, shares, 1.0))).sum()
    return float(1 - entropy / np.log(len(scores)))


def _row(question: str, field: str, part: pd.DataFrame) -> tuple[Cell, ...]:
    scores = [json.loads(text) for text in part["scores"].head(MAX_SCORED)]
    sure = [value for value in map(sureness, scores) if value == value]
    counts = part["answer"].value_counts()
    top = f"“{counts.index[0]}”"
    options = np.mean([len(json.loads(text)) for text in part["options"].head(MAX_SCORED)])
    return (
        Cell(question),
        Cell(field),
        Cell(f"{len(part):,}", "number"),
        Cell(number(float(options), 2) if options else "free text", "number"),
        Cell(f"{100 * float(np.mean(sure)):.0f} %" if sure else "–", "number"),
        Cell(short(top, 60), about=plural(len(counts), "different answer")),
        Cell(f"{100 * counts.iloc[0] / len(part):.0f} %", "number"),
    )
