"""Requests for quotes: a buyer chooses, for every need, which sellers to talk to.

A buyer sees at most `candidates` sellers of the item, dealt out anew each week, so the cost of the market grows with
the number of firms and not with its square. It asks one after another (`repeats`), never the same one twice in a week.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.exact import MILLION
from ecosim.fields import Array, Choice
from ecosim.manufacturing.active import open_sellers, selling
from ecosim.manufacturing.contracts import buying
from ecosim.manufacturing.planning import market_price, unit_cost
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import NOBODY, ROLES, SHOWN_OFFERS, Layout
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

    A talk has four private facts: limits of both sides (the buyer's scatter around the item's value, the seller's
    around its unit cost: making, and parts at their market price) and deadlines of both sides.

    Draws:
        From the world's seed, keyed by buyer, seller and item: which sellers are candidates; limits, evenly within
        ± `private_spread`, rounded down to a cent; deadlines, evenly in `min_rounds` … `max_rounds`.
    """

    name = "quote"
    repeats = True
    sees, answers, writes = SEES, ANSWERS, ("requests",)

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        self.net = net
        self.facts = scenario.negotiation
        items = range(len(net.items))
        self.item_names = np.array(net.items, dtype=object)
        self.cost = np.array([unit_cost(net, scenario, i) for i in items])
        self.price = np.array([market_price(net, scenario, i) for i in items])
        self.value = np.array([round(scenario.items[name].value_eur * MILLION) for name in net.items])
        self.num_sellers = np.array([len(s) for s in net.sellers])
        self.sellers = np.full((len(net.items), max(1, self.num_sellers.max())), NOBODY)
        for i, sellers in enumerate(net.sellers):
            self.sellers[i, : len(sellers)] = sellers

    def ask(self, world: World) -> list[Question]:
        """Positions that want to buy and have not yet asked as many sellers as they may."""
        rows, count, candidates, allowed = self._due(world)
        role = self.net.role[world.tables["positions"]["member"][rows]]
        questions = []
        for code in np.unique(role):
            mine = role == code
            questions.append(
                self._question(world, ROLES[code], rows[mine], count[mine], candidates[mine], allowed[mine])
            )
        return questions

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Open a talk with every partner chosen."""
        if world.tables["talks"].num_rows == 0:
            self._open_rooms(world)
        if not questions:
            return {}
        key = concat([question.key for question in questions])
        replica, buyer, item = key["replica"], key["subject"], key["item"]
        pairs = zip(questions, decisions, strict=True)
        picked = [q["seller"][np.arange(q.num_rows), decision.answers["partner"]] for q, decision in pairs]
        seller = np.concatenate(picked)
        world.tables["talks"] = concat([world.tables["talks"], self._talks(world, replica, buyer, seller, item)])
        return {"requests": Table({"replica": replica, "buyer": buyer, "seller": seller, "item": item})}

    def _due(self, world: World) -> tuple[Array, Array, Array, Array]:
        """Positions that may ask once more: rows, sellers asked so far, candidates (rows, slots), which are allowed."""
        rows = buying(world, self.net)
        positions, talks = world.tables["positions"], world.tables["talks"]
        asked_by = self.net.position_row(talks["replica"], talks["buyer"], talks["item"])
        count = np.bincount(asked_by, minlength=positions.num_rows)[rows]
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
        local = np.full(positions.num_rows, NOBODY)
        local[rows] = np.arange(len(rows))
        mine = local[asked_by]
        np.logical_and.at(allowed, mine, candidates[mine] != talks["seller"][:, None])
        due = (count < self.facts.requests) & allowed.any(axis=1)
        return rows[due], count[due], candidates[due], allowed[due]

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
                "seller_lead_time": self.net.promise_weeks(
                    candidates, np.broadcast_to(member[:, None], candidates.shape)
                ),
            },
            masks={name: allowed for name in ("seller", "list_price", "on_time", "seller_lead_time")},
            units=UNITS,
            fields=(Choice(name="partner", options=ORDINALS[: candidates.shape[1]], allowed=allowed),),
        )

    def _talks(self, world: World, replica: Array, buyer: Array, seller: Array, item: Array) -> Table:
        """New talks with their private limits and deadlines, drawn from the world's stream."""
        facts, seed = self.facts, world.seed(seeds.WORLD, replica)
        key = (buyer, seller, item)
        rows = len(buyer)

        limits = seeds.two_uniforms(seeds.WORLD, seed, world.steps, "limits", key)
        patience = seeds.two_uniforms(seeds.WORLD, seed, world.steps, "deadlines", key)

        def scattered(centre: Array, u: Array) -> Array:
            limit = np.rint(centre * (1.0 + facts.private_spread * (2.0 * u - 1.0))).astype(np.int64)
            return limit // CENT * CENT

        def rounds(u: Array) -> Array:
            return facts.min_rounds + (u * (facts.max_rounds - facts.min_rounds + 1)).astype(np.int64)

        none = np.full(rows, NOBODY)
        return Table(
            {
                "replica": replica,
                "buyer": buyer,
                "seller": seller,
                "item": item,
                "buyer_position": self.net.position[buyer, item],
                "seller_position": self.net.position[seller, item],
                "buyer_limit": scattered(self.value[item], limits[0]),
                "seller_limit": scattered(self.cost[item], limits[1]),
                "buyer_rounds": rounds(patience[0]),
                "seller_rounds": rounds(patience[1]),
                **{
                    f"{who}_{what}": none.copy()
                    for who in ("buyer", "seller")
                    for what in ("price", "quantity", "week")
                },
                "moves": np.zeros(rows, np.int64),
                "prices": np.zeros((rows, SHOWN_OFFERS), np.int64),
            }
        )

    def _open_rooms(self, world: World) -> None:
        """What each position can still buy (its wish), or promise (stock, work in hand and capacity, less debts)."""
        positions, contracts = world.tables["positions"], world.tables["contracts"]
        net = self.net
        member, item = positions["member"], positions["item"]
        account = world.ledger.rows(positions["replica"], member)
        free = world.ledger.accounts["balance"][account, item + 1] + positions["on_order"]
        capacity = world.tables["firms"]["capacity"][net.firm_row(positions["replica"], member)]
        free += capacity * (self.facts.late_weeks + 1)
        promised = np.zeros(positions.num_rows, np.int64)
        rows = net.position_row(contracts["replica"], contracts["seller"], contracts["item"])
        np.add.at(promised, rows, contracts["open"])
        makes = np.tile(net.makes, world.num_replicas)
        positions["room"][:] = np.where(makes, np.maximum(free - promised, 0), positions["wish"])


OFFER = ("price", "quantity", "week")
"""The issues of an offer; the week counts from the week of the talk."""

CENT = 10_000
"""The grid of prices, in millionths of a euro."""
