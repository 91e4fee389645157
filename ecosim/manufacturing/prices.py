"""Going prices: what items are listed at, and what they were really traded at.

The trading price of an item is the mean of contract prices, weighted by volume and by age: a week-old contract counts
γ (`board.price_memory`) times as much as a new one. With β the volume so far, decayed, and q units bought for p̄ in a
week, β' = γβ + q and price' = (γβ · price + q · p̄) ÷ β'. Before there is trade it is the catalogue price; a week
without trade leaves price and volume as they are.

The list price of a seller is the same mean over its own contracts, and never below its unit cost.

Source: Mohammad et al. (2019), Supply chain management world, and its rules for SCML (trading prices, exponentially
decaying and volume-weighted).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim.exact import MILLION, micro, value
from ecosim.fields import Array
from ecosim.manufacturing.planning import market_price, unit_cost
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import Layout
from ecosim.meanings import Meaning, State
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

_TRADED = {
    "volume": Meaning("units/1e6", "bought by contract so far, older weeks counting less"),
    "week_volume": Meaning("units/1e6", "bought by contract since the last publication"),
    "week_value": Meaning("EUR/1e6", "price times quantity of these"),
}
TABLES = {
    "board": State(
        "an item on the bulletin board",
        {
            "replica": Meaning("id", "where it is"),
            "item": Meaning("id", "which item, in the order of the scenario"),
            "catalogue_price": Meaning("EUR/1e6", "of a unit, half-way between what it costs and what it is worth"),
            "trading_price": Meaning(
                "EUR/1e6", "mean price of contracts, weighted by volume, older weeks counting less"
            ),
            **_TRADED,
        },
    ),
    "catalogue": State(
        "a firm's entry in the catalogue, for the item that it sells",
        {
            "replica": Meaning("id", "where it is"),
            "member": Meaning("id", "the firm"),
            "list_price": Meaning(
                "EUR/1e6", "what it asks for a unit: the mean of its own contracts, above its unit cost"
            ),
            **_TRADED,
        },
    ),
}


def build(scenario: ManufacturingScenario, net: Layout, num_replicas: int) -> dict[str, Table]:
    """The tables `board` and `catalogue` before week 1: everything at the catalogue price, nothing traded."""
    num_items, members = len(net.items), np.arange(net.num_members)
    price = np.array([market_price(net, scenario, i) for i in range(num_items)], np.int64)

    def traded(rows: int) -> dict[str, Array]:
        return {name: np.zeros(rows * num_replicas, np.int64) for name in _TRADED}

    board = {
        "replica": np.repeat(np.arange(num_replicas), num_items),
        "item": np.tile(np.arange(num_items), num_replicas),
        "catalogue_price": np.tile(price, num_replicas),
        "trading_price": np.tile(price, num_replicas),
        **traded(num_items),
    }
    catalogue = {
        "replica": np.repeat(np.arange(num_replicas), net.num_members),
        "member": np.tile(members, num_replicas),
        "list_price": np.tile(price[net.sells], num_replicas),
        **traded(net.num_members),
    }
    return {"board": Table(board), "catalogue": Table(catalogue)}


def note_deals(world: World, net: Layout, deals: Table) -> None:
    """Take down contracts as they are signed, for the prices of the week; nothing where the market has no board.

    Orders to a standing partner at no price are no trade.

    Args:
        world: where the contracts hold.
        net: the network.
        deals: `replica`, `seller`, `item`, `quantity` in units/1e6, `price` in EUR/1e6 a unit.
    """
    if "board" not in world.tables:
        return
    traded = deals.take(deals["price"] > 0)
    replica, quantity = traded["replica"], traded["quantity"]
    worth = value(traded["price"], quantity)
    rows = {"board": replica * len(net.items) + traded["item"], "catalogue": net.firm_row(replica, traded["seller"])}
    for name, at in rows.items():
        np.add.at(world.tables[name]["week_volume"], at, quantity)
        np.add.at(world.tables[name]["week_value"], at, worth)


def going(world: World, before: Array, replica: Array, item: Array) -> Array:
    """The price of an item that all know: its trading price where the market has a board, else `before`.

    Args:
        world: the market.
        before: `market_price` of each item, EUR/1e6.
        replica, item: of each row.
    """
    if "board" not in world.tables:
        return before[item]
    return world.tables["board"]["trading_price"][replica * len(before) + item]


class Prices:
    """Moves prices on by a week; the arithmetic is integers and one division a row.

    Args:
        scenario: its `board` says how fast old contracts are forgotten.
        net: the network.
    """

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        assert scenario.board is not None
        self.memory = micro(scenario.board.price_memory)
        cost = np.array([unit_cost(net, scenario, i) for i in range(len(net.items))], np.int64)
        self.cost = cost[net.sells]

    def publish(self, world: World) -> Table:
        """Fold the week's contracts into prices; gives the rows of the event table `prices`."""
        board, catalogue = world.tables["board"], world.tables["catalogue"]
        volume, worth = board["week_volume"].copy(), board["week_value"].copy()
        fold(board, "trading_price", self.memory)
        fold(catalogue, "list_price", self.memory)
        np.maximum(catalogue["list_price"], np.tile(self.cost, world.num_replicas), out=catalogue["list_price"])
        names = ("replica", "item", "catalogue_price", "trading_price")
        events = Table({**{n: board[n].copy() for n in names}, "volume": volume, "value": worth})
        return events.take(world.is_live[events["replica"]])


def fold(table: Table, price: str, memory: int) -> None:
    """price' = price + (value − price · q) ÷ (γβ + q) where something was traded; clears the week's sums.

    Args:
        table: with the column `price` and those of what was traded; changed in place.
        price: which column.
        memory: γ in millionths.
    """
    quantity, worth, old = table["week_volume"], table["week_value"], table[price]
    is_traded = quantity > 0
    kept = table["volume"] // MILLION * memory + table["volume"] % MILLION * memory // MILLION
    volume = np.where(is_traded, kept + quantity, table["volume"])
    gap = worth - value(old, quantity)  # EUR/1e6, exact; the one division has the same bits on every machine
    change = np.rint(gap / (np.maximum(volume, 1) / MILLION)).astype(np.int64)
    table[price][:] = np.where(is_traded, old + change, old)
    table["volume"][:] = volume
    quantity[:], worth[:] = 0, 0
