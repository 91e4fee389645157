"""The start of a day: newcomers come, viewers decide to look, the heat of topics moves.

All of it is exogenous, drawn from the world's seed: nothing that a member does changes the events `arrivals` and
`heat`, so they are bit-equal in every arm of a comparison (who has left is another matter).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import Layout, grid
from ecosim.community.trends import Lift
from ecosim.side import Events
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World


class Arrive:
    """The day begins: newcomers come, viewers look at the feed or not, the heat of topics moves.

    Heat, what fashion adds to the appeal of posts on a topic, becomes persistence · heat + volatility · shock; drift,
    season and shocks of `trends` lift it besides. What the platform remembers of recent posts and views fades by an
    eighth.

    Draws:
        From the world's seed: whether each viewer who is there looks, with `visit_chance` times what the day of the
        week makes of it (`audience.rhythm`); a standard normal shock for each topic.
    """

    name = "arrive"
    repeats = False

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        self._num_niches = len(net.niches)
        self._trends = scenario.trends
        self._week = [1.0] if scenario.audience is None else scenario.audience.rhythm.week
        self._lift = Lift(scenario, net) if scenario.trends.has_lift else None
        self.writes = ("arrivals", "heat", *(("trend_shocks",) if scenario.trends.shocks else ()))

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked: all of it is exogenous."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Who is there and who visits; the new heat."""
        return {"arrivals": self._come(world), **self._warm(world)}

    def _come(self, world: World) -> Table:
        viewers, is_live = world.tables["viewers"], world.is_live
        live = is_live[viewers["replica"]]
        comes = live & (viewers["arrives"] == world.steps)
        viewers["is_active"] |= comes
        visits = viewers["is_active"] & live
        chance = viewers["visit_chance"] * self._week[(world.steps - 1) % len(self._week)]
        if (chance < 1).any():
            seed = world.seed(seeds.WORLD, viewers["replica"])
            u = seeds.uniform(seeds.WORLD, seed, world.steps, self.name, (viewers["viewer"],), lane=0)
            visits &= u < chance
        viewers["is_visiting"] = visits
        cell = viewers["replica"][comes] * self._num_niches + viewers["favourite"][comes]
        count = np.bincount(cell, minlength=world.num_replicas * self._num_niches)
        replica, niche = np.divmod(np.arange(len(count)), self._num_niches)
        come = np.flatnonzero(count)
        return Table({"replica": replica[come], "niche": niche[come], "viewers": count[come]})

    def _warm(self, world: World) -> dict[str, Table]:
        topics = world.tables["topics"]
        rows = np.flatnonzero(world.is_live[topics["replica"]])
        replica, topic = topics["replica"][rows], topics["topic"][rows]
        if self._lift is not None:
            topics["heat"][rows] -= topics["lift"][rows]
        if self._trends.volatility > 0:
            seed = world.seed(seeds.WORLD, replica)
            shock = seeds.normal(seeds.WORLD, seed, world.steps, self.name, (topic,), lane=1)
            topics["heat"][rows] = topics["heat"][rows] * self._trends.persistence + self._trends.volatility * shock
        shocks = {}
        if self._lift is not None:
            shocks = {"trend_shocks": self._lift.move(world, rows)}
            topics["heat"][rows] += topics["lift"][rows]
        # the memory of what was popular fades by an eighth a day
        for name in ("recent_views", "recent_posts"):
            grid(topics, name, world.num_replicas)[world.is_live] -= (
                grid(topics, name, world.num_replicas)[world.is_live] // 8
            )
        return {"heat": Table({"replica": replica, "topic": topic, "heat": topics["heat"][rows]}), **shocks}
