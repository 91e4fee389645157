"""Dispatch: whoever ships decides, for every customer's load, whether it waits for more, leaves, or is expedited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.exact import MILLION, value
from ecosim.fields import Array, Choice
from ecosim.manufacturing import docks
from ecosim.manufacturing.allocation import Allocation
from ecosim.manufacturing.docks import EXPRESS, HOLD, MODES, SHIP, Loads
from ecosim.manufacturing.haulage import freight
from ecosim.manufacturing.roads import NO_EXPRESS, UNLIMITED
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import NOBODY, ROLES, Layout
from ecosim.meanings import Meaning, units
from ecosim.side import Events
from ecosim.words import Answers, Decision, Expert, Question, Table, concat

if TYPE_CHECKING:
    from ecosim.world import World

FULL_PERCENT = 80
"""From this share of a vehicle on a consolidator lets a load go."""

SEES = {
    "item_name": Meaning("", "which item"),
    "load": Meaning("units/1e6", "what is in stock for this customer, promised and not yet shipped"),
    "due_week": Meaning("week", "when the oldest of it should arrive"),
    "weeks_until_due": Meaning("weeks", "from now until then; negative if that is past"),
    "transit_weeks": Meaning("weeks", "from shipping until the goods arrive"),
    "express_weeks": Meaning("weeks", "the same, expedited; −1 where nothing can be expedited"),
    "cost": Meaning("EUR/1e6", "of shipping the load now, a unit; by vehicle, of one that goes there and back"),
    "express_cost": Meaning("EUR/1e6", "of expediting the load now, a unit; −1 where nothing can be expedited"),
    "capacity_left": Meaning(
        "units/1e6", "what of the load the lane, or the fleet, could carry if it took nothing else"
    ),
    "full_load": Meaning("units/1e6", "what one shipment, or vehicle, holds; 0 if there is no limit"),
    "weeks_waited": Meaning("weeks", "since goods for this customer first waited at the dock"),
}
ANSWERS = {"mode": Meaning("", "hold the load back for more, ship it, or expedite it, faster and dearer")}
UNITS = units(SEES)


class Dispatch:
    """A question a role that ships, a row a seller and customer with goods at the dock: hold, ship or expedite.

    Nothing moves yet: the answer stands at the dock (table `docks`) until `ship` carries it out.
    """

    name = "dispatch"
    repeats = False
    sees, answers, writes = SEES, ANSWERS, ()

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        assert net.roads is not None  # the phase needs the key `transport`
        self.net = net
        self.roads = net.roads
        self.allocation = Allocation(scenario)
        self.item_names = np.array(net.items, dtype=object)

    def ask(self, world: World) -> list[Question]:
        """Every firm about every load that is ready."""
        _, owed, ready = docks.covered(world, self.net, self.allocation)
        those = docks.loads(self.net, owed, ready)
        since = docks.remembered(self.net, world.tables["docks"], those, "since_week", world.steps)
        role = self.net.role[those.seller]
        columns = self._columns(world, those, since)
        return [
            self._question(world, ROLES[code], np.flatnonzero(role == code), those, columns) for code in np.unique(role)
        ]

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Note each answer at its dock."""
        if not questions:
            return {}
        key = concat([question.key for question in questions])
        waited = np.concatenate([question["weeks_waited"] for question in questions])
        row = {
            "replica": key["replica"], "seller": key["subject"], "buyer": key["counterpart"], "item": key["item"],
            "since_week": world.steps - waited,
            "mode": np.concatenate([decision.answers["mode"] for decision in decisions]),
        }  # fmt: skip
        order = np.argsort(docks.pair(self.net, row["replica"], row["seller"], row["buyer"], row["item"]))
        world.tables["docks"] = Table(row).take(order)
        return {}

    def _columns(self, world: World, those: Loads, since: Array) -> dict[str, Array]:
        roads, lane = self.roads, self.roads.between(those.seller, those.buyer)
        cost = freight(roads, lane, those.quantity)
        express = value(cost, roads.factor[lane])
        has_express = roads.express_weeks[lane] != NO_EXPRESS
        capacity = world.tables["lanes"]["capacity"][those.replica * roads.num_lanes + lane]
        whole = np.maximum(those.quantity // MILLION, 1)
        return {
            "item_name": self.item_names[those.item],
            "load": those.quantity,
            "due_week": those.due_week,
            "weeks_until_due": those.due_week - world.steps,
            "transit_weeks": roads.weeks[lane],
            "express_weeks": roads.express_weeks[lane],
            "cost": cost // whole,
            "express_cost": np.where(has_express, express // whole, NO_EXPRESS),
            "capacity_left": np.minimum(capacity, those.quantity),
            "full_load": np.where(roads.load[lane] < UNLIMITED, roads.load[lane], 0),
            "weeks_waited": world.steps - since,
        }

    def _question(self, world: World, role: str, rows: Array, those: Loads, columns: Mapping[str, Array]) -> Question:
        replica, seller = those.replica[rows], those.seller[rows]
        allowed = np.ones((len(rows), len(MODES)), bool)
        allowed[:, EXPRESS] = columns["express_weeks"][rows] != NO_EXPRESS
        return Question(
            role=role,
            phase=self.name,
            step=world.steps,
            key=Table(
                {
                    "replica": replica,
                    "subject": seller,
                    "counterpart": those.buyer[rows],
                    "item": those.item[rows],
                    "round": np.full(len(rows), NOBODY),
                }
            ),
            seed=world.seed(seeds.MIND, replica),
            mind=world.minds(self.name, replica, seller),
            columns={name: column[rows] for name, column in columns.items()},
            units=UNITS,
            fields=(Choice(name="mode", options=MODES, allowed=allowed),),
        )


def ship_at_once(question: Question) -> Answers:
    """Whatever is ready leaves."""
    return {"mode": np.full(question.num_rows, SHIP)}


def consolidate(question: Question) -> Answers:
    """Wait until a load fills four fifths of a vehicle, or must leave now to arrive by the week it is due.

    Source: a quantity-and-time policy of shipment consolidation; Higginson, Bookbinder (1994), Policy recommendations
    for a shipment-consolidation program, Journal of Business Logistics 15(1).
    """
    is_full = (question["full_load"] > 0) & (question["load"] * 100 >= question["full_load"] * FULL_PERCENT)
    must_go = question["weeks_until_due"] <= question["transit_weeks"]
    return {"mode": np.where(is_full | must_go, SHIP, HOLD)}


def expedite_when_late(question: Question) -> Answers:
    """Ship at once; expedite what would come late otherwise, where that makes it come sooner."""
    would_be_late = question["weeks_until_due"] < question["transit_weeks"]
    can = (question["express_weeks"] != NO_EXPRESS) & (question["express_weeks"] < question["transit_weeks"])
    return {"mode": np.where(would_be_late & can, EXPRESS, SHIP)}


EXPERTS: Mapping[str, Expert] = {
    "scripted": ship_at_once,
    "ship_at_once": ship_at_once,
    "consolidate": consolidate,
    "expedite_when_late": expedite_when_late,
}
