"""What consumers want, and what they get."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.exact import MILLION, value
from ecosim.fields import Array
from ecosim.manufacturing.delivery import note_demand
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import Layout
from ecosim.manufacturing.terms import agreed, share_revenue
from ecosim.side import Events
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World


class Demand:
    """Consumers ask every firm that sells to them; it serves old debts and new demand from stock, the rest is owed.

    Consumers pay `demand.price_eur` for what they get, wait for what they do not get, and never go elsewhere. Partners
    whose `terms` share revenue get their share at once.

    Draws:
        Demand of each firm and week, from the world's seed: normal or uniform and rounded, or Poisson, as `demand.kind`
        says; a step is not drawn.
    """

    name = "demand"
    repeats = False
    writes: tuple[str, ...] = ("demand", "sales")

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        self.net = net
        self.facts = scenario.demand
        self.terms = agreed(scenario, net) if scenario.terms else None
        self.writes = (*self.writes, "settlements") if self.terms else self.writes
        self.positions = net.position[np.arange(net.num_members), net.sells][net.to_consumers]

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked: consumers are exogenous."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Draw demand from the world's stream, sell, and note demand in the sellers' history."""
        live = np.flatnonzero(world.is_live)
        replica = np.repeat(live, len(self.positions))
        rows = replica * self.net.num_positions + np.tile(self.positions, len(live))
        positions = world.tables["positions"]
        member, item = positions["member"][rows], positions["item"][rows]
        firms, firm = world.tables["firms"], self.net.firm_row(replica, member)
        drawn = self._draw(world, replica, member)
        wanted = np.rint(drawn * firms["demand_factor"][firm]).astype(np.int64) * MILLION
        account = world.ledger.rows(replica, member)
        stock = world.ledger.accounts["balance"][account, item + 1]
        owed = positions["owed"][rows] + wanted
        sold = np.minimum(stock, owed)
        positions["owed"][rows] = owed - sold
        consumers = world.ledger.outside("consumers", replica)
        world.ledger.move(item + 1, sold, account, consumers)
        revenue = value(firms["price"][firm], sold)
        world.ledger.pay("sales", revenue, consumers, account)
        quantity = np.zeros(positions.num_rows, np.int64)
        quantity[rows] = wanted
        note_demand(world, rows, quantity)
        at_once = np.clip(stock - (owed - wanted), 0, wanted)
        to = Table({"replica": replica, "member": member, "item": item, "sold": sold})
        shared = {"settlements": share_revenue(world, self.net, self.terms, to, revenue)} if self.terms else {}
        return {
            **shared,
            "demand": Table({"replica": replica, "member": member, "item": item, "wanted": wanted}),
            "sales": Table(
                {
                    "replica": replica,
                    "member": member,
                    "item": item,
                    "sold": sold,
                    "at_once": at_once,
                    "owed": positions["owed"][rows],
                }
            ),
        }

    def _draw(self, world: World, replica: Array, member: Array) -> Array:
        """Units that consumers would want in ordinary times, whole."""
        facts, seed = self.facts, world.seed(seeds.WORLD, replica)
        if facts.kind == "step":
            units = facts.mean_units if world.steps < facts.step_week else facts.step_units
            return np.full(len(replica), round(units))
        if facts.kind == "poisson":
            mean = np.full(len(replica), facts.mean_units)
            return seeds.poisson(mean, seeds.WORLD, seed, world.steps, self.name, (member,))
        if facts.kind == "uniform":
            place = seeds.uniform(seeds.WORLD, seed, world.steps, self.name, (member,))
            return np.rint(facts.mean_units + facts.spread_units * (2.0 * place - 1.0))
        noise = seeds.normal(seeds.WORLD, seed, world.steps, self.name, (member,))
        return np.maximum(np.rint(facts.mean_units + facts.sd_units * noise), 0.0)
