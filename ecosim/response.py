"""What a mind responds to: how its answer to one row changes with each thing that the row shows.

Two measures. *Worth*: a column is replaced, as a whole, by what others saw; how often the answer is another one, and by
how much. *Flips*: the nearest value of a number that gives another answer, looked for among what peers saw and then by
bisection between it and the nearest value that does not. Chance is held fixed: a variant has the row's key and seed, so
a mind that draws its answer draws with the same numbers. What is told is what the mind responds to, one thing at a
time, here; not what would have been good, and not how things act together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecosim.catalog import FieldCard
from ecosim.exact import MILLION
from ecosim.fields import NOT_ASKED, Array, Bucket, Choice, Text
from ecosim.variants import Replies, Scope, Variant, replies, scopes, slots, varied
from ecosim.words import Decision, Mind, Question, Table

_ROUNDS = 64
"""Bisections at most; whole numbers within 10**18 need no more."""


@dataclass(frozen=True, slots=True)
class Worth:
    """What a column was worth.

    Attributes:
        source: where the replacements came from: `peers`, `scaled`, `the other` (of a flag).
        tried: how many; those on which the mind failed are not among them.
        changed: share of them that gave another answer, 0 … 1; None if none was tried.
        logp_change: mean change of the log-chance of the answer given, natural log; None for minds that do not guess.
        moves: mean absolute change of the number answered, by field, in natural units.
    """

    column: str
    source: str
    tried: int
    changed: float | None
    logp_change: float | None
    moves: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Flip:
    """The nearest value found that gives another answer.

    Attributes:
        slot: of a column with slots, else -1.
        distance: from the value seen, in standard deviations of what peers saw; inf if they all saw the same.
        is_among_peers: whether it lies within what they saw; else it is farther than anyone stood.
        answer: what is answered otherwise, in words; fields that are no longer asked are left out.
    """

    column: str
    slot: int
    seen: Any
    needed: Any
    distance: float
    is_among_peers: bool
    answer: str


@dataclass(frozen=True, slots=True)
class Response:
    """What a mind responded to.

    Attributes:
        base: its answer to the row as it was, asked again.
        scored: the field whose scores `logp_change` is about; "" if there are none.
        flips: nearest first; `steady` are the places where none was found, with the least and the greatest value tried.
        asked: how many questions it took.
        fails: reasons why the mind did not answer, with how often; a place that it failed on is no flip.
    """

    base: Decision
    scored: str
    worth: tuple[Worth, ...]
    flips: tuple[Flip, ...]
    steady: tuple[tuple[str, int, Any, Any], ...]
    asked: int
    fails: Mapping[str, int]


def respond(
    mind: Mind, row: Question, peers: Sequence[Question], tries: int, asks: Mapping[str, FieldCard] | None = None
) -> Response:
    """Ask a mind the variants of a row.

    Args:
        row: one row.
        peers: the same question as others saw it.
        tries: replacements of a column, and values of a number on the first look, at most.
        asks: how a language mind is asked, by field.

    Raises:
        CatalogError, PoolError: the mind can't answer.
        DecisionError: it does not answer the row as it was.
    """
    return _Asking(mind, row, asks or {}).response(scopes(row, peers), tries)


@dataclass(slots=True)
class _Side:
    """A search on one side of a value: `near` gives the same answer, `far` another one."""

    scope: Scope
    near: Any
    far: Any
    answer: str = ""


class _Asking:
    """A mind, a row, and what was said so far."""

    def __init__(self, mind: Mind, row: Question, asks: Mapping[str, FieldCard]) -> None:
        self.mind, self.row, self.asks = mind, row, asks
        self.asked, self.fails = 1, dict[str, int]()
        self.base = mind.decide(row)
        self.scored, self.option = _scored(self.base.trace)

    def response(self, found: Sequence[Scope], tries: int) -> Response:
        chosen = [(scope, *scope.values(tries)) for scope in found]
        places = [place for scope in found for place in slots(self.row, scope) if place.is_number]
        grids = [place.grid(tries) for place in places]
        first = [Variant(scope.column, -1, value) for scope, values, _ in chosen for value in values]
        second = [Variant(p.column, p.slot, value) for p, grid in zip(places, grids, strict=True) for value in grid]
        said = self._ask([*first, *second])
        worth, at = [], 0
        for scope, values, source in chosen:
            worth.append(self._worth(scope.column, source, said, range(at, at + len(values))))
            at += len(values)
        sides = []
        for place, grid in zip(places, grids, strict=True):
            sides += self._sides(place, grid, said, at)
            at += len(grid)
        self._narrow(sides)
        flips = _nearest([self._flip(side) for side in sides])
        there = {(flip.column, flip.slot) for flip in flips}
        steady = [
            (p.column, p.slot, min([p.seen, *grid]), max([p.seen, *grid]))
            for p, grid in zip(places, grids, strict=True)
            if grid and (p.column, p.slot) not in there
        ]
        ranked = sorted(worth, key=lambda w: (-(w.changed or 0.0), -abs(w.logp_change or 0.0), w.tried == 0))
        return Response(self.base, self.scored, tuple(ranked), flips, tuple(steady), self.asked, self.fails)

    def _ask(self, variants: Sequence[Variant]) -> Replies:
        said = replies(self.mind, varied(self.row, variants)) if variants else Replies(self.base)
        self.asked += len(variants)
        for reason in said.fails.values():
            self.fails[reason] = self.fails.get(reason, 0) + 1
        return said

    def _is_other(self, said: Replies, i: int) -> bool:
        """Whether a variant got another answer; a failure is none."""
        mine = self.base.answers
        return i not in said.fails and any(said.decision.answers[name][i] != mine[name][0] for name in mine)

    def _news(self, said: Replies, i: int) -> str:
        """What is another answer to a variant, in words."""
        now, then = said.decision.answers, self.base.answers
        changed = [spec for spec in self.row.fields if now[spec.name][i] != then[spec.name][0]]
        return ", ".join(part for spec in changed if (part := in_words(spec, now[spec.name][i])))

    # ---- worth ----------------------------------------------------------------------------------------------------

    def _worth(self, column: str, source: str, said: Replies, where: range) -> Worth:
        rows = [i for i in where if i not in said.fails]
        changed = [self._is_other(said, i) for i in rows]
        share = float(np.mean(changed)) if rows else None
        return Worth(column, source, len(rows), share, self._logp_change(said, rows), self._moves(said, rows))

    def _logp_change(self, said: Replies, rows: Sequence[int]) -> float | None:
        if not self.scored or not rows:
            return None
        then = self._logp(self.base.trace)[0]
        now = self._logp(said.decision.trace)
        return float(np.mean([now[i] - then for i in rows]))

    def _logp(self, trace: Table | None) -> dict[int, float]:
        """The log-chance of the answer given, by row, under the card's own rule."""
        assert trace is not None, "a mind that traced one row traces all"
        ask = self.asks[self.scored]
        mine = np.flatnonzero(trace["field"] == self.scored)
        return {
            int(trace["row"][i]): float(log_chances(json.loads(trace["scores"][i]), ask)[self.option]) for i in mine
        }

    def _moves(self, said: Replies, rows: Sequence[int]) -> dict[str, float]:
        moves = {}
        for spec in self.row.fields:
            if isinstance(spec, Bucket) and (then := int(self.base.answers[spec.name][0])) != NOT_ASKED:
                now = said.decision.answers[spec.name][list(rows)]
                gaps = np.abs(now - then)[now != NOT_ASKED]
                if len(gaps):
                    moves[spec.name] = float(natural(gaps.mean(), spec.unit)[0])
        return moves

    # ---- flips ----------------------------------------------------------------------------------------------------

    def _sides(self, place: Scope, grid: Sequence[Any], said: Replies, at: int) -> list[_Side]:
        """Up to two searches: below the value seen, and above."""
        sides = []
        for side in (-1, 1):
            near = place.seen
            ways = sorted((abs(v - place.seen), v, at + i) for i, v in enumerate(grid) if (v - place.seen) * side > 0)
            for _, value, i in ways:
                if self._is_other(said, i):
                    sides.append(_Side(place, near, value, self._news(said, i)))
                    break
                near = value
        return sides

    def _narrow(self, sides: Sequence[_Side]) -> None:
        """Halve what lies between the nearest value that changes the answer and the last that does not."""
        for _ in range(_ROUNDS):
            halves = [(side, side.scope.middle(side.near, side.far)) for side in sides]
            going = [(side, value) for side, value in halves if value is not None]
            if not going:
                return
            said = self._ask([Variant(s.scope.column, s.scope.slot, value) for s, value in going])
            for i, (side, value) in enumerate(going):
                if self._is_other(said, i):
                    side.far, side.answer = value, self._news(said, i)
                else:
                    side.near = value

    def _flip(self, side: _Side) -> Flip:
        scope = side.scope
        gap = abs(side.far - scope.seen)
        distance = gap / scope.spread if scope.spread else np.inf
        among = scope.is_among_peers(side.far)
        return Flip(scope.column, scope.slot, scope.seen, side.far, float(distance), among, side.answer)


