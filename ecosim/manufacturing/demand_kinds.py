"""Kinds of demand beside the plain ones: level, seasonal, autocorrelated, from a file, and those of a paper.

Each is made once for a network and gives the whole units that consumers would want of some firms in a week. Draws come
from the world's seed, keyed by firm.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.fields import Array
from ecosim.manufacturing import series
from ecosim.manufacturing.chapter import Chapter
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import TABLES, Layout
from ecosim.meanings import Meaning, State
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

Draw = Callable[["World", Array, Array], Array]
"""From a world, and the replica and member of each row, to whole units, shape (rows,)."""

_PHASE = "demand"
"""The name that draws go by, that of the phase."""
INVAGENT_SEASON_WEEKS = 4
"""Weeks of InvAgent's seasonal setting in which demand is low."""


def other_kind(scenario: ManufacturingScenario, net: Layout) -> Draw | None:
    """How demand of a kind that is told here is drawn; None for the others."""
    facts = scenario.demand
    makers: dict[str, Callable[[], Draw]] = {
        "constant": lambda: _seasonal([1.0], facts.mean_units, 0.0),
        "seasonal": lambda: _seasonal(facts.season, facts.mean_units, facts.sd_units),
        "ar1": lambda: _autocorrelated(facts.mean_units, facts.sd_units, facts.correlation),
        "series": lambda: _listed(series.table(scenario)),
        "invagent": lambda: INVAGENT[facts.setting or "constant"],
    }
    return makers[facts.kind]() if facts.kind in makers else None


def _seasonal(season: list[float], mean: float, sd: float) -> Draw:
    """Normal about the mean times the week's factor, rounded, never below 0."""

    def draw(world: World, replica: Array, member: Array) -> Array:
        level = mean * season[(world.steps - 1) % len(season)]
        if sd == 0:
            return np.full(len(replica), np.rint(level))
        return _whole(level + sd * _noise(world, replica, member))

    return draw


def _autocorrelated(mean: float, sd: float, correlation: float) -> Draw:
    """Normal with mean and deviation of a week as told, and so much correlation with the week before: AR(1).

    The deviation from the mean is the firms' column `demand_shock`; week 1 is drawn from the steady state.
    """
    fresh = sd * (1 - correlation**2) ** 0.5

    def draw(world: World, replica: Array, member: Array) -> Array:
        firms = world.tables["firms"]
        rows = world.first_member[replica] + member
        noise = _noise(world, replica, member)
        shock = sd * noise if world.steps == 1 else correlation * firms["demand_shock"][rows] + fresh * noise
        firms["demand_shock"][rows] = shock
        return _whole(mean + shock)

    return draw


def _listed(table: Array) -> Draw:
    """As the file says, the same in all replicas; `table` has units by week and member."""

    def draw(world: World, replica: Array, member: Array) -> Array:
        return table[world.steps - 1, member]

    return draw


def _evenly(lowest: int, highest: int) -> Draw:
    def draw(world: World, replica: Array, member: Array) -> Array:
        seed = world.seed(seeds.WORLD, replica)
        return lowest + seeds.integers(highest - lowest + 1, seeds.WORLD, seed, world.steps, _PHASE, (member,))

    return draw


def _four(world: World, replica: Array, member: Array) -> Array:
    return np.full(len(replica), 4)


def _low_then_high(world: World, replica: Array, member: Array) -> Array:
    return (_evenly(0, 4) if world.steps <= INVAGENT_SEASON_WEEKS else _evenly(5, 8))(world, replica, member)


def _truncated(world: World, replica: Array, member: Array) -> Array:
    return np.maximum(np.floor(4 + 2 * _noise(world, replica, member)), 0)


INVAGENT: dict[str, Draw] = {
    "constant": _four,
    "variable": _evenly(0, 4),
    "larger": _evenly(0, 8),
    "seasonal": _low_then_high,
    "normal": _truncated,
}
"""The five settings of demand of InvAgent: 4 a period; evenly 0 … 4; evenly 0 … 8; evenly 0 … 4 in periods 1 to 4, then
evenly 5 … 8; normal with mean 4 and deviation 2, cut to whole units and never below 0.

Source: Quan & Liu (2024), InvAgent: a large language model based multi-agent system for inventory management in supply
chains, arXiv:2407.11384; parameters as in its released configuration (`src/config.py`, 12 periods, four stages)."""


def _noise(world: World, replica: Array, member: Array) -> Array:
    return seeds.normal(seeds.WORLD, world.seed(seeds.WORLD, replica), world.steps, _PHASE, (member,))


def _whole(units: Array) -> Array:
    return np.maximum(np.rint(units), 0.0)


def _build(scenario: ManufacturingScenario, net: Layout, replicas: Table, tables: dict[str, Table]) -> None:
    tables["firms"]["demand_shock"] = np.zeros(tables["firms"].num_rows)


CHAPTER = Chapter(
    is_in=lambda scenario: scenario.demand.kind == "ar1",
    build=_build,
    states={
        "firms": State(
            TABLES["firms"].about,
            {"demand_shock": Meaning("units", "this week's demand less its mean, before rounding (`kind: ar1`)")},
        )
    },
)
