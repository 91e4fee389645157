"""Firms come and go: who enters, when and with what, and how those that leave do it in order.

Everything about an entrant is drawn before the run, from the world seed and keyed by the firm: its week, its cash, its
capacity. So arms with other minds meet the same entrants, bit for bit, and the event `entries` is exogenous. To keep
newcomers out of an arm, let an intervention set `firms.enters_week` to 0 there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim.adder import Adder
from ecosim.exact import MILLION, micro
from ecosim.fields import Array
from ecosim.levers import Lever
from ecosim.manufacturing.active import FINISHES, STAYS, WAITS
from ecosim.manufacturing.chapter import Chapter
from ecosim.manufacturing.companies import LEFT, NOT_YET
from ecosim.manufacturing.concentration import profit_of
from ecosim.manufacturing.entrants import draw, groups_of
from ecosim.manufacturing.facts.company import Entry, is_entrant
from ecosim.manufacturing.liquidation import close, exits, going_prices, sell_stock, share_of
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import Layout
from ecosim.meanings import Meaning, State
from ecosim.rules.ledger import CASH
from ecosim.side import Column, Events, Figure, Schema, Series
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

ENTRIES = Schema(
    "firms that asked to be admitted",
    1,
    (
        Column("member", "i8", "id", "the firm", of="member"),
        Column("capital", "i8", "EUR/1e6", "the cash that it came with, before the fee"),
        Column("capacity", "i8", "units/1e6", "what it can make in a week"),
        Column("admitted", "i8", "", "1 if it had enough capital", ("no", "yes")),
    ),
    is_exogenous=True,
    is_rare=True,
)

STATES = {
    "firms": State(
        "a firm",
        {
            "enters_week": Meaning("week", "when it is to enter; 0 for never, and for firms there from the start"),
            "exits_week": Meaning("week", "from when on it makes no new promises; 0 for never"),
            "capital": Meaning("EUR/1e6", "the cash that it comes with"),
            "leaving": Meaning("", "0 means to stay, 1 keeps its promises and goes, 2 waits for what is on its way"),
            "weeks_of_loss": Meaning("weeks", "in a row in which it has lost money, until now"),
            "profit_before": Meaning("EUR/1e6", "what it had earned a week ago"),
        },
    )
}


class Enter:
    """The beginning of a week: firms whose week it is are admitted or refused, those that leave go when all is done.

    Whoever has `min_capital_eur` left after `fee_eur` is admitted, with its group's stock, the first forecast as its
    history of demand, and the record of deliveries that `entry` gives newcomers; the others are refused for good.

    A firm leaves from its `exits_week` on, or after `exit_after_loss_weeks` weeks of losses in a row. It makes no new
    promises from then on, is asked until the old ones are kept, waits for what is on its way, and goes: its stock is
    sold to outside, its cash stays with its owners.
    """

    name = "enter"
    repeats = False
    writes = ("entries", "exits")

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        assert scenario.entry is not None
        self.net = net
        self.scenario = scenario
        self.facts = scenario.entry
        self.share = micro(scenario.entry.liquidation_share)
        self.fee = micro(scenario.entry.fee_eur)
        self.needed = self.fee + micro(scenario.entry.min_capital_eur)
        groups = groups_of(scenario)
        stock = [[g.stock_units.get(item, 0) * MILLION for item in net.items] for g in groups]
        self.stock = np.array(stock, np.int64).reshape(net.num_members, len(net.items))
        expected = [micro(scenario.first_forecast_units.get(item, 0.0)) for item in net.items]
        self.expected = np.array(expected, np.int64)

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Let firms in and out."""
        firms = world.tables["firms"]
        live = world.is_live[firms["replica"]]
        due = (firms["enters_week"] == world.steps) & (firms["entered_week"] == NOT_YET) & live
        entries = self._admit(world, np.flatnonzero(due)) if due.any() else {}
        self._turn_away(world, live)
        return {**entries, **(self._let_go(world, live) if firms["leaving"].any() else {})}

    # ---- coming ---------------------------------------------------------------------------------------------------

    def _admit(self, world: World, firm: Array) -> Events:
        firms = world.tables["firms"]
        admitted = firms["capital"][firm] >= self.needed
        columns = {name: firms[name][firm] for name in ("replica", "member", "capital", "capacity")}
        new = firm[admitted]
        firms["is_active"][new] = True
        firms["entered_week"][new] = world.steps
        self._endow(world, new)
        return {"entries": Table({**columns, "admitted": admitted.astype(np.int64)})}

    def _endow(self, world: World, firm: Array) -> None:
        """Cash, stock and the first forecast of firms that enter; they pay the fee."""
        firms, ledger, positions = world.tables["firms"], world.ledger, world.tables["positions"]
        replica, member = firms["replica"][firm], firms["member"][firm]
        account, nature = ledger.rows(replica, member), ledger.outside("nature", replica)
        ledger.pay("opening", firms["capital"][firm], nature, account)
        ledger.pay("fees", np.full(len(firm), self.fee), account, nature)
        for i in range(len(self.net.items)):
            ledger.move(i + 1, self.stock[member, i], nature, account)
        is_new = np.zeros(firms.num_rows, bool)
        is_new[firm] = True
        rows = np.flatnonzero(is_new[self.net.firm_row(positions["replica"], positions["member"])])
        positions["history"][rows] = self.expected[positions["item"][rows]][:, None]

    # ---- going ----------------------------------------------------------------------------------------------------

    def _turn_away(self, world: World, live: Array) -> None:
        """Mark those that mean to leave from now on."""
        firms = world.tables["firms"]
        tired = firms["exits_week"] == world.steps
        if self.facts.exit_after_loss_weeks:
            profit = profit_of(world)
            lost = firms["is_active"] & (profit < firms["profit_before"])
            firms["weeks_of_loss"][live] = np.where(lost, firms["weeks_of_loss"] + 1, 0)[live]
            firms["profit_before"][live] = profit[live]
            tired |= firms["weeks_of_loss"] >= self.facts.exit_after_loss_weeks
        firms["leaving"][tired & firms["is_active"] & (firms["leaving"] == STAYS) & live] = FINISHES

    def _let_go(self, world: World, live: Array) -> Events:
        """Firms without a promise left wait for what is on its way; those that await nothing either go."""
        net, firms, positions = self.net, world.tables["firms"], world.tables["positions"]
        owner = net.firm_row(positions["replica"], positions["member"])
        owes = np.bincount(owner, positions["owed"] > 0, firms.num_rows) > 0
        awaits = np.bincount(owner, positions["on_order"] > 0, firms.num_rows) > 0
        for table in ("contracts", "shipments"):
            rows = world.tables[table]
            owes[net.firm_row(rows["replica"], rows["seller"])] = True
        leaves = (firms["leaving"] != STAYS) & firms["is_active"] & live
        waits = leaves & ~owes
        firms["leaving"][waits] = WAITS
        idle = waits[owner]
        positions["wish"][idle] = 0
        gone = np.flatnonzero(waits & ~awaits)
        return {"exits": self._leave(world, gone)} if len(gone) else {}

    def _leave(self, world: World, firm: Array) -> Table:
        firms, ledger = world.tables["firms"], world.ledger
        replica = firms["replica"][firm]
        cash = ledger.accounts["balance"][ledger.rows(replica, firms["member"][firm]), CASH]
        close(world, self.net, firm)
        price = going_prices(world, self.net, self.scenario, replica)
        proceeds = sell_stock(world, firm, share_of(price, self.share))
        nothing = np.zeros(len(firm), np.int64)
        return exits(firms, firm, LEFT, cash, nothing, np.maximum(cash, 0) + proceeds, nothing)


