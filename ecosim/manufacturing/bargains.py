"""The talks of a bargaining table as rows: who sits opposite whom, what outcomes are worth to each, what was offered.

There are two tables: what lasts of every talk of the week stays where it was dealt; open talks have a row each in
another, and when one ends the last open one takes its place. So what minds are shown is that table as it lies: outcomes
by the thousand are never copied. Small columns are replaced when they change and never written, so that they can be
shown as they are, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.exact import micro
from ecosim.fields import Array
from ecosim.manufacturing.facts.table import BargainingTable
from ecosim.manufacturing.state import ROLES, Layout
from ecosim.manufacturing.table_words import PARTIES, SIDES
from ecosim.rules import domain as rules
from ecosim.rules import frontier
from ecosim.rules.domain import Domain
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

OPEN, AGREED, REJECTED = range(3)
NOTHING = -1
_DRAWS = {"buyer": 0, "seller": 8, "rounds": 16}
"""Where each private fact's draws begin."""
_LANES = 4
"""Options of four issues, 16 bits each, are read, compared and written as one word."""
_ONES, _FULL = 0x0001_0001_0001_0001, 0x7FFF_7FFF_7FFF_7FFF
_BIDS = 64
"""Moves that a talk has room for at first; the room grows with need."""
_BITS = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)

_BIG = {f"{s}_{name}" for s in SIDES for name in ("points", "ranked", "ladder")}
"""Columns of open talks that are written in place; no move changes them."""


@dataclass(frozen=True, slots=True)
class Talks:
    """Both tables: what lasts of every talk, and open talks."""

    all: Table
    open: Table


def pairs(net: Layout) -> tuple[Array, Array]:
    """Buyers and sellers, by order within their roles: two columns of member ids, a row a pair."""
    supplier, manufacturer, distributor = (np.flatnonzero(net.role == code) for code in range(len(ROLES)))
    chain = [(manufacturer, distributor), (supplier, manufacturer if len(manufacturer) else distributor)]
    rows = [(b, s) for sellers, buyers in chain for s, b in zip(sellers.tolist(), buyers.tolist(), strict=False)]
    return np.array([b for b, _ in rows], np.int64), np.array([s for _, s in rows], np.int64)


def domain_of(facts: BargainingTable) -> Domain:
    """The issues of a scenario's table."""
    return Domain(tuple(facts.issues), tuple(tuple(options) for options in facts.issues.values()))


def none(facts: BargainingTable) -> dict[str, Table]:
    """The tables without a talk."""
    domain, empty = domain_of(facts), np.zeros(0, np.int64)
    rounds, wide = np.zeros(0, np.int32), np.zeros((0, domain.num_outcomes), np.int32)
    parties = {name: empty for name in PARTIES}
    lasting, talks = Table(parties), Table({**parties, "talk": empty, "seed": np.zeros(0, np.uint64)})
    for s in SIDES:
        lasting[f"{s}_rounds"] = talks[f"{s}_rounds"] = talks[f"{s}_best"] = rounds
        talks[f"{s}_mind"] = empty
        talks[f"{s}_points"] = np.zeros((0, len(np.concatenate(domain.options))), np.int32)
        talks[f"{s}_ranked"] = talks[f"{s}_ladder"] = lasting[f"{s}_worth"] = lasting[f"{s}_standing"] = wide
    for name in ("front", *(f"front_{s}" for s in SIDES)):
        lasting[name] = wide
    _open(lasting, talks, lanes(domain).shape[1])
    return {"bargains": lasting, "bargaining": talks}


