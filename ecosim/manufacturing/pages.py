"""Who reads what: pages of the week's texts before firms, and the firms that each text could be about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.fields import Array
from ecosim.manufacturing.state import NOBODY, Layout
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

SLOTS = ("first", "second", "third", "fourth")


@dataclass(frozen=True, slots=True)
class Pages:
    """Who reads what this week: rows of `positions`, rows of the week's texts, and how many were read before."""

    position: Array
    bulletin: Array
    slot: Array
    role: Array

    def of(self, role: int) -> Pages:
        """The rows of one role."""
        return self.take(np.flatnonzero(self.role == role))

    def take(self, rows: Array) -> Pages:
        """Some of the pages."""
        return Pages(self.position[rows], self.bulletin[rows], self.slot[rows], self.role[rows])


class Pools:
    """Firms that a text about an item could be about: its sellers, or, of one that is none of these, its buyers."""

    def __init__(self, net: Layout) -> None:
        self.net = net
        buys = ~net.makes
        self.buyers = [np.unique(net.owner[buys & (net.item == item)]) for item in range(len(net.items))]

    def slots(self, texts: Table) -> Array:
        """Firms that a text could be about, the right one and the one beside it among them, −1 where none."""
        about, beside, item = texts["about"], texts["beside"], texts["item"]
        found = np.full((len(about), len(SLOTS)), NOBODY)
        found[:, 0], found[:, 1] = about, beside
        for pool, mine in self._parts(item, about):
            size = len(pool)
            place, step = np.searchsorted(pool, about[mine]), np.zeros(len(mine), np.int64)
            for slot in range(2, min(len(SLOTS), size)):
                step += 1
                step += pool[(place + step) % size] == beside[mine]
                found[mine, slot] = pool[(place + step) % size]
        turn = (texts["words"][:, None] + np.arange(len(SLOTS))) % len(SLOTS)
        return np.take_along_axis(found, turn, axis=1)

    def neighbour(self, item: Array, about: Array, lot: Array) -> Array:
        """Another firm of the same pool, or NOBODY where there is none."""
        found = np.full(len(about), NOBODY)
        for pool, mine in self._parts(item, about):
            if len(pool) > 1:
                place = np.searchsorted(pool, about[mine])
                step = 1 + np.minimum((lot[mine] * (len(pool) - 1)).astype(np.int64), len(pool) - 2)
                found[mine] = pool[(place + step) % len(pool)]
        return found

    def _parts(self, item: Array, about: Array) -> list[tuple[Array, Array]]:
        """Each pool, and the rows whose firm is in it."""
        parts = []
        for code, sellers in enumerate(self.net.sellers):
            mine = item == code
            sells = mine & np.isin(about, sellers)
            parts += [(sellers, np.flatnonzero(sells)), (self.buyers[code], np.flatnonzero(mine & ~sells))]
        return [(pool, rows) for pool, rows in parts if len(rows)]


def pages(world: World, net: Layout, readers: Array, bulletins: Table, mail: Table | None, per_week: int) -> Pages:
    """What each firm reads of an item this week: what partners wrote to it, then bulletins, `per_week` at most.

    Args:
        world: where.
        net: the network.
        readers: positions of a replica whose firms read bulletins.
        bulletins: the public ones, sorted by replica and item.
        mail: to single firms; their rows count on from those of `bulletins`.
        per_week: how many texts of an item a firm reads.
    """
    positions, num_items = world.tables["positions"], len(net.items)
    rows = (np.flatnonzero(world.is_live)[:, None] * net.num_positions + readers).reshape(-1)
    firms = world.tables["firms"]
    if "is_active" in firms:
        rows = rows[firms["is_active"][net.firm_row(positions["replica"][rows], positions["member"][rows])]]
    topic = bulletins["replica"] * num_items + bulletins["item"]
    many = np.bincount(topic, minlength=world.num_replicas * num_items)
    first = np.cumsum(many) - many
    mine = positions["replica"][rows] * num_items + positions["item"][rows]
    rows, mine = rows[many[mine] > 0], mine[many[mine] > 0]
    seed = world.seed(seeds.WORLD, positions["replica"][rows])
    who = (positions["member"][rows], positions["item"][rows])
    start = seeds.integers(many[mine], seeds.WORLD, seed, world.steps, "pages", who)
    read = np.zeros(positions.num_rows, np.int64) if mail is None else _num_read(mail, positions.num_rows, per_week)
    count = np.minimum(many[mine], per_week - read[rows])
    page = np.repeat(np.arange(len(rows)), count)
    slot = np.arange(len(page)) - np.repeat(np.cumsum(count) - count, count)
    bulletin = first[mine][page] + (start[page] + slot) % many[mine][page]
    position, slot = rows[page], slot + read[rows][page]
    if mail is not None:
        own = np.flatnonzero(mail["slot"] < per_week)
        position = np.concatenate([mail["position"][own], position])
        bulletin = np.concatenate([bulletins.num_rows + own, bulletin])
        slot = np.concatenate([mail["slot"][own], slot])
    found = Pages(position, bulletin, slot, net.role[positions["member"][position]])
    return found if mail is None else found.take(np.lexsort((slot, position)))


def _num_read(mail: Table, num_positions: int, per_week: int) -> Array:
    return np.minimum(np.bincount(mail["position"], minlength=num_positions), per_week)
