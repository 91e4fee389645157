"""Layouts: how nano networks read and answer a question, in `agents/layouts/<phase>.yaml`, shared by roles."""

from __future__ import annotations

from pathlib import Path

from ecosim import catalog, strict
from ecosim.errors import CatalogError
from ecosim.faults import checked
from ecosim.models.nano.spec import QuestionSpec


def layout(name: str) -> QuestionSpec:
    """The layout of a name.

    Raises:
        CatalogError: there is none, or any number of faults in its file, one a line.
    """
    folder = catalog.root() / "agents" / "layouts"
    path = folder / f"{name}.yaml"
    if not name.isidentifier() or not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.yaml")))
        raise CatalogError(f"{folder}: no layout {name!r}; known: {known}")
    return read_layout(path)


def read_layout(path: Path) -> QuestionSpec:
    """The layout in a file.

    Raises:
        CatalogError: not a readable YAML file, or any number of faults, one a line.
    """
    document = strict.read(path)
    found, faults = checked(QuestionSpec, document) if document.is_whole else (None, [])
    if found is None or faults or document.faults:
        raise CatalogError("\n".join(document.tell(faults)))
    return found
