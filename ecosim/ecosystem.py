"""An ecosystem as a Mesa model of its own: made, stepped and looked at by whoever knows Mesa.

`Ecosystem("smart_manufacturing")` stands before its first step, with its minds in this process. Nothing is stored: it
holds the events and figures of the step just done, which is what a `mesa.DataCollector` and a page ask for. A run that
is kept, resumed and compared is `ecosim.run`; the same seeds and minds give both the same events.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from ecosim import simulate
from ecosim.errors import RunError
from ecosim.minds.seats import Wishes
from ecosim.scenario import Scenario
from ecosim.side import Figures
from ecosim.simulate import Arm
from ecosim.words import Table
from ecosim.world import World


class Ecosystem(World):
    """A world in your hands: `step()`, `agents`, `events`, `figure(...)`.

    Args:
        scenario: a name from the catalogue, a YAML file, or a Scenario.
        seeds: how many replicas; one, so that agents are those of one world.
        minds: who answers, as for `ecosim.run`.
        changes: other keys of the scenario, dotted, as for `ecosim.run`.

    Attributes:
        events: the event tables of the step just done, exact, in millionths where a unit says so; none before it.
        figures: its metrics by (name, group), an array over replicas each.
        running: whether the scenario has steps left; it may be stepped on after them.

    Raises:
        ScenarioError: the scenario, a role, or a mind is not what it should be.
    """

    def __init__(
        self,
        scenario: str | Path | Scenario,
        *,
        seeds: int = 1,
        minds: Wishes | None = None,
        changes: Mapping[str, object] | None = None,
    ) -> None:
        facts = simulate.load_scenario(scenario, changes).with_changes(seeds=seeds)
        first, _, recorder = simulate.prepare(facts, [Arm(name="all", minds=minds or {})], place=str(scenario))
        super().__init__(first.side, facts, first.tables, first._decide, first._record, first.schedule)
        self._recorder = recorder
        self.events: Mapping[str, Table] = {}
        self.figures: Figures = {}

    def step(self) -> None:
        """All phases once; then the step's events and figures are at hand."""
        super().step()
        self.events = self._recorder.close_step(self.steps)
        self.figures = self.side.measure(self, self.events)
        self.running = self.steps < self.scenario.steps

    def figure(self, metric: str, group: str = "") -> float:
        """A metric of the step just done, mean over replicas; nan before the first step.

        Raises:
            RunError: there is no such metric.
        """
        if metric not in self.side.metrics:
            near = get_close_matches(metric, self.side.metrics, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(self.side.metrics)}"
            raise RunError(f"no metric {metric!r} in this world; {hint}")
        if not self.figures:
            return float("nan")
        if (metric, group) not in self.figures:
            groups = [g or "''" for name, g in self.figures if name == metric]
            raise RunError(f"no group {group!r} of {metric} in this world; it has {', '.join(groups)}")
        return float(np.mean(self.figures[metric, group]))
