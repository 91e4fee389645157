"""How a network takes a shock: time to survive, time to recover, lost area of performance, and how it ripples.

Performance is the *service* of a week: the share of this week's demand of consumers that was served at once from stock
(1 in a week without demand). Whether the rest waits (backlog) or is lost, the service of its week is the same; with a
backlog, old debts are served first, so service stays low until they are worked off. The clock starts with the first
shock of a replica, and, in the figures of a shock by name, when that one first began.

* Usual service: the mean of the `BASELINE_WEEKS` weeks before, or of as many as there are; 1 if there are none.
* Time to survive: weeks until the first unmet demand; a shock that is felt at once has 0.
* Time to recover: weeks until service is back at `BACK` of the usual for `STEADY_WEEKS` weeks on end (or to the end of
  the run) after it first fell below that; 0 if it never did.
* Lost performance: the sum of 1 − service over the weeks from the shock until recovery: full weeks of demand.

What has not happened by the end of the run counts as the weeks that were left, so means are on the low side then.

Source: Simchi-Levi, Schmidt, Wei (2014), From superstorms to factory fires (time to survive, time to recover);
Bruneau et al. (2003), A framework to quantitatively assess the seismic resilience of communities (the lost area).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ecosim.adder import Adder
from ecosim.fields import Array
from ecosim.manufacturing import shocks
from ecosim.manufacturing.chapter import Chapter
from ecosim.manufacturing.facts.shocks import OF_ITEMS, places, reached
from ecosim.manufacturing.state import ROLES, Layout, layout
from ecosim.side import Events, Figure, Series

if TYPE_CHECKING:
    import pandas as pd

    from ecosim.world import World

BASELINE_WEEKS = 8
BACK = 0.95
STEADY_WEEKS = 3

METRICS: Mapping[str, Figure] = {
    "service": Figure("", "share of this week's demand served at once; 1 without demand", "higher"),
    "shocks_begun": Figure("", "shocks that began this week, by name and in all"),
}
KPIS: Mapping[str, Figure] = {
    "time_to_survive_weeks": Figure("weeks", "from the first shock until the first unmet demand", "higher"),
    "time_to_recover_weeks": Figure(
        "weeks", "from the first shock until service is back at 95 % of that of the 8 weeks before, and stays", "lower"
    ),
    "lost_performance_weeks": Figure("weeks", "sum of 1 − service from the first shock until recovery", "lower"),
    "unmet_units": Figure("units", "demand not served at once from the first shock until recovery", "lower"),
    "num_shocks": Figure("", "shocks that began in the run"),
}


def measure(world: World, events: Events, add: Adder) -> None:
    """Service of the week, and what began."""
    demand, served = add.figures["demand_units", ""], add.figures["served_units", ""]
    add.figures["service", ""] = np.where(demand > 0, served / np.where(demand > 0, demand, 1.0), 1.0)
    began = events["shocks"]
    add("shocks_begun", began, np.ones(began.num_rows))
    if world.names["shock"]:
        add.by(world.names["shock"], began["shock"], "shocks_begun", began, np.ones(began.num_rows))


def conclude(world: World, series: Series, add: Adder) -> None:
    """The figures of each replica's first shock, and of the first of each name; nan where there was none."""
    demand, served = series["demand_units", ""], series["served_units", ""]
    for group in ("", *world.names["shock"]):
        began = series["shocks_begun", group]
        starts = [int(weeks.argmax()) if weeks.any() else None for weeks in (began > 0).T]
        found = [figures(served[:, i], demand[:, i], start) for i, start in enumerate(starts)]
        add.figures["num_shocks", group] = began.sum(axis=0)
        for k, name in enumerate(name for name in KPIS if name != "num_shocks"):
            add.figures[name, group] = np.array([one[k] for one in found])


def figures(served: Array, demand: Array, start: int | None) -> tuple[float, float, float, float]:
    """Time to survive, time to recover, lost performance (weeks) and unmet units of one replica.

    Args:
        served, demand: units of each week, (weeks,).
        start: index of the week in which the shock began; None if there was none.

    >>> served = np.array([10, 10, 10, 10, 10, 0, 0, 0, 0, 10, 10.0])
    >>> figures(served, np.full(11, 10.0), 2)
    (3.0, 7.0, 4.0, 40.0)
    """
    if start is None:
        return (float("nan"),) * 4
    service = np.where(demand > 0, served / np.where(demand > 0, demand, 1.0), 1.0)
    usual = float(service[max(0, start - BASELINE_WEEKS) : start].mean()) if start else 1.0
    unmet = np.flatnonzero(served[start:] < demand[start:])
    survived = int(unmet[0]) if len(unmet) else len(service) - start
    back = recovered(service[start:], BACK * usual)
    during = slice(start, start + back)
    lost = float((1.0 - service[during]).sum())
    return float(survived), float(back), lost, float((demand - served)[during].sum())


