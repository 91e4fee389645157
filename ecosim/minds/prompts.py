"""From rows of a question to prompts: the card's template, rendered for each row by a sandboxed Jinja.

A template sees the columns that its card reads and nothing else of the world: no key, no replica, no seed. Text columns
are data: a control token spelt in one is read as plain characters by the pool. A message from outside (`message`, see
`ecosim.schedule`) stands before the row's own part, unless the template shows it itself; it is never a template.

A template shows columns, asks and loops over them; it calls nothing, includes nothing and multiplies nothing, so that a
card from a stranger cannot read files or run for ever. That is looked up in its syntax, before anything is rendered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ecosim.catalog import LETTERS, Card, FieldCard
from ecosim.errors import CatalogError
from ecosim.fields import Choice
from ecosim.schedule import MESSAGE
from ecosim.words import Question


def euros(value: int) -> str:
    """Millionths of a euro as euros and cents, to the nearest cent.

    >>> euros(12_400_000), euros(-5_000)
    ('12.40', '-0.01')
    """
    cents = (abs(value) + 5_000) // 10_000
    return f"{'-' if value < 0 and cents else ''}{cents // 100}.{cents % 100:02d}"


def units(value: int) -> str:
    """Millionths of a unit as units, whole where they are, else to the nearest hundredth.

    >>> units(57_000_000), units(2_500_000)
    ('57', '2.50')
    """
    return str(value // 1_000_000) if value % 1_000_000 == 0 else euros(value)


def percent(share: float) -> str:
    """A share as whole percents.

    >>> percent(0.934)
    '93'
    """
    return str(round(100 * share))


def share(millionths: int) -> str:
    """A share in millionths as percent, exact.

    >>> share(25_000), share(100_000)
    ('2.5%', '10%')
    """
    whole, rest = divmod(millionths, 10_000)
    return f"{whole}.{rest:04d}".rstrip("0").rstrip(".") + "%"


def dated(text: str, now: int) -> str:
    """A text with every week that it names by number followed by how far that is from now.

    >>> dated("mill_1 shuts in week 9, not in week 12.", 6)
    'mill_1 shuts in week 9 (+3), not in week 12 (+6).'
    """
    return _WEEK.sub(lambda match: f"{match[0]} ({int(match[1]) - now:+d})", text)


def lettered(text: str, names: Sequence[str], slots: Sequence[int]) -> str:
    """A text with every name that it has followed by the letter of its slot, by which an answer names it.

    >>> lettered("mill_1 shuts, mill_11 runs.", ["mill_11", "mill_1"], [0, 2])
    'mill_1 (C) shuts, mill_11 (A) runs.'
    """
    letter = {name: LETTERS[slot] for name, slot in zip(names, slots, strict=True)}
    longest_first = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.sub(rf"\b({longest_first})(?!\w)", lambda m: f"{m[1]} ({letter[m[1]]})", text) if names else text


def spell(value: int, unit: str) -> str:
    """A number as a language mind is shown it, by its unit."""
    if unit == "share/1e6":
        return share(value)
    if unit == "EUR/1e6":
        return euros(value)
    return units(value) if unit == "units/1e6" else str(value)


_WEEK = re.compile(r"\bweek (\d{1,6})\b")
_FILTERS = {
    *(
        "eur",
        "units",
        "percent",
        "share",
        "dated",
        "lettered",
        "sort",
        "join",
        "sum",
        "replace",
        "length",
        "count",
        "first",
        "last",
        "min",
        "max",
    ),
    *("round", "abs", "int", "float", "list", "reverse", "unique", "lower", "upper", "title", "trim", "default"),
}
_REFUSED = (
    nodes.Include,
    nodes.Import,
    nodes.FromImport,
    nodes.Extends,
    nodes.Block,
    nodes.Macro,
    nodes.CallBlock,
    nodes.Mul,
    nodes.Pow,
    nodes.Mod,
)
"""What could read a file, run for ever or make a text without end."""


class Prompts:
    """The prompts of one question card.

    Raises:
        CatalogError: the template is missing or is not Jinja.
    """

    def __init__(self, card: Card, phase: str) -> None:
        self._place = card.folder / card.questions[phase].prompt if phase in card.questions else card.folder
        self.sources = card.template(phase)
        self._reads = card.questions[phase].reads
        self._may_read = card.questions[phase].may_read
        environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        environment.filters.update(eur=euros, units=units, percent=percent, share=share, dated=dated, lettered=lettered)
        shared, own = self.sources
        self._shared = _template(environment, shared, self._place, 1)
        self._own = _template(environment, own, self._place, 2 + shared.count("\n"))

    def render(self, question: Question) -> list[tuple[str, str]]:
        """The shared part and the row's own part of each row's prompt.

        Raises:
            CatalogError: the card reads a column that the question has not, or in another unit; or the template asks
                for something that it does not see.
        """
        self._check(question)
        about = {
            "step": question.step,
            "role": question.role,
            "phase": question.phase,
            "options": {f.name: f.options for f in question.fields if isinstance(f, Choice)},
        }
        try:
            return [
                (self._shared.render(about, **row), lead + self._own.render(about, **row).strip())
                for row, lead in zip(self._rows(question), self._leads(question), strict=True)
            ]
        except (TemplateError, TypeError, ArithmeticError) as error:
            seen = ", ".join([*self._seen(question), *about, "filled"])
            raise CatalogError(f"{self._place}: {error}; a template of this question sees: {seen}") from error

    def _rows(self, question: Question) -> Iterator[dict[str, Any]]:
        """What the template sees of each row: plain values, lists of the filled slots, and which slots these are."""
        reads = self._seen(question)
        plain = {name: question[name].tolist() for name in reads}
        filled = {
            name: [[i for i, ok in enumerate(row) if ok] for row in question.masks[name].tolist()]
            for name in reads
            if name in question.masks
        }
        for i in range(question.num_rows):
            slots = {name: rows[i] for name, rows in filled.items()}
            row = {name: column[i] for name, column in plain.items()}
            row |= {name: [row[name][slot] for slot in used] for name, used in slots.items()}
            yield {**row, "filled": slots}

    def _leads(self, question: Question) -> list[str]:
        """What stands before each row's own part: the message to its member, if there is one."""
        if MESSAGE not in question.columns or MESSAGE in self._reads:
            return [""] * question.num_rows
        return [f"News: {text}\n" if text else "" for text in question[MESSAGE].tolist()]

    def _seen(self, question: Question) -> dict[str, str]:
        """The columns that the template sees: those it needs, and what there is of those that it may read."""
        return {**self._reads, **{name: unit for name, unit in self._may_read.items() if name in question.columns}}

    def _check(self, question: Question) -> None:
        faults = []
        for name, unit in self._seen(question).items():
            if name not in question.columns:
                faults.append(
                    f"{name}: {question.name} has no such column; it has {', '.join(sorted(question.columns))}"
                )
            elif name in question.columns and name in question.units and question.units[name] != unit:
                faults.append(f"{name}: the card reads it in {unit!r}, the question gives {question.units[name]!r}")
        if faults:
            raise CatalogError("\n".join(f"{self._place.parent / 'card.yaml'}: reads.{fault}" for fault in faults))


