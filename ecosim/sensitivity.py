"""Sensitivity analysis: a scenario's keys as a problem for SALib, and a KPI for each row of its samples.

```python
from SALib.analyze import sobol as analyze
from SALib.sample import sobol as sample

from ecosim import sensitivity

bounds = {"lead_time_weeks": (1, 4), "negotiation.private_spread": (0.0, 0.3)}
problem = sensitivity.problem("smart_manufacturing", bounds)
rows = sample.sample(problem, 64)
found = analyze.analyze(problem, sensitivity.evaluate(problem, rows, kpi="profit_eur", seeds=4))
```

SALib (`pip install 'ecosim[sensitivity]'`) is the user's to call; nothing here imports it. Every row meets the same
world seeds (common random numbers), so that rows differ in their keys and in nothing else.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from ecosim import simulate
from ecosim.errors import ScenarioError
from ecosim.fields import Array
from ecosim.minds.seats import Wishes
from ecosim.record.store import Memory
from ecosim.scenario import Scenario
from ecosim.simulate import Arm, Manner

Problem = dict[str, Any]
"""What SALib calls a problem, `num_vars, names, bounds`; and ours, which it leaves alone: `scenario, limits, whole`."""

Tell = Callable[[int, int], None]
"""Called after each row with how many are done, of how many."""


def problem(scenario: str | Path, bounds: Mapping[str, tuple[float, float]]) -> Problem:
    """The problem of varying some keys of a scenario.

    A key of whole numbers is rounded when a row is run. So that each of its numbers is as likely as the others, its
    bounds reach half a unit further: (1, 4) becomes (0.5, 4.5).

    Args:
        scenario: a name from the catalogue, or a YAML file.
        bounds: the lowest and highest value by dotted key.

    Raises:
        ScenarioError: a key is unknown or holds no number, or the scenario can't have a value at one of the bounds.
    """
    faults = [f"{key}: {fault}" for key, pair in bounds.items() if (fault := _fault(pair))]
    if not bounds:
        faults.append(f"{scenario}: no keys to vary; give bounds such as {{'lead_time_weeks': (1, 4)}}")
    if faults:
        raise ScenarioError(faults)
    lows, _ = (simulate.load_scenario(scenario, {key: pair[i] for key, pair in bounds.items()}) for i in (0, 1))
    values = {key: _at(lows.model_dump(), key) for key in bounds}
    for key, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ScenarioError(f"{scenario}: {key}: only numbers can be varied, it is {value!r}")
    whole = [isinstance(value, int) for value in values.values()]
    return {
        "num_vars": len(bounds),
        "names": list(bounds),
        "bounds": [
            [low - 0.5, high + 0.5] if is_whole else [float(low), float(high)]
            for (low, high), is_whole in zip(bounds.values(), whole, strict=True)
        ],
        "scenario": str(scenario),
        "limits": [tuple(pair) for pair in bounds.values()],
        "whole": whole,
    }


def changes_of(problem: Problem, row: Sequence[float] | Array) -> dict[str, object]:
    """The keys of one row, as `ecosim.run` takes them in `changes`: whole numbers rounded half to even, within limits.

    >>> changes_of({"names": ["weeks"], "limits": [(1, 4)], "whole": [True]}, [4.5])
    {'weeks': 4}
    """
    parts = zip(problem["names"], problem["limits"], problem["whole"], row, strict=True)
    return {
        name: min(max(round(float(value)), limits[0]), limits[1]) if whole else float(value)
        for name, limits, whole, value in parts
    }


def evaluate(
    problem: Problem,
    rows: Array,
    *,
    kpi: str,
    group: str = "",
    seeds: int = 4,
    steps: int | None = None,
    minds: Wishes | None = None,
    tell: Tell | None = None,
) -> Array:
    """A KPI for each row of a sample, mean over seeds, in memory: float64 (rows,).

    Args:
        problem: from `problem`.
        rows: from one of SALib's samplers, shape (rows, num_vars).
        kpi, group: one of the KPIs of the ecosystem, and its role or item.
        seeds: replicas a row, with the same world seeds in each row.
        steps: if not as the scenario says.
        minds: who answers, as for `ecosim.run`.
        tell: called after each row; by default one line counts them where stderr is a terminal.

    Raises:
        ScenarioError: there is no such KPI or group, or the scenario can't have the values of a row.
    """
    rows = np.asarray(rows, float)
    if rows.ndim != 2 or rows.shape[1] != problem["num_vars"]:
        raise ScenarioError(f"rows: expected shape (rows, {problem['num_vars']}), got {rows.shape}")
    numbers = {name: n for name, n in (("seeds", seeds), ("steps", steps)) if n is not None}
    _check_kpi(simulate.load_scenario(problem["scenario"]), kpi)
    found = np.empty(len(rows))
    for i, row in enumerate(rows):
        scenario = simulate.load_scenario(problem["scenario"], changes_of(problem, row)).with_changes(**numbers)
        done = simulate.simulate(
            scenario,
            [Arm(name="all", minds=minds or {})],
            Memory(),
            Manner(keep_events=False),
            place=problem["scenario"],
        )
        if (kpi, group) not in done.kpis:
            groups = [repr(known) for name, known in done.kpis if name == kpi]
            raise ScenarioError(f"group: no {group!r} of {kpi} in this scenario; it has {', '.join(groups) or 'none'}")
        found[i] = np.mean(done.kpis[kpi, group])
        (tell or _tell)(i + 1, len(rows))
    return found


def _fault(pair: Any) -> str:
    numbers = isinstance(pair, Sequence) and len(pair) == 2 and all(isinstance(v, int | float) for v in pair)
    if not numbers or not np.isfinite(pair).all() or not pair[0] < pair[1]:
        return f"expected (lowest, highest), two numbers that grow, got {pair!r}"
    return ""


def _at(facts: Any, key: str) -> Any:
    """The value at a dotted key; a number is a place in a list."""
    for part in key.split("."):
        facts = facts[int(part) if isinstance(facts, list | tuple) else part]
    return facts


def _check_kpi(scenario: Scenario, kpi: str) -> None:
    known = simulate.side(scenario.world).kpis
    if kpi not in known:
        near = get_close_matches(kpi, known, 1)
        raise ScenarioError(
            f"kpi: unknown {kpi!r}" + (f", did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}")
        )


def _tell(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done} of {total} rows", end="\n" if done == total else "", file=sys.stderr, flush=True)
