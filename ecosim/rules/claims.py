"""What creditors get when there is too little for all: pro rata, in whole millionths.

Source: equal treatment of creditors of one rank (pari passu), as in most insolvency laws; the odd millionths go by the
method of the largest remainder (Hamilton), ties to the lower id.
"""

from __future__ import annotations

import numpy as np

from ecosim.fields import Array


def pro_rata(debtor: Array, creditor: Array, claim: Array, estate: Array) -> Array:
    """What each claim is paid out of its debtor's estate, int64 (claims,).

    Whoever can be paid in full is; else each claim gets its share of the estate rounded down, and what is left over,
    one millionth each, goes to the largest remainders, among equals to the lower creditor. So the payments add up to
    the smaller of estate and claims, exactly.

    Args:
        debtor: who owes, as a number from 0, int64 (claims,).
        creditor: to whom, int64 (claims,); breaks ties.
        claim: how much, above 0, int64 (claims,).
        estate: what each debtor has, at least 0, int64 (debtors,).

    >>> pro_rata(np.zeros(3, np.int64), np.arange(3), np.array([5, 5, 5]), np.array([10]))
    array([4, 3, 3])
    """
    total = np.zeros(len(estate), np.int64)
    np.add.at(total, debtor, claim)
    share = np.minimum(estate, total)
    # products of two amounts pass 2**63; insolvencies are rare, so Python's integers will do
    product = share[debtor].astype(object) * claim
    owed = total[debtor].astype(object)
    paid = (product // owed).astype(np.int64)
    left_over = (product % owed).astype(np.int64)
    odd = share.copy()
    np.subtract.at(odd, debtor, paid)
    order = np.lexsort((creditor, -left_over, debtor))
    starts = np.searchsorted(debtor[order], debtor[order])
    paid[order] += np.arange(len(order)) - starts < odd[debtor[order]]
    return paid
