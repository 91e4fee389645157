"""The talks of a bargaining table as rows: who sits opposite whom, what outcomes are worth to each, what was offered.

Open talks stand first in the table. One that ends changes places with the last open one, so that a move touches only
what it changes, and what minds are shown are the first rows as they lie: outcomes by the thousand are never copied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.exact import micro
from ecosim.fields import Array
from ecosim.manufacturing.facts.table import BargainingTable
from ecosim.manufacturing.state import ROLES, Layout
from ecosim.meanings import Meaning, State
from ecosim.rules import domain as rules
from ecosim.rules.domain import Domain
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

SIDES = ("buyer", "seller")
OPEN, AGREED, REJECTED = range(3)
ENDS = ("open", "agreed", "rejected")
NOTHING = -1
_DRAWS = {"buyer": 0, "seller": 8, "rounds": 16}
"""Where each private fact's draws begin."""
_LANES = 4
"""Options of four issues, 16 bits each, are read, compared and written as one word."""
_ONES, _FULL = 0x0001_0001_0001_0001, 0x7FFF_7FFF_7FFF_7FFF
_BIDS = 64
"""Offers that a talk has room for at first; the room grows with need."""
_BITS = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)

_SIDE = {
    "rounds": Meaning("rounds", "its deadline; hidden"),
    "points": Meaning("1/1e6", "what each option of each issue adds to its utility; hidden"),
    "worth": Meaning("1/1e6", "its utility of each outcome; hidden"),
    "ranked": Meaning("", "outcomes from its best to its worst"),
    "ladder": Meaning("1/1e6", "its utility of these"),
    "offer": Meaning("", "the outcome that it offers; −1 if none yet"),
    "options": Meaning("", "the same as an option of each issue"),
    "place": Meaning("", "where that stands among its own outcomes, 0 the best; −1 if none yet"),
    "asks": Meaning("1/1e6", "its own utility of its offer; −1 if none yet"),
    "below": Meaning("1/1e6", "its utility of its next worse outcome; −1 if there is none"),
    "hears": Meaning("1/1e6", "its utility of the other's offer; −1 if none yet"),
    "heard": Meaning("1/1e6", "the same before the other's last move"),
    "first": Meaning("", "its first offer as an option of each issue"),
    "best": Meaning("1/1e6", "its utility of its best outcome"),
    "changes": Meaning("", "how often it has changed its offer"),
    "kept": Meaning("", "in how many of these changes each issue stayed as it was"),
}
STATE = State(
    "a talk of this week's bargaining table; open ones first",
    {
        "replica": Meaning("id", "where it is"),
        "buyer": Meaning("id", "who buys"),
        "seller": Meaning("id", "who sells"),
        "moves": Meaning("", "moves made by both sides"),
        "end": Meaning("", ", ".join(f"{i} {name}" for i, name in enumerate(ENDS))),
        "agreed": Meaning("", "the outcome agreed; −1 if none"),
        "num_bids": Meaning("", "offers of both sides so far, repetitions left out"),
        "bids": Meaning("", "these offers: move × 65,536 + outcome"),
        **{f"{s}_{n}": Meaning(m.unit, f"the {s}: {m.about}") for s in SIDES for n, m in _SIDE.items()},
    },
)


def pairs(net: Layout) -> tuple[Array, Array]:
    """Buyers and sellers, by order within their roles: two columns of member ids, a row a pair."""
    supplier, manufacturer, distributor = (np.flatnonzero(net.role == code) for code in range(len(ROLES)))
    chain = [(manufacturer, distributor), (supplier, manufacturer if len(manufacturer) else distributor)]
    rows = [(b, s) for sellers, buyers in chain for s, b in zip(sellers.tolist(), buyers.tolist(), strict=False)]
    return np.array([b for b, _ in rows], np.int64), np.array([s for _, s in rows], np.int64)


def domain_of(facts: BargainingTable) -> Domain:
    """The issues of a scenario's table."""
    return Domain(tuple(facts.issues), tuple(tuple(options) for options in facts.issues.values()))


