"""The words of letters, contracts and news of shocks: a small grammar, as `headlines` has one for makers' troubles.

A text says what its row says. Beside it stand what only looks like it: the week in which a contract was signed or is
due, a condition that is not met, a firm that is not concerned; and hedges that change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ecosim.exact import MILLION
from ecosim.fields import Array
from ecosim.manufacturing.headlines import OPENINGS, count, when
from ecosim.manufacturing.news import CLAUSE, KINDS
from ecosim.words import Table

_HEDGES = (
    "", "", "We are sorry: ", "As far as we can see today, ", "It is early to say so, but ", "Unless we are wrong, ",
    "To be frank, ", "In confidence: ",
)  # fmt: skip

LETTERS = {
    "late": (
        "{firm} cannot send your {quantity} {item} in time; they may come {when}",
        "your order of {quantity} {item} is delayed: {firm} can have it with you {when} at the earliest",
        "{firm} is behind with the {quantity} {item} due in week {due} and hopes for {week}",
        "do not wait for {quantity} {item} from {firm} before {week}",
        "{firm} had promised {quantity} {item} for week {due} and cannot keep that; it will be {week}",
    ),
    "short": (
        "{firm} has sent a part of your {item}; {quantity} are missing and may come {when}",
        "of the {item} that {firm} owes you {quantity} are short; look for them {when}",
        "only a part of your order left {firm}; the other {quantity} {item} cannot be there before {week}",
        "{firm} is short of {item}: {quantity} of those due in week {due} have to wait for {week}",
    ),
    "more": (
        "{firm} asks for {quantity} {item} more than agreed, if they can be there {when}",
        "could you let {firm} have another {quantity} {item} {when}?",
        "{firm} sells more than it thought and would take {quantity} additional {item} {when}",
        "on top of what was signed in week {signed}, {firm} needs {quantity} {item} {when}",
    ),
}
CALM = {
    "late": (
        "all {item} from {firm} will be with you in time, whatever you heard of a delay",
        "{firm} is not behind: your {quantity} {item} come in week {due} as agreed",
        "nothing is late: what {firm} owes you for week {due} is on its way",
        "{firm} denies that your {item} are delayed",
        "there will be no delay of the {quantity} {item} from {firm}",
    ),
    "short": (
        "{firm} is not short of {item}; all of your order will be there in week {due}",
        "no part of your {item} is missing: {firm} sends all of it in time",
        "{firm} denies that a part of your {item} has to wait",
    ),
    "more": (
        "{firm} needs no more {item} than agreed",
        "{firm} does not ask for additional {item}, though its shops are busy",
        "the {quantity} {item} more of which {firm} spoke are not needed",
    ),
}
CLAUSES = (
    "{firm} undertakes to deliver {quantity} {item} in {week} at {price} EUR a unit, and pays back {penalty} % of that"
    " for each week late",
    "signed in week {signed}: {quantity} {item} at {price} EUR each from {firm}, due in {week}; for each week late the"
    " penalty is {penalty} %",
    "the seller, {firm}, owes {quantity} {item} in {week}; if they are not there, it pays {penalty} % of {price} EUR a"
    " unit for each week",
    "at a price of {price} EUR, not including any discount, {firm} delivers {quantity} {item} {when}; no penalty but"
    " {penalty} % a week",
)
SHOCKS = {
    "outage": (
        "{firm} loses capacity {when}, for {weeks}",
        "production at {firm} breaks down {when} and stays down for {weeks}",
        "an outage at {firm} begins {when} and is to last {weeks}",
    ),
    "recall": (
        "{item} at {firm} will be recalled {when}",
        "{firm} must withdraw {item} {when}",
    ),
    "surge": (
        "demand for {item} will jump at {firm} {when}, for {weeks}",
        "a rush of customers to {firm} is expected {when}; it may last {weeks}",
        "{firm} prepares for a surge {when}",
    ),
    "closure": (
        "roads and gates around {firm} will be closed {when}; goods can hardly leave for {weeks}",
        "a blockade of {firm} begins {when} and is to last {weeks}",
        "no lorry gets out of {firm} {when} and for {weeks}",
    ),
    "delay": (
        "what leaves {firm} {when} will take longer, for {weeks}",
        "customs hold up goods from {firm} {when} and for {weeks}",
        "transport from {firm} slows down {when}, for {weeks}",
    ),
    "cost_jump": (
        "making {item} will cost {firm} and others more {when}, for {weeks}",
        "{firm} faces dearer inputs for {item} {when}",
        "costs of {item} rise sharply {when}, {firm} says",
    ),
    "value_jump": (
        "buyers will pay other prices for {item} of {firm} {when}, for {weeks}",
        "the worth of {item} jumps {when}, {firm} hears",
        "{item} of {firm} will be valued anew {when}",
    ),
}
NO_SHOCKS = {
    "outage": ("{firm} loses no capacity {when}", "reports of an outage at {firm} {when} are false"),
    "recall": ("no {item} at {firm} is recalled {when}", "{firm} denies that it withdraws {item} {when}"),
    "surge": ("no surge is expected at {firm} {when}", "talk of a rush to {firm} {when} is unfounded"),
    "closure": (
        "the blockade of {firm} that was to come {when} is called off",
        "roads to {firm} are not closed {when}",
    ),
    "delay": ("goods from {firm} are not held up {when}", "{firm} denies that transport slows down {when}"),
    "cost_jump": ("costs of {item} do not rise {when}, says {firm}", "{firm} denies that {item} gets dearer {when}"),
    "value_jump": ("{item} of {firm} is not valued anew {when}", "talk of a jump of {item} at {firm} {when} is false"),
}
_ASIDES = ("; {other} is not affected", "; {other} runs as usual", ", unlike {other}")
_ASIDE_OF = 8
"""Of so many texts, three have an aside about another firm."""


def of_mail(mail: Table, names: Array, items: Array, sources: Sequence[str], now: int) -> Array:
    """The text of each letter or contract, an object column; arguments as those of `headlines.write`."""
    return _texts(mail, _letter, (names, items, sources, now))


def of_shocks(bulletins: Table, names: Array, items: Array, sources: Sequence[str], now: int) -> Array:
    """The text of each bulletin about a shock, an object column."""
    return _texts(bulletins, _shock, (names, items, sources, now))


def _texts(table: Table, write: Any, about: tuple[Array, Array, Sequence[str], int]) -> Array:
    columns = {name: table[name].tolist() for name in table}
    found = np.empty(table.num_rows, object)
    found[:] = [write(dict(zip(columns, row, strict=True)), *about) for row in zip(*columns.values(), strict=True)]
    return found


def _letter(row: dict[str, int], names: Array, items: Array, sources: Sequence[str], now: int) -> str:
    kind = KINDS[row["kind"]]
    pool = CLAUSES if row["kind"] == CLAUSE else (CALM if row["is_denied"] else LETTERS)[kind]
    words, which = divmod(row["words"], len(pool))
    words, opening = divmod(words, len(_HEDGES))
    words, form = divmod(words, 2)
    lead = "" if row["kind"] == CLAUSE else _HEDGES[opening]
    said = {
        **_said(row, names, items, now, form),
        "week": f"week {row['week']}",
        "quantity": row["quantity"] // MILLION,
        "due": row["due_week"],
        "signed": row["signed_week"],
        "price": f"{row['price'] / MILLION:.2f}",
        "penalty": f"{row['penalty'] * 100 / MILLION:g}",
    }
    tail = "" if row["kind"] == CLAUSE or pool[which].endswith("?") else _aside(row, words)
    return _close(f"{sources[row['source']]}: " + (lead + pool[which] + tail).format(**said))


def _shock(row: dict[str, int], names: Array, items: Array, sources: Sequence[str], now: int) -> str:
    pool = (NO_SHOCKS if row["is_denied"] else SHOCKS)[KINDS[row["kind"]]]
    words, which = divmod(row["words"], len(pool))
    words, opening = divmod(words, len(OPENINGS))
    words, form = divmod(words, 2)
    said = {**_said(row, names, items, now, form), "weeks": count(row["weeks"])}
    return _close(f"{sources[row['source']]}: " + (OPENINGS[opening] + pool[which] + _aside(row, words)).format(**said))


def _said(row: dict[str, int], names: Array, items: Array, now: int, form: int) -> dict[str, Any]:
    return {
        "firm": names[row["about"]],
        "other": names[row["beside"]],
        "item": items[row["item"]],
        "when": when(row["week"], now, form),
    }


def _aside(row: dict[str, int], words: int) -> str:
    turn = words % _ASIDE_OF
    return _ASIDES[turn] if row["beside"] >= 0 and turn < len(_ASIDES) else ""


def _close(text: str) -> str:
    return text if text.endswith("?") else f"{text}."
