"""Requests for quotes: a buyer chooses, for every need, which sellers to talk to.

A buyer sees at most `candidates` sellers of the item, dealt out anew each week, so the cost of the market grows with
the number of firms and not with its square. It asks one after another (`repeats`), never the same one twice in a week.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.exact import MILLION
from ecosim.fields import Array, Choice
from ecosim.manufacturing import beliefs
from ecosim.manufacturing.active import open_sellers, selling
from ecosim.manufacturing.contracts import buying
from ecosim.manufacturing.openings import Openings
from ecosim.manufacturing.planning import market_price
from ecosim.manufacturing.prices import going
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
        "EUR/1e6", "of a unit: each one's own on the board; without a board, half-way between cost and worth for all"
    ),
    "on_time": Meaning("", "share of each candidate's deliveries that came on time, (on time + 1) ÷ (deliveries + 2)"),
    "seller_lead_time": Meaning("weeks", "from each candidate's shipping until the goods arrive"),
}
ON_BOARD = {
    "trading_price": Meaning("EUR/1e6", "of a unit: mean of contracts by volume, older weeks counting less"),
    "breach_chance": Meaning("", "share of each candidate's deliveries that were breaches, recent ones counting more"),
    "breach_level": Meaning("", "mean level of each candidate's breaches, 0 … 1"),
    "otif": Meaning("", "share of each candidate's orders that came on time and in full, recent ones counting more"),
}
"""What a market with a board adds."""
ANSWERS = {"partner": Meaning("", "which candidate to ask for a quote now")}
CANDIDATE = ("seller", "list_price", "on_time", "seller_lead_time")
"""Columns with a slot a candidate."""
UNITS = units({**SEES, **ON_BOARD, **beliefs.IS_FEARED})


class Quote:
    """Each buying position picks one partner at a time, `requests` times, and a talk with it is opened.

    A talk has private facts: limits and deadlines of both sides; see `openings`.

    Draws:
        From the world's seed, keyed by buyer and item: which sellers are candidates.
    """

    name = "quote"
    repeats = True
    sees: Mapping[str, Meaning] = SEES
    answers, writes = ANSWERS, ("requests",)

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        self.net = net
        self.sees = {
            **SEES,
            **(ON_BOARD if scenario.board is not None else {}),
            **(beliefs.IS_FEARED if scenario.bulletins is not None else {}),
        }
        self.facts = scenario.negotiation
        self.openings = Openings(scenario, net)
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
        if not self.num_sellers.all():
            rows = rows[self.num_sellers[world.tables["positions"]["item"][rows]] > 0]  # the rest comes from outside
        positions, talks = world.tables["positions"], world.tables["talks"]
        asked = talks["buyer_position"]
        count = np.bincount(asked, minlength=positions.num_rows)[rows]
        few = count < self.facts.requests
        if not few.all():
            rows, count = rows[few], count[few]
        if len(rows) == 0:
            return rows, count, rows, rows
        item, member = positions["item"][rows], positions["member"][rows]
        book, listed = self._sellers(world)
        of = item if book is self.sellers else positions["replica"][rows] * len(self.net.items) + item
        sellers = listed[of]
        seed = world.seed(seeds.WORLD, positions["replica"][rows])
        start = seeds.integers(sellers, seeds.WORLD, seed, world.steps, self.name, (member, item))
        slots = min(self.facts.candidates, book.shape[1])
        place = (start[:, None] + np.arange(slots)) % np.maximum(sellers, 1)[:, None]
        candidates = book[of[:, None], place]
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

    def _sellers(self, world: World) -> tuple[Array, Array]:
        """Sellers and how many, a row an item; where some take no orders, a row a replica and item."""
        may_sell = selling(world)
        if may_sell is None:
            return self.sellers, self.num_sellers
        found, count = open_sellers(self.net, may_sell, world.num_replicas)
        return found.reshape(-1, found.shape[2]), count.reshape(-1)

    def _question(
        self, world: World, role: str, rows: Array, count: Array, candidates: Array, allowed: Array
    ) -> Question:
        positions, firms = world.tables["positions"], world.tables["firms"]
        replica, member, item = positions["replica"][rows], positions["member"][rows], positions["item"][rows]
        net = self.net
        seller = net.firm_row(replica[:, None], candidates)
        # two deliveries on time stand in for a record before there is one (Laplace's rule of succession)
        on_time = (firms["num_on_time"][seller] + 1) / (firms["num_deliveries"][seller] + 2)
        board = {**self._on_board(world, seller, item), **beliefs.is_feared(world, self.net, rows, candidates)}
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
                "seller_lead_time": net.promise_weeks(candidates, np.broadcast_to(member[:, None], candidates.shape)),
                **board,
            },
            masks={name: allowed for name in (*CANDIDATE, *board) if name != "trading_price"},
            units=UNITS,
            fields=(Choice(name="partner", options=ORDINALS[: candidates.shape[1]], allowed=allowed),),
        )

    def _on_board(self, world: World, seller: Array, item: Array) -> dict[str, Array]:
        """What the board says of the item and of each candidate (rows of `firms`); nothing where there is no board."""
        if "board" not in world.tables:
            return {}
        record, catalogue = world.tables["reputation"], world.tables["catalogue"]
        shares = {name: record[name][seller] / MILLION for name in ("breach_chance", "breach_level", "otif")}
        price = going(world, self.price, record["replica"][seller[:, 0]], item)
        return {"list_price": catalogue["list_price"][seller], "trading_price": price, **shares}
