"""The model itself: forwards over packed rows, and heads over hidden states, counted and timed as they go.

What is kept for `reproducible` numerics, and tested: at least `_MIN_HEADS` rows through a head, filled with copies (a
single row takes another path through the matrix product); `log_softmax` (the last bit of logsumexp depends on the
batch); adapters row by row (see `lora`).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.fields import Array
from ecosim.models.load import LanguageModel
from ecosim.pool.batches import Batch, Batches
from ecosim.pool.lora import Lora, applied
from ecosim.pool.pack import Packed
from ecosim.pool.past import Past, empty_seen
from ecosim.pool.stats import Cost, Stats

if TYPE_CHECKING:
    import torch

_MIN_HEADS = 16
_MAX_HEADS = 512  # logits of that many positions at a time


class Decoder:
    """A causal language model that reads behind what was read.

    Attributes:
        stats, batches: what it did.
        cost: its analytic operations.
    """

    def __init__(self, language: LanguageModel) -> None:
        self.language = language
        self.stats = Stats()
        self.batches = Batches()
        self.cost = _cost(language)

    def forward(
        self, ids: Array, positions: Array, sees: Array, past: Past, loras: Sequence[Lora | None] = ()
    ) -> tuple[torch.Tensor, Past]:
        """Hidden states (rows, width, size), and the keys and values with the new ones behind (`seen` not yet)."""
        import torch

        start = perf_counter()
        mask = self.mask(sees)
        device = self.language.device
        cache = past.cache(self.language.model.config)
        with torch.inference_mode(), applied(self.language, loras) if any(loras) else nullcontext():
            hidden: torch.Tensor = self.language.model.model(
                torch.from_numpy(ids).to(device),
                attention_mask=mask,
                position_ids=torch.from_numpy(positions).to(device),
                past_key_values=cache,
                use_cache=True,
            ).last_hidden_state
        self.stats.batches += 1
        self.stats.model_seconds += perf_counter() - start
        return hidden, Past([(layer.keys, layer.values) for layer in cache.layers], past.seen, past.position)

    def mask(self, sees: Array) -> torch.Tensor:
        """What is added to attention logits: 0 where a token looks, the lowest number where it does not."""
        import torch

        dtype = self.language.model.dtype
        hide = torch.from_numpy(~sees[:, None]).to(self.language.device)
        return torch.zeros(hide.shape, dtype=dtype, device=hide.device).masked_fill_(hide, torch.finfo(dtype).min)

    def read(self, packed: Packed, past: Past, loras: Sequence[Lora | None]) -> tuple[torch.Tensor, Past]:
        """One forward; afterwards a row may look at its text, not at the options."""
        hidden, after = self.forward(packed.ids, packed.positions, packed.sees, past, loras)
        lengths = packed.last + 1
        is_text = np.arange(packed.ids.shape[1]) < lengths[:, None]
        return hidden, Past(after.layers, np.concatenate([past.seen, is_text], axis=1), past.position + lengths)

    def read_prefix(self, ids: tuple[int, ...], lora: Lora | None) -> Past:
        """The memory of a shared prefix, one row."""
        start, n = perf_counter(), len(ids)
        nothing = Past([], empty_seen(1), np.zeros(1, np.int64))
        _, past = self.forward(
            np.array([ids], np.int64), np.arange(n)[None], np.tri(n, dtype=bool)[None], nothing, [lora]
        )
        flops = self.cost.of(n, n * (n + 1) // 2, 0) + (lora.flops * n if lora else 0)
        seconds = perf_counter() - start
        self.note(
            Batch(kind="prefix", adapters=1, rows=1, width=n, useful_tokens=n, padded_tokens=n, seconds=seconds), flops
        )
        return Past(past.layers, np.ones((1, n), bool), np.array([n]))

    def note(self, batch: Batch, flops: int) -> None:
        """Put a forward on record, and add it to the counts; a prefix has counts of its own."""
        stats = self.stats
        stats.rows += batch.rows
        stats.flops += flops
        if batch.kind == "prefix":
            stats.prefix_tokens += batch.useful_tokens
        else:
            stats.useful_tokens += batch.useful_tokens
            stats.padded_tokens += batch.padded_tokens
        self.batches.add(batch)

    def next_token_logp(self, hidden: torch.Tensor) -> torch.Tensor:
        """Log-likelihood of every token at some positions, float32 (positions, vocabulary)."""
        import torch

        start = perf_counter()
        with torch.inference_mode():
            head = self.language.model.lm_head
            parts = [head(part).float().log_softmax(-1) for part in torch.split(_filled(hidden), _MAX_HEADS)]
        self.stats.model_seconds += perf_counter() - start
        return torch.cat(parts)[: len(hidden)]

    def label_logp(self, hidden: torch.Tensor, labels: Array) -> torch.Tensor:
        """Log-chance of each label among the labels at some positions, float32 (positions, labels).

        Args:
            labels: token ids, int64 (labels,); only these rows of the head are multiplied.
        """
        import torch

        start = perf_counter()
        with torch.inference_mode():
            rows = self.language.model.lm_head.weight[torch.from_numpy(labels).to(hidden.device)]
            logp = (_filled(hidden) @ rows.T).float().log_softmax(-1)[: len(hidden)]
        self.stats.model_seconds += perf_counter() - start
        return logp

    def nominal(self, packed: Packed, loras: Sequence[Lora | None], has_heads: bool) -> Array:
        """Operations for each row, a function of the row alone, int64 (rows,)."""
        tokens = np.array([s.num_tokens for s in packed.segments])
        cores = np.array([self.cost.core + (lora.flops if lora else 0) for lora in loras])
        flops = cores * tokens + self.cost.pair * packed.sees.sum(axis=(1, 2))
        if has_heads:
            places = np.bincount(packed.row, minlength=len(tokens))
            labels = np.array([len(s.labels) for s in packed.segments])
            flops += np.where(labels > 0, self.cost.label * labels, self.cost.head * places)
        return np.asarray(flops, np.int64)


def _filled(hidden: torch.Tensor) -> torch.Tensor:
    """The rows, with copies of the first up to the least number of rows through a head."""
    import torch

    few = len(hidden) < _MIN_HEADS
    return torch.cat([hidden, hidden[:1].expand(_MIN_HEADS - len(hidden), -1)]) if few else hidden


def _cost(language: LanguageModel) -> Cost:
    config: Any = language.model.config
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return Cost(
        core=2 * language.num_core_parameters,
        pair=4 * size * config.num_attention_heads * config.num_hidden_layers,
        head=2 * config.hidden_size * config.vocab_size,
        label=2 * config.hidden_size,
    )
