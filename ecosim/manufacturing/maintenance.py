"""Maintenance as a question: for each machine that can run, maintain it now, defer, or pay for a look inside.

What makes it hard is that wear is hidden. Whoever decides sees noisy readings if there is monitoring, the age of the
machine, and what an inspection found; maintenance costs capacity and money now, a failure more of both later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.exact import MILLION, micro
from ecosim.fields import Array, Choice
from ecosim.manufacturing import equipment
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import NOBODY, ROLES, Layout
from ecosim.meanings import Meaning, units
from ecosim.side import Column, Events, Schema
from ecosim.words import Answers, Decision, Expert, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

ACTS = ("now", "defer", "inspect")
NOW, DEFER, INSPECT = range(len(ACTS))

SEES = {
    "readings": Meaning(
        "1/1e6", "wear by the sensor, the newest first; machines fail at 1 on average; none unmonitored"
    ),
    "weeks_run": Meaning("weeks", "weeks in which it ran since it was new, repaired or maintained"),
    "was_inspected": Meaning("", "1 if it was inspected since then"),
    "inspected_wear": Meaning("1/1e6", "its true wear at the last inspection; 0 if there was none"),
    "inspected_ago": Meaning("weeks", "weeks since that inspection; 0 if there was none"),
    "load": Meaning("", "what the firm wants to make this week ÷ its full capacity"),
    "life_weeks": Meaning("weeks", "for how long machines run until they fail, on average (MTBF)"),
    "repair_weeks": Meaning("weeks", "mean length of a repair after a failure (MTTR)"),
    "repair_cost": Meaning("EUR/1e6", "of a repair"),
    "maintenance_weeks": Meaning("weeks", "length of a maintenance"),
    "maintenance_cost": Meaning("EUR/1e6", "of a maintenance"),
    "inspection_cost": Meaning("EUR/1e6", "of an inspection"),
}
ANSWERS = {"act": Meaning("", "maintain the machine now, defer, or inspect it and see its true wear from next week on")}
UNITS = units(SEES)

SCHEMAS = {
    "maintenance": Schema(
        "machines that were maintained or inspected, by decision",
        2,
        (
            Column("member", "i8", "id", "whose machine", of="member"),
            Column("machine", "i8", "", "its number within the firm, from 0"),
            Column("act", "i8", "", "0 now, 1 defer, 2 inspect; who defers is not listed", ACTS),
            Column("level", "i8", "1/1e6", "its true wear"),
            Column("stop", "i8", "weeks/1e6", "for how long it stands still this week"),
            Column("cost", "i8", "EUR/1e6", "of the maintenance or inspection"),
        ),
        is_rare=True,
    ),
}


class Maintain:
    """One question a role, a row a machine that runs this week and is not down at its end: now, defer, or inspect.

    Maintenance begins at once: the machine stands still for `maintenance_weeks` of this week's running time, and if
    that is not enough in the next weeks too; then it is as good as new.

    Draws:
        The threshold of a machine that is maintained, from the world's seed, keyed by machine and week.
    """

    name = "maintain"
    repeats = False
    sees, answers, writes = SEES, ANSWERS, ("maintenance",)

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        facts = scenario.equipment
        assert facts is not None
        self.net, self.facts = net, facts
        self.owners = equipment.owners(scenario, net)
        self.stop = micro(facts.maintenance_weeks)
        self.costs = np.array([micro(facts.maintenance_cost_eur), 0, micro(facts.inspection_cost_eur)])

    def ask(self, world: World) -> list[Question]:
        """Whoever has a machine that runs this week and is not down at its end."""
        machines = world.tables["machines"]
        due = world.is_live[machines["replica"]] & (machines["down"] == 0) & (machines["running"] > 0)
        due &= equipment.is_run(world, self.net, machines)
        role = self.net.role[machines["member"]]
        rows = [np.flatnonzero(due & (role == code)) for code in range(len(ROLES))]
        return [self._question(world, ROLES[code], rows[code]) for code in range(len(ROLES)) if len(rows[code])]

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Stop machines, renew them, look inside others, and pay."""
        found = [self._done(world, q, d.answers["act"]) for q, d in zip(questions, decisions, strict=True)]
        rows, act = (np.concatenate(c) for c in zip(*found, strict=True)) if found else (np.zeros(0, np.int64),) * 2
        if len(rows) == 0:
            return {}
        machines, ledger = world.tables["machines"], world.ledger
        was = machines.take(rows)
        cost = self.costs[act]
        ledger.pay(
            "maintenance", cost, ledger.rows(was["replica"], was["member"]), ledger.outside("nature", was["replica"])
        )
        stop = np.where(act == NOW, np.minimum(self.stop, was["running"]), 0)
        self._maintain(world, rows[act == NOW], stop[act == NOW])
        looked = rows[act == INSPECT]
        machines["inspected"][looked] = machines["level"][looked]
        machines["inspected_week"][looked] = world.steps
        equipment.tell_firms(world, self.net, self.facts, self.owners)
        who = {name: was[name] for name in ("replica", "member", "machine")}
        return {"maintenance": Table({**who, "act": act, "level": was["level"], "stop": stop, "cost": cost})}

    def _done(self, world: World, question: Question, act: Array) -> tuple[Array, Array]:
        """Rows of machines and acts of those who do something."""
        key = question.key
        rank = np.searchsorted(self.owners, key["subject"])
        per_firm = self.facts.machines
        rows = (key["replica"] * len(self.owners) + rank) * per_firm + key["round"]
        return rows[act != DEFER], act[act != DEFER]

    def _maintain(self, world: World, rows: Array, stop: Array) -> None:
        machines = world.tables["machines"]
        key = (machines["member"][rows], machines["machine"][rows])
        seed = world.seed(seeds.WORLD, machines["replica"][rows])
        equipment.renew(machines, rows, equipment.thresholds(self.facts, seed, world.steps, self.name, key))
        machines["running"][rows] -= stop
        machines["down"][rows] = self.stop - stop
        machines["cause"][rows] = equipment.MAINTENANCE

    def _question(self, world: World, role: str, rows: Array) -> Question:
        net, machines, facts = self.net, world.tables["machines"], self.facts
        replica, member, machine = machines["replica"][rows], machines["member"][rows], machines["machine"][rows]
        nobody, num = np.full(len(rows), NOBODY), len(rows)
        item = net.sells[member]
        was_inspected = machines["inspected_week"][rows] >= 0
        shown = np.arange(equipment.SHOWN_READINGS) < machines["num_readings"][rows][:, None]
        weeks = {"life_weeks": facts.life_weeks, "repair_weeks": facts.repair_weeks}
        weeks |= {"maintenance_weeks": facts.maintenance_weeks}
        prices = {"repair_cost": micro(facts.repair_cost_eur), "maintenance_cost": int(self.costs[NOW])}
        prices |= {"inspection_cost": int(self.costs[INSPECT])}
        return Question(
            role=role,
            phase=self.name,
            step=world.steps,
            key=Table({"replica": replica, "subject": member, "counterpart": nobody, "item": item, "round": machine}),
            seed=world.seed(seeds.MIND, replica),
            mind=world.minds(self.name, replica, member),
            columns={
                "readings": np.where(shown, machines["readings"][rows], 0),
                "weeks_run": machines["age"][rows],
                "was_inspected": was_inspected.astype(np.int64),
                "inspected_wear": np.where(was_inspected, machines["inspected"][rows], 0),
                "inspected_ago": np.where(was_inspected, world.steps - machines["inspected_week"][rows], 0),
                "load": self._load(world, replica, member),
                **{name: np.full(num, value) for name, value in {**weeks, **prices}.items()},
            },
            masks={"readings": shown},
            units=UNITS,
            fields=(Choice(name="act", options=ACTS, allowed=np.ones((num, len(ACTS)), bool)),),
        )

    def _load(self, world: World, replica: Array, member: Array) -> Array:
        firms, positions = world.tables["firms"], world.tables["positions"]
        wish = positions["wish"][self.net.position_row(replica, member, self.net.sells[member])]
        capacity = firms["capacity"][self.net.firm_row(replica, member)]
        return wish / np.maximum(capacity, MILLION)


