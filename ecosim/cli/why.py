"""The commands that look into one answer of a recorded run: why it was given, and what its member has to say.

What models and scenarios wrote is shown with its control characters spelt out: none reaches the terminal.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from ecosim.cli import show
from ecosim.cli.options import Folder, Json
from ecosim.errors import RunError

if TYPE_CHECKING:
    import pandas as pd

    from ecosim.interview import Voice
    from ecosim.why import Why

Step = Annotated[int, typer.Option(help="The step, from 1.", min=1)]
Replica = Annotated[int, typer.Option(help="Which replica.", min=0)]


def why(
    folder: Folder,
    step: Step,
    member: Annotated[int, typer.Option(help="The member's id.", min=0)],
    replica: Replica = 0,
    phase: Annotated[str | None, typer.Option(help="`negotiate`, or `distributor.negotiate`.")] = None,
    counterpart: Annotated[int | None, typer.Option(help="With whom, where it was asked about several.")] = None,
    item: Annotated[int | None, typer.Option(help="About which item, by its number.")] = None,
    round: Annotated[int | None, typer.Option(help="In which round of asking, from 0.")] = None,
    tries: Annotated[
        int | None, typer.Option(help="Replacements a column; 32 for scripts, 8 for models.", min=1)
    ] = None,
    no_ask: Annotated[bool, typer.Option("--no-ask", help="Show what was recorded, and ask no mind again.")] = False,
    as_json: Json = False,
) -> None:
    """Why a member answered so, and what would have flipped it.

    What it saw, its scores, and what each column was worth.

    Example: `ecosim why runs/market --step 3 --member 15 --phase replenish`
    """
    from ecosim import api

    _wait(step)
    found = api.load(folder).why(
        step,
        member,
        replica=replica,
        phase=phase,
        counterpart=counterpart,
        item=item,
        round=round,
        tries=tries,
        ask=not no_ask,
    )
    print(json.dumps(found.as_dict())) if as_json else _show(found)


def interview(
    folder: Folder,
    question: Annotated[str, typer.Argument(help="What to ask, such as “What do you think of your stock?”.")],
    step: Step,
    member: Annotated[list[int] | None, typer.Option(help="The member's id; repeatable.", min=0)] = None,
    role: Annotated[str | None, typer.Option(help="All members of a role instead.")] = None,
    replica: Replica = 0,
    voice: Annotated[
        str, typer.Option(help="`own`, or `untrained`: the base model speaks for minds without language.")
    ] = "own",
    max_tokens: Annotated[int, typer.Option(help="Longest answer.", min=1)] = 60,
    as_json: Json = False,
) -> None:
    """Ask members of a recorded run something in words.

    The run is not touched.

    Example: `ecosim interview runs/market --step 3 --member 15 "What do you think of your stock?"`
    """
    from ecosim import api

    if bool(member) == bool(role):
        raise RunError("whom to ask: give either --member (repeatable) or --role")
    if voice not in ("own", "untrained"):
        raise RunError(f"--voice: expected own or untrained, got {voice!r}")
    _wait(step)
    found = api.load(folder).ask(
        step, role or member or [], question, replica=replica, voice=cast("Voice", voice), max_tokens=max_tokens
    )
    if as_json:
        print(json.dumps(found.as_dict()))
        return
    print(visible(found.question))
    _table(found.table[["member", "role", "mind", "voice", "words"]])


_WHOLE = ("column", "unit", "source", "field", "member", "role")
"""Columns whose words are not broken where a table is too wide."""


def visible(text: str) -> str:
    r"""A text whose control characters, escape sequences and invisible marks are spelt out; line ends stay.

    >>> visible("a\x1b[31mb\n")
    'a\\x1b[31mb\n'
    """
    return "".join(c if c == "\n" or unicodedata.category(c)[0] != "C" else ascii(c)[1:-1] for c in text)


def _wait(step: int) -> None:
    if sys.stderr.isatty():
        show.line(f"ecosim: having the run again up to step {step}, then asking; a language model takes a minute or so")


def _show(found: Why) -> None:
    print(visible(found.title))
    sat = dict.fromkeys((found.about["mind"], found.about["grade"]))
    print(visible(f"→ {found.answer}   (mind: {', '.join(sat)})"))
    for heading, frame in found.tables():
        if heading == "Scores":
            print(f"\nPrompt and answer, verbatim\n{visible(found.prompt)}")
        print(f"\n{heading}")
        _table(frame)
    print()
    for note in found.notes:
        print(visible(note))


def _table(frame: pd.DataFrame) -> None:
    """A table as text: nothing in a cell is markup."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in frame.columns:
        is_number = frame[name].map(lambda v: isinstance(v, int | float) and not isinstance(v, bool)).all()
        table.add_column(
            str(name).replace("_", " "),
            justify="right" if is_number else "left",
            overflow="fold",
            no_wrap=name in _WHOLE,
        )
    for row in frame.itertuples(index=False):
        cells = zip(frame.columns, row, strict=True)
        table.add_row(*(Text(visible(_cell(str(name), value))) for name, value in cells))
    Console(highlight=False).print(table)


def _cell(name: str, value: Any) -> str:
    """A value as people read it; a dash where there is none."""
    if isinstance(value, list):
        return ", ".join(_cell(name, one) for one in value)
    if value is None or value == "" or (isinstance(value, float) and value != value):
        return "–"
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or type(value).__name__ == "bool_":
        return "yes" if value else "no"
    if name in ("changed", "chance"):
        return f"{100 * value:.3g} %"
    if name == "spreads" or name.endswith("_change"):
        return f"{value:.3g}"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
