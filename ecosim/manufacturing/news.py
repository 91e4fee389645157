"""What happens to makers, and what is said of it: the truth behind bulletins, all from the world's seed.

An outage takes a share of a maker's capacity for some weeks, a recall a share of its stock, once. Each is in the news
`notice_weeks` before, in one bulletin. The source tells the truth with its reliability; else it denies what will
happen, or names a later week. Of makers to whom nothing happens there are rumours: a source denies them with its
reliability, else it brings them as true. So a claim that something will happen is true less often than the reliability
says where rumours are as frequent as events: who reads has to find out.

Nothing here depends on what any member does: arms with other minds meet the same events and read the same words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.exact import MILLION, micro, value
from ecosim.fields import Array
from ecosim.manufacturing.facts.bulletins import Bulletins
from ecosim.manufacturing.pages import Pools
from ecosim.manufacturing.state import NOBODY, Layout
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

NOTHING, OUTAGE, RECALL, LATE, SHORT, MORE, CLAUSE, SURGE, CLOSURE, DELAY, COST_JUMP, VALUE_JUMP = range(12)
KINDS = (
    "nothing", "outage", "recall", "late", "short", "more", "clause", "surge", "closure", "delay", "cost_jump",
    "value_jump",
)  # fmt: skip
"""What a text can be about: the first three of any bulletin, then letters and contracts (`mail`), then shocks."""
OF_NEWS = 3
"""How many kinds bulletins know without letters, clauses and shocks."""
_DENIES = 0.5
"""Of the false bulletins about what will happen, how many deny it; the others name a later week."""
LATER_WEEKS = 3
"""How many weeks too late a false bulletin is, at most."""


class News:
    """What happens to the makers of a market, and what is said of it.

    Args:
        facts: how often what happens, and who tells.
        net: the network.

    Draws:
        Keyed by maker: what begins in a week; who tells of it, whether truly, in which words; who stands beside it.
    """

    def __init__(self, facts: Bulletins, net: Layout) -> None:
        self.facts, self.net, self.pools = facts, net, Pools(net)
        self.makers = np.flatnonzero(net.capacity > 0)
        self.reliability = np.array([source.reliability for source in facts.sources])

    def begins(self, world: World, replica: Array, maker: Array, week: int) -> Array:
        """What begins for each maker in a week: NOTHING, OUTAGE or RECALL; nothing that could not be told before."""
        if week <= self.facts.notice_weeks:
            return np.zeros(len(maker), np.int64)
        u = seeds.uniform(seeds.WORLD, world.seed(seeds.WORLD, replica), week, "incidents", (maker,))
        outage, recall = self.facts.outage_chance, self.facts.recall_chance
        return np.where(u < outage, OUTAGE, np.where(u < outage + recall, RECALL, NOTHING))

    def bulletins(self, world: World, now: int) -> Table:
        """A week's bulletins, sorted by replica, item and maker; all that is said, and whether it is so."""
        replica, maker = self._all(world)
        facts, size = self.facts, len(self.reliability)
        happens = self.begins(world, replica, maker, now + facts.notice_weeks)
        seed = world.seed(seeds.WORLD, replica)

        def lots(lane: int) -> tuple[Array, Array]:
            return seeds.two_uniforms(seeds.WORLD, seed, now, "bulletins", (maker,), lane)

        (talk, which), (who, truth), (lie, words) = (lots(lane) for lane in range(3))
        source = np.minimum((who * size).astype(np.int64), size - 1)
        is_event = happens != NOTHING
        is_rumour = ~is_event & (talk < facts.rumour_chance)
        is_idle = ~is_event & ~is_rumour & (talk < facts.rumour_chance + facts.idle_chance)
        honest = (truth < self.reliability[source]) | is_idle
        recalls = facts.recall_chance / max(facts.recall_chance + facts.outage_chance, 1e-9)
        rumoured = np.where(which < recalls, RECALL, OUTAGE)
        denies = np.where(is_event, ~honest & (lie < _DENIES), is_rumour & honest)
        later = 1 + np.minimum((which * LATER_WEEKS).astype(np.int64), LATER_WEEKS - 1)
        late = np.where(is_event & ~honest & ~denies, later, 0)
        says = {
            "week": np.where(is_idle, NOBODY, now + facts.notice_weeks + late),
            "is_denied": denies.astype(np.int64),
            "is_true": honest.astype(np.int64),
        }
        if facts.conflict_chance:
            says |= self._disputed(lots, now + facts.notice_weeks, source, is_event, is_rumour, says)
        table = Table(
            {
                "replica": replica,
                "item": self.net.sells[maker],
                "about": maker,
                "kind": np.where(is_event, happens, np.where(is_rumour, rumoured, NOTHING)),
                **says,
                "source": source,
                "words": (words * 2**40).astype(np.int64),
                "beside": self.pools.neighbour(self.net.sells[maker], maker, lie),
            }
        ).take(is_event | is_rumour | is_idle)
        return table.take(np.lexsort((table["about"], table["item"], table["replica"])))

    def _disputed(
        self,
        lots: Callable[[int], tuple[Array, Array]],
        week: int,
        source: Array,
        is_event: Array,
        is_rumour: Array,
        says: dict[str, Array],
    ) -> dict[str, Array]:
        """What bulletins say in which another source is told to say the opposite; exactly one of the two is right.

        Of two sources that disagree and are right with chances p and q, independently, the first is right with
        p(1 − q) ÷ (p(1 − q) + q(1 − p)).
        """
        (chance, whom), (right, _) = lots(3), lots(4)
        size = len(self.reliability)
        rival = (source + 1 + np.minimum((whom * (size - 1)).astype(np.int64), size - 2)) % size
        p, q = self.reliability[source], self.reliability[rival]
        ours, theirs = p * (1.0 - q), q * (1.0 - p)
        is_right = right * np.maximum(ours + theirs, 1e-9) < ours
        disputed = (is_event | is_rumour) & (chance < self.facts.conflict_chance)
        return {
            "week": np.where(disputed, week, says["week"]),
            "is_denied": np.where(disputed, 0, says["is_denied"]),
            "is_true": np.where(disputed, is_event, says["is_true"]).astype(np.int64),
            "rival": np.where(disputed, rival, NOBODY),
            "is_refuted": (disputed & (is_event != is_right)).astype(np.int64),
        }

    def happen(self, world: World) -> None:
        """Set this week's share of capacity (`firms.news_capacity`), and destroy what is recalled."""
        facts, firms = self.facts, world.tables["firms"]
        replica, maker = self._all(world)
        row = self.net.firm_row(replica, maker)
        weeks = range(max(1, world.steps - facts.outage_weeks + 1), world.steps + 1)
        begun = {week: self.begins(world, replica, maker, week) for week in weeks}
        is_down = np.any([kind == OUTAGE for kind in begun.values()], axis=0)
        firms["news_capacity"][row] = np.where(is_down, MILLION - micro(facts.outage_share), MILLION)
        recalled = begun[world.steps] == RECALL
        if recalled.any():
            self._recall(world, replica[recalled], maker[recalled])

    def _recall(self, world: World, replica: Array, maker: Array) -> None:
        ledger, item = world.ledger, self.net.sells[maker]
        account = ledger.rows(replica, maker)
        stock = ledger.accounts["balance"][account, item + 1]
        share = np.full(len(maker), micro(self.facts.recall_share))
        ledger.move(item + 1, value(share, stock) // MILLION * MILLION, account, ledger.outside("nature", replica))

    def _all(self, world: World) -> tuple[Array, Array]:
        """Replica and maker of all makers in live replicas."""
        live = np.flatnonzero(world.is_live)
        return np.repeat(live, len(self.makers)), np.tile(self.makers, len(live))
