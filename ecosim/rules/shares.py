"""Draws of shares: the Gamma distribution, and what comes of it, a chance (Beta) and shares of a whole (Dirichlet).

As in `ecosim.seeds`, a draw is a function of who asks for what; the arithmetic is that of `ecosim.exact`.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from ecosim import exact, seeds
from ecosim.fields import Array
from ecosim.seeds import Key

_TRIES = 32
"""Of the rejection; one in twenty fails at most, so that a 33rd is needed once in 10⁴¹ draws."""

_LEAST = 1e-300
"""What a draw is at least: shapes near 0 give values that no float holds."""


def gamma(shape: Array, stream: str, seed: Array, step: int, phase: str, key: Key, lane: int = 0) -> Array:
    """One draw a row from the Gamma distribution of scale 1, float64 (rows,).

    Args:
        shape: its mean, > 0, float64 (rows,).
        stream, seed, step, phase, key: what the draw is for, as in `seeds.words`.
        lane: tells several draws of one row apart.

    Source: Marsaglia, Tsang (2000), A simple method for generating gamma variables, ACM TOMS 26; shapes below 1 by
    their remark: gamma(a) = gamma(a + 1) · U^(1/a).
    """
    seed, shape = np.broadcast_to(seed, shape.shape), np.asarray(shape, dtype=np.float64)
    first = lane * (_TRIES + 1)
    boost = exact.log(seeds.uniform(stream, seed, step, phase, key, first)) / shape
    out = np.zeros(shape.shape)
    rows = np.arange(len(shape))
    for again in range(1, _TRIES + 1):
        part = tuple(column[rows] for column in key)
        u, v = seeds.two_uniforms(stream, seed[rows], step, phase, part, first + again)
        out[rows], is_in = _tried(np.where(shape[rows] < 1, shape[rows] + 1, shape[rows]), seeds.normal_quantile(u), v)
        rows = rows[~is_in]
        if not len(rows):
            break
    return np.maximum(np.where(shape < 1, out * exact.exp(np.where(shape < 1, boost, 0.0)), out), _LEAST)


def beta(yes: Array, no: Array, stream: str, seed: Array, step: int, phase: str, key: Key, lane: int = 0) -> Array:
    """One draw a row of a chance, Beta(yes, no), float64 (rows,) within 0 … 1.

    What is believed of a chance after `yes` − 1 successes and `no` − 1 failures, if at first all were as likely.
    """
    for_it = gamma(yes, stream, seed, step, phase, key, 2 * lane)
    return cast(Array, for_it / (for_it + gamma(no, stream, seed, step, phase, key, 2 * lane + 1)))


def dirichlet(weight: Array, stream: str, seed: Array, step: int, phase: str, key: Key) -> Array:
    """One draw a row of shares of a whole, float64 (rows, parts); each row adds up to 1.

    Args:
        weight: of each part, > 0, float64 (rows, parts); large ones give near-equal draws, small ones a single part.
        stream, seed, step, phase: as in `seeds.words`; seed (rows,).
        key: at most three columns (rows,); the part is the last.
    """
    num_rows, num_parts = weight.shape
    part = np.tile(np.arange(num_parts), num_rows)
    wide = (*(np.repeat(column, num_parts) for column in key), part)
    drawn = gamma(weight.ravel(), stream, np.repeat(seed, num_parts), step, phase, wide).reshape(weight.shape)
    whole = np.zeros(num_rows)
    for column in range(num_parts):  # one after another: NumPy's own sum adds in an order of its choice
        whole = whole + drawn[:, column]
    return cast(Array, drawn / whole[:, None])


def _tried(shape: Array, normal: Array, u: Array) -> tuple[Array, Array]:
    """A candidate from a normal and a uniform draw, for shapes ≥ 1, and whether it is accepted."""
    d = shape - 1.0 / 3.0
    v = 1.0 + normal / np.sqrt(9.0 * d)
    v = v * v * v
    bar = 0.5 * normal * normal + d - d * v + d * exact.log(np.maximum(v, _LEAST))
    return cast(Array, d * v), (v > 0) & (exact.log(u) < bar)
