"""A real language model, tiny: characters by the three before them, with counts smoothed towards shorter contexts.

It reads and writes 26 letters and the space. It is no transformer and is fitted in milliseconds, so that what becomes
of a language model that learns from its own text can be seen in seconds, without weights.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from ecosim import seeds
from ecosim.fields import Array

LETTERS = "abcdefghijklmnopqrstuvwxyz "
ORDER = 3
"""Characters that the next one depends on."""
_PRIOR = 5.0
"""What the shorter context counts as, in characters seen."""
_SIZE = len(LETTERS)


@cache
def real_text() -> Array:
    """English prose by people, as codes into LETTERS, int64: the help pages that come with Python, all in a row."""
    from pydoc_data import topics

    text = " ".join(topics.topics[name] for name in sorted(topics.topics)).lower()
    text = " ".join("".join(c if c in LETTERS else " " for c in text).split())
    return np.array([LETTERS.index(c) for c in text])


def fitted(text: Array) -> Array:
    """Chances of the next character, (count + 5 · chance after the shorter context) ÷ (n + 5); (contexts, letters).

    Source: MacKay, Bauman Peto (1995), A hierarchical Dirichlet language model.
    """
    chance = np.full((1, _SIZE), 1.0 / _SIZE)
    for order in range(ORDER + 1):
        context = _contexts(text, order)
        count = np.bincount(context * _SIZE + text[order:], minlength=_SIZE ** (order + 1)).reshape(-1, _SIZE)
        shorter = np.tile(chance, (_SIZE if order else 1, 1))  # a context's oldest character is its highest digit
        chance = (count + _PRIOR * shorter) / (count.sum(axis=1, keepdims=True) + _PRIOR)
    return chance


def perplexity(model: Array, text: Array) -> float:
    """How many characters the model hesitates between, on average: exp of the mean surprise."""
    return float(np.exp(-np.log(model[_contexts(text, ORDER), text[ORDER:]]).mean()))


def written(model: Array, starts: Array, length: int, seed: int, generation: int) -> Array:
    """Text by the model, so many characters after each context to start from, drawn one by one; one row each."""
    ends, context = model.cumsum(axis=1), starts.copy()
    text = np.empty((len(starts), length), np.int64)
    who, seeds_ = np.arange(len(starts)), np.full(1, seed, np.uint64)
    for i in range(length):
        u = seeds.uniform(seeds.MIND, seeds_, generation, "write", (who, np.full(len(who), i)))
        text[:, i] = (ends[context] < u[:, None] * ends[context, -1:]).sum(axis=1)
        context = (context * _SIZE + text[:, i]) % _SIZE**ORDER
    return text


def perplexities(original: Array, held_out: Array, kept: float, generations: int, seed: int, writers: int) -> Array:
    """Held-out perplexity of generations 0 … T; each learns from text of the last one and a part of the original.

    Args:
        original: what generation 0 learns from.
        held_out: real text that nobody learns from.
        kept: share of a corpus that is a stretch of the original, another one each time.
        generations: T.
        seed: of all draws.
        writers: streams that a generation writes side by side.
    """
    starts = _contexts(original, ORDER)[:: len(original) // writers][:writers]
    size = round(len(original) * kept)
    model = fitted(original)
    found = [perplexity(model, held_out)]
    for generation in range(1, generations + 1):
        new = written(model, starts, (len(original) - size) // writers, seed, generation).ravel()
        u = seeds.uniform(seeds.WORLD, np.full(1, seed, np.uint64), generation, "keep", (np.zeros(1, np.int64),))
        start = int(u[0] * (len(original) - size))
        model = fitted(np.concatenate([new, original[start : start + size]]))
        found.append(perplexity(model, held_out))
    return np.array(found)


def _contexts(text: Array, order: int) -> Array:
    """The `order` characters before each one, as a number."""
    context = np.zeros(len(text) - order, np.int64)
    for i in range(order):
        context = context * _SIZE + text[i : len(text) - order + i]
    return context
