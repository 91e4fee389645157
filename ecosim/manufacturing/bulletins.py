"""The event tables of news: what was said and whether it is so, and what firms made of it."""

from __future__ import annotations

from ecosim.fields import Array
from ecosim.manufacturing.news import KINDS
from ecosim.side import Column, Schema
from ecosim.words import Table

NO_YES = ("no", "yes")
HAPPENINGS = KINDS[1:]
"""What may be reported; a scenario without letters, clauses and shocks knows the first two."""

_ABOUT = Column("about", "i8", "id", "the firm that it is about", of="member")
_ITEM = Column("item", "i8", "id", "which item, in the order of the scenario", of="item")
_SAID = (
    Column(
        "said_kind", "i8", "", "what the text is about: " + ", ".join(f"{i} {k}" for i, k in enumerate(KINDS)), KINDS
    ),
    Column("said_week", "i8", "week", "when, by the text; −1 if it says nothing of that"),
    Column("is_denied", "i8", "", "1 if the text says that it will not happen", NO_YES),
    Column("is_true", "i8", "", "1 if things are as it says", NO_YES),
)
SCHEMAS = {
    "bulletins": Schema(
        "bulletins, what they say, and whether it is so",
        1,
        (
            _ABOUT,
            _ITEM,
            *_SAID,
            Column("source", "str", "", "who brings it"),
            Column("reliability", "i8", "1e-6", "the source's"),
            Column("text", "str", "", "as firms read it"),
        ),
        is_exogenous=True,
        is_rare=True,
    ),
    "letters": Schema(
        "letters from partners and contracts as text, what they say, and whether it is so",
        3,
        (
            Column("member", "i8", "id", "who gets it", of="member"),
            _ITEM,
            Column("slot", "i8", "", "which of the texts for it about the item, from 0; not all are read"),
            _ABOUT,
            *_SAID,
            Column("quantity", "i8", "units/1e6", "what is late or missing, wanted, or signed"),
            Column("due_week", "i8", "week", "when the contract has the goods arrive"),
            Column("price", "i8", "EUR/1e6", "of a unit, by the contract"),
            Column("penalty", "i8", "share/1e6", "of the value for each week late, by the contract"),
            Column("source", "str", "", "partners or contracts"),
            Column("text", "str", "", "as firms read it"),
        ),
        is_rare=True,
    ),
    "readings": Schema(
        "what firms made of bulletins and letters, beside what these say",
        3,
        (
            Column("member", "i8", "id", "who reads", of="member"),
            _ITEM,
            Column("slot", "i8", "", "which of the bulletins before it, from 0"),
            _ABOUT,
            Column("source", "i8", "id", "who brings it, in the order of the scenario; then partners, then contracts"),
            *_SAID,
            Column("news", "i8", "", "answer: will something happen", NO_YES),
            Column("kind", "i8", "", "answer: what; −1 if nothing", ("no answer", *HAPPENINGS)),
            Column("who", "i8", "id", "answer: to whom; −1 if nothing", of="member"),
            Column("week", "i8", "week", "answer: when; −1 if nothing"),
            Column("believe", "i8", "", "answer: is it so; −1 if nothing"),
        ),
        is_rare=True,
    ),
}


def said_columns(bulletins: Table) -> dict[str, Array]:
    """What bulletins say, under the names that events have."""
    names = {"said_kind": "kind", "said_week": "week", "is_denied": "is_denied", "is_true": "is_true"}
    return {name: bulletins[of] for name, of in names.items()}
