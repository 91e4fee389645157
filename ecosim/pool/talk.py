"""The pool's unit of work: a talk, one row that is asked one thing after another.

A talk's own text stands behind a prefix that many talks share. Its script is a generator: it yields what to ask next,
gets the reply, and ends when it knows enough. So a mind's logic (ask for a price only after "counter") is written as
plain sequential code for one row, and the engine is free to run many rows side by side.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from ecosim.fields import Array


@dataclass(frozen=True, slots=True)
class Ask:
    """Score options after some text, which continues what the talk holds so far."""

    text: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pick:
    """Score labels after some text that lists what they stand for: one token each, one forward, no other tokens.

    Attributes:
        labels: of `Engine.labels`, in the order of the options.
    """

    text: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Write:
    """Continue some text with one line of up to `max_tokens` tokens.

    Attributes:
        uniforms: a draw from (0, 1) a token, float64 (max_tokens,); the caller keys them by the row.
    """

    text: str
    max_tokens: int
    temperature: float
    uniforms: Array


@dataclass(frozen=True, slots=True)
class Scores:
    """Log-likelihood of each option (natural log, summed over its tokens), and the options' lengths in tokens.

    Of a Pick: the log of each label's chance among the labels offered; lengths are 1.

    Attributes:
        sums: float64 (options,), read-only: rows that asked the same may share them.
        lengths: int64 (options,).
        flops: nominal operations of this ask: of its own tokens behind what was read before, prefix not counted.
    """

    sums: Array
    lengths: Array
    flops: int


@dataclass(frozen=True, slots=True)
class Line:
    """A written line, the log-likelihood with which its tokens were drawn, and its nominal operations."""

    text: str
    logp: float
    flops: int


Asked = Ask | Pick | Write
"""Whatever a script may yield."""

Script = Generator[Asked, Scores | Line, None]


@dataclass(frozen=True, slots=True)
class Talk:
    """One row: a prefix shared with others, its own text, the script that asks, and the adapter that answers.

    Attributes:
        adapter: a name that the engine knows, or "" for the base model as it is.
    """

    prefix: str
    text: str
    script: Script
    adapter: str = ""