def _measure(world: World, events: Events, add: Adder) -> None:
    entries = events["entries"]
    add("entries", entries, entries["admitted"])
    add("refusals", entries, 1 - entries["admitted"])


def _conclude(world: World, series: Series, add: Adder) -> None:
    assert isinstance(world.scenario, ManufacturingScenario)
    facts = cast(Entry, world.scenario.entry)
    firms = world.tables["firms"]
    came, went = firms["entered_week"], firms["left_week"]
    new = came > 0
    add("entries", firms, new)
    add("survival", firms, new & firms["is_active"])
    judged = new & (came + facts.survival_weeks <= world.steps)
    add("judged", firms, judged)
    add("stayed", firms, judged & ((went == NOT_YET) | (went >= came + facts.survival_weeks)))
    figures = add.figures
    with np.errstate(invalid="ignore"):
        figures["survival_of_entrants", ""] = figures.pop(("survival", "")) / figures["entries", ""]
        figures["survival_after_weeks", ""] = figures.pop(("stayed", "")) / figures.pop(("judged", ""))


def _levers(scenario: ManufacturingScenario, net: Layout) -> list[Lever]:
    comes = np.array([is_entrant(firms) for firms in groups_of(scenario)])
    found = [
        Lever(
            table="firms",
            name="exits_week",
            unit="week",
            about="from when on a firm makes no new promises, and goes; 0 for never",
        ),
        Lever(
            table="firms",
            name="enters_week",
            unit="week",
            about="when a firm that is not there from the start enters; 0, or a week that is over, for never",
            rows=comes,
            is_exogenous=True,
        ),
    ]
    return found if comes.any() else found[:1]


CHAPTER = Chapter(
    is_in=lambda scenario: scenario.entry is not None,
    phases={"enter": Enter},
    schemas={"entries": ENTRIES},
    states=STATES,
    build=draw,
    metrics={
        "entries": Figure("", "firms that were admitted this week"),
        "refusals": Figure("", "firms that were refused this week, for want of capital"),
    },
    kpis={
        "entries": Figure("", "firms that were admitted"),
        "survival_of_entrants": Figure("", "entrants still in business at the end ÷ entrants; nan without", "higher"),
        "survival_after_weeks": Figure(
            "",
            "of entrants that came at least `entry.survival_weeks` weeks before the end, the share still in business "
            "after so many weeks; nan if there are none",
            "higher",
        ),
    },
    measure=_measure,
    conclude=_conclude,
    levers=_levers,
    num_bytes=lambda scenario: {"firms (count × entry)": 48 * sum(firms.count for firms in scenario.firms)},
)
