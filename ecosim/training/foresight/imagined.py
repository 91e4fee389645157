"""Imagined futures of one stock: what a firm can think through without knowing anything of others.

A `Start` is a position as its firm sees it; a `Futures` is what might happen to it, drawn from the stream IMAGINED and
keyed by row, future and week; `costs` plays every first order against every future, and in the weeks after it a
default rule orders: it keeps the inventory position where the first order has put it (a base stock). A week is: an
order joins the pipeline, what is due comes in as far as the running sources can give it, demand is served, owed or
lost, and stock and debts are charged. A late parcel comes a week later, with the same chance to be late again; a
refused order is gone.

What it refuses to know: worlds, members, questions. Units are whole, money is in millionths of a euro, both as floats
that hold integers, so that sums are exact in any order and a row has the same bits in any batch.

Source: Bertsekas, Tsitsiklis, Wu (1997), Rollout algorithms for combinatorial optimization (a first move by search,
then a default policy); McKay, Beckman, Conover (1979), A comparison of three methods for selecting values of input
variables (Latin hypercubes: the futures of a row share out every week's chances evenly).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self, cast

import numpy as np

from ecosim import seeds
from ecosim.fields import Array

_DEMAND, _LATE, _REFUSED, _LEVEL, _SUPPLY = range(5)
"""Lanes of a row's draws; sources after the first take those behind the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Positions as they stand, a row each; all columns float64 (rows,) unless said.

    Attributes:
        stock: on hand less owed, units.
        on_order: units.
        capacity: most that can be ordered in a week, units.
        mean, sd: of a week's demand as its firm sees it, units.
        doubt: deviation of the mean itself, units.
        holding, shortage: EUR/1e6 a unit and week.
        lost: EUR/1e6 a unit of demand that goes away; 0 where it waits.
        late, refused: chances a week.
        outage, recovery: chances a week that a source stops, and that it comes back.
        sources: what each of its sources can give it in a week, units, (rows, sources); inf where nothing limits it.
        is_out: whether all of them stand still now, bool.
        lag: demands that come before an order of this week can be there, int64.
        first: the demand before which the earliest of what is on order can be there, int64.
    """

    stock: Array
    on_order: Array
    capacity: Array
    mean: Array
    sd: Array
    doubt: Array
    holding: Array
    shortage: Array
    lost: Array
    late: Array
    refused: Array
    outage: Array
    recovery: Array
    sources: Array
    is_out: Array
    lag: Array
    first: Array

    @property
    def num_rows(self) -> int:
        """How many positions."""
        return len(self.stock)

    def take(self, rows: Array | slice) -> Self:
        """Some of them."""
        return type(self)(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Futures:
    """What may happen, (rows, futures, weeks).

    Attributes:
        demand: units, float64.
        supply: most that can come in, units, float64.
        is_late, is_refused: bool.
    """

    demand: Array
    supply: Array
    is_late: Array
    is_refused: Array

    def take(self, rows: Array | slice) -> Futures:
        """Those of some rows."""
        return Futures(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def dream(start: Start, seed: Array, step: int, phase: str, key: tuple[Array, Array], num: int, weeks: int) -> Futures:
    """So many futures of each row.

    Args:
        seed: of the row's replica, uint64 (rows,).
        key: two integer columns that name the row within its replica.
    """
    who = (seed, step, phase, key, num)
    level = seeds.normal_quantile(_cube(*who, 1, _LEVEL))  # how wrong the mean is stays so in all weeks
    noise = seeds.normal_quantile(_cube(*who, weeks, _DEMAND))
    mean = start.mean[:, None, None] + start.doubt[:, None, None] * level
    demand = np.maximum(np.rint(mean + start.sd[:, None, None] * noise), 0.0)
    chance = [start.late, start.refused]
    late, refused = (
        _cube(*who, weeks, lane) < p[:, None, None] if p.any() else np.zeros(demand.shape, bool)
        for lane, p in zip((_LATE, _REFUSED), chance, strict=True)
    )
    return Futures(demand=demand, supply=_supply(start, who, weeks), is_late=late, is_refused=refused)


def costs(start: Start, futures: Futures, orders: Array) -> Array:
    """Mean cost over all futures and weeks of each first order, EUR/1e6, float64 (rows, orders).

    Args:
        orders: units, float64 (rows, orders).
    """
    total = np.empty(orders.shape)
    place = start.lag * 1000 + start.first
    for code in np.unique(place):
        rows = np.flatnonzero(place == code)
        mine = start.take(rows)
        total[rows] = _play(mine, futures.take(rows), orders[rows], int(mine.lag[0]), int(mine.first[0]))
    return total


def _play(start: Start, futures: Futures, orders: Array, lag: int, first: int) -> Array:
    """`costs` of rows with one timing; arrays are (rows, orders, futures)."""
    stock = np.broadcast_to(_spread(start.stock), (*orders.shape, futures.demand.shape[1])).copy()
    pipe = _pipeline(start, lag, first)
    level = np.maximum(_spread(start.stock + start.on_order) + orders[:, :, None], 0.0)
    cost = np.zeros_like(stock)
    for week in range(futures.demand.shape[2]):
        demand, supply, late, refused = (
            column[:, None, :, week] for column in (futures.demand, futures.supply, futures.is_late, futures.is_refused)
        )
        wish = np.minimum(np.maximum(level - stock - sum(pipe), 0.0), _spread(start.capacity))
        pipe[lag] = pipe[lag] + np.where(refused, 0.0, orders[:, :, None] if week == 0 else wish)
        due = pipe.pop(0)
        comes = np.where(late, 0.0, np.minimum(due, supply))
        pipe.append(np.zeros(()))
        pipe[0] = pipe[0] + (due - comes)
        stock += comes - demand
        short = np.maximum(-stock, 0.0)
        cost += _spread(start.holding) * np.maximum(stock, 0.0) + _spread(start.shortage + start.lost) * short
        stock += np.where(_spread(start.lost) > 0, short, 0.0)  # what goes away is not owed
    return cast(Array, cost.sum(axis=2) / futures.demand.shape[1])


def _pipeline(start: Start, lag: int, first: int) -> list[Array]:
    """What comes before each of the next demands: what is on order, evenly over the weeks in which it may come."""
    last = max(first, lag - 1)
    share = np.floor(start.on_order / (last - first + 1))
    pipe = [np.zeros(()) for _ in range(max(lag, last) + 1)]
    for slot in range(first, last):
        pipe[slot] = _spread(share)
    pipe[last] = _spread(start.on_order - share * (last - first))
    return pipe


def _spread(column: Array) -> Array:
    return column[:, None, None]


def _supply(start: Start, who: tuple[Array, int, str, tuple[Array, Array], int], weeks: int) -> Array:
    """What the sources that run can give, week by week; each stops and comes back by itself."""
    shape = (start.num_rows, who[4], weeks)
    if not (start.outage.any() or start.is_out.any()):
        return np.broadcast_to(start.sources.sum(axis=1)[:, None, None], shape)
    supply = np.zeros(shape)
    for source in range(start.sources.shape[1]):
        gives = start.sources[:, source]
        if not gives.any():
            continue
        u = _cube(*who, weeks, _SUPPLY + source)
        stops, comes_back = u < start.outage[:, None, None], u >= 1 - start.recovery[:, None, None]
        is_out = np.broadcast_to(start.is_out[:, None], shape[:2])
        for week in range(weeks):
            is_out = np.where(is_out, ~comes_back[:, :, week], stops[:, :, week])
            supply[:, :, week] += np.where(is_out, 0.0, gives[:, None])
    return supply


def _cube(seed: Array, step: int, phase: str, key: tuple[Array, Array], num: int, weeks: int, lane: int) -> Array:
    """Uniform draws (rows, futures, weeks); those of a row and week fall one into each of `futures` equal parts."""
    rows = len(seed)
    cells = num * weeks
    at = np.tile(np.arange(cells), rows)
    parts = (np.repeat(key[0], cells), np.repeat(key[1], cells), at // weeks, at % weeks)
    order, place = seeds.two_uniforms(seeds.IMAGINED, np.repeat(seed, cells), step, phase, parts, lane)
    rank = order.reshape(rows, num, weeks).argsort(axis=1).argsort(axis=1)
    return cast(Array, (rank + place.reshape(rows, num, weeks)) / num)
