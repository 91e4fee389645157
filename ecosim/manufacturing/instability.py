"""Decision instability: how much the same firms order differently in the same world, by the luck of their minds alone.

Runs with equal world seeds meet equal demand, limits and delays; what still differs between them is what minds drew
(and what followed from it). A rule that draws nothing has no instability; a language model that samples has some.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

from ecosim.errors import RunError
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import ROLES, layout
from ecosim.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd

CELL = ("world_seed", "step", "member", "item")


class Finished(Protocol):
    """What of a run is needed: an `ecosim.Run` has it."""

    @property
    def scenario(self) -> Scenario:
        """Its facts."""

    @property
    def replicas(self) -> pd.DataFrame:
        """A row a replica: `arm`, `world_seed`, `mind_seed`."""

    def events(self, name: str) -> pd.DataFrame:
        """One event table in natural units."""


def instability(runs: Sequence[Finished] | Finished, arms: Sequence[str] | None = None) -> pd.DataFrame:
    """Coefficient of variation of orders over mind seeds, within a world seed, week, firm and item; the mean by role.

    Standard deviation (of the sample) ÷ mean of what a firm ordered, or planned to make, of an item in a week, over
    replicas that differ in their mind seed only. Where all ordered nothing there is no such ratio: those are left out.

    Args:
        runs: of one scenario with the same minds: several with other mind seeds, or one with arms of other luck.
        arms: which arms count; all by default. Arms with other minds don't belong together.

    Returns:
        Columns `instability` and `cells` (how many ratios it is the mean of), a row a role, and one named `all`.

    Raises:
        RunError: no world seed was run with two mind seeds.

    For instance, five mind seeds in each of four worlds:

        runs = [ecosim.run("smart_manufacturing", seeds=4, changes={"mind_seed": 1000 * k}) for k in range(1, 6)]
        instability(runs)
    """
    import pandas as pd

    listed = list(runs) if isinstance(runs, Sequence) else [runs]
    orders = pd.concat([_orders(run, arms) for run in listed])
    orders = orders.drop_duplicates([*CELL, "mind_seed"])
    cells = orders.groupby(list(CELL))["quantity"].agg(["mean", "std", "count"])
    if cells.empty or cells["count"].max() < 2:
        raise RunError("instability needs world seeds that were run with at least two mind seeds; see its example")
    cells = cells[(cells["count"] > 1) & (cells["mean"] > 0)]
    ratio = cells["std"] / cells["mean"]
    net = layout(cast(ManufacturingScenario, listed[0].scenario))
    role = np.array(ROLES)[net.role[cells.index.get_level_values("member")]]
    by_role = ratio.groupby(role).agg(["mean", "count"]).reindex([name for name in ROLES if name in set(role)])
    by_role.loc["all"] = [ratio.mean(), len(ratio)]
    return by_role.rename(columns={"mean": "instability", "count": "cells"}).astype({"cells": int})


def _orders(run: Finished, arms: Sequence[str] | None) -> pd.DataFrame:
    """The orders of a run, with the seeds of their replicas."""
    orders, replicas = run.events("orders"), run.replicas
    seeds = replicas.loc[orders["replica"], ["arm", "world_seed", "mind_seed"]].reset_index(drop=True)
    orders = orders.reset_index(drop=True).assign(**{name: seeds[name] for name in seeds})
    return orders if arms is None else orders[orders["arm"].isin(list(arms))]
