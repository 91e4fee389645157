"""Production lines: what a start of production takes, and what of it comes out good."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.exact import MILLION, micro
from ecosim.fields import Array
from ecosim.manufacturing import wiring
from ecosim.manufacturing.facts.lines import Line
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import Layout

if TYPE_CHECKING:
    from ecosim.world import World


class Lines:
    """The lines of a network; a firm without a `line` starts whatever it likes, and all of it is good.

    Each week in which a firm starts production is one start: it takes `setup_units` of the capacity and costs
    `setup_cost_eur`. Less than `min_lot_units` is not started. What will be scrap is known at the start: it uses up
    materials and making cost, and only good units go on to the stock.

    Draws:
        With `yield_kind: binomial`, scrap of each start, from the world's seed, keyed by firm.
    """

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        lines = [firms.line or Line() for _, firms in wiring.firm_names(scenario)]
        self.setup_cost = np.array([micro(line.setup_cost_eur) for line in lines])
        self.setup = np.array([line.setup_units * MILLION for line in lines])
        self.min_lot = np.array([line.min_lot_units * MILLION for line in lines])
        self.yield_micro = np.array([micro(line.yield_share) for line in lines])
        self.is_random = np.array([line.yield_kind == "binomial" and line.yield_share < 1 for line in lines])

    def room(self, member: Array, capacity: Array) -> Array:
        """What a week's capacity leaves after the set-up."""
        return np.maximum(capacity - self.setup[member], 0)

    def lots(self, member: Array, units: Array) -> Array:
        """What is started: nothing where it would be less than a lot."""
        return np.where(units >= self.min_lot[member], units, 0)

    def start(self, world: World, replica: Array, member: Array, item: Array, made: Array) -> Array:
        """Pay for set-ups and throw scrap away; gives the scrap, units/1e6."""
        ledger = world.ledger
        account, nature = ledger.rows(replica, member), ledger.outside("nature", replica)
        ledger.pay("production", np.where(made > 0, self.setup_cost[member], 0), account, nature)
        units = made // MILLION
        scrap = units - units * self.yield_micro[member] // MILLION
        rows = np.flatnonzero(self.is_random[member] & (made > 0))
        if len(rows):
            seed = world.seed(seeds.WORLD, replica[rows])
            chance = 1 - self.yield_micro[member[rows]] / MILLION
            scrap[rows] = seeds.binomial(units[rows], chance, seeds.WORLD, seed, world.steps, "yield", (member[rows],))
        scrap = scrap * MILLION
        ledger.move(item + 1, scrap, ledger.outside("transit", replica), nature)
        return scrap
