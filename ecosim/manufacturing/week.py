"""The plain week of a market: forecast, order, negotiate, make, ship, settle. Every scenario has this chapter."""

from __future__ import annotations

from ecosim.manufacturing.chapter import Chapter
from ecosim.manufacturing.contracts import Order
from ecosim.manufacturing.costs import Charge
from ecosim.manufacturing.delivery import Arrive, Ship
from ecosim.manufacturing.demand import Demand
from ecosim.manufacturing.experts import EXPERTS
from ecosim.manufacturing.figures import KPIS, METRICS, conclude, measure
from ecosim.manufacturing.levers import levers
from ecosim.manufacturing.market import Quote
from ecosim.manufacturing.planning import Replenish
from ecosim.manufacturing.shopfloor import Produce
from ecosim.manufacturing.state import TABLES, num_bytes
from ecosim.manufacturing.talks import ACTS, OUTCOMES, Negotiate
from ecosim.side import Column, Schema


def _codes(names: tuple[str, ...]) -> str:
    return ", ".join(f"{i} {name}" for i, name in enumerate(names))


MEMBER = Column("member", "i8", "id", "the firm", of="member")
BUYER = Column("buyer", "i8", "id", "who buys", of="member")
SELLER = Column("seller", "i8", "id", "who sells", of="member")
ITEM = Column("item", "i8", "id", "which item, in the order of the scenario", of="item")
SIGNED = Column("signed_week", "i8", "week", "when the contract was signed; for a maker's own goods, when it started")
QUANTITY = Column("quantity", "i8", "units/1e6", "how much")
PRICE = Column("price", "i8", "EUR/1e6", "price of a unit")
DUE = Column("due_week", "i8", "week", "when the goods should arrive")

SCHEMAS = {
    "demand": Schema(
        "what consumers asked for",
        2,
        (MEMBER, ITEM, Column("wanted", "i8", "units/1e6", "this week's demand")),
        is_exogenous=True,
    ),
    "sales": Schema(
        "what consumers got",
        2,
        (
            MEMBER,
            ITEM,
            Column("sold", "i8", "units/1e6", "handed over this week, old debts first"),
            Column("at_once", "i8", "units/1e6", "of this week's demand, what was served from stock"),
            Column("owed", "i8", "units/1e6", "still owed to consumers"),
        ),
    ),
    "orders": Schema(
        "answers to replenish",
        2,
        (MEMBER, ITEM, Column("makes", "i8", "", "1 if the firm makes the item itself", ("no", "yes")), QUANTITY),
    ),
    "requests": Schema("who asked whom for a quote", 3, (BUYER, SELLER, ITEM)),
    "offers": Schema(
        "moves of negotiations",
        4,
        (
            BUYER,
            SELLER,
            ITEM,
            Column("move", "i8", "", "from 0; buyers make the even moves"),
            Column("act", "i8", "", _codes(ACTS), ACTS),
            PRICE,
            QUANTITY,
            Column("week", "i8", "weeks", "delivery, from this week; of an accept or reject, the offer at stake"),
        ),
    ),
    "talks": Schema(
        "negotiations that ended",
        3,
        (
            BUYER,
            SELLER,
            ITEM,
            Column("buyer_limit", "i8", "EUR/1e6", "the buyer's private limit"),
            Column("seller_limit", "i8", "EUR/1e6", "the seller's private limit"),
            Column("buyer_rounds", "i8", "rounds", "the buyer's private deadline"),
            Column("seller_rounds", "i8", "rounds", "the seller's private deadline"),
            Column("moves", "i8", "", "moves of both sides"),
            Column("outcome", "i8", "", _codes(OUTCOMES), OUTCOMES),
        ),
    ),
    "contracts": Schema(
        "contracts signed",
        3,
        (BUYER, SELLER, ITEM, Column("from_week", "i8", "week", "when the seller knows of it"), DUE, QUANTITY, PRICE),
    ),
    "production": Schema(
        "production started",
        2,
        (MEMBER, ITEM, Column("planned", "i8", "units/1e6", "wish"), Column("made", "i8", "units/1e6", "started")),
    ),
    "shipments": Schema(
        "goods sent",
        4,
        (BUYER, SELLER, ITEM, SIGNED, Column("arrive_week", "i8", "week", "when they will arrive"), QUANTITY),
    ),
    "deliveries": Schema(
        "goods that arrived",
        4,
        (
            BUYER,
            SELLER,
            ITEM,
            SIGNED,
            QUANTITY,
            Column("late", "i8", "weeks", "after the week agreed"),
            Column("paid", "i8", "EUR/1e6", "by the buyer"),
            Column("penalty", "i8", "EUR/1e6", "by the seller, for lateness"),
        ),
    ),
    "stocks": Schema(
        "stock and debts at the end of the week",
        2,
        (
            MEMBER,
            ITEM,
            Column("stock", "i8", "units/1e6", "on hand"),
            Column("backlog", "i8", "units/1e6", "owed and due by now"),
            Column("holding_cost", "i8", "EUR/1e6", "for the stock"),
            Column("backlog_cost", "i8", "EUR/1e6", "for the backlog"),
        ),
    ),
}

CHAPTER = Chapter(
    phases={
        "arrive": Arrive,
        "demand": Demand,
        "replenish": Replenish,
        "order": Order,
        "quote": Quote,
        "negotiate": Negotiate,
        "produce": Produce,
        "ship": Ship,
        "charge": Charge,
    },
    asks={
        "supplier": ("replenish", "negotiate"),
        "manufacturer": ("replenish", "quote", "negotiate"),
        "distributor": ("replenish", "quote", "negotiate"),
    },
    experts=EXPERTS,
    schemas=SCHEMAS,
    states=TABLES,
    metrics=METRICS,
    kpis=KPIS,
    measure=measure,
    conclude=conclude,
    levers=levers,
    num_bytes=num_bytes,
)
