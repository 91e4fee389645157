"""Spreading: posts that viewers share come before those tied to them, who may share them on.

A cascade is a tree: the creator is its root, viewers who shared what the feed showed them come next, below each of them
those whom the post reached through it and who shared it too. Sharing takes minutes or hours, so a post makes many hops
within a day (`hops_per_day`); whoever is left at midnight goes on in the morning. A post reaches a viewer once: one who
has seen it, by the feed or by a tie, is not reached again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim import seeds
from ecosim.community import bits
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import NOBODY, Layout
from ecosim.fields import Array
from ecosim.meanings import Meaning, State
from ecosim.rules import cascades
from ecosim.side import Column, Events, Schema
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

_MOST = 127
"""Where the counts of a profile stop."""
_SHARE, _PASS, _CONTACTS, _WHOM = range(4)
"""Lanes of draws."""
_COLUMNS = ("replica", "viewer", "place", "post", "parent", "until")

NODES = State(
    "a share of a post that still stands",
    {
        "replica": Meaning("id", "where it is"),
        "viewer": Meaning("id", "who shared"),
        "place": Meaning("id", "place of the post"),
        "post": Meaning("id", "what was shared"),
        "parent": Meaning("id", "the viewer through whom the post came; -1: it was on the feed"),
        "until": Meaning("day", "the last day on which it is passed on"),
    },
)

SCHEMAS = {
    "cascades": Schema(
        "Posts that went further by sharing today, and how far they have come in all.",
        5,
        (
            Column("post", "i8", "", "(day − 1) · creators + creator"),
            Column("creator", "i8", "", "who made it, the root of the tree", of="member"),
            Column("views", "i8", "views", "by those whom it reached through ties today"),
            Column("shares", "i8", "shares", "today, off the feed or after it came by ties"),
            Column("seeds", "i8", "shares", "off the feed, in all"),
            Column("size", "i8", "", "the creator and all who have shared it"),
            Column("depth", "i8", "", "steps from the creator to the farthest who shared"),
            Column("breadth", "i8", "", "how many shared at the same distance, at most"),
            Column("virality", "f8", "", "structural virality: the mean distance between two of them in the tree"),
        ),
        is_rare=True,
    )
}


def no_nodes() -> Table:
    """The empty table `cascade_nodes`."""
    return Table({name: np.zeros(0, np.int64) for name in _COLUMNS})


class Spread:
    """Shared posts come before viewers tied to the sharers, hop by hop; each who sees one may share it on.

    Viewers who were asked whether they share what they watched (`is_shared` of `viewings`) have said so; else, and
    wherever a post came by ties, a viewer shares with its `share_chance`. Of several who pass a post to a viewer at the
    same time, one by lot counts as the parent. What came by ties is watched: it counts as a view, pays as one, and
    moves the viewer's profile, but is no impression of the feed.

    Draws:
        From the world's seed: whether a viewer shares a post, keyed by both alone; each day, keyed by post, sharer and
        friend, whether a post is passed on; in a well-mixed audience, keyed by post and sharer, a Poisson number of
        contacts and who they are.
    """

    name = "spread"
    repeats = False
    writes = ("cascades",)

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        assert scenario.graph is not None
        self._facts, self._net = scenario.graph, net

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Pass on what was shared, until nobody is left or the day is over."""
        before = self._standing(world)
        new = [self._off_feed(world, before)]
        carriers = _joined([before.take(before["until"] >= world.steps), new[0]])
        reached: list[Table] = []
        for hop in range(self._facts.hops_per_day):
            if not carriers.num_rows:
                break
            reached.append(self._reached(world, carriers))
            self._watch(world, reached[-1])
            is_last = hop == self._facts.hops_per_day - 1
            carriers = self._shared_on(world, reached[-1], self._facts.pass_days - (not is_last))
            new.append(carriers)
        nodes = _joined([before, *new])
        world.tables["cascade_nodes"] = nodes.take(np.argsort(self._code(nodes)))
        seen = _joined([t for t in reached if t.num_rows] or [self._nobody()])
        seen["is_shared"] = np.isin(self._code(seen), self._code(_joined(new)))
        self._view(world, seen)
        return {"cascades": self._cascades(world, _joined(new), seen)}

    # ---- who shares -----------------------------------------------------------------------------------------------

    def _standing(self, world: World) -> Table:
        """Shares of posts that have not made way for others."""
        shares, posts = world.tables["cascade_nodes"], world.tables["posts"]
        return shares.take(posts["post"][self._post_row(shares)] == shares["post"])

    def _off_feed(self, world: World, before: Table) -> Table:
        """What today's watchers share, each post once."""
        viewings = world.tables["viewings"]
        shared = viewings["is_shared"] if "is_shared" in viewings else self._would_share(world, viewings)
        mine = viewings.take(shared)
        code = self._code(mine)
        _, first = np.unique(code, return_index=True)
        mine = mine.take(first[~np.isin(code[first], self._code(before))])
        own = {name: mine[name] for name in ("replica", "viewer", "place", "post")}
        until = np.full(mine.num_rows, world.steps + self._facts.pass_days - 1)
        return Table({**own, "parent": np.full(mine.num_rows, NOBODY), "until": until})

    def _would_share(self, world: World, who: Table) -> Array:
        chance = world.tables["viewers"]["share_chance"][self._viewer_row(who)]
        key, seed = (who["post"], who["viewer"]), world.seed(seeds.WORLD, who["replica"])
        return cast(Array, seeds.uniform(seeds.WORLD, seed, 0, self.name, key, _SHARE) < chance)

    def _shared_on(self, world: World, reached: Table, days: int) -> Table:
        """Those whom a post has just reached, and who share it from now on; `days` after today."""
        mine = reached.take(self._would_share(world, reached))
        own = {name: mine[name] for name in _COLUMNS[:-1]}
        return Table({**own, "until": np.full(mine.num_rows, world.steps + days)})

    # ---- whom it reaches ------------------------------------------------------------------------------------------

    def _reached(self, world: World, carriers: Table) -> Table:
        """One row a viewer and post, sorted: who has not seen it and sees it now, and through whom."""
        viewers, posts = world.tables["viewers"], world.tables["posts"]
        may_pass = viewers["is_active"][self._viewer_row(carriers)] & posts["is_open"][self._post_row(carriers)]
        carriers = carriers.take(may_pass & world.is_live[carriers["replica"]])
        one, friend = (
            self._contacts(world, carriers) if self._facts.kind == "well_mixed" else self._friends(world, carriers)
        )
        row = self._net.viewer_row(carriers["replica"][one], friend)
        is_new = viewers["is_active"][row] & ~bits.has(viewers["has_watched"], row, carriers["place"][one])
        sent, friend = carriers.take(one[is_new]), friend[is_new]
        key, seed = (sent["post"], sent["viewer"], friend), world.seed(seeds.WORLD, sent["replica"])
        lot = seeds.uniform(seeds.WORLD, seed, world.steps, self.name, key, _PASS)
        got = Table({**{n: sent[n] for n in ("replica", "place", "post")}, "viewer": friend, "parent": sent["viewer"]})
        code, passed = self._code(got), lot < self._facts.pass_chance
        order = np.flatnonzero(passed)[np.lexsort((sent["viewer"][passed], lot[passed], code[passed]))]
        return got.take(order[np.diff(code[order], prepend=-1) != 0])

    def _friends(self, world: World, carriers: Table) -> tuple[Array, Array]:
        """For each tie of each carrier, the carrier (row number) and the friend."""
        number = world.tables["viewers"]["num_ties"]
        start, row = np.cumsum(number) - number, self._viewer_row(carriers)
        one = np.repeat(np.arange(len(row)), number[row])
        nth = np.arange(len(one)) - np.repeat(np.cumsum(number[row]) - number[row], number[row])
        return one, world.tables["ties"]["friend"][start[row[one]] + nth].astype(np.int64)

    def _contacts(self, world: World, carriers: Table) -> tuple[Array, Array]:
        """The same where viewers meet by lot."""
        key, seed = (carriers["post"], carriers["viewer"]), world.seed(seeds.WORLD, carriers["replica"])
        mean = np.full(carriers.num_rows, self._facts.contacts)
        number = seeds.poisson(mean, seeds.WORLD, seed, world.steps, self.name, key, _CONTACTS)
        one = np.repeat(np.arange(carriers.num_rows), number)
        nth = np.arange(len(one)) - np.repeat(np.cumsum(number) - number, number)
        whom = (*(part[one] for part in key), nth)
        friend = seeds.integers(self._net.num_viewers, seeds.WORLD, seed[one], world.steps, self.name, whom, _WHOM)
        return one, friend

    # ---- what comes of it -----------------------------------------------------------------------------------------

    def _watch(self, world: World, reached: Table) -> None:
        """From now on they have seen it, so that the next hop passes them by."""
        bits.put(world.tables["viewers"]["has_watched"], self._viewer_row(reached), reached["place"])

    def _view(self, world: World, seen: Table) -> None:
        """Count the views for posts and viewers, and say them to whatever comes after."""
        viewers, posts, row = world.tables["viewers"], world.tables["posts"], self._viewer_row(seen)
        count = np.bincount(self._post_row(seen), minlength=posts.num_rows)
        posts["views_today"] += count
        posts["views"] += count
        np.add.at(viewers["views"], row, 1)
        viewers["reached_by"][row, self._net.role[seen["place"] % self._net.num_creators]] = True
        who, at = np.unique(row, return_inverse=True)
        step = np.zeros((len(who), viewers["profile"].shape[1]), np.int64)
        np.add.at(step, at, posts["vector"][self._post_row(seen)])
        viewers["profile"][who] = np.clip(viewers["profile"][who] + step, -_MOST, _MOST).astype(np.int8)
        world.tables["viewings"] = self._viewings(world, seen)

    def _viewings(self, world: World, seen: Table) -> Table:
        """The day's views with those by ties: no slot, watched whole, and nothing of what is done before the feed."""
        viewings, size = world.tables["viewings"], seen.num_rows
        more = {
            **{name: seen[name] for name in ("replica", "viewer", "place", "post", "is_shared")},
            "creator": seen["place"] % self._net.num_creators,
            "topic": world.tables["posts"]["topic"][self._post_row(seen)],
            "slot": np.full(size, NOBODY),
            "share_watched": np.ones(size),
        }
        nothing = {n: np.zeros((size, *column.shape[1:]), column.dtype) for n, column in viewings.items()}
        return Table({n: np.concatenate([column, more.get(n, nothing[n])]) for n, column in viewings.items()})

    def _cascades(self, world: World, new: Table, seen: Table) -> Table:
        """The trees of posts that were shared, or came by ties, today."""
        shares, posts = world.tables["cascade_nodes"], world.tables["posts"]
        grown = np.unique(np.concatenate([self._post_row(new), self._post_row(seen)]))
        grown = grown[np.lexsort((posts["post"][grown], posts["replica"][grown]))]
        number = np.full(posts.num_rows, NOBODY)
        number[grown] = np.arange(len(grown))
        mine = shares.take(number[self._post_row(shares)] >= 0)
        tree, trees = number[self._post_row(mine)], np.arange(len(grown))
        parent = np.where(mine["parent"] == NOBODY, tree, len(grown) + self._parents(mine))
        found = cascades.shapes(np.append(np.full(len(grown), -1), parent), np.append(trees, tree), len(grown))
        today = {
            "views": np.bincount(number[self._post_row(seen)], minlength=len(grown)),
            "shares": np.bincount(number[self._post_row(new)], minlength=len(grown)),
            "seeds": np.bincount(tree[mine["parent"] == NOBODY], minlength=len(grown)),
        }
        creator = posts["place"][grown] % self._net.num_creators
        about = {"replica": posts["replica"][grown], "post": posts["post"][grown], "creator": creator}
        return Table({**about, **today, **found._asdict()})

    def _parents(self, shares: Table) -> Array:
        """The row of each share's parent among them, who are sorted; of one off the feed, any."""
        code = self._code(shares)
        return np.searchsorted(code, code + shares["parent"] - shares["viewer"])

    def _viewer_row(self, table: Table) -> Array:
        return self._net.viewer_row(table["replica"], table["viewer"])

    def _post_row(self, table: Table) -> Array:
        return self._net.post_row(table["replica"], table["place"])

    def _code(self, table: Table) -> Array:
        """A number for each post and viewer."""
        return self._post_row(table) * self._net.num_viewers + table["viewer"]

    def _nobody(self) -> Table:
        return Table({name: np.zeros(0, np.int64) for name in ("replica", "place", "post", "viewer", "parent")})


def _joined(parts: Sequence[Table]) -> Table:
    return Table({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
