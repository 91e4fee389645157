"""Revenue shares: what views and viewers bring to the platform, and how creators get their part of it.

Advertisers and viewers pay the platform day by day; it pays creators at each settlement, exactly: what it took in is
what it pays and what it keeps, to the millionth. Who watched whom between settlements stands in the table `tallies`,
a row a viewer and creator where each viewer's money goes its own way, a row a creator where all is one pot.

Sources: Dimont (2018), Royalty inequity: why music streaming services should switch to a per-subscriber model; Alaei,
Makhdoumi, Malekian, Pekeč (2022), Revenue-sharing allocation strategies for two-sided media platforms: pro-rata vs.
user-centric; Bergantiños, Moreno-Ternero (2025), Revenue sharing at music streaming platforms (for `shapley`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim.adder import Adder
from ecosim.community.chapter import Chapter
from ecosim.community.facts.revenue import Revenue
from ecosim.community.scenario import CommunityScenario
from ecosim.community.state import Layout
from ecosim.exact import MILLION, micro, value
from ecosim.fields import Array
from ecosim.meanings import Meaning, State
from ecosim.rules.allocate import split_by_group
from ecosim.rules.ledger import CASH
from ecosim.side import Column, Events, Figure, Schema, Series
from ecosim.words import Table, concat

if TYPE_CHECKING:
    from ecosim.world import World

WHOLE_VIEW = 1000
"""Time watched is counted in thousandths of a post."""
ADS, FEES, PAID, KEPT = range(4)
WHAT = ("ads", "fees", "paid", "kept")

SCHEMAS = {
    "takings": Schema(
        "what the platform takes in, and at each settlement what of it creators get and what it keeps",
        1,
        (
            Column("what", "i8", "", "0 from advertisers, 1 from viewers, 2 to creators, 3 kept", WHAT),
            Column("amount", "i8", "EUR/1e6", "how much"),
        ),
        is_rare=True,
    ),
    "payouts": Schema(
        "what each creator gets at a settlement",
        1,
        (
            Column("creator", "i8", "id", "who is paid", of="member"),
            Column("views", "i8", "views", "of its posts since the settlement before"),
            Column("amount", "i8", "EUR/1e6", "its share"),
        ),
        is_rare=True,
    ),
}

STATES = {
    "creators": State(
        "a creator",
        {"paid_per_view": Meaning("EUR/1e6", "what a view came to at its last settlement; at first what ads do")},
    ),
    "viewers": State("a viewer", {"brought": Meaning("EUR/1e6", "by its fees and views since the last settlement")}),
    "tallies": State(
        "who was watched since the last settlement, by each viewer where the rule asks for it",
        {
            "replica": Meaning("id", "where it is"),
            "viewer": Meaning("id", "who watched; −1 for all together"),
            "creator": Meaning("id", "who was watched"),
            "views": Meaning("views", "how often"),
            "units": Meaning("", "views, or thousandths of posts watched"),
        },
    ),
}


class Sharing:
    """Takes in each day's money, and shares it out on days of settlement."""

    def __init__(self, scenario: CommunityScenario, net: Layout) -> None:
        facts = cast(Revenue, scenario.revenue)
        self.net, self.facts = net, facts
        self.fee, self.kept = micro(facts.fee_eur_per_day), micro(facts.platform_share)

    def settle(self, world: World) -> Events:
        """The events of the end of a day; what is not settled when a run ends stays with the platform."""
        self._tally(world)
        ads, fees = self._take_ads(world), self._take_fees(world)
        if world.steps % self.facts.every_days:
            return {"takings": _takings(world, {ADS: ads, FEES: fees})}
        payouts, paid, kept = self._share_out(world)
        return {"takings": _takings(world, {ADS: ads, FEES: fees, PAID: paid, KEPT: kept}), "payouts": payouts}

    # ---- taking in ------------------------------------------------------------------------------------------------

    def _tally(self, world: World) -> None:
        """Add today's viewings, a row for each viewer and creator, or for each creator."""
        seen, num = world.tables["viewings"], self.net.num_creators
        by_time = self.facts.by == "watch_time" and "share_watched" in seen
        ones = np.ones(seen.num_rows, np.int64)
        units = np.rint(WHOLE_VIEW * seen["share_watched"]).astype(np.int64) if by_time else ones
        today = {"replica": seen["replica"], "viewer": self._purse(seen["viewer"]), "creator": seen["creator"]}
        both = concat([world.tables["tallies"], Table({**today, "views": ones, "units": units})])
        key = (both["replica"] * (self.net.num_viewers + 1) + both["viewer"] + 1) * num + both["creator"]
        different, first, row = np.unique(key, return_index=True, return_inverse=True)
        tallies = both.take(first)
        for name in ("views", "units"):
            tallies[name] = np.bincount(row, both[name], len(different)).astype(np.int64)  # whole numbers: exact
        world.tables["tallies"] = tallies

    def _purse(self, viewer: Array) -> Array:
        return np.full_like(viewer, -1) if self.facts.rule == "pro_rata" else viewer

    def _take_ads(self, world: World) -> Array:
        """What advertisers pay for today's views, by replica."""
        seen = world.tables["viewings"]
        row = world.first_member[seen["replica"]] + seen["creator"]
        ads = world.tables["creators"]["pay_per_view"][row]
        np.add.at(world.tables["viewers"]["brought"], self.net.viewer_row(seen["replica"], seen["viewer"]), ads)
        return _from(world, "ads", "advertisers", seen["replica"], ads)

    def _take_fees(self, world: World) -> Array:
        """What viewers pay who are there, or were until today."""
        viewers = world.tables["viewers"]
        there = (viewers["is_active"] | viewers["is_visiting"]) & world.is_live[viewers["replica"]]
        fees = np.where(there, self.fee, 0)
        viewers["brought"] += fees
        return _from(world, "fees", "subscribers", viewers["replica"], fees)

    # ---- sharing out ----------------------------------------------------------------------------------------------

    def _share_out(self, world: World) -> tuple[Table, Array, Array]:
        """Pay creators; gives the event, and by replica what they got and what the platform keeps."""
        creators, viewers, ledger = world.tables["creators"], world.tables["viewers"], world.ledger
        brought, tallies = viewers["brought"], world.tables["tallies"]
        due = self._due(world, tallies, brought - value(brought, self.kept))
        row = self.net.creator_row(tallies["replica"], tallies["creator"])
        views = np.bincount(row, tallies["views"], creators.num_rows).astype(np.int64)
        paid, total = (
            _by_replica(world, table["replica"], sums) for table, sums in ((creators, due), (viewers, brought))
        )
        seen = views > 0
        creators["paid_per_view"][seen] = due[seen] // views[seen]
        brought[:] = 0
        world.tables["tallies"] = no_tallies()
        rows = np.flatnonzero(due)
        replica, member = creators["replica"][rows], creators["member"][rows]
        ledger.pay("payouts", due[rows], ledger.outside("platform", replica), ledger.rows(replica, member))
        columns = {"replica": replica, "creator": member, "views": views[rows], "amount": due[rows]}
        return Table(columns), paid, total - paid

    def _due(self, world: World, tallies: Table, pots: Array) -> Array:
        """What each creator gets of the pots of viewers, int64 (creators of all replicas,)."""
        net, replica = self.net, tallies["replica"]
        row = net.creator_row(replica, tallies["creator"])
        own, weight = np.zeros_like(pots), tallies["units"]
        if self.facts.rule != "pro_rata":
            watched = np.zeros(len(pots), bool)
            watched[net.viewer_row(replica, tallies["viewer"])[weight > 0]] = True
            own[watched] = pots[watched]
        common = _by_replica(world, world.tables["viewers"]["replica"], pots - own)
        due = np.zeros(world.tables["creators"].num_rows, np.int64)
        np.add.at(due, row, weight)
        due = split_by_group(world.tables["creators"]["replica"], common, due)
        if self.facts.rule != "pro_rata":
            mine = (weight > 0).astype(np.int64) if self.facts.rule == "shapley" else weight
            np.add.at(due, row, split_by_group(net.viewer_row(replica, tallies["viewer"]), own, mine))
        return due


