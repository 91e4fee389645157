"""Which negotiations are worth reading: the ends of every scale, one of each kind, and some by lot.

They come from the first whole replica of each arm, so that arms can be read side by side in the same world. A talk may
be there for several reasons, and each is named; what is typical is told by the figures, not by these.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from ecosim.manufacturing.state import Layout
from ecosim.manufacturing.talks import AGREED, OUTCOMES

KEYS = ["replica", "step", "buyer", "seller", "item"]
MAX_SPOKEN, MAX_KINDS, BY_LOT, MAX_TALKS = 8, 6, 6, 28
"""Talks with a language mind, items and outcomes of which one is shown, talks by lot, and all together."""
READABLE = 12
"""Moves: a longer talk is shown as the longest, and not as an example of its kind."""


def chosen(talks: pd.DataFrame, spoken: pd.MultiIndex, net: Layout) -> list[tuple[dict[str, Any], list[str]]]:
    """Talks with the reasons for which they are shown; those in which a language mind moved come first.

    Args:
        talks: rows of the event table, with `price` where there was a deal (see `with_prices`).
        spoken: keys of the talks in which a language mind moved.
        net: for the names of items.
    """
    talks = talks.sort_values(KEYS, ignore_index=True)
    talks = talks.loc[_lot(talks)].reset_index(drop=True)  # of equals the first by lot, not those of the first step
    has_language = np.asarray(pd.MultiIndex.from_frame(talks[KEYS]).isin(spoken))
    reasons: dict[int, list[str]] = {}
    for row, reason in _wanted(talks, has_language, net):
        reasons.setdefault(row, []).append(reason)
    kept = sorted(list(reasons)[:MAX_TALKS], key=lambda row: not has_language[row])
    rows = talks.loc[kept].to_dict("records")
    return [({str(k): v for k, v in record.items()}, reasons[row]) for record, row in zip(rows, kept, strict=True)]


def with_prices(talks: pd.DataFrame, contracts: pd.DataFrame) -> pd.DataFrame:
    """The talks, with the price of the deal and the part of the gap between the limits that the buyer got."""
    prices = contracts.drop_duplicates(KEYS)[[*KEYS, "price"]] if not contracts.empty else None
    talks = talks.merge(prices, how="left", on=KEYS) if prices is not None else talks.assign(price=np.nan)
    gap = talks["buyer_limit"] - talks["seller_limit"]
    return talks.assign(buyer_share=(talks["buyer_limit"] - talks["price"]) / gap.where(gap > 0))


def _wanted(talks: pd.DataFrame, has_language: Any, net: Layout) -> Iterator[tuple[int, str]]:
    """Rows and reasons; the first reasons are the last to be cut."""
    deal = talks["outcome"] == AGREED
    length = talks["moves"].where(talks["moves"] <= READABLE, 0)
    order = pd.DataFrame({"deal": deal, "length": length}).sort_values(
        ["deal", "length"], ascending=False, kind="stable"
    )
    best_first = order.index.tolist()
    yield from ((row, "a language model moves in it") for row in _spread_out(best_first, talks, has_language))
    yield from ((row, "a long talk that ended in a deal") for row in best_first[:1] if deal[row])
    yield from ((row, "the longest") for row in _top(talks["moves"]))
    yield from ((row, "the quickest deal") for row in _top(-talks["moves"].where(deal)))
    yield from ((row, "the best deal for the buyer") for row in _top(talks["buyer_share"]))
    yield from ((row, "the worst deal for the buyer") for row in _top(-talks["buyer_share"]))
    for code, part in talks.loc[best_first].groupby("outcome", sort=True):
        yield int(part.index[0]), f"ended: {OUTCOMES[int(str(code))]}"
    for item, part in list(talks.loc[best_first].groupby("item", sort=True))[:MAX_KINDS]:
        yield int(part.index[0]), f"about {net.items[int(str(item))]}"
    yield from ((row, "picked by lot") for row in range(min(BY_LOT, len(talks))))


def _spread_out(best_first: list[int], talks: pd.DataFrame, has_language: Any) -> list[int]:
    """Talks with a language mind, outcomes in turn."""
    spoken = talks.loc[[row for row in best_first if has_language[row]]]
    turn = spoken.groupby("outcome").cumcount()
    found: list[int] = turn.sort_values(kind="stable").index.tolist()[:MAX_SPOKEN]
    return found


def _top(values: pd.Series[float]) -> list[int]:
    """The row with the largest value, the first of equals; none where no row has a value."""
    return [] if values.isna().all() else [int(values.idxmax())]


def _lot(talks: pd.DataFrame) -> list[int]:
    """Rows in the order of a draw keyed by the talk, so that the same run shows the same ones."""
    mixed = np.zeros(len(talks), np.uint64)
    for key in KEYS:
        mixed = (mixed ^ talks[key].to_numpy(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    order: list[int] = np.argsort(mixed, kind="stable").tolist()
    return order
