"""The lives of firms: when they came, when they went and how, and who survives.

The common ground of `finance`, `entry` and `adoption`: a market with any of these keys has this chapter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim.adder import Adder
from ecosim.manufacturing.chapter import Chapter
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import ROLES, Layout, layout
from ecosim.meanings import Meaning, State
from ecosim.side import Column, Events, Figure, Schema, Series
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

NOT_YET = -1
"""Of a week in a firm's life: it has not come."""
BANKRUPT, LEFT = range(2)
EXIT_REASONS = ("bankrupt", "left")

EXITS = Schema(
    "firms that went out of business",
    1,
    (
        Column("member", "i8", "id", "the firm", of="member"),
        Column("reason", "i8", "", "0 bankrupt, 1 left", EXIT_REASONS),
        Column("cash", "i8", "EUR/1e6", "what it had then; below zero it owes that to the bank"),
        Column("owed", "i8", "EUR/1e6", "to the bank, and to buyers for goods that it will not deliver"),
        Column("estate", "i8", "EUR/1e6", "cash above zero, goods on the way to buyers, and what its stock brought"),
        Column("level", "f8", "", "share of what was owed that could be paid; 1 if nothing was owed"),
    ),
    is_rare=True,
)

STATES = {
    "firms": State(
        "a firm",
        {
            "entered_week": Meaning("week", "when it came; 0 was there from the start, −1 has not come"),
            "left_week": Meaning("week", "when it went out of business; −1 has not"),
        },
    )
}

METRICS = {
    "active_firms": Figure("", "firms of a role in business at the end of the week"),
    "bankruptcies": Figure("", "firms that failed this week", "lower"),
    "departures": Figure("", "firms that left this week, their promises kept"),
}
KPIS = {
    "bankruptcies": Figure("", "firms that failed", "lower"),
    "departures": Figure("", "firms that left, their promises kept"),
    "survival_of_incumbents": Figure("", "firms there from the start, still in business ÷ all of these", "higher"),
}


def is_in(scenario: ManufacturingScenario) -> bool:
    """Whether firms may come, go, fail, or choose their minds."""
    return any(key is not None for key in (scenario.finance, scenario.entry, scenario.adoption))


def _build(scenario: ManufacturingScenario, net: Layout, replicas: Table, tables: dict[str, Table]) -> None:
    firms = tables["firms"]
    firms["entered_week"] = np.zeros(firms.num_rows, np.int64)
    firms["left_week"] = np.full(firms.num_rows, NOT_YET)


def _measure(world: World, events: Events, add: Adder) -> None:
    firms = world.tables["firms"]
    add.by(ROLES, firms["role"], "active_firms", firms, firms["is_active"])
    exits = events["exits"]
    failed = exits["reason"] == BANKRUPT
    add("bankruptcies", exits, failed)
    add("departures", exits, ~failed)


def _conclude(world: World, series: Series, add: Adder) -> None:
    net = layout(cast(ManufacturingScenario, world.scenario))
    firms, figures = world.tables["firms"], add.figures
    shape = (world.num_replicas, net.num_members)
    for name in ("bankruptcies", "departures"):
        figures[name, ""] = series[name, ""].sum(axis=0)
    first = (firms["entered_week"] == 0).reshape(shape)
    with np.errstate(invalid="ignore"):
        alive = (first & firms["is_active"].reshape(shape)).sum(axis=1)
        figures["survival_of_incumbents", ""] = alive / first.sum(axis=1)


CHAPTER = Chapter(
    is_in=is_in,
    schemas={"exits": EXITS},
    states=STATES,
    build=_build,
    metrics=METRICS,
    kpis=KPIS,
    measure=_measure,
    conclude=_conclude,
    num_bytes=lambda scenario: {"firms (count × life)": 24 * sum(firms.count for firms in scenario.firms)},
)
