"""A question asked again with one thing in it changed: the variants of a row, how they are chosen, and what comes back.

Only what the member *saw* changes: the fields, with what they allow, stay those of the row, and so does which slots of
a column are filled. So every variant is a question that could be put, and a change of the answer is a response to the
column alone. What is put in its place was seen by other members who were asked the same; where they are too few that
differ, it is the member's own value by `FACTORS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ecosim import seeds
from ecosim.errors import DecisionError, EcosimError
from ecosim.fields import NOT_ASKED, Array, Text
from ecosim.minds.router import merge
from ecosim.words import KEY, Decision, Mind, Question, Table

FACTORS = (0.0, 0.5, 0.9, 1.1, 1.5, 2.0)
"""What a value is multiplied by where peers are too few: nothing, ±50 %, ±10 %, double."""
MIN_PEERS = 4
"""Peers who saw something else, below which the member's own value is scaled."""
NOTHING = -1
"""In a column of whole numbers: there is none, such as the price of an offer that was not made."""
GRAINS = (10**6, 10**4, 1)
"""Units in which columns of millionths move: whole ones, hundredths, or as they are; the largest that fits them all."""
FINEST = 2.0**-20
"""How near to a limit a search comes, in spreads of the peers; columns of whole numbers are searched to the unit."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One thing changed.

    Attributes:
        slot: of a column with slots; -1 for the whole column.
        value: put there: a number or text, or an array for a column with slots as a whole.
    """

    column: str
    slot: int
    value: Any


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be put into one place of a row.

    Attributes:
        seen: what is there.
        peers: what other members saw there, one a row.
        draws: a number from (0, 1) a peer, keyed by the peer; the order in which they are taken.
        grain: the unit in which it moves; 0 for numbers with a fraction, flags and texts.
        is_flag: yes or no.
        is_name: a number that is none, an id, or nothing at all (`NOTHING`).
    """

    column: str
    slot: int
    seen: Any
    peers: Array
    draws: Array
    grain: int
    is_flag: bool
    is_name: bool

    @property
    def is_number(self) -> bool:
        """Numbers and flags; not texts and ids, nor all slots at once."""
        return np.ndim(self.seen) == 0 and not isinstance(self.seen, str) and not self.is_name

    def is_among_peers(self, value: Any) -> bool:
        """Whether a number lies within what peers and the member saw."""
        return bool(min([self.seen, *self.peers]) <= value <= max([self.seen, *self.peers]))

    @property
    def spread(self) -> float:
        """Standard deviation of what peers and the member saw."""
        return float(np.std(np.append(self.peers, self.seen).astype(float))) if self.is_number else 0.0

    def values(self, tries: int) -> tuple[list[Any], str]:
        """What is put there to see what it is worth, and its source: `peers`, `scaled`, `the other` (of a flag)."""
        differs = self._differs()
        if self.is_flag:
            return [1 - self.seen], "peers" if differs.any() else "the other"
        if differs.sum() >= MIN_PEERS:
            rows = np.flatnonzero(differs)
            return list(self.peers[rows[np.argsort(self.draws[rows], kind="stable")][:tries]]), "peers"
        return self._scaled(), "scaled"

    def grid(self, tries: int) -> list[Any]:
        """Values to find where the answer changes: of peers, the nearest on both sides among them, and scaled."""
        if self.is_flag:
            return [1 - self.seen]
        found = np.unique(self.peers[self._differs()])
        if not len(found):
            return sorted(self._scaled())
        near = np.searchsorted(found, self.seen)
        picked = {*np.linspace(0, len(found) - 1, min(tries, len(found))).astype(int).tolist()}
        picked |= {i for i in (int(near) - 1, int(near)) if 0 <= i < len(found)}
        return sorted({*(found[i].item() for i in picked), *self._scaled()})

    def middle(self, near: Any, far: Any) -> Any:
        """A value half-way, or None where nothing lies between."""
        if self.is_flag:
            return None
        if self.grain:
            half = abs(far - near) // self.grain // 2 * self.grain
            return (near + half if far > near else near - half) if half else None
        return (near + far) / 2 if abs(far - near) > FINEST * max(self.spread, abs(self.seen), 1e-9) else None

    def _differs(self) -> Array:
        same = self.peers == self.seen
        return ~(same.all(axis=1) if same.ndim == 2 else np.asarray(same, bool))

    def _scaled(self) -> list[Any]:
        if self.is_name or np.asarray(self.seen).dtype.kind not in "iuf":
            return []  # ids, texts, and truth values in slots
        if self.is_flag:
            return [1 - self.seen]
        values = [value for factor in FACTORS if not np.array_equal(value := self._times(factor), self.seen)]
        return values if np.ndim(self.seen) else list(dict.fromkeys(values))

    def _times(self, factor: float) -> Any:
        """The value by a factor, on the column's unit."""
        if not self.grain:
            return self.seen * factor
        whole = np.round(np.asarray(self.seen) * factor / self.grain).astype(np.int64) * self.grain
        return whole if whole.ndim else int(whole)


@dataclass(slots=True)
class Replies:
    """What a mind said to some variants.

    Attributes:
        decision: row for row.
        fails: reasons by row, where the mind failed and gave no answer.
    """

    decision: Decision
    fails: dict[int, str] = field(default_factory=dict)


