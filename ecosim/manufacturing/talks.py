"""Bilateral negotiation: alternating offers over unit price, quantity and delivery week.

All open talks of all replicas advance together; in a round first the buyers move, then the sellers. Each side has
a private limit and a private deadline. A move accepts the other's standing offer, makes a counter-offer (not after the
own deadline), or ends the talk.

Concurrent talks of one firm share its *room*: what a buyer still needs, what a seller can still promise. The rule when
accepts of one move add up to more than that: they are confirmed in order of price (lowest first for the buyer, highest
first for the seller, then by the other's id) up to the first that no longer fits; the rest end as "withdrawn". A talk
whose buyer or seller has no room for one more unit ends as "satisfied", one of a firm that is out of business as
"stopped", before anybody moves.

Source: Rubinstein (1982), Perfect equilibrium in a bargaining model (alternating offers; here with deadlines).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.exact import MILLION, micro
from ecosim.fields import Array, Bucket, Choice
from ecosim.manufacturing.active import gone
from ecosim.manufacturing.contracts import sign
from ecosim.manufacturing.market import CENT, OFFER
from ecosim.manufacturing.planning import market_price, unit_cost
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import ROLES, SHOWN_OFFERS, Layout
from ecosim.meanings import Meaning, units
from ecosim.rules.allocate import all_or_nothing
from ecosim.side import Events
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

ACCEPT, COUNTER, REJECT = range(3)
ACTS = ("accept", "counter", "reject")
OPEN, AGREED, REJECTED, WITHDRAWN, SATISFIED, STOPPED = range(6)
OUTCOMES = ("open", "agreed", "rejected", "withdrawn", "satisfied", "stopped")
SEES = {
    "is_buyer": Meaning("", "1 if it buys in this talk, 0 if it sells"),
    "item_name": Meaning("", "which item"),
    "round": Meaning("rounds", "this round, from 1; both sides move once a round"),
    "rounds_left": Meaning("rounds", "after this one, until its own deadline; the other's is hidden"),
    "reservation": Meaning("EUR/1e6", "its private limit for the price of a unit; the other's is hidden"),
    "market_price": Meaning("EUR/1e6", "of a unit, half-way between what it costs and what it is worth"),
    "need": Meaning("units/1e6", "its room: what it still needs, or can still promise, of the item"),
    "on_hand": Meaning("units/1e6", "its stock of the item"),
    "wanted_week": Meaning("weeks", "from now, when it would like the goods to arrive, or can deliver them"),
    "has_offer": Meaning("", "1 if an offer of the other side stands"),
    "offer_price": Meaning("EUR/1e6", "the other's standing offer: price of a unit; −1 if there is none"),
    "offer_quantity": Meaning("units/1e6", "the other's standing offer: quantity; −1 if there is none"),
    "offer_week": Meaning("weeks", "the other's standing offer: delivery, from now; −1 if there is none"),
    "has_own": Meaning("", "1 if it has made an offer before"),
    "own_price": Meaning("EUR/1e6", "its own last offer: price of a unit; −1 if there is none"),
    "own_quantity": Meaning("units/1e6", "its own last offer: quantity; −1 if there is none"),
    "own_week": Meaning("weeks", "its own last offer: delivery, from now; −1 if there is none"),
    "offers_price": Meaning("EUR/1e6", "prices of the last offers of both sides, the newest first"),
    "offers_mine": Meaning("", "for each of those offers, 1 if it was its own"),
}
ANSWERS = {
    "act": Meaning("", "take the other's standing offer, make another (until its own deadline), or end the talk"),
    "price": Meaning("EUR/1e6", "of a unit; no worse than its own private limit"),
    "quantity": Meaning("units/1e6", "whole units, at most its room"),
    "week": Meaning("weeks", "delivery, from now"),
}
UNITS = units(SEES)


PRIVATE = ("buyer_limit", "seller_limit", "buyer_rounds", "seller_rounds")


@dataclass(frozen=True, slots=True)
class Move:
    """Whose turn it is in which talks: rows of `talks`, the mover's id, and the rows of both positions."""

    rows: Array
    is_buyer: bool
    mover: Array
    role: Array


