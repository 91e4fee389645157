"""The register of contracts: every contract from its signature to its end, and what each firm's record is.

A contract is entered once and ends once: *executed* (all of it came), *breached* (a part was not performed: product not
sent in time, money not there on arrival, or a refusal), *nullified* (a party was bankrupt before), or *cancelled*
(never signed by both). What was signed is never changed; the register adds up what became of it, in goods: delivered
(of it cured), missing (but for what was cured), unpaid, refused and void are together what was signed, once nothing is
open or on its way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim.exact import MILLION, value
from ecosim.fields import Array
from ecosim.manufacturing.reputation import note_failures
from ecosim.manufacturing.state import NOBODY, Layout
from ecosim.meanings import Meaning, State
from ecosim.side import Column, Events, Schema
from ecosim.words import Table, concat

if TYPE_CHECKING:
    from ecosim.world import World

EXECUTED, BREACHED, NULLIFIED, CANCELLED = range(4)
FATES = ("executed", "breached", "nullified", "cancelled")
NONE, PRODUCT, MONEY, REFUSAL = range(4)
KINDS = ("none", "product", "money", "refusal")
KEY = ("replica", "buyer", "seller", "item", "signed_week")
"""What names a contract: two firms sign at most one about an item in a week."""
SIGNED = (*KEY, "due_week", "price", "quantity")
TALLIES = ("delivered", "missing", "cured", "unpaid", "refused", "void", "cure_cost", "last_week")
PENALTIES = ("seller_penalty", "buyer_penalty")

_WHO = {
    "replica": Meaning("id", "where it is"),
    "buyer": Meaning("id", "who buys"),
    "seller": Meaning("id", "who sells"),
    "item": Meaning("id", "which item, in the order of the scenario"),
}
_TERMS = {
    "due_week": Meaning("week", "when the goods should arrive"),
    "price": Meaning("EUR/1e6", "of a unit"),
    "quantity": Meaning("units/1e6", "as concluded"),
}
STATES = {
    "register": State(
        "a signed contract that has not ended",
        {
            **_WHO,
            "signed_week": Meaning("week", "when it was signed"),
            **_TERMS,
            "delivered": Meaning("units/1e6", "taken and paid by the buyer so far, cured goods among them"),
            "missing": Meaning("units/1e6", "what the seller did not send in time"),
            "cured": Meaning("units/1e6", "of that, what it bought at the spot market instead"),
            "unpaid": Meaning("units/1e6", "what the buyer could not pay on arrival and did not get"),
            "refused": Meaning("units/1e6", "what the seller refused to send"),
            "void": Meaning("units/1e6", "what was open when a party went bankrupt"),
            "seller_penalty": Meaning("EUR/1e6", "paid for breach so far by the seller"),
            "buyer_penalty": Meaning("EUR/1e6", "paid for breach so far by the buyer"),
            "cure_cost": Meaning("EUR/1e6", "paid at the spot market for the cure"),
            "last_week": Meaning("week", "of the last delivery; 0 before the first"),
        },
    ),
    "drafts": State(
        "a contract that a talk has concluded this week and nobody has signed",
        {
            **_WHO,
            "from_week": Meaning("week", "when the seller knows of it"),
            **_TERMS,
            "penalty": Meaning("share/1e6", "of the value, that the seller pays back for each week late"),
        },
    ),
    "records": State(
        "how a firm has kept its contracts",
        {
            "replica": _WHO["replica"],
            "member": Meaning("id", "the firm"),
            "num_ended": Meaning("", "contracts of its that were executed or breached"),
            "num_breached": Meaning("", "of these, how many it has breached itself"),
        },
    ),
}

SCHEMAS = {
    "contract_ends": Schema(
        "contracts that ended, and how",
        4,
        (
            Column("buyer", "i8", "id", "who buys", of="member"),
            Column("seller", "i8", "id", "who sells", of="member"),
            Column("item", "i8", "id", "which item, in the order of the scenario", of="item"),
            Column("signed_week", "i8", "week", "when it was signed; of one that was cancelled, concluded"),
            Column("due_week", "i8", "week", "when the goods should have arrived"),
            Column("quantity", "i8", "units/1e6", "as signed"),
            Column("delivered", "i8", "units/1e6", "taken and paid by the buyer, cured goods among them"),
            Column("fate", "i8", "", "0 executed, 1 breached, 2 nullified, 3 cancelled", FATES),
            Column("kind", "i8", "", "of a breach, by its larger part: 1 product, 2 money, 3 refusal", KINDS),
            Column("level", "f8", "", "share of the quantity that was not performed, 0 … 1; a cure is no performance"),
            Column("penalty", "i8", "EUR/1e6", "paid for breach by whoever was in breach"),
            Column("cured", "i8", "units/1e6", "bought at the spot market by the seller, for the buyer"),
            Column("cure_cost", "i8", "EUR/1e6", "paid for that"),
            Column("late", "i8", "weeks", "of the last delivery, after the week agreed"),
        ),
        is_rare=True,
    )
}


def open_register(tables: dict[str, Table]) -> None:
    """Add the register, with the orders that partners have still to see, and clean records."""
    old = tables["contracts"]
    old = old.take(old["quantity"] > 0)
    tables["register"] = _entries(old, old["signed_week"])
    who = {name: tables["firms"][name].copy() for name in ("replica", "member")}
    counts = {name: np.zeros(tables["firms"].num_rows, np.int64) for name in ("num_ended", "num_breached")}
    tables["records"] = Table({**who, **counts})


def no_drafts() -> Table:
    """The empty table of what is concluded and not signed."""
    return Table({name: np.zeros(0, np.int64) for name in STATES["drafts"].columns})


def enter(world: World, deals: Table) -> None:
    """Put contracts that are signed now into the register."""
    new = _entries(deals, np.full(deals.num_rows, world.steps))
    world.tables["register"] = concat([world.tables["register"], new])


def _entries(deals: Table, signed_week: Array) -> Table:
    whole = Table(
        {**{name: deals[name].copy() for name in SIGNED if name != "signed_week"}, "signed_week": signed_week}
    )
    tallies = {name: np.zeros(deals.num_rows, np.int64) for name in (*TALLIES, *PENALTIES)}
    return Table({**{name: whole[name] for name in SIGNED}, **tallies})


def find(register: Table, others: Table, names: Sequence[str] = KEY) -> Array:
    """The row of the register for each row of another table with the same key; −1 for what is no contract."""
    if register.num_rows == 0 or others.num_rows == 0:
        return np.full(others.num_rows, NOBODY)
    ours, theirs = np.zeros(register.num_rows, np.int64), np.zeros(others.num_rows, np.int64)
    for name in names:
        low = min(register[name].min(), others[name].min())
        span = max(register[name].max(), others[name].max()) - low + 1
        ours, theirs = ours * span + register[name] - low, theirs * span + others[name] - low
    order = np.argsort(ours)
    place = np.minimum(np.searchsorted(ours, theirs, sorter=order), len(ours) - 1)
    return np.where(ours[order[place]] == theirs, order[place], NOBODY)


def note_arrivals(world: World, parcels: Table, accepted: Array) -> None:
    """Goods that came: what was taken and paid counts as delivered, the rest as unpaid."""
    register = world.tables["register"]
    rows = find(register, parcels)
    known = rows != NOBODY
    rows, taken, back = rows[known], accepted[known], (parcels["quantity"] - accepted)[known]
    np.add.at(register["delivered"], rows, taken)
    np.add.at(register["unpaid"], rows, back)
    register["last_week"][rows[taken > 0]] = world.steps


def note_void(world: World, parcels: Table) -> None:
    """Goods that were turned round on their way to a bankrupt buyer: void, like what was never sent."""
    if "register" not in world.tables:
        return
    rows = find(world.tables["register"], parcels)
    np.add.at(world.tables["register"]["void"], rows[rows != NOBODY], parcels["quantity"][rows != NOBODY])


def call_off(world: World, net: Layout, rows: Array, tally: str) -> tuple[Array, Array]:
    """Take what is open of some contracts (rows of `contracts`) off the books, under a tally of the register.

    Returns:
        Their rows in the register (−1 without an entry) and what was open, units/1e6.
    """
    contracts = world.tables["contracts"]
    ended = contracts.take(rows)
    on_order = world.tables["positions"]["on_order"]
    np.subtract.at(on_order, net.position_row(ended["replica"], ended["buyer"], ended["item"]), ended["open"])
    left = np.ones(contracts.num_rows, bool)
    left[rows] = False
    world.tables["contracts"] = contracts.take(left)
    if "register" not in world.tables:
        return np.full(len(rows), NOBODY), ended["open"]
    entries = find(world.tables["register"], ended)
    np.add.at(world.tables["register"][tally], entries[entries != NOBODY], ended["open"][entries != NOBODY])
    return entries, ended["open"]


def compensate(world: World, share: int, entries: Array, quantity: Array) -> None:
    """Sellers pay buyers a share (millionths) of the value of what they did not perform; `entries` of the register."""
    register, ledger = world.tables["register"], world.ledger
    replica, price = register["replica"][entries], register["price"][entries]
    due = value(share, value(price, quantity))
    seller, buyer = (ledger.rows(replica, register[side][entries]) for side in ("seller", "buyer"))
    ledger.pay("penalties", due, seller, buyer)
    np.add.at(register["seller_penalty"], entries, due)


def nullify(world: World, net: Layout, members: Array) -> Events:
    """End what is open of the contracts of bankrupt firms; goods on their way still come.

    Args:
        world: where they are.
        net: the network.
        members: which firms are bankrupt, bool (rows of the table `firms`,).
    """
    contracts = world.tables["contracts"]
    parties = (net.firm_row(contracts["replica"], contracts[side]) for side in ("buyer", "seller"))
    buyer, seller = (members[row] for row in parties)
    call_off(world, net, np.flatnonzero((buyer | seller) & world.is_live[contracts["replica"]]), "void")
    return {"contract_ends": close(world)} if "register" in world.tables else {}


def close(world: World) -> Table:
    """Take contracts of which nothing is open or on its way off the register; gives their event rows."""
    register = world.tables["register"]
    pending = np.zeros(register.num_rows, bool)
    for name in ("contracts", "shipments"):
        rows = find(register, world.tables[name])
        pending[rows[rows != NOBODY]] = True
    over = ~pending & world.is_live[register["replica"]]
    if not over.any():
        return ended_rows(register.take(slice(0, 0)), np.zeros(0, np.int64))
    ended = register.take(over)
    world.tables["register"] = register.take(~over)
    lost = np.stack([ended["missing"], ended["unpaid"], ended["refused"]], axis=1)
    kind = np.where(lost.any(axis=1), lost.argmax(axis=1) + 1, NONE)
    fate = np.where(ended["void"] > 0, NULLIFIED, np.where(kind == NONE, EXECUTED, BREACHED))
    _note_records(world, ended, lost, fate)
    _tell(world, ended, fate)
    return ended_rows(ended, np.where(fate == BREACHED, kind, NONE), fate)


def _note_records(world: World, ended: Table, lost: Array, fate: Array) -> None:
    records = world.tables["records"]
    counts = (fate == EXECUTED) | (fate == BREACHED)
    faults = {"buyer": lost[:, MONEY - 1] > 0, "seller": (lost[:, PRODUCT - 1] > 0) | (lost[:, REFUSAL - 1] > 0)}
    for side, is_at_fault in faults.items():
        rows = world.first_member[ended["replica"]] + ended[side]
        np.add.at(records["num_ended"], rows[counts], 1)
        np.add.at(records["num_breached"], rows[counts & is_at_fault], 1)


def _tell(world: World, ended: Table, fate: Array) -> None:
    """The seller's breaches go into its public reputation, where there is one; a buyer's is no matter of it."""
    unperformed = ended["missing"] + ended["refused"]
    broken = (fate == BREACHED) & (unperformed > 0)
    if "reputation" not in world.tables or not broken.any():
        return
    row = (world.first_member[ended["replica"]] + ended["seller"])[broken]
    level = (unperformed * 1000 // np.maximum(ended["quantity"] // 1000, 1))[broken]
    nothing_came = (ended["delivered"] + ended["unpaid"] == ended["cured"])[broken]
    note_failures(world, row, np.minimum(level, MILLION), nothing_came)


def ended_rows(ended: Table, kind: Array, fate: Array | None = None) -> Table:
    """Rows of the event table `contract_ends` for entries of the register."""
    lost = ended["missing"] + ended["unpaid"] + ended["refused"]
    late = np.where(ended["delivered"] > 0, np.maximum(ended["last_week"] - ended["due_week"], 0), 0)
    names = (*KEY, "due_week", "quantity", "delivered", "cured", "cure_cost")
    return Table(
        {
            **{name: ended[name] for name in names},
            "penalty": ended["seller_penalty"] + ended["buyer_penalty"],
            "fate": np.full(ended.num_rows, CANCELLED) if fate is None else fate,
            "kind": kind,
            "level": lost / np.maximum(ended["quantity"], 1),
            "late": late,
        }
    )
