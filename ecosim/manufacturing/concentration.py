"""Who has how much of a market, and of what is earned in it; every market has this chapter."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim.adder import Adder
from ecosim.exact import MILLION
from ecosim.fields import Array
from ecosim.manufacturing.chapter import Chapter
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import NO_PROFIT, REASONS, Layout, layout
from ecosim.meanings import Meaning, State
from ecosim.rules import inequality
from ecosim.side import Figure, Series
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

KPIS = {
    "gini_profit": Figure(
        "",
        "of the profits of firms that were ever in business: the sum of |a − b| over all ordered pairs ÷ (2 × firms × "
        "the sum of |profits|); the usual Gini coefficient where nobody lost money",
        "lower",
    ),
    "hhi": Figure(
        "",
        "Herfindahl–Hirschman index: squared shares of revenue of the makers of an item, or of those who sell it to "
        "consumers, added up; 1 ÷ n with n equal firms, 1 with one",
        "lower",
    ),
}


def profit_of(world: World) -> Array:
    """What each firm has earned so far, without what it was given, int64 (firms,), EUR/1e6."""
    accounts = world.ledger.accounts
    earned = accounts["cash_by_reason"][:, [i for i, why in enumerate(REASONS) if why not in NO_PROFIT]].sum(axis=1)
    return cast(Array, earned[accounts["is_member"]])


def _build(scenario: ManufacturingScenario, net: Layout, replicas: Table, tables: dict[str, Table]) -> None:
    tables["firms"]["revenue"] = np.zeros(tables["firms"].num_rows, np.int64)


def _conclude(world: World, series: Series, add: Adder) -> None:
    net = layout(cast(ManufacturingScenario, world.scenario))
    firms, figures = world.tables["firms"], add.figures
    shape = (world.num_replicas, net.num_members)
    was_there = firms["entered_week"] >= 0 if "entered_week" in firms else np.ones(firms.num_rows, bool)
    profit = profit_of(world).reshape(shape) / MILLION
    figures["gini_profit", ""] = inequality.gini(profit, was_there.reshape(shape))
    revenue = firms["revenue"].reshape(shape) / MILLION
    for i, item in enumerate(net.items):
        for group, sells in ((item, ~net.to_consumers), (f"{item} to consumers", net.to_consumers)):
            mine = revenue[:, (net.sells == i) & sells]
            if mine.any():  # where nothing has a price, nobody has a share
                figures["hhi", group] = inequality.herfindahl(mine)


CHAPTER = Chapter(
    states={
        "firms": State("a firm", {"revenue": Meaning("EUR/1e6", "what buyers, and consumers, have paid it so far")})
    },
    build=_build,
    kpis=KPIS,
    conclude=_conclude,
    num_bytes=lambda scenario: {"firms (count × revenue)": 8 * sum(firms.count for firms in scenario.firms)},
)
