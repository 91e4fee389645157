"""Putting what was trained into the catalogue: what `ecosim models ship` does.

The weights of one training seed take the place of the shipped ones, and every card that names the file (a reader serves
several roles) gets their hash, which seed they are of, and the figures that their method measured. What a card knew of
the weights before is forgotten, with the defaults that they had passed the gate for: `card` and `gate` come next.
"""

from __future__ import annotations

import json
import os
import shutil
from fnmatch import fnmatchcase
from pathlib import Path

from ecosim import catalog
from ecosim.errors import CatalogError, TrainingError
from ecosim.models.adapter import WEIGHTS
from ecosim.training import recipes
from ecosim.training.cards.file import set_default, set_weights
from ecosim.training.making import FIGURES, bench_of
from ecosim.training.workbench import Workbench, no_room
from ecosim.wheels import sha256_of


def ship(which: str, seed: int | None = None, out: Path | None = None) -> dict[Path, str]:
    """Ship a product (`role/product`); gives the SHA-256 of each file that is in the catalogue now.

    Args:
        seed: whose weights; the recipe's first training seed if not said.
        out: where it was made; the user's cache if not said.

    Raises:
        CatalogError: no such recipe, or no card that names the file.
        TrainingError: it was not trained with that seed, or the disk is full.
    """
    role, products = recipes.split(which)
    if len(products) != 1:
        raise CatalogError(f"{which}: say which product: {', '.join(f'{role}/{name}' for name in products)}")
    recipe, product = recipes.read(role), products[0]
    bench, seed = bench_of(recipe, product, out), recipe.seeds.train[0] if seed is None else seed
    weights = bench.adapter(seed) if bench.adapter(seed).is_dir() else bench.network(seed)
    made = [weights, *(bench.seed_folder(seed) / name for name in getattr(recipe.method(product), "BESIDE", ()))]
    if missing := [path for path in made if not path.exists()]:
        raise TrainingError(f"{missing[0]}: not there; train it first: ecosim models train {which} --seed {seed}")
    goals = [bench.agent / path.name for path in made]
    named = _named(goals[0])
    if not named:
        raise CatalogError(f"{goals[0]}: no card names it; say so under `weights` of agents/{role}/card.yaml")
    for source, goal in zip(made, goals, strict=True):
        _put(source, goal)
    digest = _hash(goals[0])
    known = {"training": f"{which}, seed {seed}", "sha256": digest, "scores": _scores(bench, recipe.method(product))}
    for card, grade in named:
        path = card.folder / "card.yaml"
        set_weights(path, grade, known)
        set_default(path, {phase: name for phase, name in card.default.items() if name != grade})
    return {goal: _hash(goal) for goal in goals}


def _named(goal: Path) -> list[tuple[catalog.Card, str]]:
    """The cards, and the grades in them, whose weights lie in a file or folder."""
    return [
        (card, grade)
        for card in catalog.cards().values()
        for grade, weights in card.weights.items()
        if weights.adapter is not None and (card.folder / weights.adapter).resolve() == goal.resolve()
    ]


def _put(source: Path, goal: Path) -> None:
    """A copy in the place of what was there, whole or not at all."""
    new = goal.with_name(f".{goal.name}.new")
    with no_room(goal):
        try:
            if source.is_dir():
                shutil.rmtree(new, ignore_errors=True)
                shutil.copytree(source, new)
                shutil.rmtree(goal, ignore_errors=True)
            else:
                shutil.copyfile(source, new)
            os.replace(new, goal)
        finally:
            shutil.rmtree(new, ignore_errors=True)
            new.unlink(missing_ok=True)


def _hash(path: Path) -> str:
    return sha256_of(path / WEIGHTS if path.is_dir() else path)


def _scores(bench: Workbench, method: object) -> dict[str, float]:
    """The figures of the last training that fit one of its method's `HEADLINES` (`*` for anything), to four digits."""
    path = bench.folder / FIGURES
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    wanted = getattr(method, "HEADLINES", ())
    return {n: float(f"{value:.4g}") for n, value in found.items() if any(fnmatchcase(n, one) for one in wanted)}
