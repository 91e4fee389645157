"""The command line: runs and comparisons, taking them up again, models, benchmarks, and a look at the machine.

Results go to stdout (one JSON object with `--json`), progress and messages to stderr. A fault that the user can mend is
one line and exit code 2; an interrupted run is exit code 130 and keeps what it has recorded; a check that found
something is exit code 1.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

import ecosim
from ecosim.cli import estimate, runs, show, tell, tools, train  # noqa: F401  # train adds commands to `models`
from ecosim.cli import validate as validation
from ecosim.cli import why as looks
from ecosim.errors import EcosimError, printable

app = typer.Typer(
    help="Ecosystems of small AI models on a bench: run them, compare minds, look at what happened.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
_PANELS: dict[str, tuple[Callable[..., None], ...]] = {
    "Run": (runs.run, runs.compare, runs.resume, runs.report, runs.demo),
    "Write and understand": (tell.init, runs.check, tell.explain, estimate.estimate, tell.schema, tell.odd),
    "Ask": (looks.why, looks.interview),
    "Trust": (runs.verify, runs.replay, validation.validate),
    "Tools": (tools.doctor,),
}
for panel, commands in _PANELS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)
app.add_typer(tools.models, name="models", rich_help_panel="Tools")
app.add_typer(tools.bench, name="bench", rich_help_panel="Tools")

_FAULT, _INTERRUPTED = 2, 130
"""Exit codes."""
_UsageError: Any = typer.BadParameter.__mro__[1]
"""What typer raises for a command line that it cannot read; it has no public name there."""


def main() -> None:
    """Entry point: turns faults into one line and an exit code."""
    try:
        code = app(standalone_mode=False)
    except _UsageError as error:
        fault = error.format_message()  # empty where nothing was asked and the help was shown instead
        stop = "" if fault.endswith((".", "?")) else "."
        code = _complain(f"{fault}{stop} See {error.ctx.command_path} --help" if fault else "")
    except EcosimError as error:
        code = _complain(str(error))
    except show.Stopped as stopped:
        code = _complain(str(stopped), _INTERRUPTED if stopped.is_interrupted else _FAULT)
    else:
        if code == _INTERRUPTED:
            _complain("interrupted")
    sys.exit(code)


def _complain(faults: str, code: int = _FAULT) -> int:
    """Print a line a fault; gives the exit code."""
    for line in faults.splitlines():
        print(f"ecosim: {printable(line)}", file=sys.stderr)
    return code


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        print(ecosim.__version__)
        raise typer.Exit()
