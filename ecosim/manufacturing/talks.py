"""Negotiations: stacked alternating offers about price, quantity, delivery week, and in some scenarios the penalty.

All open talks of all replicas advance as one batch a move. The buyer opens; whoever's turn it is accepts the other's
standing offer, makes another, or rejects (which ends the talk). A firm can't see the other's limit, deadline or room;
past its own deadline it can only accept or reject.

What both sides can still take is their room in `positions`. When several accepts of one move do not fit into a
position's room, they are served in turn of price (lowest first for the buyer, highest first for the seller, then by the
other's id) up to the first that no longer fits; the rest end as "withdrawn". A talk whose buyer or seller has no room
for one more unit ends as "satisfied", one in which a binding threat was not heeded as "left", one of a firm that is out
of business as "stopped", before anybody moves.

Source: Rubinstein (1982), Perfect equilibrium in a bargaining model (alternating offers; here with deadlines); Aydoğan,
Festen, Hindriks, Jonker (2017), Alternating offers protocols for multilateral negotiation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim.exact import MILLION
from ecosim.fields import Array
from ecosim.manufacturing import aftermath, speech
from ecosim.manufacturing.active import gone
from ecosim.manufacturing.contracts import sign
from ecosim.manufacturing.hearing import ACCEPT, ACTS, ANSWERS, COUNTER, REJECT, SEES, Hearing, Turn
from ecosim.manufacturing.openings import issues
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import NOBODY, ROLES, Layout
from ecosim.rules.allocate import all_or_nothing
from ecosim.side import Events
from ecosim.words import Decision, Question, Table, concat

if TYPE_CHECKING:
    from ecosim.world import World

OPEN, AGREED, REJECTED, WITHDRAWN, SATISFIED, LEFT, STOPPED = range(7)
OUTCOMES = ("open", "agreed", "rejected", "withdrawn", "satisfied", "left", "stopped")
PARTIES = ("replica", "buyer", "seller", "item")
PRIVATE = ("buyer_limit", "seller_limit", "buyer_rounds", "seller_rounds")

__all__ = ["ACCEPT", "ACTS", "AGREED", "COUNTER", "OUTCOMES", "REJECT", "Negotiate"]


class Negotiate:
    """One move of all open talks a call, until none is open. An accept holds for the other's standing offer as a whole.

    Columns of `talks` are replaced, never written in place: a question that was asked keeps what it showed.
    """

    name = "negotiate"
    repeats = True
    sees, answers = SEES, ANSWERS

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        self.net = net
        self.facts = scenario.negotiation
        self.issues = issues(self.facts)
        self._last: Turn | None = None
        self._looked: tuple[Array, Array | None] | None = None
        self.hearing = Hearing(scenario, net)
        self.has_words = self.facts.speech or self.facts.has_penalty
        more = {"speeches": self.has_words, "analyses": self.facts.analysis}
        self.writes = ("offers", "contracts", "talks", *(name for name, is_in in more.items() if is_in))

    def ask(self, world: World) -> list[Question]:
        """Whoever's turn it is, in every open talk; one question a role."""
        talks, lost = _live(world), self._lost_a_party(world)
        if lost is not None and lost.any():
            talks = _live(world, ~lost)
        return self.hearing.questions(world, self.name, ROLES, talks, self._turn(talks)) if talks.num_rows else []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Let offers stand, sign what is accepted, close what is over."""
        stopped = self._stop(world)
        talks = _live(world)
        if talks.num_rows == 0 or not questions:
            return _both(stopped, self._end(world))
        frozen = world.tables["talks"].take(~world.is_live[world.tables["talks"]["replica"]]) if _lost(world) else None
        turn = self._turn(talks)
        answers = _gather(turn, talks.num_rows, questions, decisions)
        act = answers["act"]
        countered, accepted = act == COUNTER, (act == ACCEPT).nonzero()[0]
        standing = {what: talks[f"{turn.other}_{what}"] for what in self.issues}
        is_plain = bool(countered.all())
        said = answers if is_plain else {w: np.where(countered, answers[w], standing[w]) for w in self.issues}
        events = self._offers(talks, turn, act, said)
        outcome = np.where(act == REJECT, REJECTED, OPEN)
        if self.facts.speech:
            left = self._speak(talks, turn, answers, countered, questions)
            outcome[left] = LEFT
        if self.has_words:
            events["speeches"] = self._words(talks, turn, answers, said)
        self._stand(talks, turn, answers)
        if len(accepted):
            confirmed = self._confirm(world, talks, accepted, turn.other)
            outcome[accepted] = np.where(confirmed, AGREED, WITHDRAWN)
            events["contracts"] = self._sign(world, talks, accepted[confirmed], turn.other)
        if len(accepted) or turn.move == 0:  # rooms change only where something is signed
            room = world.tables["positions"]["room"]
            least = np.minimum(room[talks["buyer_position"]], room[talks["seller_position"]])
            outcome[(outcome == OPEN) & (least < MILLION)] = SATISFIED
        return _both(stopped, {**events, **self._close(world, talks, outcome, frozen, turn)})

    def _lost_a_party(self, world: World) -> Array | None:
        """Which talks have a party out of business; looked up once for asking and applying, as nobody goes between."""
        talks = world.tables["talks"]
        if self._looked is None or self._looked[0] is not talks["buyer"]:
            self._looked = (talks["buyer"], gone(world, self.net, talks))
        return self._looked[1]

    def _turn(self, talks: Table) -> Turn:
        """Whose turn it is: talks opened together keep step, so all are at the same move."""
        move = int(talks["moves"][0])
        side, other = ("buyer", "seller") if move % 2 == 0 else ("seller", "buyer")
        mover = talks[side]
        last = self._last  # a turn is asked and then applied: of the same columns it is the same turn
        if last is None or last.mover is not mover or last.move != move:
            last = self._last = Turn(move, side, other, mover, _by_role(self.net.role[mover]))
        return last

    def _offers(self, talks: Table, turn: Turn, act: Array, said: dict[str, Array]) -> dict[str, Table]:
        """Rows of the event table `offers` for the move; an accept or reject tells the offer at stake."""
        rows = {name: talks[name] for name in PARTIES} | {"move": talks["moves"], "act": act}
        return {"offers": Table(rows | {what: said[what] for what in ("price", "quantity", "week")})}

    def _stand(self, talks: Table, turn: Turn, answers: dict[str, Array]) -> None:
        """The answers as standing offers; who did not counter has none, but that talk is over."""
        for what in self.issues:
            talks[f"{turn.side}_{what}"] = answers[what]
        prices = np.empty_like(talks["prices"])
        prices[:, 0] = answers["price"]
        prices[:, 1:] = talks["prices"][:, :-1]
        talks["prices"] = prices
        talks["moves"] = talks["moves"] + 1

    def _speak(
        self,
        talks: Table,
        turn: Turn,
        answers: dict[str, Array],
        countered: Array,
        questions: Sequence[Question],
    ) -> Array:
        """Let words take effect; gives the talks that end because a binding threat was not heeded."""
        side, other = turn.side, turn.other
        answers["speech"] = np.where(
            countered, answers["speech"], np.where(answers["act"] == ACCEPT, speech.AGREE, speech.REFUSE)
        )
        act = answers["speech"]
        shown = answers["claim"] if self.facts.may_bluff else _column(turn, talks.num_rows, questions, "rival_price")
        talks[f"{side}_said"] = act
        talks[f"{side}_cited"] = np.where(act == speech.CITE, shown, NOBODY)
        promise = np.where(act == speech.PROMISE, answers["quantity"], 0)
        talks[f"{side}_promise"] = np.maximum(talks[f"{side}_promise"], promise)
        talks[f"{side}_asked"] = np.where(act == speech.ASK, 1, talks[f"{side}_asked"])
        threat = np.where(act == speech.APOLOGISE, 0, talks[f"{side}_threat"])
        talks[f"{side}_threat"] = np.where(act == speech.THREATEN, 1, threat)
        threatened = countered & (talks[f"{other}_threat"] == 1)
        if self.facts.threats == "cheap" or not threatened.any():
            return np.zeros(0, np.int64)
        before = {what: talks[f"{side}_{what}"] for what in self.issues}
        better = self._gain(talks, other, answers) > self._gain(talks, other, before)
        talks[f"{other}_threat"] = np.where(threatened, 0, talks[f"{other}_threat"])
        return np.flatnonzero(threatened & ~better)

    def _gain(self, talks: Table, side: str, offer: dict[str, Array]) -> Array:
        return aftermath.gain(talks, side, offer, self.net.promise_weeks(talks["seller"], talks["buyer"]))

    def _words(self, talks: Table, turn: Turn, answers: dict[str, Array], said: dict[str, Array]) -> Table:
        """Rows of the event table `speeches` for the move."""
        rows, side = talks.num_rows, turn.side
        plain = np.array([speech.AGREE, speech.PROPOSE, speech.REFUSE])  # by act
        none = np.full(rows, NOBODY)
        words = {name: talks[name] for name in PARTIES} | {"move": talks["moves"]}
        words["speech"] = answers["speech"] if self.facts.speech else plain[answers["act"]]
        words["penalty"] = said["penalty"] if self.facts.has_penalty else none
        words["cited"] = talks[f"{side}_cited"] if self.facts.speech else none
        words["promise"] = talks[f"{side}_promise"] if self.facts.speech else none * 0
        return Table(words)

    def _confirm(self, world: World, talks: Table, rows: Array, offerer: str) -> Array:
        """Which accepts hold, given the room of both sides."""
        price, quantity = talks[f"{offerer}_price"][rows], talks[f"{offerer}_quantity"][rows]
        room = world.tables["positions"]["room"]
        confirmed = np.ones(len(rows), bool)
        for side, other, turn in (("buyer", "seller", price), ("seller", "buyer", -price)):
            position = talks[f"{side}_position"][rows]
            taken = np.zeros(len(room), np.int64)
            np.add.at(taken, position, np.where(confirmed, quantity, 0))
            tight = (confirmed & (taken > room)[position]).nonzero()[0]  # elsewhere all fit, in any order
            if len(tight):
                where = position[tight]
                second = talks[other][rows[tight]]
                confirmed[tight] = all_or_nothing((where,), (turn[tight], second), quantity[tight], room[where])
        return confirmed

    def _sign(self, world: World, talks: Table, rows: Array, offerer: str) -> Table:
        """Contracts on the standing offers of `offerer`; both sides' room shrinks."""
        deals = {name: talks[name][rows] for name in PARTIES}
        quantity = talks[f"{offerer}_quantity"][rows]
        for side in ("buyer", "seller"):
            np.subtract.at(world.tables["positions"]["room"], talks[f"{side}_position"][rows], quantity)
        deals |= {
            "from_week": np.full(len(rows), world.steps),
            "due_week": world.steps + talks[f"{offerer}_week"][rows],
            "quantity": quantity,
            "price": talks[f"{offerer}_price"][rows],
        }
        if self.facts.has_penalty:
            deals["penalty"] = talks[f"{offerer}_penalty"][rows]
        return sign(world, self.net, Table(deals))

    def _close(self, world: World, talks: Table, outcome: Array, frozen: Table | None, turn: Turn) -> Events:
        """Take talks that are over off the table; gives their event rows."""
        over = outcome != OPEN
        keep, gone = (~over).nonzero()[0], over.nonzero()[0]
        left = talks.take(keep) if len(gone) else talks
        world.tables["talks"] = left if frozen is None else concat([left, frozen])
        if len(gone) == 0:
            return {}
        events = {"talks": _ended(talks, gone, outcome[gone])}
        if self.facts.analysis:
            ended = talks.take(gone)
            events["analyses"] = self.aftermath_of(world, ended, outcome[gone], turn)
        return events

    def aftermath_of(self, world: World, ended: Table, outcome: Array, turn: Turn) -> Table:
        """Ended talks measured against what could have been agreed."""
        room = world.tables["positions"]["room"]
        rooms = room[ended["buyer_position"]], room[ended["seller_position"]]
        deal = {what: np.where(outcome == AGREED, ended[f"{turn.other}_{what}"], 0) for what in self.issues}
        capacity = world.tables["firms"]["capacity"][self.net.firm_row(ended["replica"], ended["seller"])]
        lead_weeks = self.net.promise_weeks(ended["seller"], ended["buyer"])
        return aftermath.analyse(self.facts, lead_weeks, ended, outcome == AGREED, deal, rooms, capacity)

    def _stop(self, world: World) -> Table | None:
        """Take talks that lost a party off the table; gives their event rows."""
        talks = world.tables["talks"]
        lost = self._lost_a_party(world)
        if lost is None or not lost.any():
            return None
        world.tables["talks"] = talks.take(np.flatnonzero(~lost))
        return _ended(talks, np.flatnonzero(lost), np.full(int(lost.sum()), STOPPED))

    def _end(self, world: World) -> Events:
        """Talks of replicas that were frozen in between end with the phase."""
        talks = world.tables["talks"]
        if talks.num_rows == 0:
            return {}
        world.tables["talks"] = talks.take(np.zeros(0, np.int64))
        return {"talks": _ended(talks, np.arange(talks.num_rows), np.full(talks.num_rows, SATISFIED))}


