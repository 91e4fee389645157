"""Random numbers that belong to a row, not to a place in a queue: Philox4x32-10 keyed by who asks for what.

A draw is a function of (stream, replica's seed, step, phase, row key, lane) and of nothing else: not of row numbers,
call counts or what other members drew. So two arms with other minds meet bit-equal exogenous worlds, replica i among a
thousand draws what it draws alone, and any part of a run can be done anywhere, in any order, twice.

Streams keep purposes apart: `WORLD` (demand, shocks, tastes; keyed by the world seed), `MIND` (sampling inside minds;
keyed by the mind seed), `IMAGINED` (futures that planners dream up; never the world's).

Source: Salmon, Moraes, Dror, Shaw (2011), Parallel random numbers: as easy as 1, 2, 3.
"""

from __future__ import annotations

import zlib
from typing import cast

import numpy as np

from ecosim import exact
from ecosim.fields import Array

WORLD = "world"
MIND = "mind"
IMAGINED = "imagined"

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = 0x9E3779B9, 0xBB67AE85
_ROUNDS = 10
_LOW = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_M = np.array([[_M0], [_M1]])
_STEPS = np.arange(_ROUNDS, dtype=np.uint64)[:, None, None] * np.array([[_W0], [_W1]], np.uint64)
_FEW = 500
"""Rows below which one array of both halves is faster than two."""
_BLOCK = 16_384
"""Rows taken at once: what is in between stays in the processor's cache, which makes it three times as fast."""


Key = tuple[Array, ...]
Four = tuple[Array, Array, Array, Array]


def philox4x32(counter: Four, key: tuple[Array, Array]) -> Four:
    """Four random uint32 columns from four counter columns and two key columns (all uint64 holding 32 bits)."""
    num_rows = max(map(len, counter))
    if num_rows < _FEW:
        return _philox_of_few(counter, key)
    if num_rows > _BLOCK:
        return _philox_of_many(counter, key, num_rows)
    c0, c1, c2, c3 = (np.broadcast_to(column, num_rows) for column in counter)
    k0, k1 = key
    for _ in range(_ROUNDS):
        p0, p1 = c0 * _M0, c2 * _M1
        c0, c2 = p1 >> _SHIFT, p0 >> _SHIFT
        c0 ^= c1
        c0 ^= k0
        c2 ^= c3
        c2 ^= k1
        p1 &= _LOW
        p0 &= _LOW
        c1, c3 = p1, p0
        k0, k1 = (k0 + np.uint64(_W0)) & _LOW, (k1 + np.uint64(_W1)) & _LOW
    return c0, c1, c2, c3


def _philox_of_many(counter: Four, key: tuple[Array, Array], num_rows: int) -> Four:
    """The same block by block."""
    out = np.empty((4, num_rows), np.uint64)
    columns = [np.broadcast_to(column, num_rows) for column in (*counter, *key)]
    for start in range(0, num_rows, _BLOCK):
        c0, c1, c2, c3, k0, k1 = (column[start : start + _BLOCK] for column in columns)
        out[:, start : start + _BLOCK] = philox4x32((c0, c1, c2, c3), (k0, k1))
    return out[0], out[1], out[2], out[3]


def _philox_of_few(counter: Four, key: tuple[Array, Array]) -> Four:
    """The same with both halves in one array and all keys at once: where rows are few, calls are what costs."""
    rows = max(map(len, counter))
    left, right = np.empty((2, rows), np.uint64), np.empty((2, rows), np.uint64)
    left[0], right[0], left[1], right[1] = counter
    keys = (np.stack(key)[None] + _STEPS) & _LOW
    for k in keys:
        product = left * _M
        left, right = (product[::-1] >> _SHIFT) ^ right ^ k, product[::-1] & _LOW
    return left[0], right[0], left[1], right[1]


