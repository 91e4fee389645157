"""A run as it goes: in a thread of its own, to be paused, stepped, looked at and stopped from another.

A thread, because a notebook answers buttons only while its main thread is free, and one step of language models may
take minutes. The run itself is the one that `ecosim.run` makes: where it waits, and for how long, changes no bit of it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ecosim import manifest, simulate
from ecosim.arms import Underway
from ecosim.errors import RunError
from ecosim.explore import Run
from ecosim.fields import Array
from ecosim.record.store import Folder, Memory, Store
from ecosim.scenario import Scenario
from ecosim.simulate import Arm, Manner
from ecosim.world import World


class Stopped(KeyboardInterrupt):
    """Ends the run after a step, as Ctrl-C would; it never leaves the run's thread."""


class Live:
    """A run in the making.

    Attributes:
        steps_done: how many steps it has taken so far.
        error: what made it fail, if anything did.
        delay_s: how long it waits after each step, so that somebody can see it.

    Raises:
        ScenarioError: a role or mind is not what it should be.
        RunError: the folder exists already.
    """

    def __init__(
        self,
        scenario: Scenario,
        arms: Sequence[Arm],
        out: str | Path | None = None,
        *,
        place: str = "scenario",
        manner: Manner | None = None,
    ) -> None:
        self.scenario, self.arms, self.place = scenario, arms, place
        self.manner = replace(manner or Manner(), watch=self._after_step)
        self.path = Path(out) if out is not None else None
        simulate.check(scenario, arms, place, self.manner)
        if self.path is not None and self.path.exists():
            raise RunError(f"{self.path}: exists already; name another folder")
        self.store: Store = Folder(self.path) if self.path is not None else Memory()
        self.steps_done = 0
        self.delay_s = 0.0
        self.error: BaseException | None = None
        self._done: simulate.Finished | None = None
        self._world: World | None = None
        self._series: dict[tuple[str, str], list[Array]] = {}
        self._until: int | None = 0  # may go on to this step; None: to the end
        self._is_stopped = self._is_over = False
        self._change = threading.Condition()
        self._thread = threading.Thread(target=self._go, name="ecosim-run", daemon=True)

    def __repr__(self) -> str:
        return f"<{self.status} run {self.scenario.title!r}: step {self.steps_done} of {self.scenario.steps}>"

    @property
    def status(self) -> str:
        """`waiting`, `running`, `done`, `stopped` or `failed`."""
        if self._done is not None:
            return "done"
        if self.error is not None:
            return "failed"
        if self._is_over:
            return "stopped"
        return "waiting" if self._until is not None and self.steps_done >= self._until else "running"

    def play(self) -> None:
        """Go on to the end, or until `pause`."""
        self._go_on(None)

    def step(self) -> None:
        """Take one step more, then wait."""
        self._go_on(self.steps_done + 1)

    def pause(self) -> None:
        """Wait after the step that is being taken."""
        with self._change:
            self._until = self.steps_done
        self.changed()

    def stop(self, timeout_s: float | None = None) -> None:
        """End the run after the step that is being taken, and wait for that; what it has until then is `run`."""
        with self._change:
            self._is_stopped = True
            if self._thread.ident is None:
                self._is_over, self.error = True, RunError("the run was stopped before its first step")
            self._change.notify_all()
            self._change.wait_for(lambda: self._is_over, timeout_s)
        self.changed()

    def wait(self, timeout_s: float | None = None) -> Live:
        """Wait until the run has taken the steps that it may take.

        Raises:
            RunError: it is not there yet after so long.
            EcosimError: the run failed.
        """
        with self._change:
            is_there = self._change.wait_for(lambda: self._is_over or self.status == "waiting", timeout_s)
        if not is_there:
            raise RunError(f"still running after {timeout_s:g} s, at step {self.steps_done} of {self.scenario.steps}")
        if self.error is not None:
            raise self.error
        return self

    @property
    def run(self) -> Run:
        """The run, when it is over: done, or stopped on the way.

        Raises:
            RunError: it is not over.
            EcosimError: it failed before its first step.
        """
        if not self._is_over:
            raise RunError(f"the run is at step {self.steps_done} of {self.scenario.steps}; first: wait() or stop()")
        if self.error is not None and self._world is None:
            raise self.error
        return Run(self.store, self.path, self._world)

    @property
    def so_far(self) -> Run:
        """The run with the metrics of the steps taken so far; its events may be looked at when it is over.

        Raises:
            RunError: it has taken none yet.
        """
        if not self._series:
            raise RunError("the run has taken no step yet")
        run = Run(self.store, self.path)
        series = {name: np.stack(column) for name, column in self._series.items()}
        run.metrics = manifest.long_table(series, run.side.metrics).to_pandas()
        run.metrics["arm"] = run.replicas["arm"].to_numpy()[run.metrics["replica"]]
        return run

    def changed(self) -> None:
        """Called when there is something new to be seen, from the run's thread or from that of the caller."""

    def _go_on(self, until: int | None) -> None:
        with self._change:
            self._until = until
            self._change.notify_all()
            if self._thread.ident is None and not self._is_over:
                self._thread.start()
        self.changed()

    def _go(self) -> None:
        try:
            self._done = simulate.simulate(self.scenario, self.arms, self.store, self.manner, place=self.place)
        except Stopped:
            pass
        except BaseException as error:  # kept for whoever waits: a thread has nobody to tell
            self.error = error
        with self._change:
            self._is_over = True
            self._change.notify_all()
        self.changed()

    def _after_step(self, run: Underway) -> None:
        with self._change:
            self._world, self.steps_done = run.world, run.steps_done
            self._series = {name: list(column) for name, column in run.series.items()}
            self._change.notify_all()
        self.changed()
        if self.steps_done == self.scenario.steps:
            return
        with self._change:
            self._change.wait_for(lambda: self._is_stopped, self.delay_s)
            self._change.wait_for(lambda: self._is_stopped or self._until is None or self.steps_done < self._until)
        if self._is_stopped:
            raise Stopped
