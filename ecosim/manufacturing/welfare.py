"""What firms earn together, against what one mind with perfect information would earn for them: efficiency of a market.

`perfect_information(run)` computes it after a run; with the key `oracle: true` it is a KPI (a linear program a world
seed: a fraction of a second each). Its solver works in floating point (T2): figures, never events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

from ecosim.adder import Adder
from ecosim.errors import ScenarioError
from ecosim.exact import MILLION
from ecosim.fields import Array
from ecosim.manufacturing import oracle
from ecosim.manufacturing.chapter import Chapter
from ecosim.manufacturing.facts.oracle import not_understood
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import NO_PROFIT, REASONS, layout
from ecosim.scenario import Scenario
from ecosim.side import Events, Figure, Series

if TYPE_CHECKING:
    import pandas as pd

    from ecosim.world import World

METRICS = {"wanted_units": Figure("units", "what consumers wanted of a firm this week")}
KPIS = {
    "welfare_eur": Figure(
        "EUR", "profit of all firms, without what their minds cost and what passes between firms", "higher"
    ),
    "optimal_welfare_eur": Figure("EUR", "what one mind that knew all demand beforehand would have earned (at most)"),
    "welfare_share": Figure(
        "", "welfare ÷ that of a plan with perfect information; nan where even that earns nothing", "higher"
    ),
}
THOUGHT = ("models",)
"""What thinking costs is no part of a plan."""


class Finished(Protocol):
    """What of a run is needed: an `ecosim.Run` has it."""

    @property
    def scenario(self) -> Scenario:
        """Its facts."""

    @property
    def kpis(self) -> pd.DataFrame:
        """Figures of whole replicas."""

    def events(self, name: str) -> pd.DataFrame:
        """One event table in natural units."""


def perfect_information(run: Finished) -> pd.DataFrame:
    """What the firms of each replica earned, and could have earned at most.

    Args:
        run: a finished run of the manufacturing side.

    Returns:
        Columns `welfare_eur`, `optimal_welfare_eur`, `welfare_share`, a row a replica; replicas with the same demand
        have the same optimum.

    Raises:
        ScenarioError: the scenario has subjects that the oracle does not know.
    """
    import pandas as pd

    facts = cast(ManufacturingScenario, run.scenario)
    faults = not_understood(facts)
    if faults:
        raise ScenarioError(faults)
    kpis = run.kpis
    earned = kpis[(kpis["metric"] == "profit_eur") & (kpis["group"] == "")].set_index("replica")["value"]
    thought = kpis[kpis["metric"] == "model_cost_eur"].groupby("replica")["value"].sum()
    wide = run.events("demand").pivot_table(index=["replica", "member"], columns="step", values="wanted")
    best = _optima(facts, {int(r): wide.loc[r].to_numpy() for r in earned.index})
    welfare = earned + thought.reindex(earned.index, fill_value=0.0)
    frame = pd.DataFrame({"welfare_eur": welfare, "optimal_welfare_eur": pd.Series(best)})
    return frame.assign(welfare_share=_share(*(frame[name].to_numpy() for name in frame)))


def _optima(facts: ManufacturingScenario, wanted: dict[int, Array]) -> dict[int, float]:
    """The optimum of each replica, once for all that have the same demand."""
    known: dict[bytes, float] = {}
    found = {}
    for replica, units in wanted.items():
        key = units.tobytes()
        if key not in known:
            known[key] = oracle.optimum(facts, units)
        found[replica] = known[key]
    return found


def _share(welfare: Array, best: Array) -> Array:
    return np.where(best > 0, welfare / np.where(best > 0, best, 1.0), np.nan)


def measure(world: World, events: Events, add: Adder) -> None:
    """What was wanted of each firm: the oracle knows it at the end."""
    demand = events["demand"]
    net = layout(cast(ManufacturingScenario, world.scenario))
    add.by(net.names, demand["member"], "wanted_units", demand, demand["wanted"] / MILLION)


def conclude(world: World, series: Series, add: Adder) -> None:
    """Welfare and its share of the optimum."""
    facts = cast(ManufacturingScenario, world.scenario)
    net, accounts = layout(facts), world.ledger.accounts
    members = accounts.take(accounts["is_member"])
    counted = [i for i, why in enumerate(REASONS) if why not in (*NO_PROFIT, *THOUGHT)]
    add("welfare_eur", members, members["cash_by_reason"][:, counted].sum(axis=1) / MILLION)
    buyers = [net.names[i] for i in np.flatnonzero(net.to_consumers)]
    wanted = np.stack([series["wanted_units", name] for name in buyers])  # (firms, weeks, replicas)
    best = _optima(facts, {r: np.ascontiguousarray(wanted[:, :, r]) for r in range(world.num_replicas)})
    add.figures["optimal_welfare_eur", ""] = np.array(list(best.values()))
    welfare = add.figures["welfare_eur", ""]
    add.figures["welfare_share", ""] = _share(welfare, add.figures["optimal_welfare_eur", ""])


CHAPTER = Chapter(
    is_in=lambda scenario: scenario.oracle, metrics=METRICS, kpis=KPIS, measure=measure, conclude=conclude
)
