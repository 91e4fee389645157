"""A file of keys and values as messages need it: what it says, where it says so, and what is wrong with it.

A fault is told with the line of the nearest value, so whoever finds one needs only to know the keys that lead there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ecosim.errors import printable

Spot = tuple[str | int, ...]
"""Where a value stands: keys, and numbers of list items, from the top."""

Fault = tuple[Spot, str]
"""What is wrong, with the place within the file as people write it, and the spot whose line is told."""

MAX_FAULTS = 20
"""How many are told; of the rest only the number."""

_LONGEST_INT = 2**63


@dataclass(slots=True)
class Document:
    """What a file says, where, and what is wrong with how it says it.

    Attributes:
        place: how messages call the file.
        data: keys and values; a value that could not be read is None.
        lines: of spots, from 1; a document without any has no file behind it.
        changed: spots that `--set` wrote.
        faults: of the reading.
        is_whole: False where the reading stopped, so that keys may be missing.
    """

    place: str
    data: dict[str, Any] = field(default_factory=dict)
    lines: dict[Spot, int] = field(default_factory=dict)
    changed: set[Spot] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)
    is_whole: bool = True

    def line(self, spot: Spot) -> int:
        """The line of a spot, or of the nearest above it; 0 where `--set` wrote it."""
        while spot and spot not in self.lines and spot not in self.changed:
            spot = spot[:-1]
        return 0 if spot in self.changed else self.lines.get(spot, 1)

    def tell(self, faults: Sequence[Fault] = ()) -> list[str]:
        """The reading's faults and others as lines to print: `file:line: fault`, in the file's order, not too many."""
        unread = {spot for spot, _ in self.faults}
        new = [(s, text) for s, text in faults if not any(s[:i] in unread for i in range(1, len(s) + 1))]
        told = sorted(dict.fromkeys([*self.faults, *new]), key=lambda fault: self.line(fault[0]))
        lines = [f"{self._where(spot)} {text}" for spot, text in told[:MAX_FAULTS]]
        if len(told) > MAX_FAULTS:
            lines.append(f"{self.place}: and {len(told) - MAX_FAULTS:,} more faults")
        return lines

    def _where(self, spot: Spot) -> str:
        line = self.line(spot)
        if not line:
            return f"{self.place}: --set"
        return f"{self.place}:{line}:" if self.lines else f"{self.place}:"


def dotted(spot: Spot) -> str:
    """A spot as people write it.

    >>> dotted(("firms", 2, "stock_units"))
    'firms[2].stock_units'
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{printable(part, 60)}" for part in spot).lstrip(".")


def shown(seen: object, limit: int = 60) -> str:
    """A value as a message shows it: on one line, short, and written as in the file.

    >>> shown("3"), shown(True), shown([1, 2]), shown(None)
    ("'3'", 'true', 'a list of 2', 'nothing')
    """
    if isinstance(seen, dict):
        return f"a group of {len(seen)} key{'s' * (len(seen) != 1)}"
    if isinstance(seen, list | tuple):
        return f"a list of {len(seen)}"
    if isinstance(seen, str):
        return printable(repr(seen[:limit]), 8 * limit) + "…" * (len(seen) > limit)
    if seen is None or isinstance(seen, bool):
        return {None: "nothing", True: "true", False: "false"}[seen]
    return printable(_number(seen) if isinstance(seen, int) else repr(seen), limit)


def _number(seen: int) -> str:
    return repr(seen) if abs(seen) < _LONGEST_INT else f"a number of {seen.bit_length()} bits"