# ---- experts --------------------------------------------------------------------------------------------------------

SMOOTHED = 3
"""Readings in the mean by which condition-based maintenance goes."""
CONDITION = 0.65
"""The smoothed wear at which condition-based maintenance acts: machines fail at about 1, and a mean lags behind."""
AGE = 0.7
"""The age, as a share of the mean life, at which age-based maintenance acts."""
LOOK_AGE, LOOK_AGAIN_WEEKS = 0.5, 2
"""The share of the mean life from which an inspector looks, and how many weeks later again."""


def run_to_failure(question: Question) -> Answers:
    """Never maintain: repair what fails."""
    return {"act": np.full(question.num_rows, DEFER)}


def by_age(period_weeks: float) -> Expert:
    """Maintain a machine that has run for so many weeks, whatever its condition (age replacement).

    Source: Barlow, Hunter (1960), Optimum preventive maintenance policies.
    """

    def decide(question: Question) -> Answers:
        return {"act": np.where(question["weeks_run"] >= period_weeks, NOW, DEFER)}

    return decide


def age_based(question: Question) -> Answers:
    """Maintain a machine that has run for 70 % of the mean life."""
    return {"act": np.where(question["weeks_run"] >= AGE * question["life_weeks"], NOW, DEFER)}


def by_condition(level: float) -> Expert:
    """Maintain when the mean of the last three readings comes to a level; without readings, go by age."""

    def decide(question: Question) -> Answers:
        recent, shown = question["readings"][:, :SMOOTHED], question.masks["readings"][:, :SMOOTHED]
        count = shown.sum(axis=1)
        smoothed = np.where(shown, recent, 0).sum(axis=1)  # whole numbers: compared without dividing
        worn = smoothed >= micro(level) * count
        old = age_based(question)["act"] == NOW
        return {"act": np.where(np.where(count > 0, worn, old), NOW, DEFER)}

    return decide


def condition_based(question: Question) -> Answers:
    """Maintain when the mean of the last three readings comes to 0.65; without readings, go by age."""
    return by_condition(CONDITION)(question)


def inspect_when_old(question: Question) -> Answers:
    """Inspect from half the mean life on, every second week; maintain when an inspection found wear of 0.65 or more.

    It reads no sensor: what it pays for inspections is what monitoring has to beat.
    """
    looks = question["weeks_run"] >= LOOK_AGE * question["life_weeks"]
    looks &= (question["was_inspected"] == 0) | (question["inspected_ago"] >= LOOK_AGAIN_WEEKS)
    worn = (question["was_inspected"] == 1) & (question["inspected_wear"] >= micro(CONDITION))
    return {"act": np.where(worn, NOW, np.where(looks, INSPECT, DEFER))}


MAINTAIN: Mapping[str, Expert] = {
    "scripted": condition_based, "condition_based": condition_based, "age_based": age_based,
    "run_to_failure": run_to_failure, "inspect_when_old": inspect_when_old,
}  # fmt: skip
EXPERTS: Mapping[str, Mapping[str, Expert]] = {f"{role}.maintain": MAINTAIN for role in ("supplier", "manufacturer")}
