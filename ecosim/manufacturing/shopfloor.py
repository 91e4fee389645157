"""Making things: materials go in, finished goods come out after the production time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim.exact import MILLION, micro, value
from ecosim.manufacturing import effective
from ecosim.manufacturing.active import acting
from ecosim.manufacturing.delivery import note_demand
from ecosim.manufacturing.lines import Lines
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import Layout
from ecosim.side import Events
from ecosim.words import Decision, Question, Table, concat

if TYPE_CHECKING:
    from ecosim.world import World

PLENTY = 2**62
"""More units than anybody has: what an item that is not needed allows to be made."""


class Produce:
    """Makers start what they planned, as far as capacity and materials go, in whole units.

    A firm's `line` may take set-ups, wait for a lot and make scrap; see `Lines`. Materials leave stock at once,
    `make_cost_eur` is paid at once, goods come into stock `make_weeks` later. What a plan calls for of each part is
    that part's demand of the week, whether it was there or not.
    Capacity is what runs: see `effective`. What worn machines spoil is scrap at once, and no goods.
    """

    name = "produce"
    repeats = False
    writes: tuple[str, ...] = ("production",)

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        self.net = net
        self.lines = Lines(scenario, net) if any(firms.line for firms in scenario.firms) else None
        self.writes += (("scrap",) if self.lines else ()) + (("rejects",) if scenario.equipment is not None else ())
        self.make_cost = np.array([micro(scenario.items[name].make_cost_eur) for name in net.items])

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked: the plan was an answer to `replenish`."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Take materials, pay for making, and send the goods on their way to the maker's own stock."""
        net, positions, ledger = self.net, world.tables["positions"], world.ledger
        rows = np.flatnonzero(np.tile(net.makes, world.num_replicas) & acting(world, net))
        replica, member, item = positions["replica"][rows], positions["member"][rows], positions["item"][rows]
        firms, maker = world.tables["firms"], net.firm_row(replica, member)
        account = ledger.rows(replica, member)
        capacity = effective.capacity(world, maker)
        planned = np.minimum(positions["wish"][rows], self.lines.room(member, capacity) if self.lines else capacity)
        bom = net.bom[item]
        stock = ledger.accounts["balance"][account, 1:]
        enough_for = np.where(bom > 0, stock // np.maximum(bom, 1), PLENTY).min(axis=1)
        made = np.minimum(planned, enough_for) // MILLION * MILLION
        made = self.lines.lots(member, made) if self.lines else made
        nature, transit = ledger.outside("nature", replica), ledger.outside("transit", replica)
        needed = np.zeros(positions.num_rows, np.int64)
        for part in np.flatnonzero(net.bom.any(axis=0)):
            amount = made * bom[:, part]
            ledger.move(int(part) + 1, amount, account, nature)
            needs = bom[:, part] > 0
            rows_of_part = net.position_row(replica[needs], member[needs], np.full(int(needs.sum()), part))
            needed[rows_of_part] = (planned * bom[:, part])[needs]
        # dependent demand is what the plan calls for, made or not: a history of use alone would forecast its own famine
        note_demand(world, np.flatnonzero(np.tile(self._is_material(), world.num_replicas)), needed)
        ledger.pay(
            "production", value(effective.make_cost(world, replica, item, self.make_cost[item]), made), account, nature
        )
        ledger.move(item + 1, made, nature, transit)
        where = {"replica": replica, "member": member, "item": item}
        events = {"production": Table({**where, "planned": positions["wish"][rows], "made": made})}
        good = made
        if self.lines:
            scrap = self.lines.start(world, replica, member, item, made)
            events["scrap"] = Table({**where, "made": made, "scrap": scrap}).take(scrap > 0)
            good = good - scrap
        rejects = effective.rejects(world, maker, good)
        if rejects is not None:
            ledger.move(item + 1, rejects, transit, nature)
            events["rejects"] = Table({**where, "quantity": rejects}).take(rejects > 0)
            good = good - rejects
        positions["on_order"][rows] += good
        week = np.full(len(rows), world.steps)
        ready = week + firms["make_weeks"][maker]
        job = {
            "replica": replica, "buyer": member, "seller": member, "item": item, "signed_week": week,
            "due_week": ready, "arrive_week": ready, "quantity": good, "price": np.zeros(len(rows), np.int64),
        }  # fmt: skip
        on_way = world.tables["shipments"]
        job["penalty"] = np.zeros(len(rows), np.int64)  # nobody owes it to itself
        started = Table(job).take(good > 0)
        world.tables["shipments"] = concat([on_way, Table({name: started[name] for name in on_way})])
        self._finish_at_once(world)
        return events

    def _finish_at_once(self, world: World) -> None:
        """Goods whose production takes no week are in stock before shipping."""
        on_way = world.tables["shipments"]
        is_own = on_way["buyer"] == on_way["seller"]
        done = is_own & (on_way["arrive_week"] <= world.steps) & world.is_live[on_way["replica"]]
        if not done.any():
            return
        ready = on_way.take(done)
        world.tables["shipments"] = on_way.take(~done)
        replica, member, item = ready["replica"], ready["buyer"], ready["item"]
        transit = world.ledger.outside("transit", replica)
        world.ledger.move(item + 1, ready["quantity"], transit, world.ledger.rows(replica, member))
        rows = self.net.position_row(replica, member, item)
        np.subtract.at(world.tables["positions"]["on_order"], rows, ready["quantity"])

    def _is_material(self) -> np.ndarray:
        """Which positions of a replica are parts of what their firm makes."""
        return self.net.item != self.net.sells[self.net.owner]
