"""Stocks of wordings for bulletins, letters and clauses that are hard to read, and the grammar that uses them.

`headlines` and `notices` have the plain words of the market. A stock here says the same things in ways that fool
whoever reads by single words: a negation that denies nothing ("nothing can keep mill_1 from closing") or that is about
another firm, a denial without a word of denial, a hedge that changes nothing, a week counted from now, and two sources
that disagree. A text says what its row says; its traits tell in which ways it is hard.

Stocks are apart from each other: `intricate` is what worlds use, readers are trained on another (`ecosim.training`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ecosim.exact import MILLION
from ecosim.fields import Array
from ecosim.manufacturing.headlines import count
from ecosim.manufacturing.news import CLAUSE, KINDS, NOTHING
from ecosim.words import Table

TRAITS = ("negation", "conflict", "hedge", "decoy", "relative")
"""What makes a text hard: a negation or a denial; sources that disagree; a hedge; another firm; a week from now."""
_TWIST_OF = 3
"""Of so many claims one has a negation in it that denies nothing."""
_FRAME_OF = 4
"""Of so many texts one begins with another firm and one ends with one."""
_FURTHEST = 12
"""Weeks ahead that are still counted from now."""


@dataclass(frozen=True, slots=True)
class Wordings:
    """A stock of wordings; places are `{firm} {other} {item} {when} {weeks}` and, in letters, those of `notices`.

    Attributes:
        hedges: openings that change nothing.
        claims, twists, denials: by kind; a twist claims, with a negation in it.
        idle: of no matter.
        leads, asides: about another firm that is not concerned, before a claim or denial and after it.
        disputed: the claim of who brings it, and that `{rival}` denies it.
        refuted: who brings it denies the `{claim}` of `{rival}`.
        whens: a week by its number `{week}` (the first) or from now, `{ahead}`.
        next_week: when it is the next.
    """

    hedges: tuple[str, ...]
    claims: Mapping[str, tuple[str, ...]]
    twists: Mapping[str, tuple[str, ...]]
    denials: Mapping[str, tuple[str, ...]]
    idle: tuple[str, ...]
    leads: tuple[str, ...]
    asides: tuple[str, ...]
    disputed: tuple[str, ...]
    refuted: tuple[str, ...]
    whens: tuple[str, ...]
    next_week: tuple[str, ...]

    def templates(self) -> set[str]:
        """Every wording of the stock."""
        pools = [self.hedges, self.idle, self.leads, self.asides, self.disputed, self.refuted]
        pools += [pool for by_kind in (self.claims, self.twists, self.denials) for pool in by_kind.values()]
        return {text for pool in pools for text in pool if text}


def write(
    texts: Table, names: Array, items: Array, sources: Sequence[str], now: Array | int, weeks: int, stock: Wordings
) -> tuple[Array, Array]:
    """The text of each row, and what makes it hard.

    Args:
        texts: what they say, as `News.bulletins` or `Mail.of` gives it.
        names, items, sources: by number.
        now: the week, one for all or one a row.
        weeks: how long outages last, where the rows do not say it (`weeks`).
        stock: the wordings.

    Returns:
        Texts, an object column, and traits, bool (rows, TRAITS).
    """
    columns = {name: texts[name].tolist() for name in texts}
    today = np.broadcast_to(now, texts.num_rows).tolist()
    found, traits = np.empty(texts.num_rows, object), np.zeros((texts.num_rows, len(TRAITS)), bool)
    for i, cells in enumerate(zip(*columns.values(), strict=True)):
        row = dict(zip(columns, cells, strict=True))
        found[i], hard = _text({"weeks": weeks, "rival": -1, **row}, names, items, sources, today[i], stock)
        traits[i] = [trait in hard for trait in TRAITS]
    return found, traits


class _Lots:
    """A large number as a row of small ones."""

    def __init__(self, number: int) -> None:
        self.left = number

    def of(self, size: int) -> int:
        self.left, lot = divmod(self.left, size)
        return lot

    def pick(self, pool: Sequence[str]) -> str:
        return pool[self.of(len(pool))]


def _text(
    row: dict[str, int], names: Array, items: Array, sources: Sequence[str], now: int, stock: Wordings
) -> tuple[str, set[str]]:
    lots, kind = _Lots(row["words"]), KINDS[row["kind"]]
    has_other, is_denied, is_dispute = row["beside"] >= 0, row["is_denied"] == 1, row["rival"] >= 0
    hard = {"conflict"} if is_dispute else set()
    when, is_relative = _when(row["week"] - now, stock, lots)
    if row["kind"] == NOTHING:
        body = lots.pick(_fitting(stock.idle, has_other))
    else:
        is_twist = lots.of(_TWIST_OF) == 0 and kind in stock.twists and not is_denied and not is_dispute
        pool = (stock.denials if is_denied else stock.twists if is_twist else stock.claims)[kind]
        body = lots.pick(_fitting(pool, has_other))
        hard |= {"negation"} if is_twist or is_denied else set()
    if is_dispute:
        body = lots.pick(stock.refuted if row["is_refuted"] else stock.disputed).replace("{claim}", body)
    if row["kind"] not in (NOTHING, CLAUSE):
        hedge, turn = lots.pick(stock.hedges), lots.of(_FRAME_OF)
        hard |= {"hedge"} if hedge else set()
        if has_other and "{other}" not in body and not is_dispute:
            lead = lots.pick(stock.leads) if turn == 0 else ""
            aside = lots.pick(stock.asides) if turn == 1 and not body.endswith("?") else ""
            body = f"{lead}{body}{aside}"
        body = f"{hedge}{body}"
    hard |= {"decoy"} if "{other}" in body else set()
    hard |= {"relative"} if is_relative and "{when}" in body else set()
    text = f"{sources[row['source']]}: " + body.format(**_places(row, names, items, sources, when))
    return (text if text.endswith("?") else f"{text}."), hard


def _fitting(pool: Sequence[str], has_other: bool) -> Sequence[str]:
    """The wordings of a pool that need no other firm where there is none."""
    return pool if has_other else [text for text in pool if "{other}" not in text]


def _when(ahead: int, stock: Wordings, lots: _Lots) -> tuple[str, bool]:
    """Words for a week that is so far ahead, with `{number}` for its number, and whether they count from now."""
    form = lots.pick(stock.whens)
    if "{ahead}" not in form or not 1 <= ahead <= _FURTHEST:
        return (form if "{ahead}" not in form else stock.whens[0]), False
    return (lots.pick(stock.next_week) if ahead == 1 else form.replace("{ahead}", count(ahead))), True


def _places(row: dict[str, int], names: Array, items: Array, sources: Sequence[str], when: str) -> dict[str, object]:
    places: dict[str, object] = {
        "firm": names[row["about"]],
        "other": names[row["beside"]],
        "item": items[row["item"]],
        "rival": sources[row["rival"]],
        "when": when.replace("{week}", str(row["week"])),
        "weeks": count(row["weeks"]),
        "week": f"week {row['week']}",
    }
    if "quantity" in row:
        places |= {
            "quantity": row["quantity"] // MILLION,
            "due": row["due_week"],
            "signed": row["signed_week"],
            "price": f"{row['price'] / MILLION:.2f}",
            "penalty": f"{row['penalty'] * 100 / MILLION:g}",
        }
    return places
