"""From the jobs of a round to their decisions: split over places, sent, retried, bisected, put together in order.

Hosts are pure, so a retry is just a second call, and it does not matter which of two replies is taken. What is decided
here, once for every site:

* the rows of a job are split over the places where its mind lives; a place is asked one thing at a time, and gets all
  its jobs of a round in one call;
* a call whose place is lost (died, or silent past the deadline) is asked again, elsewhere if there is an elsewhere, and
  the place is replaced;
* a job that fails on its own (the mind raised, answered illegally, or was lost again and again) is halved until the
  row is found that does it. That row is poison: a mind that the scenario names as substitute answers it, and the record
  says so; where none is named the run stops. Never a silent default;
* a failure that no retry can mend (no such card, a server that is down) stops the run at once.

What leaves here is in the order of the jobs, whatever order it came in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ecosim.cluster.layout import DEADLINE_S
from ecosim.cluster.site import Inline, Reply, Site
from ecosim.errors import CatalogError, DecisionError, EcosimError, PoolError
from ecosim.fields import Array
from ecosim.minds.host import Answered, Failure, Host, Job
from ecosim.minds.router import merge
from ecosim.words import KEY, Decision, Mind, Question, check

TRIES = 2
"""Lost calls about the same rows before they are halved."""
LAST_TRIES = 6
"""Lost calls about a single row before it counts as poison."""
MAX_POISONED = 16
"""Rows of one round that may be poison; more than that is a broken mind."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where a mind lives: places of one site, and the least rows that are worth a call of their own."""

    site: int
    places: Sequence[int]
    grain: int = 1


@dataclass(frozen=True, slots=True)
class Poisoned:
    """A row that its mind could not answer, and why; `question` has this row only."""

    code: int
    question: Question
    reason: str


@dataclass(frozen=True, slots=True)
class CallNote:
    """One call, for `ops/calls`: times are wall seconds by the site's clock."""

    step: int
    question: str
    place: str
    jobs: int
    rows: int
    queue_s: float
    compute_s: float
    fault: str


@dataclass(slots=True)
class Counts:
    """What the dispatcher saw so far; outside the digest."""

    calls: int = 0
    lost: int = 0
    failed: int = 0
    replaced: int = 0
    stale: int = 0
    queue_s: float = 0.0
    compute_s: float = 0.0


@dataclass(eq=False, slots=True)
class _Piece:
    """Some rows of a job."""

    job: int
    code: int
    rows: Array
    question: Question
    lost: int = 0
    replies_before: int | None = None
    """Replies of the round when these rows, or more of which they were part, were first lost."""


@dataclass(eq=False, slots=True)
class _Call:
    """Pieces on their way to one place."""

    site: int
    place: int
    pieces: list[_Piece]
    since: float
    due: float


