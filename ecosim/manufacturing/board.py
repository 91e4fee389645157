"""The bulletin board: at the end of a week the market publishes prices, breaches and, now and then, firms' finances.

Prices are `prices`' to compute, records of reliability `reputation`'s. All firms see the board when they next ask for
quotes: every seller's own list price, the trading price, and each seller's public record.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim.exact import value
from ecosim.manufacturing import prices, reputation
from ecosim.manufacturing.chapter import Chapter
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import Layout
from ecosim.side import Column, Events, Schema
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

_MEMBER = Column("member", "i8", "id", "the firm", of="member")
_ITEM = Column("item", "i8", "id", "which item, in the order of the scenario", of="item")
SCHEMAS = {
    "prices": Schema(
        "prices on the bulletin board",
        1,
        (
            _ITEM,
            Column("catalogue_price", "i8", "EUR/1e6", "of a unit, half-way between cost and worth"),
            Column("trading_price", "i8", "EUR/1e6", "mean of contracts by volume, older weeks counting less"),
            Column("volume", "i8", "units/1e6", "bought by contract this week"),
            Column("value", "i8", "EUR/1e6", "price times quantity of these contracts"),
        ),
        is_rare=True,
    ),
    "breach_list": Schema(
        "sellers whose deliveries of the week were late, or who broke a contract otherwise",
        1,
        (
            _MEMBER,
            Column("breaches", "i8", "", "how many"),
            Column("level", "i8", "1e-6", "their mean level, 0 … 1 in millionths"),
        ),
        is_rare=True,
    ),
    "reports": Schema(
        "financial reports of firms",
        1,
        (
            _MEMBER,
            Column("cash", "i8", "EUR/1e6", "at the end of the week"),
            Column("stock_value", "i8", "EUR/1e6", "of its stock, at trading prices"),
            Column("open_value", "i8", "EUR/1e6", "of what it has sold and not yet shipped, at contract prices"),
        ),
        is_rare=True,
    ),
}


class Publish:
    """The week's contracts become prices, its deliveries reputations; every `report_weeks` all firms report.

    A report holds cash, stock at trading prices, and what the firm has promised to ship.
    """

    name = "publish"
    repeats = False
    writes = ("prices", "breach_list", "reports")

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        assert scenario.board is not None
        self.net = net
        self.prices = prices.Prices(scenario, net)
        self.memory = reputation.memory_of(scenario)
        self.report_weeks = scenario.board.report_weeks

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Write the board and give what stands on it."""
        events = {"prices": self.prices.publish(world), "breach_list": reputation.publish(world, self.memory)}
        if world.steps % self.report_weeks == 0:
            events["reports"] = self._reports(world)
        return events

    def _reports(self, world: World) -> Table:
        net, firms = self.net, world.tables["firms"]
        replica, member = firms["replica"], firms["member"]
        balance = world.ledger.accounts["balance"][world.ledger.rows(replica, member)]
        price = world.tables["board"]["trading_price"].reshape(world.num_replicas, -1)
        stock = value(price[replica], balance[:, 1 : 1 + len(net.items)]).sum(axis=1)
        contracts = world.tables["contracts"]
        debts = np.zeros(firms.num_rows, np.int64)
        worth = value(contracts["price"], contracts["open"])
        np.add.at(debts, net.firm_row(contracts["replica"], contracts["seller"]), worth)
        columns = {"cash": balance[:, 0], "stock_value": stock, "open_value": debts}
        return Table({"replica": replica, "member": member, **columns}).take(world.is_live[replica])


def build(scenario: ManufacturingScenario, net: Layout, replicas: Table, tables: dict[str, Table]) -> None:
    """Add `board`, `catalogue` and `reputation`."""
    tables |= prices.build(scenario, net, replicas.num_rows)
    tables["reputation"] = reputation.build(net, replicas.num_rows)


def num_bytes(scenario: ManufacturingScenario) -> dict[str, int]:
    """What the tables take in a replica, 8 bytes a number."""
    firms = sum(firms.count for firms in scenario.firms)
    return {"board (× firms)": 8 * (6 + 15) * firms + 8 * 7 * len(scenario.items)}


def is_in(scenario: ManufacturingScenario) -> bool:
    """Whether the market has a board."""
    return scenario.board is not None


CHAPTER = Chapter(
    is_in=is_in,
    phases={"publish": Publish},
    schemas=SCHEMAS,
    states={**prices.TABLES, **reputation.TABLES},
    build=build,
    num_bytes=num_bytes,
)
