"""What a supply contract pays, and how much a buyer orders under it.

Source: Cachon (2003), Supply chain coordination with contracts.
"""

from __future__ import annotations

import numpy as np

from ecosim import exact
from ecosim.fields import Array


def payment(price: Array, delivered: Array, buyback: Array | int = 0, returned: Array | int = 0) -> Array:
    """What the buyer owes for goods delivered, less what the seller pays for goods returned; int64 millionths."""
    due = exact.value(price, delivered)
    if isinstance(returned, int) and returned == 0:
        return due
    return due - exact.value(np.asarray(buyback), np.asarray(returned))


def penalty(price: Array, delivered: Array, weeks_late: Array, share_micro: Array | int) -> Array:
    """What the seller owes for coming late: a share (millionths) of the value for each week, at most all of it."""
    share = np.minimum(weeks_late * share_micro, exact.MILLION)
    return exact.value(share, exact.value(price, delivered))


def critical_ratio(retail: float, wholesale: float, buyback: float = 0.0) -> float:
    """The chance of meeting all demand at which one more unit no longer pays: (p − w) / (p − b).

    >>> critical_ratio(10, 6), critical_ratio(10, 6, 5)
    (0.4, 0.8)
    """
    return (retail - wholesale) / (retail - buyback)
