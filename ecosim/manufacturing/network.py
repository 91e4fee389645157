"""What a network may have beyond the plain week: lost demand, costs of orders and of goods on the way, scrap."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim.adder import Adder
from ecosim.exact import MILLION
from ecosim.manufacturing.chapter import Chapter
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import REASONS, ROLES, layout
from ecosim.manufacturing.week import BUYER, ITEM, MEMBER, SELLER, SIGNED
from ecosim.side import Column, Events, Figure, Schema, Series

if TYPE_CHECKING:
    from ecosim.world import World

LOST = Column("lost", "i8", "units/1e6", "how much")

SCHEMAS = {
    "lost_sales": Schema(
        "demand of consumers that was lost",
        2,
        (MEMBER, ITEM, LOST, Column("cost", "i8", "EUR/1e6", "what it cost the firm, beside the missed sale")),
        is_rare=True,
    ),
    "lost_orders": Schema(
        "orders between partners that were struck off", 4, (BUYER, SELLER, ITEM, SIGNED, LOST), is_rare=True
    ),
    "transit": Schema(
        "goods on the way to other firms at the end of the week, where they are charged",
        2,
        (
            MEMBER,
            ITEM,
            Column("on_way", "i8", "units/1e6", "sent by the firm and not yet there"),
            Column("cost", "i8", "EUR/1e6", "of holding them, paid by the firm"),
        ),
        is_rare=True,
    ),
    "scrap": Schema(
        "production that came to nothing",
        2,
        (
            MEMBER,
            ITEM,
            Column("made", "i8", "units/1e6", "started"),
            Column("scrap", "i8", "units/1e6", "of these, thrown away"),
        ),
        is_rare=True,
    ),
}

METRICS = {
    "lost_units": Figure("units", "demand of consumers that was lost this week", "lower"),
    "ordered_units_lost": Figure("units", "orders between firms that were struck off this week", "lower"),
    "transit_cost_eur": Figure("EUR", "cost of holding goods on the way", "lower"),
    "scrap_units": Figure("units", "production that came to nothing", "lower"),
    "started_units": Figure("units", "production started by firms with a line"),
}

KPIS = {
    "lost_units": Figure("units", "demand of consumers that was lost in the whole run", "lower"),
    "ordering_cost_eur": Figure("EUR", "cost of placing orders, of the whole run", "lower"),
    "transit_cost_eur": Figure("EUR", "cost of holding goods on the way, of the whole run", "lower"),
    "scrap_share": Figure("", "units scrapped ÷ units started, of firms with a line", "lower"),
}


def measure(world: World, events: Events, add: Adder) -> None:
    """The metrics of what the scenario has."""
    facts = cast(ManufacturingScenario, world.scenario)
    net = layout(facts)
    if net.loses.any():
        add("lost_units", events["lost_sales"], events["lost_sales"]["lost"] / MILLION)
        add("ordered_units_lost", events["lost_orders"], events["lost_orders"]["lost"] / MILLION)
    if facts.charge_transit:
        add("transit_cost_eur", events["transit"], events["transit"]["cost"] / MILLION)
    if _has_lines(facts):
        add("scrap_units", events["scrap"], events["scrap"]["scrap"] / MILLION)
        made = events["production"]
        has_line = np.array([firms.line is not None for firms in facts.firms for _ in range(firms.count)])
        made = made.take(has_line[made["member"]])
        add("started_units", made, made["made"] / MILLION)


def conclude(world: World, series: Series, add: Adder) -> None:
    """The KPIs of what the scenario has."""
    facts = cast(ManufacturingScenario, world.scenario)
    net = layout(facts)
    for name in ("lost_units", "transit_cost_eur"):
        if (name, "") in series:
            add.figures[name, ""] = series[name, ""].sum(axis=0)
    if net.order_cost.any():
        accounts = world.ledger.accounts
        members = accounts.take(accounts["is_member"])
        paid = -members["cash_by_reason"][:, REASONS.index("ordering")] / MILLION
        add.by(ROLES, net.role[members["account"]], "ordering_cost_eur", members, paid)
    if _has_lines(facts):
        with np.errstate(invalid="ignore"):
            started = series["started_units", ""].sum(axis=0)
            add.figures["scrap_share", ""] = series["scrap_units", ""].sum(axis=0) / started


def _has_lines(facts: ManufacturingScenario) -> bool:
    return any(firms.line is not None for firms in facts.firms)


def _is_in(facts: ManufacturingScenario) -> bool:
    """Whether a scenario has any of it."""
    loses = facts.unmet == "lost" or any(firms.unmet == "lost" for firms in facts.firms)
    costs = facts.charge_transit or any(firms.order_cost_eur for firms in facts.firms)
    return loses or costs or _has_lines(facts)


CHAPTER = Chapter(is_in=_is_in, schemas=SCHEMAS, metrics=METRICS, kpis=KPIS, measure=measure, conclude=conclude)