def log_chances(scores: Sequence[float], ask: FieldCard) -> Array:
    """The log of the chance of each option, by the card: softmax(score / temperature), temperature 1 for argmax."""
    heat = ask.temperature if ask.choose == "sample" else 1.0
    logits = (np.asarray(scores) - max(scores)) / heat
    return np.asarray(logits - np.log(np.exp(logits).sum()))


def natural(value: Any, unit: str) -> tuple[Any, str]:
    """A number, or an array of them, in its natural unit: millionths become wholes."""
    return (value / MILLION, unit.removesuffix("/1e6")) if unit.endswith("/1e6") else (value, unit)


def answer(row: Question, decision: Decision, i: int = 0) -> str:
    """The answers to one row in words: `act counter, price 12.4 EUR, quantity 57 units, week 2`."""
    parts = [part for spec in row.fields if (part := in_words(spec, decision.answers[spec.name][i]))]
    return ", ".join(parts)


def in_words(spec: Choice | Bucket | Text, value: Any) -> str:
    """One answer in words; nothing where it was not asked."""
    if isinstance(spec, Text):
        return f"{spec.name} “{value}”" if value else ""
    if value == NOT_ASKED:
        return ""
    if isinstance(spec, Choice):
        word = spec.options[value] if 0 <= value < len(spec.options) else f"option {value}"
        return f"{spec.name} {word}"
    number, unit = natural(int(value), spec.unit)
    return f"{spec.name} {number:.12g} {unit}".strip() if unit != f"{spec.name}s" else f"{spec.name} {number}"


def _scored(trace: Table | None) -> tuple[str, int]:
    """The first field in which a mind had something to weigh, and which option it took; "" if there is none."""
    if trace is None:
        return "", 0
    for i in range(trace.num_rows):
        options = json.loads(trace["options"][i])
        if len(options) > 1 and len(json.loads(trace["scores"][i])) == len(options):
            return str(trace["field"][i]), options.index(trace["answer"][i])
    return "", 0


def _nearest(flips: Sequence[Flip]) -> tuple[Flip, ...]:
    """The nearer of both sides for each place; nearest first."""
    best: dict[tuple[str, int], Flip] = {}
    for flip in sorted(flips, key=lambda f: (abs(f.needed - f.seen), f.needed)):
        best.setdefault((flip.column, flip.slot), flip)
    return tuple(sorted(best.values(), key=lambda f: (f.distance, f.column, f.slot)))
