"""The commands that make minds: data, training, distillation, report cards, gates."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecosim.cli import show
from ecosim.cli.options import Json
from ecosim.cli.tools import models

if TYPE_CHECKING:
    from ecosim.training.workbench import Tick

Which = Annotated[str, typer.Argument(help="A role with a recipe (`agents/<role>/recipe.yaml`), or `role/product`.")]
Out = Annotated[
    Path | None, typer.Option("--out", help="Where it is made: a folder a product. The user's cache by default.")
]
Seed = Annotated[
    list[int] | None, typer.Option("--seed", help="Only these training seeds; all of the recipe by default.")
]


@models.command("recipes")
def recipes(as_json: Json = False) -> None:
    """Which recipes there are: `role/product`, and how each is made.

    Example: `ecosim models recipes`
    """
    from ecosim.training import recipes as found

    rows = [
        {"name": f"{role}/{name}", "method": spec.method, "training_seeds": recipe.seeds.train}
        for role in found.roles()
        for recipe in [found.read(role)]
        for name, spec in recipe.products.items()
    ]
    print(json.dumps({"recipes": rows})) if as_json else show.rows(
        [{**row, "training_seeds": " ".join(map(str, row["training_seeds"]))} for row in rows]
    )


@models.command("data")
def data(which: Which, out: Out = None, as_json: Json = False) -> None:
    """Make what a role's minds are trained on, and what they are tested on.

    Example: `ecosim models data distributor/nano`
    """
    _each(which, out, as_json, None, with_data=True, with_training=False)


@models.command("train")
def train(which: Which, out: Out = None, seed: Seed = None, as_json: Json = False) -> None:
    """Train a role's minds on their data, made first where it is missing; goes on where it was stopped.

    Example: `ecosim models train distributor/nano --seed 1`
    """
    _each(which, out, as_json, seed, with_data=False, with_training=True)


@models.command("distil")
def distil(which: Which, out: Out = None, seed: Seed = None, as_json: Json = False) -> None:
    """A role's minds from nothing: new data, then training.

    Example: `ecosim models distil viewer`
    """
    _each(which, out, as_json, seed, with_data=True, with_training=True)


Pages = Annotated[Path | None, typer.Option("--pages", help="Folder of the HTML pages; results/cards by default.")]


@models.command("card")
def card(which: Which, out: Out = None, pages: Pages = None, as_json: Json = False) -> None:
    """Report cards: cost, fidelity with controls, calibration, worst slices, paired ecosystems with equivalence tests.

    Writes `report.json` beside the role's card, the card's scores, the README's section, and a page a product.

    Example: `ecosim models card distributor/nano`
    """
    from ecosim.training.cards import carding

    made = carding.card(which, pages, out, _say)
    found = {name: str(path) for name, path in made.items()}
    print(json.dumps({"pages": found}) if as_json else "\n".join(found.values()))


@models.command("gate")
def gate(which: Which, pages: Pages = None, as_json: Json = False) -> None:
    """Hold a role's report cards against the recipe's gate; who passes answers by default. Exit code 1 if one fails.

    Example: `ecosim models gate distributor/nano`
    """
    from ecosim.training.cards import carding
    from ecosim.training.cards import gate as gates

    found = gates.gate(which)
    carding.again(which.partition("/")[0], pages)
    if as_json:
        print(json.dumps({"gate": {name: [one.as_dict() for one in lines] for name, lines in found.items()}}))
    else:
        for name, lines in found.items():
            print("\n".join(f"{name}  {one.told}" for one in lines))
    if not all(one.holds for lines in found.values() for one in lines):
        raise typer.Exit(1)


@models.command("ship")
def ship(
    which: Which,
    out: Out = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Whose weights; the recipe's first by default.")] = None,
    as_json: Json = False,
) -> None:
    """Put the weights of a training seed into the catalogue, with their hash in every card that names them.

    A default that the old weights had is gone; measure the new ones with `card`, and let them pass the `gate`.

    Example: `ecosim models ship distributor/nano`
    """
    from ecosim.training import shipping

    made = {str(path): digest for path, digest in shipping.ship(which, seed, out).items()}
    print(json.dumps({"shipped": made}) if as_json else "\n".join(f"{d}  {p}" for p, d in made.items()))


def _each(
    which: str, out: Path | None, as_json: bool, seeds: list[int] | None, *, with_data: bool, with_training: bool
) -> None:
    from ecosim.training import making

    with _bar() as tick:
        made = making.make(which, out, seeds, with_data=with_data, with_training=with_training, say=_say, tick=tick)
    if as_json:
        print(json.dumps({"made": made}))
        return
    for product in made:
        print(f"{product['name']}: {product['folder']}")
        for name, value in product["figures"].items():
            print(f"  {name:32} {value:.4g}")


def _say(line: str) -> None:
    print(line, file=sys.stderr)


@contextmanager
def _bar() -> Iterator[Tick]:
    """A progress bar on stderr, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        tasks: list[TaskID] = []

        def tick(done: int, total: int, words: str) -> None:
            if not tasks:
                tasks.append(bar.add_task(words, total=total))
            bar.update(tasks[0], completed=done, total=total, description=words)

        yield tick
