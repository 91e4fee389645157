"""A supplier that fails for a while: how long a stock lasts, what is lost, and when all is well again."""

from __future__ import annotations

import numpy as np

from ecosim import api
from ecosim.exact import MILLION
from ecosim.validate.cases import Case, Figure, exactly
from ecosim.validate.inventory import position, shop
from ecosim.words import Answers, Expert, Question

DEMAND, STOCK, OUT = 10, 30, 7
"""Units a period, units after a period's demand, and periods without supply."""
START = 10
"""The period in which the supplier fails."""
WEEK = ("shock", "replenish", "order", "produce", "ship", "arrive", "demand", "charge")
"""What is ordered is made, sent and there before demand comes."""


def keep_stock(units: int) -> Expert:
    """Order up to so many units, demand of the period included."""

    def decide(question: Question) -> Answers:
        return {"quantity": np.maximum(units * MILLION - position(question), 0)}

    return decide


def make_to_order(question: Question) -> Answers:
    """Make what is owed, and what will be ordered in this period."""
    return {"quantity": np.maximum(question["owed"] + DEMAND * MILLION - question["on_hand"], 0)}


def outage(weeks: int = OUT, stock: int = STOCK, demand: int = DEMAND) -> list[Figure]:
    """The figures of one outage; demand that is not met waits, and is counted in the period in which it came."""
    scenario = shop(
        WEEK, mean=demand, sd=0, stock=stock, lead_time_weeks=0, steps=START + weeks + 5,
        shocks=[{"name": "fire", "kind": "outage", "whom": {"member": "maker"}, "week": START, "weeks": weeks}],
    )  # fmt: skip
    maker = scenario.firms[1].model_copy(update={"stock_units": {}, "capacity_units": 10**6})
    scenario = scenario.with_changes(firms=[scenario.firms[0].model_dump(), maker.model_dump()])
    rules = {"distributor.replenish": keep_stock(stock + demand), "supplier.replenish": make_to_order}
    kpis = api.run(scenario, minds=rules).kpis.query("group == 'fire'").set_index("metric")["value"]
    survives = stock // demand
    return [
        exactly("time to survive", kpis["time_to_survive_weeks"], survives, "periods"),
        exactly("demand not met", kpis["unmet_units"], (weeks - survives) * demand, "units"),
        exactly("lost performance", kpis["lost_performance_weeks"], weeks - survives, "periods"),
        exactly("time to recover", kpis["time_to_recover_weeks"], weeks, "periods"),
    ]


CASES = (
    Case(
        name="supplier_outage",
        part="manufacturing",
        kind="V1",
        shows="a stock of 30 against a demand of 10 survives 3 of 7 periods without supply, and 40 units are not met",
        source="arithmetic; terms of Simchi-Levi, Schmidt, Wei (2014), Harvard Business Review 92(1)",
        method="a shop and a maker through shock, replenish, order, produce, ship, arrive, demand, charge without lead "
        "times, one period a week; unmet demand waits, so that after the outage the maker, who has capacity to spare, "
        "makes up for it in one period; where it is lost the figures are the same",
        compute=outage,
    ),
)
