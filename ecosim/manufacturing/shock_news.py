"""News of shocks: what the scenario's `shocks` will bring, told before or as it begins, denied, or made up.

A shock is in the news once for every item whose firms it reaches, as that of one of these firms. Sources are as
reliable here as elsewhere (`news`). Shocks are drawn before week 1, so all of this is from outside: arms with other
minds read the same words.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.fields import Array
from ecosim.manufacturing.facts.bulletins import Bulletins
from ecosim.manufacturing.facts.shocks import OF_ITEMS, places, reached
from ecosim.manufacturing.news import KINDS, LATER_WEEKS
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import NOBODY, Layout
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

_DENIES = 0.5
"""Of the false bulletins about a shock that comes, how many deny it; the others name a later week."""


class ShockNews:
    """What is said of shocks in a week.

    Draws:
        From the world's seed, by the shock's name, item and week: who tells, whether truly, of which firm, in which
        words; whether there is a rumour.
    """

    def __init__(self, facts: Bulletins, scenario: ManufacturingScenario, net: Layout) -> None:
        assert facts.shock_notice_weeks is not None
        self.notice, self.rumour = facts.shock_notice_weeks, facts.rumour_chance
        self.reliability = np.array([source.reliability for source in facts.sources])
        self.topics = [
            (i, item, whose) for i in range(len(scenario.shocks or [])) for item, whose in _whose(scenario, net, i)
        ]
        shocks = scenario.shocks or []
        self.kind = np.array([KINDS.index(shock.kind) for shock in shocks], np.int64)
        self.weeks = np.array([shock.weeks for shock in shocks], np.int64)
        self.names = [zlib.crc32(shock.name.encode()) for shock in shocks]

    def bulletins(self, world: World, now: int) -> list[Table]:
        """A week's bulletins, a table for each shock and item; columns as in `News.bulletins`, `shock` and `weeks`."""
        return [self.of(topic)(world, now) for topic in range(len(self.topics))]

    def of(self, topic: int) -> Callable[[World, int], Table]:
        """What is said in a week of one shock and item."""
        return lambda world, now: self._about(world, now, *self.topics[topic])

    def _about(self, world: World, now: int, shock: int, item: int, firms: Array) -> Table:
        replica = np.flatnonzero(world.is_live)
        drawn = world.tables["shocks"]
        begins = (drawn["shock"] == shock) & (drawn["week"] == now + self.notice)
        is_event = np.isin(replica, drawn["replica"][begins])
        talk = self._lots(world, now, replica, shock, item, 0)[0]
        told = is_event | (talk < self.rumour)
        return self._say(world, now, replica[told], shock, item, firms, is_event[told])

    def _lots(self, world: World, now: int, replica: Array, shock: int, item: int, lane: int) -> tuple[Array, Array]:
        key = (np.full(len(replica), self.names[shock]), np.full(len(replica), item))
        seed = world.seed(seeds.WORLD, replica)
        return seeds.two_uniforms(seeds.WORLD, seed, now, "shock.news", key, lane)

    def _say(
        self, world: World, now: int, replica: Array, shock: int, item: int, firms: Array, is_event: Array
    ) -> Table:
        alike, size = np.ones(len(replica), np.int64), len(self.reliability)
        none = np.zeros(0)
        (late, who), (truth, lie), (words, place), (step, _) = (
            self._lots(world, now, replica, shock, item, lane) if len(replica) else (none, none) for lane in range(1, 5)
        )
        source = _one_of(size, who)
        honest = truth < self.reliability[source]
        denies = np.where(is_event, ~honest & (lie < _DENIES), honest)
        about = _one_of(len(firms), place)
        beside = (about + 1 + _one_of(max(len(firms) - 1, 1), step)) % len(firms)
        return Table(
            {
                "replica": replica,
                "item": item * alike,
                "about": firms[about],
                "kind": self.kind[shock] * alike,
                "week": now + self.notice + np.where(is_event & ~honest & ~denies, 1 + _one_of(LATER_WEEKS, late), 0),
                "is_denied": denies.astype(np.int64),
                "is_true": honest.astype(np.int64),
                "source": source,
                "words": (words * 2**40).astype(np.int64),
                "beside": firms[beside] if len(firms) > 1 else NOBODY * alike,
                "shock": shock * alike,
                "weeks": self.weeks[shock] * alike,
            }
        )


def _one_of(size: int, lot: Array) -> Array:
    """A number from 0 to size − 1 for each draw from (0, 1)."""
    found: Array = np.minimum((lot * size).astype(np.int64), size - 1)
    return found


def _whose(scenario: ManufacturingScenario, net: Layout, i: int) -> list[tuple[int, Array]]:
    """Items that a shock concerns, and of each the firms that it reaches and that sell it."""
    shock = (scenario.shocks or [])[i]
    hit = np.flatnonzero(reached(shock, places(scenario.firms, net.items), scenario.firms, scenario.items))
    if shock.kind in OF_ITEMS:
        return [(item, net.sellers[item]) for item in hit.tolist() if len(net.sellers[item])]
    return [(item, hit[net.sells[hit] == item]) for item in np.unique(net.sells[hit]).tolist()]
