"""The commands that tell what a scenario is, and help to write one; none of them runs it."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ecosim.cli import pages
from ecosim.cli.options import Change, Json, Scenario, changes_of, minds_of

Minds = Annotated[
    list[str] | None, typer.Option("--mind", help="Who answers: `--mind distributor=untrained`; repeatable.")
]


def explain(
    scenario: Scenario,
    change: Change = None,
    mind: Minds = None,
    columns: Annotated[
        bool, typer.Option("--columns", help="The dictionary of all columns with units instead.")
    ] = False,
    as_json: Json = False,
) -> None:
    """What a scenario is: who asks what of whom, who answers, every setting; with --columns, what each column means.

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
