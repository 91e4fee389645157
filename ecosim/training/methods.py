"""The ways in which minds are made, by name; each is a module of the same three functions."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from ecosim.errors import CatalogError

if TYPE_CHECKING:
    from ecosim.catalog import Entry
    from ecosim.training.workbench import Workbench

METHODS = {
    "distil": "ecosim.training.imitation.distil",
    "play": "ecosim.training.play.method",
    "search": "ecosim.training.foresight.search",
    "labels": "ecosim.training.adapters.labels",
    "reader": "ecosim.training.reading.method",
    "writer": "ecosim.training.writing.writers",
}


class Method(Protocol):
    """What a module of a method offers; `Spec` is the pydantic class of its recipes."""

    Spec: type[Entry]

    def data(self, spec: Any, bench: Workbench) -> None:
        """Make what is learnt from, and what is held out, below `bench.folder / "data"`."""

    def train(self, spec: Any, bench: Workbench, seed: int) -> None:
        """Train with one seed; goes on where it was stopped. The result lies in `bench.seed_folder(seed)`."""

    def evaluate(self, spec: Any, bench: Workbench) -> Mapping[str, float]:
        """Figures of what was trained, on what was held out."""


def method(name: str) -> Method:
    """The module of a method.

    Raises:
        CatalogError: there is none of that name.
    """
    if name not in METHODS:
        raise CatalogError(f"method {name!r}: unknown; known: {', '.join(METHODS)}")
    return cast(Method, import_module(METHODS[name]))
