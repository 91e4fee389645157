"""Recipes: how the trained minds of a role are made, as data (`agents/<role>/recipe.yaml`); one command rebuilds them.

```yaml
role: distributor
seeds: {world: 5000, mind: 1, train: [1, 2, 3, 4, 5]}   # kept apart; the first of `train` is the one that is shipped
nano:                       # a product: the grade that it fills in the card's `weights`
  method: distil            # see ecosim.training.methods; the other keys are the method's own
  …
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import Field, create_model

from ecosim import catalog, strict
from ecosim.catalog import Entry
from ecosim.errors import CatalogError, printable
from ecosim.faults import checked
from ecosim.training.methods import METHODS, Method, method

FILE = "recipe.yaml"


class Seeds(Entry):
    """The three kinds of chance in a recipe: worlds that are played, draws of minds, and training.

    Attributes:
        world: the first world seed of what is played for training.
        mind: the first mind seed.
        train: a network is trained with each; the first is the one that is shipped.
    """

    world: Annotated[int, Field(ge=0)] = 1
    mind: Annotated[int, Field(ge=0)] = 1
    train: Annotated[list[int], Field(min_length=1)] = Field(default_factory=lambda: [1])


@dataclass(frozen=True, slots=True)
class Recipe:
    """A recipe as read.

    Attributes:
        role: the folder's name.
        path: its file.
        products: by name, what its method makes of the entry.
    """

    role: str
    path: Path
    seeds: Seeds
    products: Mapping[str, Any]

    def method(self, product: str) -> Method:
        """The module that makes a product."""
        return method(self.products[product].method)


def names() -> list[str]:
    """All products that there are recipes for, as `role/product`."""
    return [f"{role}/{product}" for role in roles() for product in read(role).products]


def roles() -> list[str]:
    """The folders of the catalogue that have a recipe."""
    return sorted(path.parent.name for path in (catalog.root() / "agents").glob(f"*/{FILE}"))


def read(role: str) -> Recipe:
    """The recipe of a role, with all its faults at once.

    Raises:
        CatalogError: no such recipe, an unknown method, or any number of unknown keys and impossible values.
    """
    path = catalog.root() / "agents" / role / FILE
    if role not in roles():
        raise CatalogError(
            f"{catalog.root() / 'agents'}: no recipe for {role!r}; known: {', '.join(roles()) or 'none'}"
        )
    return read_file(path)


def read_file(path: Path) -> Recipe:
    """The recipe in a file; as `read`."""
    document = strict.read(path)
    if not document.is_whole:
        raise CatalogError("\n".join(map(printable, document.tell())))
    entries = {name: entry for name, entry in document.data.items() if name not in ("role", "seeds")}
    faults = [
        ((name,), f"{name}: needs a method: {', '.join(METHODS)}")
        for name, entry in entries.items()
        if not isinstance(entry, dict) or entry.get("method") not in METHODS
    ]
    if faults or not entries:
        none = [((), "no product; name one, such as nano, with its method")]
        raise CatalogError("\n".join(map(printable, document.tell(faults or none))))
    kinds: dict[str, Any] = {name: (method(entry["method"]).Spec, ...) for name, entry in entries.items()}
    whole = create_model("RecipeFile", __base__=Entry, role=(str, ...), seeds=(Seeds, Seeds()), **kinds)
    found, wrong = checked(cast(Any, whole), document)
    if found is not None and found.role != path.parent.name:
        wrong = [*wrong, (("role",), f"role: must be the folder's name {path.parent.name!r}, got {found.role!r}")]
    if found is None or wrong or document.faults:
        raise CatalogError("\n".join(map(printable, document.tell(wrong))))
    return Recipe(found.role, path, found.seeds, {name: getattr(found, name) for name in entries})


def split(name: str) -> tuple[str, tuple[str, ...]]:
    """`role/product` or `role` as the role and its products.

    Raises:
        CatalogError: no such recipe, or no such product in it.
    """
    role, _, product = name.partition("/")
    found = read(role)
    if product and product not in found.products:
        raise CatalogError(f"{found.path}: no product {product!r}; it has {', '.join(found.products)}")
    return role, (product,) if product else tuple(found.products)
