"""Carrying goods: what of the loads at the docks leaves this week, when it arrives, and what it costs.

On a lane everybody's ordinary shipments share its capacity; those due first go first, the rest waits at the dock. Where
vehicles go, each firm's fleet makes rounds (`rules.routing`), and the cost of a round is shared by its customers in
proportion to what a vehicle to each alone would have driven, to the last millionth of a euro. Sellers pay. An express
shipment pays a multiple, arrives sooner, and uses no capacity. A closed lane (capacity 0) carries nothing at all.

Rounds lean on a library's search: T2.

Source: of the sharing, the proportional rule in Frisk, Göthe-Lundgren, Jörnsten, Rönnqvist (2010), Cost allocation in
collaborative forest transportation, European Journal of Operational Research 205(2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ecosim import seeds
from ecosim.exact import MILLION, micro, value
from ecosim.fields import Array
from ecosim.manufacturing import docks, effective
from ecosim.manufacturing.docks import EXPRESS, HOLD, SHIP, Loads
from ecosim.manufacturing.facts.transport import Vehicles
from ecosim.manufacturing.roads import METRES_PER_KM, UNLIMITED, Roads, driving_cost
from ecosim.manufacturing.state import Layout
from ecosim.rules import routing
from ecosim.rules.allocate import share_out, split
from ecosim.side import Events
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

NEVER = -1
"""The week in which nothing arrives."""
MOST_SEEDS = 2**31


@dataclass(frozen=True, slots=True)
class Trip:
    """What leaves of each load: units/1e6 sent, weeks on the way, EUR/1e6, and units/1e6 that would have fitted."""

    sent: Array
    weeks: Array
    cost: Array
    space: Array


class Haulage:
    """Carries the loads of a world with a transport network.

    Draws:
        From the world's seed: which lanes are delayed, keyed by both ends and the week; the seed of the search for
        rounds, keyed by the seller and the week.
    """

    def __init__(self, net: Layout, roads: Roads, vehicles: Vehicles | None) -> None:
        self.net = net
        self.roads = roads
        self.vehicles = vehicles

    def send(self, world: World, owed: Table, ready: Array) -> tuple[Array, Array, Events]:
        """Let loads leave as was decided, and have their sellers pay.

        Args:
            world: its tables `docks`, `lanes` and the ledger; goods themselves are the caller's to move.
            owed: contracts that sellers know of.
            ready: what is in stock of each, units/1e6.

        Returns:
            Of each contract, what leaves (units/1e6) and in which week it arrives; and the events.
        """
        those = docks.loads(self.net, owed, ready)
        known = world.tables["docks"]
        mode = docks.remembered(self.net, known, those, "mode", SHIP)
        since = docks.remembered(self.net, known, those, "since_week", world.steps)
        delay = self._delays(world)
        lane = self.roads.between(those.seller, those.buyer)
        trip, routes = self._trips(world, those, mode, lane)
        arrive = world.steps + trip.weeks + delay[those.replica, lane]
        arrive += effective.delay_weeks(world, self.net.firm_row(those.replica, those.seller))
        payer = world.ledger.rows(those.replica, those.seller)
        world.ledger.pay("transport", trip.cost, payer, world.ledger.outside("nature", those.replica))
        world.tables["docks"] = docks.written(those, since, np.full_like(mode, HOLD), trip.sent < those.quantity)
        events = {
            "dispatches": _dispatches(those, mode, trip, arrive),
            "delays": self._delayed(world, delay),
            **({"routes": routes} if self.vehicles is not None else {}),
        }
        return *self._by_contract(those, owed, ready, trip.sent, arrive), events

    def _by_contract(self, those: Loads, owed: Table, ready: Array, sent: Array, arrive: Array) -> tuple[Array, Array]:
        """The loads that leave, over the contracts in them: those due first are served first."""
        quantity, week = np.zeros_like(ready), np.zeros_like(ready)
        rows = np.flatnonzero(those.of >= 0)
        of = those.of[rows]
        turn = (owed["due_week"][rows], owed["signed_week"][rows])
        quantity[rows] = share_out((of,), turn, ready[rows], sent[of])
        week[rows] = arrive[of]
        return quantity, week

    def _delays(self, world: World) -> Array:
        """By how many weeks whatever leaves by a lane this week comes late, int64 (replicas, lanes)."""
        roads = self.roads
        replicas = np.arange(world.num_replicas)
        late = np.zeros((world.num_replicas, roads.num_lanes), np.int64)
        unsure = np.flatnonzero(roads.delay_chance > 0)
        if len(unsure):
            replica, lane = np.repeat(replicas, len(unsure)), np.tile(unsure, len(replicas))
            key = (roads.origin[lane], roads.destination[lane])
            lot = seeds.uniform(seeds.WORLD, world.seed(seeds.WORLD, replica), world.steps, "delays", key)
            late[replica, lane] = np.where(lot < roads.delay_chance[lane], roads.delay_weeks[lane], 0)
        return late

    def _delayed(self, world: World, delay: Array) -> Table:
        """The lanes that are delayed this week, whoever uses them."""
        replica, lane = np.nonzero((delay > 0) & world.is_live[:, None])
        ends = {"origin": self.roads.origin[lane], "destination": self.roads.destination[lane]}
        return Table({"replica": replica, **ends, "weeks": delay[replica, lane]})

    def _trips(self, world: World, those: Loads, mode: Array, lane: Array) -> tuple[Trip, Table]:
        roads = self.roads
        open_ = world.tables["lanes"]["capacity"][those.replica * roads.num_lanes + lane]
        by_vehicle = roads.by_vehicle[lane]
        is_express = mode == EXPRESS
        wanted = np.where((mode == HOLD) | (open_ == 0), 0, those.quantity)
        ordinary = (mode == SHIP) & ~by_vehicle
        sent = np.where(is_express, wanted, 0)
        turn = (those.due_week, those.seller, those.buyer)
        fits = share_out((those.replica, lane), turn, np.where(ordinary, wanted, 0), open_)
        sent = np.where(ordinary, fits, sent)
        space = _shipments(sent, roads.load[lane]) * np.where(roads.load[lane] < UNLIMITED, roads.load[lane], 0)
        cost = freight(roads, lane, sent)
        cost = np.where(is_express, value(cost, roads.factor[lane]), cost)
        weeks = np.where(is_express, roads.express_weeks[lane], roads.weeks[lane])
        trip = Trip(sent, weeks, cost, space)
        rows = np.flatnonzero((mode == SHIP) & by_vehicle & (wanted > 0))
        return trip, self._rounds(world, those, rows, np.minimum(wanted, open_), trip)

    def _rounds(self, world: World, those: Loads, rows: Array, wanted: Array, trip: Trip) -> Table:
        """Plan the rounds of every fleet that has something to carry; writes them into the trip."""
        stops: list[tuple[int, ...]] = []
        starts = np.flatnonzero(np.diff(those.replica[rows], prepend=-1) | np.diff(those.seller[rows], prepend=-1))
        for fleet in np.split(rows, starts[1:]):
            if len(fleet):
                turn = fleet[np.lexsort((those.buyer[fleet], those.due_week[fleet]))]
                stops += self._fleet(world, those, turn, wanted, trip)
        names = ("replica", "seller", "vehicle", "stop", "buyer", "metres", "load")
        columns = np.array(stops, np.int64).reshape(len(stops), len(names)).T
        return Table(dict(zip(names, columns, strict=True)))

    def _fleet(self, world: World, those: Loads, rows: Array, wanted: Array, trip: Trip) -> list[tuple[int, ...]]:
        """The rounds of one firm's fleet, its loads in their turn; gives the rows of `routes`."""
        facts = self.vehicles
        assert facts is not None  # or there would be no such rows
        taken, _ = routing.fit((wanted[rows] // MILLION).tolist(), facts.count, facts.capacity_units)
        rows, load = rows[np.array(taken) > 0], [units for units in taken if units]
        replica, seller = int(those.replica[rows[0]]), int(those.seller[rows[0]])
        places = self.roads.place[np.append(seller, those.buyer[rows])]
        metres = self.roads.metres[np.ix_(places, places)]
        reach = max(1, round(facts.km_per_week * METRES_PER_KM))
        latest = (trip.weeks[rows] * reach).tolist()
        lot = seeds.integers(
            MOST_SEEDS, seeds.WORLD, world.seed(seeds.WORLD, np.array([replica])), world.steps, "routes",
            (np.array([seller]),),
        )  # fmt: skip
        start = micro(facts.vehicle_eur) * METRES_PER_KM // max(1, micro(facts.eur_per_km))
        rounds = routing.plan(
            metres, load, facts.count, facts.capacity_units, latest, start, int(lot[0]), facts.iterations
        )
        found: list[tuple[int, ...]] = []
        for vehicle, stops in enumerate(rounds):
            driven = routing.driven(metres, stops)
            alone = [2 * int(metres[0, i + 1]) for i in stops]
            cost = split(driving_cost(facts, driven[-1]) + micro(facts.vehicle_eur), alone)
            space = split(facts.capacity_units, [load[i] for i in stops])
            for k, i in enumerate(stops):
                row = rows[i]
                trip.sent[row], trip.cost[row], trip.space[row] = load[i] * MILLION, cost[k], space[k] * MILLION
                trip.weeks[row] = max(1, -(-driven[k] // reach))
                found.append((replica, seller, vehicle, k, int(those.buyer[row]), driven[k], load[i] * MILLION))
            found.append((replica, seller, vehicle, len(stops), seller, driven[-1], 0))
        return found


def freight(roads: Roads, lane: Array, quantity: Array) -> Array:
    """What an ordinary shipment costs, EUR/1e6; by vehicle, one that goes to this customer and back."""
    return _shipments(quantity, roads.load[lane]) * roads.shipment[lane] + value(roads.unit[lane], quantity)


def _shipments(quantity: Array, load: Array) -> Array:
    return -(-quantity // load)


def _dispatches(those: Loads, mode: Array, trip: Trip, arrive: Array) -> Table:
    return Table(
        {
            "replica": those.replica, "seller": those.seller, "buyer": those.buyer, "item": those.item,
            "mode": mode, "ready": those.quantity, "sent": trip.sent, "cost": trip.cost, "space": trip.space,
            "arrive_week": np.where(trip.sent > 0, arrive, NEVER),
        }
    )  # fmt: skip


def lanes_table(roads: Roads, num_replicas: int) -> Table:
    """The table `lanes` before week 1."""
    columns: Mapping[str, Array] = {
        "lane": np.arange(roads.num_lanes),
        "origin": roads.origin,
        "destination": roads.destination,
        "capacity": roads.capacity,
    }
    replica = np.repeat(np.arange(num_replicas), roads.num_lanes)
    return Table({"replica": replica, **{name: np.tile(column, num_replicas) for name, column in columns.items()}})
