"""From a question's columns to the numbers that a nano network reads, and from answers to bins and back.

Only + − × ÷ of float64 are used, rounded to float32 once, so that a row is encoded to the same bits anywhere. A number
v on scale s is read as z = v/s in four ways: z itself (cut at ±10), z/(1 + |z|), 8z/(1 + 8|z|) (fine near zero), and
whether it is there at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ecosim import exact
from ecosim.errors import CatalogError
from ecosim.fields import NOT_ASKED, Array, Bucket, Choice, Text, asked
from ecosim.models.nano.derived import derive
from ecosim.models.nano.spec import FieldSpec, NanoSpec, QuestionSpec, Terms, parts, scale_parts
from ecosim.words import Question

FEATURES = 4
"""Numbers that the network reads for each number of a row."""

_CUT = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """Some rows of a question as a network reads them.

    Attributes:
        phase: which question of the role.
        x: what is read of each row, float32 (rows, features), token after token.
        slots: what is read of each option of a pointing field, float32 (rows, options, features).
        legal: which options may be answered, bool (rows, options); all True for bins.
        values: what the bins of a Bucket stand for, snapped to legal answers, int64 (rows, bins).
        fine: the same before snapping, float64 (rows, bins).
        asked: the fields that the question asks, in order.
    """

    phase: str
    x: Array
    slots: Mapping[str, Array] = field(default_factory=dict)
    legal: Mapping[str, Array] = field(default_factory=dict)
    values: Mapping[str, Array] = field(default_factory=dict)
    fine: Mapping[str, Array] = field(default_factory=dict)
    asked: tuple[str, ...] = ()

    @property
    def num_rows(self) -> int:
        """How many rows."""
        return len(self.x)

    def take(self, rows: Array | slice) -> Encoded:
        """Some of the rows."""
        cut = {n: {k: v[rows] for k, v in getattr(self, n).items()} for n in ("slots", "legal", "values", "fine")}
        return Encoded(phase=self.phase, x=self.x[rows], asked=self.asked, **cut)


def concat(parts_: Sequence[Encoded]) -> Encoded:
    """The rows of several questions of one phase; options are padded to the most there are, illegal ones.

    A field that some did not ask is filled: nothing of it is legal there.
    """
    first, names = parts_[0], {n: list(dict.fromkeys(k for p in parts_ for k in getattr(p, n))) for n in _COLUMNS}
    joined = {n: {k: _joined([(getattr(p, n).get(k), p.num_rows) for p in parts_]) for k in names[n]} for n in _COLUMNS}
    order = list(dict.fromkeys(name for p in parts_ for name in p.asked))
    return Encoded(phase=first.phase, x=np.concatenate([p.x for p in parts_]), asked=tuple(order), **joined)


_COLUMNS = ("slots", "legal", "values", "fine")


def _joined(columns: Sequence[tuple[Array | None, int]]) -> Array:
    there = [c for c, _ in columns if c is not None]
    options = max(c.shape[1] for c in there)
    shape = (options, *there[0].shape[2:])
    whole = np.zeros((sum(rows for _, rows in columns), *shape), there[0].dtype)
    at = 0
    for column, rows in columns:
        if column is not None:
            whole[at : at + rows, : column.shape[1]] = column
        at += rows
    return whole


def encode(spec: NanoSpec, question: Question) -> Encoded:
    """What a network reads of a question's rows.

    Raises:
        CatalogError: the network does not answer the question, or one of its fields, or knows other options.
    """
    card = _question_spec(spec, question)
    question = derive(question, card.derived)
    scales: dict[str, Array] = {}
    x = [_read(question, card, terms, scales) for terms in card.tokens.values()]
    slots, legal, values, fine = {}, {}, {}, {}
    for item in question.fields:
        how = card.fields[item.name]
        if isinstance(item, Bucket):
            fine[item.name] = _bins(how, question, item, scales)
            values[item.name] = _snapped(item, fine[item.name])
            legal[item.name] = np.ones(values[item.name].shape, bool)
        elif isinstance(item, Choice) and how.points:
            slots[item.name] = _pointed(question, how, len(item.options), scales)
            legal[item.name] = np.array(item.allowed, bool)
        elif isinstance(item, Choice):
            legal[item.name] = _allowed(spec, question, item, how)
    names = tuple(item.name for item in question.fields)
    return Encoded(
        phase=question.phase,
        x=np.concatenate(x, axis=1).astype(np.float32),
        slots=slots,
        legal=legal,
        values=values,
        fine=fine,
        asked=names,
    )


def targets(encoded: Encoded, question: Question, answers: Mapping[str, Array], spec: NanoSpec) -> dict[str, Array]:
    """Answers as chances over the network's options, float32 (rows, options); all 0 in rows that are not asked.

    An answer between two bins is shared between them in proportion to its nearness; beyond the last it is the last.
    """
    found = {}
    for item in question.fields:
        rows, where = np.arange(question.num_rows), asked(item, answers, question.num_rows)
        chances = np.zeros(encoded.legal[item.name].shape, np.float32)
        if isinstance(item, Bucket):
            fine = encoded.fine[item.name]
            wish = np.clip(answers[item.name].astype(np.float64), fine[:, 0], fine[:, -1])
            right = np.clip((fine < wish[:, None]).sum(axis=1), 1, fine.shape[1] - 1)
            low, high = fine[rows, right - 1], fine[rows, right]
            share = np.where(high > low, (wish - low) / np.where(high > low, high - low, 1.0), 0.0)
            chances[rows, right - 1] = 1 - share
            chances[rows, right] = share
        else:
            assert isinstance(item, Choice)
            place = to_place(spec.questions[question.phase].fields[item.name], item, answers[item.name])
            chances[rows, place] = 1.0
        chances[~where] = 0.0
        found[item.name] = chances
    return found


def to_place(how: FieldSpec, item: Choice, answer: Array) -> Array:
    """The network's option of each answer, int64 (rows,); 0 where nothing was answered."""
    if how.points:
        return np.where(answer == NOT_ASKED, 0, answer)
    known = np.array([how.options.index(word) for word in item.options], np.int64)
    return known[np.where(answer == NOT_ASKED, 0, answer)]


