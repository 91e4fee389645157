"""What the talks of a bargaining table came to: how efficient and how fair, told after the fact; events and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim import exact
from ecosim.adder import Adder
from ecosim.exact import MILLION
from ecosim.fields import Array
from ecosim.manufacturing.bargains import AGREED
from ecosim.manufacturing.facts.table import BargainingTable
from ecosim.manufacturing.table_words import ENDS, SIDES
from ecosim.rules import frontier
from ecosim.side import Column, Events, Figure, Schema, Series
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

_BUYER = Column("buyer", "i8", "id", "who buys", of="member")
_SELLER = Column("seller", "i8", "id", "who sells", of="member")
_OF_OUTCOME = "number of an outcome; the last issue's option counts fastest"
_FAR = {
    "pareto": "to the nearest outcome of the Pareto frontier",
    "nash": "to the Nash point (largest product of gains)",
    "kalai": "to the Kalai point (egalitarian: largest smaller gain)",
    "kalai_smorodinsky": "to the Kalai–Smorodinsky point (largest smaller share of the most that a side could gain)",
}
SCHEMAS = {
    "stakes": Schema(
        "what was at stake in each talk of a bargaining table: its deadlines and fair points",
        2,
        (
            _BUYER,
            _SELLER,
            *(Column(f"{side}_rounds", "i8", "rounds", f"the {side}'s private deadline") for side in SIDES),
            *(
                Column(f"{point}_{side}", "i8", "1/1e6", f"the {side}'s utility of the {point} outcome")
                for point in frontier.POINTS
                for side in SIDES
            ),
        ),
        is_exogenous=True,
        is_rare=True,
    ),
    "bids": Schema(
        "offers at a bargaining table, when they changed; they stood, said again, until the side's next or the end",
        3,
        (
            _BUYER,
            _SELLER,
            Column("move", "i8", "", "from 0; buyers make the even moves"),
            Column("offer", "i8", "", _OF_OUTCOME),
        ),
        is_rare=True,
    ),
    "bargains": Schema(
        "talks of a bargaining table that ended",
        2,
        (
            _BUYER,
            _SELLER,
            Column("end", "i8", "", ", ".join(f"{i} {name}" for i, name in enumerate(ENDS)), ENDS),
            Column("agreed", "i8", "", f"{_OF_OUTCOME}; −1 if none"),
            Column("moves", "i8", "", "moves of both sides, the last accept or reject among them"),
            Column("round", "i8", "rounds", "in which it ended"),
            *(
                Column(f"{side}_utility", "i8", "1/1e6", f"the {side}'s utility of that, or its reservation value")
                for side in SIDES
            ),
            *(
                Column(f"{side}_worth", "i8", "1/1e6", f"the same after the {side}'s discount, rounded down")
                for side in SIDES
            ),
            Column("welfare", "i8", "1/1e6", "sum of both utilities"),
            *(Column(f"to_{name}", "i8", "1/1e6", f"distance in utilities {about}") for name, about in _FAR.items()),
        ),
        is_rare=True,
    ),
}
METRICS = {
    "bargains": Figure("", "talks of the bargaining table that ended this week"),
    "bargain_deals": Figure("", "of these, how many agreed"),
    "bargain_rounds": Figure("rounds", "rounds of those talks, added up"),
    "bargain_welfare": Figure("", "sum of both sides' utilities, added up over all talks"),
    **{f"bargain_to_{name}": Figure("", f"distance {about}, added up over all talks") for name, about in _FAR.items()},
}
KPIS = {
    "bargain_agreement_rate": Figure("", "talks of the bargaining table that agreed ÷ talks", "higher"),
    "bargain_rounds": Figure("rounds", "mean rounds of such a talk"),
    "bargain_welfare": Figure("", "mean sum of both utilities; without a deal, of the reservation values", "higher"),
    **{f"bargain_to_{name}": Figure("", f"mean distance {about}", "lower") for name, about in _FAR.items()},
}  # fmt: skip


def outcome_events(talks: Table, facts: BargainingTable, reservation: dict[str, int]) -> Events:
    """The rows of `bargains` and `stakes` for talks that are over."""
    front = frontier.Frontier(talks["front_buyer"], talks["front_seller"], talks["front"])
    without = (reservation["buyer"], reservation["seller"])
    points = frontier.points(front, without)
    parties = {name: talks[name] for name in ("replica", "buyer", "seller")}
    rows = np.arange(talks.num_rows)
    stakes = {f"{side}_rounds": talks[f"{side}_rounds"].astype(np.int64) for side in SIDES}
    for name in frontier.POINTS:
        at = getattr(points, name)
        stakes |= {f"{name}_{side}": talks[f"{side}_worth"][rows, at].astype(np.int64) for side in SIDES}
    return {
        "bargains": Table({**parties, **_ends(talks, facts, front, without, stakes)}),
        "stakes": Table({**parties, **stakes}),
    }


def _ends(
    talks: Table,
    facts: BargainingTable,
    front: frontier.Frontier,
    without: tuple[int, int],
    stakes: dict[str, Array],
) -> dict[str, Array]:
    """How each talk ended, and how far from where."""
    agreed, rows = talks["end"] == AGREED, np.arange(talks.num_rows)
    outcome, round_ = np.where(agreed, talks["agreed"], 0), (talks["moves"] + 1) // 2
    found = {"end": talks["end"], "agreed": talks["agreed"], "moves": talks["moves"], "round": round_}
    got = {}
    for side, reservation in zip(SIDES, without, strict=True):
        utility = talks[f"{side}_worth"][rows, outcome].astype(np.int64)
        got[side] = np.where(agreed, utility, reservation)
        found[f"{side}_utility"] = got[side]
        found[f"{side}_worth"] = np.where(agreed, _discounted(utility, facts.sides[side].discount, round_), reservation)
    found["welfare"] = got["buyer"] + got["seller"]
    found["to_pareto"] = frontier.frontier_distance(front, got["buyer"], got["seller"])
    for name in ("nash", "kalai", "kalai_smorodinsky"):
        found[f"to_{name}"] = frontier.length(*(got[side] - stakes[f"{name}_{side}"] for side in SIDES))
    return found  # fmt: skip


def _discounted(utility: Array, discount: float, round_: Array) -> Array:
    if discount == 1.0:
        return utility
    return np.asarray(np.floor(utility * exact.power(np.full(len(utility), discount), round_ - 1)).astype(np.int64))


def measure(world: World, events: Events, add: Adder) -> None:
    """The table's metrics of a week."""
    ended = events["bargains"]
    add("bargains", ended, np.ones(ended.num_rows))
    add("bargain_deals", ended, (ended["end"] == AGREED).astype(float))
    add("bargain_rounds", ended, ended["round"].astype(float))
    for name in ("welfare", *(f"to_{point}" for point in _FAR)):
        add(f"bargain_{name}", ended, ended[name] / MILLION)


def conclude(world: World, series: Series, add: Adder) -> None:
    """The table's KPIs of whole runs: means over all talks."""
    talks = series["bargains", ""].sum(axis=0)
    with np.errstate(invalid="ignore"):
        for kpi in KPIS:
            metric = "bargain_deals" if kpi == "bargain_agreement_rate" else kpi
            add.figures[kpi, ""] = series[metric, ""].sum(axis=0) / talks
