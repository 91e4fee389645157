"""Reference case M1: the benchmark of Sterman (1989), through the phases of the beer game scenario."""

import numpy as np
import pytest

import ecosim
from ecosim.exact import MILLION

TARGET_POSITION = np.array([28, 28, 28, 20])
"""Stock and supply line that the rule aims at: retailer, wholesaler, distributor, factory."""


def stermans_rule(fixed_weeks):
    """O = max(0, 4 + S' − (stock − backlog) − supply line), and 4 in the first weeks."""

    def decide(question):
        stock = question["on_hand"] - question["owed"]
        wish = 4 * MILLION + TARGET_POSITION[question.key["subject"]] * MILLION - stock - question["on_order"]
        return {"quantity": np.maximum(wish, 0) if question.step > fixed_weeks else np.full(len(wish), 4 * MILLION)}

    return decide


@pytest.mark.parametrize(
    ("fixed_weeks", "split"),
    [(4, [46, 50, 54, 54]), (3, [30, 38, 46, 48]), (0, [36, 44, 52, 48])],
)
def test_the_benchmark_rule_costs_204_162_and_180(fixed_weeks, split):
    rule = stermans_rule(fixed_weeks)
    run = ecosim.run("beer_game", minds={"distributor.replenish": rule, "manufacturer.replenish": rule})
    stocks = run.events("stocks")
    cost = (stocks["holding_cost"] + stocks["backlog_cost"]).groupby(stocks["member"]).sum()
    assert cost.tolist() == split


def test_the_scripted_forecaster_amplifies_orders_up_the_chain():
    """The moving-average rule shows the bullwhip: each firm's largest order is above that of its customer."""
    orders = ecosim.run("beer_game").events("orders")
    largest = orders.groupby("member")["quantity"].max().tolist()
    assert largest[0] > 8
    assert largest == sorted(largest)
