"""Sharing out, contests and seats as rules alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecosim.rules import allocate, contest
from ecosim.rules.seats import dhondt

PARTS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2**40)), max_size=12)
TOTALS = st.lists(st.integers(0, 2**52), min_size=4, max_size=4)


@settings(deadline=None)
@given(PARTS, TOTALS)
def test_shares_of_every_group_are_those_of_the_method_of_largest_remainders(rows, totals):
    group, weight = (np.array([row[i] for row in rows], np.int64) for i in (0, 1))
    found = allocate.split_by_group(group, np.array(totals), weight)
    for i, total in enumerate(totals):
        mine = weight[group == i].tolist()
        assert found[group == i].tolist() == (allocate.split(total, mine) if any(mine) else [0] * len(mine))


def test_one_share_of_a_prize_that_nobody_strives_for_is_nothing():
    assert allocate.split_by_group(np.zeros(2, np.int64), np.array([5]), np.zeros(2, np.int64)).tolist() == [0, 0]


@pytest.mark.parametrize(("num", "power", "effort"), [(2, 1.0, 250), (5, 1.0, 160), (3, 0.5, 111), (2, 1.5, 375)])
def test_the_best_reply_to_the_equilibrium_is_the_equilibrium(num, power, effort):
    """Tullock (1980): V·r·(n − 1)/n²."""
    assert contest.equilibrium(np.array([num]), power).tolist() == [effort]
    rivals = contest.weights(np.full(num - 1, effort), contest.LEVELS, power).sum(keepdims=True)
    assert contest.best_reply(rivals, power, np.array([1000])) == pytest.approx(effort, abs=1)


def test_seats_go_by_highest_averages():
    """The usual example: 100,000, 80,000, 30,000 and 20,000 votes for 8 seats give 4, 3, 1, 0."""
    assert dhondt([100_000, 80_000, 30_000, 20_000], 8) == [4, 3, 1, 0]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 99), min_size=2, max_size=5, unique=True), st.integers(1, 12))
def test_nobody_gains_by_leaving_a_niche_of_dhondt(weights, num):
    seats = dhondt(weights, num)
    for weight, held in zip(weights, seats, strict=True):
        assert all(not held or weight * (other + 1) >= w * held for w, other in zip(weights, seats, strict=True))