def _template(environment: Environment, source: str, place: Path, first_line: int) -> Template:
    """A template whose syntax holds nothing but what prompts need; `first_line` is where it begins in its file."""
    try:
        tree = environment.parse(source)
        for node in tree.find_all(nodes.Node):
            fault = _fault(node)
            if fault:
                raise CatalogError(f"{place}:{node.lineno + first_line - 1}: {fault}; a prompt shows columns only")
        return environment.from_string(tree)
    except (TemplateError, RecursionError, SyntaxError, MemoryError) as error:
        line = (getattr(error, "lineno", None) or 1) + first_line - 1
        raise CatalogError(f"{place}:{line}: not a Jinja template: {error}") from error


def _fault(node: nodes.Node) -> str:
    if isinstance(node, _REFUSED):
        return f"{type(node).__name__.lower()} is not used in prompts"
    if isinstance(node, nodes.Call) and not (isinstance(node.node, nodes.Name) and node.node.name == "namespace"):
        return "calls are not used in prompts, but for namespace(...)"
    if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
        return f"filter {node.name!r} is not used in prompts; known: {', '.join(sorted(_FILTERS))}"
    return ""


def asked_fields(cards: Mapping[str, Card], question: Question, mind: str) -> Mapping[str, FieldCard]:
    """How a mind with these cards is asked for each field of a question.

    A card may have more fields than a scenario asks for, such as those of a table's fifth and sixth issue.

    Raises:
        CatalogError: there is no card for the question, or the card's fields are not those of the question.
    """
    card = cards.get(question.role)
    if card is None or question.phase not in card.questions:
        known = ", ".join(sorted(f"{role}.{phase}" for role, card in cards.items() for phase in card.questions))
        raise CatalogError(f"mind {mind!r} has no card for the question {question.name!r}; it has {known}")
    entry = card.questions[question.phase]
    asks = entry.asks([spec.name for spec in question.fields])
    if asks is None:
        raise CatalogError(
            f"{card.folder / 'card.yaml'}: questions.{question.phase}.fields: the question asks "
            f"{[spec.name for spec in question.fields]} in this order, the card has "
            f"{[*entry.fields, *entry.may_ask]}"
        )
    return asks
