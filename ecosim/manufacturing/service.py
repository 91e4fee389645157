"""Figures of service and trade: on time in full, turns, weeks without a stockout, dispersion of prices.

Definitions, by the unit that they count:

* `otif`: an order line (a contract) is on time and in full if all of it has arrived by the agreed week. Lines that fall
  due within the run count; one that became void because a party failed is not missed. Source: McKinsey (2019),
  Defining 'on-time, in-full' in the consumer sector (by order line).
* `in_full`: the same by units: what had arrived by the agreed week ÷ what was due by then.
* `fill_rate_type_1`: weeks in which a firm served all its consumers at once ÷ weeks. Source: Nahmias (2009), Production
  and operations analysis, chapter 5: type 1 service, there by order cycle, here by week; `fill_rate` is type 2.
* `turns`: throughput ÷ mean inventory, a year. Source: Hopp, Spearman (2008), Factory physics, chapter 7.
* `price_dispersion`: standard deviation ÷ mean of the prices of a week's contracts about an item, averaged over the
  weeks with at least two. Source: the coefficient of variation, as in Baye, Morgan, Scholten (2006), Information,
  search, and price dispersion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim.adder import Adder
from ecosim.exact import MILLION
from ecosim.fields import Array
from ecosim.manufacturing.chapter import Chapter
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import ROLES, Layout, layout
from ecosim.side import Events, Figure, Series
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

WEEKS_A_YEAR = 52
LINE = ("replica", "buyer", "seller", "item", "signed_week")
"""What names an order line."""

METRICS = {
    "lines": Figure("", "order lines agreed this week that fall due within the run"),
    "line_units": Figure("units", "goods in those lines"),
    "missed_lines": Figure("", "order lines due this week that have not wholly arrived", "lower"),
    "missed_units": Figure("units", "what of them has not arrived", "lower"),
    "weeks_served": Figure("", "firms that served all their consumers at once this week", "higher"),
    "sold_units": Figure("units", "what the firms of a role sold, and shipped, of the item that they sell"),
    "sold_stock_units": Figure("units", "their stock of it at the end of the week"),
    "price_dispersion": Figure("", "sd ÷ mean of the prices of this week's contracts; nan for fewer than two"),
}
KPIS = {
    "otif": Figure(
        "", "order lines that had wholly arrived by the agreed week ÷ order lines due (on time in full)", "higher"
    ),
    "in_full": Figure("", "units that had arrived by the agreed week ÷ units due by then", "higher"),
    "fill_rate_type_1": Figure("", "weeks in which a firm served all its consumers at once ÷ weeks (type 1)", "higher"),
    "turns": Figure("1/year", "units sold and shipped in 52 weeks ÷ mean stock of what a role sells", "higher"),
    "price_dispersion": Figure("", "sd ÷ mean of contract prices about an item within a week, mean over the weeks"),
}


def measure(world: World, events: Events, add: Adder) -> None:
    """The metrics of a week."""
    scenario = cast(ManufacturingScenario, world.scenario)
    net = layout(scenario)
    contracts, sales, sent, stocks = (events[name] for name in ("contracts", "sales", "shipments", "stocks"))
    counts = contracts["due_week"] <= scenario.steps
    add("lines", contracts, counts.astype(float))
    add("line_units", contracts, np.where(counts, contracts["quantity"], 0) / MILLION)
    missed = late_lines(world, _struck(scenario, net, world.steps, events))
    add("missed_lines", missed, np.ones(missed.num_rows))
    add("missed_units", missed, missed["missing"] / MILLION)
    served = (sales["at_once"] >= _wanted(events)) & (sales["owed"] == 0)
    add("weeks_served", sales, served.astype(float))
    _measure_turns(add, net, sales, sent, stocks)
    if "negotiate" in scenario.phases:
        for i, item in enumerate(net.items):
            about = contracts.take(contracts["item"] == i)
            add.figures["price_dispersion", item] = variation(about["replica"], about["price"], world.num_replicas)


def _struck(scenario: ManufacturingScenario, net: Layout, week: int, events: Events) -> Table | None:
    """Order lines struck off this week that would have fallen due within the run; None where nothing ever is."""
    struck = events.get("lost_orders")
    if struck is None or not struck.num_rows:
        return None
    due = week + net.transit_weeks(struck["seller"], struck["buyer"])  # they go in the last week that would be in time
    return struck.take(due <= scenario.steps)


def _wanted(events: Events) -> Array:
    """What consumers wanted, row for row of `sales`; both have a row a firm that sells to consumers."""
    return events["demand"]["wanted"]


def _measure_turns(add: Adder, net: Layout, sales: Table, sent: Table, stocks: Table) -> None:
    own = stocks["item"] == net.sells[stocks["member"]]
    role = net.role[stocks["member"]]
    add.by(ROLES, role, "sold_stock_units", stocks, np.where(own, stocks["stock"], 0) / MILLION)
    add.by(ROLES, net.role[sales["member"]], "sold_units", sales, sales["sold"] / MILLION)
    to_consumers = [add.figures["sold_units", name] for name in ROLES]
    add.by(ROLES, net.role[sent["seller"]], "sold_units", sent, sent["quantity"] / MILLION)
    for name, units in zip(ROLES, to_consumers, strict=True):
        add.figures["sold_units", name] = add.figures["sold_units", name] + units


def late_lines(world: World, struck: Table | None = None) -> Table:
    """The order lines due this week that have not wholly arrived: LINE, and `missing` in units/1e6.

    What lies in stock at the end of the week of its arrival has arrived; so have goods whose arrival counts as this
    week's although they come in at the start of the next. Lines that were struck off this week (`struck`) never will.
    """
    contracts, on_way = world.tables["contracts"], world.tables["shipments"]
    open_ = contracts.take((contracts["due_week"] == world.steps) & world.is_live[contracts["replica"]])
    coming = (on_way["due_week"] == world.steps) & (on_way["arrive_week"] > world.steps)
    late = on_way.take(coming & (on_way["buyer"] != on_way["seller"]) & world.is_live[on_way["replica"]])
    parts = [(open_, open_["open"]), (late, late["quantity"])]
    if struck is not None:
        parts.append((struck, struck["lost"]))
    columns = {name: np.concatenate([part[name] for part, _ in parts]) for name in LINE}
    missing = np.concatenate([amount for _, amount in parts])
    if not len(missing):
        return Table({**columns, "missing": missing})
    order = np.lexsort([columns[name] for name in reversed(LINE)])
    is_first = np.zeros(len(order), bool)
    for name in LINE:
        is_first |= np.diff(columns[name][order], prepend=-(2**40)) != 0
    starts = np.flatnonzero(is_first)
    total = np.add.reduceat(missing[order], starts)
    return Table({**{name: columns[name][order][starts] for name in LINE}, "missing": total})


def variation(group: Array, values: Array, num_groups: int) -> Array:
    """Standard deviation ÷ mean of the values of each group (of the population), nan for fewer than two or a mean of 0.

    >>> variation(np.array([0, 0, 1]), np.array([8.0, 12.0, 5.0]), 2)
    array([0.2, nan])
    """
    count = np.bincount(group, minlength=num_groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(group, values, num_groups) / count
        spread = np.sqrt(np.bincount(group, (values - mean[group]) ** 2, num_groups) / count)
        return np.where((count > 1) & (mean != 0), spread / mean, np.nan)


def conclude(world: World, series: Series, add: Adder) -> None:
    """The KPIs of whole runs."""
    net = layout(cast(ManufacturingScenario, world.scenario))
    figures = add.figures

    def total(name: str, group: str = "") -> Array:
        return series[name, group].sum(axis=0)

    weeks = len(series["lines", ""])
    before_lines, before_units = _lines_before(world)
    with np.errstate(invalid="ignore", divide="ignore"):
        figures["otif", ""] = 1 - total("missed_lines") / (total("lines") + before_lines)
        figures["in_full", ""] = 1 - total("missed_units") / (total("line_units") + before_units)
        figures["fill_rate_type_1", ""] = total("weeks_served") / (weeks * np.count_nonzero(net.to_consumers))
        for role in ROLES:
            if (net.role == ROLES.index(role)).any():
                yearly = total("sold_units", role) * WEEKS_A_YEAR / weeks
                figures["turns", role] = yearly / series["sold_stock_units", role].mean(axis=0)
    for item in net.items:
        found = series.get(("price_dispersion", item))
        if found is not None and not np.isnan(found).all():
            figures["price_dispersion", item] = _mean_of_known(found)


def _mean_of_known(column: Array) -> Array:
    """Mean over the steps without those that are nan; nan where all are."""
    known = ~np.isnan(column)
    with np.errstate(invalid="ignore"):
        return np.where(known, column, 0.0).sum(axis=0) / known.sum(axis=0)


def _lines_before(world: World) -> tuple[int, float]:
    """Order lines that stood before week 1 and fall due within the run, and their units: those of `order_weeks`."""
    scenario = cast(ManufacturingScenario, world.scenario)
    if "order" not in scenario.phases:
        return 0, 0.0
    net = layout(scenario)
    buying = np.flatnonzero(net.partner >= 0)
    units = np.array([scenario.first_forecast_units.get(net.items[i], 0.0) for i in net.item[buying]])
    first = 1 + net.promise_weeks(net.partner[buying], net.owner[buying])
    lines = np.clip(scenario.steps - first + 1, 0, net.order_weeks[net.owner[buying]])
    return int(lines.sum()), float((lines * units).sum())


CHAPTER = Chapter(metrics=METRICS, kpis=KPIS, measure=measure, conclude=conclude)
