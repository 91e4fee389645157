"""Goods that do not keep: at the end of a week what is left of them is returned or thrown away, and nobody waits.

With these the newsvendor's problem comes every week anew: what is ordered too much is lost, and so is demand that
was not met.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from ecosim.adder import Adder
from ecosim.exact import MILLION, micro, value
from ecosim.fields import Array
from ecosim.manufacturing.chapter import Chapter
from ecosim.manufacturing.facts.terms import Perish as Facts
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.spot import catalogue, going_prices
from ecosim.manufacturing.state import NOBODY, Layout
from ecosim.manufacturing.terms import BUYBACK, agreed, settle
from ecosim.manufacturing.terms import SCHEMAS as SETTLEMENTS
from ecosim.side import Column, Events, Figure, Schema, Series
from ecosim.words import Decision, Question, Table

if TYPE_CHECKING:
    from ecosim.world import World

SCHEMAS = {
    "perished": Schema(
        "goods that did not keep, and demand that did not wait",
        2,
        (
            Column("member", "i8", "id", "the firm", of="member"),
            Column("item", "i8", "id", "which item, in the order of the scenario", of="item"),
            Column("quantity", "i8", "units/1e6", "left over, and worth nothing now"),
            Column("disposal_cost", "i8", "EUR/1e6", "paid for being rid of it; by the seller, of what went back"),
            Column("lost", "i8", "units/1e6", "what consumers asked for and did not get"),
        ),
        is_rare=True,
    )
}


class Perish:
    """What is left of perishable items goes, and so does the demand for them that was not met.

    A buyer whose terms have a buyback returns what is left to its partner and is paid for it. Whoever is left with the
    goods pays `perish.disposal_share` of the going price for being rid of them.
    """

    name = "perish"
    repeats = False
    writes = ("perished", "settlements")

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        facts = cast(Facts, scenario.perish)
        self.net = net
        self.terms = agreed(scenario, net)
        self.disposal_share = micro(facts.disposal_share)
        self.catalogue = catalogue(scenario, net)
        self.positions = np.flatnonzero(np.isin(net.item, [net.items.index(name) for name in facts.items]))

    def ask(self, world: World) -> list[Question]:
        """Nobody is asked."""
        return []

    def apply(self, world: World, questions: Sequence[Question], decisions: Sequence[Decision]) -> Events:
        """Take back, throw away, forget."""
        net, ledger, positions = self.net, world.ledger, world.tables["positions"]
        live = np.flatnonzero(world.is_live)
        rows = (live[:, None] * net.num_positions + self.positions).ravel()
        here = Table({name: positions[name][rows] for name in ("replica", "member", "item")})
        replica, member, item = here["replica"], here["member"], here["item"]
        account = ledger.rows(replica, member)
        left = ledger.accounts["balance"][account, item + 1]
        lost = positions["owed"][rows]
        positions["owed"][rows] = 0
        seller = net.partner_of(member, item)
        goes_back = (left > 0) & (seller != NOBODY) & ~net.makes[net.position[member, item]]
        goes_back &= self.terms.buyback[item] > 0
        refund = value(self.terms.buyback[item], left)[goes_back]
        settled = settle(world, BUYBACK, here.take(goes_back), seller[goes_back], left[goes_back], refund)
        nature = ledger.outside("nature", replica)
        ledger.move(item + 1, left, account, nature)
        price = going_prices(world, self.catalogue)[replica, item]
        disposal = value(self.disposal_share, value(price, left))
        ledger.pay("disposal", disposal, ledger.rows(replica, np.where(goes_back, seller, member)), nature)
        gone = Table({**here, "quantity": left, "disposal_cost": disposal, "lost": lost})
        return {"perished": gone.take((left > 0) | (lost > 0)), "settlements": settled}


METRICS = {
    "perished_units": Figure("units", "goods left over that did not keep", "lower"),
    "lost_units": Figure("units", "demand for goods that do not keep, not met", "lower"),
}
KPIS = {
    "perished_units": Figure("units", "goods left over that did not keep, mean of a week", "lower"),
    "lost_units": Figure("units", "demand for goods that do not keep, not met, mean of a week", "lower"),
}


def measure(world: World, events: Events, add: Adder) -> None:
    """What went to waste this week, and what was not had."""
    gone = events["perished"]
    add("perished_units", gone, gone["quantity"] / MILLION)
    add("lost_units", gone, gone["lost"] / MILLION)


def conclude(world: World, series: Series, add: Adder) -> None:
    """The same over whole runs."""
    means: dict[str, Array] = {name: series[name, ""].mean(axis=0) for name in KPIS}
    add.figures.update({(name, ""): mean for name, mean in means.items()})


CHAPTER = Chapter(
    is_in=lambda scenario: scenario.perish is not None,
    phases={"perish": Perish},
    schemas={**SCHEMAS, **SETTLEMENTS},
    metrics=METRICS,
    kpis=KPIS,
    measure=measure,
    conclude=conclude,
)
