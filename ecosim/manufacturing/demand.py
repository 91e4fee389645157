"""What consumers want, and what they get."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.exact import MILLION, value
from ecosim.fields import Array
from ecosim.manufacturing import effective
from ecosim.manufacturing.active import selling
from ecosim.manufacturing.delivery import add_demand, every_replica, note_demand, serves_both
from ecosim.manufacturing.demand_kinds import other_kind
from ecosim.manufacturing.lost import LostSales
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import Layout
from ecosim.side import Events
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World


class Demand:
    """Consumers ask every firm that sells to them; it serves old debts and new demand from stock, the rest is owed.

    Consumers pay `demand.price_eur` for what they get and wait for what they do not get; of firms with `unmet: lost`
    they go away instead. They go elsewhere only where their firm takes no orders (`demand.of_inactive`); the event
    `demand` is what they want, whoever serves it.

    Draws:
        Demand of each firm and week, from the world's seed, as `demand.kind` says: normal and rounded, Poisson,
        seasonal, autocorrelated; a step, a constant and a file are not drawn.
    """

    name = "demand"
    repeats = False
    writes: tuple[str, ...] = ("demand", "sales")

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        self.net = net
        self.facts = scenario.demand
        self.serves_both = serves_both(net)
        self.is_later = len(self.serves_both) > 0 and "ship" in scenario.phases[: scenario.phases.index("demand")]
        self.other_kind = other_kind(scenario, net)
        self.lost = LostSales(scenario, net) if net.loses.any() else None
        self.writes += ("lost_sales",) if self.lost else ()
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
        wanted = np.rint(drawn * effective.demand_factor(world, firm)).astype(np.int64) * MILLION
        account = world.ledger.rows(replica, member)
        stock = world.ledger.accounts["balance"][account, item + 1]
        may_sell = selling(world)
        asked = wanted if may_sell is None else self._asked(world, wanted, item, may_sell[firm])
        if may_sell is not None:
            stock = np.where(firms["is_active"][firm], stock, 0)
        owed = positions["owed"][rows] + asked
        sold = np.minimum(stock, owed)
        positions["owed"][rows] = owed - sold
        consumers = world.ledger.outside("consumers", replica)
        world.ledger.move(item + 1, sold, account, consumers)
        taken = value(firms["price"][firm], sold)
        world.ledger.pay("sales", taken, consumers, account)
        firms["revenue"][firm] += taken
        quantity = np.zeros(positions.num_rows, np.int64)
        quantity[rows] = asked
        fresh = rows
        if self.is_later:  # shipping has begun the week in the history of those who also sell to firms
            add_demand(world, every_replica(world, self.net, self.serves_both), quantity)
            fresh = rows[~np.isin(rows % self.net.num_positions, self.serves_both)]
        note_demand(world, fresh, quantity)
        at_once = np.clip(stock - (owed - asked), 0, asked)
        return {
            **(self.lost.strike(world, rows) if self.lost else {}),
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

    def _asked(self, world: World, wanted: Array, item: Array, may_sell: Array) -> Array:
        """What each firm is asked for where some take no orders; odd units go round from week to week, by id."""
        shape = (-1, len(self.positions))
        wanted, may = wanted.reshape(shape), may_sell.reshape(shape)
        asked = np.where(may, wanted, 0)
        if self.facts.of_inactive == "moves":
            for code in np.unique(item):
                mine = np.flatnonzero(item[: shape[1]] == code)
                open_ = may[:, mine]
                takers = np.maximum(open_.sum(axis=1, keepdims=True), 1)
                units = np.where(open_, 0, wanted[:, mine]).sum(axis=1, keepdims=True) // MILLION
                turn = (open_.cumsum(axis=1) - 1 + world.steps) % takers
                asked[:, mine] += np.where(open_, units // takers + (turn < units % takers), 0) * MILLION
        return asked.reshape(-1)

    def _draw(self, world: World, replica: Array, member: Array) -> Array:
        """Units that consumers would want in ordinary times, whole."""
        if self.other_kind is not None:
            return self.other_kind(world, replica, member)
        facts, seed = self.facts, world.seed(seeds.WORLD, replica)
        if facts.kind == "step":
            units = facts.mean_units if world.steps < facts.step_week else facts.step_units
            return np.full(len(replica), round(units))
        if facts.kind == "poisson":
            mean = np.full(len(replica), facts.mean_units)
            return seeds.poisson(mean, seeds.WORLD, seed, world.steps, self.name, (member,))
        noise = seeds.normal(seeds.WORLD, seed, world.steps, self.name, (member,))
        return np.maximum(np.rint(facts.mean_units + facts.sd_units * noise), 0.0)
