"""After the fact: what a talk that ended was worth to both sides, and what it could have been.

The formulas are those of `rules.deals`. The best that a talk could have come to has the largest quantity that both had
room for when it ended, the earliest week in which the seller could deliver that, and the efficient penalty; on the line
of prices that is left stand the points of Nash, Kalai, and Kalai and Smorodinsky. Gains are discounted to the first
round; the points are not: they could have been had at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim.adder import Adder
from ecosim.exact import MILLION, micro
from ecosim.fields import Array
from ecosim.manufacturing.chapter import Chapter
from ecosim.manufacturing.facts.negotiation import PENALTY_STEPS, Negotiation
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.rules import deals
from ecosim.side import Column, Events, Figure, Schema, Series
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

PARTIES = ("replica", "buyer", "seller", "item")


def gain(talks: Table, side: str, offer: Mapping[str, Array], lead_weeks: Array) -> Array:
    """What an offer is worth to a side of each talk, EUR/1e6, not discounted; buyers want goods at once."""
    price, penalty = offer["price"], offer.get("penalty", 0)
    late = talks[f"{side}_lateness"] if "penalty" in offer else 0
    limit = talks[f"{side}_limit"]
    if side == "seller":
        return deals.seller_gain(limit, deals.return_to_seller(price, penalty, late), offer["quantity"])
    weeks = np.maximum(offer["week"] - lead_weeks, 0)
    return deals.buyer_gain(limit, deals.cost_to_buyer(price, weeks, penalty, late), offer["quantity"])


def analyse(
    facts: Negotiation,
    lead_weeks: Array,
    ended: Table,
    agreed: Array,
    deal: Mapping[str, Array],
    rooms: tuple[Array, Array],
    capacity: Array,
) -> Table:
    """Rows for the event table `analyses`.

    Args:
        facts: how talks go.
        lead_weeks: the earliest week of delivery, from the week of the talk.
        ended: rows of `talks`.
        agreed: which of them came to a deal, bool (rows,).
        deal: its issues; 0 where there is none.
        rooms: what buyer and seller could still take after the talk, units/1e6.
        capacity: what the seller can make in a week, units/1e6.
    """
    zero = np.zeros(ended.num_rows, np.int64)
    quantity = np.where(agreed, deal["quantity"], 0)
    room = np.minimum(*rooms)
    most = quantity + np.maximum(room - room % MILLION, 0)
    free = rooms[1] + quantity - capacity * (facts.late_weeks + 1)  # what the seller has by the earliest week
    needed = -(np.minimum(free - most, 0) // np.maximum(capacity, MILLION))
    needed = np.minimum(needed, facts.late_weeks)
    weeks = np.where(agreed, np.maximum(deal["week"] - lead_weeks, 0), 0)
    late = [ended[f"{side}_lateness"] if facts.has_penalty else zero for side in ("buyer", "seller")]
    top = micro(facts.max_penalty_share) // PENALTY_STEPS * PENALTY_STEPS
    best = deals.efficient_penalty(late[0], late[1], needed, top)
    line = deals.line(ended["buyer_limit"], ended["seller_limit"], needed, best, *late)
    units = most / MILLION
    round_ = (ended["moves"] + 1) // 2
    undiscounted = [np.where(agreed, gain(ended, side, deal, lead_weeks), 0) for side in ("buyer", "seller")]
    gains = [deals.discounted(column, round_, facts.discount) for column in undiscounted]
    has_zone = line.has_zone & (most > 0)
    points = {"nash": line.nash(), "kalai": line.kalai(), "ks": line.kalai_smorodinsky()}
    columns: dict[str, Array] = {name: ended[name] for name in PARTIES}
    columns["zone"] = np.where(most > 0, np.rint(line.high - line.low), -1).astype(np.int64)
    columns["rounds"] = round_
    columns["buyer_gain"], columns["seller_gain"] = gains
    columns["best_welfare"] = _whole(np.where(has_zone, line.best_sum() * units, 0))
    for name, price in points.items():
        columns[f"{name}_price"] = np.where(has_zone, _whole(price), -1)
    for name, price in points.items():
        there = [side * units for side in line.gains(price)]
        away = [here - point for here, point in zip(gains, there, strict=True)]
        columns[f"{name}_distance"] = np.where(has_zone, _whole(np.sqrt(away[0] * away[0] + away[1] * away[1])), 0)
    is_best = (quantity == most) & (weeks <= needed)
    if facts.has_penalty:
        is_best &= (deal["penalty"] == best) | (late[0] == late[1])
    gains_both = np.minimum(undiscounted[0], undiscounted[1]) >= 0
    columns["is_efficient"] = np.where(has_zone, agreed & is_best & gains_both, ~agreed).astype(np.int64)
    return Table(columns)


def _whole(x: Array) -> Array:
    return np.rint(x).astype(np.int64)


def _measure(world: World, events: Events, add: Adder) -> None:
    items = tuple(cast(ManufacturingScenario, world.scenario).items)
    rows = events["analyses"]
    item, zone = rows["item"], rows["zone"] >= 0
    add.by(items, item, "welfare_eur", rows, (rows["buyer_gain"] + rows["seller_gain"]) / MILLION)
    add.by(items, item, "best_welfare_eur", rows, rows["best_welfare"] / MILLION)
    add.by(items, item, "zones", rows, zone * 1.0)
    add.by(items, item, "efficient_talks", rows, (zone & (rows["is_efficient"] == 1)) * 1.0)
    for name in _POINTS:
        add.by(items, item, f"{name}_distance_eur", rows, np.where(zone, rows[f"{name}_distance"] / MILLION, 0.0))


def _conclude(world: World, series: Series, add: Adder) -> None:
    items = tuple(cast(ManufacturingScenario, world.scenario).items)
    with np.errstate(invalid="ignore", divide="ignore"):
        for item in items:
            total = {name: series[name, item].sum(axis=0) for name in METRICS if (name, item) in series}
            if not total or not total["zones"].any():
                continue
            add.figures["welfare_eur", item] = total["welfare_eur"]
            add.figures["efficiency", item] = total["welfare_eur"] / total["best_welfare_eur"]
            add.figures["pareto_share", item] = total["efficient_talks"] / total["zones"]
            for name in _POINTS:
                distance = f"{name}_distance_eur"
                add.figures[distance, item] = total[distance] / total["zones"]


_POINTS = {"nash": "Nash's", "kalai": "Kalai's (egalitarian)", "ks": "Kalai and Smorodinsky's"}

METRICS: Mapping[str, Figure] = {
    "welfare_eur": Figure("EUR", "what both sides gained by the talks that ended this week, discounted", "higher"),
    "best_welfare_eur": Figure("EUR", "the most that both could have gained by them together, at once"),
    "zones": Figure("", "talks that ended and had a price at which both could gain"),
    "efficient_talks": Figure(
        "", "of these, how many came to a deal that no other would have bettered for both", "higher"
    ),
    **{
        f"{name}_distance_eur": Figure("EUR", f"from the gains of both to those at {whose} point, added up", "lower")
        for name, whose in _POINTS.items()
    },
}

KPIS: Mapping[str, Figure] = {
    "welfare_eur": Figure("EUR", "what both sides gained by all talks about an item, discounted", "higher"),
    "efficiency": Figure("", "that ÷ the most that both could have gained, at once", "higher"),
    "pareto_share": Figure("", "talks with a Pareto-efficient deal ÷ talks in which both could gain", "higher"),
    **{
        f"{name}_distance_eur": Figure(
            "EUR", f"mean distance from the gains of both to those at {whose} point", "lower"
        )
        for name, whose in _POINTS.items()
    },
}

CHAPTER = Chapter(
    is_in=lambda scenario: scenario.negotiation.analysis and "negotiate" in scenario.phases,
    schemas={
        "analyses": Schema(
            "talks that ended, measured against what could have been agreed (negotiation.analysis)",
            3,
            (
                Column("buyer", "i8", "id", "who buys", of="member"),
                Column("seller", "i8", "id", "who sells", of="member"),
                Column("item", "i8", "id", "which item, in the order of the scenario", of="item"),
                Column("zone", "i8", "EUR/1e6", "width of the prices at which both gain; below 0: there is none"),
                Column("rounds", "i8", "rounds", "until it ended; two moves are a round"),
                Column("buyer_gain", "i8", "EUR/1e6", "the buyer's gain, discounted; 0 without a deal"),
                Column("seller_gain", "i8", "EUR/1e6", "the seller's gain, discounted; 0 without a deal"),
                Column("best_welfare", "i8", "EUR/1e6", "the largest sum of gains; 0 where both cannot gain"),
                *(Column(f"{n}_price", "i8", "EUR/1e6", f"{w} price of a unit; −1: none") for n, w in _POINTS.items()),
                *(
                    Column(f"{n}_distance", "i8", "EUR/1e6", f"from the gains to those at {w} point")
                    for n, w in _POINTS.items()
                ),
                Column(
                    "is_efficient", "i8", "", "1 if no deal would have been better for both (Pareto)", ("no", "yes")
                ),
            ),
            is_rare=True,
        )
    },
    metrics=METRICS,
    kpis=KPIS,
    measure=_measure,
    conclude=_conclude,
)
