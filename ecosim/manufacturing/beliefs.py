"""What firms believe of the sellers of what they buy: kept until its weeks are over, and shown to those who plan.

A belief is a row: who holds it, about whom, from when to when, and what share of the item's supply would be lost.
Planning sees the sum of them as `feared_weeks`, requests for quotes see `is_feared` for each candidate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim.exact import MILLION, micro
from ecosim.fields import Array
from ecosim.manufacturing.facts.bulletins import Bulletins
from ecosim.manufacturing.news import CLOSURE, DELAY, LATE, OUTAGE, RECALL, SHORT
from ecosim.manufacturing.state import NOBODY, Layout
from ecosim.meanings import Meaning, State
from ecosim.words import Table, concat

if TYPE_CHECKING:
    from ecosim.world import World

STATES = {
    "firms": State(
        "a firm",
        {"news_capacity": Meaning("1e-6", "share of its capacity that outages in the news leave it this week")},
    ),
    "beliefs": State(
        "something that a firm believes will happen to a seller of an item that it buys",
        {
            "replica": Meaning("id", "where it is"),
            "member": Meaning("id", "who believes it"),
            "item": Meaning("id", "which item"),
            "about": Meaning("id", "the seller"),
            "from_week": Meaning("week", "when it begins"),
            "until_week": Meaning("week", "the last week of it"),
            "lost": Meaning("1e-6", "the share of what the item's sellers can make that is lost meanwhile"),
        },
    ),
    "pending_letters": State(
        "a letter of which it cannot be known yet whether it is so",
        {
            "replica": Meaning("id", "where it is"),
            "source": Meaning("id", "the source, as in `sources`"),
            "week": Meaning("week", "the week that it names; then it is known"),
            "is_true": Meaning("", "whether it is so"),
        },
    ),
    "sources": State(
        "a source of news",
        {
            "replica": Meaning("id", "where it is"),
            "source": Meaning("id", "which, in the order of the scenario; then partners, then contracts"),
            "told": Meaning("", "bulletins of it that mattered, whose weeks are over"),
            "proved": Meaning("", "of these, how many were so"),
        },
    ),
}
TROUBLES = (OUTAGE, RECALL, LATE, SHORT, CLOSURE, DELAY)
"""Kinds of news that make a seller feared; of all but the first two no supply is held for lost, it comes later."""
FEARED = {
    "feared_weeks": Meaning("1e-6 weeks", "weeks of supply that the firm believes will be lost, all sellers' work")
}
"""What `replenish` shows of beliefs."""
IS_FEARED = {
    "is_feared": Meaning("", "of each candidate, 1 if the firm believes that it is in trouble now or next week")
}
"""What `quote` shows of them."""


def believe(world: World, net: Layout, facts: Bulletins, share: Array, readings: list[Table]) -> None:
    """Add what is believed now; of one seller a firm believes what it read last. Drop what is over.

    Args:
        world: where it is believed.
        net: the network.
        facts: how long and how bad outages and recalls are.
        share: of an item's supply, by maker, in millionths; of a fixed partner, a firm's whole supply is lost.
        readings: rows of the event table `readings`.
    """
    old = world.tables["beliefs"]
    tables = [old.take(old["until_week"] >= world.steps)]
    for reading in readings:
        new = reading.take((reading["believe"] == 1) & np.isin(reading["kind"], TROUBLES))
        kind = new["kind"]
        shares = [micro(facts.outage_share), micro(facts.recall_share)]
        lost = np.select([kind == OUTAGE, kind == RECALL], shares, 0)
        weeks = np.where(np.isin(kind, (OUTAGE, CLOSURE)), facts.outage_weeks, 1)
        columns = {name: new[name] for name in ("replica", "member", "item")}
        columns |= {"about": new["who"], "from_week": new["week"], "until_week": new["week"] + weeks - 1}
        partner = net.partner_of(new["member"], new["item"])
        mine = np.where(partner == NOBODY, share[new["who"]], (partner == new["who"]) * MILLION)
        tables.insert(0, Table({**columns, "lost": lost * mine // MILLION}))
    beliefs = concat(tables)
    row = net.position_row(beliefs["replica"], beliefs["member"], beliefs["item"])
    _, last = np.unique(row * net.num_members + beliefs["about"], return_index=True)
    world.tables["beliefs"] = beliefs.take(last)


def feared(world: World, net: Layout, rows: Array) -> dict[str, Array]:
    """What planning shows of some positions' beliefs; nothing where there are no bulletins."""
    if "beliefs" not in world.tables:
        return {}
    beliefs = world.tables["beliefs"]
    left = beliefs["until_week"] - np.maximum(beliefs["from_week"], world.steps) + 1
    weeks = np.zeros(world.tables["positions"].num_rows, np.int64)
    np.add.at(weeks, net.position_row(beliefs["replica"], beliefs["member"], beliefs["item"]), left * beliefs["lost"])
    return {"feared_weeks": weeks[rows]}


def is_feared(world: World, net: Layout, rows: Array, seller: Array) -> dict[str, Array]:
    """Whether some positions (rows,) believe that something will happen to their candidates (rows, slots)."""
    if "beliefs" not in world.tables:
        return {}
    beliefs = world.tables["beliefs"]
    beliefs = beliefs.take(beliefs["from_week"] <= world.steps + 1)  # until then it makes and ships as ever
    held = net.position_row(beliefs["replica"], beliefs["member"], beliefs["item"]) * net.num_members + beliefs["about"]
    return {"is_feared": np.isin(rows[:, None] * net.num_members + seller, held).astype(np.int64)}
