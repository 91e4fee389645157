"""Appeals: creators whose posts were limited or removed say whether they object; people decide days later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.community.facts.people import ROLES
from ecosim.community.moderation.state import ACTIONS, HOME, NONE, REMOVE, facts_of, keeps_posts
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import NOBODY, Layout
from ecosim.fields import Choice
from ecosim.meanings import Meaning, units
from ecosim.side import Events
from ecosim.words import Answers, Decision, Expert, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

NO_YES = ("no", "yes")
SEES = {
    "text": Meaning("text", "what the creator's post says"),
    "action": Meaning("text", "what moderators did with it: limit or remove"),
    "means_harm": Meaning("", "whether the creator knows that the post is harmful: 0 no, 1 yes"),
    "posts": Meaning("posts", "that it has made so far"),
    "strikes": Meaning("posts", "of its own that were removed, and not given back"),
    "views": Meaning("views", "that the post has had"),
}
ANSWERS = {"appeal": Meaning("", "whether to appeal")}
UNITS = units(SEES)


class Appeal:
    """Creators may appeal on the day on which moderators limit or remove a post of theirs.

    An appeal is decided `days` later, rightly with the chance `accuracy`: it should be granted where the post is
    harmless. If it is, the strike is taken back, and the post, where it still has a place, is open again and not judged
    any more.

    Draws:
        From the world's seed, keyed by post and action: whether an appeal is decided rightly.
    """

    name = "appeal"
    repeats = False
    sees, answers, writes = SEES, ANSWERS, ("appeals",)

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        self._facts, self._net = facts_of(scenario).appeals, net

    def ask(self, world: World) -> list[Question]:
        """One question a role, a row for each post acted on today."""
        cases = world.tables["cases"]
        role = self._net.role[cases["creator"]]
        new = cases["day"] == world.steps
        due = [np.flatnonzero(new & (role == code)) for code in range(len(ROLES))]
        return [self._question(world, ROLES[code], cases.take(rows)) for code, rows in enumerate(due) if len(rows)]

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Keep the cases of those who appeal, then decide those that are due."""
        if self._facts is None:
            return {}
        cases = world.tables["cases"]
        stays = cases["day"] < world.steps
        for question, decision in zip(questions, decisions, strict=True):
            role = self._net.role[cases["creator"]]
            mine = np.flatnonzero((cases["day"] == world.steps) & (role == ROLES.index(question.role)))
            stays[mine] = decision.answers["appeal"] == 1
        is_due = stays & (cases["day"] + self._facts.days <= world.steps) & world.is_live[cases["replica"]]
        world.tables["cases"] = cases.take(stays & ~is_due)
        return self._decide(world, cases.take(is_due), self._facts.accuracy) if is_due.any() else {}

    def _question(self, world: World, role: str, cases: Table) -> Question:
        posts, creators, net = world.tables["posts"], world.tables["creators"], self._net
        replica, creator = cases["replica"], cases["creator"]
        at, row = net.creator_row(replica, creator), net.post_row(replica, cases["place"])
        key = {"replica": replica, "subject": creator, "counterpart": np.full(len(at), NOBODY)}
        return Question(
            role=role,
            phase=self.name,
            step=world.steps,
            key=Table({**key, "item": cases["post"], "round": cases["action"]}),
            seed=world.seed(seeds.MIND, replica),
            mind=world.minds(self.name, replica, creator),
            columns={
                "text": posts["text"][row],
                "action": np.array(ACTIONS, dtype=object)[cases["action"]],
                "means_harm": (cases["harm"] > 0).astype(np.int64),
                "posts": creators["posts"][at],
                "strikes": creators["strikes"][at],
                "views": posts["views"][row],
            },
            units=UNITS,
            fields=(Choice(name="appeal", options=NO_YES, allowed=np.broadcast_to(True, (len(at), 2))),),
        )

    def _decide(self, world: World, cases: Table, accuracy: float) -> Events:
        replica, post, action = (cases[name] for name in ("replica", "post", "action"))
        lot = seeds.uniform(seeds.WORLD, world.seed(seeds.WORLD, replica), world.steps, self.name, (post, action))
        granted = (cases["harm"] == 0) == (lot < accuracy)
        moderators = world.tables[HOME]
        np.add.at(moderators["appeals"], replica, 1)
        np.add.at(moderators["appeals_granted"], replica, granted)
        self._give_back(world, cases.take(granted))
        order = np.lexsort((action, post, replica))
        told = {name: cases[name][order] for name in ("replica", "post", "action", "creator", "harm")}
        return {"appeals": Table({**told, "is_granted": granted[order].astype(np.int64)})}

    def _give_back(self, world: World, granted: Table) -> None:
        posts, creators, net = world.tables["posts"], world.tables["creators"], self._net
        removed = granted.take(granted["action"] == REMOVE)
        np.subtract.at(creators["strikes"], net.creator_row(removed["replica"], removed["creator"]), 1)
        row = net.post_row(granted["replica"], granted["place"])
        there = (posts["post"][row] == granted["post"]) & (posts["action"][row] == granted["action"])
        is_active = creators["is_active"][net.creator_row(granted["replica"], granted["creator"])]
        row, may_stay = row[there], is_active[there] | keeps_posts(world)
        posts["is_open"][row] |= posts["is_hidden"][row] & may_stay
        posts["is_hidden"][row] = False
        posts["action"][row] = NONE
        posts["is_reviewed"][row] = True


def the_wronged(question: Question) -> Answers:
    """Creators who did not mean harm appeal."""
    return {"appeal": (question["means_harm"] == 0).astype(np.int64)}


def all_appeal(question: Question) -> Answers:
    """Everybody appeals."""
    return {"appeal": np.ones(question.num_rows, np.int64)}


def none_appeal(question: Question) -> Answers:
    """Nobody appeals."""
    return {"appeal": np.zeros(question.num_rows, np.int64)}


EXPERTS: dict[str, Expert] = {"scripted": the_wronged, "always": all_appeal, "never": none_appeal}
