"""The bargaining table: pairs of firms agree on several issues at once, by alternating offers.

All open talks of all replicas advance together; in a round first the buyers move, then the sellers. A move accepts the
other's standing offer, makes another, insists on the own one, or ends the talk. Utilities and deadlines are private.

An offer is answered issue by issue (`issue_1` … in the order of the scenario) and not as one choice among all outcomes:
every legal answer is a legal offer either way, but a language mind then reads and scores a handful of words a question
instead of hundreds of combinations, a small model has a head of five and not of 180, and cards need not know the
domain. `insist` says in one word what most moves of a patient negotiator are, and costs neither words nor columns.

Source: Rubinstein (1982), Perfect equilibrium in a bargaining model (alternating offers; here several issues, additive
utilities and deadlines).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim import exact, seeds
from ecosim.fields import Array, Choice
from ecosim.manufacturing import bargains
from ecosim.manufacturing.bargains import AGREED, NOTHING, REJECTED, SIDES, Dealer
from ecosim.manufacturing.chapter import Chapter
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import NOBODY, ROLES, Layout
from ecosim.manufacturing.table_acts import ACCEPT, ACTS, COUNTER, REJECT
from ecosim.manufacturing.table_experts import EXPERTS
from ecosim.manufacturing.table_outcomes import KPIS, METRICS, SCHEMAS, conclude, measure, outcome_events
from ecosim.meanings import Meaning, units
from ecosim.side import Events
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

SEES = {
    "is_buyer": Meaning("", "1 if it buys in this talk, 0 if it sells"),
    "issue": Meaning("", "what is to be agreed, in the order of the answers"),
    "points": Meaning("1/1e6", "what each option of each issue adds to its utility, issue after issue; the other's are hidden"),
    "round": Meaning("rounds", "this round, from 1; both sides move once a round"),
    "rounds_left": Meaning("rounds", "after this one, until its own deadline; the other's is hidden"),
    "reservation": Meaning("1/1e6", "what it has without a deal; the other's is hidden"),
    "discount": Meaning("", "what the utility of an agreement in this round is multiplied by"),
    "best": Meaning("1/1e6", "its utility of its best outcome"),
    "has_offer": Meaning("", "1 if an offer of the other side stands"),
    "offer": Meaning("", "the other's standing offer: which option of each issue, from 0"),
    "offer_utility": Meaning("1/1e6", "its own utility of that; −1 if there is none"),
    "offer_before": Meaning("1/1e6", "its own utility of the other's offer one move earlier; −1 if there was none"),
    "offer_first": Meaning("", "the other's first offer: which option of each issue"),
    "offer_changes": Meaning("", "how often the other has changed its offer"),
    "offer_kept": Meaning("", "in how many of these changes each issue stayed as it was"),
    "has_own": Meaning("", "1 if it has made an offer before"),
    "own": Meaning("", "its own standing offer: which option of each issue"),
    "own_utility": Meaning("1/1e6", "its own utility of that; −1 if there is none"),
    "own_place": Meaning("", "where that stands among its own outcomes, 0 the best; −1 if there is none"),
    "below_utility": Meaning("1/1e6", "its own utility of its next worse outcome; −1 if there is none"),
    "ranked": Meaning("", "all outcomes from its best to its worst, by number (the last issue's option counts fastest)"),
    "ladder": Meaning("1/1e6", "its own utility of these, in the same order"),
}  # fmt: skip
ANSWERS = {
    "act": Meaning("", "take the other's offer, make another, insist on the own (until its own deadline), or end it"),
    **{f"issue_{i + 1}": Meaning("", f"of another offer: the option of issue {i + 1}") for i in range(6)},
}
UNITS = units(SEES)


class Bargain:
    """One move of all open talks a call, until none is open.

    A talk is opened for every pair each week, and ends with an accept or a reject. After its own deadline a side can
    only accept or reject. When all are over, the offers are written, and what each talk came to, and how far that is
    from the frontier and the fair points.
    """

    name = "bargain"
    repeats = True
    sees, answers, writes = SEES, ANSWERS, ("bids", "bargains", "stakes")

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        assert scenario.table is not None
        self.facts = scenario.table
        self.net = net
        self.dealer = Dealer(self.facts, net)
        self.domain = self.dealer.domain
        self._options = bargains.lanes(self.domain)
        seats = {"buyer": self.dealer.buyer, "seller": self.dealer.seller}
        self.roles = {side: np.unique(net.role[members]).tolist() for side, members in seats.items()}
        self._issue_fields = tuple(f"issue_{i + 1}" for i in range(self.domain.num_issues))
        self.answers = {name: ANSWERS[name] for name in ("act", *self._issue_fields)}
        self._constants: dict[int | tuple[str, ...], Array] = {}
        self._masks: dict[tuple[int, bool], Array] = {}
        self._dealt: tuple[int, Table] | None = None

    def ask(self, world: World) -> list[Question]:
        """Whoever's turn it is, in every open talk; one question a role."""
        talks = self._talks(world)
        rows = bargains.num_open(talks)
        if rows == 0:
            return []
        side = SIDES[int(talks["moves"][0]) % 2]
        if len(self.roles[side]) == 1:
            return [self._question(world, talks, ROLES[self.roles[side][0]], side, slice(0, rows))]
        role = self.net.role[talks[side][:rows]]
        asked = [(code, np.flatnonzero(role == code)) for code in self.roles[side]]
        return [self._question(world, talks, ROLES[code], side, mine) for code, mine in asked if len(mine)]

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Let offers stand, end what is accepted or rejected."""
        talks = world.tables["bargains"] = self._talks(world)
        self._dealt = None
        if not questions:
            return self._adjourn(world, talks)
        rows, move = bargains.num_open(talks), int(talks["moves"][0])
        side, other = SIDES[move % 2], SIDES[1 - move % 2]
        answers = self._gather(talks, side, rows, questions, decisions)
        talks[f"{other}_heard"][:rows] = talks[f"{other}_hears"][:rows]
        act = answers["act"]
        self._offer(talks, side, move, (act == COUNTER).nonzero()[0], answers)
        talks["moves"][:rows] += 1
        over = ((act == ACCEPT) | (act == REJECT)).nonzero()[0]
        if len(over):
            accepted = act[over] == ACCEPT
            talks["end"][over] = np.where(accepted, AGREED, REJECTED)
            talks["agreed"][over] = np.where(accepted, talks[f"{other}_offer"][over], NOTHING)
            bargains.close(talks, over, rows)
        return {}

    def _talks(self, world: World) -> Table:
        """This week's talks: those at the table, or, before the first move, as they are dealt.

        What is dealt follows from seeds and week alone, so that a copy may be kept from asking to applying.
        """
        if world.tables["bargains"].num_rows:
            return world.tables["bargains"]
        if self._dealt is None or self._dealt[0] != world.steps:
            self._dealt = (world.steps, self.dealer.deal(world, self.name))
        return self._dealt[1]

    def _question(self, world: World, talks: Table, role: str, side: str, rows: slice | Array) -> Question:
        other = SIDES[1 - SIDES.index(side)]
        replica, mover, counterpart = (talks[name][rows].copy() for name in ("replica", side, other))
        count, move = len(replica), int(talks["moves"][0])
        round_ = move // 2 + 1
        deadline = talks[f"{side}_rounds"][rows]
        issues = self.domain.num_issues
        shown = (self._all(issues, False, count), self._all(issues, True, count))
        known, all_outcomes = shown[move > 0], self._all(self.domain.num_outcomes, True, count)
        columns = {
            "is_buyer": self._same(int(side == "buyer"), count),
            "issue": self._same(self.domain.issues, count),
            "points": talks[f"{side}_points"][rows],
            "round": np.full(count, round_),
            "rounds_left": np.maximum(deadline - round_, 0),
            "reservation": self._same(self.dealer.reservation[side], count),
            "discount": np.full(count, self._discount(side, round_)),
            "has_offer": self._same(int(move > 0), count),
            "has_own": self._same(int(move > 1), count),
            "ranked": talks[f"{side}_ranked"][rows],
            "ladder": talks[f"{side}_ladder"][rows],
            **{name: talks[f"{side}_{what}"][rows].copy() for name, what in _OWN.items()},
            **{name: talks[f"{other}_{what}"][rows].copy() for name, what in _THEIRS.items()},
            "own": talks[f"{side}_options"][rows].copy()[:, :issues],
            **{name: talks[f"{other}_{what}"][rows].copy()[:, :issues] for name, what in _BY_ISSUE.items()},
        }
        nobody = self._same(NOBODY, count)
        key = {"replica": replica, "subject": mover, "counterpart": counterpart, "item": nobody}
        return Question(
            role=role,
            phase=self.name,
            step=world.steps,
            key=Table({**key, "round": np.full(count, move)}),
            seed=world.seed(seeds.MIND, replica),
            mind=world.minds(self.name, replica, mover),
            columns=columns,
            masks={
                "issue": shown[True],
                "points": self._all(columns["points"].shape[1], True, count),
                "offer": known,
                "offer_first": known,
                "offer_kept": known,
                "own": shown[move > 1],
                "ranked": all_outcomes,
                "ladder": all_outcomes,
            },
            units=UNITS,
            fields=(
                Choice(name="act", options=ACTS, allowed=self._may(move, round_ <= deadline)),
                *(
                    Choice(
                        name=name,
                        options=options,
                        allowed=self._all(len(options), True, count),
                        only_if=_IF_COUNTER,
                    )
                    for name, options in zip(self._issue_fields, self.domain.options, strict=True)
                ),
            ),
        )

    def _same(self, value: int | tuple[str, ...], count: int) -> Array:
        """One value in every row, from a column that is kept: most of what is asked is the same move after move."""
        if len(self._constants.get(value, ())) < count:
            row = np.array(value, object if isinstance(value, tuple) else np.int64)
            self._constants[value] = np.ascontiguousarray(np.broadcast_to(row, (count, *row.shape)))
        return self._constants[value][:count]

    def _all(self, slots: int, value: bool, count: int) -> Array:
        """A mask of one value, bool (rows, slots), that takes no room."""
        if len(self._masks.get((slots, value), ())) < count:
            self._masks[slots, value] = np.broadcast_to(np.array(value), (count, slots))
        return self._masks[slots, value][:count]

    def _may(self, move: int, is_in_time: Array) -> Array:
        """Which acts are allowed: accept what is offered, counter and insist until the own deadline, reject always."""
        count = len(is_in_time)
        if is_in_time.all():
            key = (-1 - min(move, 2), True)
            if len(self._masks.get(key, ())) < count:
                rule = np.array([move > 0, True, move > 1, True])
                self._masks[key] = np.broadcast_to(rule, (count, len(ACTS)))
            return self._masks[key][:count]
        always = np.ones(count, bool)
        return np.stack([always & (move > 0), is_in_time, is_in_time & (move > 1), always], axis=1)

    def _discount(self, side: str, round_: int) -> float:
        discount = self.facts.sides[side].discount
        return 1.0 if discount == 1.0 else float(exact.power(np.array([discount]), round_ - 1)[0])

    def _gather(
        self, talks: Table, side: str, rows: int, questions: Sequence[Question], decisions: Sequence[Decision]
    ) -> dict[str, Array]:
        """The answers of all roles in the order of the talks."""
        if len(questions) == 1:
            return dict(decisions[0].answers)
        role = self.net.role[talks[side][:rows]]
        answers = {name: np.empty(rows, np.int64) for name in ("act", *self._issue_fields)}
        for question, decision in zip(questions, decisions, strict=True):
            mine = np.flatnonzero(role == ROLES.index(question.role))
            for name, column in answers.items():
                column[mine] = decision.answers[name]
        return answers

    def _offer(self, talks: Table, side: str, move: int, countered: Array, answers: dict[str, Array]) -> None:
        """New offers; the same offer again is none."""
        outcome = self.domain.outcome([answers[name][countered] for name in self._issue_fields])
        is_new = outcome != talks[f"{side}_offer"][countered]
        rows, outcome = (countered, outcome) if is_new.all() else (countered[is_new], outcome[is_new])
        bargains.offer(talks, side, move, rows, outcome, self._options)

    def _adjourn(self, world: World, talks: Table) -> Events:
        """Clear the table; gives what each talk came to."""
        if talks.num_rows == 0:
            return {}
        world.tables["bargains"] = bargains.none(self.facts)
        return {"bids": bargains.all_bids(talks), **outcome_events(talks, self.facts, self.dealer.reservation)}


_IF_COUNTER = ("act", COUNTER)
_OWN = {
    "best": "best", "offer_utility": "hears", "offer_before": "heard",
    "own_utility": "asks", "own_place": "place", "below_utility": "below",
}  # fmt: skip
_THEIRS = {"offer_changes": "changes"}
_BY_ISSUE = {"offer": "options", "offer_first": "first", "offer_kept": "kept"}


def _is_in(scenario: ManufacturingScenario) -> bool:
    return "bargain" in scenario.phases


def _build(scenario: ManufacturingScenario, net: Layout, replicas: Table, tables: dict[str, Table]) -> None:
    assert scenario.table is not None
    tables["bargains"] = bargains.none(scenario.table)


def _num_bytes(scenario: ManufacturingScenario) -> dict[str, int]:
    assert scenario.table is not None
    groups = scenario.firms
    most = max(sum(firms.count for firms in groups if firms.role == role) for role in ROLES)
    return {"firms (count × table.issues)": bargains.num_bytes(scenario.table, most)}


CHAPTER = Chapter(
    is_in=_is_in,
    phases={"bargain": Bargain},
    asks={role: ("bargain",) for role in ROLES},
    experts=EXPERTS,
    schemas=SCHEMAS,
    states={"bargains": bargains.STATE},
    build=_build,
    metrics=METRICS,
    kpis=KPIS,
    measure=measure,
    conclude=conclude,
    num_bytes=_num_bytes,
)
