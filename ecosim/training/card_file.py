"""Writing into a role's card: its defaults and scores, in place, with everything else left as people wrote it.

A card is a file for people, with comments and an order of its own. So only the lines of one key are replaced, the whole
is read again as a card before it takes the old one's place, and a fault leaves the old one as it was.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ecosim import catalog
from ecosim.errors import CatalogError

_BEFORE = "questions"
"""A key that is not there yet goes before this one."""


def set_default(path: Path, default: Mapping[str, str]) -> None:
    """Write who answers by default, by phase.

    Raises:
        CatalogError: the card would not be one any more.
    """
    _set(path, "default", dict(sorted(default.items())))


def set_scores(path: Path, grade: str, scores: Mapping[str, float]) -> None:
    """Write the figures of a grade of weights.

    Raises:
        CatalogError: the card has no such weights, or would not be a card any more.
    """
    card = catalog.read_card(path)
    if grade not in card.weights:
        raise CatalogError(f"{path}: weights: no {grade!r}; the card has {', '.join(card.weights) or 'none'}")
    weights = {name: w.model_dump(mode="json", exclude_unset=True) for name, w in card.weights.items()}
    weights[grade]["scores"] = dict(scores)
    _set(path, "weights", weights)


def _set(path: Path, key: str, value: Any) -> None:
    """Replace the lines of a top-level key, or put it in."""
    text = path.read_text(encoding="utf-8")
    flow = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True).strip()
    block = yaml.safe_dump({key: value}, sort_keys=False, allow_unicode=True, width=110)
    new = f"{key}: {flow}\n" if not value or key == "default" else block
    lines = text.splitlines(keepends=True)
    start = next((i for i, line in enumerate(lines) if line.startswith(f"{key}:")), None)
    if start is None:
        if not value:
            return
        start = next(i for i, line in enumerate(lines) if line.startswith(f"{_BEFORE}:"))
        new, end = (new if key == "default" else new + "\n"), start
    else:
        end = start + 1
        while end < len(lines) and re.match(r"[ \t]+\S", lines[end]):
            end += 1
    changed = "".join([*lines[:start], new, *lines[end:]])
    if changed == text:
        return
    beside = path.parent / ".card.yaml.new"
    beside.write_text(changed, encoding="utf-8")
    try:
        _check(beside, path)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def _check(beside: Path, path: Path) -> None:
    """Raise unless the new file is a card."""
    try:
        catalog.read_card(beside)
    except CatalogError as error:
        raise CatalogError(str(error).replace(str(beside), str(path))) from error
