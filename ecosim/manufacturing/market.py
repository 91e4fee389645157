"""Requests for quotes: a buyer chooses, for every need, which sellers to talk to.

A buyer sees at most `candidates` sellers of the item, dealt out anew each week, so the cost of the market grows with
the number of firms and not with its square. It asks one after another (`repeats`), never the same one twice in a week.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.fields import Array, Choice
from ecosim.manufacturing.contracts import buying
from ecosim.manufacturing.openings import Openings
from ecosim.manufacturing.planning import market_price
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import NOBODY, ROLES, Layout
from ecosim.meanings import Meaning, units
from ecosim.side import Events
from ecosim.words import Decision, Question, Table, concat

if TYPE_CHECKING:
    from ecosim.world import World

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
SEES = {
    "need": Meaning("units/1e6", "what it wants to buy of the item this week"),
    "item_name": Meaning("", "which item"),
    "seller": Meaning("id", "the candidates: firms that sell the item"),
    "list_price": Meaning(
        "EUR/1e6", "of a unit, half-way between what it costs and what it is worth; all ask the same"
    ),
    "on_time": Meaning("", "share of each candidate's deliveries that came on time, (on time + 1) ÷ (deliveries + 2)"),
    "seller_lead_time": Meaning("weeks", "from each candidate's shipping until the goods arrive"),
}
ANSWERS = {"partner": Meaning("", "which candidate to ask for a quote now")}
UNITS = units(SEES)


class Quote:
    """Each buying position picks one partner at a time, `requests` times, and a talk with it is opened.

    A talk has private facts: limits and deadlines of both sides; see `openings`.

    Draws:
        From the world's seed, keyed by buyer and item: which sellers are candidates.
    """

    name = "quote"
    repeats = True
    sees, answers, writes = SEES, ANSWERS, ("requests",)

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        self.net = net
        self.facts = scenario.negotiation
        self.openings = Openings(scenario, net)
        self.lead_weeks = scenario.lead_time_weeks
        items = range(len(net.items))
        self.item_names = np.array(net.items, dtype=object)
        self.price = np.array([market_price(net, scenario, i) for i in items])
        self.num_sellers = np.array([len(s) for s in net.sellers])
        self.sellers = np.full((len(net.items), max(1, self.num_sellers.max())), NOBODY)
        for i, sellers in enumerate(net.sellers):
            self.sellers[i, : len(sellers)] = sellers

    def ask(self, world: World) -> list[Question]:
        """Positions that want to buy and have not yet asked as many sellers as they may."""
        rows, count, candidates, allowed = self._due(world)
        if len(rows) == 0:
            return []
        role = self.net.role[world.tables["positions"]["member"][rows]]
        if (role == role[0]).all():
            return [self._question(world, ROLES[role[0]], rows, count, candidates, allowed)]
        parts = [(ROLES[code], np.flatnonzero(role == code)) for code in range(len(ROLES))]
        return [
            self._question(world, name, rows[mine], count[mine], candidates[mine], allowed[mine])
            for name, mine in parts
            if len(mine)
        ]

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Open a talk with every partner chosen."""
        talks = world.tables["talks"]
        if talks.num_rows == 0:
            self.openings.rooms(world)
        if not questions:
            world.tables["talks"] = self.openings.by_role(talks)
            return {}
        key = concat([question.key for question in questions])
        replica, buyer, item = key["replica"], key["subject"], key["item"]
        pairs = zip(questions, decisions, strict=True)
        picked = [q["seller"][np.arange(q.num_rows), decision.answers["partner"]] for q, decision in pairs]
        seller = np.concatenate(picked)
        new = self.openings.talks(world, replica, buyer, seller, item)
        world.tables["talks"] = concat([talks, new]) if talks.num_rows else new
        return {"requests": Table({"replica": replica, "buyer": buyer, "seller": seller, "item": item})}

    def _due(self, world: World) -> tuple[Array, Array, Array, Array]:
        """Positions that may ask once more: rows, sellers asked so far, candidates (rows, slots), which are allowed."""
        rows = buying(world, self.net)
        positions, talks = world.tables["positions"], world.tables["talks"]
        asked = talks["buyer_position"]
        count = np.bincount(asked, minlength=positions.num_rows)[rows]
        few = count < self.facts.requests
        if not few.all():
            rows, count = rows[few], count[few]
        if len(rows) == 0:
            return rows, count, rows, rows
        item, member = positions["item"][rows], positions["member"][rows]
        sellers = self.num_sellers[item]
        seed = world.seed(seeds.WORLD, positions["replica"][rows])
        start = seeds.integers(sellers, seeds.WORLD, seed, world.steps, self.name, (member, item))
        slots = min(self.facts.candidates, self.sellers.shape[1])
        candidates = self.sellers[item[:, None], (start[:, None] + np.arange(slots)) % sellers[:, None]]
        allowed = np.arange(slots) < sellers[:, None]
        allowed &= candidates != member[:, None]
        if talks.num_rows:
            local = np.full(positions.num_rows, NOBODY)
            local[rows] = np.arange(len(rows))
            mine = local[asked]
            again = np.flatnonzero(mine != NOBODY)
            mine = mine[again]
            np.logical_and.at(allowed, mine, candidates[mine] != talks["seller"][again, None])
        due = allowed.any(axis=1)
        return (
            (rows, count, candidates, allowed) if due.all() else (rows[due], count[due], candidates[due], allowed[due])
        )

    def _question(
        self, world: World, role: str, rows: Array, count: Array, candidates: Array, allowed: Array
    ) -> Question:
        positions, firms = world.tables["positions"], world.tables["firms"]
        replica, member, item = positions["replica"][rows], positions["member"][rows], positions["item"][rows]
        seller = self.net.firm_row(replica[:, None], candidates)
        # two deliveries on time stand in for a record before there is one (Laplace's rule of succession)
        on_time = (firms["num_on_time"][seller] + 1) / (firms["num_deliveries"][seller] + 2)
        return Question(
            role=role,
            phase=self.name,
            step=world.steps,
            key=Table(
                {
                    "replica": replica,
                    "subject": member,
                    "counterpart": np.full(len(rows), NOBODY),
                    "item": item,
                    "round": count,
                }
            ),
            seed=world.seed(seeds.MIND, replica),
            mind=world.minds(self.name, replica, member),
            columns={
                "need": positions["wish"][rows],
                "item_name": self.item_names[item],
                "seller": candidates,
                "list_price": np.broadcast_to(self.price[item][:, None], candidates.shape),
                "on_time": on_time,
                "seller_lead_time": np.full(candidates.shape, self.lead_weeks),
            },
            masks={name: allowed for name in ("seller", "list_price", "on_time", "seller_lead_time")},
            units=UNITS,
            fields=(Choice(name="partner", options=ORDINALS[: candidates.shape[1]], allowed=allowed),),
        )
