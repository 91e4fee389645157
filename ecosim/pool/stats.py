"""What the pool did, counted as it goes; never part of a digest."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields


@dataclass(slots=True)
class Stats:
    """Counts that can be added up.

    Attributes:
        talks, decisions: rows asked, answers given (a row is asked one field after another).
        memo_hits: of these answers, those found in the memo or shared with an equal row of the batch.
        prefix_hits: of the rows that went to the model, those whose prefix had been read before.
        batches, rows: forwards, prefixes and steps of writing included, and the rows in them.
        useful_tokens, padded_tokens: read for answers, without and with the padding of the batches.
        prefix_tokens, cached_prefix_tokens: of shared prefixes: computed, and spared by prefix hits.
        memo_tokens: spared by memo hits: of the rows' own questions, prefixes not counted.
        written_tokens: sampled.
        flops: analytic operations on useful and prefix tokens; padding and cached tokens are not work.
        seconds: of wall time inside the pool; model_seconds of it in forwards and heads.
    """

    talks: int = 0
    decisions: int = 0
    memo_hits: int = 0
    prefix_hits: int = 0
    batches: int = 0
    rows: int = 0
    useful_tokens: int = 0
    padded_tokens: int = 0
    prefix_tokens: int = 0
    cached_prefix_tokens: int = 0
    memo_tokens: int = 0
    written_tokens: int = 0
    flops: int = 0
    seconds: float = 0.0
    model_seconds: float = 0.0

    def __add__(self, other: Stats) -> Stats:
        return Stats(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})

    def __sub__(self, other: Stats) -> Stats:
        return Stats(**{f.name: getattr(self, f.name) - getattr(other, f.name) for f in fields(self)})

    @property
    def occupancy(self) -> float:
        """Useful ÷ padded tokens; 1 if nothing was read."""
        return self.useful_tokens / self.padded_tokens if self.padded_tokens else 1.0

    def as_dict(self) -> dict[str, int | float]:
        """Plain data, with `occupancy`."""
        return {**asdict(self), "occupancy": self.occupancy}


@dataclass(frozen=True, slots=True)
class Cost:
    """Analytic operations of a decoder: two a parameter and token, plus attention and head.

    Attributes:
        core: per token through the layers.
        pair: per (query, key) pair that attention looks at, over all layers.
        head: per position whose next token is scored.
        label: per label that is scored: one row of the head.
    """

    core: int
    pair: int
    head: int
    label: int = 0

    def of(self, tokens: int, pairs: int, heads: int) -> int:
        """Operations for so many tokens, pairs and head positions."""
        return self.core * tokens + self.pair * pairs + self.head * heads
