"""What creators earn, and how unequally: for communities where money is shared, won, or a reason to stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim.adder import Adder
from ecosim.community.chapter import Chapter
from ecosim.community.state import BOOKS, NO_INCOME
from ecosim.exact import MILLION
from ecosim.fields import Array
from ecosim.rules import inequality
from ecosim.side import Figure, Series

if TYPE_CHECKING:
    from ecosim.world import World

EARNED = ("ads", "shares", "prizes")
"""Reasons for which creators are paid."""


def earned(world: World) -> Array:
    """What each creator has been paid so far, EUR/1e6, int64 (creators of all replicas,)."""
    return _flows(world, EARNED)


def income(world: World) -> Array:
    """What each creator has been paid so far less all it spent, EUR/1e6, int64 (creators of all replicas,)."""
    return _flows(world, [why for why in BOOKS.reasons if why not in NO_INCOME])


def _flows(world: World, reasons: Sequence[str]) -> Array:
    accounts = world.ledger.accounts
    flows = accounts["cash_by_reason"][:, [BOOKS.reasons.index(why) for why in reasons]].sum(axis=1)
    return cast(Array, flows[accounts["is_member"]])


def top_share(amounts: Array, part: int = 10) -> Array:
    """What those with the highest amounts, one in `part` and at least one, have of the whole; nan where it is nothing.

    >>> top_share(np.array([[1.0] * 19 + [81.0], [0.0] * 20])).tolist()
    [0.82, nan]
    """
    num = -(-amounts.shape[1] // part)
    with np.errstate(invalid="ignore"):
        return cast(Array, np.sort(amounts, axis=1)[:, -num:].sum(axis=1) / amounts.sum(axis=1))


def _conclude(world: World, series: Series, add: Adder) -> None:
    paid = earned(world).reshape(world.num_replicas, -1) / MILLION
    add.figures["hhi_earnings", ""] = inequality.herfindahl(paid)
    add.figures["top_tenth_earnings", ""] = top_share(paid)
    add.figures["gini_earnings", ""] = inequality.gini(paid)


CHAPTER = Chapter(
    is_in=lambda scenario: bool(scenario.revenue or scenario.contest or scenario.entry),
    kpis={
        "hhi_earnings": Figure(
            "",
            "squared shares of what creators were paid (ads, shares, prizes), added up; 1 ÷ n for equals",
            "lower",
        ),
        "top_tenth_earnings": Figure(
            "share", "of what creators were paid, what the best paid tenth of them got (at least one)", "lower"
        ),
        "gini_earnings": Figure("", "Gini coefficient of what creators were paid; 0 for equals", "lower"),
    },
    conclude=_conclude,
)
