"""What a page is made of: plain values that the templates lay out. Each part names the macro that draws it in `kind`.

No part holds markup but `Chart.svg`: text of models and scenarios stays text until the template escapes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from markupsafe import Markup

if TYPE_CHECKING:
    from ecosim.report.source import Source


@dataclass(frozen=True, slots=True)
class Chart:
    """One drawing with its caption.

    Attributes:
        title: what is drawn.
        group: of whom: a role or an item, or "".
        about: the definition, shown as a tooltip.
        svg: the drawing, its colours left to the page.
    """

    title: str
    group: str
    about: str
    svg: Markup


@dataclass(frozen=True, slots=True)
class Charts:
    """Small multiples, as many in a row as fit; or one drawing over the whole width. `by_arm`: colours are arms."""

    charts: tuple[Chart, ...]
    note: str = ""
    is_wide: bool = False
    by_arm: bool = True
    kind: Literal["charts"] = "charts"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table.

    Attributes:
        text: as shown.
        tone: CSS classes: number, good, bad, quiet, swatch, code, and so on.
        about: shown where one points at it.
        details: text behind a fold.
        value: what the column is sorted by, where the text does not tell; numbers that a reader can read need none.
        is_repeat: the text stands in the row above too, so it shows only once rows are sorted.
    """

    text: str
    tone: str = ""
    about: str = ""
    details: str = ""
    value: float | None = None
    is_repeat: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; a row that is a plain text is a heading inside it. One with heads can be sorted by a column."""

    head: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...] | str, ...]
    note: str = ""
    fold: str = ""
    kind: Literal["grid"] = "grid"


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph; `tone` quiet or loud."""

    text: str
    tone: str = ""
    kind: Literal["note"] = "note"


@dataclass(frozen=True, slots=True)
class Points:
    """A list of sentences."""

    items: tuple[str, ...]
    kind: Literal["points"] = "points"


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text as it is, behind a fold."""

    title: str
    text: str
    kind: Literal["verbatim"] = "verbatim"


@dataclass(frozen=True, slots=True)
class Option:
    """One answer that a language mind could have given: its score, as recorded too, and its share in percent."""

    text: str
    score: str
    raw: str
    percent: float
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """One field that a language mind was asked: what it read beyond the prompt before, and its answer."""

    name: str
    prompt: str
    continues: bool
    answer: str
    options: tuple[Option, ...]
    num_left: int = 0


@dataclass(frozen=True, slots=True)
class Move:
    """One move of a negotiation; `asked` only where a language mind moved."""

    number: int
    who: str
    mind: str
    side: Literal["buyer", "seller"]
    act: str
    terms: str
    asked: tuple[Asked, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """A negotiation, move by move, and what was private until it ended.

    Attributes:
        ended: how, in a few words.
        heading: who about what, when and where.
        reasons: why it is among the talks shown.
        facets: what it can be chosen by: name to value.
        moves: in order; `num_left` more are not shown.
        outcome, secrets: sentences.
        chart: of the prices.
    """

    ended: str
    heading: str
    reasons: tuple[str, ...]
    facets: tuple[tuple[str, str], ...]
    moves: tuple[Move, ...]
    num_left: int
    outcome: str
    secrets: tuple[str, ...]
    chart: Chart


@dataclass(frozen=True, slots=True)
class Talks:
    """Transcripts to choose from; the first is open."""

    talks: tuple[Transcript, ...]
    kind: Literal["talks"] = "talks"


@dataclass(frozen=True, slots=True)
class Card:
    """A post of the gallery.

    Attributes:
        title, author, place: what it is called, by whom, and where it stands (topic, niche, day).
        is_ai: made by an AI creator.
        reasons: why it is among the posts shown.
        facets: what it can be chosen by: name to value.
        figures: what came of it: name, number as text, number.
        prompt: what a language mind had read that wrote the title.
    """

    title: str
    author: str
    place: str
    is_ai: bool
    reasons: tuple[str, ...]
    facets: tuple[tuple[str, str], ...]
    figures: tuple[tuple[str, str, float], ...]
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class Gallery:
    """Posts as cards."""

    cards: tuple[Card, ...]
    note: str
    kind: Literal["gallery"] = "gallery"


Part = Charts | Grid | Note | Points | Verbatim | Talks | Gallery


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page with a heading and a place in the table of contents."""

    slug: str
    title: str
    lead: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """A metric over time, a drawing a group.

    Attributes:
        metric: which.
        groups: of which groups; None for all that it has.
        against: another metric of the whole replica, drawn beside it as a dashed line.
        title: where the metric's name is not the best one.
    """

    metric: str
    groups: tuple[str, ...] | None = None
    against: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a section shows, before a run is at hand.

    Attributes:
        title, lead: heading, and what to look for.
        panels: metrics over time.
        bars: KPIs drawn as bars by group.
        kpis: KPIs that stand under this heading in tables.
        extra: further parts, made from the run; an empty list where it has nothing for them.
    """

    title: str
    lead: str
    panels: tuple[Panel, ...] = ()
    bars: tuple[str, ...] = ()
    kpis: tuple[str, ...] = ()
    extra: Callable[[Source], list[Part]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """The sections of one ecosystem.

    Attributes:
        plans: in order.
        headline: KPIs and groups for the tiles at the top; None is the last group, which is the end of the chain.
        limits: what a run of this ecosystem cannot show, as sentences.
    """

    plans: tuple[Plan, ...] = ()
    headline: tuple[tuple[str, str | None], ...] = ()
    limits: tuple[str, ...] = ()

    @property
    def headings(self) -> dict[str, str]:
        """The heading under which each KPI stands."""
        return {kpi: plan.title for plan in self.plans for kpi in plan.kpis}


OTHER = "Other"
"""The heading of KPIs that no plan names."""


def heads(*names: str, numbers: str = "") -> tuple[Cell, ...]:
    """Column heads; those named in `numbers` (by commas) stand at the right."""
    right = set(numbers.split(","))
    return tuple(Cell(name, "number" if name in right else "") for name in names)
