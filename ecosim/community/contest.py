"""Contests: every few days creators compete for a prize, by what they stake, by effort in their posts, or by views.

A stake is decided on for the contest alone, in thousandths of the prize, and spent whether one wins or not (an all-pay
lottery): the contest of Tullock (1980). With n equal creators none gains by another stake when each stakes power ·
prize · (n − 1) ÷ n²; where one after another revises, best replies get there (Ewerhart 2017, for power 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim import seeds
from ecosim.adder import Adder
from ecosim.community.chapter import Chapter
from ecosim.community.facts.contest import Contest
from ecosim.community.facts.people import ROLES
from ecosim.community.rivals import has_turn
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import BOOKS, Layout, grid
from ecosim.exact import MILLION, micro
from ecosim.fields import Array, Bucket
from ecosim.meanings import Meaning, State, units
from ecosim.rules import contest
from ecosim.rules.allocate import split_by_group
from ecosim.rules.feeds import drawn
from ecosim.rules.ledger import CASH
from ecosim.side import Column, Events, Figure, Schema, Series
from ecosim.words import Answers, Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

SCHEMAS = {
    "awards": Schema(
        "who took part in a contest, and what it got",
        1,
        (
            Column("creator", "i8", "id", "who took part", of="member"),
            Column("score", "i8", "EUR/1e6", "what it put in; views, where the contest is about views"),
            Column("chance", "f8", "", "of the prize, or its share of it"),
            Column("prize", "i8", "EUR/1e6", "what it got"),
        ),
        is_rare=True,
    )
}
STATES = {
    "creators": State(
        "a creator",
        {
            "stake": Meaning("EUR/1e6", "what it put into the last contest in which it took part; −1 before the first"),
            "rivalry": Meaning("2**−20", "weights of all others in that contest"),
            "counted": Meaning("EUR/1e6", "effort, or views, until the last contest"),
        },
    )
}
SEES = {
    "prize": Meaning("EUR/1e6", "of the contest"),
    "power": Meaning("", "chances are in proportion to stake to this power"),
    "num_rivals": Meaning("", "other creators who may take part"),
    "stake_last": Meaning("EUR/1e6", "its own stake in the contest before; −1 before the first"),
    "rivalry_last": Meaning("2**−20", "sum of (stake ÷ prize)^power of the others in that contest"),
    "cash": Meaning("EUR/1e6", "what it owns"),
}
ANSWERS = {"stake": Meaning("EUR/1e6", "spent whether it wins or not; in thousandths of the prize")}


class Award:
    """Every few days a prize is given: creators say what they stake, or are compared by their efforts or views.

    The chance of each is score^power over the sum of all; nobody gets the prize where all scores are 0. Stakes are
    spent. Who is drawn gets the whole prize, or all get their chance's share of it, to the millionth.

    Draws:
        From the world's seed: the winner, where one wins.
    """

    name = "award"
    repeats = False
    sees, answers, writes = SEES, ANSWERS, ("awards",)

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        self.net, self.facts = net, cast(Contest, scenario.contest)
        self.prize = micro(self.facts.prize_eur)
        self.step = max(self.prize // contest.LEVELS, 1)

    def ask(self, world: World) -> list[Question]:
        """Every creator who is there, what it stakes."""
        if world.steps % self.facts.every_days or self.facts.scores != "stake":
            return []
        creators = world.tables["creators"]
        due = creators["is_active"] & world.is_live[creators["replica"]]
        rows = [np.flatnonzero(due & (creators["role"] == code)) for code in range(len(ROLES))]
        return [self._question(world, ROLES[code], some) for code, some in enumerate(rows) if len(some)]

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Take the stakes, find the winner, pay."""
        if world.steps % self.facts.every_days:
            return {}
        score = self._staked(world, questions, decisions) if self.facts.scores == "stake" else self._counted(world)
        top = np.maximum(score.max(axis=1, keepdims=True), 1)
        weight = contest.weights(score, self.prize if self.facts.scores == "stake" else top, self.facts.power)
        creators = world.tables["creators"]
        took_part = score.ravel() > 0
        rivalry = (weight.sum(axis=1, keepdims=True) - weight).ravel()
        creators["rivalry"][creators["is_active"]] = rivalry[creators["is_active"]]
        won = self._won(world, weight).ravel()
        self._pay(world, won)
        rows = np.flatnonzero(took_part)
        chance = (weight / np.maximum(weight.sum(axis=1, keepdims=True), 1)).ravel()
        columns = {"replica": creators["replica"], "creator": creators["member"], "score": score.ravel()}
        return {"awards": Table({**columns, "chance": chance, "prize": won}).take(rows)}

    # ---- what they see --------------------------------------------------------------------------------------------

    def _question(self, world: World, role: str, rows: Array) -> Question:
        creators = world.tables["creators"]
        replica, member = creators["replica"][rows], creators["member"][rows]
        cash = world.ledger.accounts["balance"][world.ledger.rows(replica, member), CASH]
        none, zero = np.full(len(rows), -1), np.zeros(len(rows), np.int64)
        highest = np.minimum(self.step * contest.LEVELS, np.maximum(cash, 0)) // self.step * self.step
        columns = {
            "prize": zero + self.prize,
            "power": np.full(len(rows), self.facts.power),
            "num_rivals": grid(creators, "is_active", world.num_replicas).sum(axis=1)[replica] - 1,
            "stake_last": creators["stake"][rows],
            "rivalry_last": creators["rivalry"][rows],
            "cash": cash,
        }
        return Question(
            role=role,
            phase=self.name,
            step=world.steps,
            key=Table({"replica": replica, "subject": member, "counterpart": none, "item": none, "round": none}),
            seed=world.seed(seeds.MIND, replica),
            mind=world.minds(self.name, replica, member),
            columns=columns,
            units=units(SEES),
            fields=(Bucket(name="stake", low=zero, high=highest, step=zero + self.step, unit="EUR/1e6"),),
        )

    # ---- what comes of it -----------------------------------------------------------------------------------------

    def _staked(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Array:
        """Take the stakes, EUR/1e6 (replicas, creators)."""
        creators, ledger = world.tables["creators"], world.ledger
        score = np.zeros(creators.num_rows, np.int64)
        for question, decision in zip(questions, decisions, strict=True):
            replica, member = question.key["replica"], question.key["subject"]
            stake, row = decision.answers["stake"], self.net.creator_row(replica, member)
            ledger.pay("effort", stake, ledger.rows(replica, member), ledger.outside("nature", replica))
            score[row] = creators["stake"][row] = stake
        return score.reshape(world.num_replicas, -1)

    def _counted(self, world: World) -> Array:
        """Effort, or views, since the contest before, (replicas, creators); 0 for whoever is not there."""
        creators, accounts = world.tables["creators"], world.ledger.accounts
        if self.facts.scores == "views":
            now = creators["views"]
        else:
            now = -accounts["cash_by_reason"][accounts["is_member"], BOOKS.reasons.index("effort")]
        score = np.where(creators["is_active"] & world.is_live[creators["replica"]], now - creators["counted"], 0)
        creators["counted"] = now.copy()
        return score.reshape(world.num_replicas, -1)

    def _won(self, world: World, weight: Array) -> Array:
        """What each gets, EUR/1e6 (replicas, creators)."""
        given = weight.any(axis=1)
        prize = np.where(given, self.prize, 0)
        if self.facts.pays == "shares":
            group = np.repeat(np.arange(len(weight)), weight.shape[1])
            return split_by_group(group, prize, weight.ravel())
        won, replica = np.zeros_like(weight), np.flatnonzero(given)
        seed = world.seed(seeds.WORLD, replica)
        u = seeds.uniform(seeds.WORLD, seed, world.steps, self.name, (np.zeros_like(replica),))
        won[replica, drawn(weight, replica, u)] = self.prize
        return won

    def _pay(self, world: World, won: Array) -> None:
        rows, creators = np.flatnonzero(won), world.tables["creators"]
        replica, ledger = creators["replica"][rows], world.ledger
        ledger.pay(
            "prizes", won[rows], ledger.outside("platform", replica), ledger.rows(replica, creators["member"][rows])
        )


# ---- who answers, and what is measured ------------------------------------------------------------------------------

FIRST_STAKE = 10
"""Of a prize, one part in so many is what `best_reply` begins with: anywhere but at the equilibrium."""


def equilibrium_stake(question: Question) -> Answers:
    """What all would stake if none gained by another stake, power · prize · (n − 1) ÷ n²; less if it has less."""
    num = question["num_rivals"] + 1
    return {"stake": _snapped(question, contest.equilibrium(num, float(question["power"][0])))}


def best_reply_stake(question: Question) -> Answers:
    """The stake that would have been best against those of the others last time; one revises at a time, by lot.

    If all revised at once they would overshoot: with more than four, replies to replies do not settle.
    """
    num, field = question["num_rivals"] + 1, cast(Bucket, question.field("stake"))
    most = field.high // field.step
    best = contest.best_reply(question["rivalry_last"], float(question["power"][0]), most)
    fresh = np.full(question.num_rows, contest.LEVELS // FIRST_STAKE)
    wish = np.where(has_turn(question, num), best * field.step, question["stake_last"])
    return {"stake": np.where(question["stake_last"] < 0, _snapped(question, fresh), field.snap(wish))}


def _snapped(question: Question, level: Array) -> Array:
    field = cast(Bucket, question.field("stake"))
    return field.snap(level * field.step)


EXPERTS = {f"{role}.award": {"scripted": equilibrium_stake, "best_reply": best_reply_stake} for role in ROLES}


def _build(scenario: CommunityScenario, net: Layout, replicas: Table, tables: dict[str, Table]) -> None:
    creators = tables["creators"]
    creators["stake"] = np.full(creators.num_rows, -1)
    creators["rivalry"] = np.zeros(creators.num_rows, np.int64)
    creators["counted"] = np.zeros(creators.num_rows, np.int64)


def _measure(world: World, events: Events, add: Adder) -> None:
    awards = events["awards"]
    is_money = cast(Contest, cast(CommunityScenario, world.scenario).contest).scores != "views"
    add("stakes", awards, awards["score"] * is_money / MILLION)
    add("prizes", awards, awards["prize"] / MILLION)


def _conclude(world: World, series: Series, add: Adder) -> None:
    prizes = add.figures["prizes", ""] = series["prizes", ""].sum(axis=0)
    stakes = series["stakes", ""].sum(axis=0)
    add.figures["dissipation", ""] = np.divide(stakes, prizes, out=np.full(len(prizes), np.nan), where=prizes > 0)


CHAPTER = Chapter(
    is_in=lambda scenario: scenario.contest is not None,
    phases={"award": Award},
    asks={role: ("award",) for role in ROLES},
    experts=EXPERTS,
    schemas=SCHEMAS,
    states=STATES,
    build=_build,
    metrics={
        "stakes": Figure("EUR", "what creators put into today's contest; 0 where it is about views", "lower"),
        "prizes": Figure("EUR", "what they won"),
    },
    kpis={
        "prizes": Figure("EUR", "what creators won in contests"),
        "dissipation": Figure("share", "of the prizes, what was put in for them; power · (n − 1) ÷ n in equilibrium"),
    },
    measure=_measure,
    conclude=_conclude,
    num_bytes=lambda scenario: {"creators (count × contest)": 24 * scenario.num_creators},
)