def to_answer(how: FieldSpec, item: Choice, place: Array) -> Array:
    """The answer behind each of the network's options, int64 (rows,)."""
    if how.points:
        return place
    back = np.full(len(how.options), NOT_ASKED)
    for answer, word in enumerate(item.options):
        back[how.options.index(word)] = answer
    return back[place]


def _question_spec(spec: NanoSpec, question: Question) -> QuestionSpec:
    """What the network knows of a question, if it fits."""
    where = f"nano network of {spec.role}"
    if question.role != spec.role or question.phase not in spec.questions:
        known = ", ".join(f"{spec.role}.{phase}" for phase in spec.questions)
        raise CatalogError(f"{where}: asked {question.name}, it answers {known}")
    card = spec.questions[question.phase]
    for item in question.fields:
        if isinstance(item, Text):
            raise CatalogError(f"{where}: {question.name}.{item.name} is a text, and it reads and writes numbers only")
        if item.name not in card.fields:
            raise CatalogError(f"{where}: {question.name} asks for {item.name!r}, it knows {', '.join(card.fields)}")
        if isinstance(item, Bucket) != (card.fields[item.name].bins > 0):
            raise CatalogError(f"{where}: {question.name}.{item.name}: a number needs bins, a choice options or points")
    return card


def _read(question: Question, card: QuestionSpec, terms: Terms, scales: dict[str, Array]) -> Array:
    """The numbers of one token, float64 (rows, numbers · FEATURES)."""
    found = [_features(*_scaled(question, term, scale, card.term_width(term), scales)) for term, scale in terms.items()]
    return np.concatenate(found, axis=1)


def _scaled(
    question: Question, term: str, scale: float | str, slots: int, scales: dict[str, Array]
) -> tuple[Array, Array]:
    """A term over its scale and where it is there, both (rows, slots)."""
    rows = question.num_rows
    total, there = np.zeros((rows, slots)), np.ones((rows, slots), bool)
    for sign, name in parts(term):
        column, mask = _column(question, name, slots)
        total += sign * column
        there &= mask
    by = _scale(question, scale, scales)[:, None]
    is_scaled = by > 0
    z = np.where(there & is_scaled, total / np.where(is_scaled, by, 1.0), 0.0)
    return z, there & is_scaled


def _column(question: Question, name: str, slots: int) -> tuple[Array, Array]:
    """A column, or a Bucket's limit, as float64 (rows, slots), and where it is filled; missing ones are nowhere."""
    rows = question.num_rows
    name, _, end = name.partition(".")
    if end:
        limit = next((getattr(f, end) for f in question.fields if f.name == name and isinstance(f, Bucket)), None)
        found = np.zeros(rows) if limit is None else np.asarray(limit, np.float64)
        return np.repeat(found[:, None], slots, axis=1), np.full((rows, slots), limit is not None)
    if name not in question.columns or question[name].dtype.kind not in "iufb":
        return np.zeros((rows, slots)), np.zeros((rows, slots), bool)
    column = question[name]
    if column.ndim == 1:
        return np.repeat(column[:, None].astype(np.float64), slots, axis=1), np.ones((rows, slots), bool)
    mask = question.masks.get(name, np.ones(column.shape, bool))
    whole, there = np.zeros((rows, slots)), np.zeros((rows, slots), bool)
    n = min(slots, column.shape[1])
    whole[:, :n], there[:, :n] = column[:, :n], mask[:, :n]
    return np.where(there, whole, 0.0), there


