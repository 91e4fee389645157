"""What deals are worth, and the points of the bargaining theorists, by hand."""

import numpy as np
import pytest

from ecosim.exact import MILLION
from ecosim.rules import deals


def eur(*amounts):
    return np.array([round(a * MILLION) for a in amounts])


def test_gains_count_waiting_and_the_penalty_that_each_side_expects():
    """20 units at 10 EUR, two weeks later than wanted, 10 % a week: the buyer expects half a week, the seller 0.1."""
    price, quantity, share = eur(10), eur(20), np.array([100_000])
    cost = deals.cost_to_buyer(price, np.array([2]), share, eur(0.5))
    assert cost / MILLION == pytest.approx(10 * (1 + 0.02 - 0.1 * 0.5))  # 9.70
    assert deals.buyer_gain(eur(12), cost, quantity) / MILLION == pytest.approx((12 - 9.70) * 20)
    brings = deals.return_to_seller(price, share, eur(0.1))
    assert brings / MILLION == pytest.approx(9.90)
    assert deals.seller_gain(eur(8), brings, quantity) / MILLION == pytest.approx(1.90 * 20)


def test_without_waiting_and_penalty_a_unit_costs_its_price():
    assert deals.cost_to_buyer(eur(10), np.array([0])).tolist() == deals.return_to_seller(eur(10)).tolist() == [10**7]


def test_a_gain_loses_by_the_round():
    assert deals.discounted(eur(100, 100, 100), np.array([1, 2, 3]), 0.9).tolist() == eur(100, 90, 81).tolist()
    assert deals.discounted(eur(100), np.array([7]), 1.0).tolist() == eur(100).tolist()


def test_where_only_the_price_is_opposed_all_points_share_the_zone_equally():
    """Symmetric gains on a line: Nash, Kalai, and Kalai and Smorodinsky agree on the middle of 30 … 50."""
    none = np.zeros(1, np.int64)
    line = deals.line(eur(50), eur(30), none, none, none, none)
    assert line.has_zone.all()
    assert [p[0] / MILLION for p in (line.nash(), line.kalai(), line.kalai_smorodinsky())] == [40, 40, 40]
    assert line.best_sum()[0] / MILLION == 20


def test_with_a_penalty_the_points_part():
    """B = 50, S = 30, 20 % a week, the buyer expects a week, the seller none: a = 0.8, b = 1.

    The price is at most the buyer's limit 50, at which it still gains 50 − 40 = 10; at 30 it gains 26, the seller 0.
    Nash: the middle of 30 and 50 ÷ 0.8 = 62.5 is 46.25. Kalai: 80 ÷ 1.8. Kalai–Smorodinsky: gains as 26 to 20,
    (50 − 0.8 p) · 20 = (p − 30) · 26, p = 1780 ÷ 42. The largest sum is at 50: 10 + 20.
    """
    line = deals.line(eur(50), eur(30), np.array([0]), np.array([200_000]), eur(1), np.array([0]))
    assert line.nash()[0] / MILLION == pytest.approx(46.25)
    assert line.kalai()[0] / MILLION == pytest.approx(80 / 1.8)
    assert line.kalai_smorodinsky()[0] / MILLION == pytest.approx(1780 / 42)
    buyer, seller = line.gains(line.kalai())
    assert buyer[0] == pytest.approx(seller[0])
    assert line.best_sum()[0] / MILLION == pytest.approx(30)


def test_nash_has_the_largest_product_of_gains_on_the_line():
    line = deals.line(eur(50), eur(30), np.array([1]), np.array([100_000]), eur(0.8), eur(0.1))
    prices = np.linspace(line.low[0], line.high[0], 2001)
    buyer, seller = line.gains(prices)
    assert prices[(buyer * seller).argmax()] == pytest.approx(line.nash()[0], abs=2 * (prices[1] - prices[0]))


def test_no_zone_where_the_limits_cross():
    none = np.zeros(1, np.int64)
    assert not deals.line(eur(30), eur(31), none, none, none, none).has_zone.any()


def test_the_efficient_penalty_is_all_or_nothing():
    found = deals.efficient_penalty(np.array([2, 1, 1, 101]), np.array([1, 2, 1, 100]), np.array([0, 0, 0, 2]), 7)
    assert found.tolist() == [7, 0, 0, 0]  # the last: 1 + 2 · 0.01 weighs more than 101 ÷ 100
