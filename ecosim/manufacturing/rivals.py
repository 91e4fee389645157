"""What a firm's other talks about the same item have brought: the best offer that stands, and how many there are."""

from __future__ import annotations

import numpy as np

from ecosim.exact import MILLION
from ecosim.fields import Array
from ecosim.manufacturing.state import NOBODY
from ecosim.words import Table


def rivals(talks: Table, side: str, other: str) -> tuple[Array, Array]:
    """The best price that stands in the other open talks of a firm about the item, and how many such talks there are.

    Args:
        talks: the open talks, all of them.
        side, other: whose talks are seen, and whose offers stand in them.

    Returns:
        EUR/1e6 of a unit (the lowest for a buyer, the highest for a seller; −1 if none stands), and the number.
    """
    position, price = talks[f"{side}_position"], talks[f"{other}_price"]
    if len(position) == 0:
        return price, position
    count = np.bincount(position)[position] - 1
    rank = np.where(price == NOBODY, NEVER, price if side == "buyer" else -price)
    order = np.lexsort((rank, position))
    same = np.append(position[order[1:]] == position[order[:-1]], False)
    first = np.append(True, ~same[:-1])
    start = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    best, second = order[start], order[np.minimum(start + 1, len(order) - 1)]
    found = np.empty_like(price)
    found[order] = price[np.where(first, second, best)]
    return np.where(count > 0, found, NOBODY), count


NEVER = 2**62 // MILLION * MILLION
"""Ranks behind every price."""
