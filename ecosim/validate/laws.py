"""Laws of every run: nothing comes from nothing, arms meet the same world, a replica does not see its neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from ecosim import simulate, testing
from ecosim.exact import MILLION
from ecosim.fields import Array
from ecosim.minds.seats import Wishes
from ecosim.record.store import Memory
from ecosim.scenario import Scenario
from ecosim.simulate import Arm
from ecosim.validate.cases import Case, Figure, exactly
from ecosim.words import Table
from ecosim.world import World

BOOKKEEPING = "double entry: what one account gives another takes"
DIGESTS = "a law of this simulator; a digest is SHA-256 over all events of a replica"


def conservation(
    scenario: str | Scenario, seeds: int = 4, steps: int = 20, minds: Wishes | None = None
) -> list[Figure]:
    """Sums of all accounts after every step, and goods as the events alone would have them."""
    facts = simulate.load_scenario(scenario).with_changes(seeds=seeds, steps=steps)
    world, _, recorder = simulate.prepare(facts, [Arm(name="all", minds=minds or {})], Memory())
    expected, off, unexplained, debt = _goods(world), 0, 0, 0
    for step in range(1, steps + 1):
        world.step()
        _add_flows(expected, recorder.close_step(step), world)
        off = max(off, int(np.abs(_by_replica(world, everyone=True)).max()))
        unexplained = max(unexplained, int(np.abs(_goods(world) - expected).max(initial=0)))
        goods = world.ledger.accounts["balance"][world.ledger.accounts["is_member"], 1:]
        debt = max(debt, int(-goods.min(initial=0)))
    figures = [
        exactly("largest sum of an asset", off / MILLION, 0),
        exactly("replicas frozen for a fault", int((~world.is_live).sum()), 0),
    ]
    if not expected.size:
        return figures
    return [
        *figures,
        exactly("largest debt of goods", debt / MILLION, 0, "units"),
        exactly("goods not told by events", unexplained / MILLION, 0, "units"),
    ]


def _by_replica(world: World, everyone: bool) -> Array:
    """Each asset over all accounts of each replica, or over its members', int64 (replicas, assets)."""
    accounts = world.ledger.accounts
    rows = np.full(accounts.num_rows, True) if everyone else accounts["is_member"]
    sums = np.zeros((world.num_replicas, accounts["balance"].shape[1]), np.int64)
    np.add.at(sums, accounts["replica"][rows], accounts["balance"][rows])
    return sums


def _goods(world: World) -> Array:
    """Goods of members and on the way, int64 (replicas, items)."""
    goods = _by_replica(world, everyone=False)[:, 1:]
    if "transit" in world.ledger.externals:
        on_way = world.ledger.outside("transit", np.arange(world.num_replicas))
        goods = goods + world.ledger.accounts["balance"][on_way, 1:]
    return goods


def _add_flows(goods: Array, events: Mapping[str, Table], world: World) -> None:
    """What the step's events say came in and went out: made, used up in making, sold, scrapped, withdrawn."""
    if not goods.size:
        return
    made, sold = events["production"], events["sales"]
    np.add.at(goods, (made["replica"], made["item"]), made["made"])
    np.subtract.at(goods, (sold["replica"], sold["item"]), sold["sold"])
    for name in ("rejects", "recalls"):
        gone = events[name]
        np.subtract.at(goods, (gone["replica"], gone["item"]), gone["quantity"])
    items = list(world.scenario.items)  # type: ignore[attr-defined]  # a scenario with goods has items
    for whole, item in enumerate(world.scenario.items.values()):  # type: ignore[attr-defined]
        rows = made["item"] == whole
        for part, count in item.bom.items():
            where = (made["replica"][rows], np.full(int(rows.sum()), items.index(part)))
            np.subtract.at(goods, where, made["made"][rows] * count)


def common_worlds(scenario: str, other: Wishes, seeds: int = 4, steps: int = 8) -> list[Figure]:
    """Digests of exogenous events, and of all, in two arms with other minds."""
    facts = simulate.load_scenario(scenario).with_changes(seeds=seeds, steps=steps)
    done = simulate.simulate(facts, [Arm(name="a"), Arm(name="b", minds=other)], Memory()).manifest
    world, whole = done["exogenous_digests"], done["digests"]
    return [
        exactly("pairs that met other worlds", sum(world[i] != world[seeds + i] for i in range(seeds)), 0),
        exactly("different worlds", len(set(world)), seeds),
        exactly("pairs that ended alike", sum(whole[i] == whole[seeds + i] for i in range(seeds)), 0),
    ]


def alone(scenario: str, seeds: int = 4, steps: int = 6) -> list[Figure]:
    """Each replica's digest among others against its digest in a run of its own."""
    facts = simulate.load_scenario(scenario)
    among = testing.run_digests(facts, seeds=seeds, steps=steps).manifest["digests"]
    found = []
    for i in range(seeds):
        own = facts.with_changes(world_seed=facts.world_seed + i, mind_seed=facts.mind_seed + i)
        found += testing.run_digests(own, seeds=1, steps=steps).manifest["digests"]
    differ = sum(one != other for one, other in zip(among, found, strict=True))
    return [exactly("replicas that differ alone", differ, 0), exactly("different replicas", len(set(among)), seeds)]


def conserved(part: str, scenario: str) -> Case:
    """Conservation in a scenario of the catalogue, as a case."""
    return Case(
        name=f"conservation_{part}",
        part=part,
        kind="V1",
        shows="cash and goods come from nowhere and go nowhere, after every step",
        source=BOOKKEEPING,
        method=f"4 replicas × 20 steps of {scenario}, scripted; sums of all accounts after each step, in millionths",
        compute=partial(conservation, scenario),
    )


def common(part: str, scenario: str, other: Wishes) -> Case:
    """Common random numbers in a scenario of the catalogue, as a case."""
    minds = ", ".join(f"{seat} = {mind}" for seat, mind in other.items())
    return Case(
        name=f"common_worlds_{part}",
        part=part,
        kind="V1",
        shows="two arms with other minds meet bit-equal worlds, and end differently",
        source=DIGESTS,
        method=f"4 pairs × 8 steps of {scenario}: scripted, and {minds}",
        compute=partial(common_worlds, scenario, other),
    )
