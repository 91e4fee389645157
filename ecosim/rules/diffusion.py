"""Laws of diffusion and popularity that simulations are held against: Bass, branching, preferential attachment.

These are targets, not parts of a world: plain numbers in, plain numbers out.
"""

from __future__ import annotations

from math import exp, lgamma, log
from typing import NamedTuple


def bass_share(time: float, innovation: float, imitation: float) -> float:
    """The share of an audience that has adopted by a time, F(t).

    Source: Bass (1969), A new product growth for model consumer durables: F′ = (p + q·F)·(1 − F), F(0) = 0.

    >>> [round(bass_share(t, 0.03, 0.38), 4) for t in (5, 10, 20)]
    [0.3312, 0.8128, 0.9963]
    """
    fading = exp(-(innovation + imitation) * time)
    return (1 - fading) / (1 + imitation / innovation * fading)


class Peak(NamedTuple):
    """When most adopt at once: the time, the share that has adopted by then, and the share that adopts a unit of it."""

    time: float
    share: float
    rate: float


def bass_peak(innovation: float, imitation: float) -> Peak:
    """The peak of adoption, for q > p: t* = ln(q/p) / (p + q), F* = 1/2 − p/2q, f* = (p + q)² / 4q.

    Source: Bass (1969), equations for the time and size of peak sales.

    >>> [round(figure, 4) for figure in bass_peak(0.03, 0.38)]
    [6.1926, 0.4605, 0.1106]
    """
    both = innovation + imitation
    return Peak(log(imitation / innovation) / both, 0.5 - innovation / (2 * imitation), both**2 / (4 * imitation))


def borel(size: int, mean: float) -> float:
    """The chance that a cascade has so many nodes, each passing on to a Poisson number with this mean, below 1.

    Source: Borel (1942); Otter (1949), The multiplicative process: e^(−rn) · (rn)^(n − 1) / n!; its mean is 1/(1 − r).

    >>> round(borel(1, 0.5), 4), round(1 - sum(borel(n, 0.9) for n in range(1, 100)), 4)
    (0.6065, 0.0174)
    """
    return exp(-mean * size + (size - 1) * log(mean * size) - lgamma(size + 1))


def attachment_degree(degree: int, links: int) -> float:
    """The share of nodes with so many ties where each newcomer ties itself to `links` others by their ties.

    Source: Barabási, Albert (1999); Dorogovtsev, Mendes, Samukhin (2000): 2m(m + 1) / (k(k + 1)(k + 2)), k ≥ m.

    >>> [round(attachment_degree(k, 2), 4) for k in (2, 3, 4)]
    [0.5, 0.2, 0.1]
    """
    return 2 * links * (links + 1) / (degree * (degree + 1) * (degree + 2)) if degree >= links else 0.0


def yule_simon(count: int, newness: float) -> float:
    """The share of things with this count where each event is a new thing with a chance, else one more of an old one.

    Source: Simon (1955), On a class of skew distribution functions: ρ · B(k, ρ + 1), ρ = 1/(1 − a).

    >>> [round(yule_simon(k, 0.1), 4) for k in (1, 2, 3)]
    [0.5263, 0.1692, 0.0823]
    """
    rho = 1 / (1 - newness)
    return rho * exp(lgamma(count) + lgamma(rho + 1) - lgamma(count + rho + 1))
