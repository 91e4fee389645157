"""How a moderator is asked about posts, and what becomes of posts that it acts on; the same on the device and after.

A moderator sees what a platform has: the text, reports and views, the creator's record. The truth it sees only where
a scenario sets `oracle`. Acting on a post that was acted on before can make it stricter, never milder: that is what
appeals are for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.community.moderation.state import ACTIONS, HOME, JUDGES, LABEL, LIMIT, REMOVE, ROLE, facts_of
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import NOBODY, Layout
from ecosim.fields import Array, Choice
from ecosim.meanings import Meaning, units
from ecosim.words import Decision, Question, Table, concat

if TYPE_CHECKING:
    from ecosim.world import World

SEES = {
    "text": Meaning("text", "title of the post and what it says"),
    "reports": Meaning("reports", "by viewers so far"),
    "views": Meaning("views", "of the post so far"),
    "posts": Meaning("posts", "that its creator has made so far"),
    "strikes": Meaning("posts", "of its creator that were removed, and not given back"),
    "label_at": Meaning("log-odds", "the platform's policy: label from this chance of harm on"),
    "limit_at": Meaning("log-odds", "limit from this chance on"),
    "remove_at": Meaning("log-odds", "remove from this chance on"),
}
ANSWERS = {"action": Meaning("", "leave the post alone, label it, limit how far it goes, or remove it")}
ORACLE = {"severity": Meaning("", "the truth, where `moderation.oracle` says so: 0 harmless, 1 mild, 2 severe harm")}
UNITS = units({**SEES, **ORACLE})


class Bench:
    """Where posts are judged: asks a question about some of them, and lets the answers happen.

    Args:
        scenario, net: the facts, and who is who.
        phase: which asks.
        judge: an index into JUDGES.
    """

    def __init__(self, scenario: CommunityScenario, net: Layout, phase: str, judge: int) -> None:
        self._facts, self._net, self._phase, self._judge = facts_of(scenario), net, phase, judge

    def question(self, world: World, rows: Array, max_words: int | None) -> Question:
        """To the moderators, about some posts (rows)."""
        posts, net = world.tables["posts"], self._net
        replica, place, none = posts["replica"][rows], posts["place"][rows], np.full(len(rows), NOBODY)
        key = {"subject": np.zeros(len(rows), np.int64), "counterpart": place % net.num_creators}
        return Question(
            role=ROLE,
            phase=self._phase,
            step=world.steps,
            key=Table({"replica": replica, **key, "item": posts["post"][rows], "round": none}),
            seed=world.seed(seeds.MIND, replica),
            mind=world.tables[HOME][f"mind.{self._phase}"][replica],
            columns=self._columns(world, rows, max_words),
            units={name: UNITS[name] for name in (*SEES, *(ORACLE if self._facts.oracle else ()))},
            fields=(Choice(name="action", options=ACTIONS, allowed=np.broadcast_to(True, (len(rows), len(ACTIONS)))),),
        )

    def act(self, world: World, question: Question, decision: Decision) -> Table:
        """Let the answers happen, and give the rows for the event table `verdicts`."""
        posts, net = world.tables["posts"], self._net
        replica, creator, post = (question.key[name] for name in ("replica", "counterpart", "item"))
        row = net.post_row(replica, _places(net, post, posts, replica))
        self._count(world, replica, decision.flops)
        before, action = posts["action"][row], decision.answers["action"]
        more = action > before
        row, replica, creator, before, action = row[more], replica[more], creator[more], before[more], action[more]
        posts["action"][row] = action
        posts["appeal"][row] += np.where(before < LABEL, self._facts.label_appeal * (action == LABEL), 0.0)
        posts["is_open"][row] &= action < REMOVE
        posts["is_hidden"][row] |= action == REMOVE
        self._remember(world, row, replica, creator, before, action)
        self._open_cases(world, row, creator, action)
        return Table(
            {
                "replica": replica,
                "post": posts["post"][row],
                "judge": np.full(len(row), self._judge),
                "creator": creator,
                "action": action,
                "harm": posts["harm"][row],
                "days": world.steps - posts["day"][row],
                "views": posts["views"][row].copy(),
            }
        )

    def _columns(self, world: World, rows: Array, max_words: int | None) -> dict[str, Array]:
        posts, creators, facts = world.tables["posts"], world.tables["creators"], self._facts
        at = self._net.creator_row(posts["replica"][rows], posts["place"][rows] % self._net.num_creators)
        texts = np.empty(len(rows), dtype=object)
        pairs = zip(posts["title"][rows].tolist(), posts["text"][rows].tolist(), strict=True)
        texts[:] = [" ".join(f"{title}. {text}".split()[:max_words]) for title, text in pairs]
        policy = {name: np.full(len(rows), getattr(facts, name)) for name in ("label_at", "limit_at", "remove_at")}
        truth = {"severity": posts["severity"][rows]} if facts.oracle else {}
        return {
            "text": texts,
            "reports": posts["reports"][rows],
            "views": posts["views"][rows],
            "posts": creators["posts"][at],
            "strikes": creators["strikes"][at],
            **policy,
            **truth,
        }

    def _count(self, world: World, replica: Array, flops: Array) -> None:
        moderators, judge = world.tables[HOME], JUDGES[self._judge]
        np.add.at(moderators[f"judged_{judge}"], replica, 1)
        np.add.at(moderators[f"flops_{judge}"], replica, flops)

    def _remember(self, world: World, row: Array, replica: Array, creator: Array, before: Array, action: Array) -> None:
        """What creators' records say: whether the post was harmful counts once, at the first action."""
        posts, creators = world.tables["posts"], world.tables["creators"]
        at, is_harmful, is_first = self._net.creator_row(replica, creator), posts["is_harmful"][row], before == 0
        caught = is_first & is_harmful
        for name, number in (
            ("caught", caught),
            ("accused", is_first & ~is_harmful),
            ("wrongly_removed", ~is_harmful & (action == REMOVE)),
            ("days_to_action", caught * (world.steps - posts["day"][row])),
            ("views_before_action", caught * posts["views"][row]),
            ("strikes", action == REMOVE),
        ):
            np.add.at(creators[name], at, number)

    def _open_cases(self, world: World, row: Array, creator: Array, action: Array) -> None:
        """What a creator may appeal against."""
        posts, some = world.tables["posts"], action >= LIMIT
        if self._facts.appeals is None or not some.any():
            return
        new = {name: posts[name][row[some]] for name in ("replica", "post", "place", "harm")}
        new |= {"creator": creator[some], "action": action[some], "day": np.full(int(some.sum()), world.steps)}
        cases = world.tables["cases"]
        world.tables["cases"] = concat([cases, Table({name: new[name] for name in cases})])


def _places(net: Layout, post: Array, posts: Table, replica: Array) -> Array:
    """Where posts stand, found by their ids among their creators' places."""
    creator = post % net.num_creators
    places = creator[:, None] + np.arange(net.kept) * net.num_creators  # (posts, kept)
    is_there = posts["post"][net.post_row(replica[:, None], places)] == post[:, None]
    return np.take_along_axis(places, is_there.argmax(axis=1)[:, None], axis=1)[:, 0]
