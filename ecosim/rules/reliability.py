"""How well equipment is used, and what breakdowns do to a line: the formulas of the shop floor.

Times are in any one unit (minutes, weeks), goods in any other; shares are between 0 and 1, nan where nothing was
planned or made. The same functions make the KPIs of a market: a figure checked here is the figure that a report shows.

Source: ISO 22400-2, Key performance indicators for manufacturing operations management, in the terms of Nakajima
(1988), Introduction to TPM. Breakdowns and queues: Hopp, Spearman, Factory Physics, ch. 8.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from ecosim.fields import Array

Number = Array | float


def availability(planned: Number, down: Number) -> Array:
    """Share of the planned busy time in which equipment could run: (planned − down) ÷ planned.

    Args:
        planned: planned busy time, without planned maintenance.
        down: unplanned downtime within it: repairs.
    """
    return _share(np.subtract(planned, down), planned)


def performance(ideal: Number, running: Number) -> Array:
    """Share of its running time that equipment would have needed at its ideal speed: ideal ÷ running.

    Args:
        ideal: ideal time for what was made, good or not: units made ÷ units a unit of time at ideal speed.
        running: planned busy time less downtime; slow runs and idle time are losses.
    """
    return _share(ideal, running)


def quality(good: Number, made: Number) -> Array:
    """Share of what was made that was good at once."""
    return _share(good, made)


def oee(available: Number, performed: Number, good: Number) -> Array:
    """Overall equipment effectiveness: availability × performance × quality.

    >>> a, p, q = availability(420, 47), performance(19_271 / 60, 420 - 47), quality(19_271 - 423, 19_271)
    >>> oee(a, p, q).round(4).tolist()
    0.7479
    """
    return cast(Array, np.asarray(available) * performed * good)


def mean_time(total: Number, failures: Number) -> Array:
    """Time a failure: MTBF of operating time, MTTR of repair time; nan without failures.

    ISO 22400-2 divides by the failures plus one, as its last interval is cut off; here runs are long and cuts are few.
    """
    return _share(total, failures)


def steady_availability(mean_time_to_failure: Number, mean_time_to_repair: Number) -> Array:
    """Long-run share of time up: MTTF ÷ (MTTF + MTTR).

    >>> steady_availability(744, 248).tolist()
    0.75
    """
    return _share(mean_time_to_failure, np.add(mean_time_to_failure, mean_time_to_repair))


def effective_time(natural: float, mean_time_to_failure: float, mean_time_to_repair: float) -> float:
    """Mean time of a job at a station that breaks down, tₑ = t₀ ÷ A (Hopp & Spearman, eq. 8.5)."""
    return natural / float(steady_availability(mean_time_to_failure, mean_time_to_repair))


def effective_variability(
    natural: float, sd: float, mean_time_to_failure: float, mean_time_to_repair: float, repair_scv: float = 1.0
) -> float:
    """Squared coefficient of variation of job times with breakdowns (Hopp & Spearman, eq. 8.7).

    cₑ² = c₀² + (1 + cᵣ²)·A·(1 − A)·MTTR ÷ t₀: long rare stops are worse than short frequent ones of the same sum.

    Args:
        natural, sd: mean t₀ and standard deviation σ₀ of a job's time without breakdowns.
        mean_time_to_failure, mean_time_to_repair: of the station.
        repair_scv: cᵣ², squared coefficient of variation of repair times.
    """
    up = float(steady_availability(mean_time_to_failure, mean_time_to_repair))
    return (sd / natural) ** 2 + (1 + repair_scv) * up * (1 - up) * mean_time_to_repair / natural


def queue_wait(utilisation: float, service: float, arrival_scv: float = 1.0, service_scv: float = 1.0) -> float:
    """Mean time in queue before one server, (cₐ² + cₑ²) ÷ 2 · u ÷ (1 − u) · tₑ; exact for M/M/1 (Kingman 1961).

    >>> round(queue_wait(0.8, 0.8), 12)
    3.2

    Raises:
        ValueError: utilisation is not within 0 … 1; at 1 and above the queue has no mean.
    """
    if not 0 <= utilisation < 1:
        raise ValueError(f"utilisation must be within 0 … 1, 1 not included, got {utilisation}")
    return (arrival_scv + service_scv) / 2 * utilisation / (1 - utilisation) * service


def _share(part: Number, whole: Number) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(np.asarray(whole) > 0, np.divide(part, whole), np.nan)
