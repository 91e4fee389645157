"""The trunk's answer at its last position, and nothing else: what a nano mind needs, for less than half of the work.

The same arithmetic as transformers' Llama (norms, rotary positions, causal attention, gated MLP), read from its own
weights, with two savings: in the last layer only the last position asks, so queries, the output projection and the MLP
are computed for one position instead of all; and what does not depend on the rows is computed once. Training uses
transformers' own forward; the two agree to the last few bits of float32, and a test says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import linear, silu

if TYPE_CHECKING:
    from transformers import LlamaModel


def last_hidden(trunk: LlamaModel, x: Tensor) -> Tensor:
    """What the trunk says at the last position, (rows, hidden).

    Args:
        x: embeddings, float32 (rows, positions, hidden).
    """
    cos, sin = _turns(trunk, x)
    *inner, outer = trunk.layers
    for layer in inner:
        x = x + _attend(layer.self_attn, _norm(layer.input_layernorm, x), cos, sin)
        x = x + _mlp(layer.mlp, _norm(layer.post_attention_layernorm, x))
    last = x[:, -1] + _attend_last(outer.self_attn, _norm(outer.input_layernorm, x), cos, sin)
    last = last + _mlp(outer.mlp, _norm(outer.post_attention_layernorm, last))
    return _norm(trunk.norm, last)


def _turns(trunk: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the rotary positions, (positions, head size)."""
    cos, sin = trunk.rotary_emb(x, torch.arange(x.shape[1])[None])
    return cos[0], sin[0]


def _norm(norm: Any, x: Tensor) -> Tensor:
    return norm.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + norm.variance_epsilon))


def _mlp(mlp: Any, x: Tensor) -> Tensor:
    return linear(silu(linear(x, mlp.gate_proj.weight)) * linear(x, mlp.up_proj.weight), mlp.down_proj.weight)


def _heads(x: Tensor, weight: Tensor, size: int) -> Tensor:
    """Projected and split, (rows, positions, heads, size)."""
    found = linear(x, weight)
    return found.reshape(*found.shape[:-1], -1, size)


def _turned(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary positions on (rows, positions, heads, size)."""
    half = x.shape[-1] // 2
    return x * cos[:, None] + torch.cat((-x[..., half:], x[..., :half]), -1) * sin[:, None]


def _attend(attention: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Causal attention of all positions, (rows, positions, hidden)."""
    size = attention.head_dim
    q = _turned(_heads(x, attention.q_proj.weight, size), cos, sin).transpose(1, 2)
    k = _turned(_heads(x, attention.k_proj.weight, size), cos, sin).transpose(1, 2)
    v = _heads(x, attention.v_proj.weight, size).transpose(1, 2)
    num = x.shape[1]
    later = torch.full((num, num), float("-inf")).triu(1)
    chance = (q @ k.transpose(2, 3) * attention.scaling + later).softmax(-1)
    return linear((chance @ v).transpose(1, 2).flatten(2), attention.o_proj.weight)


def _attend_last(attention: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Attention of the last position to all, (rows, hidden)."""
    size = attention.head_dim
    q = _turned(_heads(x[:, -1:], attention.q_proj.weight, size), cos[-1:], sin[-1:])
    k = _turned(_heads(x, attention.k_proj.weight, size), cos, sin)
    v = _heads(x, attention.v_proj.weight, size)
    chance = ((q * k).sum(-1) * attention.scaling).softmax(1)
    return linear((chance[..., None] * v).sum(1).flatten(1), attention.o_proj.weight)
