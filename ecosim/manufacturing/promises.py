"""What firms have promised to consumers by contract: it counts as a debt in planning, and as not free in a talk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim.fields import Array
from ecosim.manufacturing.state import Layout
from ecosim.meanings import Meaning, State
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

STATES = {
    "promises": State(
        "what a firm has promised to consumers for the end of this week",
        {
            "replica": Meaning("id", "where it is"),
            "member": Meaning("id", "the firm"),
            "which": Meaning("", "1, a sale"),
            "number": Meaning("", "of the contract, in the list of the scenario"),
            "item": Meaning("id", "which item, in the order of the scenario"),
            "quantity": Meaning("units/1e6", "how much"),
            "price": Meaning("EUR/1e6", "of a unit"),
        },
    )
}


def no_promises() -> Table:
    """The empty table."""
    return Table({name: np.zeros(0, np.int64) for name in STATES["promises"].columns})


def promised(world: World, net: Layout) -> Array:
    """What each position has promised to consumers for this week, units/1e6 (positions,)."""
    promises = world.tables["promises"]
    total = np.zeros(world.tables["positions"].num_rows, np.int64)
    rows = net.position_row(promises["replica"], promises["member"], promises["item"])
    np.add.at(total, rows, promises["quantity"])
    return total
