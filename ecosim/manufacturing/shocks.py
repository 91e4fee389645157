"""What happens from outside, and to whom: shocks are drawn before week 1, and felt through factors beside the levers.

Every shock of a run is drawn when its tables are made, from the world seed, keyed by the shock's name and the week: no
member can bring one about or prevent it, and arms with other minds meet the same ones. Each week the phase writes what
the shocks under way come to into columns of their own (`firms.shock_capacity` …, table `goods`), 1 in ordinary times;
`effective` joins them with the levers where they are used. So nothing has to be put back: when a shock is over its
factor is 1, and capacity, demand and costs are again what scenario and interventions say, to the last unit.

Shocks of the same kind multiply (of delays, the longest counts). A shock does not begin again before it is over: what
would begin meanwhile, by chance or by another, does not happen.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.exact import MILLION, micro, value
from ecosim.fields import Array
from ecosim.levers import rows_where
from ecosim.manufacturing.facts.shocks import OF_ITEMS, Shock, goods, places, reached
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import NOBODY, Layout
from ecosim.meanings import Meaning, State
from ecosim.side import Column, Events, Schema
from ecosim.words import Decision, Question, Table, concat

if TYPE_CHECKING:
    from ecosim.world import World

_REPLICA = Meaning("id", "where it is")
STATES = {
    "shocks": State(
        "a shock that happens in the run, drawn before week 1; nobody sees it coming",
        {
            "replica": _REPLICA,
            "shock": Meaning("id", "which, in the order of the scenario"),
            "week": Meaning("week", "when it begins"),
            "weeks": Meaning("weeks", "how long it lasts"),
            "cause": Meaning("id", "the shock that brought it about; −1 if none did"),
        },
    ),
    "goods": State(
        "an item, and what shocks have made of its prices",
        {
            "replica": _REPLICA,
            "item": Meaning("id", "which item, in the order of the scenario"),
            "make_cost_factor": Meaning("1/1e6", "what its cost of making is multiplied by"),
            "value_factor": Meaning("1/1e6", "what it is worth to buyers is multiplied by"),
        },
    ),
    "firms": State(
        "a firm",
        {
            "shock_capacity": Meaning("1/1e6", "share of its capacity that shocks leave it this week"),
            "shock_demand": Meaning("1/1e6", "what shocks multiply consumers' demand by this week"),
            "shock_sending": Meaning("1/1e6", "share of its stock that it can send off this week"),
            "shock_delay": Meaning("weeks", "by how much later goods come that leave it this week"),
        },
    ),
}

_SHOCK = Column("shock", "i8", "id", "which, in the order of the scenario", of="shock")
SCHEMAS = {
    "shocks": Schema(
        "shocks that began",
        1,
        (
            _SHOCK,
            Column("weeks", "i8", "weeks", "how long it lasts, until it is over or begins to fade"),
            Column("recovery_weeks", "i8", "weeks", "in which it fades after that"),
            Column("cause", "i8", "id", "the shock that brought it about; −1 if none did", of="shock"),
        ),
        is_exogenous=True,
        is_rare=True,
    ),
    "recalls": Schema(
        "goods that were withdrawn",
        3,
        (
            _SHOCK,
            Column("member", "i8", "id", "whose", of="member"),
            Column("item", "i8", "id", "which item", of="item"),
            Column("quantity", "i8", "units/1e6", "how much of its stock"),
        ),
        is_rare=True,
    ),
}

COLUMNS = {"outage": "shock_capacity", "surge": "shock_demand", "closure": "shock_sending", "delay": "shock_delay"}
FACTORS = {"cost_jump": "make_cost_factor", "value_jump": "value_factor"}


def build(scenario: ManufacturingScenario, net: Layout, replicas: Table, tables: dict[str, Table]) -> None:
    """All shocks of the run, and factors of 1."""
    tables["shocks"] = draw(scenario.shocks or [], scenario.steps, replicas)
    num, num_items = replicas.num_rows, len(net.items)
    tables["goods"] = Table(
        {
            "replica": np.repeat(np.arange(num), num_items),
            "item": np.tile(np.arange(num_items), num),
            **{name: np.full(num * num_items, MILLION) for name in FACTORS.values()},
        }
    )
    firms = tables["firms"]
    for name in COLUMNS.values():
        firms[name] = np.full(firms.num_rows, 0 if name == "shock_delay" else MILLION)


def draw(shocks: Sequence[Shock], steps: int, replicas: Table) -> Table:
    """The shocks of all replicas, by replica, week and shock; `replica, shock, week, weeks, cause`.

    Those that trigger others are drawn first, so that what follows is known when its turn comes.
    """
    index = {shock.name: i for i, shock in enumerate(shocks)}
    after = {shock.name: [t.shock for t in shock.triggers] for shock in shocks}
    causes: dict[tuple[int, int], Array] = {}  # by shock and week, the cause in each replica, or NOBODY
    rows = [_no_rows()]
    for name in reversed(list(TopologicalSorter(after).static_order())):
        rows += _draw_one(shocks, index, index[name], steps, replicas, causes)
    found = concat(rows)
    return found.take(np.lexsort((found["shock"], found["week"], found["replica"])))


def _draw_one(
    shocks: Sequence[Shock],
    index: dict[str, int],
    i: int,
    steps: int,
    replicas: Table,
    causes: dict[tuple[int, int], Array],
) -> list[Table]:
    """One shock in all weeks and replicas; notes what it brings about in `causes`."""
    shock, seed = shocks[i], replicas["world_seed"]
    key = (np.full(replicas.num_rows, zlib.crc32(shock.name.encode())),)
    over = np.zeros(replicas.num_rows, np.int64)  # the last week of what is under way
    found = []
    for week in range(1, steps + 1):
        cause = causes.get((i, week), np.full(replicas.num_rows, NOBODY))
        begins = (cause != NOBODY) | (week == shock.week)
        if shock.chance:
            begins |= seeds.uniform(seeds.WORLD, seed, week, "shock", key) < shock.chance
        where = np.flatnonzero(begins & (week > over))
        if len(where) == 0:
            continue
        longest = max(shock.most_weeks, shock.weeks)
        drawn = seeds.integers(longest - shock.weeks + 1, seeds.WORLD, seed, week, "shock.weeks", key)
        weeks = shock.weeks + drawn[where]
        over[where] = week + weeks + shock.recovery_weeks - 1
        same = np.ones(len(where), np.int64)
        row = {"replica": where, "shock": i * same, "week": week * same, "weeks": weeks, "cause": cause[where]}
        found.append(Table(row))
        for j, trigger in enumerate(shock.triggers):
            u = seeds.uniform(seeds.WORLD, seed, week, "shock.trigger", (*key, np.full(replicas.num_rows, j)))
            then = causes.setdefault((index[trigger.shock], week + trigger.weeks), np.full(replicas.num_rows, NOBODY))
            then[where[u[where] < trigger.chance]] = i
    return found


def _no_rows() -> Table:
    return Table({name: np.zeros(0, np.int64) for name in ("replica", "shock", "week", "weeks", "cause")})


class ShockPhase:
    """What is under way this week becomes factors; goods that are recalled leave stock; what begins is told.

    A shock is felt in full for its `weeks`, then less each week, evenly, over `recovery_weeks`.

    Draws:
        Before week 1, from the world's seed, by the shock's name and week: whether it begins, how long it lasts, and
        what it brings about.
    """

    name = "shock"
    repeats = False

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        self.net, self.shocks = net, scenario.shocks or []
        self.writes = ("shocks", "recalls")[: 1 + any(s.kind == "recall" for s in self.shocks)]
        where = places(scenario.firms, net.items)
        self.rows = [np.flatnonzero(reached(s, where, scenario.firms, scenario.items)) for s in self.shocks]
        self.recalled = [_recalled(s, net, rows) for s, rows in zip(self.shocks, self.rows, strict=True)]
        self.recovery = np.array([s.recovery_weeks for s in self.shocks], np.int64)

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked: shocks come from outside."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Write the week's factors anew, withdraw goods, and say what begins."""
        self._forget(world)
        shocks = world.tables["shocks"]
        if shocks.num_rows == 0:
            return {}
        last = shocks["week"] + shocks["weeks"] + self.recovery[shocks["shock"]]
        active = (shocks["week"] <= world.steps) & (world.steps < last) & world.is_live[shocks["replica"]]
        now = shocks.take(active)
        recalls = []
        for i in np.unique(now["shock"]).tolist():
            mine = now.take(now["shock"] == i)
            if self.shocks[i].kind == "recall":
                recalls.append(self._recall(world, i, mine["replica"]))
            else:
                self._feel(world, i, mine)
        began = now.take(now["week"] == world.steps)
        events = {name: began[name] for name in ("replica", "shock", "weeks", "cause")}
        events["recovery_weeks"] = self.recovery[began["shock"]]
        told = {"shocks": Table(events)} if began.num_rows else {}
        return {**told, "recalls": concat(recalls)} if recalls else told

    def _forget(self, world: World) -> None:
        firms, goods = world.tables["firms"], world.tables["goods"]
        for name in COLUMNS.values():
            firms[name][:] = 0 if name == "shock_delay" else MILLION
        for name in FACTORS.values():
            goods[name][:] = MILLION

    def _feel(self, world: World, i: int, active: Table) -> None:
        """Bring one shock into the factors of whom it concerns."""
        shock, local = self.shocks[i], self.rows[i]
        strength = intensity(world.steps - active["week"], active["weeks"], shock.recovery_weeks)
        table = world.tables["goods" if shock.kind in OF_ITEMS else "firms"]
        name = FACTORS.get(shock.kind) or COLUMNS[shock.kind]
        rows = active["replica"][:, None] * (table.num_rows // world.num_replicas) + local
        size = micro(shock.size)
        if shock.kind == "delay":
            weeks = (value(strength, np.full(len(strength), size)) + MILLION // 2) // MILLION
            table[name][rows] = np.maximum(table[name][rows], weeks[:, None])
            return
        change = -size if shock.kind in ("outage", "closure") else size - MILLION
        factor = MILLION + strength * change // MILLION
        table[name][rows] = factor[:, None] * table[name][rows] // MILLION

    def _recall(self, world: World, i: int, replica: Array) -> Table:
        """Take a share of the stock, in whole units, cut off; not of what is on the way, or in production."""
        net, local, ledger = self.net, self.recalled[i], world.ledger
        home, position = np.repeat(replica, len(local)), np.tile(local, len(replica))
        member, item = net.owner[position], net.item[position]
        account = ledger.rows(home, member)
        stock = ledger.accounts["balance"][account, item + 1]
        gone = value(np.full(len(stock), micro(self.shocks[i].size)), stock) // MILLION * MILLION
        ledger.move(item + 1, gone, account, ledger.outside("nature", home))
        columns = {"replica": home, "shock": np.full(len(home), i), "member": member, "item": item, "quantity": gone}
        return Table(columns).take(gone > 0)


def intensity(elapsed: Array, weeks: Array, recovery_weeks: int) -> Array:
    """How much of a shock is felt, 1/1e6, so many weeks after it began: all of it, then evenly less, then nothing.

    >>> intensity(np.array([0, 1, 2, 3, 4, 5]), np.array([2]), 3).tolist()
    [1000000, 1000000, 750000, 500000, 250000, 0]
    """
    left = recovery_weeks + weeks - elapsed
    return np.clip(left * MILLION // (recovery_weeks + 1), 0, MILLION)


def _recalled(shock: Shock, net: Layout, firms: Array) -> Array:
    """The positions of a replica whose stock a recall takes."""
    if shock.kind != "recall":
        return np.zeros(0, np.int64)
    if "item" in shock.whom:
        items = np.flatnonzero(rows_where(goods(net.items), {"item": shock.whom["item"]}))
        is_of = np.isin(net.item, items)
    else:
        is_of = net.item == net.sells[net.owner]
    return np.flatnonzero(is_of & np.isin(net.owner, firms))
