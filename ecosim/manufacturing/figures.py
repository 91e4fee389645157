"""What is measured each week, and what a whole run comes to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim.adder import Adder
from ecosim.exact import MILLION
from ecosim.fields import Array
from ecosim.manufacturing.register import find
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import NO_PROFIT, NOBODY, REASONS, ROLES, layout
from ecosim.manufacturing.talks import AGREED
from ecosim.side import Events, Figure, Series
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

METRICS: Mapping[str, Figure] = {
    "demand_units": Figure("units", "what consumers asked for this week"),
    "served_units": Figure("units", "what they got at once, from stock", "higher"),
    "order_units": Figure("units", "what the firms of a role ordered, or planned to make, of the item that they sell"),
    "stock_units": Figure("units", "stock of all items at the end of the week", "lower"),
    "backlog_units": Figure("units", "owed to customers and due by now", "lower"),
    "talks": Figure("", "negotiations about an item that ended this week"),
    "deals": Figure("", "of these, how many agreed"),
    "rounds": Figure("", "rounds of those talks, added up (two moves are a round)"),
    "deal_units": Figure("units", "goods bought by contract"),
    "deal_value_eur": Figure("EUR", "price times quantity of those contracts"),
    "deal_price_eur": Figure("EUR/unit", "mean price of those contracts, weighted by quantity; nan without deals"),
    "buyer_gain_eur": Figure("EUR", "the buyers' limits less the prices, times quantity"),
    "seller_gain_eur": Figure("EUR", "the prices less the sellers' limits, times quantity"),
    "holding_cost_eur": Figure("EUR", "cost of holding stock", "lower"),
    "backlog_cost_eur": Figure("EUR", "cost of owing goods", "lower"),
    "cash_eur": Figure("EUR", "cash of the firms of a role at the end of the week", "higher"),
    "deliveries": Figure("", "deliveries between firms that arrived"),
    "late_deliveries": Figure("", "of these, how many came after the week agreed", "lower"),
}

KPIS: Mapping[str, Figure] = {
    "profit_eur": Figure(
        "EUR", "cash taken less cash spent, without what firms started with or interventions moved", "higher"
    ),
    "cost_eur": Figure("EUR", "holding and backlog cost of the whole run", "lower"),
    "fill_rate": Figure("", "units served at once ÷ units asked for (type 2)", "higher"),
    "bullwhip": Figure("", "(sd ÷ mean)² of a role's weekly orders ÷ that of weekly demand", "lower"),
    "stock_units": Figure("units", "mean stock at the end of a week", "lower"),
    "backlog_units": Figure("units", "mean backlog at the end of a week", "lower"),
    "deal_price_eur": Figure("EUR/unit", "mean price of contracts about an item, weighted by quantity"),
    "agreement_rate": Figure("", "talks that ended in a contract ÷ talks", "higher"),
    "rounds_per_talk": Figure("", "mean rounds of a talk"),
    "buyer_share": Figure("", "the buyers' part of what both sides gained by contracts"),
    "on_time": Figure("", "deliveries between firms that came by the week agreed ÷ deliveries", "higher"),
    "model_cost_eur": Figure("EUR", "paid for the nominal cost of models", "lower"),
}


PARTIES = ("replica", "buyer", "seller", "item")
"""What names a talk, and the contract that it leads to, within a week."""


def measure(world: World, events: Events, add: Adder) -> None:
    """The metrics of a week, by role or item."""
    scenario = cast(ManufacturingScenario, world.scenario)
    net = layout(scenario)
    demand, sales, orders, stocks = (events[name] for name in ("demand", "sales", "orders", "stocks"))
    add("demand_units", demand, demand["wanted"] / MILLION)
    add("served_units", sales, sales["at_once"] / MILLION)
    own = orders.take(orders["item"] == net.sells[orders["member"]])
    role = net.role[own["member"]]
    add.by(ROLES, role, "order_units", own, own["quantity"] / MILLION)
    role = net.role[stocks["member"]]
    for name, column in (("stock_units", "stock"), ("backlog_units", "backlog")):
        add.by(ROLES, role, name, stocks, stocks[column] / MILLION)
    for name, column in (("holding_cost_eur", "holding_cost"), ("backlog_cost_eur", "backlog_cost")):
        add.by(ROLES, role, name, stocks, stocks[column] / MILLION)
    accounts = world.ledger.accounts
    members = accounts.take(accounts["is_member"])
    add.by(ROLES, net.role[members["account"]], "cash_eur", members, members["balance"][:, 0] / MILLION)
    if "negotiate" in scenario.phases:
        _measure_talks(add, net.items, events["talks"], events["contracts"])
    arrived = events["deliveries"].take(events["deliveries"]["buyer"] != events["deliveries"]["seller"])
    add("deliveries", arrived, np.ones(arrived.num_rows))
    add("late_deliveries", arrived, (arrived["late"] > 0).astype(float))


def _measure_talks(add: Adder, items: tuple[str, ...], talks: Table, contracts: Table) -> None:
    add.by(items, talks["item"], "talks", talks, np.ones(talks.num_rows))
    add.by(items, talks["item"], "rounds", talks, (talks["moves"] + 1) // 2)
    deals = talks.take(talks["outcome"] == AGREED)
    add.by(items, deals["item"], "deals", deals, np.ones(deals.num_rows))
    value = contracts["price"] / MILLION * (contracts["quantity"] / MILLION)
    add.by(items, contracts["item"], "deal_units", contracts, contracts["quantity"] / MILLION)
    add.by(items, contracts["item"], "deal_value_eur", contracts, value)
    with np.errstate(invalid="ignore"):
        for item in items:
            price = add.figures["deal_value_eur", item] / add.figures["deal_units", item]
            add.figures["deal_price_eur", item] = price
    if deals.num_rows != contracts.num_rows:  # not all that was agreed was signed
        deals = deals.take(find(contracts, deals, PARTIES) != NOBODY)
    add.by(items, deals["item"], "buyer_gain_eur", deals, _gain(deals, contracts, "buyer"))
    add.by(items, deals["item"], "seller_gain_eur", deals, _gain(deals, contracts, "seller"))


def _gain(deals: Table, contracts: Table, side: str) -> Array:
    """What the side gains by each deal; both tables hold a row a deal, sorted by the same key."""
    order = np.lexsort([deals[k] for k in reversed(PARTIES)])
    match = np.lexsort([contracts[k] for k in reversed(PARTIES)])
    gap = deals[f"{side}_limit"][order] - contracts["price"][match]
    gain = np.empty(len(order))
    gain[order] = (gap if side == "buyer" else -gap) / MILLION * (contracts["quantity"][match] / MILLION)
    return gain


def conclude(world: World, series: Series, add: Adder) -> None:
    """The KPIs of whole runs."""
    net = layout(cast(ManufacturingScenario, world.scenario))
    figures, accounts = add.figures, world.ledger.accounts
    members = accounts.take(accounts["is_member"])
    by_reason = members["cash_by_reason"] / MILLION
    role = net.role[members["account"]]
    profit = by_reason.sum(axis=1) - by_reason[:, [REASONS.index(why) for why in NO_PROFIT]].sum(axis=1)
    add.by(ROLES, role, "profit_eur", members, profit)
    add("profit_eur", members, profit)
    add("cost_eur", members, -by_reason[:, [REASONS.index("holding"), REASONS.index("backlog")]].sum(axis=1))
    add.by(ROLES, role, "model_cost_eur", members, -by_reason[:, REASONS.index("models")])
    demand = series["demand_units", ""]
    with np.errstate(invalid="ignore", divide="ignore"):
        figures["fill_rate", ""] = series["served_units", ""].sum(axis=0) / demand.sum(axis=0)
        for name in ROLES:
            if ("order_units", name) in series and (net.role == ROLES.index(name)).any():
                # squared coefficients of variation: steel and pumps have no common unit; with equal means, variances
                figures["bullwhip", name] = _relative_variance(series["order_units", name]) / _relative_variance(demand)
                for kpi in ("stock_units", "backlog_units"):
                    figures[kpi, name] = series[kpi, name].mean(axis=0)
        if any(name == "talks" for name, _ in series):
            _conclude_talks(figures, series, net.items)
        arrived, late = series["deliveries", ""].sum(axis=0), series["late_deliveries", ""].sum(axis=0)
        figures["on_time", ""] = 1 - late / arrived


def _conclude_talks(figures: dict[tuple[str, str], Array], series: Series, items: tuple[str, ...]) -> None:
    def total(name: str, item: str) -> Array:
        return series[name, item].sum(axis=0)

    traded = [item for item in items if total("talks", item).any()]
    for item in traded:
        figures["deal_price_eur", item] = total("deal_value_eur", item) / total("deal_units", item)
        figures["agreement_rate", item] = total("deals", item) / total("talks", item)
        figures["rounds_per_talk", item] = total("rounds", item) / total("talks", item)
        gains = total("buyer_gain_eur", item) + total("seller_gain_eur", item)
        figures["buyer_share", item] = total("buyer_gain_eur", item) / gains


def _relative_variance(column: Array) -> Array:
    """Variance over the steps ÷ squared mean."""
    return column.var(axis=0) / column.mean(axis=0) ** 2
