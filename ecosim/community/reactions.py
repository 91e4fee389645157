"""Reactions: each visitor watches one post of the slate or none, may like it and follow its creator, and may leave.

Visitors answer `viewer.react`, a choice among alternatives as in a logit model. The columns of the slate say in
log-odds what each post is worth to the visitor: `appeal` (the post itself, the heat of its topic, its title and its
label), `taste` and `bond`, and `fatigue` and `trust` where `audience` has them; it may also ask for more acts
(`audience.acts`). Viewers are a population, not members: who answers for each is a column of their own table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim import seeds
from ecosim.community import bits
from ecosim.community.audience import acts, moods
from ecosim.community.audience.acts import NO_YES, WATCH
from ecosim.community.facts.audience import Audience
from ecosim.community.facts.people import ROLES
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import NOBODY, Layout, text_column
from ecosim.community.worth import Worth, worth
from ecosim.fields import Array, Choice, Field
from ecosim.meanings import Meaning, units
from ecosim.side import Events
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

SEES = {
    "topic": Meaning("text", "what each post of the slate is about"),
    "title": Meaning("text", "title of each post"),
    "is_ai": Meaning("", "whether each post is by an AI creator; posts are labelled"),
    "is_followed": Meaning("", "whether the viewer follows the creator of each post"),
    "appeal": Meaning(
        "log-odds", "what each post is worth to anybody today: itself, heat of its topic, title and label"
    ),
    "taste": Meaning("log-odds", "what the viewer finds in the topic of each post"),
    "bond": Meaning("log-odds", "what following its creator, or the partner in a joint work, adds to each post"),
    "skip": Meaning("log-odds", "what doing something else is worth"),
    "like_bar": Meaning("log-odds", "a post worth this much is liked by half of its watchers"),
    "follow_bar": Meaning("log-odds", "a post worth this much makes half of its watchers follow its creator"),
    "idle_days": Meaning("", "visits on end without anything watched"),
    "leave_pull": Meaning("log-odds", "of leaving for good after this visit"),
    **moods.SEES,
    **acts.SEES,
}
ANSWERS = {
    "watch": Meaning("", "watch one post of the slate, or nothing"),
    "pick": Meaning("", "which post, by its place in the slate"),
    "like": Meaning("", "whether the viewer likes it"),
    "follow": Meaning("", "whether the viewer follows its creator from now on"),
    "leave": Meaning("", "whether the viewer leaves the platform for good"),
    **acts.ANSWERS,
}
UNITS = units(SEES)
_SLATE = ("topic", "title", "is_ai", "is_followed", "appeal", "taste", "bond", "fatigue", "trust", "harm")
_LIKE_STEPS = 2
"""A liked post counts this much in the profile, a post that was only watched counts 1."""

_MOST = 127
"""Where the counts of a profile stop: they are small whole numbers, so that feeds compare them exactly."""


class React:
    """All visitors are asked at once: watch a post of the slate or none, like it, follow its creator, leave for good.

    `appeal` is the post's own appeal + heat of its topic + `ai_appeal` where it is labelled as made by AI +
    `title_appeal` · how well its title fits. A watched post moves the viewer's profile towards it, a liked one twice as
    far. Visits do not see each other's views before the next day.
    """

    name = "react"
    repeats = False
    sees, answers, writes = SEES, ANSWERS, ("reactions", "follows", "departures")

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        self._facts, self._audience = scenario.viewers, scenario.audience
        self._net, self._worth = net, Worth(scenario, net)
        self._shows_watched = scenario.feed.shows_watched and not scenario.viewers.watch_again
        self._slots = tuple(str(slot + 1) for slot in range(scenario.feed.slate))
        self._topic_names = text_column(net.topics)
        self._is_ai = net.role == ROLES.index("ai_creator")

    def ask(self, world: World) -> list[Question]:
        """What to do with the slate: watch one post, and what then."""
        viewers = world.tables["viewers"]
        rows = np.flatnonzero(viewers["is_visiting"] & world.is_live[viewers["replica"]])
        if not len(rows):
            return []
        replica, none = viewers["replica"][rows], np.full(len(rows), -1)
        slate = viewers["slate"][rows]
        columns = self._columns(world, rows, replica, slate)
        is_shown = slate != NOBODY
        if self._shows_watched:
            is_shown &= ~bits.has(viewers["has_watched"], rows[:, None], np.maximum(slate, 0))
        return [
            Question(
                role="viewer",
                phase=self.name,
                step=world.steps,
                key=Table(
                    {
                        "replica": replica,
                        "subject": viewers["viewer"][rows],
                        "counterpart": none,
                        "item": none,
                        "round": none,
                    }
                ),
                seed=world.seed(seeds.MIND, replica),
                mind=viewers[f"mind.{self.name}"][rows],
                columns=columns,
                masks={name: is_shown for name in _SLATE if name in columns},
                units=UNITS,
                fields=self._fields(is_shown, columns["is_followed"]),
            )
        ]

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Count what was shown, watched and liked; tie and cut bonds."""
        done = self._done(world, questions, decisions)
        watched = done.take(done["watch"])
        was_followed = bits.has(world.tables["viewers"]["follows"], watched["row"], watched["creator"])
        watched["is_new"] = watched["follow"] & ~was_followed
        new = watched.take(watched["is_new"])
        viewings = world.tables["viewings"]
        world.tables["viewings"] = (
            self._viewings(world, watched, was_followed, questions[0], decisions[0].answers)
            if questions
            else viewings.take(np.zeros(0, np.int64))
        )
        self._count(world, watched, new)
        self._remember(world, done, watched)
        follows = self._follow(world, new)
        return {"reactions": self._reactions(world), "follows": follows, "departures": self._leave(world, done)}

    # ---- what they see --------------------------------------------------------------------------------------------

    def _columns(self, world: World, rows: Array, replica: Array, slate: Array) -> dict[str, Array]:
        viewers, posts = world.tables["viewers"], world.tables["posts"]
        place = np.maximum(slate, 0)
        at = self._net.post_row(replica[:, None], place)  # rows of the posts, (rows, slots)
        creator, topic = place % self._net.num_creators, posts["topic"][at]
        follows = bits.has(viewers["follows"], rows[:, None], creator)
        facts, size = self._facts, len(rows)
        columns = {
            "topic": self._topic_names[topic],
            "title": posts["title"][at],
            "is_ai": self._is_ai[creator],
            "is_followed": follows,
            "appeal": self._worth.appeal(world)[at],
            "taste": self._worth.taste(world, rows, at),
            "bond": self._worth.bond(world, rows, at, follows),
            "skip": np.full(size, facts.skip),
            "like_bar": np.full(size, facts.like_bar),
            "follow_bar": np.full(size, facts.follow_bar),
            "idle_days": viewers["idle_days"][rows],
            "leave_pull": facts.leave + facts.leave_per_idle_day * viewers["idle_days"][rows],
        }
        return columns if self._audience is None else self._with_audience(world, rows, at, columns)

    def _with_audience(self, world: World, rows: Array, at: Array, columns: dict[str, Array]) -> dict[str, Array]:
        """What `audience` adds: the bars of other acts, and what moods make of the slate and of staying."""
        facts, viewers, posts = cast(Audience, self._audience), world.tables["viewers"], world.tables["posts"]
        columns |= acts.columns(facts, _is_harmful(posts)[at])
        if facts.fatigue is not None:
            creator = posts["place"][at] % self._net.num_creators
            columns["fatigue"] = moods.fatigue(facts.fatigue, viewers, rows, world.steps, posts["topic"][at], creator)
        if facts.trust_in_ai is not None:
            gained = moods.confidence(viewers["trust_in_ai"][rows], facts.trust_in_ai)
            columns["trust"] = np.where(columns["is_ai"], gained[:, None], 0.0)
        if facts.trust_in_platform is not None:
            columns["leave_pull"] = columns["leave_pull"] - moods.confidence(
                viewers["trust_in_platform"][rows], facts.trust_in_platform
            )
        return columns

    def _fields(self, is_shown: Array, is_followed: Array) -> tuple[Field, ...]:
        both = np.broadcast_to(True, (len(is_shown), 2))
        can_watch = np.stack([np.ones(len(is_shown), bool), is_shown.any(axis=1)], axis=1)
        plain = (
            Choice(name="watch", options=("skip", "watch"), allowed=can_watch),
            Choice(name="pick", options=self._slots, allowed=is_shown, only_if=WATCH),
            Choice(name="like", options=NO_YES, allowed=both, only_if=WATCH),
            Choice(name="follow", options=NO_YES, allowed=both, only_if=WATCH),
            Choice(name="leave", options=NO_YES, allowed=both),
        )
        return plain if self._audience is None else (*plain, *acts.fields(self._audience, is_followed & is_shown))

    # ---- what comes of it -----------------------------------------------------------------------------------------

    def _done(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Table:
        """One row a visitor: row in `viewers`, whether it watched and which place's post, and its other answers."""
        viewers = world.tables["viewers"]
        none = np.zeros(0, np.int64)
        names = ("watch", "pick", "like", "follow", "leave")
        answers = {name: decisions[0].answers[name] if questions else none for name in names}
        replica = questions[0].key["replica"] if questions else none
        viewer = questions[0].key["subject"] if questions else none
        row = self._net.viewer_row(replica, viewer)
        slot = np.maximum(answers["pick"], 0)
        place = viewers["slate"][row, slot].astype(np.int64)
        yes = {name: answers[name] == 1 for name in ("watch", "like", "follow", "leave")}
        return Table(
            {
                "replica": replica,
                "viewer": viewer,
                "row": row,
                "asked": np.arange(len(row)),
                "slot": slot,
                "place": place,
                "at": self._net.post_row(replica, place),
                "creator": place % self._net.num_creators,
                **yes,
            }
        )

    def _viewings(
        self, world: World, watched: Table, was_followed: Array, question: Question, answers: Mapping[str, Array]
    ) -> Table:
        """Who watched which post today, for whatever comes after."""
        posts, row, at = world.tables["posts"], watched["asked"], watched["at"]
        found = Table(
            {
                **{name: watched[name] for name in ("replica", "viewer", "place")},
                "post": posts["post"][at],
                "creator": watched["creator"],
                "topic": posts["topic"][at],
                "slot": watched["slot"],
                "worth": worth(question)[row, watched["slot"]],
                "is_liked": watched["like"],
                "is_new_follow": watched["is_new"],
            }
        )
        if self._audience is not None:
            found.columns |= acts.viewed(answers, row, was_followed)
            promised = self._facts.title_appeal * posts["title_fit"][at]
            found["is_let_down"] = _is_harmful(posts)[at] | (posts["appeal"][at] < promised)
        return found

    def _count(self, world: World, watched: Table, new: Table) -> None:
        viewers, posts = world.tables["viewers"], world.tables["posts"]
        row, slot = np.nonzero(viewers["slate"] != NOBODY)
        shown = self._net.post_row(viewers["replica"][row], viewers["slate"][row, slot])
        for name, at in (
            ("impressions", shown),
            ("views", watched["at"]),
            ("likes", watched["at"][watched["like"]]),
            ("follows", new["at"]),
        ):
            count = np.bincount(at, minlength=posts.num_rows)
            posts[f"{name}_today"][:] = count
            if name in posts:
                posts[name] += count

    def _remember(self, world: World, done: Table, watched: Table) -> None:
        """What viewers and the platform know of them afterwards."""
        viewers, posts = world.tables["viewers"], world.tables["posts"]
        row = watched["row"]
        viewers["idle_days"][done["row"]] += 1
        viewers["idle_days"][row] = 0
        viewers["views"][row] += 1
        bits.put(viewers["has_watched"], row, watched["place"])
        viewers["reached_by"][row, self._net.role[watched["creator"]]] = True
        step = posts["vector"][watched["at"]] * np.where(watched["like"], _LIKE_STEPS, 1).astype(np.int16)[:, None]
        viewers["profile"][row] = np.clip(viewers["profile"][row] + step, -_MOST, _MOST).astype(np.int8)

    def _follow(self, world: World, new: Table) -> Table:
        creators = world.tables["creators"]
        bits.put(world.tables["viewers"]["follows"], new["row"], new["creator"])
        np.add.at(creators["followers"], world.first_member[new["replica"]] + new["creator"], 1)
        return Table({name: new[name] for name in ("replica", "viewer", "creator")})

    def _leave(self, world: World, done: Table) -> Table:
        """Whoever leaves is gone for good, and follows nobody."""
        viewers, creators = world.tables["viewers"], world.tables["creators"]
        gone = done.take(done["leave"])
        row = gone["row"]
        leaver, creator = np.nonzero(bits.unpacked(viewers["follows"][row], self._net.num_creators))
        np.subtract.at(creators["followers"], world.first_member[gone["replica"][leaver]] + creator, 1)
        viewers["follows"][row] = 0
        viewers["is_active"][row] = False
        viewers["has_left"][row] = True
        return Table(
            {
                "replica": gone["replica"],
                "viewer": gone["viewer"],
                "idle_days": viewers["idle_days"][row],
                "views": viewers["views"][row],
            }
        )

    def _reactions(self, world: World) -> Table:
        """One row a post that was shown today."""
        posts = world.tables["posts"]
        rows = np.flatnonzero(posts["impressions_today"])
        rows = rows[np.lexsort((posts["post"][rows], posts["replica"][rows]))]
        today = {n: posts[f"{n}_today"][rows] for n in ("impressions", "views", "likes", "follows")}
        creator = posts["place"][rows] % self._net.num_creators
        return Table({"replica": posts["replica"][rows], "post": posts["post"][rows], "creator": creator, **today})


def _is_harmful(posts: Table) -> Array:
    """Which posts break rules, by place; none without `moderation`."""
    return posts["harm"] > 0 if "harm" in posts else np.zeros(posts.num_rows, bool)
