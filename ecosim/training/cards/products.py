"""From a recipe's product to the minds that are examined: what ships, its other trainings, and its teacher.

A method may say more of its products by two functions of its own, beside those that it must have:

* `minds(spec, bench) -> {training seed: Mind}`, the first of which ships; by default the weights in the card, and those
  of the other training seeds from the folders in which they were made;
* `teacher(spec, bench) -> Mind`, for whom the product stands; by default the scripted mind that the recipe names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ecosim import catalog
from ecosim.errors import CatalogError
from ecosim.minds.nano import NanoMind
from ecosim.minds.scripted import Experts
from ecosim.minds.seats import SCRIPTED
from ecosim.training import recipes
from ecosim.training.cards.asking import scripted, side_of
from ecosim.training.cards.grading import Grading
from ecosim.training.cards.report_card import Product
from ecosim.training.making import bench_of
from ecosim.training.workbench import Workbench
from ecosim.words import Mind


def find(role: str, name: str, out: Path | None = None) -> Product:
    """A product, ready to be examined.

    Args:
        out: where it was made; the user's cache if not said.

    Raises:
        CatalogError: there are no weights of it, or no section `card` of the recipe.
    """
    recipe, card = recipes.read(role), catalog.card(role)
    if name not in recipe.cards:
        raise CatalogError(f"{recipe.path}: card.{name}: missing: say how {role}/{name} is to be examined")
    if name not in card.weights or card.weights[name].adapter is None:
        raise CatalogError(
            f"{card.folder / 'card.yaml'}: weights: no file of {name!r}; train it, and put it into the catalogue"
        )
    grading, weights = recipe.cards[name], card.weights[name]
    bench, spec, method = bench_of(recipe, name, out), recipe.products[name], recipe.method(name)
    phases = tuple(phase for phase in grading.questions if not weights.answers or phase in weights.answers)
    files = _files(card, name, bench)
    own_minds, own_teacher = getattr(method, "minds", None), getattr(method, "teacher", None)
    is_nano = weights.model == catalog.NANO
    minds: Mapping[int, Mind]
    if own_minds is not None:
        minds = own_minds(spec, bench)
    else:
        made: Any = _nano if is_nano else _language
        minds = {seed: made(role, name, weights, path) for seed, path in files.items()}
    teacher = own_teacher(spec, bench) if own_teacher is not None else _scripted(role, phases, grading)
    shipped = next(iter(files.values()))
    return Product(
        role=role,
        name=name,
        grade=next(iter(minds.values())).grade,
        minds=minds,
        teacher=teacher,
        parameters=_parameters(shipped),
        num_bytes=sum(path.stat().st_size for path in _weights_in(shipped)),
        phases=phases,
        sha256=weights.sha256,
    )


def _scripted(role: str, phases: Sequence[str], grading: Grading) -> Mind:
    return scripted(role, {phase: grading.questions[phase].teacher or grading.teacher for phase in phases})


def _files(card: catalog.Card, name: str, bench: Workbench) -> dict[int, Path]:
    """The weights by training seed: what ships first, then what lies in the folders of the other seeds."""
    first, *others = bench.seeds.train
    shipped, _ = card.file(name)
    found = {first: shipped}
    for seed in others:
        folder = bench.seed_folder(seed)
        same = folder / shipped.name
        if same.exists():
            found[seed] = same
    return found


def _nano(role: str, name: str, weights: catalog.Weights, path: Path) -> Mind:
    """As in a seat: what a network can't write, the scripted minds write for it."""
    experts = {question: known[SCRIPTED] for question, known in side_of(role).experts.items() if SCRIPTED in known}
    return NanoMind({role: (path, None)}, name, Experts(SCRIPTED, experts))


def _language(role: str, name: str, weights: catalog.Weights, path: Path) -> Mind:
    from ecosim.minds.recipe import Pool, Recipe
    from ecosim.models.load import load

    folder = path if path.is_dir() else path.parent
    recipe = Recipe(name=name, grade="specialist", roles=(role,), base=weights.model, adapter=str(folder))
    return Pool({0: recipe}, load).minds[0]


def _weights_in(path: Path) -> list[Path]:
    """The safetensors of a product, a file or a folder."""
    return sorted(path.glob("*.safetensors")) if path.is_dir() else [path]


def _parameters(path: Path) -> int:
    """How many numbers were learnt."""
    from math import prod

    from safetensors import safe_open

    total = 0
    for file in _weights_in(path):
        with safe_open(file, "np") as tensors:
            total += sum(prod(tensors.get_slice(name).get_shape()) for name in tensors.keys())  # noqa: SIM118
    return total
