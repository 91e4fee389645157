"""Opinions: what viewers think of a matter, who meets whom, and how those who meet come closer.

Opinions are whole millionths from 0 to 10^6. Everybody who is there takes part, whether it visited or not. Creators
have a stance on the matter, and where `post_pull` is above 0 a watched post draws those who think alike towards it: so
a feed that shows everybody its own kind keeps camps apart. What posts are worth to viewers does not depend on opinions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.adder import Adder
from ecosim.community.chapter import Chapter
from ecosim.community.facts.opinions import Opinions
from ecosim.community.graph import ties
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import Layout, grid
from ecosim.exact import MILLION, micro
from ecosim.fields import Array
from ecosim.levers import Lever
from ecosim.meanings import Meaning, State
from ecosim.rules import opinions as rules
from ecosim.side import Column, Events, Figure, Schema, Series
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

_BUILD = "opinions"
_TENTHS = 10
_LEAST_SHARE = 50
"""A camp has at least one viewer in so many; loners between camps are none."""

SCHEMAS = {
    "opinions": Schema(
        "How many viewers think what at the end of the day.",
        1,
        (
            Column("tenth", "i8", "", "opinions from tenth / 10 to (tenth + 1) / 10, 0 … 9"),
            Column("viewers", "i8", "viewers", "how many of those who are there; tenths of nobody are left out"),
            Column("total", "i8", "1/1e6", "their opinions, added up"),
        ),
        is_rare=True,
    )
}


class Discuss:
    """Viewers who are there meet and come closer; watched posts draw those who think alike.

    With bounded confidence, two who meet and differ by less than the tolerance each go `pull` of the way to the other.
    Among anybody, all are paired by lot; among ties, every tie gets a lot and those meet whose lot is the lowest at
    both ends. With DeGroot's rule everybody goes `pull` of the way to the mean of those whom it gets posts from.

    Draws:
        From the world's seed: the lots of a round, keyed by viewer, or by both viewers.
    """

    name = "discuss"
    repeats = False
    writes = ("opinions",)

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        self._facts, self._net = _facts(scenario), net
        self._tolerance, self._pull = micro(self._facts.tolerance), micro(self._facts.pull)
        self._post_pull = micro(self._facts.post_pull)

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked: it is no decision whom one believes."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Posts first, then the rounds of the day."""
        if self._post_pull:
            self._hear(world)
        for lane in range(self._facts.rounds_per_day):
            if self._facts.kind == "degroot":
                self._pool(world)
            else:
                self._meet(
                    world, *(self._tied(world, lane) if self._facts.among == "ties" else self._pairs(world, lane))
                )
        return {"opinions": _tenths(world)}

    def _hear(self, world: World) -> None:
        """Watched posts draw their viewers; of several, each by its part."""
        viewers, creators, seen = (world.tables[name] for name in ("viewers", "creators", "viewings"))
        row, creator = self._net.viewer_row(seen["replica"], seen["viewer"]), seen["creator"]
        stance = creators["stance"][self._net.creator_row(seen["replica"], creator)]
        move = rules.compromise(viewers["opinion"][row], stance, self._tolerance, self._post_pull)
        count, total = np.bincount(row, minlength=viewers.num_rows), np.zeros(viewers.num_rows, np.int64)
        np.add.at(total, row, move)
        viewers["opinion"] += rules.mean(total, np.maximum(count, 1))

    def _meet(self, world: World, one: Array, other: Array) -> None:
        """Pairs of different viewers (rows), each viewer in at most one."""
        opinion = world.tables["viewers"]["opinion"]
        move = rules.compromise(opinion[one], opinion[other], self._tolerance, self._pull)
        opinion[one] += move
        opinion[other] -= move

    def _pairs(self, world: World, lane: int) -> tuple[Array, Array]:
        """Everybody who is there, two by two by lot; of an odd number one stays alone."""
        viewers = world.tables["viewers"]
        row = np.flatnonzero(_is_there(world))
        replica = viewers["replica"][row]
        seed = world.seed(seeds.WORLD, replica)
        lot = seeds.uniform(seeds.WORLD, seed, world.steps, self.name, (viewers["viewer"][row],), lane)
        row, size = row[np.lexsort((lot, replica))], np.bincount(replica, minlength=world.num_replicas)
        nth = np.arange(len(row)) - np.repeat(np.cumsum(size) - size, size)
        first = np.flatnonzero((nth % 2 == 0) & (nth + 1 < np.repeat(size, size)))
        return row[first], row[first + 1]

    def _tied(self, world: World, lane: int) -> tuple[Array, Array]:
        """Ties whose lot is the lowest at both ends, among those who are there."""
        viewers = world.tables["viewers"]
        one, other = _along(world)
        one, other = np.minimum(one, other), np.maximum(one, other)
        seed = world.seed(seeds.WORLD, viewers["replica"][one])
        key = (viewers["viewer"][one], viewers["viewer"][other])
        lot = seeds.words(seeds.WORLD, seed, world.steps, self.name, key, lane)[0]
        lowest = np.full(viewers.num_rows, np.iinfo(np.uint64).max)
        np.minimum.at(lowest, one, lot)
        np.minimum.at(lowest, other, lot)
        meets = np.flatnonzero((lot == lowest[one]) & (lot == lowest[other]))
        _, first = np.unique(one[meets], return_index=True)  # a tie is there both ways
        return one[meets[first]], other[meets[first]]

    def _pool(self, world: World) -> None:
        """Everybody at once moves towards the mean of those tied to it who are there."""
        viewers = world.tables["viewers"]
        opinion = viewers["opinion"]
        sharer, friend = _along(world)
        count, total = np.bincount(friend, minlength=len(opinion)), np.zeros(len(opinion), np.int64)
        np.add.at(total, friend, opinion[sharer])
        some = count > 0
        own = opinion[some] * count[some] * (MILLION - self._pull)
        opinion[some] = rules.mean(own + total[some] * self._pull, count[some] * MILLION)


