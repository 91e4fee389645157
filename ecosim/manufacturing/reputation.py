"""Public reputation: how often a seller's deliveries were late, by how much, and how many orders came in time and full.

A *breach* is a delivery after the week agreed; its level is late ÷ (1 + late) for so many weeks late, in [0, 1). An
*order* is a contract; it is complete when its last part arrives, and on time in full (OTIF) if that part, and so every
part, came by the week agreed. Counts of a week weigh `board.reputation_memory` times as much a week later. Chances are
(breaches + 1) ÷ (deliveries + 2), Laplace's rule of succession, so that a firm without a record is unknown, not good.

A contract that ended breached by its seller (`register`: not sent in time, or refused) is a breach too, its level the
share of it not performed; it counts as one delivery more, so that a firm that sends nothing is not unknown but bad, and
as an order not in full where nothing of it came. A buyer that cannot pay harms its own record, not its seller's.

Source of recency-weighted evidence counts: Jøsang, Ismail (2002), The beta reputation system.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim.exact import MILLION, micro
from ecosim.fields import Array
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import Layout
from ecosim.meanings import Meaning, State
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

COUNTS = {
    "deliveries": "deliveries to other firms, and contracts that it breached",
    "breaches": "of these, late ones, and other breaches that were noted",
    "levels": "levels of these breaches, added up",
    "orders": "contracts of which the last part arrived, or that it breached before anything did",
    "in_full": "of these, how many on time",
}
TABLES = {
    "reputation": State(
        "a firm's public record as a seller; counts are in millionths, older weeks counting less",
        {
            "replica": Meaning("id", "where it is"),
            "member": Meaning("id", "the firm"),
            **{name: Meaning("1e-6", about) for name, about in COUNTS.items()},
            **{f"week_{name}": Meaning("", f"since the last publication: {about}") for name, about in COUNTS.items()},
            "breach_chance": Meaning("1e-6", "(breaches + 1) ÷ (deliveries + 2)"),
            "breach_level": Meaning("1e-6", "mean level of its breaches; 0 without any"),
            "otif": Meaning("1e-6", "(on time and in full + 1) ÷ (orders + 2)"),
        },
    ),
}
_PARTY = ("replica", "buyer", "seller", "item", "signed_week", "due_week")


def build(net: Layout, num_replicas: int) -> Table:
    """The table before week 1: no record."""
    rows = net.num_members * num_replicas
    zeros = {name: np.zeros(rows, np.int64) for name in (*COUNTS, *(f"week_{name}" for name in COUNTS))}
    table = {
        "replica": np.repeat(np.arange(num_replicas), net.num_members),
        "member": np.tile(np.arange(net.num_members), num_replicas),
        **zeros,
        "breach_chance": np.full(rows, MILLION // 2),
        "breach_level": np.zeros(rows, np.int64),
        "otif": np.full(rows, MILLION // 2),
    }
    return Table(table)


def note_deliveries(world: World, net: Layout, come: Table, late: Array) -> None:
    """Take down what arrived; nothing where the market has no board. `come` has left `shipments` already.

    Args:
        world: where it arrived.
        net: the network.
        come: rows of `shipments`.
        late: weeks after the one agreed, of each.
    """
    if "reputation" not in world.tables:
        return
    bought = come["buyer"] != come["seller"]
    come, late = come.take(bought), late[bought]
    table, row = world.tables["reputation"], net.firm_row(come["replica"], come["seller"])
    np.add.at(table["week_deliveries"], row, MILLION)
    note_breaches(world, row[late > 0], level_of(late[late > 0]))
    last = _completes(world, come)
    np.add.at(table["week_orders"], row[last], MILLION)
    np.add.at(table["week_in_full"], row[last & (late == 0)], MILLION)


def note_breaches(world: World, row: Array, level: Array) -> None:
    """Take down breaches by rows of `firms`, with their levels in millionths."""
    table = world.tables["reputation"]
    np.add.at(table["week_breaches"], row, MILLION)
    np.add.at(table["week_levels"], row, level)


def note_failures(world: World, row: Array, level: Array, nothing_came: Array) -> None:
    """Take down contracts that their sellers did not perform, by rows of `firms`.

    Args:
        world: where.
        row: the sellers.
        level: share not performed, in millionths.
        nothing_came: where no delivery has counted as the order's last; it counts as an order now.
    """
    table = world.tables["reputation"]
    np.add.at(table["week_deliveries"], row, MILLION)
    np.add.at(table["week_orders"], row[nothing_came], MILLION)
    note_breaches(world, row, level)


def level_of(late: Array) -> Array:
    """Level of a delivery so many weeks late, in millionths.

    >>> level_of(np.array([0, 1, 3]))
    array([     0, 500000, 750000])
    """
    level: Array = late * MILLION // (1 + late)
    return level


def publish(world: World, memory: int) -> Table:
    """Fold the week into the record; gives the breach list: `replica`, `member`, `breaches`, `level` of the week."""
    table = world.tables["reputation"]
    broken = np.flatnonzero(table["week_breaches"] > 0)
    listed = Table(
        {
            "replica": table["replica"][broken],
            "member": table["member"][broken],
            "breaches": table["week_breaches"][broken] // MILLION,
            "level": table["week_levels"][broken] * MILLION // table["week_breaches"][broken],
        }
    )
    for name in COUNTS:
        kept = table[name] // MILLION * memory + table[name] % MILLION * memory // MILLION
        table[name][:] = kept + table[f"week_{name}"]
        table[f"week_{name}"][:] = 0
    table["breach_chance"][:] = _succession(table["breaches"], table["deliveries"])
    table["otif"][:] = _succession(table["in_full"], table["orders"])
    # shares of sums in millionths: scaled down first, so that they stay within 63 bits
    table["breach_level"][:] = table["levels"] * 1000 // np.maximum(table["breaches"] // 1000, 1)
    return listed


def _succession(hits: Array, tries: Array) -> Array:
    """(hits + 1) ÷ (tries + 2) in millionths, counts in millionths."""
    share: Array = (hits + MILLION) * 1000 // ((tries + 2 * MILLION) // 1000)
    return np.minimum(share, MILLION)


def _completes(world: World, come: Table) -> Array:
    """Which rows bring the last part of their contract: one row each where several parts arrive together."""
    rest = [world.tables[name] for name in ("contracts", "shipments")]
    columns = [np.concatenate([come[name], *(table[name] for table in rest)]) for name in _PARTY]
    key = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        rank = np.unique(column, return_inverse=True)[1] if len(column) else column
        key = np.unique(key * (int(rank.max(initial=0)) + 1) + rank, return_inverse=True)[1]
    mine, others = key[: come.num_rows], key[come.num_rows :]
    is_open = np.zeros(int(key.max(initial=0)) + 1, bool)
    is_open[others] = True
    first = np.zeros(come.num_rows, bool)
    first[np.unique(mine, return_index=True)[1]] = True
    return first & ~is_open[mine]


def memory_of(scenario: ManufacturingScenario) -> int:
    """What a week-old count weighs, in millionths."""
    assert scenario.board is not None
    return micro(scenario.board.reputation_memory)
