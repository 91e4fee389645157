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

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim import exact
from ecosim.fields import Array, Choice
from ecosim.manufacturing import bargains
from ecosim.manufacturing.bargains import AGREED, NOTHING, REJECTED, Dealer, Talks
from ecosim.manufacturing.chapter import Chapter
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import NOBODY, ROLES, Layout
from ecosim.manufacturing.table_acts import ACCEPT, ACTS, COUNTER, REJECT
from ecosim.manufacturing.table_experts import EXPERTS
from ecosim.manufacturing.table_outcomes import KPIS, METRICS, SCHEMAS, conclude, measure, outcome_events
from ecosim.manufacturing.table_words import ANSWERS, SEES, SIDES, STATES, UNITS
from ecosim.side import Events
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World


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
        self._constants: dict[tuple[type, int | float | tuple[str, ...]], Array] = {}
        self._frames: dict[int, tuple[int, dict[str, Array], tuple[Choice, ...]]] = {}
        self._masks: dict[tuple[int, bool], Array] = {}
        self._dealt: tuple[int, Talks] | None = None

    def ask(self, world: World) -> list[Question]:
        """Whoever's turn it is, in every open talk; one question a role."""
        talks = self._talks(world).open
        rows = talks.num_rows
        if rows == 0:
            return []
        side = SIDES[int(talks["moves"][0]) % 2]
        if len(self.roles[side]) == 1:
            return [self._question(world, talks, ROLES[self.roles[side][0]], side)]
        role = self.net.role[talks[side]]
        asked = [(code, np.flatnonzero(role == code)) for code in self.roles[side]]
        return [self._question(world, talks.take(mine), ROLES[code], side) for code, mine in asked if len(mine)]

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Let offers stand, end what is accepted or rejected."""
        talks = self._talks(world)
        self._dealt = None
        if not questions:
            return self._adjourn(world, talks.all)
        move = int(talks.open["moves"][0])
        side, other = SIDES[move % 2], SIDES[1 - move % 2]
        answers = self._gather(talks.open, side, questions, decisions)
        talks.open[f"{other}_heard"] = talks.open[f"{other}_hears"]
        act = answers["act"]
        countered = (act == COUNTER).nonzero()[0]
        if len(countered):
            self._offer(talks, side, move, countered, answers)
        over = ((act == ACCEPT) | (act == REJECT)).nonzero()[0]
        left = talks.open
        if len(over):
            talk, accepted = left["talk"][over], act[over] == ACCEPT
            talks.all["end"][talk] = np.where(accepted, AGREED, REJECTED)
            talks.all["agreed"][talk] = np.where(accepted, left[f"{other}_offer"][over], NOTHING)
            talks.all["moves"][talk] = move + 1
            left = bargains.close(left, over)
        left["moves"] = self._same(move + 1, left.num_rows)
        world.tables["bargains"], world.tables["bargaining"] = talks.all, left
        return {}

    def _talks(self, world: World) -> Talks:
        """The talks of the week: those at the table, or, before the first move, as they are dealt.

        What is dealt follows from seeds and week alone, so that a copy may be kept from asking to applying.
        """
        if world.tables["bargains"].num_rows:
            return Talks(world.tables["bargains"], world.tables["bargaining"])
        if self._dealt is None or self._dealt[0] != world.steps:
            self._dealt = (world.steps, self.dealer.deal(world, self.name))
        return self._dealt[1]

    def _question(self, world: World, talks: Table, role: str, side: str) -> Question:
        other = SIDES[1 - SIDES.index(side)]
        count, move = talks.num_rows, int(talks["moves"][0])
        round_, left = move // 2 + 1, talks[f"{side}_rounds"] - (move // 2 + 1)
        issues = self.domain.num_issues
        columns = {
            "is_buyer": self._same(int(side == "buyer"), count),
            "issue": self._same(self.domain.issues, count),
            "points": talks[f"{side}_points"],
            "round": self._same(round_, count),
            "rounds_left": np.maximum(left, 0),
            "reservation": self._same(self.dealer.reservation[side], count),
            "discount": self._same(self._discount(side, round_), count),
            "has_offer": self._same(int(move > 0), count),
            "has_own": self._same(int(move > 1), count),
            "ranked": talks[f"{side}_ranked"],
            "ladder": talks[f"{side}_ladder"],
            **{name: talks[f"{side}_{what}"] for name, what in _OWN.items()},
            **{name: talks[f"{other}_{what}"] for name, what in _THEIRS.items()},
            "own": talks[f"{side}_options"][:, :issues],
            **{name: talks[f"{other}_{what}"][:, :issues] for name, what in _BY_ISSUE.items()},
        }
        key = {"replica": talks["replica"], "subject": talks[side], "counterpart": talks[other]}
        masks, choices = self._frame(move, count)
        return Question(
            role=role,
            phase=self.name,
            step=world.steps,
            key=Table({**key, "item": self._same(NOBODY, count), "round": talks["moves"]}),
            seed=talks["seed"],
            mind=talks[f"{side}_mind"],
            columns=columns,
            masks=masks,
            units=UNITS,
            fields=(Choice(name="act", options=ACTS, allowed=self._may(move, left >= 0)), *choices),
        )

    def _frame(self, move: int, count: int) -> tuple[dict[str, Array], tuple[Choice, ...]]:
        """Masks, and the choices of issues; kept from move to move while as many talks are open."""
        key = min(move, 2)
        if key not in self._frames or self._frames[key][0] != count:
            issues, outcomes = self.domain.num_issues, self._all(self.domain.num_outcomes, True, count)
            known, own = self._all(issues, move > 0, count), self._all(issues, move > 1, count)
            masks = {
                "issue": self._all(issues, True, count),
                "points": self._all(sum(map(len, self.domain.options)), True, count),
                **{name: known for name in _BY_ISSUE},
                "own": own,
                "ranked": outcomes,
                "ladder": outcomes,
            }
            choices = tuple(
                Choice(name=name, options=options, allowed=self._all(len(options), True, count), only_if=_IF_COUNTER)
                for name, options in zip(self._issue_fields, self.domain.options, strict=True)
            )
            self._frames[key] = (count, masks, choices)
        return self._frames[key][1:]

    def _same(self, value: int | float | tuple[str, ...], count: int) -> Array:
        """One value in every row, in a column that takes no room: most of what is asked is the same in all talks."""
        key = (type(value), value)  # as 1 and 1.0 are one key
        if key not in self._constants or len(self._constants[key]) < count:
            row = np.array(value, object if isinstance(value, tuple) else None)
            self._constants[key] = np.broadcast_to(row, (count, *row.shape))
        return self._constants[key][:count]

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
        self, talks: Table, side: str, questions: Sequence[Question], decisions: Sequence[Decision]
    ) -> Mapping[str, Array]:
        """The answers of all roles in the order of the talks."""
        if len(questions) == 1:
            return decisions[0].answers
        role = self.net.role[talks[side]]
        answers = {name: np.empty(talks.num_rows, np.int64) for name in ("act", *self._issue_fields)}
        for question, decision in zip(questions, decisions, strict=True):
            mine = np.flatnonzero(role == ROLES.index(question.role))
            for name, column in answers.items():
                column[mine] = decision.answers[name]
        return answers

    def _offer(self, talks: Talks, side: str, move: int, countered: Array, answers: Mapping[str, Array]) -> None:
        """New offers; the same offer again is none."""
        outcome = self.domain.outcome([answers[name].take(countered) for name in self._issue_fields])
        is_new = outcome != talks.open[f"{side}_offer"].take(countered)
        rows, outcome = (countered, outcome) if is_new.all() else (countered[is_new], outcome[is_new])
        if len(rows):
            bargains.offer(talks, side, move, rows, outcome, self._options)

    def _adjourn(self, world: World, talks: Table) -> Events:
        """Clear the table; gives what each talk came to."""
        if talks.num_rows == 0:
            return {}
        world.tables |= bargains.none(self.facts)
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
    tables |= bargains.none(scenario.table)


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
    states=STATES,
    build=_build,
    metrics=METRICS,
    kpis=KPIS,
    measure=measure,
    conclude=conclude,
    num_bytes=_num_bytes,
)
