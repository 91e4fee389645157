"""Several adapters in one seat: the catalogue's entry for them becomes the recipe of one mind.

All adapters live in one pool over one base model; each row of a question has the one that its own column names, and
rows of several adapters share a batch.
"""

from __future__ import annotations

from ecosim.catalog import Card
from ecosim.errors import CatalogError
from ecosim.minds.recipe import Recipe
from ecosim.models.adapter import WEIGHTS
from ecosim.models.load import Numerics
from ecosim.wheels import sha256_of
from ecosim.words import Mind


def mixed(
    card: Card, grade: str, chooser: Mind | None, numerics: Numerics = "reproducible", batch_limit: int | None = None
) -> Recipe:
    """The recipe of a card's mixed weights.

    Args:
        grade: of the weights in the card; also how the mind is called.
        chooser: who settles the fields before the first text, as the card's `chooser` says.

    Raises:
        CatalogError: an adapter is missing, or is not the one that the card names.
    """
    weights = card.weights[grade]
    assert weights.mixed is not None
    folders = {text: card.folder / name for text, name in weights.mixed.folders.items()}
    for text, folder in folders.items():
        path = folder / WEIGHTS
        if not path.is_file():
            raise CatalogError(f"{path}: not there; train it: ecosim models train {card.role}/{grade}")
        found, pinned = sha256_of(path), weights.mixed.sha256[text]
        if found != pinned:
            raise CatalogError(
                f"{path}: SHA-256 is {found[:12]}…, the card says {pinned[:12]}…: other weights, or a damaged file; "
                f"get the file again, or train it: ecosim models train {card.role}/{grade}"
            )
    return Recipe(
        name=grade,
        grade=grade,
        asks=grade,
        roles=(card.role,),
        base=weights.model,
        adapters={text: str(folder) for text, folder in folders.items()},
        by=weights.mixed.column,
        chooser=chooser,
        numerics=numerics,
        batch_limit=batch_limit,
    )
