"""Talks about one price, thousands at once, for learning by play: the market's question without the market.

A talk has what talks of the market have (`manufacturing.talks`): a buyer who opens and a seller, private limits and
deadlines, offers in turn, and a mover who takes the other's standing offer, makes another (until its own deadline) or
ends the talk. Whoever moves is asked the market's `negotiate` question with the very same columns and fields, so a mind
that learnt here sits in the market unchanged. Quantity and week of delivery are there too, but nobody is short of
either: what is learnt is the price.

What a deal is worth to a side is its *share of the pie*, (limit − price) ÷ (buyer's limit − seller's limit) of a buyer,
times the discount for each round after the first; no deal is worth nothing. Both shares of a deal add up to 1.

Source: Aydoğan, Festen, Hindriks, Jonker (2017), Alternating offers protocols for multilateral negotiation; the private
facts are drawn as `manufacturing.openings` draws them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecosim import exact, seeds
from ecosim.exact import MILLION
from ecosim.fields import Array, Bucket, Choice
from ecosim.manufacturing.hearing import ACCEPT, ACTS, COUNTER, REJECT, UNITS
from ecosim.manufacturing.openings import CENT
from ecosim.manufacturing.state import NOBODY, SHOWN_OFFERS
from ecosim.words import Expert, Question, Table

PHASE = "negotiate"
BUYER, SELLER = "buyer", "seller"
SIDES = (BUYER, SELLER)
ROUND_CAP = 10
"""Deadlines are read in shares of so many rounds."""
WEEK = 1
"""When all want the goods, weeks from now."""

_COUNTERED = ("act", COUNTER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """How the private facts of talks are drawn; money in EUR.

    Attributes:
        cost_eur: unit costs lie between these, evenly on a log scale.
        worth: what a unit is worth to buyers, as a multiple of its cost, evenly between these.
        spread: limits scatter by up to this share around worth and cost, itself drawn evenly from 0 to this.
        rounds: deadlines lie between these.
        patience: deadlines are min + (max − min + 1) · u^patience, rounded down: above 1 early ones are more frequent.
        market: where the market price lies between cost and worth, evenly between these; ½ is half-way.
        discount: what a gain is worth a round later.
    """

    cost_eur: tuple[float, float] = (2.0, 40.0)
    worth: tuple[float, float] = (1.6, 3.2)
    spread: float = 0.15
    rounds: tuple[int, int] = (4, 10)
    patience: float = 1.0
    market: tuple[float, float] = (0.5, 0.5)
    discount: float = 1.0


def deal(family: Family, num_talks: int, seed: int, first: int = 0, stream: str = seeds.IMAGINED) -> Table:
    """The private facts of talks; talk number i is the same however many are dealt.

    Draws:
        From the stream given (training imagines its talks), keyed by the talk's number.

    Returns:
        Columns `talk`, `buyer_limit`, `seller_limit`, `market_price`, `floor`, `ceiling` (EUR/1e6), `buyer_rounds`,
        `seller_rounds`, `quantity` (units/1e6).
    """
    talk = first + np.arange(num_talks)

    def draw(lane: int) -> tuple[Array, Array]:
        return seeds.two_uniforms(stream, np.array([seed], np.uint64), 0, "talks", (talk,), lane)

    (u_cost, u_worth), (u_spread, u_market) = draw(0), draw(1)
    limits, patience, (u_need, _) = draw(2), draw(3), draw(4)
    low, high = family.cost_eur
    cost = low * exact.power(np.full(num_talks, high / low), u_cost) * MILLION
    worth = cost * _between(family.worth, u_worth)
    spread = family.spread * u_spread
    buyer, seller = (
        np.rint(centre * (1 + spread * (2 * u - 1))).astype(np.int64) // CENT * CENT
        for centre, u in zip((worth, cost), limits, strict=True)
    )
    least, most = family.rounds
    rounds = [least + ((most - least + 1) * exact.power(u, family.patience)).astype(np.int64) for u in patience]
    return Table(
        {
            "talk": talk,
            "buyer_limit": buyer,
            "seller_limit": seller,
            "market_price": np.rint(cost + (worth - cost) * _between(family.market, u_market)).astype(np.int64),
            "floor": (cost / 2).astype(np.int64) // CENT * CENT,
            "ceiling": (worth * 3 / 2).astype(np.int64) // CENT * CENT,
            "buyer_rounds": rounds[0],
            "seller_rounds": rounds[1],
            "quantity": (1 + (u_need * 40).astype(np.int64)) * MILLION,
        }
    )


def _between(ends: tuple[float, float], u: Array) -> Array:
    return ends[0] + (ends[1] - ends[0]) * u


class Talks:
    """Open talks at one move; those that are over leave and leave their outcome behind.

    Args:
        facts: what `deal` gives.
        discount: what a gain is worth a round later.
        role: as whom movers are asked.
        seed: mind seed of movers.
    """

    def __init__(self, facts: Table, discount: float = 1.0, role: str = "distributor", seed: int = 0) -> None:
        self.facts, self.discount, self.role, self.seed = facts, discount, role, seed
        rows = facts.num_rows
        self.move = 0
        self.open = np.arange(rows)
        self.price = {side: np.full(rows, NOBODY) for side in SIDES}
        self.prices = np.zeros((rows, SHOWN_OFFERS), np.int64)
        self.agreed = np.zeros(rows, bool)
        self.deal_price, self.ended = np.full(rows, NOBODY), np.zeros(rows, np.int64)

    @property
    def side(self) -> str:
        """Who moves."""
        return SIDES[self.move % 2]

    @property
    def round(self) -> int:
        """The number of the round, from 1."""
        return self.move // 2 + 1

    def question(self, rows: Array | None = None) -> Question:
        """What the movers of some open talks see (places among the open ones; all if None)."""
        at = self.open if rows is None else self.open[rows]
        side, other, is_buyer = self.side, SIDES[1 - self.move % 2], self.move % 2 == 0
        facts, num = self.facts, len(at)
        limit, rounds, quantity = facts[f"{side}_limit"][at], facts[f"{side}_rounds"][at], facts["quantity"][at]
        offer, own = self.price[other][at], self.price[side][at]
        has_offer, has_own = self.move > 0, self.move > 1
        same, none = np.ones(num, np.int64), np.full(num, NOBODY)
        shown = np.broadcast_to(np.arange(SHOWN_OFFERS) < self.move, (num, SHOWN_OFFERS))
        allowed = np.ones((num, 3), bool)
        allowed[:, ACCEPT], allowed[:, COUNTER] = has_offer, rounds >= self.round
        low, high = (facts["floor"][at], limit) if is_buyer else (limit, facts["ceiling"][at])
        columns = {
            "is_buyer": same * is_buyer,
            "item_name": np.full(num, "goods", object),
            "round": same * self.round,
            "rounds_left": np.maximum(rounds - self.round, 0),
            "reservation": limit,
            "market_price": facts["market_price"][at],
            "need": quantity,
            "on_hand": quantity,
            "wanted_week": same * WEEK,
            "has_offer": same * has_offer,
            "offer_price": offer,
            "offer_quantity": quantity if has_offer else none,
            "offer_week": same * WEEK if has_offer else none,
            "has_own": same * has_own,
            "own_price": own,
            "own_quantity": quantity if has_own else none,
            "own_week": same * WEEK if has_own else none,
            "offers_price": self.prices[at],
            "offers_mine": np.broadcast_to(np.arange(SHOWN_OFFERS) % 2, (num, SHOWN_OFFERS)),
        }
        if self.discount < 1:
            columns["discount"] = np.full(num, self.discount)
        cents, unit, week = same * CENT, same * MILLION, same * WEEK
        talk = facts["talk"][at]
        return Question(
            role=self.role,
            phase=PHASE,
            step=0,
            key=Table(
                {
                    "replica": np.zeros(num, np.int64),
                    "subject": 2 * talk + (not is_buyer),
                    "counterpart": 2 * talk + is_buyer,
                    "item": np.zeros(num, np.int64),
                    "round": same * self.move,
                }
            ),
            seed=np.full(num, self.seed, np.uint64),
            mind=np.zeros(num, np.int64),
            columns=columns,
            masks={"offers_price": shown, "offers_mine": shown},
            units=UNITS,
            fields=(
                Choice(name="act", options=ACTS, allowed=allowed),
                _bucket("price", np.minimum(low, high), np.maximum(low, high), cents),
                _bucket("quantity", unit, quantity, unit),
                _bucket("week", week, week, week),
            ),
        )

    def apply(self, act: Array, price: Array) -> Array:
        """Let all open talks move on; gives which of them (places among the open ones) are over.

        Args:
            act, price: of the open talks' movers; the price counts where they counter.
        """
        at, other = self.open, SIDES[1 - self.move % 2]
        accepted, countered = act == ACCEPT, act == COUNTER
        self.agreed[at[accepted]] = True
        self.deal_price[at[accepted]] = self.price[other][at[accepted]]
        self.ended[at[~countered]] = self.round
        stay = at[countered]
        self.price[self.side][stay] = price[countered]
        self.prices[stay, 1:] = self.prices[stay, :-1]
        self.prices[stay, 0] = price[countered]
        self.open, self.move = stay, self.move + 1
        return np.flatnonzero(~countered)

    def shares(self, side: str) -> Array:
        """What each talk was worth to a side: its discounted share of the pie, 0 without a deal, float64 (talks,)."""
        buyer, seller = self.facts["buyer_limit"], self.facts["seller_limit"]
        gain = buyer - self.deal_price if side == BUYER else self.deal_price - seller
        share = np.where(self.agreed, gain / np.maximum(buyer - seller, 1), 0.0)
        if self.discount < 1:
            share = share * exact.power(np.full(len(share), self.discount), np.maximum(self.ended - 1, 0))
        return share


def _bucket(name: str, low: Array, high: Array, step: Array) -> Bucket:
    unit = {"price": "EUR/1e6", "quantity": "units/1e6", "week": "weeks"}[name]
    return Bucket(name=name, low=low, high=high, step=step, unit=unit, only_if=_COUNTERED)


Seated = tuple[list[Expert], Array]
"""Experts, and which of them sits in each talk, int64 (talks,)."""


def seated(expert: Expert, num_talks: int) -> Seated:
    """One expert in all talks."""
    return [expert], np.zeros(num_talks, np.int64)


def play(talks: Talks, buyers: Seated, sellers: Seated) -> Talks:
    """Play talks to their end."""
    while len(talks.open):
        experts, sits = buyers if talks.side == BUYER else sellers
        act, price = np.full(len(talks.open), REJECT), np.full(len(talks.open), NOBODY)
        who = sits[talks.open]
        for code in np.unique(who).tolist():
            rows = np.flatnonzero(who == code)
            answers = experts[code](talks.question(rows))
            act[rows], price[rows] = answers["act"], answers["price"]
        talks.apply(act, price)
    return talks
