"""What creators earn, and how unequally: for communities where money is shared, won, or a reason to stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim.adder import Adder
from ecosim.community.chapter import Chapter
from ecosim.community.figures import was_there
from ecosim.community.state import BOOKS, NO_INCOME
from ecosim.exact import MILLION
from ecosim.fields import Array
from ecosim.rules import inequality
from ecosim.side import Figure, Series

if TYPE_CHECKING:
    from ecosim.world import World

EARNED = ("ads", "payouts", "prizes", "royalties")
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


def top_share(amounts: Array, counts: Array, part: int = 10) -> Array:
    """What those with the highest amounts, one in `part` of all who count (rounded up), have of the whole; or nan.

    >>> top_share(np.array([[1.0] * 19 + [81.0], [0.0] * 20]), np.ones((2, 20), bool)).tolist()
    [0.82, nan]
    """
    num = -(-counts.sum(axis=1, keepdims=True) // part)
    ordered = np.sort(np.where(counts, amounts, 0.0), axis=1)[:, ::-1]
    top = np.where(np.arange(amounts.shape[1]) < num, ordered, 0.0).sum(axis=1)
    with np.errstate(invalid="ignore"):
        return cast(Array, top / ordered.sum(axis=1))


def _conclude(world: World, series: Series, add: Adder) -> None:
    paid, there = earned(world).reshape(world.num_replicas, -1) / MILLION, was_there(world)
    add.figures["hhi_earnings", ""] = inequality.herfindahl(paid)
    add.figures["top_tenth_earnings", ""] = top_share(paid, there)
    add.figures["gini_earnings", ""] = inequality.gini(paid, there)


CHAPTER = Chapter(
    is_in=lambda scenario: bool(scenario.revenue or scenario.contest or scenario.entry),
    kpis={
        "hhi_earnings": Figure(
            "",
            "squared shares of what creators were paid (ads, payouts, prizes, royalties), added up; 1 ÷ n for equals",
            "lower",
        ),
        "top_tenth_earnings": Figure(
            "share", "of what creators were paid, what the best paid tenth of them got (at least one)", "lower"
        ),
        "gini_earnings": Figure("", "Gini coefficient of what creators who ever came were paid; 0 for equals", "lower"),
    },
    conclude=_conclude,
)
