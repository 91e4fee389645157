"""What a reference case is: something that others have published or that theory fixes, found again by a run.

A case computes its figures through the engine that every scenario uses: its phases, rules, ledger and minds. Each
figure carries the target, how far from it counts as met, and where that tolerance comes from: a source, or the error of
the estimate. Nothing here knows an ecosystem.

Classes: V1 an exact law, V2 agreement with another simulator or program, V3 a pattern found in data, V4 what people
did. The first two verify that the simulator does what it should; only the last two say anything about the world.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ecosim.fields import Array

Kind = Literal["V1", "V2", "V3", "V4"]
KINDS: dict[Kind, str] = {
    "V1": "exact law",
    "V2": "agreement with another simulator",
    "V3": "empirical pattern",
    "V4": "human behaviour",
}
VALIDATION: tuple[Kind, ...] = ("V3", "V4")

SIGMAS = 4.0
"""Standard errors that an estimate may lie off: by chance one figure in 16,000 does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number that a case found, and what it should be.

    Attributes:
        name: what it is.
        found, target: in `unit`; the target is nan where a source gives a range or a bound alone.
        low, high: what counts as met, both ends included.
        tolerance: the same in words.
        unit: "" for a pure number.
    """

    name: str
    found: float
    target: float
    low: float
    high: float
    tolerance: str
    unit: str = ""

    @property
    def is_met(self) -> bool:
        """Whether what was found lies within the tolerance; nan never does."""
        return self.low <= self.found <= self.high


class Unavailable(Exception):
    """A case can't be computed on this machine; the message says why, and what would help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One reference case.

    Attributes:
        name: how the command line calls it.
        part: manufacturing, community or minds.
        kind: its class.
        shows: what it says if it is met, in one line.
        source: where the targets come from.
        method: how the figures are computed, and what the engine can't carry of the original.
        compute: gives the figures; raises Unavailable where the machine lacks what it needs.
    """

    name: str
    part: str
    kind: Kind
    shows: str
    source: str
    method: str
    compute: Callable[[], Sequence[Figure]]

    @property
    def is_validation(self) -> bool:
        """Whether it says something about the world, and not only about the program."""
        return self.kind in VALIDATION


def exactly(name: str, found: float, target: float, unit: str = "") -> Figure:
    """A figure that leaves no room."""
    return Figure(name=name, found=float(found), target=target, low=target, high=target, tolerance="exactly", unit=unit)


def within(name: str, found: float, target: float, reach: float, why: str, unit: str = "") -> Figure:
    """A figure that may be off by so much, for a reason."""
    return Figure(
        name=name,
        found=float(found),
        target=target,
        low=target - reach,
        high=target + reach,
        tolerance=f"± {reach:.2g} ({why})",
        unit=unit,
    )


def estimated(name: str, sample: Array, target: float, unit: str = "") -> Figure:
    """The mean of independent values, one a replica, within some of its own standard errors."""
    return near(name, float(np.mean(sample)), standard_error(sample), target, unit)


def near(name: str, found: float, error: float, target: float, unit: str = "") -> Figure:
    """An estimate with a known standard error."""
    return within(name, found, target, SIGMAS * error, f"{SIGMAS:g} standard errors", unit)


def between(name: str, found: float, low: float, high: float, target: float, why: str, unit: str = "") -> Figure:
    """A figure that a source gives with a range, or as a bound (an infinite end) alone."""
    if math.isinf(high):
        span = f"at least {low:.4g}"
    elif math.isinf(low):
        span = f"at most {high:.4g}"
    else:
        span = f"{low:.4g} … {high:.4g}"
    return Figure(
        name=name, found=float(found), target=target, low=low, high=high, tolerance=f"{span} ({why})", unit=unit
    )


def above(name: str, found: float, bound: float, why: str, unit: str = "") -> Figure:
    """A figure that must be strictly more than a bound."""
    low = math.nextafter(bound, math.inf)
    return Figure(
        name=name,
        found=float(found),
        target=math.nan,
        low=low,
        high=math.inf,
        tolerance=f"above {bound:.4g} ({why})",
        unit=unit,
    )


def standard_error(sample: Array) -> float:
    """Of the mean of independent values."""
    return float(np.std(sample, ddof=1) / np.sqrt(len(sample)))


def jackknife_error(worlds: Array, figure: Callable[[Array], float]) -> float:
    """The standard error of a figure of many worlds (rows) whose parts are not independent, such as pairs of worlds."""
    left_out = [figure(np.delete(worlds, i, axis=0)) for i in range(len(worlds))]
    return float(np.sqrt((len(worlds) - 1) * np.var(left_out)))
