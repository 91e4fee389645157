"""Items and firms."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ecosim.manufacturing.facts.lines import Line
from ecosim.scenario import Amount, Count, Facts, Whole

Role = Literal["supplier", "manufacturer", "distributor"]
Unmet = Literal["backlog", "lost"]
Allocation = Literal["first_due", "proportional", "priority"]


class Item(Facts):
    """A kind of goods.

    Attributes:
        bom: how many whole units of other items go into one unit (bill of materials); empty for raw goods.
        make_cost_eur: cost of making one unit, beside its materials.
        value_eur: what one unit is worth to a buyer on average; private values scatter around it.
        holding_cost_eur: cost of holding one unit for a week.
        backlog_cost_eur: cost of owing one unit for a week after it was due.
        lost_cost_eur: cost of each unit of demand that is lost (`unmet: lost`), beside the missed sale.
    """

    bom: dict[str, Count] = Field(default_factory=dict)
    make_cost_eur: Amount = 0.0
    value_eur: Amount = 0.0
    holding_cost_eur: Amount = 0.0
    backlog_cost_eur: Amount = 0.0
    lost_cost_eur: Amount = 0.0


class Firms(Facts):
    """A group of like firms.

    Attributes:
        name: of the group; a single firm has the group's name, several are numbered from 1.
        role: suppliers and manufacturers make what they sell, distributors buy it.
        sells: the item that each of them sells.
        count: how many firms are in the group.
        capacity_units: how much it can make a week; required of makers.
        make_weeks: weeks from the start of production until goods are in stock.
        stock_units: goods in stock before week 1, by item.
        arriving_units: goods that will arrive in weeks 1, 2, …, already paid for.
        cash_eur: cash before week 1.
        partner: the firm that it buys from; needed where `order` replaces negotiation.
        partners: the firm that it buys each item from, by item, where they are not all the same `partner`.
        demand: "consumers" if consumers buy from it, else "firms".
        credit_limit_eur: how far its cash may be below zero; as `finance` says by default.
        enters_week: the week in which each enters, or the first in which it may; there from the start by default.
        entry_chance: the chance of each to enter in a week; drawn before the run, so that all arms have the same.
        exits_week: the week from which it makes no new promises; it leaves when it has kept the old ones.
        lead_time_weeks: weeks until goods that were shipped to it arrive; by default the scenario's.
        order_weeks: weeks until its partners see its orders (`order` only); by default the scenario's.
        holding_cost_eur: of a unit of what it sells, and week; by default the item's.
        backlog_cost_eur: of owing a unit of what it sells for a week; by default the item's.
        order_cost_eur: cost of placing an order, or signing a contract, as the buyer, whatever its size.
        unmet: what becomes of demand that it cannot meet at once; by default the scenario's.
        allocation: how it shares stock that is too little among firms that buy from it; by default the scenario's.
        priority: under `allocation: priority` of its sellers, 1 is served before 2, and so on.
        line: how it makes things: set-ups, yield and lots.
    """

    name: str
    role: Role
    sells: str
    count: Count = 1
    capacity_units: Whole = 0
    make_weeks: Whole = 0
    stock_units: dict[str, Whole] = Field(default_factory=dict)
    arriving_units: list[Whole] = Field(default_factory=list)
    cash_eur: Amount = 0.0
    partner: str | None = None
    partners: dict[str, str] = Field(default_factory=dict)
    demand: Literal["firms", "consumers"] = "firms"
    credit_limit_eur: Amount | None = None
    enters_week: Count | None = None
    entry_chance: Annotated[float, Field(gt=0, le=1)] | None = None
    exits_week: Count | None = None
    lead_time_weeks: Whole | None = None
    order_weeks: Whole | None = None
    holding_cost_eur: Amount | None = None
    backlog_cost_eur: Amount | None = None
    order_cost_eur: Amount = 0.0
    unmet: Unmet | None = None
    allocation: Allocation | None = None
    priority: Count = 1
    line: Line | None = None
