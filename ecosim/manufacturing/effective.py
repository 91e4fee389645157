"""What a lever's value comes to this week: capacity with machines down, demand in a surge, goods behind a closed port.

Levers (`firms.capacity`, `firms.demand_factor`) hold what scenario and interventions say and are never overwritten.
Equipment and shocks keep factors of their own beside them, in millionths, 1 in ordinary times; here both are joined
where a phase uses them. So a factor that is back at 1 restores the week exactly, whatever was changed meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim.exact import MILLION, value
from ecosim.fields import Array

if TYPE_CHECKING:
    from ecosim.world import World

CAPACITY_FACTORS = ("running", "shock_capacity", "news_capacity")
"""Columns of `firms` by which capacity is multiplied, where they are there: machines that run, shocks,
and what bulletins tell of."""


def capacity(world: World, firm: Array) -> Array:
    """What firms (row numbers) can make this week, whole units in millionths: capacity × running share, cut off."""
    firms = world.tables["firms"]
    found = firms["capacity"][firm]
    for name in CAPACITY_FACTORS:
        if name in firms:
            found = value(firms[name][firm], found)
    return found // MILLION * MILLION if any(name in firms for name in CAPACITY_FACTORS) else found


def demand_factor(world: World, firm: Array) -> Array:
    """What consumers' demand is multiplied by this week, float64."""
    firms = world.tables["firms"]
    found = firms["demand_factor"][firm]
    return found * (firms["shock_demand"][firm] / MILLION) if "shock_demand" in firms else found


def sendable(world: World, firm: Array, stock: Array) -> Array:
    """How much of their stock firms can send off this week, whole units in millionths while a closure lasts."""
    firms = world.tables["firms"]
    if "shock_sending" not in firms:
        return stock
    share = firms["shock_sending"][firm]
    return np.where(share == MILLION, stock, value(share, stock) // MILLION * MILLION)


def delay_weeks(world: World, firm: Array) -> Array | int:
    """How many weeks longer goods that leave firms this week are on the way."""
    firms = world.tables["firms"]
    return firms["shock_delay"][firm] if "shock_delay" in firms else 0


def make_cost(world: World, replica: Array, item: Array, cost: Array) -> Array:
    """What making a unit costs this week, EUR/1e6."""
    goods = world.tables.get("goods")
    return cost if goods is None else value(goods["make_cost_factor"][_row(world, replica, item)], cost)


def worth(world: World, replica: Array, item: Array, price: Array) -> Array:
    """What a unit is worth to its buyers this week, EUR/1e6."""
    goods = world.tables.get("goods")
    return price if goods is None else value(goods["value_factor"][_row(world, replica, item)], price)


def rejects(world: World, firm: Array, made: Array) -> Array | None:
    """What of this week's making is scrap, whole units in millionths; None where nobody has machines that wear."""
    firms = world.tables["firms"]
    return value(firms["rejecting"][firm], made) // MILLION * MILLION if "rejecting" in firms else None


def _row(world: World, replica: Array, item: Array) -> Array:
    return replica * (world.tables["goods"].num_rows // world.num_replicas) + item
