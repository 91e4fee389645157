"""Rules that the phases use, against values of the literature: M5 (contracts), M6 (bargaining), sharing out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecosim.exact import MILLION
from ecosim.rules import allocate, bargain, terms


@pytest.mark.parametrize(
    ("exponent", "expected"),
    [
        (bargain.BOULWARE, [0.9999, 0.9961, 0.9375, 0.6836, 0.3439]),
        (bargain.LINEAR, [0.9, 0.75, 0.5, 0.25, 0.1]),
        (bargain.CONCEDER, [0.4377, 0.2929, 0.1591, 0.0694, 0.0260]),
    ],
)
def test_aspirations_fall_as_faratin_has_it(exponent, expected):
    time = np.array([0.1, 0.25, 0.5, 0.75, 0.9])
    assert bargain.aspiration(time, exponent) == pytest.approx(expected, abs=5e-5)


def test_equal_patience_gives_the_first_mover_a_little_more_than_half():
    assert bargain.rubinstein_share(0.9, 0.9) == pytest.approx(0.5263, abs=1e-4)


@pytest.mark.parametrize(
    ("wholesale", "buyback", "order", "retailer", "supplier"),
    [(2.0, 0.0, 80, 320, 0), (6.0, 0.0, 40, 80, 160), (6.0, 5.0, 80, 160, 160)],
)
def test_supply_contracts_share_the_newsvendors_profit(wholesale, buyback, order, retailer, supplier):
    """Cachon (2003): demand U[0, 100], retail price 10, unit cost 2; 75 % and 100 % of the best joint profit, 320."""
    assert order == pytest.approx(100 * terms.critical_ratio(10, wholesale, buyback))
    demand = (np.arange(100_000) + 0.5) / 1000
    sold = np.minimum(demand, order)
    returned = (np.maximum(order - demand, 0) * MILLION).astype(np.int64) if buyback else 0
    price, bought = round(wholesale * MILLION), np.full(len(demand), order * MILLION)
    paid = terms.payment(np.full(len(demand), price), bought, round(buyback * MILLION), returned) / MILLION
    assert (10 * sold - paid).mean() == pytest.approx(retailer, abs=0.01)
    assert (paid - 2 * order).mean() == pytest.approx(supplier, abs=0.01)


def test_lateness_costs_at_most_the_whole_value():
    price, units = np.full(3, 10 * MILLION), np.full(3, 5 * MILLION)
    paid = terms.penalty(price, units, np.array([0, 2, 99]), share_micro=20_000)
    assert paid.tolist() == [0, 2 * MILLION, 50 * MILLION]


rows = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(0, 20)), min_size=1, max_size=30)


@given(rows, st.integers(0, 60))
def test_sharing_out_is_first_come_first_served(rows, stock):
    """Against a plain loop."""
    group, turn, wanted = (np.array(column) for column in zip(*rows, strict=True))
    turn = turn * 100 + np.arange(len(turn))
    given_ = allocate.share_out([group], [turn], wanted, np.full(len(group), stock))
    fits = allocate.all_or_nothing([group], [turn], wanted, np.full(len(group), stock))
    left, shut = dict.fromkeys(group.tolist(), stock), set()
    room = dict(left)
    for i in np.argsort(turn):
        got = min(left[group[i]], wanted[i])
        left[group[i]] -= got
        assert given_[i] == got
        if wanted[i] > room[group[i]]:
            shut.add(group[i])
        room[group[i]] -= wanted[i]
        assert fits[i] == (group[i] not in shut)
