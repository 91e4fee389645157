"""How fast firms negotiate, on one core: whole talks on the Itex–Cypress domain, distinct weights in each of them.

Twice: the kernel alone, and through the phase `bargain`, where minds are asked move by move, and offers and outcomes
are events, chained into the digest and kept in memory.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from ecosim import seeds, simulate
from ecosim.fields import Array
from ecosim.manufacturing.facts.table import BargainingTable
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.record.store import Memory
from ecosim.rules import alternate, bargain, domain
from ecosim.simulate import Arm, Manner

NEGMAS_PER_S = 52
"""Boulware negotiations a second that NegMAS plays on this domain, one core; stated by its users, not run here."""
SPREAD = 0.2


def negotiations(talks: int = 10_000, batches: int = 5) -> dict[str, Any]:
    """Boulware against Boulware to the end of every talk, a batch at a time.

    Args:
        talks: in a batch.
        batches: how many; rates are of the fastest and of all together.

    Returns:
        `kernel` and `phases`, each with its rate, size and what was agreed, and the neighbour's figure.
    """
    facts = _scenario(talks, batches + 1)
    assert facts.table is not None
    return {
        "domain": "Itex–Cypress, 180 outcomes, weights within ± 20 % drawn for every talk, 100 rounds",
        "talks_per_batch": talks,
        "batches": batches,
        "kernel": _kernel(facts.table, talks, batches),
        "phases": _phases(facts, talks),
        "negmas_per_s": NEGMAS_PER_S,
        "negmas": "stated, not run",
    }


def _scenario(talks: int, steps: int) -> ManufacturingScenario:
    changes = {"firms.0.count": talks, "firms.1.count": talks, "seeds": 1, "steps": steps}
    facts = simulate.load_scenario("bargaining_table", changes)
    assert isinstance(facts, ManufacturingScenario)
    return facts


def _kernel(table: BargainingTable, talks: int, batches: int) -> dict[str, Any]:
    """Utilities, rankings and moves; the weights are drawn before."""
    walls: list[Array] = []
    rounds, deals = 0.0, 0.0
    for batch in range(batches + 1):
        drawn = {side: _weights(table, side, talks, batch) for side in table.sides}
        values = {name: [np.array(side.values[i]) for i in table.issues] for name, side in table.sides.items()}
        start = _now()
        buyer, seller = (domain.utilities(domain.parts(drawn[side], values[side])) for side in ("buyer", "seller"))
        settled = alternate.negotiate(buyer, seller, (bargain.BOULWARE, bargain.BOULWARE), rounds=table.max_rounds)
        walls.append(_now() - start)
        rounds, deals = float(settled.round.mean()), float((settled.outcome != alternate.NO_DEAL).mean())
    return {**_rates(walls[1:], talks), "rounds_per_talk": rounds, "agreed": deals}


def _weights(table: BargainingTable, side: str, talks: int, batch: int) -> Array:
    base = np.array([[table.sides[side].weights[issue] for issue in table.issues]])
    key = (np.arange(talks),)
    lots = [
        seeds.uniform(seeds.WORLD, np.array([1], np.uint64), batch, side, key, lane) for lane in range(base.shape[1])
    ]
    return domain.normalised(base * (1.0 + SPREAD * (2.0 * np.stack(lots, axis=1) - 1.0)))


def _phases(facts: ManufacturingScenario, talks: int) -> dict[str, Any]:
    """A run with a step a batch; the first step warms up. Every offer and outcome is kept."""
    ends: list[Array] = []
    arm = Arm(name="all", minds={"manufacturer.bargain": "boulware", "supplier.bargain": "boulware"})
    store = Memory()
    manner = Manner(watch=lambda run: ends.append(_now()))
    done = simulate.simulate(facts, [arm], store, manner)
    kpis = {name: float(column.mean()) for (name, _), column in done.kpis.items() if name.startswith("bargain")}
    rows = {name: sum(piece.num_rows for piece in store.pieces(f"events/{name}")) for name in ("bids", "bargains")}
    return {
        **_rates(list(np.diff(ends, axis=0)), talks),
        "rounds_per_talk": kpis["bargain_rounds"],
        "agreed": kpis["bargain_agreement_rate"],
        "decisions_per_talk": sum(w["decisions"] for w in done.manifest["work_by_grade"].values())
        / (talks * facts.steps),
        "events_per_talk": sum(rows.values()) / (talks * facts.steps),
        "seconds_by_part": {name: round(s, 2) for name, s in done.manifest["seconds_by_part"].items()},
    }


def _now() -> Array:
    """Wall seconds, and those of this thread on a core: where others share the core, the first say little."""
    return np.array([time.perf_counter(), time.thread_time()])


def _rates(spans: list[Array], talks: int) -> dict[str, float]:
    wall, core = np.array(spans).T
    return {
        "talks_per_s": talks * len(wall) / float(wall.sum()),
        "talks_per_core_s": talks * len(core) / float(core.sum()),
        "talks_per_core_s_fastest_batch": talks / float(core.min()),
    }
