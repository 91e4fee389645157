"""What a page is made of: plain values that the templates lay out. Each part names the macro that draws it in `kind`.

No part holds markup but `Chart.svg`: text of models and scenarios stays text until the template escapes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
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
    """One cell of a table; `tone` is a CSS class: number, good, bad, quiet, swatch, code, and so on."""

    text: str
    tone: str = ""
    about: str = ""
    span: int = 1
    details: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; a row that is a plain text is a heading inside it."""

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
    """A negotiation, move by move, and what was private until it ended."""

    moves: tuple[Move, ...]
    outcome: str
    secrets: tuple[str, ...]
    chart: Chart
    kind: Literal["transcript"] = "transcript"


Part = Charts | Grid | Note | Points | Verbatim | Transcript


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
    limits: tuple[str, ...] = field(default=())
