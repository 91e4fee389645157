"""A site with bad luck: replies late, twice, out of order or never, and places that die, all by one seed.

Time is simulated, so a schedule of hours of waiting runs in no time, and a schedule that breaks something breaks it
again with the same seed. The hosts are real ones: what is wrong is only how calls reach them and replies come back.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ecosim.cluster.site import Reply
from ecosim.minds.host import Host, Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Luck:
    """How often a call meets which fate; the rest is answered within `delay_s`.

    Attributes:
        lost_request, lost_reply: nothing comes back (the work is not done, or done in vain): only a deadline helps.
        crash_before, crash_after: the place dies before or after the work, which is noticed after a while; until it is
            replaced nothing reaches it.
        twice: the reply comes a second time later.
        delay_s: the longest usual delay; replies of different places overtake each other.
        late: the reply comes, but only after the longest deadline.
    """

    lost_request: float = 0.03
    lost_reply: float = 0.03
    crash_before: float = 0.03
    crash_after: float = 0.03
    twice: float = 0.1
    late: float = 0.03
    delay_s: float = 10.0


FATES = ("lost_request", "lost_reply", "crash_before", "crash_after", "twice", "late")


@dataclass(order=True, slots=True)
class _Arrival:
    at: float
    number: int
    reply: Reply = field(compare=False)


class FaultySite:
    """Hosts behind a network that can't be trusted.

    Args:
        hosts: one a place.
        seed: of the schedule.
        luck: how often what happens.
        deadline_s: of the dispatcher above; late replies come after it.

    Attributes:
        log: what happened, call by call: (ticket, place, fate).
    """

    def __init__(self, hosts: Sequence[Host], seed: int, luck: Luck | None = None, deadline_s: float = 60.0) -> None:
        self.hosts = list(hosts)
        self.names = [f"faulty-{i}" for i in range(len(self.hosts))]
        self.luck = luck or Luck()
        self.log: list[tuple[int, int, str]] = []
        self._chance = np.random.default_rng(seed)
        self._deadline_s = deadline_s
        self._clock = 0.0
        self._coming: list[_Arrival] = []
        self._dead: set[int] = set()
        self._number = 0

    def submit(self, place: int, ticket: int, jobs: Sequence[Job]) -> None:
        """Decide the fate of a call, and put what will come of it into the calendar."""
        fate = "unreachable" if place in self._dead else self._fate()
        self.log.append((ticket, place, fate))
        delay = float(self._chance.uniform(0.0, self.luck.delay_s))
        if fate in ("unreachable", "lost_request"):
            return
        if fate == "crash_before":
            self._crash(place, ticket, delay)
            return
        reply = Reply(ticket, self.hosts[place].answer(jobs))
        if fate == "crash_after":
            self._crash(place, ticket, delay)
        elif fate == "late":
            self._come(self._deadline_s + delay, reply)
        elif fate != "lost_reply":
            self._come(delay, reply)
            if fate == "twice":
                self._come(delay + float(self._chance.uniform(0.0, self._deadline_s)), reply)

    def wait(self, until: float) -> list[Reply]:
        """Let time pass until a reply comes, or until then."""
        if not self._coming or self._coming[0].at > until:
            self._clock = max(self._clock, until)
            return []
        arrival = heapq.heappop(self._coming)
        self._clock = max(self._clock, arrival.at)
        return [arrival.reply]

    def replace(self, place: int) -> None:
        """A new host in the same place; replies of the old one that are under way still come."""
        self._dead.discard(place)

    def ready(self, places: Sequence[int]) -> list[int]:
        """All of them: a crash is not noticed before a reply is missed."""
        return list(places)

    def now(self) -> float:
        """Simulated seconds since the start."""
        return self._clock

    def close(self) -> None:
        """Nothing to let go."""

    def _fate(self) -> str:
        draw, total = float(self._chance.random()), 0.0
        for fate in FATES:
            total += getattr(self.luck, fate)
            if draw < total:
                return fate
        return "answered"

    def _crash(self, place: int, ticket: int, delay: float) -> None:
        self._dead.add(place)
        self._come(delay, Reply(ticket, None, "the place died"))

    def _come(self, delay: float, reply: Reply) -> None:
        self._number += 1
        heapq.heappush(self._coming, _Arrival(self._clock + delay, self._number, reply))
