"""From pilots to the whole run."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ecosim.arms import Arm, Manner, Numerics
from ecosim.cluster.layout import HOST_BYTES, WORKER_BYTES, Layout
from ecosim.errors import ScenarioError
from ecosim.estimation.cost import Cost, Estimate
from ecosim.estimation.pace import Pace
from ecosim.estimation.pilot import Cast, Pilot, file_bytes, pilot, stretch
from ecosim.estimation.stand_ins import CHARACTERS_A_TOKEN, Budget, Sip
from ecosim.fields import Array
from ecosim.models.sources import record
from ecosim.opening import replicas_of
from ecosim.reading import check, side
from ecosim.scenario import Scenario
from ecosim.simulate import SNAPSHOT_S

PILOT_S = 20.0
"""About how long pilots take, if nothing else is said."""
_MODELS_SHARE = 0.6
"""Of that time, how much language models get."""
_FIRST_SHARE = 0.4
"""Of what is left, how much the pilot of one seed gets; a larger one gets the rest."""
_MOST_SEEDS = 16
_LEAST_STEPS = 3
"""That the larger pilot shall do."""
_LEAST_SHARE = 0.1
"""How far off seconds may always be: two equal runs differ as much."""
_RECORD = ("record", "snapshots")
_ANSWERS = ("events/answers", "ops/batches")
"""Tables that only what a model itself answered adds to: the echo has no prompts."""


def estimate_arms(
    scenario: Scenario,
    arms: Sequence[Arm],
    *,
    layout: Layout | None = None,
    numerics: Numerics = "reproducible",
    batch_limit: int | None = None,
    pilot_s: float = PILOT_S,
    place: str = "scenario",
) -> Estimate:
    """What a run of some arms will take.

    Raises:
        ScenarioError, CatalogError: as a run; a model that is not here is not fetched.
        KeyboardInterrupt: before anything was seen; later it ends the pilots, and what they saw is used.
    """
    import pandas as pd  # noqa: F401  (a run shows its figures with it: part of the memory of both)

    if pilot_s <= 0:
        raise ScenarioError(f"{place}: pilot_s must be > 0, got {pilot_s:g}")
    names = [arm.name for arm in arms]
    if len(set(names)) < len(names):
        raise ScenarioError(f"{place}: two arms have the same name: {', '.join(names)}")
    manner = Manner(numerics=numerics, batch_limit=batch_limit)
    check(scenario, arms, place, manner)
    begin = time.perf_counter()
    cast = Cast(Budget())
    with TemporaryDirectory(prefix="ecosim-pilot-") as folder:
        pilots = _pilots(scenario, arms, manner, cast, pilot_s, Path(folder), place)
        return _Whole(scenario, arms, layout or Layout(), cast, pilots).estimate(time.perf_counter() - begin)


def _pilots(
    scenario: Scenario, arms: Sequence[Arm], manner: Manner, cast: Cast, pilot_s: float, folder: Path, place: str
) -> list[Pilot]:
    """A step of one seed, for what only a first time costs; one seed, with models; more seeds, with their echo."""
    found: list[Pilot] = []

    def run(seeds: int, most_s: float) -> None:
        found.append(pilot(scenario, arms, seeds, manner, cast, most_s, folder / str(len(found)), place))

    run(1, 0.0)
    if cast.is_hurried:
        raise KeyboardInterrupt
    models_s = _MODELS_SHARE * pilot_s if cast.tasters else 0.0
    rest_s = pilot_s - models_s
    cast.budget.left_s, cast.budget.is_open = models_s, True
    run(1, _FIRST_SHARE * rest_s)
    cast.budget.is_open = False
    left_s = (1 - _FIRST_SHARE) * rest_s
    a_step = found[1].wall_s / found[1].num_steps
    seeds = min(scenario.seeds, _MOST_SEEDS, int(left_s / a_step / _LEAST_STEPS))
    if seeds > 1 and not cast.is_hurried:
        run(seeds, left_s)
    return found


class _Whole:
    """The sums."""

    def __init__(
        self, scenario: Scenario, arms: Sequence[Arm], layout: Layout, cast: Cast, pilots: Sequence[Pilot]
    ) -> None:
        self.scenario, self.arms, self.layout, self.cast, self.pilots = scenario, arms, layout, cast, pilots
        self.seen = pilots[-1]
        arm_of = replicas_of(scenario, arms)["arm"]
        self.replicas = np.bincount(arm_of, minlength=len(arms))
        self.times = self.replicas / np.bincount(self.seen.arm, minlength=len(arms))
        self.stretch = self._stretch(0)
        self.scatter = 0.0

    def estimate(self, took_s: float) -> Estimate:
        """Everything."""
        members = _members(self.scenario, self.arms)
        costs = [Cost(arm.name, int(n), members * int(n)) for arm, n in zip(self.arms, self.replicas, strict=True)]
        self._add_decisions(costs)
        self._add_models(costs)
        self._add_world(costs)
        self._add_disk(costs)
        models = [cast.sips for cast in self.cast.tasters.values()]
        return Estimate(
            arms=costs,
            memory_bytes=self._memory(),
            workers_memory_bytes=self._elsewhere(),
            load_s=self.cast.load_s,
            wall_share=self._share(costs),
            method=self._method(took_s, sum(sip.rows for sips in models for sip in sips)),
        )

    # ---- what is counted ------------------------------------------------------------------------------------------

    def _add_decisions(self, costs: Sequence[Cost]) -> None:
        for cost, times in zip(costs, self.times * self.stretch, strict=True):
            for grade, work in self.seen.work.get(cost.arm, {}).items():
                cost.decisions[grade] = work["decisions"] * times
                cost.nominal_flops += work["nominal_flops"] * times

    def _add_models(self, costs: Sequence[Cost]) -> None:
        for code, question in self._tasted():
            everything = self.cast.tasters[code].sips
            sips = [sip for sip in everything if sip.question == question]
            engine = self.cast.mind(code).engine
            pace = Pace(sips, everything, engine.token_budget, engine.batch_limit)
            self._add_question(costs, self._rows(code, question), sips, pace)
        for code, unasked in self.cast.unasked.items():
            for question, (rows, characters) in unasked.characters.items():
                asked = self._rows(code, question).sum(axis=0)
                for cost, n in zip(costs, asked, strict=True):
                    cost.prompt_tokens += n * characters / rows / CHARACTERS_A_TOKEN
                    cost.minds_s += np.nan if n else 0.0

    def _rows(self, code: int, question: str) -> Array:
        """Rows of each call of the whole run, as far as there were steps, float64 (calls, arms)."""
        calls = [rows for name, rows in self.seen.calls.get(code, []) if name == question]
        return np.stack(calls) * self.times if calls else np.zeros((0, len(self.arms)))

    def _add_question(self, costs: Sequence[Cost], rows: Array, sips: Sequence[Sip], pace: Pace) -> None:
        tasted, at_once = sum(sip.rows for sip in sips), rows.sum(axis=1)
        self.scatter = max(self.scatter, pace.scatter)
        seconds = pace.seconds(at_once)
        shown = sum(sip.shown_tokens for sip in sips) / tasted
        read = sum(sip.read_tokens + sip.written_tokens for sip in sips) / tasted
        share = rows / np.maximum(at_once, 1)[:, None]
        prefixes = sum(sip.prefix_tokens for sip in sips)
        for i, cost in enumerate(costs):
            mine = float(rows[:, i].sum()) * self.stretch
            once = prefixes * mine / max(float(rows.sum()) * self.stretch, 1.0)
            cost.prompt_tokens += mine * shown + once
            cost.computed_tokens += mine * read + once
            cost.minds_s += float((seconds * share[:, i]).sum()) * self.stretch

    # ---- what is timed and weighed --------------------------------------------------------------------------------

    def _stretch(self, column: int) -> float:
        """How many times as much all steps have as those that the largest pilot did; the longest shows the way."""
        done, longest = self.seen.num_steps, max(self.pilots, key=lambda p: p.num_steps)
        by_step = longest.by_step(column)
        seen = float(by_step[:done].sum())
        on_the_way = float(by_step.sum()) / seen if seen else longest.num_steps / done
        return on_the_way * stretch(by_step.tolist(), self.scenario.steps)

    def _add_world(self, costs: Sequence[Cost]) -> None:
        """Seconds beside the models. Which part is fixed and which goes by replicas is told by processor seconds."""
        cold, small, seen, total = *self.pilots[:2], self.seen, int(self.replicas.sum())
        both = min(small.num_steps, seen.num_steps)
        cpu_s, small_cpu_s = float(seen.steps[-1, 2]), float(small.steps[both - 1, 2])
        times = total / seen.num_replicas
        if seen.num_replicas > small.num_replicas:
            a_replica = (float(seen.steps[both - 1, 2]) - small_cpu_s) / (seen.num_replicas - small.num_replicas)
            more = max(a_replica, 0.0) * (total - seen.num_replicas)
            times = 1 + more / max(float(seen.steps[both - 1, 2]), 1e-9)
        busy = sum(p.wall_s for p in self.pilots[1:]) / max(sum(float(p.steps[-1, 2]) for p in self.pilots[1:]), 1e-9)
        first_s = max(float(cold.steps[0, 1] - small.steps[0, 1]), 0.0)
        seconds = cpu_s * busy * times * self._stretch(2) + first_s + seen.end_s * times
        record_s, minds_s = sum(seen.parts.get(name, 0.0) for name in _RECORD), seen.parts["minds"]
        for cost in costs:
            mine = seconds * cost.replicas / total
            cost.record_s += mine * record_s
            cost.minds_s += mine * minds_s
            cost.world_s += mine * (1 - record_s - minds_s)

    def _add_disk(self, costs: Sequence[Cost]) -> None:
        a_step_s = np.nansum([cost.minds_s + cost.world_s + cost.record_s for cost in costs]) / self.scenario.steps
        flushes = (self.scenario.steps - 1) // max(int(np.ceil(SNAPSHOT_S / max(a_step_s, 1e-9))), 1)
        total = int(self.replicas.sum())
        times = self.stretch * total / self.seen.num_replicas
        whole = sum(
            file_bytes(rows * times, a_file, a_row, flushes)
            for name, (rows, a_file, a_row) in self.seen.files().items()
            if name not in _ANSWERS
        )
        first = self.pilots[1].files()
        asked = sum(float(self._rows(code, sip).sum()) for code, sip in self._tasted()) * self.stretch
        tasted = sum(sip.rows for taster in self.cast.tasters.values() for sip in taster.sips)
        for name in _ANSWERS:
            if name in first and tasted:
                rows, a_file, a_row = first[name]
                whole += file_bytes(rows * asked / tasted, a_file, a_row, flushes)
        for cost in costs:
            cost.disk_bytes = whole * cost.replicas / total

    def _tasted(self) -> list[tuple[int, str]]:
        return [(code, q) for code, taster in self.cast.tasters.items() for q in {sip.question for sip in taster.sips}]

    def _memory(self) -> int:
        """The peak of this process, and what more replicas bring; models on workers are not in it."""
        small, seen = self.pilots[1], self.seen
        most = seen.peak_bytes
        if seen.num_replicas > small.num_replicas:
            a_replica = (most - small.peak_bytes) / (seen.num_replicas - small.num_replicas)
            most += int(a_replica * (int(self.replicas.sum()) - seen.num_replicas))
        return most - (small.peak_bytes - self.pilots[0].peak_bytes if self.layout.workers else 0)

    def _elsewhere(self) -> int:
        bases = {recipe.base for recipe in self.cast.recipes} if self.layout.workers else set()
        weights = sum(record(base).num_bytes for base in bases)
        return self.layout.hosts * HOST_BYTES + self.layout.workers * WORKER_BYTES + weights

    def _share(self, costs: Sequence[Cost]) -> float:
        """How far the seconds may be off: the scatter of models, and what two equal pilots differed in."""
        busy = [p.wall_s / max(float(p.steps[-1, 2]), 1e-9) for p in self.pilots[1:]]
        world = max((max(busy) - min(busy)) / min(busy), _LEAST_SHARE)
        minds_s = float(np.nansum([cost.minds_s for cost in costs]))
        all_s = float(np.nansum([cost.minds_s + cost.world_s + cost.record_s for cost in costs]))
        is_models = min(minds_s / max(all_s, 1e-9), 1.0) if self.cast.tasters else 0.0
        return is_models * self.scatter + (1 - is_models) * world

    def _method(self, took_s: float, tasted: int) -> str:
        parts = [f"{p.num_steps} steps × {p.num_replicas} replica{'s' * (p.num_replicas > 1)}" for p in self.pilots[1:]]
        text = f"from pilots of {', '.join(dict.fromkeys(parts))}; {took_s:.0f} s"
        if self.cast.tasters:
            text += f"; {tasted} decisions by language models"
        if self.cast.unasked:
            text += "; servers were not asked: their seconds are unknown, tokens are characters / 4"
        return text


def _members(scenario: Scenario, arms: Sequence[Arm]) -> int:
    """Members of one replica, populations included."""
    ecosystem = side(scenario.world)
    one = scenario.with_changes(seeds=1)
    tables: Mapping[str, Any] = ecosystem.build(one, replicas_of(one, arms[:1]))
    homes = {ecosystem.members, *ecosystem.populations.values()}
    return sum(int(tables[home].num_rows) for home in homes)