def _scale(question: Question, scale: float | str, scales: dict[str, Array]) -> Array:
    """A scale in every row, float64 (rows,); 0 where it is not there."""
    if not isinstance(scale, str):
        return np.full(question.num_rows, float(scale))
    if scale not in scales:
        how, name, first = scale_parts(scale)
        scales[scale] = np.abs(_over_slots(question, how, name, first) if how else _term(question, name))
    return scales[scale]


def _term(question: Question, term: str) -> Array:
    """A term in every row, float64 (rows,); 0 where a part of it is not there."""
    total, there = np.zeros(question.num_rows), np.ones(question.num_rows, bool)
    for sign, name in parts(term):
        column, mask = _column(question, name, 1)
        total = total + sign * column[:, 0]
        there &= mask[:, 0]
    return np.where(there, total, 0.0)


def _over_slots(question: Question, how: str, name: str, first: int) -> Array:
    """Mean or sum of the filled slots of a column, of all or of the first, float64 (rows,)."""
    values, there = _column(question, name, first or _num_slots(question, name))
    total, count = np.zeros(question.num_rows), there.sum(axis=1)
    for slot in range(values.shape[1]):  # in one order, whatever the memory's
        total = total + values[:, slot]
    return total / np.maximum(count, 1) if how == "mean" else total


def _num_slots(question: Question, name: str) -> int:
    column = question.columns.get(name)
    return 1 if column is None or column.ndim == 1 else column.shape[1]


def _features(z: Array, there: Array) -> Array:
    """Each number in four ways, (rows, numbers · FEATURES)."""
    size = np.abs(z)
    ways = [np.clip(z, -_CUT, _CUT), z / (1 + size), 8 * z / (1 + 8 * size), there.astype(np.float64)]
    return np.stack(ways, axis=2).reshape(len(z), -1)


def _bins(how: FieldSpec, question: Question, item: Bucket, scales: dict[str, Array]) -> Array:
    """What the bins stand for, float64 (rows, bins), ascending."""
    steps = np.arange(how.bins) / (how.bins - 1)
    steps = steps if how.power == 1 else _power(steps, how.power)
    u = how.low + (how.high - how.low) * steps
    if how.scale == "limits":
        base, by = item.low.astype(np.float64), (item.high - item.low).astype(np.float64)
    else:
        base, by = np.zeros(question.num_rows), _scale(question, how.scale, scales)
    if how.base:
        base = np.zeros(question.num_rows)
        for sign, name in parts(how.base):
            base = base + sign * _column(question, name, 1)[0][:, 0]
    return np.asarray(base[:, None] + by[:, None] * u[None, :])


def _power(x: Array, power: float) -> Array:
    """x^power for x from 0 to 1."""
    return np.where(x > 0, exact.power(np.maximum(x, 1e-9), power), 0.0)


def _snapped(item: Bucket, wish: Array) -> Array:
    """The nearest legal answer of each wish (rows, bins), int64."""
    low, high, step = (np.asarray(c, np.int64)[:, None] for c in (item.low, item.high, item.step))
    inside = np.minimum(np.maximum(np.rint(np.clip(wish, -(2.0**62), 2.0**62)).astype(np.int64), low), high)
    up = low + (inside - low + step // 2) // step * step
    return np.where(up > high, up - step, up)


def snap(item: Bucket, wish: Array) -> Array:
    """The nearest legal answer of each row's wish, int64 (rows,)."""
    return _snapped(item, wish[:, None])[:, 0]


def _allowed(spec: NanoSpec, question: Question, item: Choice, how: FieldSpec) -> Array:
    """Which of the network's options are legal, bool (rows, options)."""
    unknown = [word for word in item.options if word not in how.options]
    if unknown:
        raise CatalogError(
            f"nano network of {spec.role}: {question.name}.{item.name} offers {unknown[0]!r}, "
            f"it knows {', '.join(how.options)}"
        )
    found = np.zeros((question.num_rows, len(how.options)), bool)
    for answer, word in enumerate(item.options):
        found[:, how.options.index(word)] = item.allowed[:, answer]
    return found


def _pointed(question: Question, how: FieldSpec, options: int, scales: dict[str, Array]) -> Array:
    """What is read of each option of a pointing field, float32 (rows, options, features)."""
    num = options - how.before
    found = np.zeros((question.num_rows, options, len(how.points) * FEATURES), np.float32)
    for i, (term, scale) in enumerate(how.points.items()):
        features = _features(*_scaled(question, term, scale, num, scales)).reshape(question.num_rows, num, FEATURES)
        found[:, how.before :, i * FEATURES : (i + 1) * FEATURES] = features
    return found


def point_features(how: FieldSpec) -> int:
    """How many numbers a pointing field reads of each option."""
    return len(how.points) * FEATURES
