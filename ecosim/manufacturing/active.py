"""Who is in business: firms that have entered, and have neither left nor failed.

`firms.is_active` says it; whoever asks or chooses firms looks here. A firm that is leaving (`firms.leaving`, where a
scenario has `entry`) still buys and makes what it needs for its promises, but makes no new ones, and does nothing but
wait once they are kept. Where everybody is in business, and that is nearly always, this costs a look at a column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim.fields import Array
from ecosim.manufacturing.state import NOBODY, Layout
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

STAYS, FINISHES, WAITS = range(3)
"""Of a firm, in `firms.leaving`: it means to stay, to keep its promises and go, or waits for what is on its way."""


def acting(world: World, net: Layout) -> Array:
    """Which positions belong to a firm in business in a live replica, bool (positions,)."""
    positions, firms = world.tables["positions"], world.tables["firms"]
    found = world.is_live[positions["replica"]]
    able = firms["is_active"]
    if "leaving" in firms:
        able = able & (firms["leaving"] != WAITS)
    if not able.all():
        found &= able[net.firm_row(positions["replica"], positions["member"])]
    return found


def selling(world: World) -> Array | None:
    """Which firms may make new promises, bool (firms,); None where all may."""
    firms = world.tables["firms"]
    if "leaving" in firms and firms["leaving"].any():
        return firms["is_active"] & (firms["leaving"] == STAYS)
    return None if firms["is_active"].all() else firms["is_active"]


def gone(world: World, net: Layout, rows: Table) -> Array | None:
    """Which rows of a table with `replica, buyer, seller` have a party out of business; None where nobody is."""
    is_active = world.tables["firms"]["is_active"]
    if is_active.all():
        return None
    sides = [is_active[net.firm_row(rows["replica"], rows[side])] for side in ("buyer", "seller")]
    return cast(Array, ~(sides[0] & sides[1]))


def open_sellers(net: Layout, may_sell: Array, num_replicas: int) -> tuple[Array, Array]:
    """Of each replica and item, the sellers that may make promises, those first, and how many they are.

    Args:
        net: the network of a replica.
        may_sell: by row of `firms`, bool (firms,).
        num_replicas: how many replicas stand side by side.

    Returns:
        Ids, shape (replicas, items, most sellers of an item), each in the order of the scenario, and counts, shape
        (replicas, items); beyond its count a row holds nobody of use.
    """
    may = may_sell.reshape(num_replicas, net.num_members)
    most = max(1, *(len(sellers) for sellers in net.sellers))
    found = np.full((num_replicas, len(net.items), most), NOBODY)
    count = np.zeros((num_replicas, len(net.items)), np.int64)
    for i, sellers in enumerate(net.sellers):
        open_ = may[:, sellers]
        found[:, i, : len(sellers)] = sellers[np.argsort(~open_, axis=1, kind="stable")]
        count[:, i] = open_.sum(axis=1)
    return found, count
