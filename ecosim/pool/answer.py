"""From hidden states to scores: options spelt token by token, or labels of one token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim.fields import Array
from ecosim.pool.decoder import Decoder
from ecosim.pool.order import groups
from ecosim.pool.pack import Packed
from ecosim.pool.talk import Scores

if TYPE_CHECKING:
    import torch


def scored(decoder: Decoder, hidden: torch.Tensor, packed: Packed, flops: Array) -> list[Scores]:
    """The options of each row: the sum of the log-likelihoods of an option's tokens; hidden is (rows, width, size)."""
    tries = [segment.trie for segment in packed.segments]
    logp = decoder.next_token_logp(hidden[packed.row, packed.slot])
    steps = logp[packed.step_place, packed.step_token].double().cpu().numpy()
    first = np.cumsum([0, *(len(trie.lengths) for trie in tries)])
    sums = np.zeros(first[-1])
    np.add.at(sums, first[packed.step_row] + packed.step_option, steps)
    return [_scores(sums[first[i] : first[i + 1]].copy(), trie.lengths, flops[i]) for i, trie in enumerate(tries)]


def picked(decoder: Decoder, hidden: torch.Tensor, packed: Packed, flops: Array) -> list[Scores]:
    """The labels of each row, at its last token; rows that have the same labels go through one product."""
    segments, found = packed.segments, {}
    for members in groups(range(len(segments)), lambda i: segments[i].labels.tobytes()).values():
        labels = segments[members[0]].labels
        logp = decoder.label_logp(hidden[members, packed.last[members]], labels).double().cpu().numpy()
        for i, row in zip(members, logp, strict=True):
            found[i] = _scores(row.copy(), np.ones(len(labels), np.int64), flops[i])
    return [found[i] for i in range(len(segments))]


def _scores(sums: Array, lengths: Array, flops: int) -> Scores:
    sums.flags.writeable = False  # twins and the memo hand out the same array
    return Scores(sums, lengths, int(flops))
