"""Where to put safety stock in a tree of stages that promise each other service times.

Every stage quotes a service time S to those downstream, waits SI for the slowest of those upstream and needs T itself,
so that it covers SI + T − S periods of demand up to a bound of mean + z·σ·√τ. Demand beyond the bound is not the
stock's business.

Source: Graves & Willems (2000), Optimizing strategic safety stock placement in supply chains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ecosim.fields import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage of the network.

    Attributes:
        lead_time: periods that it needs itself.
        added_cost: what it adds to the cost of a unit.
        upstream: units of each stage that go into one of its own.
        promised: the longest service time to customers; None for a stage without customers of its own.
        sd: of the demand of its customers a period.
    """

    lead_time: int
    added_cost: float
    upstream: Mapping[str, int]
    promised: int | None = None
    sd: float = 0.0


@dataclass(frozen=True, slots=True)
class Placement:
    """The best service times (quoted downstream), the safety-stock cost of each stage, and the whole cost."""

    service: dict[str, int]
    cost_by_stage: dict[str, float]
    cost: float


def safety_stock(stages: Mapping[str, Stage], holding_share: float, z: float) -> Placement:
    """The placement of safety stock that costs least, in a network whose relations form a tree.

    Args:
        stages: by name.
        holding_share: cost of holding for the span that costs are counted in, as a share of a unit's cost.
        z: how many deviations of demand are covered.

    Raises:
        ValueError: an unknown stage upstream, relations that form no tree, or a stage with nobody downstream.
    """
    tree = _Tree(stages, holding_share, z)
    return tree.solve()


class _Tree:
    """The dynamic programme over subtrees: f at a stage whose parent is downstream, g where it is upstream."""

    def __init__(self, stages: Mapping[str, Stage], holding_share: float, z: float) -> None:
        self.stages = stages
        self.down: dict[str, list[str]] = {name: [] for name in stages}
        for name, stage in stages.items():
            for part in stage.upstream:
                if part not in stages:
                    raise ValueError(f"{name}: unknown stage {part!r} upstream; known: {', '.join(stages)}")
                self.down[part].append(name)
        lost = [name for name, stage in stages.items() if not self.down[name] and stage.promised is None]
        if lost:
            raise ValueError(f"{lost[0]}: nobody is downstream; give promised and sd")
        self.order = self._order()
        self.longest = self._longest()
        worth, spread = self._worth(), self._spread()
        self.rate = {name: holding_share * z * worth[name] * spread[name] for name in stages}
        self.best: dict[str, Array] = {}
        self.choice: dict[str, Array] = {}

    def solve(self) -> Placement:
        """Forward over the order, back from its last stage."""
        parent = dict(self.order)
        children: dict[str, list[str]] = {name: [] for name in self.stages}
        for name, above in self.order:
            if above is not None:
                children[above].append(name)
            self._weigh(name, parent[name], children[name])
        return self._read_back(children)

    def _weigh(self, name: str, parent: str | None, children: Sequence[str]) -> None:
        """Costs of the subtree below `name`, for every pair of what it waits for (SI) and what it quotes (S)."""
        stage, longest = self.stages[name], self.longest[name]
        waits = np.arange(longest - stage.lead_time + 1)[:, None]
        quotes = np.arange(longest + 1)[None, :]
        cover = waits + stage.lead_time - quotes
        cost = np.where(cover >= 0, self.rate[name] * np.sqrt(np.maximum(cover, 0)), np.inf)
        if stage.promised is not None:
            cost[:, stage.promised + 1 :] = np.inf
        for child in children:
            if child in stage.upstream:  # the child quotes at most what this one waits for
                cost = cost + self._up_to(self.best[child], waits.shape[0])[:, None]
            else:  # the child waits for at least what this one quotes
                cost = cost + self._from(self.best[child], quotes.shape[1])[None, :]
        self.choice[name] = cost
        goes_down = parent is not None and parent in self.down[name]
        self.best[name] = cost.min(axis=0) if goes_down else cost.min(axis=1)

    def _up_to(self, best: Array, num: int) -> Array:
        """The least cost with a quote of at most 0 … num − 1."""
        least = np.minimum.accumulate(best)
        return least[np.minimum(np.arange(num), len(best) - 1)]

    def _from(self, best: Array, num: int) -> Array:
        """The least cost with a wait of at least 0 … num − 1."""
        least = np.append(np.minimum.accumulate(best[::-1])[::-1], np.inf)
        return least[np.minimum(np.arange(num), len(best))]

    def _read_back(self, children: Mapping[str, Sequence[str]]) -> Placement:
        root = self.order[-1][0]
        best = np.unravel_index(int(self.choice[root].argmin()), self.choice[root].shape)
        service: dict[str, int] = {}
        costs: dict[str, float] = {}
        todo = [(root, int(best[0]), int(best[1]))]
        while todo:
            name, wait, quote = todo.pop()
            stage = self.stages[name]
            service[name] = quote
            costs[name] = self.rate[name] * float(np.sqrt(wait + stage.lead_time - quote))
            for child in children[name]:
                cost = self.choice[child]
                if child in stage.upstream:
                    least = 0
                    cost = cost[:, : wait + 1]
                else:
                    least = quote
                    cost = cost[quote:]
                w, q = np.unravel_index(int(cost.argmin()), cost.shape)
                todo.append((child, least + int(w), int(q)))
        return Placement(service, costs, sum(costs.values()))

    def _order(self) -> list[tuple[str, str | None]]:
        """Leaves first: each stage with the one neighbour that comes after it."""
        near = {name: [*stage.upstream, *self.down[name]] for name, stage in self.stages.items()}
        if sum(map(len, near.values())) != 2 * (len(near) - 1):
            raise ValueError("the stages form no tree")
        left = {name: set(found) for name, found in near.items()}
        leaves = [name for name in near if len(left[name]) <= 1]
        order: list[tuple[str, str | None]] = []
        while leaves:
            name = leaves.pop(0)
            parent = next(iter(left[name]), None)
            order.append((name, parent))
            if parent is not None:
                left[parent].discard(name)
                left[name].clear()
                if len(left[parent]) == 1 or (not left[parent] and len(order) == len(near) - 1):
                    leaves.append(parent)
        if len({name for name, _ in order}) != len(near):
            raise ValueError("the stages form no tree")
        return order

    def _longest(self) -> dict[str, int]:
        """The longest time from the start of the chain through each stage."""
        found: dict[str, int] = {}

        def through(name: str) -> int:
            if name not in found:
                stage = self.stages[name]
                found[name] = stage.lead_time + max((through(part) for part in stage.upstream), default=0)
            return found[name]

        for name in self.stages:
            through(name)
        return found

    def _worth(self) -> dict[str, float]:
        """The cost of a unit as it leaves each stage."""
        found: dict[str, float] = {}

        def worth(name: str) -> float:
            if name not in found:
                stage = self.stages[name]
                found[name] = stage.added_cost + sum(n * worth(part) for part, n in stage.upstream.items())
            return found[name]

        for name in self.stages:
            worth(name)
        return found

    def _spread(self) -> dict[str, float]:
        """The standard deviation of demand at each stage: variances of those downstream add up."""
        found: dict[str, float] = {}

        def variance(name: str) -> float:
            if name not in found:
                own = self.stages[name].sd ** 2
                downstream = self.down[name]
                found[name] = own + sum(self.stages[d].upstream[name] ** 2 * variance(d) for d in downstream)
            return found[name]

        return {name: float(np.sqrt(variance(name))) for name in self.stages}