def no_tallies() -> Table:
    """Nobody has been watched."""
    return Table({name: np.zeros(0, np.int64) for name in STATES["tallies"].columns})


def _by_replica(world: World, replica: Array, amount: Array) -> Array:
    total = np.zeros(world.num_replicas, np.int64)
    np.add.at(total, replica, amount)
    return total


def _from(world: World, reason: str, outside: str, replica: Array, amount: Array) -> Array:
    """The platform gets the amounts from an outside party; gives the sums by replica."""
    total, all_ = _by_replica(world, replica, amount), np.arange(world.num_replicas)
    world.ledger.pay(reason, total, world.ledger.outside(outside, all_), world.ledger.outside("platform", all_))
    return total


def _takings(world: World, amounts: dict[int, Array]) -> Table:
    """What is not nothing, a row each."""
    whats, table = np.array(list(amounts)), np.stack(list(amounts.values()), axis=1)
    replica, column = np.nonzero(table)
    return Table({"replica": replica, "what": whats[column], "amount": table[replica, column]})


def _build(scenario: CommunityScenario, net: Layout, replicas: Table, tables: dict[str, Table]) -> None:
    facts = cast(Revenue, scenario.revenue)
    ads = tables["creators"]["pay_per_view"]
    tables["creators"]["paid_per_view"] = ads - value(ads, micro(facts.platform_share))
    tables["viewers"]["brought"] = np.zeros(tables["viewers"].num_rows, np.int64)
    tables["tallies"] = no_tallies()


def _measure(world: World, events: Events, add: Adder) -> None:
    takings = events["takings"]
    for name, whats in (("takings", (ADS, FEES)), ("paid_out", (PAID,))):
        add(name, takings, np.where(np.isin(takings["what"], whats), takings["amount"], 0) / MILLION)


def _conclude(world: World, series: Series, add: Adder) -> None:
    taken = series["takings", ""].sum(axis=0)
    add.figures["takings", ""] = taken
    platform = world.ledger.outside("platform", np.arange(world.num_replicas))
    add.figures["platform_revenue", ""] = world.ledger.accounts["balance"][platform, CASH] / MILLION
    paid = series["paid_out", ""].sum(axis=0)
    add.figures["creators_part", ""] = np.divide(paid, taken, out=np.full(len(taken), np.nan), where=taken > 0)


CHAPTER = Chapter(
    is_in=lambda scenario: scenario.revenue is not None,
    schemas=SCHEMAS,
    states=STATES,
    build=_build,
    metrics={
        "takings": Figure("EUR", "what advertisers and viewers paid the platform today"),
        "paid_out": Figure("EUR", "what creators got of it today"),
    },
    kpis={
        "takings": Figure("EUR", "what advertisers and viewers paid the platform in the whole run"),
        "platform_revenue": Figure("EUR", "what the platform has in the end: takings less shares and prizes"),
        "creators_part": Figure("share", "of the takings, what creators got as shares; nan without takings"),
    },
    measure=_measure,
    conclude=_conclude,
    num_bytes=lambda scenario: {
        "viewers.count (× revenue)": scenario.viewers.count * (8 if _is_pooled(scenario) else 8 + 5 * 8)
    },
)


def _is_pooled(scenario: CommunityScenario) -> bool:
    return cast(Revenue, scenario.revenue).rule == "pro_rata"
