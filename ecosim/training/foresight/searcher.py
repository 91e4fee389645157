"""A teacher that thinks ahead: it tries several orders in many imagined futures and takes the one that costs least.

For each position it lays a grid of orders, plays each of them in the same imagined futures (`imagined`), lets the
default rule keep the position afterwards, and refines the grid around the cheapest. What it knows is its row and an
`Outlook`; no table of the world, and no draw of it (law 7).

`Oracle` is the other thing, by name and for comparison only: it is told the real demand of the weeks to come.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, cast

import numpy as np
from pydantic import Field

from ecosim import exact
from ecosim.catalog import Entry
from ecosim.exact import MILLION
from ecosim.fields import Array, Bucket
from ecosim.fingerprint import fingerprint
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.training.foresight import imagined
from ecosim.training.foresight.imagined import Futures, Start
from ecosim.training.foresight.outlook import Outlook, Reckoning, outlook
from ecosim.training.imitation.collect import Lesson
from ecosim.words import Decision, Question, certain

_ROWS = 64
"""Rows thought through at once: what is in between stays in the processor's cache."""


class Thought(Entry):
    """How long a teacher thinks.

    Attributes:
        futures: imagined for each row.
        weeks: that each lasts.
        orders: tried first, from nothing to `most_weeks` of demand above the lead time.
        refine: how often the grid is laid anew, finer, around the best.
        near: orders of a finer grid.
        temperature: of soft values, in the cost of keeping a week's demand for a week.
    """

    futures: Annotated[int, Field(ge=2, le=4096)] = 64
    weeks: Annotated[int, Field(ge=1, le=104)] = 12
    orders: Annotated[int, Field(ge=3, le=257)] = 17
    most_weeks: Annotated[float, Field(gt=0)] = 10.0
    refine: Annotated[int, Field(ge=0, le=8)] = 2
    near: Annotated[int, Field(ge=3, le=65)] = 9
    temperature: Annotated[float, Field(gt=0)] = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Searcher:
    """A mind, and a teacher, for `replenish`."""

    outlook: Outlook
    thought: Thought
    name: str = "search"
    grade: str = "search"

    @property
    def fingerprint(self) -> str:
        """Of its code, its settings and the facts that it knows."""
        known, think = self.outlook, (imagined.dream, imagined.costs, Searcher._think_of)
        settings = (repr(self.thought), repr(known.reckoning))
        facts = (known.holding, known.shortage, known.lost, known.sources, known.law, known.is_seen)
        return fingerprint(lambda: (think, settings, facts))

    def decide(self, question: Question) -> Decision:
        """The cheapest order of each row."""
        return certain({"quantity": self._think(question)[0]}, question.num_rows)

    def teach(self, question: Question) -> Lesson:
        """The cheapest order, and what the others are worth having beside it: half of the chance is the cheapest's."""
        best, orders, chances = self._think(question)
        values = np.concatenate([orders, best[:, None]], axis=1)
        shares = np.concatenate([chances / 2, np.full((len(best), 1), 0.5)], axis=1)
        return Lesson(question=question, answers={"quantity": best}, soft={"quantity": (values, shares)})

    def dream(self, start: Start, question: Question) -> Futures:
        """The futures of each row."""
        key = question.key
        who = (key["subject"], key["item"])
        return imagined.dream(
            start, question.seed, question.step, question.name, who, self.thought.futures, self.thought.weeks
        )

    def _think(self, question: Question) -> tuple[Array, Array, Array]:
        parts = [self._think_of(question.take(slice(at, at + _ROWS))) for at in range(0, question.num_rows, _ROWS)]
        best, orders, chances = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        return best, orders, chances

    def _think_of(self, question: Question) -> tuple[Array, Array, Array]:
        spec = question.field("quantity")
        assert isinstance(spec, Bucket)
        start = self.outlook.start(question)
        futures = self.dream(start, question)
        orders = self._grid(start)
        cost = imagined.costs(start, futures, orders)
        best = self._refined(start, futures, orders, cost)
        chances = self._chances(start, cost)
        legal = [spec.snap(np.rint(column).astype(np.int64) * MILLION) for column in orders.T]
        return spec.snap(best.astype(np.int64) * MILLION), np.stack(legal, axis=1), chances

    def _grid(self, start: Start) -> Array:
        """Orders from nothing up to what would last for very long, whole units, (rows, orders)."""
        top = start.mean * (start.lag + 1 + self.thought.most_weeks) - start.stock - start.on_order
        top = np.clip(top, 0.0, start.capacity)
        return np.rint(top[:, None] * np.arange(self.thought.orders) / (self.thought.orders - 1))

    def _refined(self, start: Start, futures: Futures, orders: Array, cost: Array) -> Array:
        """The cheapest order, units; among equals the smallest."""
        rows = np.arange(start.num_rows)
        step = (orders[:, -1] - orders[:, 0]) / (self.thought.orders - 1)
        side = (self.thought.near - 1) // 2
        best = orders[rows, cost.argmin(axis=1)]
        for _ in range(self.thought.refine):
            step = step / (side + 1)
            finer = np.rint(best[:, None] + step[:, None] * np.arange(-side, side + 1))
            finer = np.minimum(np.maximum(finer, 0.0), start.capacity[:, None])
            best = finer[rows, imagined.costs(start, futures, finer).argmin(axis=1)]
        return cast(Array, best)

    def _chances(self, start: Start, cost: Array) -> Array:
        """Softmax of −cost, (rows, orders)."""
        unit = self.thought.temperature * np.maximum(start.holding * start.mean, 1.0)
        weight = exact.exp(-(cost - cost.min(axis=1, keepdims=True)) / unit[:, None])
        return cast(Array, weight / weight.sum(axis=1, keepdims=True))


@dataclass(frozen=True, slots=True, eq=False)
class Oracle(Searcher):
    """A searcher that is told what consumers will want: an upper bound, and no mind for a member.

    Attributes:
        wanted: units by replica, week (from 1) and member; (replicas, weeks + 1, members).
    """

    name: str = "oracle"
    grade: str = "oracle"
    wanted: Array = field(default_factory=lambda: np.zeros((0, 0, 0)))

    def dream(self, start: Start, question: Question) -> Futures:
        """The imagined futures with the real demand in all of them, where consumers are served and it is known."""
        futures = Searcher.dream(self, start, question)
        key, demand = question.key, futures.demand.copy()
        where = self.outlook.net.position[key["subject"], key["item"]]
        for week in range(demand.shape[2]):
            at = question.step + week + self.outlook.is_seen[where]
            told = self.outlook.faces[where] & (at < self.wanted.shape[1])
            rows = np.flatnonzero(told)
            real = self.wanted[key["replica"][rows], at[rows], key["subject"][rows]]
            demand[rows, :, week] = real[:, None]
        return replace(futures, demand=demand)


def searcher(scenario: ManufacturingScenario, reckoning: Reckoning, thought: Thought | None = None) -> Searcher:
    """A teacher for the firms of a scenario."""
    return Searcher(outlook(scenario, reckoning), thought or Thought())
