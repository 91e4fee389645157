"""Everything that ecosim raises on purpose.

EcosimError
├── ScenarioError   the file asks for something impossible (all faults in one go)
├── CatalogError    a card, model file or checksum is missing or wrong
├── DecisionError   a mind answered outside its question (role, phase, step, subject, answer, allowed)
├── PoolError       a model worker died or timed out
├── RuleError       the world would break a law: goods or cash from nothing
└── RunError        a run folder is missing, damaged, or in the way

A message has the place, the fault, the value seen and the way out, so that the command line can print it as it is.
"""

from __future__ import annotations

from collections.abc import Sequence


class EcosimError(Exception):
    """The root: whatever the user can mend. The command line prints it in one line and exits with 2."""


class ScenarioError(EcosimError):
    """A scenario, or an override of it, asks for something impossible; one line a fault."""

    def __init__(self, faults: str | Sequence[str]) -> None:
        self.faults = [faults] if isinstance(faults, str) else list(faults)
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


class RuleError(EcosimError):
    """The world would break one of its laws."""


class RunError(EcosimError):
    """A run folder is missing, damaged, or in the way."""
