"""The talk of two creators about how to share the income of a joint work: alternating offers, as in the market.

All open talks of all replicas advance together; in a round first the hosts move, then the partners. A mover accepts the
other's standing offer, asks for another share, or ends the talk. Limits and deadlines are private; past its own
deadline a side can only accept or reject.

Source: Rubinstein (1982), Perfect equilibrium in a bargaining model (alternating offers; here with deadlines).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.community.collaboration.words import (
    ACCEPT,
    ACTS,
    COUNTER,
    REJECT,
    SIDES,
    SPLIT_ANSWERS,
    SPLIT_SEES,
    SPLIT_UNITS,
)
from ecosim.community.facts.people import ROLES
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import NOBODY, Layout, text_column
from ecosim.exact import MILLION, micro
from ecosim.fields import Array, Bucket, Choice
from ecosim.side import Events
from ecosim.words import Decision, Question, Table, concat

if TYPE_CHECKING:
    from ecosim.world import World


class Split:
    """One move of all open talks a call, until none is open. Two who agree make a joint work today."""

    name = "split"
    repeats = True
    sees, answers, writes = SPLIT_SEES, SPLIT_ANSWERS, ("splits",)

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        assert scenario.collaboration is not None
        self._net = net
        self._step = micro(scenario.collaboration.share_step)
        self._names, self._niches = text_column(net.names), text_column(net.niches)

    def ask(self, world: World) -> list[Question]:
        """Whoever's turn it is, in every open talk; one question a role."""
        talks = world.tables["talks"]
        if not talks.num_rows:
            return []
        side = _turn(talks)
        role = self._net.role[talks[side]]
        return [self._question(world, ROLES[code], talks.take(role == code)) for code in np.unique(role).tolist()]

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Let offers stand, and end what is accepted or rejected."""
        talks = world.tables["talks"]
        if not questions:
            return {}
        side = _turn(talks)
        other = SIDES[1 - SIDES.index(side)]
        act, share = self._gather(talks, side, questions, decisions)
        at_stake = np.where(act == COUNTER, share, np.where(talks[f"{other}_ask"] < 0, NOBODY, _rest(talks, other)))
        moves = {name: talks[name] for name in ("replica", "host", "partner")} | {"move": talks["moves"], "act": act}
        host_share = at_stake if side == "host" else np.where(at_stake < 0, NOBODY, MILLION - at_stake)
        agreed = act == ACCEPT
        works = Table({name: talks[name][agreed] for name in ("replica", "host", "partner")})
        works["partner_share"] = MILLION - host_share[agreed]
        works["round"] = talks["moves"][agreed] // 2 + 1
        world.tables["works"] = concat([world.tables["works"], works])
        left = Table({**talks, f"{side}_ask": share, "moves": talks["moves"] + 1})
        world.tables["talks"] = left.take(act == COUNTER)
        return {"splits": Table({**moves, "host_share": host_share})}

    def _question(self, world: World, role: str, talks: Table) -> Question:
        side = _turn(talks)
        other = SIDES[1 - SIDES.index(side)]
        mover, replica = talks[side], talks["replica"]
        return Question(
            role=role,
            phase=self.name,
            step=world.steps,
            key=Table(
                {
                    "replica": replica,
                    "subject": mover,
                    "counterpart": talks[other],
                    "item": np.full(len(mover), NOBODY),
                    "round": talks["moves"],
                }
            ),
            seed=world.seed(seeds.MIND, replica),
            mind=world.minds(self.name, replica, mover),
            columns=self._columns(world, talks, side, other),
            units=SPLIT_UNITS,
            fields=self._fields(talks, side, other),
        )

    def _columns(self, world: World, talks: Table, side: str, other: str) -> dict[str, Array]:
        net, round_, has_offer = self._net, talks["moves"] // 2 + 1, talks[f"{other}_ask"] >= 0
        followers = world.tables["creators"]["followers"]
        mover, them, replica = talks[side], talks[other], talks["replica"]
        return {
            "is_host": np.full(len(mover), int(side == "host")),
            "niche_name": self._niches[net.niche[mover]],
            "followers": followers[net.creator_row(replica, mover)],
            "other_name": self._names[them],
            "other_niche": self._niches[net.niche[them]],
            "other_is_ai": net.role[them] == ROLES.index("ai_creator"),
            "other_followers": followers[net.creator_row(replica, them)],
            "round": round_,
            "rounds_left": np.maximum(talks[f"{side}_rounds"] - round_, 0),
            "reservation": talks[f"{side}_least"],
            "has_offer": has_offer.astype(np.int64),
            "offer_share": np.where(has_offer, _rest(talks, other), NOBODY),
            "has_own": (talks[f"{side}_ask"] >= 0).astype(np.int64),
            "own_share": talks[f"{side}_ask"],
        }

    def _fields(self, talks: Table, side: str, other: str) -> tuple[Choice, Bucket]:
        rows = talks.num_rows
        allowed = np.ones((rows, len(ACTS)), bool)
        allowed[:, ACCEPT] = talks[f"{other}_ask"] >= 0
        allowed[:, COUNTER] = talks["moves"] // 2 + 1 <= talks[f"{side}_rounds"]
        return (
            Choice(name="act", options=ACTS, allowed=allowed),
            Bucket(
                name="share",
                low=talks[f"{side}_least"],
                high=np.full(rows, MILLION),
                step=np.full(rows, self._step),
                unit="share/1e6",
                only_if=("act", COUNTER),
            ),
        )

    def _gather(
        self, talks: Table, side: str, questions: Sequence[Question], decisions: Sequence[Decision]
    ) -> tuple[Array, Array]:
        """The answers of all roles in the order of the talks."""
        role = self._net.role[talks[side]]
        act, share = np.full(talks.num_rows, REJECT), np.full(talks.num_rows, NOBODY)
        for question, decision in zip(questions, decisions, strict=True):
            mine = np.flatnonzero(role == ROLES.index(question.role))
            act[mine], share[mine] = decision.answers["act"], decision.answers["share"]
        return act, share


def _turn(talks: Table) -> str:
    """Whose turn it is: talks opened together keep step, so all are at the same move."""
    return SIDES[int(talks["moves"][0]) % 2]


def _rest(talks: Table, side: str) -> Array:
    """What the standing offer of a side leaves the other, millionths."""
    return MILLION - talks[f"{side}_ask"]
