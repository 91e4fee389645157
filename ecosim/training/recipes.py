"""Recipes: how the trained minds of a role are made, as data (`agents/<role>/recipe.yaml`); one command rebuilds them.

```yaml
role: distributor
seeds: {world: 5000, mind: 1, train: [1, 2, 3, 4, 5]}   # kept apart; the first of `train` is the one that is shipped
nano:                       # a product: the grade that it fills in the card's `weights`
  method: distil            # see ecosim.training.methods; the other keys are the method's own
  …
card: {nano: …}             # how a product is examined, and what its gate demands: see ecosim.training.cards.grading
gate: {nano: …}
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import Field, create_model

from ecosim import catalog, strict
from ecosim.catalog import Entry
from ecosim.document import Fault
from ecosim.errors import CatalogError, printable
from ecosim.faults import checked
from ecosim.training.cards.grading import Gate, Grading
from ecosim.training.methods import METHODS, Method, method

FILE = "recipe.yaml"
_OTHERS = ("role", "seeds", "card", "gate")
"""Keys of a recipe that are no products."""


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
        cards: how a product is examined, by its name.
        gates: what it must keep to, by its name.
    """

    role: str
    path: Path
    seeds: Seeds
    products: Mapping[str, Any]
    cards: Mapping[str, Grading] = field(default_factory=dict)
    gates: Mapping[str, Gate] = field(default_factory=dict)

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
    entries = {name: entry for name, entry in document.data.items() if name not in _OTHERS}
    faults = [
        ((name,), f"{name}: needs a method: {', '.join(METHODS)}")
        for name, entry in entries.items()
        if not isinstance(entry, dict) or entry.get("method") not in METHODS
    ]
    if faults or not entries:
        none = [((), "no product; name one, such as nano, with its method")]
        raise CatalogError("\n".join(map(printable, document.tell(faults or none))))
    kinds: dict[str, Any] = {name: (method(entry["method"]).Spec, ...) for name, entry in entries.items()}
    kinds |= {"card": (dict[str, Grading], {}), "gate": (dict[str, Gate], {})}
    whole = create_model("RecipeFile", __base__=Entry, role=(str, ...), seeds=(Seeds, Seeds()), **kinds)
    found, wrong = checked(cast(Any, whole), document)
    if found is not None:
        wrong = [*wrong, *_strangers("card", found.card, entries), *_strangers("gate", found.gate, found.card)]
    if found is not None and found.role != path.parent.name:
        wrong = [*wrong, (("role",), f"role: must be the folder's name {path.parent.name!r}, got {found.role!r}")]
    if found is None or wrong or document.faults:
        raise CatalogError("\n".join(map(printable, document.tell(wrong))))
    made = {name: getattr(found, name) for name in entries}
    return Recipe(found.role, path, found.seeds, made, found.card, found.gate)


def _strangers(key: str, given: Mapping[str, object], known: Mapping[str, object]) -> list[Fault]:
    """Sections for products that there are not."""
    return [
        ((key, name), f"{key}.{name}: no such product; known: {', '.join(known) or 'none'}")
        for name in given
        if name not in known
    ]


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
