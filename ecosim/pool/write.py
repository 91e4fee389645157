"""Writing one line: a token at a time, drawn with the row's own numbers, stopped at a line's end.

A draw is the inverse of the cumulative distribution at the row's uniform number for that position, in float64: one
number a token, no generator of torch. Steps read one token a row; a single row takes another path through the matrix
product than a row among others, so a step never has fewer than `_MIN_ROWS` rows (copies fill up).
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.fields import Array, one_line
from ecosim.pool.batches import Batch
from ecosim.pool.lora import Lora
from ecosim.pool.past import Past
from ecosim.pool.talk import Line, Write

if TYPE_CHECKING:
    import torch

    from ecosim.pool.decoder import Decoder

_MIN_ROWS = 8


class Writer:
    """Writes with a decoder; knows which tokens end a line and which may never be written."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        language = decoder.language
        tokenizer: Any = language.tokenizer
        self._tokenizer = tokenizer
        size = language.model.config.vocab_size
        spelt = tokenizer.batch_decode([[i] for i in range(len(tokenizer))])
        self._ends = np.zeros(size, bool)
        self._ends[[i for i, text in enumerate(spelt) if len(text.splitlines()) > 1 or text != text.rstrip("\r\n")]] = (
            True
        )
        ends = language.model.generation_config.eos_token_id
        stops = {tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])} - {None}
        self._ends[list(stops)] = True
        self._never = np.zeros(size, bool)
        self._never[
            [
                *(set(tokenizer.all_special_ids) | set(tokenizer.get_added_vocab().values())),
                *range(len(tokenizer), size),
            ]
        ] = True
        self._never &= ~self._ends

    def lines(
        self,
        writes: Sequence[Write],
        lasts: torch.Tensor,
        past: Past,
        flops: Array,
        loras: Sequence[Lora | None],
    ) -> list[Line]:
        """A line for each row of one batch.

        Args:
            lasts: hidden state of each row's last token, (rows, size).
            past: what the rows have read.
            flops: nominal operations so far, int64 (rows,).
            loras: the adapter of each row.
        """
        drawn: list[list[int]] = [[] for _ in writes]
        logp, flops = np.zeros(len(writes)), flops.copy()
        alive = list(range(len(writes)))
        past = past.take(_filled(alive))
        for position in range(max(write.max_tokens for write in writes)):
            likely = self._decoder.next_token_logp(lasts).double().cpu().numpy()
            still = []
            for i, row in enumerate(alive):
                token, chance = self._draw(likely[i], writes[row], position)
                logp[row] += chance
                if not self._ends[token]:
                    drawn[row].append(token)
                    if position + 1 < writes[row].max_tokens:
                        still.append(i)
            if not still:
                break
            alive, past = [alive[i] for i in still], past.take(_filled(still))
            now = [loras[row] for row in alive]
            costs = self._costs(past, now)
            flops[alive] += costs
            lasts, past = self._step([drawn[row][-1] for row in alive], past, now, int(costs.sum()))
        self._decoder.stats.written_tokens += sum(map(len, drawn))
        texts = self._tokenizer.batch_decode(drawn, skip_special_tokens=True)
        return [
            Line(one_line(text, write.max_tokens), float(chance), int(cost))
            for text, write, chance, cost in zip(texts, writes, logp, flops, strict=True)
        ]

    def _draw(self, logp: Array, write: Write, position: int) -> tuple[int, float]:
        """A token and its log-chance."""
        weight = np.exp((logp - logp.max()) / write.temperature)
        weight[self._never] = 0.0
        if position == 0:
            weight[self._ends] = 0.0  # an answer has at least one token
        total = np.cumsum(weight)
        token = int(np.searchsorted(total, write.uniforms[position] * total[-1], side="right"))
        return token, float(np.log(weight[token] / total[-1]))

    def _step(
        self, tokens: Sequence[int], past: Past, loras: Sequence[Lora | None], flops: int
    ) -> tuple[torch.Tensor, Past]:
        """Read one token a row; the hidden states of the rows, and what they have read."""
        start, num, rows = perf_counter(), len(tokens), len(past.position)
        ids = np.full((rows, 1), tokens[0], np.int64)
        ids[:num, 0] = tokens
        seen = np.concatenate([past.seen, np.ones((rows, 1), bool)], axis=1)
        everyone = [loras[i] for i in _filled(list(range(num)))]
        hidden, after = self._decoder.forward(ids, past.position[:, None], seen[:, None], past, everyone)
        adapters, seconds = len(set(loras)), perf_counter() - start
        self._decoder.note(
            Batch(
                kind="write",
                adapters=adapters,
                rows=num,
                width=1,
                useful_tokens=num,
                padded_tokens=rows,
                seconds=seconds,
            ),
            flops,
        )
        return hidden[:num, 0], Past(after.layers, seen, past.position + 1)

    def _costs(self, past: Past, loras: Sequence[Lora | None]) -> Array:
        """Nominal operations of one more token, int64 (rows,)."""
        cost = self._decoder.cost
        extra = np.array([lora.flops if lora else 0 for lora in loras], np.int64)
        pairs = past.seen[: len(loras)].sum(axis=1) + 1
        return np.asarray(cost.core + extra + cost.head + cost.pair * pairs, np.int64)


def _filled(rows: list[int]) -> list[int]:
    """The rows, with copies of the first up to the least number of rows in a step."""
    return rows + [rows[0]] * (_MIN_ROWS - len(rows))
