"""What a negotiator sees when it is its turn, and what it may answer: the columns and fields of `negotiate`.

All talks that are open were opened together, so all are at the same move: what depends on the move alone is one number.
The columns of all talks are made at once; a role's question is a slice of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.exact import MILLION, micro
from ecosim.fields import Array, Bucket, Choice, Field
from ecosim.manufacturing import speech
from ecosim.manufacturing.facts.negotiation import PENALTY_STEPS
from ecosim.manufacturing.openings import CENT, issues
from ecosim.manufacturing.planning import market_price, unit_cost
from ecosim.manufacturing.prices import going
from ecosim.manufacturing.rivals import rivals
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import NOBODY, SHOWN_OFFERS, Layout
from ecosim.meanings import Meaning, units
from ecosim.words import Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

ACCEPT, COUNTER, REJECT = range(3)
ACTS = ("accept", "counter", "reject")
SEES = {
    "is_buyer": Meaning("", "1 if it buys in this talk, 0 if it sells"),
    "item_name": Meaning("", "which item"),
    "round": Meaning("rounds", "this round, from 1; both sides move once a round"),
    "rounds_left": Meaning("rounds", "after this one, until its own deadline; the other's is hidden"),
    "reservation": Meaning("EUR/1e6", "its private limit for the price of a unit; the other's is hidden"),
    "market_price": Meaning(
        "EUR/1e6", "of a unit: the trading price, or without a board half-way between cost and worth"
    ),
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
    "offer_penalty": Meaning("share/1e6", "the other's standing offer: penalty for each week late; −1: none"),
    "own_penalty": Meaning("share/1e6", "its own last offer: penalty for each week late; −1 if there is none"),
    "expected_lateness": Meaning("weeks/1e6", "how late it takes a delivery to be on average; the other's is hidden"),
    "discount": Meaning("", "what a gain is worth a round later, as a share of what it is worth now"),
    "rival_price": Meaning("EUR/1e6", "the best offer that stands in its other talks about the item; −1: none"),
    "rival_count": Meaning("", "how many other talks about the item it has open"),
    "said": Meaning("", "code of the other's last speech act; −1 before its first"),
    "said_word": Meaning("text", "the other's last speech act in a word; empty before its first"),
    "said_cited": Meaning("EUR/1e6", "the rival's price that the other cited with its last move; −1: none"),
    "said_promise": Meaning("units/1e6", "the volume that the other has promised to keep to; 0: none"),
    "said_threat": Meaning("", "1 while a threat of the other to leave stands"),
    "told_need": Meaning("units/1e6", "what the other needs or can promise, where it was asked; −1: not asked"),
    "own_promise": Meaning("units/1e6", "the volume that it has itself promised to keep to; 0: none"),
    "own_threat": Meaning("", "1 while a threat of its own stands"),
}
ANSWERS = {
    "act": Meaning("", "take the other's standing offer, make another (until its own deadline), or end the talk"),
    "price": Meaning("EUR/1e6", "of a unit; no worse than its own private limit"),
    "quantity": Meaning("units/1e6", "whole units, at most its room"),
    "week": Meaning("weeks", "delivery, from now"),
    "penalty": Meaning("share/1e6", "of the value, that the seller pays back for each week late"),
    "speech": Meaning("", "what is said with the offer"),
    "claim": Meaning("EUR/1e6", "the price of a rival that is cited, true or not"),
}
UNITS = units(SEES)


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose turn it is: buyers make the even moves; `parts` are the roles' rows of the open talks."""

    move: int
    side: str
    other: str
    mover: Array
    parts: list[tuple[int, Array | slice]]

    @property
    def is_buyer(self) -> bool:
        """Whether buyers move."""
        return self.side == "buyer"