class Dispatcher:
    """Answers the jobs of a round at the places where their minds live.

    Args:
        sites: where places are.
        homes: where each mind lives, by code.
        substitutes: the mind that answers a poison row, by question name (`role.phase`); none: the run stops.
        deadline_s: a call that takes longer counts as lost.

    Attributes:
        counts: calls, losses, times.
        poisoned: rows that substitutes answered, to be taken by whoever records them.
        notes: of the calls since somebody took them; of calls within this process only those that failed.
    """

    def __init__(
        self,
        sites: Sequence[Site],
        homes: Mapping[int, Home],
        *,
        substitutes: Mapping[str, Mind] | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self.sites = list(sites)
        self.homes = dict(homes)
        self.substitutes = dict(substitutes or {})
        self.deadline_s = deadline_s
        self.counts = Counts()
        self.poisoned: list[Poisoned] = []
        self.notes: list[CallNote] = []
        self._ticket = 0

    def answer(self, jobs: Sequence[Job]) -> list[tuple[Decision, float]]:
        """A decision a job, in order, with the wall seconds of the slowest place that worked on it.

        Raises:
            DecisionError: a row is poison and has no substitute, or too many are.
            PoolError, CatalogError: a mind can't answer at all.
        """
        host = self._here
        if host is None or not jobs:
            return _Round(self, jobs).run()
        answered = host.answer(jobs)
        decisions = [(a.outcome, a.seconds) for a in answered if isinstance(a.outcome, Decision)]
        if len(decisions) < len(jobs):  # a round knows what to do with failures
            return _Round(self, jobs).run(answered)
        self.counts.calls += 1
        self.counts.compute_s += sum(seconds for _, seconds in decisions)
        return decisions

    @property
    def _here(self) -> Host | None:
        """The only host, if there is but one and it is in this process: a call is then a function call."""
        site = self.sites[0]
        return site.hosts[0] if len(self.sites) == 1 and isinstance(site, Inline) and len(site.hosts) == 1 else None

    def close(self) -> None:
        """Let all places go."""
        for site in self.sites:
            site.close()

    def next_ticket(self) -> int:
        """A number that no earlier call has."""
        self._ticket += 1
        return self._ticket


@dataclass(eq=False, slots=True)
class _Round:
    """One round: what waits for each place, what is under way, and what is done."""

    owner: Dispatcher
    jobs: Sequence[Job]
    waiting: dict[tuple[int, int], deque[list[_Piece]]] = field(default_factory=dict)
    under_way: dict[int, _Call] = field(default_factory=dict)
    done: list[list[tuple[Array, Decision]]] = field(default_factory=list)
    seconds: dict[tuple[int, str], float] = field(default_factory=dict)
    num_poisoned: int = 0
    num_replies: int = 0

    def run(self, answered: Sequence[Answered] | None = None) -> list[tuple[Decision, float]]:
        """All jobs; `answered`, if the only place has been asked already."""
        self.done = [[] for _ in self.jobs]
        self._share_out()
        if answered is not None:
            self._go_on(answered)
        self._send()
        while self.under_way:
            for number, site in enumerate(self.owner.sites):
                mine = [call for call in self.under_way.values() if call.site == number]
                if mine:
                    for reply in site.wait(min(call.due for call in mine)):
                        self._take(reply)
                    self._expire(number)
            self._send()
        return [self._together(j) for j in range(len(self.jobs))]

    def _go_on(self, answered: Sequence[Answered]) -> None:
        """Take what the only place has said to all that waits for it."""
        ((number, place), calls), ticket = next(iter(self.waiting.items())), self.owner.next_ticket()
        now = self.owner.sites[number].now()
        self.under_way[ticket] = _Call(number, place, calls.popleft(), now, now + self.owner.deadline_s)
        self._take(Reply(ticket, answered))

    # ---- out ------------------------------------------------------------------------------------------------------

    def _share_out(self) -> None:
        """Every job's rows over the places of its mind; a place gets all its pieces in one call."""
        for j, job in enumerate(self.jobs):
            home = self.owner.homes[job.code]
            num_rows = job.question.num_rows
            places = self.owner.sites[home.site].ready(home.places)
            num_parts = min(len(places), max(1, num_rows // home.grain))
            every = np.arange(num_rows)
            for k, rows in enumerate([every] if num_parts == 1 else np.array_split(every, num_parts)):
                part = slice(int(rows[0]), int(rows[-1]) + 1)
                question = job.question if num_parts == 1 else job.question.take(part)
                place = places[(j + k) % len(places)]  # small jobs don't all go to the first place
                calls = self.waiting.setdefault((home.site, place), deque([[]]))
                calls[0].append(_Piece(j, job.code, rows, question))

    def _send(self) -> None:
        """Ask every idle place that has something waiting."""
        self._reroute()
        busy = {(call.site, call.place) for call in self.under_way.values()}
        for (number, place), calls in self.waiting.items():
            if calls and (number, place) not in busy:
                site, pieces = self.owner.sites[number], calls.popleft()
                ticket = self.owner.next_ticket()
                since = site.now()
                self.under_way[ticket] = _Call(number, place, pieces, since, since + self.owner.deadline_s)
                site.submit(place, ticket, [Job(piece.code, piece.question) for piece in pieces])

    def _reroute(self) -> None:
        """What waits for a place that was lost goes to one that is there."""
        for (number, place), calls in list(self.waiting.items()):
            if calls:
                home = self.owner.homes[calls[0][0].code]
                ready = self.owner.sites[number].ready(home.places)
                if place not in ready:
                    self.waiting.setdefault((number, ready[place % len(ready)]), deque()).extend(calls)
                    calls.clear()

    def _again(self, pieces: Sequence[_Piece], call: _Call) -> None:
        """Put pieces into the queue once more, each as a call of its own, at the next place of its mind."""
        for piece in pieces:
            home = self.owner.homes[piece.code]
            places = self.owner.sites[home.site].ready(home.places)
            others = [place for place in places if place > call.place] or places
            place = others[0]
            self.waiting.setdefault((home.site, place), deque()).append([piece])

    # ---- back -----------------------------------------------------------------------------------------------------

    def _take(self, reply: Reply) -> None:
        """A reply to a call that somebody waits for; others are forgotten."""
        call = self.under_way.pop(reply.ticket, None)
        if call is None:
            self.owner.counts.stale += 1
            return
        if reply.answered is not None and len(reply.answered) != len(call.pieces):
            raise PoolError(
                f"{self._name(call)}: replied to {len(reply.answered)} jobs, asked were {len(call.pieces)}: "
                "another version of ecosim there?"
            )
        self._note(call, reply)
        if reply.answered is None:
            self._lost(call, reply.reason)
            return
        self.num_replies += 1
        for piece, answered in zip(call.pieces, reply.answered, strict=True):
            key = (piece.job, self._name(call))
            self.seconds[key] = self.seconds.get(key, 0.0) + answered.seconds
            if isinstance(answered.outcome, Failure):
                self._failed(piece, answered.outcome, call)
            else:
                self.done[piece.job].append((piece.rows, answered.outcome))

    def _expire(self, number: int) -> None:
        """Calls past their deadline are lost."""
        now = self.owner.sites[number].now()
        for ticket, call in list(self.under_way.items()):
            if call.site == number and now >= call.due:
                self._take(Reply(ticket, None, f"no reply within {self.owner.deadline_s:g} s"))

    def _lost(self, call: _Call, reason: str) -> None:
        self.owner.counts.lost += 1
        self.owner.counts.replaced += 1
        self.owner.sites[call.site].replace(call.place)
        for piece in call.pieces:
            if piece.replies_before is None:
                piece.replies_before = self.num_replies
            piece.lost += 1
            if piece.lost < (LAST_TRIES if len(piece.rows) == 1 else TRIES):
                self._again([piece], call)
            elif len(piece.rows) == 1 and self.num_replies == piece.replies_before:
                raise PoolError(
                    f"{self._name(call)}: {piece.lost} calls on end were lost and none answered ({reason}): it is not "
                    "the row; look after the machines, then resume the run"
                )
            else:
                self._halve(piece, f"lost {piece.lost} times: {reason}", call)

    def _failed(self, piece: _Piece, failure: Failure, call: _Call) -> None:
        self.owner.counts.failed += 1
        if failure.is_final:
            kinds: dict[str, type[EcosimError]] = {"CatalogError": CatalogError, "DecisionError": DecisionError}
            raise kinds.get(failure.error, PoolError)(failure.reason)
        self._halve(piece, failure.reason, call)

    def _halve(self, piece: _Piece, reason: str, call: _Call) -> None:
        """Ask the two halves on their own; a row that can't be halved is poison."""
        if len(piece.rows) == 1:
            self._poison(piece, reason)
            return
        halves = np.array_split(np.arange(len(piece.rows)), 2)
        parts = [
            _Piece(piece.job, piece.code, piece.rows[h], piece.question.take(h), replies_before=piece.replies_before)
            for h in halves
        ]
        self._again(parts, call)

    def _poison(self, piece: _Piece, reason: str) -> None:
        """A substitute answers the row, if one is named."""
        self.num_poisoned += 1
        fault = reason if "subject" in reason else f"{reason} ({_who(piece.question)})"
        substitute = self.owner.substitutes.get(piece.question.name)
        if substitute is None:
            raise DecisionError(fault)
        if self.num_poisoned > MAX_POISONED:
            raise DecisionError(f"more than {MAX_POISONED} rows of one round have no answer, the last: {fault}")
        decision = substitute.decide(piece.question)
        check(piece.question, decision, substitute.name)
        self.owner.poisoned.append(Poisoned(piece.code, piece.question, reason))
        self.done[piece.job].append((piece.rows, decision))

    # ---- together -------------------------------------------------------------------------------------------------

    def _together(self, j: int) -> tuple[Decision, float]:
        parts = sorted(self.done[j], key=lambda part: int(part[0][0]))
        seconds = max((s for (job, _), s in self.seconds.items() if job == j), default=0.0)
        if len(parts) == 1:
            return parts[0][1], seconds
        return merge(self.jobs[j].question, [rows for rows, _ in parts], [d for _, d in parts]), seconds

    def _note(self, call: _Call, reply: Reply) -> None:
        answered: Sequence[Answered] = reply.answered or ()
        compute = sum(a.seconds for a in answered)
        queue = max(0.0, self.owner.sites[call.site].now() - call.since - compute)
        failures = [a.outcome.error for a in answered if isinstance(a.outcome, Failure)]
        self.owner.counts.calls += 1
        self.owner.counts.compute_s += compute
        self.owner.counts.queue_s += queue
        first = call.pieces[0].question
        self.owner.notes.append(
            CallNote(
                step=first.step,
                question=first.name,
                place=self._name(call),
                jobs=len(call.pieces),
                rows=sum(len(piece.rows) for piece in call.pieces),
                queue_s=queue,
                compute_s=compute,
                fault=reply.reason if reply.answered is None else ", ".join(failures),
            )
        )

    def _name(self, call: _Call) -> str:
        return self.owner.sites[call.site].names[call.place]


def _who(question: Question) -> str:
    """The key of the only row of a question, as messages have it."""
    return ", ".join(f"{name} {int(question.key[name][0])}" for name in ("replica", *KEY))
