"""Letters from partners, and contracts as text: what is true of contracts this week, and what is said of it.

* A seller writes in the first week in which goods of a contract can no longer come in time: *late* if nothing of it has
  left, *short* if a part has. What it says is so with `honesty`; else it says that all will be there in time. Of those
  whose goods are on their way some write as well: they say so, or, if not honest, that goods are late.
* A buyer whose demand rose asks the seller of its last contract for *more*; or denies that it needs more.
* A buyer reads each contract that it signed last week: a *clause*, always so.

All of this depends on what members do; so it is in a table of its own, `letters`, that is not exogenous.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.exact import MILLION, micro
from ecosim.fields import Array
from ecosim.manufacturing.active import gone
from ecosim.manufacturing.facts.bulletins import CONTRACTS, PARTNERS, Bulletins
from ecosim.manufacturing.news import CLAUSE, KINDS, LATE, MORE, SHORT
from ecosim.manufacturing.pages import Pools
from ecosim.manufacturing.register import KEY, find
from ecosim.manufacturing.state import Layout
from ecosim.words import Table, concat

if TYPE_CHECKING:
    from ecosim.world import World

_DEAL = (*KEY, "due_week", "quantity", "price", "penalty")
FURTHEST_WEEKS = 26
"""Contracts that are due later than so many weeks from now are not read."""


class Mail:
    """What firms get from their partners in a week.

    Draws:
        From the world's seed, by contract and week: whether a partner with nothing to report writes, whether a letter
        is honest, its words.
    """

    def __init__(self, facts: Bulletins, net: Layout, pools: Pools) -> None:
        self.letters, self.has_clauses = facts.letters, facts.clauses
        self.net, self.pools, self.voices = net, pools, facts.voices

    def of(self, world: World) -> Table | None:
        """All letters of this week, by reader, and how many stand before each; None where scenarios have none.

        Columns are those of `News.bulletins`, `member` (who gets it), `position` (the row of that), `slot`, and
        `quantity`, `due_week`, `price`, `penalty` of the contract.
        """
        tables = []
        if self.letters is not None:
            tables += [self._of_sellers(world), self._of_buyers(world)]
        if self.has_clauses:
            tables.append(self._clauses(world))
        if not tables:
            return None
        mail = concat(tables)
        order = np.lexsort((mail["signed_week"], mail["about"], mail["kind"], mail["position"]))
        mail = mail.take(order)
        position = mail["position"]
        slot = np.arange(len(position)) - np.searchsorted(position, position)
        return Table({**mail, "slot": slot})

    def _of_sellers(self, world: World) -> Table:
        now, net = world.steps, self.net
        contracts = self._alive(world, world.tables["contracts"])
        last = contracts["due_week"] - net.transit_weeks(contracts["seller"], contracts["buyer"]) + 1
        late = contracts.take((now == np.maximum(last, contracts["from_week"])) & (contracts["open"] > 0))
        gist = {name: late[name] for name in _DEAL} | {"quantity": late["open"]}
        kind = np.where(late["open"] == late["quantity"], LATE, SHORT)
        calm = self._in_time(world)
        deals = concat([Table(gist), Table({name: calm[name] for name in _DEAL})])
        is_so = np.arange(deals.num_rows) < late.num_rows
        kind = np.concatenate([kind, np.full(calm.num_rows, LATE)])
        week = now + net.transit_weeks(deals["seller"], deals["buyer"])
        return self._write(world, deals, "buyer", kind, week, is_so)

    def _in_time(self, world: World) -> Table:
        """One parcel of each contract of which all that is due has left in time."""
        net, sent = self.net, self._alive(world, world.tables["shipments"])
        due = sent["due_week"] == world.steps + net.transit_weeks(sent["seller"], sent["buyer"]) - 1
        late = sent.take(sent["arrive_week"] > sent["due_week"])
        sent = sent.take(due & (sent["buyer"] != sent["seller"]) & (sent["arrive_week"] <= sent["due_week"]))
        sent = sent.take((find(world.tables["contracts"], sent) < 0) & (find(late, sent) < 0))
        _, first = np.unique(np.stack([sent[name] for name in KEY]), axis=1, return_index=True)
        return sent.take(first)

    def _of_buyers(self, world: World) -> Table:
        assert self.letters is not None
        net, positions = self.net, world.tables["positions"]
        deals = self._new(world)
        who = np.stack([deals[name] for name in ("replica", "buyer", "item")])
        deals = deals.take(np.unique(who, axis=1, return_index=True)[1])  # one seller for each need
        sells = net.position_row(deals["replica"], deals["buyer"], net.sells[deals["buyer"]])
        asked = positions["history"][sells]
        usual = asked[:, 1:].sum(axis=1) // max(1, asked.shape[1] - 1)
        rise = asked[:, 0] - usual
        share = rise * 1000 // np.maximum(usual // 1000, 1)  # in millionths, of what is usual
        is_so = (usual > 0) & (share > micro(self.letters.more_share))
        wanted = np.where(is_so, np.minimum(share, MILLION), MILLION // 2) // 1000 * (deals["quantity"] // 1000)
        deals = Table({**deals, "quantity": np.maximum(wanted // MILLION, 1) * MILLION})
        week = world.steps + net.promise_weeks(deals["seller"], deals["buyer"])
        return self._write(world, deals, "seller", np.full(len(week), MORE), week, is_so)

    def _clauses(self, world: World) -> Table:
        deals = self._new(world)
        deals = deals.take((deals["due_week"] >= world.steps) & (deals["due_week"] <= world.steps + FURTHEST_WEEKS))
        _, (words, lot) = self._lots(world, deals, CLAUSE)
        same = np.ones(deals.num_rows, np.int64)
        says = {"kind": CLAUSE * same, "week": deals["due_week"], "is_denied": 0 * same, "is_true": same}
        return self._letters(deals, "buyer", says, self.voices.index(CONTRACTS), words, lot)

    def _write(self, world: World, deals: Table, to: str, kind: Array, week: Array, is_so: Array) -> Table:
        """Letters about deals of which something is so, and of some others; honest or not."""
        assert self.letters is not None
        (calm, truth), (words, lot) = self._lots(world, deals, MORE if to == "seller" else LATE)
        honest = truth < self.letters.honesty
        says = {"kind": kind, "week": week, "is_denied": (is_so != honest).astype(np.int64)}
        says |= {"is_true": honest.astype(np.int64)}
        found = self._letters(deals, to, says, self.voices.index(PARTNERS), words, lot)
        return found.take(is_so | (calm < self.letters.calm_chance))

    def _letters(self, deals: Table, to: str, says: dict[str, Array], source: int, words: Array, lot: Array) -> Table:
        other = "seller" if to == "buyer" else "buyer"
        about, item = deals[other], deals["item"]
        return Table(
            {
                "replica": deals["replica"],
                "item": item,
                "about": about,
                **says,
                "source": np.full(deals.num_rows, source),
                "words": (words * 2**40).astype(np.int64),
                "beside": self.pools.neighbour(item, about, lot),
                "member": deals[to],
                "position": self.net.position_row(deals["replica"], deals[to], item),
                **{name: deals[name] for name in ("signed_week", "due_week", "quantity", "price", "penalty")},
            }
        )

    def _new(self, world: World) -> Table:
        """Contracts that were signed last week and of which something is still to come."""
        contracts = self._alive(world, world.tables["contracts"])
        new = (contracts["signed_week"] == world.steps - 1) & (contracts["quantity"] > 0)
        return Table({name: contracts[name][new] for name in _DEAL})

    def _alive(self, world: World, table: Table) -> Table:
        """Rows of live replicas whose parties are in business."""
        out = gone(world, self.net, table)
        live = world.is_live[table["replica"]]
        return table.take(live if out is None else live & ~out)

    def _lots(self, world: World, deals: Table, kind: int) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        seed = world.seed(seeds.WORLD, deals["replica"])
        key = tuple(deals[name] for name in KEY[1:])
        what = f"letters.{KINDS[kind]}"
        one, two = (seeds.two_uniforms(seeds.WORLD, seed, world.steps, what, key, lane) for lane in range(2))
        return one, two
