"""A site: places that can each be asked one thing at a time, and what comes back.

Everything above a site (splitting, retries, bisecting, deadlines) is the same code for all of them: `Inline` here,
`cluster.rays.RaySite` on Ray, `cluster.faulty.FaultySite` in a simulation.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ecosim.minds.host import Answered, Host, Job


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a call.

    Attributes:
        ticket: of the call; a reply may come twice, or after nobody waits for it any more.
        answered: an outcome a job, or None: the place was lost before it replied.
        reason: why it was lost.
    """

    ticket: int
    answered: Sequence[Answered] | None
    reason: str = ""


class Site(Protocol):
    """Places where hosts answer."""

    @property
    def names(self) -> Sequence[str]:
        """What the places are called in messages and in `ops/`."""

    def submit(self, place: int, ticket: int, jobs: Sequence[Job]) -> None:
        """Ask a place; the reply comes by `wait`."""

    def wait(self, until: float) -> list[Reply]:
        """Replies as they come: at least one, or none once the site's clock has passed `until` or nothing is asked."""

    def replace(self, place: int) -> None:
        """Give up what a place is doing and begin to put a new host there."""

    def ready(self, places: Sequence[int]) -> list[int]:
        """Those of some places that can be asked; waits until there is one.

        Raises:
            PoolError: none becomes ready.
        """

    def now(self) -> float:
        """The site's clock, in seconds."""

    def close(self) -> None:
        """Let all places go."""


class Inline:
    """Hosts in this process, which answer while somebody waits."""

    def __init__(self, hosts: Sequence[Host]) -> None:
        self.hosts = list(hosts)
        self.names = [f"here-{i}" if len(self.hosts) > 1 else "here" for i in range(len(self.hosts))]
        self._asked: deque[tuple[int, int, Sequence[Job]]] = deque()

    def submit(self, place: int, ticket: int, jobs: Sequence[Job]) -> None:
        """Put a call into the queue."""
        self._asked.append((place, ticket, jobs))

    def wait(self, until: float) -> list[Reply]:
        """Answer the next call."""
        if not self._asked:
            return []
        place, ticket, jobs = self._asked.popleft()
        return [Reply(ticket, self.hosts[place].answer(jobs))]

    def replace(self, place: int) -> None:
        """Nothing to do: a host in this process is lost only with the process."""

    def ready(self, places: Sequence[int]) -> list[int]:
        """All of them."""
        return list(places)

    def now(self) -> float:
        """Seconds on a clock that only goes forward."""
        return time.monotonic()

    def close(self) -> None:
        """Nothing to let go."""
