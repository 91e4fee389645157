"""What fixed partners have agreed for an item: wholesale price, buyback, revenue sharing.

Prices go into the orders (`contracts.Order`), the seller's share is paid as consumers pay (`demand.Demand`), and unsold
goods go back when they perish (`perish.Perish`). What is due per unit is in `rules.terms`.

Source: Cachon (2003), Supply chain coordination with contracts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ecosim.exact import micro, value
from ecosim.fields import Array
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import NOBODY, Layout
from ecosim.side import Column, Schema
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

REVENUE_SHARE, BUYBACK = range(2)
WHY = ("revenue share", "buyback")

SCHEMAS = {
    "settlements": Schema(
        "what partners paid each other by their terms, beside the wholesale price",
        4,
        (
            Column("buyer", "i8", "id", "who buys", of="member"),
            Column("seller", "i8", "id", "who sells", of="member"),
            Column("item", "i8", "id", "which item, in the order of the scenario", of="item"),
            Column("why", "i8", "", "0 revenue share, paid to the seller, 1 buyback, paid to the buyer", WHY),
            Column("quantity", "i8", "units/1e6", "sold to consumers, or returned"),
            Column("paid", "i8", "EUR/1e6", "how much"),
        ),
        is_rare=True,
    )
}


@dataclass(frozen=True, slots=True)
class Agreed:
    """Terms by item: prices in EUR/1e6 a unit, the seller's share of revenue in millionths."""

    price: Array
    buyback: Array
    share: Array


def agreed(scenario: ManufacturingScenario, net: Layout) -> Agreed:
    """The terms of a scenario; items without any have a price of nothing."""
    found = [(scenario.terms or {}).get(name) for name in net.items]
    price, buyback, share = (
        np.array([micro(getattr(terms, key)) if terms else 0 for terms in found], np.int64)
        for key in ("price_eur", "buyback_eur", "revenue_share")
    )
    return Agreed(price, buyback, share)


def share_revenue(world: World, net: Layout, terms: Agreed, sales: Table, revenue: Array) -> Table:
    """Pay partners their share of what consumers paid; gives the rows for the event table `settlements`.

    Args:
        world: where it happens.
        net: the network.
        terms: of its items.
        sales: `replica`, `member`, `item` and `sold`.
        revenue: what consumers paid, row for row, EUR/1e6.
    """
    seller = net.partner_of(sales["member"], sales["item"])
    due = value(terms.share[sales["item"]], revenue)
    rows = np.flatnonzero((due > 0) & (seller != NOBODY))
    return settle(world, REVENUE_SHARE, sales.take(rows), seller[rows], sales["sold"][rows], due[rows])


def settle(world: World, why: int, buyers: Table, seller: Array, quantity: Array, due: Array) -> Table:
    """Move what is due between partners; `buyers` has `replica`, `member` and `item`."""
    replica, buyer = buyers["replica"], buyers["member"]
    payer, payee = world.ledger.rows(replica, buyer), world.ledger.rows(replica, seller)
    if why == BUYBACK:
        payer, payee = payee, payer
    world.ledger.pay("terms", due, payer, payee)
    return Table(
        {
            "replica": replica,
            "buyer": buyer,
            "seller": seller,
            "item": buyers["item"],
            "why": np.full(len(due), why),
            "quantity": quantity,
            "paid": due,
        }
    )