def recovered(service: Array, level: float) -> int:
    """Weeks until service is at a level to stay, after it first fell below; 0 if it never did, all if it stays low."""
    is_back = service >= level
    if is_back.all():
        return 0
    first = int(np.argmin(is_back))
    for week in range(first + 1, len(service)):
        if is_back[week : week + STEADY_WEEKS].all():
            return week
    return len(service)


# ---- how it ripples -------------------------------------------------------------------------------------------------


class Run(Protocol):
    """What is read of a finished run; `ecosim.run` gives one."""

    manifest: dict[str, Any]

    @property
    def scenario(self) -> Any:
        """Its facts."""

    @property
    def tables(self) -> list[str]:
        """The event tables that hold rows."""

    @property
    def replicas(self) -> pd.DataFrame:
        """A row a replica."""

    def events(self, name: str) -> pd.DataFrame:
        """An event table in natural units."""


def ripple(run: Run, since: int | None = None) -> pd.DataFrame:
    """When the first shock of each replica reached each firm: `replica, member, name, role, item, since, week, after`.

    A firm is reached in the first week, from the shock on, in which it owes more than it owed in any of the
    `BASELINE_WEEKS` weeks before, or, where consumers buy from it, served less of a week's demand than in the worst of
    these. Firms that the shock names are reached at once (supply that fails shows first where it is missed: a seller
    without goods signs nothing, and owes nothing). `since` is the week of the shock, `after` the weeks from it; both
    week and after are nan if it never was.

    Args:
        run: a run whose scenario has shocks, or any other.
        since: the week that counts as the shock's, in all replicas; by default that of the first shock.
    """
    import pandas as pd

    net = layout(run.scenario)
    shape = (len(run.replicas), run.manifest["steps_done"], net.num_members)
    strain = _strain(run, net.sells, shape)
    starts = _starts(run, shape[0], since)
    rows = []
    for replica, start in starts.items():
        before = strain[replica, max(0, start - 1 - BASELINE_WEEKS) : start - 1]
        worst = before.max(axis=0, initial=0.0)
        hit = strain[replica, start - 1 :] > worst
        after = np.where(hit.any(axis=0), hit.argmax(axis=0).astype(float), np.nan)
        after[_struck(run, replica, start, net)] = 0.0
        firm = {"member": np.arange(net.num_members), "name": net.names, "role": np.array(ROLES)[net.role]}
        firm |= {"item": np.array(net.items)[net.sells], "since": start, "week": start + after, "after": after}
        rows.append(pd.DataFrame({"replica": replica, **firm}))
    columns = ["replica", "member", "name", "role", "item", "since", "week", "after"]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=columns)


def _strain(run: Run, sells: Array, shape: tuple[int, int, int]) -> Array:
    """What each firm fails to serve, (replicas, weeks, firms): units owed and due, plus those not served at once."""
    strain = np.zeros(shape)
    stocks = run.events("stocks")
    own = stocks[stocks["item"].to_numpy() == sells[stocks["member"]]]
    strain[own["replica"], own["step"] - 1, own["member"]] += own["backlog"].to_numpy()
    demand, sales = run.events("demand"), run.events("sales")
    strain[demand["replica"], demand["step"] - 1, demand["member"]] += demand["wanted"].to_numpy()
    strain[sales["replica"], sales["step"] - 1, sales["member"]] -= sales["at_once"].to_numpy()
    return strain


def _struck(run: Run, replica: int, week: int, net: Layout) -> Array:
    """Which firms are named by shocks that began in a week."""
    found = np.zeros(net.num_members, bool)
    if "shocks" not in run.tables:
        return found
    began, facts = run.events("shocks"), run.scenario
    for i in began["shock"][(began["replica"] == replica) & (began["step"] == week)].tolist():
        shock = facts.shocks[i]
        if shock.kind in OF_ITEMS:
            found |= np.isin(net.sells, np.flatnonzero(reached(shock, {}, facts.firms, facts.items)))
        else:
            found |= reached(shock, places(facts.firms, net.items), facts.firms, facts.items)
    return found


def _starts(run: Run, num_replicas: int, since: int | None) -> dict[int, int]:
    """The week of the first shock by replica; replicas without any are left out."""
    if since is not None:
        return dict.fromkeys(range(num_replicas), since)
    if "shocks" not in run.tables:
        return {}
    first = run.events("shocks").groupby("replica")["step"].min()
    return {int(replica): int(week) for replica, week in first.items()}


CHAPTER = Chapter(
    is_in=lambda scenario: scenario.shocks is not None,
    phases={"shock": shocks.ShockPhase},
    schemas=shocks.SCHEMAS,
    states=shocks.STATES,
    build=shocks.build,
    metrics=METRICS,
    kpis=KPIS,
    measure=measure,
    conclude=conclude,
    num_bytes=lambda scenario: {
        "firms (× shocks)": 8 * len(shocks.COLUMNS) * sum(firms.count for firms in scenario.firms)
    },
)