def words(stream: str, seed: Array, step: int, phase: str, key: Key, lane: int = 0) -> tuple[Array, Array]:
    """Two columns of 64 random bits a row.

    Args:
        stream: WORLD, MIND or IMAGINED.
        seed: the replica's seed in each row, uint64 (rows,) (or one value for all rows, shape (1,)).
        step, phase, lane: what the draw is for; `lane` tells several draws of one row apart.
        key: at most four integer columns that name the row within its replica (ids, −1 for none), each within 32 bits.
    """
    if len(key) > 4:
        raise ValueError(f"a row key has at most 4 parts, got {len(key)}")
    seed = np.asarray(seed, dtype=np.uint64)
    use = (zlib.crc32(stream.encode()), zlib.crc32(phase.encode()), step, lane)
    starts = np.flatnonzero(seed[1:] != seed[:-1]) + 1  # rows of a replica stand together
    if len(starts) == 0 and len(seed):
        d0, d1 = _one_key(use, int(seed[0]))
    else:
        d0, d1 = _keys(use, seed, starts)
    num_rows = max([len(seed), *(len(k) for k in key)])
    parts = [np.asarray(k, dtype=np.int64).astype(np.uint64) & _LOW for k in key]
    parts += [np.zeros(num_rows, np.uint64)] * (4 - len(parts))
    w0, w1, w2, w3 = philox4x32((parts[0], parts[1], parts[2], parts[3]), (d0, d1))
    return (w0 << _SHIFT) | w1, (w2 << _SHIFT) | w3


def _keys(use: tuple[int, int, int, int], seed: Array, starts: Array) -> tuple[Array, Array]:
    """The key columns of rows that belong to several replicas; computed once for each run of equal seeds."""
    p0, p1, p2, p3 = (np.full(1, n & 0xFFFFFFFF, np.uint64) for n in use)
    runs = seed[np.append(0, starts)[: len(seed)]]
    d0, d1, _, _ = philox4x32((p0, p1, p2, p3), (runs & _LOW, runs >> _SHIFT))
    rows = np.repeat(np.arange(len(runs)), np.diff(starts, prepend=0, append=len(seed))[: len(runs)])
    return d0[rows], d1[rows]


def _one_key(use: tuple[int, int, int, int], seed: int) -> tuple[Array, Array]:
    """The key columns, of one row, of a single replica: the same function in Python's integers, a tenth of the time."""
    c0, c1, c2, c3 = (n & 0xFFFFFFFF for n in use)
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(_ROUNDS):
        p0, p1 = c0 * 0xD2511F53, c2 * 0xCD9E8D57
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & 0xFFFFFFFF, (p0 >> 32) ^ c3 ^ k1, p0 & 0xFFFFFFFF
        k0, k1 = (k0 + _W0) & 0xFFFFFFFF, (k1 + _W1) & 0xFFFFFFFF
    return np.array([c0], np.uint64), np.array([c1], np.uint64)


def uniform(stream: str, seed: Array, step: int, phase: str, key: Key, lane: int = 0) -> Array:
    """One draw from the open interval (0, 1) a row, float64 with 52 random bits."""
    return _unit(words(stream, seed, step, phase, key, lane)[0])


def two_uniforms(stream: str, seed: Array, step: int, phase: str, key: Key, lane: int = 0) -> tuple[Array, Array]:
    """Two draws from (0, 1) a row for the price of one; the first is that of `uniform`."""
    first, second = words(stream, seed, step, phase, key, lane)
    return _unit(first), _unit(second)


def integers(high: Array | int, stream: str, seed: Array, step: int, phase: str, key: Key, lane: int = 0) -> Array:
    """One draw from 0 … high − 1 a row, int64; the bias is below high / 2**52."""
    u = uniform(stream, seed, step, phase, key, lane)
    return cast(Array, np.minimum((u * high).astype(np.int64), np.asarray(high) - 1))


def normal(stream: str, seed: Array, step: int, phase: str, key: Key, lane: int = 0) -> Array:
    """One standard normal draw a row, float64, by inversion of a uniform draw."""
    return normal_quantile(uniform(stream, seed, step, phase, key, lane))