def _lost(world: World) -> bool:
    return not world.is_live.all()


def _live(world: World, also: Array | None = None) -> Table:
    """The open talks of replicas that are live; a table of its own, so that columns may be exchanged."""
    talks = world.tables["talks"]
    if also is not None:
        return talks.take(world.is_live[talks["replica"]] & also)
    return talks.take(world.is_live[talks["replica"]]) if _lost(world) else Table(talks.columns)


def _both(stopped: Table | None, events: Events) -> Events:
    """Events of a move, with those of talks that were stopped before it."""
    if stopped is None:
        return events
    return {**events, "talks": concat([stopped, events["talks"]]) if "talks" in events else stopped}


def _by_role(role: Array) -> list[tuple[int, Array | slice]]:
    """The rows of each role, in the order of their codes; a slice where they stand together."""
    ends = ((role[1:] != role[:-1]).nonzero()[0] + 1).tolist()
    starts = [0, *ends]
    codes = role[starts].tolist()
    if len(set(codes)) == len(codes):
        found = zip(codes, map(slice, starts, [*ends, len(role)]), strict=True)
        return sorted(found, key=lambda part: part[0])
    return [(code, _slice((role == code).nonzero()[0])) for code in sorted(set(codes))]


def _slice(rows: Array) -> Array | slice:
    """Rows that stand together as a slice, which costs nothing to take."""
    first, last = int(rows[0]), int(rows[-1])
    return slice(first, last + 1) if last - first + 1 == len(rows) else rows


def _gather(
    turn: Turn, num_rows: int, questions: Sequence[Question], decisions: Sequence[Decision]
) -> dict[str, Array]:
    """The answers of all roles in the order of the talks."""
    names = [spec.name for spec in questions[0].fields]
    columns = {name: [decision.answers[name] for decision in decisions] for name in names}
    return {name: _together(turn, num_rows, parts) for name, parts in columns.items()}


def _column(turn: Turn, num_rows: int, questions: Sequence[Question], name: str) -> Array:
    return _together(turn, num_rows, [question[name] for question in questions])


def _together(turn: Turn, num_rows: int, parts: Sequence[Array]) -> Array:
    if len(parts) == 1:
        return parts[0]
    found = np.empty(num_rows, np.int64)
    for (_, rows), part in zip(turn.parts, parts, strict=True):
        found[rows] = part
    return found


def _ended(talks: Table, rows: Array, outcome: Array) -> Table:
    names = (*PARTIES, *PRIVATE, "moves")
    return Table({**{name: talks[name][rows] for name in names}, "outcome": outcome})