def lanes(domain: Domain) -> Array:
    """The options of every outcome, int16 (outcomes, 4 or 8): as many as fill whole words; unused ones are 0."""
    found = np.zeros((domain.num_outcomes, -(-domain.num_issues // _LANES) * _LANES), np.int16)
    found[:, : domain.num_issues] = domain.choices
    return found


class Dealer:
    """Opens the talks of a week.

    Draws:
        From the world's seed, keyed by buyer and seller: both sides' weights, evenly within ± `weight_spread` of those
        given and made to add up to 1; deadlines, evenly in `min_rounds … max_rounds`.
    """

    def __init__(self, facts: BargainingTable, net: Layout) -> None:
        self.facts = facts
        self.domain = domain_of(facts)
        self.buyer, self.seller = pairs(net)
        self.weights = {
            name: np.array([[side.weights[issue] for issue in facts.issues]]) for name, side in facts.sides.items()
        }
        self.values = {
            name: [np.array(side.values[issue]) for issue in facts.issues] for name, side in facts.sides.items()
        }
        self.reservation = {name: micro(side.reservation) for name, side in facts.sides.items()}

    def deal(self, world: World, phase: str) -> Talks:
        """A new talk of every pair, in all live replicas."""
        live = np.flatnonzero(world.is_live)
        replica = np.repeat(live, len(self.buyer))
        buyer, seller = np.tile(self.buyer, len(live)), np.tile(self.seller, len(live))
        seed, key = world.seed(seeds.WORLD, replica), (buyer, seller)
        lasting = Table({"replica": replica, "buyer": buyer, "seller": seller})
        talks = Table({**lasting, "talk": np.arange(len(replica)), "seed": world.seed(seeds.MIND, replica)})
        deadlines = _lots(seed, world.steps, phase, key, _DRAWS["rounds"], 2).T
        for side, lot in zip(SIDES, deadlines, strict=True):
            lots = _lots(seed, world.steps, phase, key, _DRAWS[side], self.domain.num_issues)
            self._sit_down(lasting, talks, side, lots)
            span = self.facts.max_rounds - self.facts.min_rounds + 1
            rounds = self.facts.min_rounds + (lot * span).astype(np.int32)
            lasting[f"{side}_rounds"] = talks[f"{side}_rounds"] = rounds
            talks[f"{side}_mind"] = world.minds(phase, replica, lasting[side])
        self._look(lasting, talks)
        _open(lasting, talks, lanes(self.domain).shape[1])
        return Talks(lasting, talks)

    def _sit_down(self, lasting: Table, talks: Table, side: str, lots: Array) -> None:
        """What outcomes are worth to one side of each talk, and its ranking."""
        spread, base = self.facts.weight_spread, rules.normalised(self.weights[side])
        drawn = rules.normalised(base * (1.0 + spread * (2.0 * lots - 1.0))) if spread else base
        points = rules.parts(drawn, self.values[side])
        worth = rules.utilities(points)
        ranking = rules.ranking(worth)
        kept = {"worth": worth, "standing": rules.standing(ranking)}
        seen = {"points": np.concatenate(points, axis=1), "ranked": ranking.outcome, "ladder": ranking.utility}
        rows = None if spread else np.zeros(talks.num_rows, np.int64)  # all alike: worked out once
        for table, found in ((lasting, kept), (talks, seen)):
            for name, column in found.items():
                table[f"{side}_{name}"] = column if rows is None else column[rows]
        talks[f"{side}_best"] = talks[f"{side}_ladder"][:, 0].copy()

    def _look(self, lasting: Table, talks: Table) -> None:
        """The efficient outcomes of each talk, while rankings are at hand."""
        ranking = rules.Ranking(talks["buyer_ranked"], talks["buyer_ladder"])
        front = frontier.frontier(lasting["buyer_worth"], lasting["seller_worth"], ranking)
        lasting["front"], lasting["front_buyer"], lasting["front_seller"] = front.outcome, front.first, front.second


def _lots(seed: Array, step: int, phase: str, key: tuple[Array, ...], lane: int, count: int) -> Array:
    """Draws from [0, 1), float64 (rows, count); four of 32 bits from each call."""
    words = [w for i in range(-(-count // 4)) for w in seeds.words(seeds.WORLD, seed, step, phase, key, lane + i)]
    halves = [part for word in words for part in (word >> _BITS, word & _LOW)][:count]
    return np.stack(halves, axis=1).astype(np.float64) * 2.0**-32


def _open(lasting: Table, talks: Table, num_lanes: int) -> None:
    """The columns of talks in which nothing has been said."""
    rows = talks.num_rows
    lasting["moves"], lasting["end"] = np.zeros(rows, np.int64), np.full(rows, OPEN)
    lasting["agreed"], lasting["bids"] = np.full(rows, NOTHING), _no_bids(rows, _BIDS)
    talks["moves"] = np.zeros(rows, np.int64)
    for side in SIDES:
        for name in ("offer", "place", "asks", "below", "hears", "heard"):
            talks[f"{side}_{name}"] = np.full(rows, NOTHING, np.int32)
        talks[f"{side}_changes"] = np.zeros(rows, np.int32)
        for name in ("options", "first", "kept"):
            talks[f"{side}_{name}"] = np.zeros((rows, num_lanes), np.int16)


def offer(talks: Talks, side: str, move: int, rows: Array, outcome: Array, options: Array) -> None:
    """Let new offers of one side stand: what they are worth to both, and how they differ from its last.

    Args:
        talks: the tables.
        side: who offers.
        move: the number of the move.
        rows: in which open talks.
        outcome: what, another than before.
        options: of every outcome, as `lanes` gives them.
    """
    lasting, at_table = talks.all, talks.open
    other = SIDES[1 - SIDES.index(side)]
    _note_change(at_table, side, move, rows, options.view(np.int64).take(outcome, axis=0))
    talk = at_table["talk"].take(rows)
    _note_bid(lasting, move, talk, outcome)
    num_outcomes = lasting[f"{side}_worth"].shape[1]
    at = talk * num_outcomes
    at += outcome
    place = lasting[f"{side}_standing"].reshape(-1).take(at)
    here, ladder = rows * num_outcomes + place, at_table[f"{side}_ladder"].reshape(-1)
    below = ladder.take(here + 1, mode="clip")
    below[place == num_outcomes - 1] = NOTHING
    new = {f"{side}_offer": outcome, f"{side}_place": place, f"{side}_asks": ladder.take(here), f"{side}_below": below}
    new[f"{other}_hears"] = lasting[f"{other}_worth"].reshape(-1).take(at)
    for name, column in new.items():
        at_table.columns[name] = _put(at_table[name], rows, column)


def _put(column: Array, rows: Array, values: Array) -> Array:
    """A copy with other values in some rows."""
    new = column.copy()
    new[rows] = values
    return new


def _note_change(talks: Table, side: str, move: int, rows: Array, options: Array) -> None:
    """Count in which issues an offer differs from the side's last; four options of 16 bits are compared as one word."""
    columns, stood = talks.columns, talks[f"{side}_options"].view(np.int64)
    if move < 2:  # its first
        columns[f"{side}_first"] = _put(talks[f"{side}_first"].view(np.int64), rows, options).view(np.int16)
    else:
        differs = ((options ^ stood.take(rows, axis=0)) + _FULL) >> 15 & _ONES
        kept, changes = talks[f"{side}_kept"].view(np.int64), talks[f"{side}_changes"]
        kept = _put(kept, rows, kept.take(rows, axis=0) + (_ONES - differs))
        columns[f"{side}_kept"] = kept.view(np.int16)
        columns[f"{side}_changes"] = _put(changes, rows, changes.take(rows) + 1)
    columns[f"{side}_options"] = _put(stood, rows, options).view(np.int16)


def _no_bids(rows: int, moves: int) -> Array:
    """Room for offers, int16 (rows, moves); those of a move lie together, as they are written together."""
    return np.full((moves, rows), NOTHING, np.int16).T


def _note_bid(talks: Table, move: int, rows: Array, outcome: Array) -> None:
    """Add to the talks' offers."""
    bids = talks["bids"]
    if move >= bids.shape[1]:
        talks["bids"] = bids = np.concatenate([bids.T, _no_bids(*bids.shape).T]).T
    bids[:, move][rows] = outcome


def all_bids(talks: Table) -> Table:
    """The offers of all talks as rows, by talk and move."""
    bids = np.ascontiguousarray(talks["bids"]).reshape(-1)
    at = (bids >= 0).nonzero()[0]
    moves = talks["bids"].shape[1]
    talk = at >> (moves.bit_length() - 1)  # there is room for 64 moves, 128, 256, …
    who = {name: talks[name].take(talk) for name in ("replica", "buyer", "seller")}
    return Table({**who, "move": at & (moves - 1), "offer": bids.take(at).astype(np.int64)})


def close(talks: Table, over: Array) -> Table:
    """The open talks without those that are over; the last ones take their places."""
    stay = talks.num_rows - len(over)
    holes, late = over[over < stay], over[over >= stay]
    is_open = np.ones(len(over), bool)
    is_open[late - stay] = False
    fill = stay + np.flatnonzero(is_open)
    left = {}
    for name, column in talks.items():
        left[name] = part = column[:stay] if name in _BIG else column[:stay].copy()
        part[holes] = column[fill]
    return Table(left)


def num_bytes(facts: BargainingTable, num_pairs: int) -> int:
    """What the talks of one replica take at least."""
    outcomes = domain_of(facts).num_outcomes
    return num_pairs * 2 * (outcomes * 12 + 8 * 60)
