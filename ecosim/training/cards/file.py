"""Writing into a role's card: its defaults and scores, in place, with everything else left as people wrote it.

A card is a file for people, with comments and an order of its own. So only the lines of one key are replaced, the whole
is read again as a card before it takes the old one's place, and a fault leaves the old one as it was.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
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
    """Write figures of a grade of weights beside those that it has; as `set_weights`."""
    weights = _weights(path, grade)
    set_weights(path, grade, {"scores": {**weights.get("scores", {}), **scores}})


def set_weights(path: Path, grade: str, known: Mapping[str, Any]) -> None:
    """Write what is known of a grade of weights, key by key; other keys stay.

    Raises:
        CatalogError: the card has no such weights, or would not be a card any more.
    """
    weights = _weights(path, grade)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    start, end = _block(lines, "weights:", 0, len(lines))
    first, last = _block(lines, f"  {grade}:", start + 1, end)
    if first == last:
        raise CatalogError(f"{path}: weights.{grade}: expected on a line of its own, two spaces in")
    comment = re.search(r"\s+#.*$", lines[first].rstrip("\n")) if "{" not in lines[first] else None
    text = yaml.safe_dump({**weights, **known}, sort_keys=False, allow_unicode=True, width=110)
    new = [f"  {grade}:{comment[0] if comment else ''}\n", *(f"    {line}\n" for line in text.splitlines())]
    _put(path, [*lines[:first], *new, *lines[last:]])


def _weights(path: Path, grade: str) -> dict[str, Any]:
    card = catalog.read_card(path)
    if grade not in card.weights:
        raise CatalogError(f"{path}: weights: no {grade!r}; the card has {', '.join(card.weights) or 'none'}")
    return card.weights[grade].model_dump(mode="json", exclude_unset=True)


def _set(path: Path, key: str, value: Any) -> None:
    """Replace the lines of a top-level key, or put it in."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    flow = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True).strip()
    start, end = _block(lines, f"{key}:", 0, len(lines))
    if start == end:
        if not value:
            return
        start = end = next(i for i, line in enumerate(lines) if line.startswith(f"{_BEFORE}:"))
    _put(path, [*lines[:start], f"{key}: {flow}\n", *lines[end:]])


def _block(lines: Sequence[str], key: str, start: int, end: int) -> tuple[int, int]:
    """Where a key's lines begin and end: until the next line that is not deeper in; empty if it is not there."""
    depth = len(key) - len(key.lstrip())
    first = next((i for i in range(start, end) if lines[i].startswith(key)), None)
    if first is None:
        return end, end
    last = first + 1
    while last < end and re.match(rf" {{{depth + 1},}}\S", lines[last]):
        last += 1
    return first, last


def _put(path: Path, lines: Sequence[str]) -> None:
    """Write a card in the place of the old one, if it is one."""
    beside = path.parent / ".card.yaml.new"
    beside.write_text("".join(lines), encoding="utf-8")
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
