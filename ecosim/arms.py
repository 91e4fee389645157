"""Arms of a run, and how it is carried out: what a caller says beside the scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ecosim.cluster.crew import Say
from ecosim.cluster.layout import Layout
from ecosim.fields import Array
from ecosim.minds.router import Router
from ecosim.minds.seats import Wishes, listed, own_names
from ecosim.schedule import Change

if TYPE_CHECKING:
    from ecosim.world import World

Numerics = Literal["reproducible", "fast"]
NUMERICS = ("reproducible", "fast")
OTHER_LUCK = 1_000_000
"""How far the mind seeds of an A/A arm are from those of the arm that it repeats."""

Changes = Mapping[int, Change | Sequence[Change]]
"""A user's own interventions by step."""

Progress = Callable[[int, Router], None]
"""Called after every step with its number and the router. Where it has a method `watch(steps_done, router)`, the steps
are run within that as a context: it may look at `router.so_far()` meanwhile, from a thread of its own."""


class Underway(Protocol):
    """A run between two steps, to be looked at.

    Attributes:
        steps_done: how many steps it has taken.
        world: as it stands.
        series: an array over replicas a step, by metric and group.
    """

    steps_done: int
    world: World
    series: dict[tuple[str, str], list[Array]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """A choice of minds, for some of the seeds.

    Attributes:
        name: how tables call it.
        minds: what differs from the scenario's minds.
        num_seeds: how many of the seeds it has, from the first; None for all.
        has_other_luck: the same minds with other mind seeds: the A/A control.
        interventions: your own functions by step, each called with one replica at a time as a world of its own, before
            the first phase; it may write columns of `world.tables`. Those of the scenario come first.
    """

    name: str
    minds: Wishes = field(default_factory=dict)
    num_seeds: int | None = None
    has_other_luck: bool = False
    interventions: Changes = field(default_factory=dict)

    @property
    def changes(self) -> list[tuple[int, Change]]:
        """Its own functions with their steps, in order."""
        given = sorted(self.interventions.items())
        return [(step, one) for step, made in given for one in ([made] if callable(made) else made)]

    def after(self, others: Changes) -> Arm:
        """The same arm with other functions before its own."""
        both = sorted([*replace(self, interventions=others).changes, *self.changes], key=lambda one: one[0])
        steps: dict[int, list[Change]] = {}
        for step, change in both:
            steps.setdefault(step, []).append(change)
        return replace(self, interventions=steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a run is carried out; of all this only numerics can show in a digest, and only in those of language models.

    Attributes:
        numerics: of language models, `reproducible` or `fast`.
        layout: where minds answer.
        batch_limit: most rows in a batch of a language model; None leaves it to the token budget.
        snapshot_steps: steps between two snapshots; None makes one after every 20 s. Only runs in folders have them.
        keep_events: False keeps digests, metrics and KPIs only.
        progress: called after each step.
        say: takes lines about what is going to be made.
        watch: called after each step with the run under way; it may wait, or raise KeyboardInterrupt to end the run.
    """

    numerics: Numerics = "reproducible"
    layout: Layout = field(default_factory=Layout)
    batch_limit: int | None = None
    snapshot_steps: int | None = None
    keep_events: bool = True
    progress: Progress | None = None
    say: Say | None = None
    watch: Callable[[Underway], None] | None = None


def own_of(arms: Sequence[Arm]) -> dict[int, str]:
    """A name for each of the user's own functions and minds in some arms, by identity."""
    return own_names(_wished(arms))


def own_by_name(arms: Sequence[Arm]) -> dict[str, Any]:
    """The same functions and minds, by name, as `resume` and `verify` take them."""
    names = own_of(arms)
    return {names[id(one)]: one for one in listed(_wished(arms)) if not isinstance(one, str)}


def _wished(arms: Sequence[Arm]) -> list[Any]:
    """The seats of all arms, and the functions that change them."""
    return [
        *(seats for arm in arms for seats in arm.minds.values()),
        *(change for arm in arms for _, change in arm.changes),
    ]
