"""The commands that tell what a scenario is, and help to write one; none of them runs it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Annotated

import typer

from ecosim.cli import pages
from ecosim.cli.options import Change, Json, Scenario, changes_of, minds_of
from ecosim.errors import RunError

Minds = Annotated[
    list[str] | None, typer.Option("--mind", help="Who answers: `--mind distributor=untrained`; repeatable.")
]

World = Annotated[str | None, typer.Option(help="An ecosystem: `manufacturing` or `community`.")]


def explain(
    scenario: Scenario,
    change: Change = None,
    mind: Minds = None,
    columns: Annotated[
        bool, typer.Option("--columns", help="The dictionary of all columns with units instead.")
    ] = False,
    as_json: Json = False,
) -> None:
    """What a scenario is: who asks what of whom, and every setting.

    With --columns, what each column means, and what interventions may change.

    Example: `ecosim explain smart_manufacturing --set lead_time_weeks=3`
    """
    from ecosim import explain as explaining

    told = explaining.tell(scenario, changes_of(change), minds_of(mind or [], "--mind"))
    if as_json:
        print(json.dumps({"scenario": scenario, **told.as_dict()}))
    elif columns:
        pages.dictionary(told)
    else:
        pages.explanation(told)


def schema(
    world: World = None,
    as_json: Annotated[bool, typer.Option("--json", help="On one line.")] = False,
) -> None:
    """JSON Schema of scenario files, for editors.

    They then complete keys, mark misspelt ones, and tell what each means.
    The command init puts it beside the scenario that it writes; a scenario names it in its first line:
    `# yaml-language-server: $schema=./ecosim.schema.json`

    Example: `ecosim schema --world manufacturing`
    """
    from ecosim import schema as schemas

    print(json.dumps(schemas.schema(world), ensure_ascii=False, indent=None if as_json else 1))


def init(
    name: Annotated[str, typer.Argument(help="What the scenario is called; NAME.yaml is made.")] = "my_scenario",
    world: World = None,
    source: Annotated[str | None, typer.Option("--from", help="A scenario to begin from, by name or file.")] = None,
    as_json: Json = False,
) -> None:
    """Write a commented scenario to start from.

    Beside it lies the schema from which editors complete its keys.

    Example: `ecosim init my_market --world manufacturing`
    """
    from ecosim import starter

    path = Path(name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
    made, beside = starter.write(path, world, source)
    typed = shlex.quote(str(made))
    following = [f"ecosim check {typed}", f"ecosim run {typed} --seeds 5"]
    if as_json:
        print(json.dumps({"scenario": str(made), "schema": str(beside), "next": following}))
        return
    print(f"{made}: a commented scenario; {beside.name} beside it is for editors. Next:\n")
    print("\n".join(following))


def odd(
    scenario: Scenario,
    change: Change = None,
    mind: Minds = None,
    out: Annotated[Path | None, typer.Option(help="The Markdown file to be made; none: print it.")] = None,
    as_json: Json = False,
) -> None:
    """The ODD+D page of a scenario, in Markdown, for a paper.

    What its reader needs, written from the code.

    Example: `ecosim odd smart_manufacturing --out odd.md`
    """
    from ecosim import odd as protocol

    text = protocol.page(scenario, changes_of(change), minds_of(mind or [], "--mind"))
    if out is not None:
        _write_new(out, text)
    if as_json:
        print(json.dumps({"scenario": scenario, "page": str(out) if out else None, "markdown": text}))
    else:
        print(out if out is not None else text, end="\n" if out is not None else "")


def _write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet: a page is written on by hand, and must not be lost.

    Raises:
        RunError: it is there, or cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise RunError(f"{path}: there is a file of that name already; give another name") from None
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {error.strerror}") from error
