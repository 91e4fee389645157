"""What rows have read so far: keys and values of each layer, and which of them a row may look at."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from ecosim.fields import Array
from ecosim.pool.lora import Lora

if TYPE_CHECKING:
    import torch
    from transformers import DynamicCache, PreTrainedConfig


@dataclass(frozen=True, slots=True)
class Past:
    """The memory of a batch; that of a prefix has one row, which `take` spreads without a copy.

    Attributes:
        layers: keys and values, (rows, heads, keys, size) each.
        seen: bool (rows, keys).
        position: of the next token, int64 (rows,).
    """

    layers: Sequence[tuple[torch.Tensor, torch.Tensor]]
    seen: Array
    position: Array

    @property
    def num_keys(self) -> int:
        """Slots of keys, those that a row may not look at included."""
        return int(self.seen.shape[1])

    def take(self, rows: Sequence[int]) -> Past:
        """The memory of some rows; all of them in order, or any number from a prefix, is not a copy."""
        import torch

        if len(self.position) == 1:
            spread = [(k.expand(len(rows), -1, -1, -1), v.expand(len(rows), -1, -1, -1)) for k, v in self.layers]
            return Past(spread, self.seen.repeat(len(rows), axis=0), self.position.repeat(len(rows)))
        if list(rows) == list(range(len(self.position))):
            return self
        index = torch.tensor(rows, device=self.layers[0][0].device)
        return Past([(k[index], v[index]) for k, v in self.layers], self.seen[rows], self.position[rows])

    def cache(self, config: PreTrainedConfig) -> DynamicCache:
        """The memory as transformers wants it."""
        from transformers import DynamicCache

        cache = DynamicCache(config=config)
        for i, (keys, values) in enumerate(self.layers):
            layer = cache.layers[i]
            layer.lazy_initialization(keys, values)
            layer.keys, layer.values = keys, values
        return cache


Place = tuple[Past, int]
"""Where one row's memory is: a batch's, and the row in it."""


def gather(places: Sequence[Place]) -> Past:
    """The memory of a new batch from where its rows' memories are; all must have the same number of keys."""
    import torch

    runs = [list(run) for _, run in groupby(places, key=lambda place: id(place[0]))]
    parts = [run[0][0].take([row for _, row in run]) for run in runs]
    if len(parts) == 1:
        return parts[0]
    layers = [
        (torch.cat([keys for keys, _ in layer]), torch.cat([values for _, values in layer]))
        for layer in zip(*(part.layers for part in parts), strict=True)
    ]
    seen, position = (np.concatenate([getattr(part, name) for part in parts]) for name in ("seen", "position"))
    return Past(layers, seen, position)


class Prefixes:
    """The memory of shared prefixes by adapter and token ids; the least recently used go first."""

    def __init__(self, compute: Callable[[tuple[int, ...], Lora | None], Past], limit: int = 32) -> None:
        self._compute = compute
        self._limit = limit
        self._kept: OrderedDict[tuple[bytes, tuple[int, ...]], Past] = OrderedDict()

    def get(self, ids: tuple[int, ...], lora: Lora | None) -> tuple[Past, bool]:
        """A prefix's memory, and whether it was there already."""
        key = (lora.digest if lora else b"", ids)
        was_there = key in self._kept
        past = self._kept.pop(key) if was_there else self._compute(ids, lora)
        self._kept[key] = past
        if len(self._kept) > self._limit:
            self._kept.popitem(last=False)
        return past, was_there


def empty_seen(rows: int) -> Array:
    """No earlier keys."""
    return np.zeros((rows, 0), bool)
