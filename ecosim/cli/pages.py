"""How an explanation looks in a terminal: grouped, wrapped to its width, with colour only where there is one."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from ecosim.explain.told import Asked, Column, PhaseTold, SeatTold, Setting, Told
    from ecosim.levers import Place
    from ecosim.scenario import Intervention

_INDENT = 3
_MILLIONTHS = "EUR/1e6 and units/1e6 are whole millionths: 12400000 EUR/1e6 are 12.40 EUR."
_MOST_NAMES = 8
"""More names than these are told by the first and the last."""
_WIDTHS = {"key": 29, "value": 24, "unit": 13, "name": 16}
"""Columns of a terminal of 80; the last column of a table takes what is left."""


def explanation(told: Told) -> None:
    """Who asks what of whom, and the settings."""
    from ecosim.report.words import plural

    console = _console()
    facts = told.scenario
    _heading(console, facts.title)
    if facts.about.strip():
        _paragraph(console, facts.about, indent=0)
    given = sum(setting.origin != "default" for setting in told.settings)
    _paragraph(
        console,
        f"{facts.world}: {plural(facts.steps, told.side.step_name)}, {plural(facts.seeds, 'seed')} side by side; "
        f"{given} of {len(told.settings)} settings are given, the others are defaults.",
        indent=0,
    )
    _heading(console, f"\nWho asks what of whom, in the order of a {told.side.step_name}")
    for number, phase in enumerate(told.phases, start=1):
        _phase(console, number, phase)
    if facts.interventions:
        _heading(console, "\nWhat is changed from outside, at the beginning of a step")
        for item in facts.interventions:
            _paragraph(console, _change(item, told.side.step_name))
    _heading(console, "\nSettings")
    _table(console, ("key", "value", "unit", "from"), _setting_rows(told.settings), indent=0)
    console.print()
    _paragraph(console, _MILLIONTHS, indent=0)


def dictionary(told: Told) -> None:
    """All columns, table by table."""
    console = _console()
    _paragraph(console, _MILLIONTHS, indent=0)
    console.print()
    for (kind, table), columns in groupby(told.columns, key=lambda column: (column.kind, column.table)):
        _heading(console, _table_title(told, kind, table))
        rows = [(column.name, _unit(column), _meaning(column)) for column in columns]
        _table(console, ("name", "unit", "meaning"), rows, indent=2)
        if kind == "lever":
            _paragraph(console, _named(told, table), indent=2)
        console.print()


def _table_title(told: Told, kind: str, table: str) -> str:
    """What a group of columns is called, and what its table is."""
    if kind in ("metric", "kpi"):
        return f"metrics, each {told.side.step_name}" if kind == "metric" else "KPIs, at the end"
    if kind == "event":
        schema = told.side.events[table]
        return f"events/{table}: {schema.about.rstrip('.')}{' (exogenous)' if schema.is_exogenous else ''}"
    if kind == "lever":
        return f"levers of table {table}: what interventions may change"
    if kind == "table":
        about = told.side.state[table].about if table in told.side.state else ""
        return f"table {table}{': a row is ' + about if about else ''}"
    return f"{kind} {table}"


def _named(told: Told, table: str) -> str:
    """By which columns interventions say whom they concern, with the names or numbers that there are."""
    from ecosim.interventions import panel_of

    places = panel_of(told.side, told.scenario).places[table]
    ways = [f"{name} ({_ends(place)})" for name, place in places.items()]
    return f"where: by {'; by '.join(ways)}"


def _ends(place: Place) -> str:
    """All names of a column, or the first and the last of many; numbers where there are no names."""
    if not place.names:
        return f"{place.codes.min()} … {place.codes.max()}"
    names = place.names
    return ", ".join(names) if len(names) <= _MOST_NAMES else f"{names[0]} … {names[-1]}"


def _change(item: Intervention, step: str) -> str:
    """An intervention in a line: when, whom, what."""
    whom = ", ".join(f"{column} {_value(values)}" for column, values in item.where.items()) or "everybody"
    arms = f" (arms: {', '.join(item.arms)})" if item.arms else ""
    if item.message:
        lasts = f" … {item.step + item.steps - 1}" if item.steps > 1 else ""
        return f"{step} {item.step}{lasts}, {whom}: reads “{item.message}”{arms}"
    return f"{step} {item.step}, {whom}: {item.table}.{item.column}, {item.what}{arms}"


def _phase(console: Console, number: int, phase: PhaseTold) -> None:
    _heading(console, f"{number:2} {phase.name}")
    _paragraph(console, phase.about)
    if phase.repeats:
        _paragraph(console, "It is asked again until nobody is due.")
    if not phase.asks:
        _paragraph(console, "asks nobody")
    _table(console, ("asks", "members", "rows", "answered by"), [_who(asked) for asked in phase.asks])
    for (columns, fields), roles in _alike(phase.asks):
        whose = f"{', '.join(roles)} " if len(roles) < len(phase.asks) else ""
        _table(console, (f"{whose}sees", "unit", "meaning"), [(c.name, _unit(c), _meaning(c)) for c in columns])
        rows = [(c.name, _unit(c), f"{_meaning(c)}: {c.shape}") for c in fields]
        _table(console, (f"{whose}answers", "unit", "meaning"), rows)
    for line in dict.fromkeys(_mind(seat, asked) for asked in phase.asks for seat in asked.minds):
        _paragraph(console, line)
    if phase.writes:
        _paragraph(console, f"writes events/{', events/'.join(phase.writes)}")


def _who(asked: Asked) -> tuple[str, str, str, str]:
    """Who is asked: role, members, rows when it was first asked, minds with their grades."""
    minds = ", ".join(f"{seat.name} ({seat.grade})" for seat in asked.minds)
    rows = f"{asked.rows:,}" if asked.rows else "not yet"
    return _role(asked), f"{asked.members:,}", rows, minds


def _mind(seat: SeatTold, asked: Asked) -> str:
    """A mind in a line; of one that reads prompts, the columns that it is shown too."""
    also = f" (also {', '.join(seat.also)})" if seat.also else ""
    shown = f"; it is shown {', '.join(asked.card_reads)}" if seat.grade != "scripted" and asked.card_reads else ""
    return f"{seat.name}{also}: {seat.about}{shown}"


def _alike(asks: Iterable[Asked]) -> Iterator[tuple[tuple[Sequence[Column], Sequence[Column]], list[str]]]:
    """Roles that see the same columns, together, with all fields that any of them answers."""
    found: dict[tuple[str, ...], list[Asked]] = {}
    for asked in asks:
        if asked.sees:
            found.setdefault(tuple(column.name for column in asked.sees), []).append(asked)
    for alike in found.values():
        yield (alike[0].sees, list(_fields(alike))), [_role(asked) for asked in alike]


def _fields(alike: Sequence[Asked]) -> Iterator[Column]:
    """The fields of some roles, each once; one that not all of them are asked says whose it is."""
    from dataclasses import replace

    for name in dict.fromkeys(column.name for asked in alike for column in asked.answers):
        having = {_role(asked): column for asked in alike for column in asked.answers if column.name == name}
        field = _joined(list(having.values()))
        about = field.about if len(having) == len(alike) else f"{', '.join(having)} only: {field.about}"
        yield replace(field, about=about)


def _role(asked: Asked) -> str:
    return asked.question.rpartition(".")[0]


def _joined(fields: Sequence[Column]) -> Column:
    """One field for roles that have it alike; where its limits differ, the column says so."""
    from dataclasses import replace

    ends = dict.fromkeys(column.shape.partition(" in steps of ")[::2] for column in fields)
    ranges, rules = " or ".join(low_high for low_high, _ in ends), {rule for _, rule in ends}
    if len(ends) == 1 or len(rules) > 1:
        return fields[0]
    return replace(fields[0], shape=f"{ranges} in steps of {rules.pop()}")


def _setting_rows(settings: Sequence[Setting]) -> list[tuple[str, str, str, str]]:
    """Settings but for those that the page tells above: title and description, and interventions key by key."""
    told = ("title", "about", "interventions.")
    return [(s.key, _value(s.value), s.unit, s.origin) for s in settings if not s.key.startswith(told)]


def _value(value: Any) -> str:
    if value in (None, "", [], {}):
        return "–"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_value(item)}" for name, item in value.items())
    return ", ".join(map(_value, value)) if isinstance(value, list) else str(value)


def _unit(column: Column) -> str:
    slots = column.shape.partition(" × ")[2] if column.kind in ("question", "table") else ""
    return f"{column.unit} × {slots}" if slots else column.unit


def _meaning(column: Column) -> str:
    about = column.about or "not described"
    if column.kind == "lever" and column.unit != "mind":
        about = f"{about} ({column.shape})"
    return f"{about}; {column.better} is better" if column.better else about


# ---- drawing --------------------------------------------------------------------------------------------------------


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False)


def _clean(text: str) -> str:
    """Without what would steer a terminal: a scenario's texts are anybody's."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "�" for letter in text)


def _heading(console: Console, text: str) -> None:
    console.print(_clean(text), style="bold")


def _paragraph(console: Console, text: str, indent: int = _INDENT) -> None:
    margin = " " * indent
    wrapped = textwrap.fill(
        " ".join(_clean(text).split()), console.width, initial_indent=margin, subsequent_indent=margin
    )
    console.print(wrapped, soft_wrap=True)


def _table(console: Console, head: Sequence[str], rows: Sequence[Sequence[str]], indent: int = _INDENT) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return
    table = Table(box=None, pad_edge=False, header_style="italic", padding=(0, 1, 0, 0))
    for name in head[:-1]:
        table.add_column(name, max_width=_WIDTHS.get(name, _WIDTHS["name"]), overflow="fold")
    table.add_column(head[-1], overflow="fold")
    for row in rows:
        style = "dim" if row[-1] == "default" else "bold" if row[-1] == "--set" else ""
        table.add_row(*(Text(_clean(cell)) for cell in row), style=style)
    console.print(Padding(table, (0, 0, 0, indent)))