def none(facts: BargainingTable) -> Table:
    """The table without a talk."""
    domain, empty = domain_of(facts), np.zeros(0, np.int64)
    talks = Table({"replica": empty, "buyer": empty, "seller": empty})
    num_points = sum(len(options) for options in domain.options)
    for s in SIDES:
        talks[f"{s}_rounds"] = talks[f"{s}_best"] = empty
        talks[f"{s}_points"] = np.zeros((0, num_points), np.int32)
        for name in ("worth", "ranked", "ladder"):
            talks[f"{s}_{name}"] = np.zeros((0, domain.num_outcomes), np.int32)
    return _with_nothing_said(talks, lanes(domain).shape[1])


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

    def deal(self, world: World, phase: str) -> Table:
        """A new talk of every pair, in all live replicas."""
        live = np.flatnonzero(world.is_live)
        replica = np.repeat(live, len(self.buyer))
        buyer, seller = np.tile(self.buyer, len(live)), np.tile(self.seller, len(live))
        seed = world.seed(seeds.WORLD, replica)
        talks = Table({"replica": replica, "buyer": buyer, "seller": seller})
        key = (buyer, seller)
        for side in SIDES:
            self._sit_down(talks, side, _lots(seed, world.steps, phase, key, _DRAWS[side], self.domain.num_issues))
        for side, lot in zip(SIDES, _lots(seed, world.steps, phase, key, _DRAWS["rounds"], 2).T, strict=True):
            span = self.facts.max_rounds - self.facts.min_rounds + 1
            talks[f"{side}_rounds"] = self.facts.min_rounds + (lot * span).astype(np.int64)
            talks[f"{side}_best"] = talks[f"{side}_ladder"][:, 0].astype(np.int64)
        return _with_nothing_said(talks, lanes(self.domain).shape[1])

    def _sit_down(self, talks: Table, side: str, lots: Array) -> None:
        """What outcomes are worth to one side of each talk, and its ranking."""
        spread, base = self.facts.weight_spread, rules.normalised(self.weights[side])
        drawn = rules.normalised(base * (1.0 + spread * (2.0 * lots - 1.0))) if spread else base
        points = rules.parts(drawn, self.values[side])
        worth = rules.utilities(points)
        ranking = rules.ranking(worth)
        found = {"points": np.concatenate(points, axis=1), "worth": worth}
        found |= {"ranked": ranking.outcome, "ladder": ranking.utility}
        rows = None if spread else np.zeros(talks.num_rows, np.int64)  # all alike: worked out once
        for name, column in found.items():
            talks[f"{side}_{name}"] = column if rows is None else column[rows]


