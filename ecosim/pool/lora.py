"""Adapters at work: each row of a batch corrected by its own adapter, or by none.

The base model is never changed: hooks stand on its linear layers for the time of one forward. A correction is computed
row by row, as batched products (width, in)·(in, rank)·(rank, out) whose shapes depend on the row alone, and added to
that row's output; the other rows keep the bits that they have without adapters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ecosim.models.adapter import Adapter, fit
from ecosim.models.load import LanguageModel

if TYPE_CHECKING:
    import torch

_MIN_ROWS = 2  # one row of one token takes another path through the batched product than a row among others


class Lora:
    """An adapter on the device of a model, ready to multiply.

    Attributes:
        digest: of all that its answers depend on.
        flops: operations for each token.

    Raises:
        CatalogError: it was made for another model.
    """

    def __init__(self, adapter: Adapter, language: LanguageModel) -> None:
        fit(adapter, language.model)
        weight = language.model.lm_head.weight
        self.adapter = adapter
        self.digest = bytes.fromhex(adapter.fingerprint)
        self.flops = 2 * adapter.num_parameters
        self.layers: dict[str, tuple[torch.Tensor, torch.Tensor]] = {
            name: (a.to(weight).T.contiguous(), (b.float() * adapter.scaling).to(weight).T.contiguous())
            for name, (a, b) in adapter.layers.items()
        }


@contextmanager
def applied(language: LanguageModel, loras: Sequence[Lora | None]) -> Iterator[None]:
    """Forwards meanwhile have the adapter of each row; `loras` says which, in the order of the batch."""
    runs = _runs(loras)
    by_layer: dict[str, list[tuple[slice, torch.Tensor, torch.Tensor]]] = {}
    for rows, lora in runs:
        for name, (a, b) in lora.layers.items():
            by_layer.setdefault(name, []).append((rows, a, b))
    with ExitStack() as hooks:
        for name, parts in by_layer.items():
            hook = language.model.get_submodule(name).register_forward_hook(_correction(parts))
            hooks.callback(hook.remove)
        yield


def _runs(loras: Sequence[Lora | None]) -> list[tuple[slice, Lora]]:
    """Stretches of rows with one adapter."""
    found, first = [], 0
    for lora, group in groupby(loras):
        end = first + len(list(group))
        if lora is not None:
            found.append((slice(first, end), lora))
        first = end
    return found


def _correction(parts: Sequence[tuple[slice, torch.Tensor, torch.Tensor]]) -> Any:
    """A hook that adds the adapters' share to what a linear layer gives."""

    def hook(_: object, inputs: tuple[torch.Tensor], output: torch.Tensor) -> torch.Tensor:
        for rows, a, b in parts:
            output[rows] += _product(inputs[0][rows], a, b)
        return output

    return hook


def _product(x: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """x·a·b for each row of x (rows, width, in), by the same path for one row as for many."""
    rows = max(len(x), _MIN_ROWS)
    many = x if len(x) == rows else x.expand(rows, -1, -1)
    low = many.bmm(a.expand(rows, -1, -1))
    return low.bmm(b.expand(rows, -1, -1))[: len(x)]