class Negotiate:
    """One move of all open talks a call, until none is open.

    Prices lie on a grid of cents: a buyer's from half the item's unit cost to its own limit, a seller's from its own
    limit to one and a half times the item's value. Quantities are whole units up to the mover's room, delivery is at
    most `late_weeks` after the earliest week. An accept holds for the other's standing offer as a whole.
    """

    name = "negotiate"
    repeats = True
    sees, answers, writes = SEES, ANSWERS, ("offers", "contracts", "talks")

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        self.net = net
        self.late_weeks = scenario.negotiation.late_weeks
        items = range(len(net.items))
        self.item_names = np.array(net.items, dtype=object)
        self.price = np.array([market_price(net, scenario, i) for i in items])
        self.floor = np.array([unit_cost(net, scenario, i) // 2 // CENT * CENT for i in items])
        self.ceiling = np.array([micro(scenario.items[n].value_eur) * 3 // 2 // CENT * CENT for n in net.items])

    def ask(self, world: World) -> list[Question]:
        """Whoever's turn it is, in every open talk; one question a role."""
        move = self._move(world)
        if move is None:
            return []
        questions = []
        for code, role in enumerate(ROLES):
            mine = np.flatnonzero(move.role == code)
            if len(mine):
                questions.append(self._question(world, role, move.rows[mine], move.mover[mine], move.is_buyer))
        return questions

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Let offers stand, sign what is accepted, close what is over."""
        move = self._move(world)
        if move is None or not questions:
            return self._close(world, np.full(world.tables["talks"].num_rows, SATISFIED))
        answers = self._gather(move, questions, decisions)
        talks = world.tables["talks"]
        side = "buyer" if move.is_buyer else "seller"
        other = "seller" if move.is_buyer else "buyer"
        countered = answers["act"] == COUNTER
        rows = move.rows[countered]
        for what in ("price", "quantity", "week"):
            talks[f"{side}_{what}"][rows] = answers[what][countered]
        talks["prices"][rows, 1:] = talks["prices"][rows, :-1]
        talks["prices"][rows, 0] = answers["price"][countered]
        said = {what: np.where(countered, answers[what], talks[f"{other}_{what}"][move.rows]) for what in OFFER}
        offers = {name: talks[name][move.rows] for name in ("replica", "buyer", "seller", "item")}
        offers |= {"move": talks["moves"][move.rows].copy(), "act": answers["act"], **said}
        talks["moves"][move.rows] += 1
        outcome = np.full(talks.num_rows, OPEN)
        outcome[move.rows[answers["act"] == REJECT]] = REJECTED
        accepted = move.rows[answers["act"] == ACCEPT]
        confirmed = self._confirm(world, accepted, other)
        outcome[accepted] = np.where(confirmed, AGREED, WITHDRAWN)
        contracts = self._sign(world, accepted[confirmed], other)
        outcome[(outcome == OPEN) & self._is_satisfied(world)] = SATISFIED
        return {"offers": Table(offers), "contracts": contracts, **self._close(world, outcome)}

    def _move(self, world: World) -> Move | None:
        """Whose turn it is: talks opened together keep step, so all are at the same move."""
        talks = world.tables["talks"]
        lost = gone(world, self.net, talks)
        live = world.is_live[talks["replica"]]
        rows = np.flatnonzero(live if lost is None else live & ~lost)
        if len(rows) == 0:
            return None
        is_buyer = bool(talks["moves"][rows[0]] % 2 == 0)
        mover = talks["buyer" if is_buyer else "seller"][rows]
        return Move(rows, is_buyer, mover, self.net.role[mover])

    def _question(self, world: World, role: str, rows: Array, mover: Array, is_buyer: bool) -> Question:
        talks = world.tables["talks"]
        side, other = ("buyer", "seller") if is_buyer else ("seller", "buyer")
        replica, item, moves = talks["replica"][rows], talks["item"][rows], talks["moves"][rows]
        counterpart = talks[other][rows]
        limit = talks[f"{side}_limit"][rows]
        round_ = moves // 2 + 1
        rounds_left = np.maximum(talks[f"{side}_rounds"][rows] - round_, 0)
        is_in_time = round_ <= talks[f"{side}_rounds"][rows]
        room = world.tables["positions"]["room"][self._position(talks, side, rows)]
        account = world.ledger.rows(replica, mover)
        on_hand = world.ledger.accounts["balance"][account, item + 1]
        offer = {what: talks[f"{other}_{what}"][rows] for what in OFFER}
        own = {what: talks[f"{side}_{what}"][rows] for what in OFFER}
        has_offer = offer["price"] >= 0
        last = int(moves[0])
        prices = talks["prices"][rows]
        is_shown = np.broadcast_to(np.arange(SHOWN_OFFERS) < last, prices.shape)
        mine = np.broadcast_to(np.arange(SHOWN_OFFERS) % 2, prices.shape)
        low = np.minimum(self.floor[item], limit) if is_buyer else limit
        high = limit if is_buyer else np.maximum(self.ceiling[item], limit)
        units = room // MILLION * MILLION
        can_accept = has_offer & (offer["quantity"] <= room)
        allowed = np.stack([can_accept, is_in_time, np.ones(len(rows), bool)], axis=1)
        weeks = self.net.promise_weeks(talks["seller"][rows], talks["buyer"][rows])
        counter = ("act", COUNTER)
        whole, cent, one = (np.full(len(rows), n) for n in (MILLION, CENT, 1))
        return Question(
            role=role,
            phase=self.name,
            step=world.steps,
            key=Table({"replica": replica, "subject": mover, "counterpart": counterpart, "item": item, "round": moves}),
            seed=world.seed(seeds.MIND, replica),
            mind=world.minds(self.name, replica, mover),
            columns={
                "is_buyer": np.full(len(rows), int(is_buyer)),
                "item_name": self.item_names[item],
                "round": round_,
                "rounds_left": rounds_left,
                "reservation": limit,
                "market_price": self.price[item],
                "need": units,
                "on_hand": on_hand,
                "wanted_week": weeks
                if is_buyer
                else weeks + self._wait(world, replica, mover, units, offer["quantity"]),
                "has_offer": has_offer.astype(np.int64),
                **{f"offer_{what}": offer[what] for what in OFFER},
                "has_own": (own["price"] >= 0).astype(np.int64),
                **{f"own_{what}": own[what] for what in OFFER},
                "offers_price": prices,
                "offers_mine": mine,
            },
            masks={"offers_price": is_shown, "offers_mine": is_shown},
            units=UNITS,
            fields=(
                Choice(name="act", options=ACTS, allowed=allowed),
                Bucket(name="price", low=low, high=high, step=cent, unit="EUR/1e6", only_if=counter),
                Bucket(name="quantity", low=whole, high=units, step=whole, unit="units/1e6", only_if=counter),
                Bucket(
                    name="week",
                    low=weeks,
                    high=weeks + self.late_weeks,
                    step=one,
                    unit="weeks",
                    only_if=counter,
                ),
            ),
        )

    def _wait(self, world: World, replica: Array, seller: Array, room: Array, quantity: Array) -> Array:
        """Weeks until a seller could ship: at once from what is free, later as capacity allows."""
        capacity = np.maximum(world.tables["firms"]["capacity"][self.net.firm_row(replica, seller)], MILLION)
        free = room - capacity * (self.late_weeks + 1)
        wait = -((np.minimum(free - quantity, 0)) // capacity)
        return np.clip(wait, 0, self.late_weeks)

    def _gather(self, move: Move, questions: Sequence[Question], decisions: Sequence[Decision]) -> dict[str, Array]:
        """The answers of all roles in the order of the talks."""
        answers = {name: np.empty(len(move.rows), np.int64) for name in ("act", *OFFER)}
        for question, decision in zip(questions, decisions, strict=True):
            mine = np.flatnonzero(move.role == ROLES.index(question.role))
            for name, column in answers.items():
                column[mine] = decision.answers[name]
        return answers

    def _confirm(self, world: World, rows: Array, offerer: str) -> Array:
        """Which accepts hold, given the room of both sides."""
        talks = world.tables["talks"]
        price, quantity = talks[f"{offerer}_price"][rows], talks[f"{offerer}_quantity"][rows]
        confirmed = np.ones(len(rows), bool)
        for side, other, turn in (("buyer", "seller", price), ("seller", "buyer", -price)):
            left = np.flatnonzero(confirmed)
            position = self._position(talks, side, rows[left])
            room = world.tables["positions"]["room"][position]
            fits = all_or_nothing((position,), (turn[left], talks[other][rows][left]), quantity[left], room)
            confirmed[left] = fits
        return confirmed

    def _sign(self, world: World, rows: Array, offerer: str) -> Table:
        """Contracts on the standing offers of `offerer`; both sides' room shrinks."""
        talks, net = world.tables["talks"], self.net
        deals = {name: talks[name][rows] for name in ("replica", "buyer", "seller", "item")}
        quantity = talks[f"{offerer}_quantity"][rows]
        for side in ("buyer", "seller"):
            position = self._position(talks, side, rows)
            np.subtract.at(world.tables["positions"]["room"], position, quantity)
        deals |= {
            "from_week": np.full(len(rows), world.steps),
            "due_week": world.steps + talks[f"{offerer}_week"][rows],
            "quantity": quantity,
            "price": talks[f"{offerer}_price"][rows],
        }
        return sign(world, net, Table(deals))

    def _is_satisfied(self, world: World) -> Array:
        """Which talks have a side without room for one more unit."""
        talks, room = world.tables["talks"], world.tables["positions"]["room"]
        everyone = np.arange(talks.num_rows)
        buyer, seller = (room[self._position(talks, side, everyone)] for side in ("buyer", "seller"))
        return np.minimum(buyer, seller) < MILLION

    def _position(self, talks: Table, side: str, rows: Array) -> Array:
        """Rows in `positions` of one side of some talks."""
        return talks["replica"][rows] * self.net.num_positions + talks[f"{side}_position"][rows]

    def _close(self, world: World, outcome: Array) -> Events:
        """Take talks that are over, or lost a party, off the table; gives their event rows."""
        talks = world.tables["talks"]
        lost = gone(world, self.net, talks)
        if lost is not None:
            outcome[lost] = STOPPED
        over = outcome != OPEN
        ended = talks.take(over)
        world.tables["talks"] = talks.take(~over)
        names = ("replica", "buyer", "seller", "item", *PRIVATE, "moves")
        return {"talks": Table({**{name: ended[name] for name in names}, "outcome": outcome[over]})}
