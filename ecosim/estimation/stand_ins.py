"""Who answers in a pilot: language models for a while, their echo afterwards, and nobody on a server.

A `Taster` hands some rows of each question to the model until its budget is spent, and notes what they cost. The
other rows get the answers of its `Echo`: those that the model gave to the same kind of row, drawn at random. So a pilot
of a run that takes hours sees all its steps, with members who accept, counter and stay silent about as often as the
model would. An echo looks at what may be answered and at nothing else of a row: a model whose answers hang on the
situation is met on average only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter, process_time
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.fields import NOT_ASKED, Array, Bucket, Choice, Text
from ecosim.minds.recordings import Recordings, Reply, Request
from ecosim.minds.router import merge
from ecosim.words import KEY, Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.minds.cascade import Cascade
    from ecosim.minds.language import LanguageMind
    from ecosim.minds.remote import RemoteMind

SIP = 16
"""Most rows of one question that the model answers: enough to fill a batch, few enough to see many rounds."""
_UNSPOKEN = "A text of a few words"
CHARACTERS_A_TOKEN = 4.0
"""Of English prose, where no tokenizer of ours is at hand (OpenAI's own rule of thumb)."""


@dataclass(slots=True)
class Budget:
    """Seconds that models may still take, and those that they took so far, loading included.

    Attributes:
        is_open: models may be asked; what they were never asked they are asked once, whatever time is left.
    """

    left_s: float = 0.0
    spent_s: float = 0.0
    is_open: bool = False


@dataclass(slots=True)
class Watch:
    """Seconds of the wall and of the processor, started and stopped."""

    wall_s: float = 0.0
    cpu_s: float = 0.0

    def start(self) -> None:
        """Count from now."""
        self.wall_s -= perf_counter()
        self.cpu_s -= process_time()

    def stop(self) -> None:
        """Count no more."""
        self.wall_s += perf_counter()
        self.cpu_s += process_time()


@dataclass(frozen=True, slots=True)
class Call:
    """Rows that a mind was asked at once; `rows` counts them by replica."""

    question: str
    rows: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Sip:
    """What some rows cost that the model answered.

    Attributes:
        seconds: in all; `batches` has those of each forward.
        shown_tokens: of their prompts; read_tokens, written_tokens of them went through the model.
        prefix_tokens: of shared prefixes that were read for the first time.
        trace_rows: fields asked.
    """

    question: str
    rows: int
    seconds: float
    shown_tokens: int
    read_tokens: int
    written_tokens: int
    prefix_tokens: int
    trace_rows: int
    batches: Table


@dataclass(slots=True)
class _Answer:
    """What a model answered to a row: values of choices and texts, and where on its grid a number lies (0 … 1)."""

    said: dict[str, int | str | float]
    flops: int


@dataclass(slots=True)
class Echo:
    """Answers as a model gave them, drawn among those to rows that allowed the same; any legal one before there are."""

    _known: dict[tuple[str, bytes], list[_Answer]] = field(default_factory=dict)

    def learn(self, question: Question, decision: Decision) -> None:
        """Keep what the model answered."""
        for i in range(question.num_rows):
            said = {spec.name: _said(spec, i, decision.answers[spec.name][i]) for spec in question.fields}
            answer = _Answer({name: value for name, value in said.items() if value is not None}, int(decision.flops[i]))
            for kind in (_kind(question, i), b""):
                self._known.setdefault((question.name, kind), []).append(answer)

    def decide(self, question: Question) -> Decision:
        """An answer to every row."""
        n = question.num_rows
        key = tuple(question.key[name] for name in KEY)
        draws = seeds.uniform(seeds.IMAGINED, question.seed, question.step, f"{question.name}.echo", key)
        answers: dict[str, Array] = {
            spec.name: np.full(n, "", object) if isinstance(spec, Text) else np.full(n, NOT_ASKED)
            for spec in question.fields
        }
        flops = np.zeros(n, np.int64)
        for i, draw in enumerate(draws.tolist()):
            like = self._known.get((question.name, _kind(question, i))) or self._known.get((question.name, b""))
            model = like[int(draw * len(like))] if like else _Answer({}, 0)
            flops[i] = model.flops
            for spec in question.fields:
                if spec.only_if is None or answers[spec.only_if[0]][i] == spec.only_if[1]:
                    answers[spec.name][i] = _legal(spec, i, model.said.get(spec.name), draw)
        return Decision(answers=answers, logp=np.zeros(n), margin=np.full(n, np.inf), flops=flops)


class Taster:
    """A language mind that answers while there is budget; its echo answers the rest.

    Args:
        make: gives the mind; loading is not booked on the budget.

    Attributes:
        sips, calls: what the model cost, and who was asked how often.
        watch: of all that happened in `decide`.
    """

    fingerprint = "pilot"

    def __init__(self, name: str, grade: str, make: Callable[[], LanguageMind | Cascade], budget: Budget) -> None:
        self.name, self.grade = name, grade
        self._make, self._budget = make, budget
        self.echo = Echo()
        self.sips: list[Sip] = []
        self.calls: list[Call] = []
        self.watch = Watch()

    def decide(self, question: Question) -> Decision:
        """The answers to every row."""
        self.watch.start()
        self.calls.append(Call(question.name, np.bincount(question.key["replica"])))
        is_new = all(sip.question != question.name for sip in self.sips)
        may_ask = self._budget.is_open and (is_new or self._budget.left_s > 0)
        mine = _spread(question.num_rows) if may_ask else np.zeros(0, np.int64)
        parts, found = [], []
        if len(mine):
            some = question.take(mine)
            parts, found = [mine], [self._sip(some)]
            self.echo.learn(some, found[0])
        rest = np.setdiff1d(np.arange(question.num_rows), mine)
        if len(rest):
            parts.append(rest)
            found.append(self.echo.decide(question.take(rest)))
        self.watch.stop()
        return found[0] if len(found) == 1 else merge(question, parts, found)

    def _sip(self, question: Question) -> Decision:
        mind = self._make()
        mind.engine.drain_batches()
        before, start = mind.engine.stats + type(mind.engine.stats)(), perf_counter()
        decision = mind.decide(question)
        seconds, stats = perf_counter() - start, mind.engine.stats - before
        self._budget.left_s -= seconds
        self._budget.spent_s += seconds
        spared = stats.cached_prefix_tokens + stats.memo_tokens
        self.sips.append(
            Sip(
                question=question.name,
                rows=question.num_rows,
                seconds=seconds,
                shown_tokens=stats.useful_tokens + spared,
                read_tokens=stats.useful_tokens,
                written_tokens=stats.written_tokens,
                prefix_tokens=stats.prefix_tokens,
                trace_rows=decision.trace.num_rows if decision.trace is not None else 0,
                batches=mind.engine.drain_batches(),
            )
        )
        return decision


class Unasked:
    """A mind on a server that nobody calls: its prompts are rendered and counted, some legal answer is taken.

    Attributes:
        calls: who was asked; watch: of all that happened in `decide`.
        characters: by question, the rows so far and the characters of their prompts.
    """

    grade = "remote"
    fingerprint = "pilot"

    def __init__(self, mind: RemoteMind) -> None:
        self.name, self._mind = mind.name, mind
        self.calls: list[Call] = []
        self.characters: dict[str, tuple[int, int]] = {}
        self.watch = Watch()
        self._unsent = _Unsent()
        mind.recordings = self._unsent

    def decide(self, question: Question) -> Decision:
        """Legal answers to every row."""
        self.watch.start()
        self.calls.append(Call(question.name, np.bincount(question.key["replica"])))
        self._unsent.characters = 0
        decision = self._mind.decide(question)
        rows, characters = self.characters.get(question.name, (0, 0))
        self.characters[question.name] = (rows + question.num_rows, characters + self._unsent.characters)
        self.watch.stop()
        return decision


class _Unsent(Recordings):
    """Requests that are counted and not sent."""

    def __init__(self) -> None:
        super().__init__()
        self.characters = 0

    def reply(self, request: Request, ask: Callable[[Request], Reply]) -> tuple[Reply, bool]:
        """One of the answers on offer, by the request's own seed."""
        with self._lock:  # a mind on a server asks from several threads
            self.characters += sum(len(text) for _, text in request.messages)
        words = request.options
        return Reply(words[request.seed % len(words)] if words else _UNSPOKEN), True


def _spread(num_rows: int) -> Array:
    """Rows for the model, evenly spread."""
    return np.unique(np.linspace(0, num_rows - 1, min(SIP, num_rows)).astype(np.int64))


def _kind(question: Question, i: int) -> bytes:
    """What a row may answer to its first choice; b"" where there is no choice."""
    spec = question.fields[0]
    return spec.allowed[i].tobytes() if isinstance(spec, Choice) else b""


def _said(spec: Choice | Bucket | Text, i: int, value: int | str) -> int | str | float | None:
    if isinstance(spec, Text):
        return value or None
    if value == NOT_ASKED:
        return None
    if isinstance(spec, Choice):
        return int(value)
    width = int(spec.high[i] - spec.low[i])
    return (int(value) - int(spec.low[i])) / width if width else 0.0


def _legal(spec: Choice | Bucket | Text, i: int, said: int | str | float | None, draw: float) -> int | str:
    """The answer of this row that is nearest to what was said; by lot where nothing was."""
    if isinstance(spec, Text):
        return str(said) if said is not None else _UNSPOKEN
    if isinstance(spec, Choice):
        allowed: Sequence[int] = np.flatnonzero(spec.allowed[i]).tolist()
        return said if isinstance(said, int) and said in allowed else allowed[int(draw * len(allowed))]
    share = said if isinstance(said, float) else draw
    low, step = int(spec.low[i]), int(spec.step[i])
    return low + step * round(share * ((int(spec.high[i]) - low) // step))
