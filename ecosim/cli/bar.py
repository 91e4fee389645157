"""How far a run is, as two lines on a terminal: step and time left, then decisions, share of models, operations.

A thread of its own looks at the run four times a second, so the lines move within a step too: by every row that a mind
in this process has answered. Minds on workers elsewhere are seen when a call comes back. When the run ends, however it
does, the lines give way to one that stays.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ecosim.report.words import compact, seconds

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ecosim.minds.router import Router, Work

_UPDATES_PER_S = 4
_RECENT = 8
"""Steps whose mean time tells the time left: a step's work grows as backlogs and posts do."""
_BAR_CELLS = 20
_CHEAP = "scripted"
"""The grade that is no model."""


class Bar:
    """Called after each step; `watch` shows what is going on between."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._done = self._first = 0
        self._ends: list[float] = []
        self._before: Mapping[str, Work] = {}

    def __call__(self, step: int, router: Router) -> None:
        """Note that a step is done."""
        self._done = step
        self._ends.append(time.perf_counter())

    @contextmanager
    def watch(self, steps_done: int, router: Router) -> Iterator[None]:
        """Two lines while the block lasts, and one after it."""
        from rich.console import Console
        from rich.live import Live

        self._done = self._first = steps_done
        self._ends = [time.perf_counter()]
        self._before = router.so_far()
        console = Console(stderr=True, highlight=False)
        lines = _Lines(self, router)
        live = Live(lines, console=console, refresh_per_second=_UPDATES_PER_S, transient=True)
        try:  # not `with`: Ctrl-C may come while it starts, and the cursor has to come back
            live.start()
            yield
        finally:
            live.stop()
            print(self._summary(router), file=sys.stderr)

    def lines(self, router: Router) -> tuple[str, str]:
        """What is shown now."""
        share = self._done / self._steps
        full = round(share * _BAR_CELLS)
        bar = "━" * full + "╌" * (_BAR_CELLS - full)
        now = min(self._done + 1, self._steps)
        return f"step {now} of {self._steps} {bar} {self._clock()}", self._work(router)

    def _clock(self) -> str:
        gone, left = _clock(time.perf_counter() - self._ends[0]), self._left_s()
        return f"{gone} gone, {'–:––' if left is None else _clock(left)} left"

    def _left_s(self) -> float | None:
        """Seconds to go, from the latest steps; None before there is one."""
        recent = self._ends[-_RECENT - 1 :]
        if len(recent) < 2:
            return None
        a_step = (recent[-1] - recent[0]) / (len(recent) - 1)
        in_this = min(time.perf_counter() - recent[-1], a_step)
        return max((self._steps - self._done) * a_step - in_this, 0.0)

    def _work(self, router: Router) -> str:
        """Models and what they cost first, then what is not a model."""
        work = {grade: w for grade, w in router.so_far().items() if w.decisions}
        models = {grade: w for grade, w in work.items() if grade != _CHEAP}
        figures = []
        if models:
            gone = max(time.perf_counter() - self._ends[0], 1e-9)
            spent = sum(w.seconds - self._earlier_s(grade) for grade, w in models.items())
            figures = [f"models {min(spent / gone, 1):.0%}", f"{compact(sum(w.flops for w in models.values()))}FLOP"]
        scripted = [_rate(grade, w) for grade, w in work.items() if grade == _CHEAP]
        return " · ".join([*(_rate(grade, w) for grade, w in models.items()), *figures, *scripted])

    def _earlier_s(self, grade: str) -> float:
        """Seconds of a grade before a resume."""
        return self._before[grade].seconds if grade in self._before else 0.0

    def _summary(self, router: Router) -> str:
        steps = f"{self._done} of {self._steps} steps" if self._done < self._steps else f"{self._steps} steps"
        return f"{steps} in {seconds(time.perf_counter() - self._ends[0])}: {self._work(router) or 'no decision'}"


class _Lines:
    """The lines as rich draws them: cut at the edge, never wrapped."""

    def __init__(self, bar: Bar, router: Router) -> None:
        self._bar, self._router = bar, router

    def __rich__(self) -> RenderableType:
        from rich.text import Text

        return Text("\n".join(self._bar.lines(self._router)), no_wrap=True, overflow="ellipsis")


def _rate(grade: str, work: Work) -> str:
    rate = f" at {compact(work.decisions / work.seconds)}/s" if work.seconds else ""
    return f"{grade} {work.decisions:,}{rate}"


def _clock(value: float) -> str:
    """Hours, minutes and seconds.

    >>> _clock(75), _clock(3700)
    ('1:15', '1:01:40')
    """
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
