"""What columns mean: declared once, beside the phase that asks or the function that makes the table.

`ecosim explain` and `ecosim odd` show it; a test compares it with the columns that there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a column of a question or of a table of the world is; money and goods are whole millionths.

    Attributes:
        unit: "" for pure numbers, codes and yes or no, "text" or "" for text.
        about: what it says, for people.
    """

    unit: str
    about: str


Meanings = Mapping[str, Meaning]
"""By name of the column."""


def units(meanings: Meanings) -> dict[str, str]:
    """The units alone, as a Question carries them."""
    return {name: meaning.unit for name, meaning in meanings.items()}


@dataclass(frozen=True, slots=True)
class State:
    """A table of the world: what a row of it is, and its columns."""

    about: str
    columns: Meanings


COMMON = {
    "replicas": State(
        "a world of its own, beside the others",
        {
            "replica": Meaning("id", "its number"),
            "arm": Meaning("", "which arm of a comparison it belongs to"),
            "world_seed": Meaning("", "keys what no member decides"),
            "mind_seed": Meaning("", "keys what minds draw"),
            "is_live": Meaning("", "false once it has broken a law; it is frozen then"),
            "fault": Meaning("text", "which law it broke, and when"),
        },
    ),
    "accounts": State(
        "an account: of every member, then of every outside party",
        {
            "replica": Meaning("id", "where it is"),
            "account": Meaning("id", "its number; members first, by id"),
            "is_member": Meaning("", "whether a member owns it"),
            "balance": Meaning("EUR/1e6, units/1e6", "cash, then every kind of goods; sums to 0 over a replica"),
            "cash_by_reason": Meaning("EUR/1e6", "the same cash, sorted by why it moved"),
        },
    ),
}
"""The tables that every world has."""
