"""What a member may answer: a Choice among words, a Bucket on a grid of integers, or a short Text.

A field holds its own rule for every row (`allowed`, or `low/high/step`), so that an illegal answer can be refused
where it is given, and a language mind can be shown nothing but legal answers. Answers are columns:

* Choice: int64 index into `options`;
* Bucket: int64 value on the row's grid low, low + step, … ≤ high (millionths for money and goods);
* Text:   Arrow strings.

A field may be asked only where an earlier Choice was answered in a certain way (`only_if`); elsewhere its answer is
`NOT_ASKED` (text: ""). The grid of a Bucket may be fine (a scripted mind orders 57 units); a language mind sees an
evenly spaced `menu` of it. That one grid serves both is what keeps the grades of minds comparable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

NOT_ASKED = -1
CHARS_PER_TOKEN = 64
"""Most characters of a Text for each token allowed: a bound on what a mind can put into a record, not a count of tokens
(of SmolLM2's 49,152 tokens, eight are longer, all of them spaces)."""

_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, ends of lines, marks that reverse the direction of writing, halves of surrogate pairs: what can
break a terminal, a file or a page."""


def is_plain(text: str) -> bool:
    """Whether a text is one line that nothing can take for more than that."""
    return _FORBIDDEN.search(text) is None


def one_line(text: str, max_tokens: int) -> str:
    r"""The first line of a text that says something, as a Text may hold it: "" if none does.

    >>> one_line("\n  A \x1b[31mred\ttitle \nand more", 12)
    'A [31mred title'
    """
    for line in text.splitlines():
        kept = " ".join(_FORBIDDEN.sub("", line.replace("\t", " ")).split())
        if kept:
            return kept[: CHARS_PER_TOKEN * max_tokens].rstrip()
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of `options`; `allowed` says which in each row, shape (rows, options)."""

    name: str
    options: tuple[str, ...]
    allowed: Array
    only_if: tuple[str, int] | None = None

    def take(self, rows: Array | slice) -> Choice:
        """The same field for some of the rows."""
        return Choice(name=self.name, options=self.options, allowed=self.allowed[rows], only_if=self.only_if)

    def illegal(self, answer: Array, asked: Array | None) -> Array:
        """Which rows hold an answer that the rule forbids, shape (rows,); `asked` is None where all rows are."""
        if len(answer) and self.allowed.strides[0] == 0:  # one rule for all rows, spread out by broadcasting
            rule = self.allowed[0]
            if rule.all() and answer.min() >= NOT_ASKED and answer.max() < len(self.options):
                return cast(Array, (answer < 0) if asked is None else (answer >= 0) != asked)
            in_range = (answer >= 0) & (answer < len(self.options))
            seen = in_range & rule[answer * in_range]
        else:
            in_range = (answer >= 0) & (answer < len(self.options))
            seen = in_range & self.allowed[np.arange(len(answer)), answer * in_range]
        return ~seen if asked is None else np.where(asked, ~seen, answer != NOT_ASKED)

    def describe(self, row: int) -> str:
        """The legal answers of one row, for a message."""
        return ", ".join(o for o, ok in zip(self.options, self.allowed[row], strict=True) if ok)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A number on a grid: low, low + step, … not above high; int64 columns of shape (rows,)."""

    name: str
    low: Array
    high: Array
    step: Array
    unit: str
    only_if: tuple[str, int] | None = None

    def take(self, rows: Array | slice) -> Bucket:
        """The same field for some of the rows."""
        low, high, step = self.low[rows], self.high[rows], self.step[rows]
        return Bucket(name=self.name, low=low, high=high, step=step, unit=self.unit, only_if=self.only_if)

    def illegal(self, answer: Array, asked: Array | None) -> Array:
        """Which rows hold an answer that the rule forbids, shape (rows,); `asked` is None where all rows are."""
        bad = (answer < self.low) | (answer > self.high) | ((answer - self.low) % self.step != 0)
        return bad if asked is None else np.where(asked, bad, answer != NOT_ASKED)

    def snap(self, wish: Array) -> Array:
        """The legal value at or below each wish (the lowest where the wish is lower), shape (rows,)."""
        inside = np.minimum(np.maximum(wish, self.low), self.high)
        return cast(Array, inside - (inside - self.low) % self.step)

    def menu(self, row: int, size: int) -> list[int]:
        """At most `size` legal values of one row, evenly spaced from its low to its high end, ascending."""
        low, step = int(self.low[row]), int(self.step[row])
        last = (int(self.high[row]) - low) // step
        if last < size:
            return [low + step * i for i in range(last + 1)]
        return [low + step * (last * i // (size - 1)) for i in range(size)]

    def describe(self, row: int) -> str:
        """The legal answers of one row, for a message."""
        return f"{int(self.low[row])} to {int(self.high[row])} in steps of {int(self.step[row])} {self.unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A short text of at most `max_tokens` tokens, one line."""

    name: str
    max_tokens: int
    only_if: tuple[str, int] | None = None

    def take(self, rows: Array | slice) -> Text:
        """The same field: it has no column."""
        return self

    def illegal(self, answer: Array, asked: Array | None) -> Array:
        """Which rows hold what the rule forbids: text where none was asked, several lines, control characters."""
        texts = answer.tolist()
        if asked is None:
            return np.array([self._bad(text) for text in texts], dtype=bool)
        return np.array([self._bad(t) if ok else t != "" for t, ok in zip(texts, asked, strict=True)], dtype=bool)

    def describe(self, row: int) -> str:
        """The legal answers, for a message."""
        return (
            f"one line of at most {self.max_tokens} tokens and {self.max_tokens * CHARS_PER_TOKEN:,} characters, "
            "without control characters"
        )

    def _bad(self, text: object) -> bool:
        if not isinstance(text, str) or len(text) > self.max_tokens * CHARS_PER_TOKEN:
            return True
        return _FORBIDDEN.search(text) is not None


Field = Choice | Bucket | Text


def asked(field: Field, answers: Mapping[str, Array], num_rows: int) -> Array:
    """In which rows a field is asked, given the answers to the fields before it, shape (rows,)."""
    if field.only_if is None:
        return np.ones(num_rows, dtype=bool)
    name, option = field.only_if
    return cast(Array, answers[name] == option)
