"""What lifts topics beside fashion: drift that stays, a season that comes again, shocks that fade.

All of it is exogenous, drawn from the world's seed. `arrive` takes yesterday's lift off the heat of a topic before
fashion moves it, and puts today's on, so that heat is always fashion + lift.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.community.chapter import Chapter
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import NOBODY, Layout
from ecosim.fields import Array
from ecosim.levers import Lever
from ecosim.meanings import Meaning, State
from ecosim.side import Column, Schema
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

_LOG_ODDS = 50.0
_PURPOSE = "trends"

SCHEMAS = {
    "trend_shocks": Schema(
        "topics that come into fashion overnight, or go out of it",
        2,
        (
            Column("shock", "i8", "", "index in the scenario's list"),
            Column("topic", "i8", "id", "in the scenario's order", of="topic"),
            Column("size", "f8", "log-odds", "what it adds to the topic's heat today"),
        ),
        is_exogenous=True,
        is_rare=True,
    )
}
STATES = {
    "topics": State(
        "",
        {
            "level": Meaning("log-odds", "what drift has added for good"),
            "shock": Meaning("log-odds", "what is left of shocks"),
            "lift": Meaning("log-odds", "level, season and shock of today: the part of `heat` that is no fashion"),
        },
    )
}


class Lift:
    """What a day adds to topics beside fashion."""

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        self._facts, self._num_topics = scenario.trends, net.num_topics
        of_niche = [scenario.trends.season.get(niche, [0.0]) for niche in net.niches]
        self._season = [np.array(of_niche[niche]) for niche in net.topic_niche]
        self._topic = [
            NOBODY if shock.topic is None else net.topics.index(shock.topic) for shock in scenario.trends.shocks
        ]

    def move(self, world: World, rows: Array) -> Table:
        """Today's lift into the table `topics`, at some rows; gives the event rows of today's shocks.

        Draws:
            From the world's seed: a standard normal for each topic's drift; whether each shock by chance comes, and
            its topic, evenly, where the scenario names none.
        """
        topics, facts = world.tables["topics"], self._facts
        replica, topic = topics["replica"][rows], topics["topic"][rows]
        if facts.drift:
            seed = world.seed(seeds.WORLD, replica)
            step = seeds.normal(seeds.WORLD, seed, world.steps, _PURPOSE, (topic,), lane=0)
            topics["level"][rows] += facts.drift * step
        shocks = self._shocks(world)
        topics["shock"][rows] *= facts.shock_persistence
        for i in range(shocks.num_rows):  # a handful: in one order, as float sums want it
            topics["shock"][shocks["replica"][i] * self._num_topics + shocks["topic"][i]] += shocks["size"][i]
        season = np.array([of_topic[(world.steps - 1) % len(of_topic)] for of_topic in self._season])
        topics["lift"][rows] = (topics["level"][rows] + topics["shock"][rows]) + season[topic]
        return shocks

    def _shocks(self, world: World) -> Table:
        """Those of today, by replica and place in the list."""
        live = np.flatnonzero(world.is_live)
        seed, found = world.seed(seeds.WORLD, live), []
        for i, shock in enumerate(self._facts.shocks):
            key = (np.full(len(live), i),)
            if shock.day is None:
                comes = seeds.uniform(seeds.WORLD, seed, world.steps, _PURPOSE, key, lane=1) < shock.chance
            else:
                comes = np.full(len(live), shock.day == world.steps)
            topic = np.full(len(live), self._topic[i])
            if self._topic[i] == NOBODY:
                topic = seeds.integers(self._num_topics, seeds.WORLD, seed, world.steps, _PURPOSE, key, lane=2)
            found.append((live[comes], np.full(int(comes.sum()), i), topic[comes]))
        replica, number, topic = (np.concatenate([part[k] for part in found]) if found else _NONE for k in range(3))
        order = np.lexsort((number, replica))
        sizes = np.array([shock.size for shock in self._facts.shocks] or [0.0])
        return Table(
            {"replica": replica[order], "shock": number[order], "topic": topic[order], "size": sizes[number[order]]}
        )


_NONE = np.zeros(0, np.int64)


def build(scenario: CommunityScenario, net: Layout, replicas: Table, tables: dict[str, Table]) -> None:
    """Nothing lifts a topic yet."""
    for name in STATES["topics"].columns:
        tables["topics"][name] = np.zeros(tables["topics"].num_rows)


def levers(scenario: CommunityScenario, net: Layout) -> tuple[Lever, ...]:
    """The parts of lift that last."""
    return tuple(
        Lever(
            table="topics",
            name=name,
            unit="log-odds",
            about=STATES["topics"].columns[name].about,
            low=-_LOG_ODDS,
            high=_LOG_ODDS,
            is_exogenous=True,
        )
        for name in ("level", "shock")
    )


CHAPTER = Chapter(
    is_in=lambda scenario: scenario.trends.has_lift,
    schemas=SCHEMAS,
    states=STATES,
    build=build,
    levers=levers,
)