def _lots(seed: Array, step: int, phase: str, key: tuple[Array, ...], lane: int, count: int) -> Array:
    """Draws from [0, 1), float64 (rows, count); four of 32 bits from each call."""
    words = [w for i in range(-(-count // 4)) for w in seeds.words(seeds.WORLD, seed, step, phase, key, lane + i)]
    halves = [part for word in words for part in (word >> _BITS, word & _LOW)][:count]
    return np.stack(halves, axis=1).astype(np.float64) * 2.0**-32


def _with_nothing_said(talks: Table, num_lanes: int) -> Table:
    rows = talks.num_rows
    talks["moves"], talks["end"] = np.zeros(rows, np.int64), np.full(rows, OPEN)
    talks["agreed"], talks["num_bids"] = np.full(rows, NOTHING), np.zeros(rows, np.int64)
    talks["bids"] = np.zeros((rows, _BIDS), np.int32)
    for side in SIDES:
        for name in ("offer", "place", "asks", "below", "hears", "heard"):
            talks[f"{side}_{name}"] = np.full(rows, NOTHING)
        talks[f"{side}_changes"] = np.zeros(rows, np.int64)
        for name in ("options", "first", "kept"):
            talks[f"{side}_{name}"] = np.zeros((rows, num_lanes), np.int16)
    return talks


def num_open(talks: Table) -> int:
    """How many talks are open; they are the first rows."""
    return int(np.count_nonzero(talks["end"] == OPEN))


def offer(talks: Table, side: str, move: int, rows: Array, outcome: Array, options: Array) -> None:
    """Let new offers of one side stand: what they are worth to both, and how they differ from its last.

    Args:
        talks: the table.
        side: who offers.
        move: the number of the move.
        rows: in which talks.
        outcome: what, another than before.
        options: of every outcome, as `lanes` gives them.
    """
    other = SIDES[1 - SIDES.index(side)]
    _note_change(talks, side, move, rows, options.view(np.int64).take(outcome, axis=0))
    _note_bid(talks, move, rows, outcome)
    place = _place(talks, side, rows, outcome)
    num_outcomes = talks[f"{side}_worth"].shape[1]
    at = rows * num_outcomes
    ladder = talks[f"{side}_ladder"].reshape(-1)
    here = at + place
    talks[f"{side}_offer"][rows], talks[f"{side}_place"][rows] = outcome, place
    talks[f"{side}_asks"][rows] = ladder[here]
    is_last = (place == num_outcomes - 1).nonzero()[0]
    here += 1
    here[is_last] = 0
    below = ladder[here]
    below[is_last] = NOTHING
    talks[f"{side}_below"][rows] = below
    talks[f"{other}_hears"][rows] = talks[f"{other}_worth"].reshape(-1)[at + outcome]


def _note_change(talks: Table, side: str, move: int, rows: Array, options: Array) -> None:
    """Count in which issues an offer differs from the side's last; four options of 16 bits are compared as one word."""
    stood = talks[f"{side}_options"].view(np.int64)
    if move < 2:  # its first
        talks[f"{side}_first"].view(np.int64)[rows] = options
    else:
        differs = ((options ^ stood.take(rows, axis=0)) + _FULL) >> 15 & _ONES
        kept = talks[f"{side}_kept"].view(np.int64)
        kept[rows] = kept.take(rows, axis=0) + (_ONES - differs)
        talks[f"{side}_changes"][rows] += 1
    stood[rows] = options


def _note_bid(talks: Table, move: int, rows: Array, outcome: Array) -> None:
    """Add to the talks' lists of offers."""
    number = talks["num_bids"][rows]
    room = talks["bids"].shape[1]
    if len(number) and int(number.max()) == room:
        talks["bids"] = np.concatenate([talks["bids"], np.zeros_like(talks["bids"])], axis=1)
        room *= 2
    talks["bids"].reshape(-1)[rows * room + number] = (move << 16) + outcome
    talks["num_bids"][rows] = number + 1


def all_bids(talks: Table) -> Table:
    """The lists of offers of all talks as rows, sorted by talk and move."""
    order = np.lexsort([talks[name] for name in ("seller", "buyer", "replica")])
    count = talks["num_bids"][order]
    is_bid = np.arange(talks["bids"].shape[1]) < count[:, None]
    bids = talks["bids"][order][is_bid]
    who = {name: np.repeat(talks[name][order], count) for name in ("replica", "buyer", "seller")}
    return Table({**who, "move": (bids >> 16).astype(np.int64), "offer": (bids & 0xFFFF).astype(np.int64)})


def _place(talks: Table, side: str, rows: Array, outcome: Array) -> Array:
    """Where outcomes stand in the side's ranking; most are a step or two below its last offer."""
    ranked = talks[f"{side}_ranked"]
    flat, at, last = ranked.reshape(-1), rows * ranked.shape[1], ranked.shape[1] - 1
    place = np.minimum(talks[f"{side}_place"][rows] + 1, last)
    lost = np.flatnonzero(flat[at + place] != outcome)
    for _ in range(2):
        if len(lost):
            place[lost] = np.minimum(place[lost] + 1, last)
            lost = lost[flat[at[lost] + place[lost]] != outcome[lost]]
    if len(lost):
        place[lost] = (ranked[rows[lost]] == outcome[lost][:, None]).argmax(axis=1)
    return place


def close(talks: Table, over: Array, num_open: int) -> None:
    """Move talks that are over behind those that are open."""
    stay = num_open - len(over)
    holes, late = over[over < stay], over[over >= stay]
    is_open = np.ones(len(over), bool)
    is_open[late - stay] = False
    fill = stay + np.flatnonzero(is_open)
    for column in talks.values():
        kept = column[holes]
        column[holes] = column[fill]
        column[fill] = kept


def num_bytes(facts: BargainingTable, num_pairs: int) -> int:
    """What the talks of one replica take at least."""
    outcomes = domain_of(facts).num_outcomes
    return num_pairs * 2 * (outcomes * 10 + 8 * 10)
