"""Items and firms."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ecosim.scenario import Amount, Count, Facts, Whole

Role = Literal["supplier", "manufacturer", "distributor"]


class Item(Facts):
    """A kind of goods.

    Attributes:
        bom: how many whole units of other items go into one unit (bill of materials); empty for raw goods.
        make_cost_eur: cost of making one unit, beside its materials.
        value_eur: what one unit is worth to a buyer on average; private values scatter around it.
        holding_cost_eur: cost of holding one unit for a week.
        backlog_cost_eur: cost of owing one unit for a week after it was due.
    """

    bom: dict[str, Count] = Field(default_factory=dict)
    make_cost_eur: Amount = 0.0
    value_eur: Amount = 0.0
    holding_cost_eur: Amount = 0.0
    backlog_cost_eur: Amount = 0.0


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
        partner: the one firm that it buys from; needed where `order` replaces negotiation.
        demand: "consumers" if consumers buy from it, else "firms".
        credit_limit_eur: how far its cash may be below zero; as `finance` says by default.
        enters_week: the week in which each enters, or the first in which it may; there from the start by default.
        entry_chance: the chance of each to enter in a week; drawn before the run, so that all arms have the same.
        exits_week: the week from which it makes no new promises; it leaves when it has kept the old ones.
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
    demand: Literal["firms", "consumers"] = "firms"
    credit_limit_eur: Amount | None = None
    enters_week: Count | None = None
    entry_chance: Annotated[float, Field(gt=0, le=1)] | None = None
    exits_week: Count | None = None
