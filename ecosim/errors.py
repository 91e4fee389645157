"""Everything that ecosim raises on purpose.

EcosimError
├── ScenarioError   the file asks for something impossible (all faults in one go)
├── CatalogError    a card, model file or checksum is missing or wrong
├── DecisionError   a mind answered outside its question (role, phase, step, subject, answer, allowed)
├── PoolError       a model worker died or timed out
├── TrainingError   a training can't go on: numbers that are not finite, a full disk, too few examples
├── RuleError       the world would break a law: goods or cash from nothing
└── RunError        a run folder is missing, damaged, or in the way

A message has the place, the fault, the value seen and the way out, so that the command line can print it as it is: what
would move a cursor, change a colour or break a line is shown escaped, whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Sequence

LONGEST_LINE = 1000
"""Characters of a message's line; what is longer is cut."""


def printable(text: str, limit: int = LONGEST_LINE) -> str:
    r"""A text as one line that a terminal only shows: all that is not printable escaped, cut to about a limit.

    >>> printable("a\x1b[31mred\nb")
    'a\\x1b[31mred\\nb'
    """
    cut = text if len(text) <= limit else text[:limit] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


class EcosimError(Exception):
    """The root: whatever the user can mend. The command line prints it in one line and exits with 2."""

    def __str__(self) -> str:
        return "\n".join(printable(line) for line in super().__str__().split("\n"))


class ScenarioError(EcosimError):
    """A scenario, or an override of it, asks for something impossible; one line a fault."""

    def __init__(self, faults: str | Sequence[str]) -> None:
        self.faults = [printable(fault) for fault in ([faults] if isinstance(faults, str) else faults)]
        super().__init__("\n".join(self.faults))


class CatalogError(EcosimError):
    """A card, prompt, model file or checksum is missing or wrong."""


class DecisionError(EcosimError):
    """A mind answered outside its question.

    Attributes:
        is_about_rows: some rows are at fault and others may be well; else the answer as a whole is no answer.
    """

    def __init__(self, message: str, is_about_rows: bool = True) -> None:
        super().__init__(message)
        self.is_about_rows = is_about_rows


class PoolError(EcosimError):
    """A model worker could not answer."""


class TrainingError(EcosimError):
    """A training can't go on: a loss that is no number, data of another role, a full disk."""


class RuleError(EcosimError):
    """The world would break one of its laws."""


class RunError(EcosimError):
    """A run folder is missing, damaged, or in the way."""
