"""Waiting in front of one server."""

from __future__ import annotations


def waiting_time(arrivals_per_time: float, mean_service: float) -> float:
    """The mean wait before service in an M/M/1 queue, in the unit of `mean_service`.

    Raises:
        ValueError: the server has more to do than it can (or nothing sensible was given).

    Source: Hopp & Spearman, Factory Physics, section 8.6.

    >>> round(waiting_time(1.0, 0.8), 6)
    3.2
    """
    busy = arrivals_per_time * mean_service
    if not 0 <= busy < 1 or mean_service <= 0:
        raise ValueError(f"needs a share of busy time below 1, got {busy:g}")
    return busy / (1 - busy) * mean_service
