"""Double entry: whatever is posted, nothing comes from nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecosim.errors import RuleError
from ecosim.rules.ledger import Ledger

ASSETS, EXTERNALS, REASONS = ("cash", "nails"), ("nature", "models"), ("wages", "rent")


def ledger(num_members=(2, 3)):
    return Ledger(Ledger.open(np.array(num_members), ASSETS, EXTERNALS, REASONS), ASSETS, EXTERNALS, REASONS)


def test_a_payment_leaves_one_account_and_reaches_another():
    books = ledger()
    anna, bert = books.rows(np.array([1, 1]), np.array([0, 2]))
    books.pay("wages", np.array([5]), np.array([anna]), np.array([bert]))
    balance = books.accounts["balance"]
    assert balance[[anna, bert], 0].tolist() == [-5, 5]
    assert books.accounts["cash_by_reason"][[anna, bert]].tolist() == [[-5, 0], [5, 0]]
    assert books.faults() == {}


posting = st.tuples(st.integers(0, 1), st.integers(0, 4), st.integers(0, 4), st.integers(0, 10**12))


@given(st.lists(posting, max_size=40))
def test_assets_are_conserved_whatever_moves(postings):
    """Accounts repeat within one call, too: five accounts of the second replica, many rows."""
    books = ledger()
    if postings:
        asset, giver, taker, amount = (np.array(column) for column in zip(*postings, strict=True))
        books.move(asset, amount, books.starts[1] + giver, books.starts[1] + taker)
    assert books.accounts["balance"].sum(axis=0).tolist() == [0, 0]
    assert not [fault for fault in books.faults().values() if "conserved" in fault]


def test_goods_from_nothing_are_found_in_their_replica():
    books = ledger()
    books.accounts["balance"][books.starts[1], 1] += 3
    assert books.faults() == {1: "nails is not conserved: off by 3"}


def test_a_member_cannot_owe_goods():
    books = ledger()
    books.move(1, np.array([4]), books.rows(np.array([0]), np.array([1])), books.outside("nature", np.array([0])))
    assert books.faults() == {0: "member 1 has -4 of nails"}


def test_a_negative_posting_is_refused():
    books = ledger()
    with pytest.raises(RuleError, match="must be >= 0, got -1 of nails"):
        books.move(1, np.array([-1]), np.array([0]), np.array([1]))
