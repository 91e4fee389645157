"""Machines of makers: they wear week by week, fail, are repaired, and run slower and spoil goods as they wear.

A machine's wear is a gamma process: in a week of running it grows by an Erlang draw whose mean is 1 ÷ `life_weeks`;
within a week it grows evenly. When it reaches the machine's threshold, which was drawn when the machine was new and is
hidden, the machine fails at that moment of the week, a repair of drawn length begins, and the machine is new after it.
So with mean wear μ a week, shape k and thresholds about T, the mean time to failure is T ÷ μ + 1 ÷ 2k weeks (renewal
theory: the overshoot of a gamma walk, less half a week, because time within a week is exact here).

Wear and time are kept in millionths. Erlang draws are −log of a product of uniforms, by `exact`, so they have the same
bits everywhere. A machine wears by the calendar, busy or idle, if it can run. What remains of a firm is in its column
`running`: the share of its capacity that is there this week; the lever `capacity` is not touched.

Source: van Noortwijk (2009), A survey of the application of gamma processes in maintenance. Renewal: Cox (1962).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim import exact, seeds
from ecosim.exact import MILLION, micro
from ecosim.fields import Array
from ecosim.manufacturing.facts.equipment import Equipment
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import ROLES, Layout
from ecosim.meanings import Meaning, State
from ecosim.side import Column, Events, Schema
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

SHOWN_READINGS = 6
REPAIR, MAINTENANCE = 0, 1
CAUSES = ("repair", "maintenance")
NEVER = -1

STATES = {
    "machines": State(
        "a machine of a maker",
        {
            "replica": Meaning("id", "where it is"),
            "member": Meaning("id", "whose it is"),
            "machine": Meaning("id", "its number within the firm, from 0"),
            "level": Meaning("1/1e6", "its true wear; hidden"),
            "threshold": Meaning("1/1e6", "the wear at which it fails; hidden"),
            "down": Meaning("weeks/1e6", "how much longer it will stand still from the next week on"),
            "cause": Meaning("", "what it stood still for last: 0 repair, 1 maintenance"),
            "running": Meaning("weeks/1e6", "how long it runs this week"),
            "age": Meaning("weeks", "weeks in which it ran since it was new, repaired or maintained"),
            "inspected": Meaning("1/1e6", "its wear at the last inspection since it was new; −1 if there was none"),
            "inspected_week": Meaning("week", "of that inspection; −1 if there was none"),
            "readings": Meaning("1/1e6", "wear by its sensor in each of the last weeks, the newest first"),
            "num_readings": Meaning("", "how many of these are since it was new"),
        },
    ),
    "firms": State(
        "a firm",
        {
            "running": Meaning("1/1e6", "share of its capacity that its machines can make this week"),
            "rejecting": Meaning("1/1e6", "share of what it makes this week that is scrap"),
        },
    ),
}

_WHOSE = (
    Column("member", "i8", "id", "whose machine", of="member"),
    Column("machine", "i8", "", "its number within the firm, from 0"),
)
SCHEMAS = {
    "wear": Schema(
        "what a full week of running would add to the wear of each machine",
        2,
        (*_WHOSE, Column("wear", "i8", "1/1e6", "1 is what a machine takes on average until it fails")),
        is_exogenous=True,
        is_rare=True,
    ),
    "machines": Schema(
        "machines, after the wear and the failures of the week and before what is maintained in it",
        2,
        (
            *_WHOSE,
            Column("level", "i8", "1/1e6", "true wear"),
            Column("running", "i8", "weeks/1e6", "how long it can run this week"),
            Column("repair", "i8", "weeks/1e6", "how long it stands still for repair"),
            Column("maintenance", "i8", "weeks/1e6", "the same for maintenance begun in an earlier week"),
            Column("failed", "i8", "", "1 if it failed this week", ("no", "yes")),
            Column("repair_weeks", "i8", "weeks/1e6", "length of the repair that began"),
            Column("cost", "i8", "EUR/1e6", "of that repair"),
        ),
        is_rare=True,
    ),
    "rejects": Schema(
        "scrap of worn machines",
        2,
        (
            Column("member", "i8", "id", "who made it", of="member"),
            Column("item", "i8", "id", "which item", of="item"),
            Column("quantity", "i8", "units/1e6", "of what was made this week, how much is no good"),
        ),
        is_rare=True,
    ),
}


def owners(scenario: ManufacturingScenario, net: Layout) -> Array:
    """The makers that have machines, by id."""
    assert scenario.equipment is not None
    listed = scenario.equipment.firms or [firms.name for firms in scenario.firms]
    has = np.repeat([firms.name in listed for firms in scenario.firms], [firms.count for firms in scenario.firms])
    return np.flatnonzero(has & (net.role != ROLES.index("distributor")))


def build(scenario: ManufacturingScenario, net: Layout, replicas: Table, tables: dict[str, Table]) -> None:
    """New machines everywhere, with thresholds drawn in week 0."""
    facts = scenario.equipment
    assert facts is not None
    who = owners(scenario, net)
    local = np.repeat(who, facts.machines)
    num, rows = replicas.num_rows, replicas.num_rows * len(local)
    replica, member = np.repeat(np.arange(num), len(local)), np.tile(local, num)
    machine = np.tile(np.arange(facts.machines), num * len(who))
    zero = np.zeros(rows, np.int64)
    tables["machines"] = Table(
        {
            "replica": replica,
            "member": member,
            "machine": machine,
            "level": zero.copy(),
            "threshold": thresholds(facts, replicas["world_seed"][replica], 0, "wear", (member, machine)),
            "down": zero.copy(),
            "cause": zero.copy(),
            "running": np.full(rows, MILLION),
            "age": zero.copy(),
            "inspected": np.full(rows, NEVER),
            "inspected_week": np.full(rows, NEVER),
            "readings": np.zeros((rows, SHOWN_READINGS), np.int64),
            "num_readings": zero.copy(),
        }
    )
    firms = tables["firms"]
    firms["running"] = np.full(firms.num_rows, MILLION)
    firms["rejecting"] = np.zeros(firms.num_rows, np.int64)


def erlang(shape: int, seed: Array, step: int, what: str, key: seeds.Key) -> Array:
    """Draws of mean 1 from the world's stream, float64: the mean of `shape` exponentials; 1 if the shape is 0.

    The sum of k exponentials is −log of the product of k uniforms: one logarithm.
    """
    if shape == 0:
        return np.ones(len(key[0]))
    product = np.ones(len(key[0]))
    for lane in range((shape + 1) // 2):
        pair = seeds.two_uniforms(seeds.WORLD, seed, step, what, key, lane)
        for u in pair[: shape - 2 * lane]:
            product = product * u
    return -exact.log(product) / shape


def thresholds(facts: Equipment, seed: Array, step: int, what: str, key: seeds.Key) -> Array:
    """The wear at which machines fail that are new in a week, 1/1e6."""
    u = seeds.uniform(seeds.WORLD, seed, step, f"{what}.threshold", key)
    return np.rint(MILLION * (1.0 + facts.threshold_spread * (2.0 * u - 1.0))).astype(np.int64)


def renew(machines: Table, rows: Array, threshold: Array) -> None:
    """Make machines as good as new; what their sensors and inspectors saw was the old machine."""
    machines["threshold"][rows] = threshold
    for name, value in (("level", 0), ("age", 0), ("num_readings", 0), ("inspected", NEVER), ("inspected_week", NEVER)):
        machines[name][rows] = value


class Wear:
    """A week passes over all machines: they wear, some fail, repairs go on, and sensors report.

    Draws:
        Of each machine and week, from the world's seed: wear of a full week, and the sensor's noise; where it fails,
        the length of its repair, the wear of the rest of the week, and the threshold of the machine that is new then.
    """

    name = "wear"
    repeats = False
    writes = ("wear", "machines")

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        assert scenario.equipment is not None
        self.net, self.facts = net, scenario.equipment
        self.owners = owners(scenario, net)
        self.mean_wear = MILLION / self.facts.life_weeks
        self.repair_cost = micro(self.facts.repair_cost_eur)

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked: machines wear by themselves."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Wear and fail, start and end repairs, pay for them, and say what each firm's machines can do this week."""
        machines = world.tables["machines"]
        rows = np.flatnonzero(world.is_live[machines["replica"]])
        if len(rows) == 0:
            return {}
        now = machines.take(rows)
        key, seed = (now["member"], now["machine"]), world.seed(seeds.WORLD, now["replica"])
        wear = self._wear(world, seed, key, "wear")
        before = np.minimum(now["down"], MILLION)  # how long it still stands from earlier weeks
        span = MILLION - before
        gap = np.maximum(now["threshold"] - now["level"], 0)
        failed = (span > 0) & (wear * span // MILLION >= gap)
        to_failure = np.where(failed, np.minimum(gap * MILLION // np.maximum(wear, 1), span), span)
        repair = np.where(failed, self._repairs(world, seed, key), 0)
        now_down = np.minimum(repair, span - to_failure)
        machines["running"][rows] = span - now_down
        machines["down"][rows] = now["down"] - before + repair - now_down
        machines["level"][rows] += wear * span // MILLION
        machines["age"][rows] += span > 0
        maintained = np.where(now["cause"] == MAINTENANCE, before, 0)
        self._restart(world, rows[failed], (span - to_failure - now_down)[failed])
        if self.facts.monitoring:
            self._read_sensors(world, rows, span - now_down)
        cost = np.where(failed & is_run(world, self.net, now), self.repair_cost, 0)
        ledger = world.ledger
        payer = ledger.rows(now["replica"], now["member"])
        ledger.pay("maintenance", cost, payer, ledger.outside("nature", now["replica"]))
        tell_firms(world, self.net, self.facts, self.owners)
        who = {name: now[name] for name in ("replica", "member", "machine")}
        state = {
            "level": machines["level"][rows],
            "running": machines["running"][rows],
            "repair": before - maintained + now_down,
            "maintenance": maintained,
            "failed": failed.astype(np.int64),
            "repair_weeks": repair,
            "cost": cost,
        }
        return {"wear": Table({**who, "wear": wear}), "machines": Table({**who, **state})}

    def _wear(self, world: World, seed: Array, key: seeds.Key, what: str) -> Array:
        drawn = erlang(self.facts.wear_shape, seed, world.steps, what, key)
        return np.rint(self.mean_wear * drawn).astype(np.int64)

    def _repairs(self, world: World, seed: Array, key: seeds.Key) -> Array:
        drawn = erlang(self.facts.repair_shape, seed, world.steps, "wear.repair", key)
        return np.rint(MILLION * self.facts.repair_weeks * drawn).astype(np.int64)

    def _restart(self, world: World, rows: Array, rest: Array) -> None:
        """Where a machine failed: new from here on, with the wear of what is left of the week after a short repair."""
        machines = world.tables["machines"]
        key = (machines["member"][rows], machines["machine"][rows])
        seed = world.seed(seeds.WORLD, machines["replica"][rows])
        renew(machines, rows, thresholds(self.facts, seed, world.steps, "wear", key))
        machines["cause"][rows] = REPAIR
        machines["level"][rows] = self._wear(world, seed, key, "wear.again") * rest // MILLION

    def _read_sensors(self, world: World, rows: Array, running: Array) -> None:
        """A reading of every machine that runs at all this week; noise may take it below 0, where it is 0."""
        machines = world.tables["machines"]
        on = rows[running > 0]
        key = (machines["member"][on], machines["machine"][on])
        seed = world.seed(seeds.WORLD, machines["replica"][on])
        noise = MILLION * self.facts.sensor_noise * seeds.normal(seeds.WORLD, seed, world.steps, "wear.sensor", key)
        readings = machines["readings"]
        readings[on, 1:] = readings[on, :-1]
        readings[on, 0] = np.maximum(machines["level"][on] + np.rint(noise).astype(np.int64), 0)
        machines["num_readings"][on] = np.minimum(machines["num_readings"][on] + 1, SHOWN_READINGS)


def is_run(world: World, net: Layout, machines: Table) -> Array | bool:
    """Whether somebody runs the machines: firms that have left, or have not yet come, pay and decide nothing."""
    firms = world.tables["firms"]
    return firms["is_active"][net.firm_row(machines["replica"], machines["member"])] if "is_active" in firms else True


def tell_firms(world: World, net: Layout, facts: Equipment, who: Array) -> None:
    """Write to each firm which share of its capacity its machines can make this week, and how much of that is scrap."""
    machines, firms = world.tables["machines"], world.tables["firms"]
    onset = micro(facts.slows_from)
    worn = np.clip(machines["level"] - onset, 0, MILLION - onset) * MILLION // (MILLION - onset)
    speed = MILLION - worn * micro(facts.speed_loss) // MILLION
    output = machines["running"] * speed // MILLION
    spoilt = output * (worn * micro(facts.reject_share) // MILLION) // MILLION
    made, bad = (column.reshape(-1, facts.machines).sum(axis=1) for column in (output, spoilt))
    firm = net.firm_row(np.repeat(np.arange(world.num_replicas), len(who)), np.tile(who, world.num_replicas))
    firms["running"][firm] = made // facts.machines
    firms["rejecting"][firm] = bad * MILLION // np.maximum(made, 1)
