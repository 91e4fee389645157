"""Invitations: who is free asks another creator to make a work together, and pairs of two come to talk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.community.collaboration.words import BUSY, INVITE_ANSWERS, INVITE_SEES, INVITE_UNITS, SIDES, TALKS
from ecosim.community.facts.people import ROLES
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import NOBODY, Layout, text_column
from ecosim.exact import MILLION, micro
from ecosim.fields import Array, Choice
from ecosim.rules.matching import paired
from ecosim.side import Events
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

_OF_CANDIDATES = [name for name in INVITE_SEES if name.startswith("candidate")]


class Invite:
    """Creators that are free choose whom to invite, or nobody.

    Each may choose among the one that it worked with last and others by lot. A creator talks with one other a day: of
    invitations that cannot all be followed, the one with the lowest lot is, then the lowest of what is left. Deadlines
    and limits of the talks are private.

    Draws:
        From the world's seed: whether each creator is free, with `invite_chance`, and which others it may choose from,
        evenly; a lot for each invitation, keyed by host; deadline (evenly `min_rounds` … `max_rounds`) and limit
        (evenly `least_share` ± `private_spread`, in steps) of both sides, keyed by host, partner and side.
    """

    name = "invite"
    repeats = False
    sees, answers, writes = INVITE_SEES, INVITE_ANSWERS, ("invitations",)

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        assert scenario.collaboration is not None
        self._facts, self._net = scenario.collaboration, net
        self._every = scenario.publishing.every_days
        self._names, self._niches = text_column(net.names), text_column(net.niches)
        self._options = ("nobody", *(str(slot + 1) for slot in range(self._facts.candidates)))

    def ask(self, world: World) -> list[Question]:
        """One question a role, to its creators that are free."""
        if (world.steps - 1) % self._every or self._net.num_creators < 2:
            return []
        creators = world.tables["creators"]
        free = creators["is_active"] & world.is_live[creators["replica"]] & self._is_free(world)
        due = [np.flatnonzero(free & (creators["role"] == code)) for code in range(len(ROLES))]
        return [self._question(world, ROLES[code], rows) for code, rows in enumerate(due) if len(rows)]

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Pair who invites with who is invited, and open their talks."""
        parts = [self._invited(world, q, d) for q, d in zip(questions, decisions, strict=True)]
        if not parts:
            return {}
        asked = Table({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
        asked = asked.take(np.lexsort((asked["host"], asked["replica"])))
        if asked.num_rows == 0:
            return {}
        talks = self._pair(world, asked)
        world.tables["talks"] = self._open(world, asked.take(talks))
        return {"invitations": Table({**asked, "outcome": np.where(talks, TALKS, BUSY)})}

    # ---- what they see ----------------------------------------------------------------------------------------------

    def _is_free(self, world: World) -> Array:
        creators, chance = world.tables["creators"], self._facts.invite_chance
        if chance == 1:
            return np.ones(creators.num_rows, bool)
        seed = world.seed(seeds.WORLD, creators["replica"])
        return seeds.uniform(seeds.WORLD, seed, world.steps, self.name, (creators["member"],), lane=0) < chance

    def _question(self, world: World, role: str, rows: Array) -> Question:
        creators = world.tables["creators"]
        replica, member = creators["replica"][rows], creators["member"][rows]
        candidate, is_shown = self._candidates(world, rows, replica, member)
        none = np.full(len(rows), NOBODY)
        nobody = np.ones((len(rows), 1), bool)
        return Question(
            role=role,
            phase=self.name,
            step=world.steps,
            key=Table({"replica": replica, "subject": member, "counterpart": none, "item": none, "round": none}),
            seed=world.seed(seeds.MIND, replica),
            mind=world.minds(self.name, replica, member),
            columns=self._columns(world, rows, replica, member, candidate),
            masks=dict.fromkeys(_OF_CANDIDATES, is_shown),
            units=INVITE_UNITS,
            fields=(Choice(name="invite", options=self._options, allowed=np.concatenate([nobody, is_shown], axis=1)),),
        )

    def _columns(self, world: World, rows: Array, replica: Array, member: Array, candidate: Array) -> dict[str, Array]:
        creators, net = world.tables["creators"], self._net
        niche = net.niche[candidate]  # (rows, slots)
        works = creators["joint_works"][rows]
        return {
            "niche_name": self._niches[net.niche[member]],
            "followers": creators["followers"][rows],
            "posts_alone": creators["posts"][rows] - works.sum(axis=1),
            "views_alone": creators["views"][rows] - creators["views_hosted"][rows],
            "candidate_name": self._names[candidate],
            "candidate_niche": self._niches[niche],
            "candidate_is_ai": net.role[candidate] == ROLES.index("ai_creator"),
            "candidate_followers": creators["followers"][net.creator_row(replica[:, None], candidate)],
            "candidate_works": np.take_along_axis(works, niche, axis=1),
            "candidate_views": np.take_along_axis(creators["joint_views"][rows], niche, axis=1) // MILLION,
        }

    def _candidates(self, world: World, rows: Array, replica: Array, member: Array) -> tuple[Array, Array]:
        """Who may be invited, (rows, slots): the last partner, then others by lot; and which of them are real."""
        creators, slots, others = world.tables["creators"], self._facts.candidates, self._net.num_creators - 1
        key = (np.repeat(member, slots), np.tile(np.arange(slots), len(rows)))
        seed = np.repeat(world.seed(seeds.WORLD, replica), slots)
        drawn = seeds.integers(others, seeds.WORLD, seed, world.steps, self.name, key, lane=1).reshape(-1, slots)
        candidate = drawn + (drawn >= member[:, None])  # anybody but itself
        last = creators["last_partner"][rows]
        candidate[:, 0] = np.where(last == NOBODY, candidate[:, 0], last)
        is_shown = creators["is_active"][self._net.creator_row(replica[:, None], candidate)]
        for slot in range(1, slots):  # nobody twice
            is_shown[:, slot] &= (candidate[:, :slot] != candidate[:, slot, None]).all(axis=1)
        return candidate, is_shown

    # ---- what comes of it -------------------------------------------------------------------------------------------

    def _invited(self, world: World, question: Question, decision: Decision) -> Table:
        """Who invites whom; what could be chosen from follows from seeds and state, so it is found again."""
        replica, member, pick = question.key["replica"], question.key["subject"], decision.answers["invite"]
        candidate, _ = self._candidates(world, self._net.creator_row(replica, member), replica, member)
        rows = np.flatnonzero(pick)
        return Table({"replica": replica[rows], "host": member[rows], "partner": candidate[rows, pick[rows] - 1]})

    def _pair(self, world: World, asked: Table) -> Array:
        """Which invitations come to a talk, bool."""
        replica, net = asked["replica"], self._net
        seed = world.seed(seeds.WORLD, replica)
        lot = seeds.uniform(seeds.WORLD, seed, world.steps, self.name, (asked["host"],), lane=2)
        ends = [net.creator_row(replica, asked[side]) for side in SIDES]
        return paired(ends[0], ends[1], lot, world.num_replicas * net.num_creators)

    def _open(self, world: World, pairs: Table) -> Table:
        """Talks in which nobody has said anything, with private deadlines and limits."""
        facts, seed, step = self._facts, world.seed(seeds.WORLD, pairs["replica"]), micro(self._facts.share_step)
        low = -(-(micro(facts.least_share) - micro(facts.private_spread)) // step)
        high = (micro(facts.least_share) + micro(facts.private_spread)) // step
        talks = Table(pairs.columns)
        for code, side in enumerate(SIDES):
            key = (pairs["host"], pairs["partner"], np.full(pairs.num_rows, code))
            span = facts.max_rounds - facts.min_rounds + 1
            rounds = seeds.integers(span, seeds.WORLD, seed, world.steps, self.name, key, lane=3)
            least = seeds.integers(max(high - low, 0) + 1, seeds.WORLD, seed, world.steps, self.name, key, lane=4)
            talks[f"{side}_rounds"] = facts.min_rounds + rounds
            talks[f"{side}_least"] = (low + least) * step
            talks[f"{side}_ask"] = np.full(pairs.num_rows, NOBODY)
        talks["moves"] = np.zeros(pairs.num_rows, np.int64)
        return talks
