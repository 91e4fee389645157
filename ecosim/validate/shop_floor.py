"""The shop floor: overall equipment effectiveness, breakdowns and queues, and machines that fail in the phases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ecosim import api
from ecosim.fields import Array
from ecosim.rules import reliability
from ecosim.validate.cases import Case, Figure, estimated, exactly, within
from ecosim.validate.inventory import AT_THE_END, nothing, shop
from ecosim.words import Expert

HALF_A_DIGIT = 0.5e-4
"""The sources give four digits."""

MACHINES = {"machines": 50, "life_weeks": 10.0, "wear_shape": 4, "repair_weeks": 2.0, "repair_shape": 2}
WARM_WEEKS = 60
"""Six mean lives: by then it no longer shows that all machines were new together."""


def effectiveness() -> list[Figure]:
    """A shift of 420 planned minutes, by the functions that make the KPIs of a market."""
    available = reliability.availability(420.0, 47.0)
    performed = reliability.performance(19_271 / 60, 420.0 - 47.0)
    good = reliability.quality(19_271.0 - 423.0, 19_271.0)
    parts = (("availability", available, 0.8881), ("performance", performed, 0.8611), ("quality", good, 0.9780))
    figures = [within(name, float(found), target, HALF_A_DIGIT, "last digit given") for name, found, target in parts]
    whole = reliability.oee(available, performed, good)
    return [*figures, within("OEE", float(whole), 0.7479, HALF_A_DIGIT, "last digit given")]


def breakdowns() -> list[Figure]:
    """Two stations of equal availability: one fails rarely and long, the other often and briefly."""
    figures = []
    for to_failure, to_repair, scv in ((744.0, 248.0, 6.25), (114.0, 38.0, 1.00)):
        name = f"MTTF {to_failure:g}, MTTR {to_repair:g}"
        up = float(reliability.steady_availability(to_failure, to_repair))
        figures += [
            exactly(f"{name}: availability", up, 0.75),
            exactly(f"{name}: effective time", reliability.effective_time(15, to_failure, to_repair), 20, "min"),
            within(
                f"{name}: variability",
                reliability.effective_variability(15, 3.35, to_failure, to_repair),
                scv,
                5e-3,
                "last digit given",
            ),
        ]
    return [*figures, within("M/M/1: wait in queue", reliability.queue_wait(0.8, 0.8), 3.2, 1e-12, "rounding", "min")]


def running_to_failure(changes: Mapping[str, Any] | None = None, seeds: int = 20, weeks: int = 260) -> list[Figure]:
    """Machines that nobody maintains: share of time up, mean times to failure and to repair."""
    facts = {**MACHINES, **(changes or {})}
    phases = ["wear", *AT_THE_END, "maintain", "produce"]
    scenario = shop(phases, mean=10, sd=1, stock=10**6, seeds=seeds, steps=weeks, equipment=facts)
    rules: dict[str, Expert | str] = {
        "distributor.replenish": nothing,
        "supplier.replenish": nothing,
        "supplier.maintain": "run_to_failure",
    }
    machines = api.run(scenario, minds=rules).events("machines")
    late = machines[machines["step"] > WARM_WEEKS].groupby("replica")
    running, repair, failures = (late[name].sum().to_numpy(float) for name in ("running", "repair", "failed"))
    to_failure = facts["life_weeks"] + 1 / (2 * facts["wear_shape"])  # see ecosim.manufacturing.equipment
    share = float(reliability.steady_availability(to_failure, facts["repair_weeks"]))
    return [
        estimated("availability", reliability.availability(running + repair, repair), round(share, 4)),
        estimated("mean time to failure", _mean(running, failures), to_failure, "weeks"),
        estimated("mean time to repair", _mean(repair, failures), facts["repair_weeks"], "weeks"),
    ]


def _mean(total: Array, failures: Array) -> Array:
    return np.asarray(reliability.mean_time(total, failures))


CASES = (
    Case(
        name="oee",
        part="manufacturing",
        kind="V1",
        shows="availability, performance, quality and OEE of a shift are what its counts say",
        source="Vorne, the usual worked example of OEE, in the terms of ISO 22400-2 and Nakajima (1988)",
        method="ecosim.rules.reliability, the functions behind the KPIs: 420 min planned, 47 down, 19,271 made at an "
        "ideal 60 a minute, 423 of them rejects",
        compute=effectiveness,
    ),
    Case(
        name="breakdowns",
        part="manufacturing",
        kind="V1",
        shows="long rare breakdowns are worse than short frequent ones of the same availability",
        source="Hopp, Spearman, Factory Physics, ch. 8: tₑ = t₀ ÷ A, cₑ² = c₀² + (1 + cᵣ²)·A·(1 − A)·MTTR ÷ t₀; M/M/1",
        method="ecosim.rules.reliability; t₀ 15, σ₀ 3.35; a queue at utilisation .8 with a mean service of .8",
        compute=breakdowns,
    ),
    Case(
        name="run_to_failure",
        part="manufacturing",
        kind="V1",
        shows="machines that nobody maintains are up for MTTF ÷ (MTTF + MTTR) of the time",
        source="alternating renewal (Cox 1962, Renewal Theory); MTTF of a gamma walk: life + 1 ÷ (2·shape)",
        method="20 replicas × 50 machines × 260 weeks through the phases wear and maintain; the first 60 weeks left out; "
        "a life of 10 weeks, thresholds of 1 ± .2, repairs Erlang-2 of mean 2 weeks",
        compute=running_to_failure,
    ),
)