class Hearing:
    """Makes the questions of a turn.

    Prices lie on a grid of cents: a buyer's from half the item's unit cost to its own limit, a seller's from its own
    limit to one and a half times the item's value. Quantities are whole units up to the mover's room, delivery is at
    most `late_weeks` after the earliest week, penalties lie on a grid from 0 to `max_penalty_share`.
    """

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        self.net = net
        self.facts = scenario.negotiation
        self.issues = issues(self.facts)
        self.late_weeks = scenario.negotiation.late_weeks
        items = range(len(net.items))
        self.item_names = np.array(net.items, dtype=object)
        self.price = np.array([market_price(net, scenario, i) for i in items])
        self.floor = np.array([unit_cost(net, scenario, i) // 2 // CENT * CENT for i in items])
        self.ceiling = np.array([micro(scenario.items[n].value_eur) * 3 // 2 // CENT * CENT for n in net.items])
        self.penalty_step = micro(self.facts.max_penalty_share) // PENALTY_STEPS
        self._constants: dict[int | tuple[int | bool, ...], Array] = {}
        self.words = np.array([*speech.ACTS, ""], dtype=object)

    def questions(self, world: World, phase: str, roles: tuple[str, ...], talks: Table, turn: Turn) -> list[Question]:
        """One question a role, about all open talks."""
        side, other, move = turn.side, turn.other, turn.move
        rows, round_ = talks.num_rows, move // 2 + 1
        replica, item = talks["replica"], talks["item"]
        limit, rounds = talks[f"{side}_limit"], talks[f"{side}_rounds"]
        room = world.tables["positions"]["room"][talks[f"{side}_position"]]
        account = world.ledger.rows(replica, turn.mover)
        offer = {what: talks[f"{other}_{what}"] for what in self.issues}
        own = {what: talks[f"{side}_{what}"] for what in self.issues}
        whole = room - room % MILLION
        lead = self.net.promise_weeks(talks["seller"], talks["buyer"])
        can_ship = lead if turn.is_buyer else lead + self._wait(world, replica, turn.mover, whole, offer["quantity"])
        is_shown = self._same(_SHOWN[min(move, SHOWN_OFFERS)], rows)
        allowed = np.empty((rows, 3), bool)
        allowed[:, ACCEPT] = (offer["quantity"] <= room) if move else False
        allowed[:, COUNTER] = rounds >= round_
        allowed[:, REJECT] = True
        columns = {
            "is_buyer": self._same(int(turn.is_buyer), rows),
            "item_name": self.item_names[item],
            "round": self._same(round_, rows),
            "rounds_left": np.maximum(rounds - round_, 0),
            "reservation": limit,
            "market_price": going(world, self.price, replica, item),
            "need": whole,
            "on_hand": world.ledger.accounts["balance"][account, item + 1],
            "wanted_week": can_ship,
            "has_offer": self._same(int(move > 0), rows),
            "offer_price": offer["price"],
            "offer_quantity": offer["quantity"],
            "offer_week": offer["week"],
            "has_own": self._same(int(move > 1), rows),
            "own_price": own["price"],
            "own_quantity": own["quantity"],
            "own_week": own["week"],
            "offers_price": talks["prices"],
            "offers_mine": self._same(_MINE, rows),
        }
        columns |= self._more(talks, turn)
        fields = self._fields(turn, item, limit, whole, lead, allowed)
        if self.facts.speech:
            columns |= self._spoken(world, talks, turn, whole)
            fields = self._speech(world, talks, turn, columns, fields)
        asked = Question(
            role=roles[turn.parts[0][0]],
            phase=phase,
            step=world.steps,
            key=Table(
                {
                    "replica": replica,
                    "subject": turn.mover,
                    "counterpart": talks[other],
                    "item": item,
                    "round": talks["moves"],
                }
            ),
            seed=world.seed(seeds.MIND, replica),
            mind=world.minds(phase, replica, turn.mover),
            columns=columns,
            masks={"offers_price": is_shown, "offers_mine": is_shown},
            units=UNITS,
            fields=fields,
        )
        if len(turn.parts) == 1:
            return [asked]
        return [_of_role(asked, roles[code], rows) for code, rows in turn.parts]

    def _fields(
        self, turn: Turn, item: Array, limit: Array, whole: Array, lead: Array, allowed: Array
    ) -> tuple[Field, ...]:
        rows = len(limit)
        low, high = (
            (np.minimum(self.floor[item], limit), limit)
            if turn.is_buyer
            else (limit, np.maximum(self.ceiling[item], limit))
        )
        unit, cent = self._same(MILLION, rows), self._same(CENT, rows)
        fields: tuple[Field, ...] = (
            Choice(name="act", options=ACTS, allowed=allowed),
            Bucket(name="price", low=low, high=high, step=cent, unit="EUR/1e6", only_if=_COUNTERED),
            Bucket(name="quantity", low=unit, high=whole, step=unit, unit="units/1e6", only_if=_COUNTERED),
            Bucket(
                name="week",
                low=lead,
                high=lead + self.late_weeks,
                step=self._same(1, rows),
                unit="weeks",
                only_if=_COUNTERED,
            ),
        )
        if not self.facts.has_penalty:
            return fields
        none, most = self._same(0, rows), self._same(self.penalty_step * PENALTY_STEPS, rows)
        step = self._same(self.penalty_step, rows)
        grid = Bucket(name="penalty", low=none, high=most, step=step, unit="share/1e6", only_if=_COUNTERED)
        return (*fields, grid)

    def _same(self, value: int | tuple[int | bool, ...], rows: int) -> Array:
        """One value (or one row of slots) in every row, to be read only: what is kept is as good as new."""
        if len(self._constants.get(value, ())) < rows:
            row = np.array(value)
            self._constants[value] = np.broadcast_to(row, (2 * rows, *row.shape))
        return self._constants[value][:rows]

    def _more(self, talks: Table, turn: Turn) -> dict[str, Array]:
        """Columns that not every scenario has: penalty, discount, rivals."""
        facts = self.facts
        more: dict[str, Array] = {}
        if facts.has_penalty:
            more |= {"offer_penalty": talks[f"{turn.other}_penalty"], "own_penalty": talks[f"{turn.side}_penalty"]}
            more["expected_lateness"] = talks[f"{turn.side}_lateness"]
        if facts.discount < 1:
            more["discount"] = np.full(talks.num_rows, facts.discount)
        if facts.has_rivals:
            more["rival_price"], more["rival_count"] = rivals(talks, turn.side, turn.other)
        return more

    def _spoken(self, world: World, talks: Table, turn: Turn, whole: Array) -> dict[str, Array]:
        """What the other has said, and what it has told when asked."""
        side, other = turn.side, turn.other
        room = world.tables["positions"]["room"][talks[f"{other}_position"]]
        return {
            "said": talks[f"{other}_said"],
            "said_word": self.words[talks[f"{other}_said"]],
            "said_cited": talks[f"{other}_cited"],
            "said_promise": talks[f"{other}_promise"],
            "said_threat": talks[f"{other}_threat"],
            "told_need": np.where(talks[f"{side}_asked"] == 1, room - room % MILLION, NOBODY),
            "own_promise": np.minimum(talks[f"{side}_promise"], whole),
            "own_threat": talks[f"{side}_threat"],
        }

    def _speech(
        self, world: World, talks: Table, turn: Turn, seen: dict[str, Array], fields: tuple[Field, ...]
    ) -> tuple[Field, ...]:
        """The fields with those of speech, and with what promises leave of the others."""
        act, price, quantity, *rest = fields
        assert isinstance(act, Choice) and isinstance(price, Bucket) and isinstance(quantity, Bucket)
        promise, own_threat = seen["own_promise"], seen["own_threat"] == 1
        act.allowed[:, ACCEPT] &= talks[f"{turn.other}_quantity"] >= promise
        is_sorry = own_threat
        if not turn.is_buyer:
            firm = self.net.firm_row(talks["replica"], turn.mover)
            firms = world.tables["firms"]
            is_sorry = is_sorry | (firms["num_on_time"][firm] < firms["num_deliveries"][firm])
        said = Choice(
            name="speech",
            options=speech.ACTS,
            allowed=speech.may_say(
                has_offer=turn.move > 0,
                own_threat=own_threat,
                is_sorry=is_sorry,
                has_rival=seen["rival_price"] != NOBODY,
                may_bluff=self.facts.may_bluff,
                asked=talks[f"{turn.side}_asked"] == 1,
            ),
            only_if=_COUNTERED,
        )
        kept = Bucket(
            name="quantity",
            low=np.maximum(quantity.low, promise),
            high=quantity.high,
            step=quantity.step,
            unit=quantity.unit,
            only_if=_COUNTERED,
        )
        fields = (act, price, kept, *rest, said)
        if not self.facts.may_bluff:
            return fields
        top = np.maximum(self.ceiling[talks["item"]], price.high)
        claim = ("speech", speech.CITE)
        return (*fields, Bucket(name="claim", low=price.low, high=top, step=price.step, unit="EUR/1e6", only_if=claim))

    def _wait(self, world: World, replica: Array, seller: Array, room: Array, quantity: Array) -> Array | int:
        """Weeks until a seller could ship: none from what is free, later as capacity allows."""
        capacity = np.maximum(world.tables["firms"]["capacity"][self.net.firm_row(replica, seller)], MILLION)
        free = room - capacity * (self.late_weeks + 1) - quantity
        if (free >= 0).all():
            return 0
        return np.minimum(-(np.minimum(free, 0) // capacity), self.late_weeks)


def _of_role(asked: Question, role: str, rows: Array | slice) -> Question:
    return asked.part(role, rows) if isinstance(rows, slice) else replace(asked.take(rows), role=role)


_MINE = tuple(slot % 2 for slot in range(SHOWN_OFFERS))
_SHOWN = tuple(tuple(move > slot for slot in range(SHOWN_OFFERS)) for move in range(SHOWN_OFFERS + 1))
"""Which slots hold an offer, by the moves made so far."""
_COUNTERED = ("act", COUNTER)
