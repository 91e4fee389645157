"""Planning: every firm forecasts and says how much to order, or to make, of each item that it handles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.exact import MILLION, micro
from ecosim.fields import Array, Bucket
from ecosim.manufacturing import beliefs, effective, forecasting, policies
from ecosim.manufacturing.active import acting
from ecosim.manufacturing.policies import Policies
from ecosim.manufacturing.promises import promised
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import NOBODY, ROLES, Layout
from ecosim.meanings import Meaning, units
from ecosim.side import Events
from ecosim.words import Decision, Question, Table, concat

if TYPE_CHECKING:
    from ecosim.world import World

SEES = {
    "on_hand": Meaning("units/1e6", "stock of the item"),
    "on_order": Meaning("units/1e6", "ordered or in production, not yet in stock"),
    "owed": Meaning("units/1e6", "promised to customers and not yet shipped, or owed to consumers"),
    "lead_time": Meaning("weeks", "from an order, or a start of production, until the goods are in stock"),
    "capacity": Meaning("units/1e6", "what it can make of the item in a week; 0 if it buys it"),
    "price": Meaning("EUR/1e6", "of a unit, half-way between what it costs and what it is worth"),
    "demand_history": Meaning("units/1e6", "what was asked of it in each of the last weeks, the newest first"),
    "makes": Meaning("", "1 if it makes the item itself, 0 if it buys it"),
    "item_name": Meaning("", "which item"),
}
ANSWERS = {"quantity": Meaning("units/1e6", "how much to order this week, or to start making, in whole units")}


class Replenish:
    """One question a role, a row a position: how much to order or to make this week, in whole units.

    A position is a firm and an item that it handles: the one that it sells, and the parts that go into it. Nothing
    moves yet; the answer is the position's wish of the week.
    """

    name = "replenish"
    repeats = False
    sees: Mapping[str, Meaning] = SEES
    answers, writes = ANSWERS, ("orders",)

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        self.net = net
        self.sees = {
            **SEES,
            **(forecasting.SHOWN if scenario.forecaster is not None else {}),
            **(beliefs.FEARED if scenario.bulletins is not None else {}),
            **(policies.SEES if scenario.policies else {}),
        }
        self.max_order = scenario.max_order_units * MILLION
        self.buy_weeks = net.order_weeks[net.owner] + slowest(net, "order" in scenario.phases)
        self.policies = Policies(scenario, net) if scenario.policies else None
        self.units = units(self.sees)
        self.item_names = np.array(net.items, dtype=object)
        self.prices = [market_price(net, scenario, i) for i in range(len(net.items))]

    def ask(self, world: World) -> list[Question]:
        """Everyone in business, every week."""
        positions = world.tables["positions"]
        live = acting(world, self.net)
        role = self.net.role[positions["member"]]
        rows = [np.flatnonzero(live & (role == code)) for code in range(len(ROLES))]
        debts = self._debts(world)
        return [self._question(world, ROLES[code], rows[code], debts) for code in range(len(ROLES)) if len(rows[code])]

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Keep the answers as this week's wish."""
        positions = world.tables["positions"]
        rows = []
        for question, decision in zip(questions, decisions, strict=True):
            key = question.key
            where = self.net.position_row(key["replica"], key["subject"], key["item"])
            positions["wish"][where] = decision.answers["quantity"]
            rows.append(
                Table(
                    {
                        "replica": key["replica"],
                        "member": key["subject"],
                        "item": key["item"],
                        "makes": question["makes"],
                        "quantity": decision.answers["quantity"],
                    }
                )
            )
        return {"orders": concat(rows)} if rows else {}

    def _question(self, world: World, role: str, rows: Array, debts: Array) -> Question:
        net, positions = self.net, world.tables["positions"]
        replica, member, item = positions["replica"][rows], positions["member"][rows], positions["item"][rows]
        account = world.ledger.rows(replica, member)
        firms, firm = world.tables["firms"], net.firm_row(replica, member)
        local = rows % net.num_positions
        makes = net.makes[local]
        nobody = np.full(len(rows), NOBODY)
        whole = np.full(len(rows), MILLION)
        return Question(
            role=role,
            phase=self.name,
            step=world.steps,
            key=Table({"replica": replica, "subject": member, "counterpart": nobody, "item": item, "round": nobody}),
            seed=world.seed(seeds.MIND, replica),
            mind=world.minds(self.name, replica, member),
            columns={
                "on_hand": world.ledger.accounts["balance"][account, item + 1],
                "on_order": positions["on_order"][rows],
                "owed": positions["owed"][rows] + debts[rows],
                "lead_time": np.where(makes, firms["make_weeks"][firm], self.buy_weeks[local]),
                "capacity": np.where(makes, effective.capacity(world, firm), 0),
                "price": np.array(self.prices)[item],
                "demand_history": positions["history"][rows],
                "makes": makes.astype(np.int64),
                "item_name": self.item_names[item],
                **forecasting.shown(world, rows),
                **beliefs.feared(world, net, rows),
                **(self.policies.columns(world, rows, debts) if self.policies else {}),
            },
            masks={"demand_history": np.ones((len(rows), positions["history"].shape[1]), bool)},
            units=self.units,
            fields=(
                Bucket(
                    name="quantity",
                    low=np.zeros(len(rows), np.int64),
                    high=np.full(len(rows), self.max_order),
                    step=whole,
                    unit="units/1e6",
                ),
            ),
        )

    def _debts(self, world: World) -> Array:
        """What each position has promised to other firms, or to consumers by contract, and has not yet shipped."""
        contracts = world.tables["contracts"]
        open_ = np.where(contracts["from_week"] <= world.steps, contracts["open"], 0)
        no_debts = np.zeros(world.tables["positions"].num_rows, np.int64)
        debts = promised(world, self.net) if "promises" in world.tables else no_debts
        np.add.at(debts, self.net.position_row(contracts["replica"], contracts["seller"], contracts["item"]), open_)
        return debts


def slowest(net: Layout, by_order: bool) -> Array:
    """Of each position, the longest promise of those from whom its firm may buy the item; 0 where it makes it."""
    if net.roads is None:
        return net.lead_weeks[net.owner]
    weeks = np.zeros(net.num_positions, np.int64)
    for i in np.flatnonzero(~net.makes):
        sellers = net.partner[[i]] if by_order else net.sellers[net.item[i]]
        weeks[i] = net.promise_weeks(sellers, np.broadcast_to(net.owner[i], sellers.shape)).max()
    return weeks


def market_price(net: Layout, scenario: ManufacturingScenario, item: int) -> int:
    """What everyone holds for the price of an item before trade: as listed, or half-way from unit cost to value."""
    if (listed := scenario.items[net.items[item]].catalogue_price_eur) is not None:
        return micro(listed)
    return round((unit_cost(net, scenario, item) + scenario.items[net.items[item]].value_eur * MILLION) / 2)


def unit_cost(net: Layout, scenario: ManufacturingScenario, item: int) -> int:
    """What a unit costs its maker: its making, and its materials at their market price; millionths of a euro."""
    parts = sum(int(n) * market_price(net, scenario, p) for p, n in enumerate(net.bom[item]) if n)
    return round(scenario.items[net.items[item]].make_cost_eur * MILLION) + parts
