"""A language mind: the role's card turns each row into a prompt, the pool scores what may be answered.

A row is asked field by field; later fields see the earlier answers, and a field is left out where `only_if` says so.
Only legal answers are ever offered, so an illegal one can't exist; where one answer is left it is taken without asking.
How an option's score becomes a choice is the card's to say, and whether options are scored as they are spelt, or by the
letters under which they are listed. Scores are natural-log likelihoods of an option's tokens, by the card's normaliser:
their sum (the likelihood of the text itself, which favours short options) or their mean (which favours long ones).
`Decision.logp` is the chance of the answers under softmax(score / temperature) over the options offered (temperature 1
for argmax), `margin` the gap between the best two of the first field on that scale.

Draws are keyed by the row (`seeds.MIND`), costs are nominal (a row's own tokens behind its cached prefix), so a
decision depends on its row alone. What was read and scored is kept verbatim in `Decision.trace`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim import catalog, exact, seeds
from ecosim.catalog import Card, FieldCard
from ecosim.errors import CatalogError, DecisionError
from ecosim.fields import NOT_ASKED, Array, Bucket, Choice, Field, Text
from ecosim.minds.prompts import Prompts, asked_fields, spell
from ecosim.models.load import Numerics, load
from ecosim.models.sources import BASE
from ecosim.pool.talk import Ask, Line, Pick, Scores, Script, Talk, Write
from ecosim.words import KEY, Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.models.adapter import Adapter
    from ecosim.pool.engine import Engine

_VERSION = 1
"""Part of the fingerprint; goes up when the way of asking changes."""


@dataclass(slots=True)
class Sheet:
    """What one row has answered so far."""

    answers: dict[str, int | str] = field(default_factory=dict)
    logp: float = 0.0
    margin: float | None = None
    flops: int = 0
    trace: list[tuple[str, str, str, str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ByColumn:
    """Which adapter answers a row: the one that a text column of its own names.

    Attributes:
        column: of the question, text; questions without it have none of these adapters.
        names: the adapter's name in the engine, by text.
    """

    column: str
    names: Mapping[str, str]


class LanguageMind:
    """A language model in the seats of some roles.

    Args:
        cards: by role; a question to another role is refused.
        engine: the model that answers.
        name, grade: how scenarios call it, and its rung on the ladder.
        adapter: by its name in the engine; None for the base model as it is.
        adapters: more of them, for the rows whose text in a column names one; other rows have `adapter`.

    Attributes:
        tally: rows answered so far and their nominal FLOPs; moves while `decide` is at work.
        cards, prompts: how it is asked, by role, and by role and phase.
        adapter_name: "" for the base model as it is.

    Raises:
        CatalogError: the engine has no such adapter.
    """

    def __init__(
        self,
        cards: Mapping[str, Card],
        engine: Engine,
        *,
        name: str,
        grade: str,
        adapter: str | None = None,
        adapters: ByColumn | None = None,
    ) -> None:
        self.cards = dict(cards)
        self.engine = engine
        self.adapter_name = adapter or ""
        self._adapter = engine.adapter(adapter) if adapter else None
        self._by_column = adapters
        self._adapters = {text: engine.adapter(name) for text, name in adapters.names.items()} if adapters else {}
        self._name = name
        self._grade = grade
        self.tally = (0, 0)
        self.prompts = {(role, phase): Prompts(card, phase) for role, card in cards.items() for phase in card.questions}

    @property
    def name(self) -> str:
        """How scenarios call it."""
        return self._name

    @property
    def grade(self) -> str:
        """Its rung on the ladder."""
        return self._grade

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that its answers depend on: weights, adapter, numerics, cards, prompts, the way of asking."""
        language = self.engine.language
        facts = {
            "version": _VERSION,
            "weights": language.record.sha256,
            "adapter": self._adapter.fingerprint if self._adapter else None,
            **self._more_adapters(lambda adapter: adapter.fingerprint),
            "numerics": [language.numerics, language.dtype, language.device],
            "frame": self.engine.frame.texts,
            "cards": {role: card.model_dump(mode="json") for role, card in sorted(self.cards.items())},
            "prompts": {".".join(key): prompts.sources for key, prompts in sorted(self.prompts.items())},
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def describe(self) -> dict[str, Any]:
        """The model's record, the adapter's if there is one, and the start-up probe, for a manifest."""
        from ecosim.pool.probe import probe

        adapter: dict[str, Any] = {"adapter": self._adapter.as_dict()} if self._adapter else {}
        adapter |= self._more_adapters(lambda one: one.as_dict())
        return {"model": self.engine.language.record.as_dict(), **adapter, "probe": probe(self.engine)}

    def _more_adapters(self, tell: Callable[[Adapter], object]) -> dict[str, Any]:
        """The adapters that rows choose by a column, and what is told of each; empty without such."""
        if self._by_column is None:
            return {}
        told = {text: tell(adapter) for text, adapter in sorted(self._adapters.items())}
        return {"adapters": {"column": self._by_column.column, "by_text": told}}

    def stats(self) -> dict[str, int | float]:
        """What the pool has done for this mind so far."""
        return self.engine.stats.as_dict()

    def decide(self, question: Question) -> Decision:
        """The answers to every row.

        Raises:
            CatalogError: there is no card for the question, or the card does not fit it.
            DecisionError: a row allows no answer.
        """
        talks, rows = self.talks(question)
        self.engine.run(talks)
        return _decision(question, rows)

    def talks(self, question: Question) -> tuple[list[Talk], list[Sheet]]:
        """A talk for each row, and the sheets on which the talks note the answers as they get them.

        Raises:
            CatalogError: there is no card for the question, or the card does not fit it.
        """
        asks = asked_fields(self.cards, question, self.name)
        prompts = self.prompts[question.role, question.phase].render(question)
        draws = {spec.name: _draws(question, spec, asks[spec.name]) for spec in question.fields}
        sheets = [Sheet() for _ in prompts]
        own = self._adapter_names(question)
        talks = [
            Talk(prefix, text, self._script(question, asks, draws, i, sheets[i], prefix, text), own[i])
            for i, (prefix, text) in enumerate(prompts)
        ]
        return talks, sheets

    def _adapter_names(self, question: Question) -> list[str]:
        """The adapter of each row, by its name in the engine."""
        by = self._by_column
        if by is None or by.column not in question.columns:
            return [self.adapter_name] * question.num_rows
        return [by.names.get(text, self.adapter_name) for text in question[by.column].tolist()]

    def _script(
        self,
        question: Question,
        asks: Mapping[str, FieldCard],
        draws: Mapping[str, Array],
        i: int,
        row: Sheet,
        prefix: str,
        text: str,
    ) -> Script:
        """Ask one row all its fields, in order."""
        read = self.engine.frame.show(prefix, text)
        new = ""  # not read by the model yet
        for spec in question.fields:
            if spec.only_if is not None and row.answers[spec.only_if[0]] != spec.only_if[1]:
                row.answers[spec.name] = "" if isinstance(spec, Text) else NOT_ASKED
                continue
            ask = asks[spec.name]
            values, words = ([], ()) if isinstance(spec, Text) else menu_of(spec, i, ask, question)
            labels = self._labels(ask, words, values if isinstance(spec, Choice) else range(len(words)))
            lead = (_listed(labels, words) if ask.listed else "") + ask.ask
            new, read = new + lead, read + lead
            if isinstance(spec, Text):
                line = yield Write(new, spec.max_tokens, ask.temperature, draws[spec.name][i])
                assert isinstance(line, Line)
                new, answer = "", f" {line.text}"
                row.answers[spec.name] = line.text
                row.logp += line.logp
                row.flops += line.flops
                row.trace.append((spec.name, read, line.text, "[]", "[]"))
            else:
                scores = np.zeros(1)
                if len(words) > 1:
                    reply = yield Pick(new, labels) if labels else Ask(new, words)
                    assert isinstance(reply, Scores)
                    new = ""
                    scores = reply.sums / reply.lengths if ask.normalise == "mean" else reply.sums
                    row.flops += reply.flops
                pick, chance, margin = _choose(scores, ask, draws[spec.name][i])
                answer = (labels or words)[pick].rstrip("\n")
                row.answers[spec.name] = values[pick]
                row.logp += chance
                row.margin = margin if row.margin is None else row.margin
                shown = [word.strip() for word in words]
                row.trace.append((spec.name, read, shown[pick], json.dumps(shown), json.dumps(scores.tolist())))
            new, read = f"{new}{answer}\n", f"{read}{answer}\n"
        self.tally = (self.tally[0] + 1, self.tally[1] + row.flops)

    def _labels(self, ask: FieldCard, words: Sequence[str], places: Sequence[int]) -> tuple[str, ...]:
        """A letter for each option where the card wants letters, else none; `places` of options among all there are."""
        if ask.answer == "words":
            return ()
        if not ask.listed and max(places, default=0) < len(self.engine.labels):
            return tuple(self.engine.labels[place] for place in places)
        labels = self.engine.labels[: len(words)]
        if len(labels) < len(words):
            raise CatalogError(
                f"mind {self.name!r}: answer: label: {len(words)} options, but this model has {len(labels)} letters "
                f"of one token; ask for this field in words"
            )
        return labels


def untrained(
    roles: Sequence[str],
    model: str = BASE,
    numerics: Numerics = "reproducible",
    device: str = "auto",
    batch_limit: int | None = None,
) -> LanguageMind:
    """The language model as it comes, in the seats of some roles, named by its size: `untrained-135M`.

    Raises:
        CatalogError: no card for a role, or the model can't be had.
    """
    cards = {role: catalog.card(role) for role in roles}
    language = load(model, numerics, device)
    from ecosim.pool.engine import Engine

    size = round(language.record.num_parameters / 1e6)
    return LanguageMind(cards, Engine(language, batch_limit), name=f"untrained-{size}M", grade="untrained")


def menu_of(spec: Choice | Bucket, i: int, ask: FieldCard, question: Question) -> tuple[list[int], tuple[str, ...]]:
    """The legal answers of one row and the words for them; numbers end their line where one begins another (5, 57)."""
    if isinstance(spec, Choice):
        values = np.flatnonzero(spec.allowed[i]).tolist()
        words = [f" {spec.options[value]}" for value in values]
    else:
        values = _anchored(spec, i, ask, question)
        words = [f" {spell(value, spec.unit)}" for value in values]
        if any(a != b and b.startswith(a) for a in words for b in words):
            words = [f"{word}\n" for word in words]
    if not values:
        who = ", ".join(f"{name} {int(question.key[name][i])}" for name in ("replica", *KEY))
        raise DecisionError(
            f"{question.name}, step {question.step}, {who}: {spec.name} allows no answer: {spec.describe(i)}"
        )
    return values, tuple(words)


def _anchored(spec: Bucket, i: int, ask: FieldCard, question: Question) -> list[int]:
    """The menu of one row, with the legal values of the card's anchors in the place of the nearest."""
    values = spec.menu(i, ask.menu)
    for name in ask.anchors:
        anchor = np.atleast_1d(question[name][i : i + 1]) if name in question.columns else np.zeros(0, np.int64)
        if len(anchor) and not spec.take(np.array([i])).illegal(anchor, None)[0]:
            nearest = min(range(len(values)), key=lambda k: abs(values[k] - int(anchor[0])))
            values[nearest] = int(anchor[0])
    return values


def _listed(labels: Sequence[str], words: Sequence[str]) -> str:
    """The options behind their letters, one a line; nothing where they are asked in words."""
    return "".join(f"{label.strip()}: {word.strip()}\n" for label, word in zip(labels, words, strict=False))


def _choose(scores: Array, ask: FieldCard, draw: Array) -> tuple[int, float, float]:
    """Which option, the log of its chance, and the margin of the best over the next."""
    heat = ask.temperature if ask.choose == "sample" else 1.0
    logits = (scores - scores.max()) / heat
    weights = exact.exp(logits)
    total = np.cumsum(weights)
    if ask.choose == "sample":
        pick = min(int(np.searchsorted(total, draw * total[-1], side="right")), len(scores) - 1)
    else:
        pick = int(scores.argmax())
    top = np.sort(logits)[::-1]
    margin = float(top[0] - top[1]) if len(top) > 1 else np.inf
    return pick, float(logits[pick] - exact.log(total[-1:])[0]), margin


def _draws(question: Question, spec: Field, ask: FieldCard) -> Array:
    """Uniform numbers keyed by the rows: one a row, or one a token for a Text."""
    lanes = spec.max_tokens if isinstance(spec, Text) else 1
    if ask.choose == "argmax" and not isinstance(spec, Text):
        return np.zeros(question.num_rows)
    key = tuple(question.key[name] for name in KEY)
    phase = f"{question.name}.{spec.name}"
    draws = [seeds.uniform(seeds.MIND, question.seed, question.step, phase, key, lane) for lane in range(lanes)]
    return np.stack(draws, axis=1) if isinstance(spec, Text) else draws[0]


def _decision(question: Question, rows: Sequence[Sheet]) -> Decision:
    answers: dict[str, Array] = {}
    for spec in question.fields:
        kind: Any = object if isinstance(spec, Text) else np.int64
        answers[spec.name] = np.array([row.answers[spec.name] for row in rows], dtype=kind)
    lines = [(i, *line) for i, row in enumerate(rows) for line in row.trace]
    names = ("field", "prompt", "answer", "options", "scores")
    trace = {"row": np.array([line[0] for line in lines], np.int64)}
    trace |= {name: np.array([line[k] for line in lines], object) for k, name in enumerate(names, start=1)}
    return Decision(
        answers=answers,
        logp=np.array([row.logp for row in rows]),
        margin=np.array([np.inf if row.margin is None else row.margin for row in rows]),
        flops=np.array([row.flops for row in rows], np.int64),
        trace=Table(trace),
    )
