"""Reference case M1: the beer game of Sterman (1989), through the phases of its scenario."""

import pytest

import ecosim
from ecosim.validate import beer_game


@pytest.mark.parametrize(
    ("fixed_weeks", "split"),
    [(4, [46, 50, 54, 54]), (3, [30, 38, 46, 48]), (0, [36, 44, 52, 48])],
)
def test_the_benchmark_rule_costs_204_162_and_180(fixed_weeks, split):
    figures = beer_game.benchmark(fixed_weeks)
    assert [figure.found for figure in figures] == [*split, sum(split)]
    assert all(figure.is_met for figure in figures)


def test_the_rule_that_was_estimated_from_people_costs_2480_and_swells_orders_to_31():
    """280 + 627 + 886 + 686; largest orders 11, 16.5, 25.1, 30.8 cases."""
    figures = beer_game.estimated_rule()
    assert [round(figure.found) for figure in figures] == [280, 627, 886, 686, 2479, 11, 16, 25, 31]
    assert all(figure.is_met for figure in figures)
    assert beer_game.people()[0].sum() == pytest.approx(2479.5, abs=0.05)


def test_the_scripted_forecaster_amplifies_orders_up_the_chain():
    """The moving-average rule shows the bullwhip: each firm's largest order is above that of its customer."""
    orders = ecosim.run("beer_game").events("orders")
    largest = orders.groupby("member")["quantity"].max().tolist()
    assert largest[0] > 8
    assert largest == sorted(largest)
