"""What a run will take, before it runs: decisions, tokens, operations, memory, disk and seconds, arm by arm.

The method is a pilot: the scenario's own engine and minds, with few seeds, for a few seconds (`pilot`), then a larger
one without models; what differs between the two goes by replicas, what does not is fixed. Language models answer while
their time lasts and are echoed afterwards (`stand_ins`); how long they take goes by the rows in a batch (`pace`). Steps
that the pilots did not get to go on along the line of those that they did (`pilot.stretch`).

What an estimate does not know: the speed of other machines (a cluster's workers count as this process), of servers,
and of a machine that others use meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ecosim.estimation.cost import Estimate
from ecosim.estimation.estimate import PILOT_S, estimate_arms

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ecosim.arms import Arm
    from ecosim.cluster.layout import Layout
    from ecosim.minds.seats import Wishes
    from ecosim.scenario import Scenario

__all__ = ["PILOT_S", "Estimate", "estimate", "estimate_arms"]


def estimate(
    scenario: str | Path | Scenario,
    arms: Mapping[str, Wishes | Arm] | None = None,
    *,
    seeds: int | None = None,
    steps: int | None = None,
    minds: Wishes | None = None,
    changes: Mapping[str, object] | None = None,
    layout: Layout | None = None,
    pilot_s: float = PILOT_S,
) -> pd.DataFrame:
    """What a run or comparison will take: a row an arm, and their total.

    Args:
        scenario, seeds, steps, minds, changes: as for `ecosim.run`.
        arms: as for `ecosim.compare`; without them one arm, `all`, of `minds`.
        layout: hosts and workers that the run will have.
        pilot_s: about how long the pilots may take.

    Returns:
        Columns with units in their names; `attrs["method"]` says what was piloted. What is not known is NaN.

    Raises:
        ScenarioError, CatalogError: as a run; a model that is not here is not fetched.
    """
    from ecosim.arms import Arm
    from ecosim.reading import load_scenario

    numbers = {name: n for name, n in (("seeds", seeds), ("steps", steps)) if n is not None}
    facts = load_scenario(scenario, changes)
    facts = facts.with_changes(**numbers) if numbers else facts
    given: Sequence[Arm] = [Arm(name="all", minds=minds or {})]
    if arms:
        given = [arm if isinstance(arm, Arm) else Arm(name=name, minds=arm) for name, arm in arms.items()]
    found = estimate_arms(facts, given, layout=layout, pilot_s=pilot_s, place=str(scenario))
    return found.frame()
