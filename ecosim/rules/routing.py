"""Rounds of vehicles from one depot: who is served by which vehicle, and in which order.

The capacitated vehicle routing problem with latest arrivals, searched by PyVRP for a fixed number of iterations from a
given seed: the same loads give the same rounds. PyVRP works in integers, but its search is a library's own: T2, one
version on one class of machine.

Loads that vehicles cannot hold together are cut first (`fit`), by a packing that is a plan of its own; so there always
is one, whatever the search finds.

Source: Wouda, Lan, Kool (2024), PyVRP: a high-performance VRP solver package, INFORMS Journal on Computing 36(4).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ecosim.fields import Array

Round = list[int]
"""Stops in the order in which a vehicle comes to them, from 0."""


def fit(load: Sequence[int], count: int, capacity: int) -> tuple[list[int], list[Round]]:
    """What of each load leaves when stops are packed into vehicles in turn, and who goes with whom.

    Each stop goes to the first vehicle that has room for all of it, else to the one with most room, which takes what it
    can. No stop is served by two vehicles.

    Args:
        load: of each stop, in whole units, in the order of their turn.
        count: vehicles.
        capacity: of each, in units.

    >>> fit([6, 6, 3, 5], count=2, capacity=10)
    ([6, 6, 3, 4], [[0, 2], [1, 3]])
    """
    room = [capacity] * count
    rounds: list[Round] = [[] for _ in range(count)]
    taken = []
    for stop, wanted in enumerate(load):
        fitting = (v for v in range(count) if room[v] >= wanted)
        vehicle = next(fitting, max(range(count), key=lambda v: (room[v], -v)))
        taken.append(min(wanted, room[vehicle]))
        room[vehicle] -= taken[-1]
        if taken[-1]:
            rounds[vehicle].append(stop)
    return taken, [stops for stops in rounds if stops]


def plan(
    metres: Array, load: Sequence[int], count: int, capacity: int, latest: Sequence[int], start: int, seed: int,
    iterations: int,
) -> list[Round]:  # fmt: skip
    """Short rounds that serve every stop, the vehicles in the order of their first stop.

    Args:
        metres: between the depot (0) and the stops (1 …), int64 (stops + 1, stops + 1).
        load: of each stop, in whole units, above 0; as `fit` leaves them.
        count, capacity: of the vehicles.
        latest: how far a vehicle may have driven at most when it comes to each stop, in metres.
        start: what it costs to send one more vehicle, in metres.
        seed, iterations: of the search.

    Returns:
        The best feasible plan found; the packing of `fit`, each round by the nearest stop next, where there is none.
    """
    if len(load) == 1:
        return [[0]]
    rounds = _search(metres, load, count, capacity, latest, start, seed, iterations)
    if rounds is None:
        rounds = [_nearest_next(metres, stops) for stops in fit(load, count, capacity)[1]]
    return sorted(rounds, key=min)


def driven(metres: Array, stops: Round) -> list[int]:
    """Metres that a vehicle has driven when it comes to each of its stops, and last when it is back."""
    way = [0, *(stop + 1 for stop in stops), 0]
    return np.cumsum(metres[way[:-1], way[1:]]).tolist()


def _search(
    metres: Array, load: Sequence[int], count: int, capacity: int, latest: Sequence[int], start: int, seed: int,
    iterations: int,
) -> list[Round] | None:  # fmt: skip
    """The rounds that PyVRP finds; None if they break a rule."""
    import pyvrp  # a tenth of a second: only where there are vehicles
    from pyvrp.stop import MaxIterations

    stops = range(len(load))
    data = pyvrp.ProblemData(
        locations=[pyvrp.Location(0, 0)] * (len(load) + 1),  # distances are given: places say nothing more
        clients=[pyvrp.Client(i + 1, [load[i]], tw_late=latest[i]) for i in stops],
        depots=[pyvrp.Depot(0)],
        vehicle_types=[pyvrp.VehicleType(min(count, len(load)), [capacity], fixed_cost=start)],
        distance_matrices=[metres],
        duration_matrices=[metres],
    )
    best = pyvrp.solve(data, MaxIterations(iterations), seed=seed, collect_stats=False, display=False).best
    if not best.is_feasible():
        return None
    return [[visit.idx for visit in route if visit.is_client()] for route in best.routes()]


def _nearest_next(metres: Array, stops: Round) -> Round:
    """The stops of a round, each the nearest to the one before; among equals the lower number."""
    left, order, at = sorted(stops), [], 0
    while left:
        stop = min(left, key=lambda i: (int(metres[at, i + 1]), i))
        left.remove(stop)
        order.append(stop)
        at = stop + 1
    return order
