"""What of an ecosystem may be changed from outside while it runs, and how those whom it concerns are named.

A side declares its levers in one place (`Side.panel`). A lever is a column that phases really read; ids, keys and
columns that follow from others are none. Everything here is about one replica: rows and codes are the same in all.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ecosim.fields import Array

MOST = 1e9
"""The highest value of a lever without a bound of its own: money and goods stay exact in float64 and int64."""

Where = Mapping[str, list[int | str]]
"""Whom it concerns: for each column, ids or names; all columns must fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lever:
    """A column that interventions may change.

    Attributes:
        table, name: as scenarios call it; `unit` is of the numbers that they write.
        column: how the table calls it; of the table `accounts`, the asset.
        per_unit: stored counts in one unit.
        step: stored counts are multiples of this after a change.
        low, high: bounds, in units.
        rows: which rows have it at all, bool (rows of a replica,); None for all.
        is_mind: it is set to a mind by name, and to nothing else.
        is_exogenous: it moves what no member decides, so that arms with and without the change meet different worlds.
    """

    table: str
    name: str
    unit: str
    about: str
    column: str = ""
    per_unit: int = 1
    step: int = 1
    low: float = 0.0
    high: float = MOST
    rows: Array | None = None
    is_mind: bool = False
    is_exogenous: bool = False

    @property
    def stored(self) -> str:
        """The column of the table that holds it."""
        return self.column or self.name

    def after(self, before: Array, change: str, number: float) -> Array:
        """Stored values after a change by `set`, `add` or `times`, as stored before.

        Rounded half to even to the nearest step (columns of floats are not rounded), then brought within the bounds.
        """
        low, high = self.low * self.per_unit, self.high * self.per_unit
        amount = float(np.clip(number, -MOST, MOST)) * self.per_unit
        found = {"set": np.full(before.shape, amount), "add": before + amount, "times": before * number}[change]
        if before.dtype.kind == "f":
            return np.clip(found, low, high)
        return (np.rint(np.clip(found, low, high) / self.step) * self.step).astype(before.dtype)


@dataclass(frozen=True, slots=True)
class Place:
    """A column by which rows are named.

    Attributes:
        codes: of each row of a replica, int64.
        names: of the codes from 0 up; none where rows have numbers only.
    """

    codes: Array
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Panel:
    """All levers of a scenario, and the columns by which the rows of each table are named."""

    levers: tuple[Lever, ...] = ()
    places: Mapping[str, Mapping[str, Place]] = field(default_factory=dict)

    @property
    def tables(self) -> list[str]:
        """The tables that have levers."""
        return list(dict.fromkeys(lever.table for lever in self.levers))

    def of(self, table: str) -> dict[str, Lever]:
        """The levers of a table, by name."""
        return {lever.name: lever for lever in self.levers if lever.table == table}


def rows_where(places: Mapping[str, Place], where: Where) -> Array:
    """Which rows of a replica fit, bool (rows of a replica,); all columns of `where` must be known.

    Raises:
        LookupError: an unknown column, name or id; the message is what is wrong and what would be right.
    """
    unknown = next((name for name in where if name not in places), None)
    if unknown is not None:
        raise LookupError(f"rows are not named by {unknown!r}{hint(unknown, places)}")
    fits = np.ones(len(next(iter(places.values())).codes), bool)
    for name, values in where.items():
        fits &= np.isin(places[name].codes, [_code(places[name], name, value) for value in values])
    return fits


def _code(place: Place, name: str, value: int | str) -> int:
    if isinstance(value, str):
        if value not in place.names:
            ways = hint(value, place.names) if place.names else "; rows are named by number here"
            raise LookupError(f"{name}: unknown {value!r}{ways}")
        return place.names.index(value)
    if not len(place.codes):
        raise LookupError(f"{name}: there is nobody")
    if value not in place.codes:
        raise LookupError(f"{name}: there is no {value}; ids are {place.codes.min()} … {place.codes.max()}")
    return value


def hint(word: str, known: Iterable[str]) -> str:
    """The word that was probably meant, or all that there are."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f", did you mean {close[0]!r}?" if close else f"; known: {', '.join(known)}"
