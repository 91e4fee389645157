"""A product from its recipe: data, training with each seed, figures; what `ecosim models data | train | distil` do."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from ecosim import catalog
from ecosim.errors import TrainingError
from ecosim.training import recipes
from ecosim.training.recipes import Recipe
from ecosim.training.workbench import Say, Tick, Workbench, default_folder, no_room, silent

FIGURES = "figures.json"
DONE = ".whole"
"""A file in the folder of data that are complete."""


def bench_of(
    recipe: Recipe, product: str, out: Path | None = None, say: Say = silent, tick: Tick = silent
) -> Workbench:
    """The workbench of a product."""
    folder = default_folder(recipe.role, product) if out is None else out / recipe.role / product
    return Workbench(recipe.role, product, recipe.seeds, folder, catalog.root() / "agents" / recipe.role, say, tick)


def make(
    which: str,
    out: Path | None = None,
    seeds: Sequence[int] | None = None,
    *,
    with_data: bool,
    with_training: bool,
    say: Say = silent,
    tick: Tick = silent,
) -> list[dict[str, Any]]:
    """Make the products that a name stands for (`role` or `role/product`); gives name, folder and figures of each.

    A figure that is no finite number (a share of nothing) is left out.

    Args:
        out: where; the user's cache if not said.
        seeds: training seeds; those of the recipe if not said.
        with_data: make the data anew; else only where it is missing.
        with_training: and train on it.

    Raises:
        CatalogError: no such recipe.
        TrainingError: a training can't go on; what was done so far stays.
    """
    role, products = recipes.split(which)
    recipe = recipes.read(role)
    made = []
    for product in products:
        bench = bench_of(recipe, product, out, say, tick)
        figures = _make(recipe, product, bench, seeds, with_data, with_training)
        made.append({"name": f"{role}/{product}", "folder": str(bench.folder), "figures": figures})
    return made


def _make(
    recipe: Recipe, product: str, bench: Workbench, seeds: Sequence[int] | None, with_data: bool, with_training: bool
) -> dict[str, float]:
    spec, method = recipe.products[product], recipe.method(product)
    with no_room(bench.folder):
        bench.data.mkdir(parents=True, exist_ok=True)
        is_whole = bench.data / DONE
        if with_data or not is_whole.is_file():
            is_whole.unlink(missing_ok=True)
            bench.say(f"{recipe.role}/{product}: data")
            method.data(spec, bench)
            is_whole.touch()
        if not with_training:
            return {}
        for seed in recipe.seeds.train if seeds is None else seeds:
            bench.say(f"{recipe.role}/{product}: training seed {seed}")
            method.train(spec, bench, seed)
            bench.finish_curve(seed)
        figures = {name: value for name, value in method.evaluate(spec, bench).items() if isfinite(value)}
        part = bench.folder / f"{FIGURES}.part"
        part.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        os.replace(part, bench.folder / FIGURES)
    return figures


def figures_of(bench: Workbench) -> dict[str, float]:
    """The figures of a product that was trained.

    Raises:
        TrainingError: it was not trained yet.
    """
    path = bench.folder / FIGURES
    if not path.is_file():
        raise TrainingError(f"{path}: not there; train it first: ecosim models train {bench.role}/{bench.product}")
    return dict(json.loads(path.read_text(encoding="utf-8")))
