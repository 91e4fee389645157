"""The words of bulletins: a small grammar over what is said, with names, weeks, denials, hedges and asides.

A text says what its row says and nothing else that matters: whether something will happen, what, to whom, and when.
Words that only look like news (a denial, a fire of long ago, another firm that is not concerned) are there on purpose:
whoever reads by keywords alone is fooled now and then.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ecosim.fields import Array
from ecosim.manufacturing.news import KINDS, NOTHING
from ecosim.words import Table

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")

OPENINGS = (
    "", "", "", "We learn that ", "As customers were told today, ", "People in the trade say that ",
    "It may be early to say so, but ", "Word has it that ",
)  # fmt: skip

CLAIMS = {
    "outage": (
        "{firm} will stop production {when} for {weeks}",
        "a strike begins at {firm} {when} and is expected to last {weeks}",
        "after a fire there will be no {item} from {firm} for {weeks}, starting {when}",
        "{firm} shuts its {item} line {when}; it will be idle for {weeks}",
        "the works of {firm} will be closed {when}, for {weeks}",
        "power to {firm} is to be cut {when}, and nothing will be made for {weeks}",
        "buyers of {item} cannot count on {firm} {when} and for {weeks} altogether",
        "{firm} has to rebuild its plant: nothing leaves it for {weeks} once that begins {when}",
    ),
    "recall": (
        "{firm} recalls its {item} {when}",
        "faulty {item}: {firm} will scrap part of its stock {when}",
        "{firm} has to withdraw {item} from its warehouse {when}",
        "an inspector orders {firm} to destroy {item} {when}",
        "{item} of {firm} failed a test and will be taken out of stock {when}",
        "not all {item} at {firm} is sound, and what is not will be thrown away {when}",
    ),
}
DENIALS = {
    "outage": (
        "{firm} denies that it will stop production {when}",
        "there will be no outage at {firm} {when}, whatever is said",
        "reports of a strike at {firm} {when} are false",
        "the closure of {firm} that was to come {when} has been called off",
        "{firm} keeps its {item} line running {when}, contrary to rumours of a shutdown",
        "a fire at {firm} was put out at once and stops nothing {when}",
        "nobody at {firm} knows of any stop of production {when}",
    ),
    "recall": (
        "{firm} denies that it will recall {item} {when}",
        "no {item} of {firm} has to be withdrawn {when}",
        "talk of faulty {item} at {firm} {when} is unfounded",
        "the recall of {item} that {firm} was to make {when} has been called off",
        "tests clear {firm}: its {item} stays in stock {when}",
    ),
}
IDLE = (
    "{firm} has a new chairman",
    "{firm} opens its gates to visitors on Sunday",
    "{firm} thanks its customers for a good year",
    "a year ago a fire stopped {firm} for weeks; today it runs at capacity",
    "{firm} was at the trade fair with its {item}",
    "the strike at {firm} is over and {item} is made as before",
    "{firm} sponsors a regatta",
    "visitors find that {firm} makes {item} as ever",
)
_ASIDES = ("; {other} is not affected", "; {other} runs as usual", ", unlike {other}")
_LEADS = ("Unlike {other}, ", "While {other} works as usual, ")
_ASIDE_OF = 8
"""Of so many bulletins, three have an aside about another firm, and one begins with one."""


def write(bulletins: Table, names: Array, items: Array, sources: Sequence[str], now: int, weeks: int) -> Array:
    """The text of each bulletin, an object column.

    Args:
        bulletins: what they say, as `News.bulletins` gives it.
        names: of firms, by number.
        items: their names.
        sources: who tells.
        now: the week.
        weeks: how long outages last.
    """
    columns = ("kind", "about", "item", "week", "is_denied", "source", "words", "beside")
    span = count(weeks)
    texts = [
        _text(row, names, items, sources, now, span)
        for row in zip(*(bulletins[name].tolist() for name in columns), strict=True)
    ]
    found = np.empty(len(texts), object)
    found[:] = texts
    return found


def _text(
    row: tuple[int, ...],
    names: Array,
    items: Array,
    sources: Sequence[str],
    now: int,
    span: str,
) -> str:
    kind, about, item, week, is_denied, source, words, beside = row
    pool = IDLE if kind == NOTHING else (DENIALS if is_denied else CLAIMS)[KINDS[kind]]
    words, which = divmod(words, len(pool))
    words, opening = divmod(words, len(OPENINGS))
    words, form = divmod(words, 2)
    words, aside = divmod(words, _ASIDE_OF)
    claim, lead, tail = pool[which], OPENINGS[opening], ""
    if beside >= 0 and aside < len(_ASIDES):
        tail = _ASIDES[aside]
    elif beside >= 0 and aside == _ASIDE_OF - 1:
        lead = _LEADS[form]
    said = {
        "firm": names[about],
        "other": names[beside],
        "item": items[item],
        "when": when(week, now, form),
        "weeks": span,
    }
    text = (lead + claim + tail).format(**said)
    return f"{sources[source]}: {text}."


def when(week: int, now: int, form: int) -> str:
    """A week by its number, or counted from now."""
    ahead = week - now
    if form == 0 or not 1 <= ahead < len(_NUMBERS):
        return f"in week {week}"
    return "next week" if ahead == 1 else f"in {count(ahead)}"


def count(weeks: int) -> str:
    """A number of weeks in words.

    >>> count(1), count(3), count(20)
    ('one week', 'three weeks', '20 weeks')
    """
    number = _NUMBERS[weeks] if weeks < len(_NUMBERS) else str(weeks)
    return f"{number} week" if weeks == 1 else f"{number} weeks"
