"""How much the feed explores: the platform chooses a share of slots that show posts by chance.

It sees what every share brought so far, and how much attention has moved between topics of late; it never sees tastes,
nor why topics move. The feed reads the share from the table `platform`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.community.platform.forecast import views_by_day
from ecosim.community.platform.words import HOME, ROLE, STEER_ANSWERS, STEER_SEES, STEER_UNITS
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import NOBODY, Layout, grid
from ecosim.fields import Array, Choice
from ecosim.side import Events
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World


class Steer:
    """The platform chooses the feed's exploration share, every `steer_days`."""

    name = "steer"
    repeats = False
    sees, answers, writes = STEER_SEES, STEER_ANSWERS, ("steering",)

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        assert scenario.platform is not None
        self._facts = scenario.platform
        self._shares = np.array(self._facts.explore_shares)
        self._options = tuple(f"{share * 100:g} %" for share in self._facts.explore_shares)

    def ask(self, world: World) -> list[Question]:
        """One row a replica."""
        rows = np.flatnonzero(world.is_live)
        if (world.steps - 1) % self._facts.steer_days or not len(rows):
            return []
        none, zero = np.full(len(rows), NOBODY), np.zeros(len(rows), np.int64)
        columns = {name: column[rows] for name, column in self._columns(world).items()}
        every = np.ones((len(rows), len(self._shares)), bool)
        return [
            Question(
                role=ROLE,
                phase=self.name,
                step=world.steps,
                key=Table({"replica": rows, "subject": zero, "counterpart": none, "item": none, "round": none}),
                seed=world.seed(seeds.MIND, rows),
                mind=world.tables[HOME][f"mind.{self.name}"][rows],
                columns=columns,
                masks={
                    **dict.fromkeys(("choice", "choice_days", "choice_views"), every),
                    "views": np.ones(columns["views"].shape, bool),
                },
                units=STEER_UNITS,
                fields=(Choice(name="explore", options=self._options, allowed=every),),
            )
        ]

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Book yesterday's views to yesterday's share, then change it."""
        home, live = world.tables[HOME], np.flatnonzero(world.is_live)
        days, views = self._record(world)
        home["choice_days"][:], home["choice_views"][:] = days, views
        if not questions:
            return {}
        choice = decisions[0].answers["explore"]
        home["choice"][live], home["explore_share"][live] = choice, self._shares[choice]
        return {"steering": Table({"replica": live, "choice": choice, "explore_share": self._shares[choice]})}

    def _columns(self, world: World) -> dict[str, Array]:
        home, size, facts = world.tables[HOME], world.num_replicas, self._facts
        by_day = views_by_day(world)[:, :, : facts.history_days]  # (replicas, topics, days)
        moved = _moved(by_day)
        days, views = self._record(world)
        before = moved[:, 1 : max(min(world.steps - 2, moved.shape[1]), 1)]  # of days that there have been
        return {
            "explore_share": home["explore_share"],
            "choice": np.broadcast_to(self._shares, (size, len(self._shares))),
            "choice_days": days,
            "choice_views": views,
            "views": by_day.sum(axis=1),
            "moved": moved[:, 0] if moved.shape[1] else np.zeros(size),
            "moved_before": _mean(before),
            "active_viewers": grid(world.tables["viewers"], "is_active", size).sum(axis=1),
            "day": np.full(size, world.steps),
        }

    def _record(self, world: World) -> tuple[Array, Array]:
        """Days and views of every share with yesterday's, int64 (replicas, shares) each."""
        home = world.tables[HOME]
        days, views = home["choice_days"].copy(), home["choice_views"].copy()
        if world.steps > 1:
            at = (np.arange(world.num_replicas), home["choice"])
            days[at] += world.is_live
            views[at] += np.where(world.is_live, views_by_day(world)[:, :, 0].sum(axis=1), 0)
        return days, views


def _moved(by_day: Array) -> Array:
    """Half the sum of |changes of topics' shares| from each day to the next, float64 (replicas, days − 1)."""
    total = np.maximum(by_day.sum(axis=1, keepdims=True), 1)
    share = by_day / total
    moved = np.zeros((by_day.shape[0], by_day.shape[2] - 1))
    for topic in range(by_day.shape[1]):  # one after another: the order of a float sum is part of the result
        moved += np.abs(share[:, topic, :-1] - share[:, topic, 1:])
    return moved / 2


def _mean(columns: Array) -> Array:
    """The mean of each row, column by column."""
    total = np.zeros(len(columns))
    for day in range(columns.shape[1]):
        total += columns[:, day]
    return total / max(columns.shape[1], 1)
