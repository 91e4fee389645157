"""A language mind as data: what it takes to make it in any process, and the pool that makes and holds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ecosim import catalog
from ecosim.errors import CatalogError
from ecosim.minds.by_field import ByField
from ecosim.minds.cascade import Cascade
from ecosim.minds.host import Host
from ecosim.words import Mind

if TYPE_CHECKING:
    from ecosim.models.load import LanguageModel, Numerics
    from ecosim.pool.engine import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to make a language mind.

    Attributes:
        name: how scenarios call it; "" names it by its size (`untrained-135M`).
        grade: its rung on the ladder.
        roles: whose cards it holds.
        base: the base model: a name of the catalogue, `hf:owner/name@revision` or `path:/folder`.
        adapter: a folder with a LoRA adapter in PEFT's format; "" for none.
        adapters: more such folders, for rows whose text in `by` names one.
        by: the column that says which of `adapters` answers a row.
        chooser: who settles the fields before the first Text (see `minds.by_field`); None: the language mind itself.
        asks: the grade of the cards' weights whose own way of asking is used; "" for everyone's.
        numerics: `reproducible` or `fast`.
        batch_limit: most rows in a batch; None leaves it to the token budget. Answers don't depend on it.
        first: of a cascade, the mind that is asked before; the language model is asked where it is in doubt.
        threshold: margins of the first mind that are under it are doubt.
    """

    name: str = ""
    grade: str = "untrained"
    roles: tuple[str, ...]
    base: str
    adapter: str = ""
    adapters: Mapping[str, str] = field(default_factory=dict)
    by: str = ""
    chooser: Mind | None = None
    asks: str = ""
    numerics: Numerics = "reproducible"
    batch_limit: int | None = None
    first: Mind | None = None
    threshold: float = 0.0

    @property
    def folders(self) -> list[str]:
        """The folders of all its adapters, each once."""
        return sorted({self.adapter, *self.adapters.values()} - {""})

    def make(self, engine: Engine) -> Mind:
        """The mind, over an engine that holds its base, and its adapters by their own names."""
        from ecosim.minds.language import ByColumn, LanguageMind

        cards = {role: catalog.card(role).asking(self.asks) for role in self.roles}
        size = round(engine.language.record.num_parameters / 1e6)
        adapters = ByColumn(self.by, self.adapters) if self.adapters else None
        if self.first is None:
            name = self.name or f"{self.grade}-{size}M"
            mind = LanguageMind(
                cards, engine, name=name, grade=self.grade, adapter=self.adapter or None, adapters=adapters
            )
            return mind if self.chooser is None else ByField(self.chooser, mind, name=name, grade=self.grade)
        grade = "specialist" if self.adapter else "untrained"
        second = LanguageMind(cards, engine, name=f"{grade}-{size}M", grade=grade, adapter=self.adapter or None)
        return Cascade(self.name, self.first, second, self.threshold)


def cascade(name: str, first: Mind | Recipe, second: Mind | Recipe, threshold: float) -> Mind | Recipe:
    """A cascade of two minds; where the second is yet to be made, how to make it.

    Raises:
        CatalogError: the first is a language model.
    """
    if isinstance(first, Recipe):
        raise CatalogError(f"cascade {name!r}: the first mind must be a nano mind, not a language model")
    if isinstance(second, Recipe):
        return replace(second, name=name, grade=Cascade.grade, first=first, threshold=threshold)
    return Cascade(name, first, second, threshold)


Load = Callable[[str, "Numerics"], "LanguageModel"]
FolderOf = Callable[[str], Path]


class Pool(Host):
    """A host of language minds: each base model once, its adapters, one batch after another.

    Args:
        recipes: by mind code.
        load: gives a base model by name and numerics.
        folder_of: where the files of an adapter lie in this process.
    """

    def __init__(self, recipes: Mapping[int, Recipe], load: Load, folder_of: FolderOf = Path) -> None:
        from ecosim.models import adapter as adapters
        from ecosim.pool.engine import Engine

        engines: dict[tuple[str, Numerics, int | None], Engine] = {}
        minds = {}
        for code, recipe in recipes.items():
            key = (recipe.base, recipe.numerics, recipe.batch_limit)
            if key not in engines:
                engines[key] = Engine(load(recipe.base, recipe.numerics), recipe.batch_limit)
            for folder in recipe.folders:
                found = adapters.read(folder_of(folder))
                engines[key].add_adapter(folder, replace(found, source=folder))
            minds[code] = recipe.make(engines[key])
        super().__init__(minds)