def _facts(scenario: CommunityScenario) -> Opinions:
    assert scenario.opinions is not None
    return scenario.opinions


def _is_there(world: World) -> Array:
    viewers = world.tables["viewers"]
    return viewers["is_active"] & world.is_live[viewers["replica"]]


def _along(world: World) -> tuple[Array, Array]:
    """All ways along ties between viewers who are there, (sharer, friend), rows of `viewers`."""
    start, friend = ties(world)
    sharer, there = np.repeat(np.arange(len(start) - 1), np.diff(start)), _is_there(world)
    both = there[sharer] & there[friend]
    return sharer[both], friend[both]


def _tenths(world: World) -> Table:
    viewers = world.tables["viewers"]
    there = np.flatnonzero(_is_there(world))
    opinion = viewers["opinion"][there]
    tenth = np.minimum(opinion * _TENTHS // MILLION, _TENTHS - 1)
    cell = viewers["replica"][there] * _TENTHS + tenth
    count = np.bincount(cell, minlength=world.num_replicas * _TENTHS)
    total = np.zeros(len(count), np.int64)
    np.add.at(total, cell, opinion)
    some = np.flatnonzero(count)
    return Table({"replica": some // _TENTHS, "tenth": some % _TENTHS, "viewers": count[some], "total": total[some]})


def is_in(scenario: CommunityScenario) -> bool:
    """Whether viewers have opinions."""
    return scenario.opinions is not None


def build(scenario: CommunityScenario, net: Layout, replicas: Table, tables: dict[str, Table]) -> None:
    """Add what viewers think at first, and what creators stand for.

    Draws:
        From the world's seed: both, evenly from 0 to 1.
    """
    for name, column, key, lane in (("viewers", "opinion", "viewer", 0), ("creators", "stance", "member", 1)):
        table = tables[name]
        seed = replicas["world_seed"][table["replica"]]
        table[column] = seeds.integers(MILLION + 1, seeds.WORLD, seed, 0, _BUILD, (table[key],), lane)


STATES = {
    "viewers": State("", {"opinion": Meaning("1/1e6", "what it thinks of the matter, 0 … 10^6")}),
    "creators": State("", {"stance": Meaning("1/1e6", "what its posts stand for in the matter, 0 … 10^6")}),
}
_ABOUT = {
    "opinion_camps": "groups of at least 2 % of the viewers, further apart than `opinions.tolerance`",
    "polarisation": "4 × the variance of opinions: 0 when all agree, 1 when half are at each end",
}
METRICS = {name: Figure("", about) for name, about in _ABOUT.items()}
KPIS = {name: Figure("", f"{about}; at the end") for name, about in _ABOUT.items()}


def measure(world: World, events: Events, add: Adder) -> None:
    """Camps and polarisation among the viewers who are there."""
    scenario = world.scenario
    assert isinstance(scenario, CommunityScenario)
    apart = micro(_facts(scenario).tolerance)
    opinion = grid(world.tables["viewers"], "opinion", world.num_replicas)
    active = grid(world.tables["viewers"], "is_active", world.num_replicas)
    there = [mine[is_there] for mine, is_there in zip(opinion, active, strict=True)]
    camps = [rules.num_camps(mine, apart, -(-len(mine) // _LEAST_SHARE)) for mine in there]
    add.figures["opinion_camps", ""] = np.array(camps, np.float64)
    add.figures["polarisation", ""] = np.array([4 * np.var(mine / MILLION) if len(mine) else 0.0 for mine in there])


def conclude(world: World, series: Series, add: Adder) -> None:
    """The same at the end."""
    for name in KPIS:
        add.figures[name, ""] = series[name, ""][-1]


def levers(scenario: CommunityScenario, net: Layout) -> list[Lever]:
    """What interventions may change: what a viewer thinks, what a creator stands for."""
    about = {("viewers", "opinion"): "what it thinks, 0 … 1", ("creators", "stance"): "what its posts stand for, 0 … 1"}
    return [
        Lever(table=table, name=name, unit="", about=text, per_unit=MILLION, high=1.0)
        for (table, name), text in about.items()
    ]


CHAPTER = Chapter(
    is_in=is_in,
    phases={"discuss": Discuss},
    schemas=SCHEMAS,
    states=STATES,
    build=build,
    metrics=METRICS,
    kpis=KPIS,
    measure=measure,
    conclude=conclude,
    levers=levers,
)
