"""Questions with a teacher's answers as examples: the very tokens that the pool would send, and what should follow.

A language mind's talks are run as the pool runs them, but the teacher replies instead of the model: each field's
answer is forced, and what the talk would have read is noted. So training and asking can't drift apart: frame, prompts,
labels and later fields that see earlier answers come from one place.

A field asked by letters gives a target among its letters. A number between two values of the menu counts for both, by
how near it is; later fields then see the nearer. A field asked in words, or a text, gives its own tokens as targets
among the whole vocabulary.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecosim.errors import TrainingError
from ecosim.fields import Array, Bucket, Choice
from ecosim.minds.language import LanguageMind, Sheet, menu_of
from ecosim.pool.row import Row
from ecosim.pool.talk import Ask, Line, Pick, Scores, Write
from ecosim.words import Question

Ids = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """What should follow one token of an example.

    Attributes:
        field: whose answer it is.
        place: index of the token, in the row's own ids; the target follows it.
        tokens: the ids among which is chosen; one for a text, which competes with the whole vocabulary.
        chances: of each of them, summing to 1.
        is_label: chosen among `tokens` alone.
    """

    field: str
    place: int
    tokens: Ids
    chances: tuple[float, ...]
    is_label: bool


@dataclass(frozen=True, slots=True)
class Example:
    """One row: ids of the prefix that it shares with others, its own ids, and the targets.

    Attributes:
        weight: of its targets in the loss, ≥ 0.
    """

    prefix: Ids
    ids: Ids
    targets: tuple[Target, ...]
    weight: float = 1.0


def examples(
    mind: LanguageMind,
    question: Question,
    answers: Mapping[str, Array],
    *,
    chances: Mapping[str, Array] | None = None,
    weights: Array | None = None,
    fields: Sequence[str] | None = None,
) -> list[Example]:
    """The rows of a question as a mind would read them, with a teacher's answers as targets.

    Args:
        mind: how it is asked (its cards, its frame, its model's tokens); its model is not run.
        answers: of the teacher, by field, as `Decision.answers`.
        chances: of the options of a Choice, float (rows, options), where the teacher is not sure.
        weights: of the rows, float (rows,), ≥ 0; a row of weight 0 is left out.
        fields: the targets wanted; all if not said. The others are read, not learnt.

    Raises:
        ValueError: the teacher's answer to a row is not among the legal ones.
        CatalogError: there is no card for the question, or the card does not fit it.
    """
    talks, sheets = mind.talks(question)
    place = {id(talk): i for i, talk in enumerate(talks)}
    scale = np.ones(question.num_rows) if weights is None else weights
    found = []
    for row in mind.engine.hearing.start(talks):
        i = place[id(row.talk)]
        if scale[i] > 0:
            teacher = _Teacher(mind, question, i, answers, chances or {})
            example = teacher.talk(row, sheets[i], float(scale[i]))
            kept = tuple(t for t in example.targets if fields is None or t.field in fields)
            if kept:
                found.append(Example(example.prefix, example.ids, kept, example.weight))
    return found


def write(path: Path, examples: Sequence[Example]) -> None:
    """Examples as a file, one a line."""
    with path.open("w", encoding="utf-8") as file:
        for example in examples:
            file.write(json.dumps(asdict(example)) + "\n")


def read(path: Path) -> list[Example]:
    """The examples in a file.

    Raises:
        TrainingError: the file is missing, or a line of it is no example.
    """
    try:
        with path.open(encoding="utf-8") as file:
            return [_example(json.loads(line)) for line in file]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise TrainingError(f"{path}: no examples: {error}; make them anew: ecosim models data") from error


def _example(entry: Mapping[str, Any]) -> Example:
    targets = tuple(
        Target(t["field"], t["place"], tuple(t["tokens"]), tuple(t["chances"]), t["is_label"]) for t in entry["targets"]
    )
    return Example(tuple(entry["prefix"]), tuple(entry["ids"]), targets, entry["weight"])


@dataclass(slots=True)
class _Teacher:
    """Replies to the talk of one row with what it knows to be right."""

    mind: LanguageMind
    question: Question
    i: int
    answers: Mapping[str, Array]
    chances: Mapping[str, Array]

    def talk(self, row: Row, sheet: Sheet, weight: float) -> Example:
        """Reply until the talk ends."""
        hearing = self.mind.engine.hearing
        ids: list[int] = []
        targets: list[Target] = []
        said: Ids = ()  # what should follow, in tokens, where the answer is not one letter
        name = ""
        while True:
            asked, heard = row.asked, row.segments[-1].ids.tolist()
            targets += _spelt(name, said, heard, len(ids))
            ids += heard
            spec: Any = next(f for f in self.question.fields if f.name not in sheet.answers)
            name, said = spec.name, ()
            if isinstance(asked, Write):
                text = str(self.answers[name][self.i])
                said = hearing.ids(f" {text}\n")
                reply: Scores | Line = Line(text, 0.0, 0)
            else:
                values, shares = self._shares(spec)
                pick = int(np.argmax(shares))
                if isinstance(asked, Pick):
                    letters = tuple(row.segments[-1].labels.tolist())
                    targets.append(Target(name, len(ids) - 1, letters, tuple(shares.tolist()), True))
                else:
                    assert isinstance(asked, Ask)
                    said = hearing.ids(asked.options[pick])
                reply = Scores(np.where(np.arange(len(values)) == pick, 0.0, -1e9), np.ones(len(values), np.int64), 0)
            try:
                row.asked = row.talk.script.send(reply)
            except StopIteration:
                break
            hearing.spell([row])
        targets += _spelt(name, said, list(said), len(ids))
        return Example(row.prefix, (*ids, *said), tuple(targets), weight)

    def _shares(self, spec: Choice | Bucket) -> tuple[Array, Array]:
        """The values offered to this row, and the chance that the teacher gives each."""
        ask = self.mind.cards[self.question.role].questions[self.question.phase]
        values = np.array(menu_of(spec, self.i, {**ask.fields, **ask.may_ask}[spec.name], self.question)[0])
        answer = int(self.answers[spec.name][self.i])
        if isinstance(spec, Bucket):
            return values, _between(values, answer)
        shares = (
            self.chances[spec.name][self.i][values].astype(np.float64)
            if spec.name in self.chances
            else (values == answer).astype(np.float64)
        )
        if shares.sum() <= 0:
            raise ValueError(
                f"{self.question.name}, row {self.i}: the teacher answers {answer} to {spec.name!r}, which is not "
                f"offered: {spec.describe(self.i)}"
            )
        return values, shares / shares.sum()


def _between(values: Array, answer: int) -> Array:
    """Chances of values in ascending order: of the two around an answer, by how near they are.

    >>> _between(np.array([0, 10, 20]), 12)
    array([0. , 0.8, 0.2])
    """
    shares = np.zeros(len(values))
    above = int(np.searchsorted(values, answer))
    if above == 0 or above == len(values) or values[above] == answer:
        shares[min(above, len(values) - 1)] = 1.0
        return shares
    low, high = int(values[above - 1]), int(values[above])
    shares[above] = (answer - low) / (high - low)
    shares[above - 1] = 1.0 - shares[above]
    return shares


def _spelt(name: str, said: Ids, heard: Sequence[int], start: int) -> list[Target]:
    """The tokens of an answer as targets, as far as they are read again as they were said; `start` is where."""
    found = []
    for k, token in enumerate(said):
        if k >= len(heard) or heard[k] != token:
            break
        found.append(Target(name, start + k - 1, (token,), (1.0,), False))
    return found
