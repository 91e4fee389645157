"""Writing one line: a token at a time, drawn with the row's own numbers, stopped at a line's end.

A draw is the inverse of the cumulative distribution at the row's uniform number for that position, in float64: one
number a token, no generator of torch. Steps read one token a row; a single row takes another path through the matrix
product than a row among others, so a step never has fewer than `_MIN_ROWS` rows (copies fill up).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.fields import Array
from ecosim.pool.past import Past
from ecosim.pool.talk import Line, Write

if TYPE_CHECKING:
    import torch

    from ecosim.pool.engine import Engine

_MIN_ROWS = 8


class Writer:
    """The writing half of an engine; knows which tokens end a line and which may never be written."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        tokenizer: Any = engine.language.tokenizer
        self._tokenizer = tokenizer
        size = engine.language.model.config.vocab_size
        spelt = tokenizer.batch_decode([[i] for i in range(len(tokenizer))])
        self._ends = np.zeros(size, bool)
        self._ends[[i for i, text in enumerate(spelt) if len(text.splitlines()) > 1 or text != text.rstrip("\r\n")]] = (
            True
        )
        ends = engine.language.model.generation_config.eos_token_id
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

    def lines(self, writes: Sequence[Write], lasts: torch.Tensor, past: Past, flops: Array) -> list[Line]:
        """A line for each row of one batch.

        Args:
            lasts: hidden state of each row's last token, (rows, size).
            past: what the rows have read.
            flops: nominal operations so far, int64 (rows,).
        """
        drawn: list[list[int]] = [[] for _ in writes]
        logp, flops = np.zeros(len(writes)), flops.copy()
        alive = list(range(len(writes)))
        past = past.take(_filled(alive))
        for position in range(max(write.max_tokens for write in writes)):
            likely = self._engine.next_token_logp(lasts).double().cpu().numpy()
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
            flops[alive] += self._cost(past)[: len(alive)]
            lasts, past = self._step([drawn[row][-1] for row in alive], past)
        self._engine.stats.written_tokens += sum(map(len, drawn))
        texts = self._tokenizer.batch_decode(drawn, skip_special_tokens=True)
        return [
            Line(_one_line(text), float(chance), int(cost))
            for text, chance, cost in zip(texts, logp, flops, strict=True)
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

    def _step(self, tokens: Sequence[int], past: Past) -> tuple[torch.Tensor, Past]:
        """Read one token a row; the hidden states of the rows, and what they have read."""
        rows = len(past.position)
        ids = np.full((rows, 1), tokens[0], np.int64)
        ids[: len(tokens), 0] = tokens
        seen = np.concatenate([past.seen, np.ones((rows, 1), bool)], axis=1)
        hidden, after = self._engine.forward(ids, past.position[:, None], seen[:, None], past)
        self._engine.stats.useful_tokens += len(tokens)
        self._engine.stats.padded_tokens += rows
        return hidden[: len(tokens), 0], Past(after.layers, seen, past.position + 1)

    def _cost(self, past: Past) -> Array:
        cost = self._engine.cost
        return np.asarray(cost.core + cost.head + cost.pair * (past.seen.sum(axis=1) + 1), np.int64)


def _filled(rows: list[int]) -> list[int]:
    """The rows, with copies of the first up to the least number of rows in a step."""
    return rows + [rows[0]] * (_MIN_ROWS - len(rows))


def _one_line(text: str) -> str:
    lines = text.splitlines()
    return " ".join(lines[0].split()) if lines else ""
