"""What is told of a scenario: settings, phases, questions, seats and columns, as plain values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from ecosim.scenario import Scenario
from ecosim.side import Side

Origin = Literal["file", "default", "--set"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A key of the scenario as it stands; `key` is what `--set` takes."""

    key: str
    value: Any
    unit: str
    origin: Origin
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column, a field or a figure.

    Attributes:
        kind: `question`, `answer`, `event`, `metric`, `kpi`, `table` of the world, or `lever`, a column of such a table
            that interventions may change.
        table: the phase, the event table, or the table of the world; "" for figures.
        name: of the column.
        unit: "–" for pure numbers, codes, and yes or no.
        shape: its type, how many slots a row has, or what may be answered.
        about: what it means.
        better: of a figure, `higher` or `lower`; "" where neither is.
    """

    kind: str
    table: str
    name: str
    unit: str
    shape: str
    about: str
    better: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatTold:
    """Who answers: its name, other names of the same mind, its grade, and what it does."""

    name: str
    grade: str
    about: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question to the members of one role.

    Attributes:
        question: `role.phase`.
        members: how many members of the role a replica has.
        rows: how many rows the question had when it was first asked; 0 if it was not asked in the steps looked at.
        minds: who answers; several are dealt out to the members in turn.
        sees: the columns, in order.
        answers: the fields, in order.
        card_reads: the columns that a language mind is shown; empty if the catalogue has no card for the question.
    """

    question: str
    members: int
    rows: int
    minds: tuple[SeatTold, ...]
    sees: tuple[Column, ...]
    answers: tuple[Column, ...]
    card_reads: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseTold:
    """A phase of a step: what it does, whether it asks until nobody is due, whom, and the event tables it writes."""

    name: str
    about: str
    repeats: bool
    asks: tuple[Asked, ...]
    writes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """All that there is to tell; `as_dict` is plain data for JSON."""

    scenario: Scenario
    side: Side
    settings: tuple[Setting, ...]
    phases: tuple[PhaseTold, ...]
    columns: tuple[Column, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain data; the scenario as its settings."""
        facts = self.scenario
        head = {"world": facts.world, "title": facts.title, "about": facts.about.strip(), "step": self.side.step_name}
        rows = {name: [asdict(row) for row in getattr(self, name)] for name in ("settings", "phases", "columns")}
        return {**head, **rows}
