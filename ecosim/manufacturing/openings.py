"""The opening of talks: their private facts, drawn from the world's stream, and the room that each position has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.exact import MILLION, micro
from ecosim.fields import Array
from ecosim.manufacturing import effective
from ecosim.manufacturing.facts.negotiation import Negotiation
from ecosim.manufacturing.planning import unit_cost
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import NOBODY, SHOWN_OFFERS, Layout
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

CENT = 10_000
"""The grid of prices, in millionths of a euro."""

OFFER = ("price", "quantity", "week")
"""The issues of every offer; the week counts from the week of the talk. `penalty` comes last, if negotiated."""

SIDES = ("buyer", "seller")
SPOKEN = {"said": NOBODY, "cited": NOBODY, "promise": 0, "threat": 0, "asked": 0}
"""What either side has said in a talk so far, as it stands before the first word."""


def issues(facts: Negotiation) -> tuple[str, ...]:
    """What an offer is about."""
    return (*OFFER, "penalty") if facts.has_penalty else OFFER


def standing(facts: Negotiation) -> dict[str, int]:
    """The columns of `talks` that hold offers and words of both sides, with what they hold before the first move."""
    names = {what: NOBODY for what in issues(facts)} | (SPOKEN if facts.speech else {})
    return {f"{side}_{what}": value for side in SIDES for what, value in names.items()}


class Openings:
    """Opens talks.

    Draws:
        From the world's seed, keyed by buyer, seller and item: limits, evenly within ± `private_spread` of the item's
        value (buyers) and unit cost (sellers: making, and parts at their market price), rounded down to a cent;
        deadlines, evenly in `min_rounds` … `max_rounds`; where penalties are negotiated, the weeks late that each side
        expects, evenly from 0 to twice `expected_late_weeks`.
    """

    def __init__(self, scenario: ManufacturingScenario, net: Layout) -> None:
        self.net = net
        self.facts = scenario.negotiation
        self.late = 2 * micro(self.facts.expected_late_weeks)
        self.cost = np.array([unit_cost(net, scenario, i) for i in range(len(net.items))])
        self.make_cost = np.array([micro(scenario.items[name].make_cost_eur) for name in net.items])
        self.value = np.array([round(scenario.items[name].value_eur * MILLION) for name in net.items])
        self.standing = standing(self.facts)

    def talks(self, world: World, replica: Array, buyer: Array, seller: Array, item: Array) -> Table:
        """New talks with their private limits and deadlines."""
        facts, seed = self.facts, world.seed(seeds.WORLD, replica)
        key = (buyer, seller, item)
        make_cost = self.make_cost[item]
        cost = self.cost[item] + (effective.make_cost(world, replica, item, make_cost) - make_cost)
        worth = effective.worth(world, replica, item, self.value[item])
        limits = seeds.two_uniforms(seeds.WORLD, seed, world.steps, "limits", key)
        patience = seeds.two_uniforms(seeds.WORLD, seed, world.steps, "deadlines", key)
        columns = {
            "replica": replica,
            "buyer": buyer,
            "seller": seller,
            "item": item,
            "buyer_position": self.net.position_row(replica, buyer, item),
            "seller_position": self.net.position_row(replica, seller, item),
            "buyer_limit": self._scattered(worth, limits[0]),
            "seller_limit": self._scattered(cost, limits[1]),
            "buyer_rounds": self._rounds(patience[0]),
            "seller_rounds": self._rounds(patience[1]),
        }
        if facts.has_penalty:
            late = seeds.two_uniforms(seeds.WORLD, seed, world.steps, "lateness", key)
            columns |= {
                f"{side}_lateness": (u * self.late).astype(np.int64) for side, u in zip(SIDES, late, strict=True)
            }
        columns |= {name: np.full(len(buyer), value) for name, value in self.standing.items()}
        columns |= {"moves": np.zeros(len(buyer), np.int64), "prices": np.zeros((len(buyer), SHOWN_OFFERS), np.int64)}
        return Table(columns)

    def rooms(self, world: World) -> None:
        """What each position can still buy (its wish), or promise (stock, work in hand and capacity, less debts)."""
        positions, contracts = world.tables["positions"], world.tables["contracts"]
        net = self.net
        member, item = positions["member"], positions["item"]
        account = world.ledger.rows(positions["replica"], member)
        free = world.ledger.accounts["balance"][account, item + 1] + positions["on_order"]
        capacity = effective.capacity(world, net.firm_row(positions["replica"], member))
        free += capacity * (self.facts.late_weeks + 1)
        promised = np.zeros(positions.num_rows, np.int64)
        rows = net.position_row(contracts["replica"], contracts["seller"], contracts["item"])
        np.add.at(promised, rows, contracts["open"])
        makes = np.tile(net.makes, world.num_replicas)
        positions["room"][:] = np.where(makes, np.maximum(free - promised, 0), positions["wish"])

    def by_role(self, talks: Table) -> Table:
        """The same talks, those between firms of the same roles together: each role's rows are then one slice."""
        role = self.net.role
        pair = role[talks["buyer"]] * len(self.net.role) + role[talks["seller"]]
        return talks if (pair[1:] >= pair[:-1]).all() else talks.take(np.argsort(pair, kind="stable"))

    def _scattered(self, centre: Array, u: Array) -> Array:
        limit = np.rint(centre * (1.0 + self.facts.private_spread * (2.0 * u - 1.0))).astype(np.int64)
        return limit // CENT * CENT

    def _rounds(self, u: Array) -> Array:
        facts = self.facts
        return facts.min_rounds + (u * (facts.max_rounds - facts.min_rounds + 1)).astype(np.int64)
