"""Who may come: all about entrants is drawn before the run, so that every arm meets the same.

What an entrant has, and when it comes, is keyed by the firm and drawn from the world seed; it never depends on what
anybody decides.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from ecosim import exact, seeds
from ecosim.exact import MILLION, micro
from ecosim.fields import Array
from ecosim.manufacturing.companies import NOT_YET
from ecosim.manufacturing.facts.company import is_entrant
from ecosim.manufacturing.facts.firms import Firms
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import Layout, books
from ecosim.rules.ledger import CASH, Ledger
from ecosim.words import Table

NEVER = 0
"""Of a week in which a firm is to enter or to leave."""
CENT = 10_000
"""The grid of cash that is drawn, in millionths of a euro."""


def groups_of(scenario: ManufacturingScenario) -> list[Firms]:
    """The group of each firm of a replica."""
    return [firms for firms in scenario.firms for _ in range(firms.count)]


def draw(scenario: ManufacturingScenario, net: Layout, replicas: Table, tables: dict[str, Table]) -> None:
    """Draw the entrants and take back what they were given: they are not there yet.

    Draws:
        From the world's seed, keyed by firm: the week of entry (geometric), cash, rounded down to a cent, and capacity,
        in whole units, at least one.
    """
    assert scenario.entry is not None
    firms, groups = tables["firms"], groups_of(scenario)
    num = replicas.num_rows
    seed = replicas["world_seed"][firms["replica"]]
    when = seeds.uniform(seeds.WORLD, seed, 0, "entry", (firms["member"],))
    size = seeds.two_uniforms(seeds.WORLD, seed, 0, "entry", (firms["member"],), lane=1)
    comes = np.tile([is_entrant(g) for g in groups], num)
    first = np.tile([g.enters_week or 1 for g in groups], num)
    chance = np.tile([1.0 if g.entry_chance is None else g.entry_chance for g in groups], num)
    week = np.minimum(first + _weeks_until(when, chance), scenario.steps + 1)
    firms["enters_week"] = np.where(comes, week, NEVER)
    firms["exits_week"] = np.tile([g.exits_week or NEVER for g in groups], num).astype(np.int64)
    cash = np.tile([micro(g.cash_eur) for g in groups], num)
    scattered = np.rint(cash * _around(size[0], scenario.entry.cash_spread)).astype(np.int64) // CENT * CENT
    firms["capital"] = np.where(comes, scattered, cash)
    units = firms["capacity"] / MILLION * _around(size[1], scenario.entry.capacity_spread)
    whole = np.maximum(np.rint(units), 1).astype(np.int64) * MILLION
    firms["capacity"] = np.where(comes & (firms["capacity"] > 0), whole, firms["capacity"])
    for name in ("leaving", "weeks_of_loss", "profit_before"):
        firms[name] = np.zeros(firms.num_rows, np.int64)
    firms["is_active"][comes] = False
    firms["entered_week"][comes] = NOT_YET
    firms["num_deliveries"][comes] = scenario.entry.prior_deliveries
    firms["num_on_time"][comes] = scenario.entry.prior_on_time
    _take_back(scenario, tables, np.flatnonzero(comes))


def _weeks_until(u: Array, chance: Array) -> Array:
    """Weeks without luck before the first with it, at a chance a week, from a uniform draw, int64."""
    sure = chance >= 1
    weeks = exact.log(u) / exact.log(np.where(sure, 0.5, 1 - chance))
    return np.where(sure, 0, np.minimum(np.floor(weeks), 2**40)).astype(np.int64)


def _around(u: Array, spread: float) -> Array:
    """A factor evenly within 1 ± spread."""
    return cast(Array, 1.0 + spread * (2.0 * u - 1.0))


def _take_back(scenario: ManufacturingScenario, tables: dict[str, Table], firm: Array) -> None:
    names = books(scenario)
    ledger = Ledger(tables["accounts"], names.assets, names.externals, names.reasons)
    replica, member = tables["firms"]["replica"][firm], tables["firms"]["member"][firm]
    account, nature = ledger.rows(replica, member), ledger.outside("nature", replica)
    have = ledger.accounts["balance"][account]
    ledger.pay("opening", have[:, CASH], account, nature)
    for asset in range(1, have.shape[1]):
        ledger.move(asset, have[:, asset], account, nature)