def poisson(mean: Array, stream: str, seed: Array, step: int, phase: str, key: Key, lane: int = 0) -> Array:
    """One Poisson draw a row, int64, by inversion; means up to 500.

    Raises:
        ValueError: a mean is negative or above 500 (use a normal there).
    """
    u = uniform(stream, seed, step, phase, key, lane)
    mean = np.broadcast_to(np.asarray(mean, dtype=np.float64), u.shape)
    if ((mean < 0) | (mean > 500)).any():
        raise ValueError(f"a Poisson mean must be within 0 … 500, got {mean.min()} … {mean.max()}")
    count = np.zeros(u.shape, np.int64)
    chance = exact.exp(-mean)
    below = chance.copy()
    top = int(mean.max(initial=0.0) + 12 * np.sqrt(mean.max(initial=0.0)) + 30)
    for k in range(1, top):
        more = u > below
        if not more.any():
            break
        count += more
        chance = chance * mean / k
        below = below + chance
    return count


def binomial(
    number: Array, chance: Array, stream: str, seed: Array, step: int, phase: str, key: Key, lane: int = 0
) -> Array:
    """One binomial draw a row, int64: how many of `number` happen, each with a chance.

    By inversion where at most 500 are expected on the rarer side, else a normal of like mean and deviation, rounded.
    """
    u = uniform(stream, seed, step, phase, key, lane)
    number = np.broadcast_to(np.asarray(number, dtype=np.int64), u.shape)
    chance = np.broadcast_to(np.asarray(chance, dtype=np.float64), u.shape)
    rare = np.minimum(chance, 1.0 - chance)
    mean = number * rare
    is_large = mean > 500
    count = np.zeros(u.shape, np.int64)
    ratio = np.where(is_large, 0.0, rare) / (1.0 - rare)
    mass = exact.power(1.0 - rare, np.where(is_large, 0, number))
    below = np.where(is_large, 1.0, mass)
    top = np.where(is_large, 0.0, mean).max(initial=0.0)
    for k in range(1, int(top + 12 * np.sqrt(top) + 30)):
        more = (u > below) & (count < number)
        if not more.any():
            break
        count += more
        mass = mass * ratio * ((number - k + 1) / k)
        below = below + mass
    many = np.rint(mean + np.sqrt(mean * (1.0 - rare)) * normal_quantile(u))
    count = np.where(is_large, np.clip(many, 0, number).astype(np.int64), count)
    return np.where(chance > rare, number - count, count)


def normal_quantile(p: Array) -> Array:
    """The standard normal value below which a share p of draws lie, 0 < p < 1, relative error about 1e-16.

    Source: Wichura (1988), Algorithm AS 241: the percentage points of the normal distribution, PPND16.

    >>> normal_quantile(np.array([0.5, 0.975])).round(4)
    array([0.  , 1.96])
    """
    p = np.asarray(p, dtype=np.float64)
    q = p - 0.5
    r = 0.180625 - q * q
    centre = q * _ratio(r, _A, _B)
    tail = np.sqrt(-exact.log(np.where(q < 0, p, 1.0 - p)))
    near, far = tail - 1.6, tail - 5.0
    outer = np.where(tail <= 5.0, _ratio(near, _C, _D), _ratio(far, _E, _F))
    return np.where(np.abs(q) <= 0.425, centre, np.where(q < 0, -outer, outer))


def _unit(bits: Array) -> Array:
    return cast(Array, ((bits >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52)


def _ratio(x: Array, above: tuple[float, ...], below: tuple[float, ...]) -> Array:
    top, bottom = np.zeros_like(x), np.zeros_like(x)
    for a, b in zip(reversed(above), reversed(below), strict=True):
        top, bottom = top * x + a, bottom * x + b
    return cast(Array, top / bottom)


_A = (
    3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
    4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3,
)  # fmt: skip
_B = (
    1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
    2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3,
)  # fmt: skip
_C = (
    1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
    1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4,
)  # fmt: skip
_D = (
    1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
    1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9,
)  # fmt: skip
_E = (
    6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
    2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
)  # fmt: skip
_F = (
    1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
    7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15,
)  # fmt: skip
