"""What waits at the docks of sellers: goods in stock that cover what customers were promised, by customer.

A load is all that a seller has for one customer. The table `docks` keeps, from week to week, since when a load waits,
and what was decided about it this week; goods at a dock are still in the seller's stock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ecosim.fields import Array
from ecosim.manufacturing import effective
from ecosim.manufacturing.active import gone
from ecosim.manufacturing.allocation import Allocation
from ecosim.manufacturing.state import Layout
from ecosim.meanings import Meaning, State
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

HOLD, SHIP, EXPRESS = range(3)
MODES = ("hold", "ship", "expedite")

DOCKS = State(
    "a load that waits at a seller's dock",
    {
        "replica": Meaning("id", "where it is"),
        "seller": Meaning("id", "who ships"),
        "buyer": Meaning("id", "for whom"),
        "item": Meaning("id", "which item"),
        "since_week": Meaning("week", "the first in which goods for this customer waited here"),
        "mode": Meaning("", "what is done with it this week: 0 hold, 1 ship, 2 expedite"),
    },
)


@dataclass(frozen=True, slots=True)
class Loads:
    """The loads of contracts, a row a seller and customer.

    Attributes:
        replica, seller, buyer, item: whose.
        quantity: ready to leave, units/1e6.
        due_week: of the oldest contract in it.
        of: for each contract row that it was made from, which load; shape of the contracts.
    """

    replica: Array
    seller: Array
    buyer: Array
    item: Array
    quantity: Array
    due_week: Array
    of: Array

    @property
    def num_rows(self) -> int:
        """How many."""
        return len(self.replica)


def empty_docks() -> Table:
    """The table `docks` before week 1."""
    return Table({name: np.zeros(0, np.int64) for name in DOCKS.columns})


def covered(world: World, net: Layout, allocation: Allocation) -> tuple[Array, Table, Array]:
    """Contracts that sellers know of, and how much of each is in stock, by the seller's rule of allocation.

    Returns:
        Rows in `contracts`, these contracts, and units/1e6 of each.
    """
    contracts = world.tables["contracts"]
    seen = (contracts["from_week"] <= world.steps) & world.is_live[contracts["replica"]]
    lost = gone(world, net, contracts)
    if lost is not None:
        seen &= ~lost
    rows = np.flatnonzero(seen)
    owed = contracts.take(rows)
    replica, seller = owed["replica"], owed["seller"]
    stock = world.ledger.accounts["balance"][world.ledger.rows(replica, seller), owed["item"] + 1]
    stock = effective.sendable(world, net.firm_row(replica, seller), stock)
    return rows, owed, allocation.share(owed, stock)


def loads(net: Layout, owed: Table, ready: Array) -> Loads:
    """What is ready of some contracts, by seller and customer; contracts of which nothing is ready are of no load."""
    has = np.flatnonzero(ready > 0)
    key = pair(net, *(owed[name][has] for name in ("replica", "seller", "buyer", "item")))
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    quantity = np.zeros(len(first), np.int64)
    np.add.at(quantity, inverse, ready[has])
    due = np.full(len(first), np.iinfo(np.int64).max)
    np.minimum.at(due, inverse, owed["due_week"][has])
    of = np.full(len(ready), -1)
    of[has] = inverse
    one = owed.take(has[first])
    return Loads(one["replica"], one["seller"], one["buyer"], one["item"], quantity, due, of)


def pair(net: Layout, replica: Array, seller: Array, buyer: Array, item: Array) -> Array:
    """One number for a seller, customer and item of a replica; in the order of these."""
    members = net.num_members
    return ((replica * members + seller) * members + buyer) * len(net.items) + item


def remembered(net: Layout, docks: Table, those: Loads, column: str, default: int) -> Array:
    """A column of `docks` for some loads; the default where nothing waited there."""
    if docks.num_rows == 0:
        return np.full(those.num_rows, default)
    names = ("replica", "seller", "buyer", "item")
    known = pair(net, *(docks[name] for name in names))
    wanted = pair(net, *(getattr(those, name) for name in names))
    at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[at] == wanted, docks[column][at], default)


def written(those: Loads, since_week: Array, mode: Array, keep: Array | Sequence[bool]) -> Table:
    """Some loads as rows of `docks`, in the order of their pairs."""
    names = ("replica", "seller", "buyer", "item")
    table = Table({**{name: getattr(those, name) for name in names}, "since_week": since_week, "mode": mode})
    return table.take(np.asarray(keep))