def scopes(row: Question, peers: Sequence[Question]) -> list[Scope]:
    """A scope a column, in the question's order."""
    around = [question for question in peers if set(question.columns) == set(row.columns)]
    item = int(row.key["item"][0])
    same_item = [question.take(question.key["item"] == item) for question in around]
    if sum(question.num_rows for question in same_item) >= MIN_PEERS:
        around = same_item
    return [_scope(row, around, name) for name in row.columns]


def slots(row: Question, scope: Scope) -> Iterator[Scope]:
    """The places of a column where a search can go: itself, or each of its filled slots."""
    if not np.ndim(scope.seen):
        yield scope
        return
    for slot in np.flatnonzero(_mask(row, scope.column, scope.seen)):
        peers = scope.peers[:, slot]
        yield _place(row, scope.column, int(slot), scope.seen[slot], peers, scope.draws, scope.grain)


def varied(row: Question, variants: Sequence[Variant]) -> Question:
    """The row once a variant, with that one thing changed."""
    asked = row.take(np.zeros(len(variants), np.int64))  # copies, which may be written
    for i, variant in enumerate(variants):
        column = asked.columns[variant.column]
        if variant.slot < 0:
            column[i] = variant.value
        else:
            column[i, variant.slot] = variant.value
    return asked


def replies(mind: Mind, question: Question) -> Replies:
    """A mind's answers; where it fails on a batch, halves of it are asked until the rows at fault stand alone.

    Raises:
        CatalogError, PoolError: it can't answer whatever the row.
    """
    try:
        return Replies(mind.decide(question))
    except DecisionError as error:
        reason = str(error)
    except EcosimError:
        raise
    except Exception as error:  # a user's mind may raise anything; it is told as the reply to that row
        reason = f"{type(error).__name__}: {error}"
    if question.num_rows == 1:
        return Replies(_nothing(question), {0: reason})
    half = question.num_rows // 2
    parts = [np.arange(half), np.arange(half, question.num_rows)]
    found = [replies(mind, question.take(part)) for part in parts]
    fails = {int(part[i]): why for part, reply in zip(parts, found, strict=True) for i, why in reply.fails.items()}
    return Replies(merge(question, parts, [reply.decision for reply in found]), fails)


def _scope(row: Question, peers: Sequence[Question], name: str) -> Scope:
    own = row.columns[name][0]
    columns = [question.columns[name] for question in peers if question.num_rows]
    values = np.concatenate(columns) if columns else row.columns[name][:0]
    keys = Table({k: np.concatenate([q.key[k] for q in peers]) for k in ("replica", *KEY)}) if peers else Table({})
    draws = _draws(row, name, keys) if peers else np.zeros(0)
    if values.ndim == 2:
        masks = [_masks(question, name) for question in peers if question.num_rows]
        filled = np.concatenate(masks) if masks else np.zeros(values.shape, bool)
        values = np.where(filled & _mask(row, name, own), values, own)
    grain = _grain(np.append(values.reshape(-1), own), row.units.get(name, ""))
    if values.ndim == 2:
        return Scope(name, -1, own, values, draws, grain, is_flag=False, is_name=_is_name(row, name))
    return _place(row, name, -1, own, values, draws, grain)


def _place(row: Question, name: str, slot: int, own: Any, peers: Array, draws: Array, grain: int) -> Scope:
    """One value; where there is nothing, or a peer had nothing, there is nothing to put in its place."""
    has_none = peers.dtype.kind == "i" and own == NOTHING
    there = peers != NOTHING if peers.dtype.kind == "i" else np.ones(len(peers), bool)
    peers, draws = peers[there & (not has_none)], draws[there & (not has_none)]
    is_flag = _is_flag(row, name, peers, own)
    seen = own if isinstance(own, str) else int(own) if is_flag else own.item()
    return Scope(name, slot, seen, peers, draws, grain, is_flag, has_none or _is_name(row, name))


def _is_name(row: Question, name: str) -> bool:
    """Ids are no numbers: there is no half of one."""
    return row.units.get(name) == "id"


def _draws(row: Question, column: str, keys: Table) -> Array:
    """A number a peer, from the stream of what is only imagined."""
    seed = np.asarray(row.seed[:1])
    parts = (keys["replica"] * 2**20 + keys["subject"], keys["counterpart"], keys["item"], keys["round"])
    return seeds.uniform(seeds.IMAGINED, seed, row.step, f"why.{row.name}.{column}", parts)


def _is_flag(row: Question, name: str, values: Array, own: Any) -> bool:
    """Yes or no: a truth value, or a whole number without a unit that is 0 or 1 wherever it is seen."""
    if values.dtype == bool:
        return True
    return values.dtype.kind in "iu" and not row.units.get(name) and bool(np.isin(np.append(values, own), (0, 1)).all())


def _grain(values: Array, unit: str) -> int:
    if values.dtype.kind not in "iu":
        return 0
    return next(g for g in GRAINS if (values % g == 0).all()) if unit.endswith("/1e6") else 1


def _mask(row: Question, name: str, own: Array) -> Array:
    return row.masks[name][0] if name in row.masks else np.ones(len(own), bool)


def _masks(question: Question, name: str) -> Array:
    return question.masks.get(name, np.ones(question.columns[name].shape, bool))


def _nothing(question: Question) -> Decision:
    """In the place of an answer that was not given."""
    size = question.num_rows
    empty = {
        f.name: np.full(size, "", object) if isinstance(f, Text) else np.full(size, NOT_ASKED) for f in question.fields
    }
    return Decision(answers=empty, logp=np.zeros(size), margin=np.zeros(size), flops=np.zeros(size, np.int64))
