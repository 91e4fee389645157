"""Who answers during a run: all minds of its seats, put where the layout says, behind one dispatcher."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ecosim.cluster.dispatch import Dispatcher, Home
from ecosim.cluster.layout import Layout, Machine, plan
from ecosim.cluster.site import Inline, Site
from ecosim.minds.host import Described, Host, describe
from ecosim.minds.recipe import Pool, Recipe
from ecosim.words import Mind, Table

if TYPE_CHECKING:
    from ecosim.cluster.rays import Facts, Post, RaySite

HOST_GRAIN = 256
"""Rows that are worth a call of their own to a host of column minds: below it the way costs more than the work."""

Say = Callable[[str], None]


@dataclass(slots=True)
class Crew:
    """The minds of a run where they are.

    Attributes:
        minds: by code; those that live elsewhere as they describe themselves.
        dispatcher: answers jobs.
        layout: what was asked for.
        away: the Ray site, if there is one.
        here: hosts in this process.
    """

    minds: list[Mind]
    dispatcher: Dispatcher
    layout: Layout
    here: Sequence[Host]
    away: RaySite | None = None

    def describe(self) -> list[dict[str, Any]]:
        """Name, grade, fingerprint and more of each mind, by code; language models here are probed now."""
        return [dict(mind.facts) if isinstance(mind, Described) else describe(mind) for mind in self.minds]

    def take_batches(self) -> Table:
        """The batches of language models in this process since the last call."""
        from ecosim.words import concat

        tables = [table for host in self.here if (table := host.drain_batches()).num_rows]
        return concat(tables) if tables else Table({})

    def close_books(self, is_done: bool) -> tuple[dict[str, dict[str, int | float]], list[Table], dict[str, Any]]:
        """At the end: counts by pool, batches elsewhere, and what the layout was and cost.

        Args:
            is_done: else places elsewhere may be busy, and are not asked.
        """
        counts = [host.stats() for host in self.here]
        batches: list[Table] = []
        places: dict[str, Any] = {}
        if self.away is not None and is_done:
            for name, (stats, table, memory) in self.away.stats().items():
                counts.append(stats)
                batches += [table] if table.num_rows else []
                places[name] = {"memory_bytes": memory}
        layout = {**asdict(self.layout), "places": places, **asdict(self.dispatcher.counts)}
        return _added(counts), batches, layout


@contextmanager
def crew(
    minds: Sequence[Mind | Recipe],
    layout: Layout,
    substitutes: Mapping[str, Mind] | None = None,
    say: Say | None = None,
) -> Iterator[Crew]:
    """Everybody in place while the block lasts.

    Args:
        minds: by code; a Recipe is a language mind that is yet to be made.
        layout: where they go.
        substitutes: minds for poison rows, by question name.
        say: takes the plan, line by line, before anything is made on Ray.

    Raises:
        PoolError: it can't fit, can't be reached, or can't be made.
        CatalogError: a model is missing or damaged.
    """
    if not layout.num_places:
        yield inline(minds, substitutes, layout)
        return
    from ecosim.cluster.start import ray_cluster

    bases = _bases(minds) if layout.workers else {}
    columns = [m for m in minds if not isinstance(m, Recipe) and not _stays(m)] if layout.hosts else []
    with ray_cluster(layout.address, sum(bases.values())) as machine:
        for line in plan(layout, machine, [mind.name for mind in columns], list(bases.items())):
            (say or _silent)(line)
        found = _on_ray(minds, layout, machine, list(bases), dict(substitutes or {}))
        for line in _memory_lines(found):
            (say or _silent)(line)
        try:
            yield found
        finally:
            found.dispatcher.close()


def inline(
    minds: Sequence[Mind | Recipe], substitutes: Mapping[str, Mind] | None = None, layout: Layout | None = None
) -> Crew:
    """Everybody in this process."""
    columns = {code: mind for code, mind in enumerate(minds) if not isinstance(mind, Recipe)}
    recipes = {code: mind for code, mind in enumerate(minds) if isinstance(mind, Recipe)}
    hosts = [Host(columns), *([_pool_here(recipes)] if recipes else [])]
    homes = {code: Home(0, [0]) for code in columns} | {code: Home(0, [1]) for code in recipes}
    layout = layout or Layout()
    dispatcher = Dispatcher([Inline(hosts)], homes, substitutes=substitutes, deadline_s=layout.deadline_s)
    made = {**columns, **(hosts[1].minds if recipes else {})}
    return Crew([made[c] for c in sorted(made)], dispatcher, layout, hosts)


def _on_ray(
    minds: Sequence[Mind | Recipe], layout: Layout, machine: Machine, bases: Sequence[str], substitutes: dict[str, Mind]
) -> Crew:
    from ecosim.cluster import posts
    from ecosim.cluster.rays import RaySite

    columns = {c: m for c, m in enumerate(minds) if not isinstance(m, Recipe)}
    recipes = {c: m for c, m in enumerate(minds) if isinstance(m, Recipe)}
    away_minds = {c: m for c, m in columns.items() if layout.hosts and not _stays(m)}
    here_minds = {c: m for c, m in columns.items() if c not in away_minds}
    hosts: list[Host] = [Host(here_minds)]
    homes = {c: Home(0, [0]) for c in here_minds}
    if recipes and not layout.workers:
        hosts.append(_pool_here(recipes))
        homes |= {c: Home(0, [1]) for c in recipes}
    people: list[Post] = posts.hosts(away_minds, layout, machine)
    workers = posts.workers(recipes, bases, layout, machine) if layout.workers else []
    site = RaySite([*people, *workers], posts.environment())
    where = range(len(people)), range(len(people), len(people) + len(workers))
    homes |= {c: Home(1, list(where[0]), HOST_GRAIN) for c in away_minds}
    homes |= {c: Home(1, list(where[1])) for c in recipes if layout.workers}
    sites: list[Site] = [Inline(hosts), site]
    dispatcher = Dispatcher(sites, homes, substitutes=substitutes, deadline_s=layout.deadline_s)
    facts = _agreed(site.facts, site.names)
    everyone: dict[int, Mind] = {c: Described(found) for c, found in facts.items()}
    everyone |= {c: m for host in hosts for c, m in host.minds.items()}
    return Crew([everyone[c] for c in sorted(everyone)], dispatcher, layout, hosts, site)


def _pool_here(recipes: Mapping[int, Recipe]) -> Pool:
    from ecosim.models.load import load

    return Pool(recipes, load)


def _stays(mind: Mind) -> bool:
    """Minds that hold something of this process (a connection, a recording) answer in the driver."""
    return bool(getattr(mind, "stays_in_driver", False))


def _bases(minds: Sequence[Mind | Recipe]) -> dict[str, int]:
    """The base models of some recipes, with the bytes of their weights."""
    from ecosim.models.sources import record

    return {mind.base: record(mind.base).num_bytes for mind in minds if isinstance(mind, Recipe)}


def _agreed(facts: Sequence[Facts], names: Sequence[str]) -> dict[int, dict[str, Any]]:
    """What the places say of each mind; those that hold the same mind must say the same.

    Raises:
        PoolError: two places have other weights, code, or bits.
    """
    from ecosim.cluster.rays import check_alike

    found: dict[int, tuple[str, dict[str, Any]]] = {}
    for name, fact in zip(names, facts, strict=True):
        for code, mine in fact.minds.items():
            first, theirs = found.setdefault(code, (name, dict(mine)))
            check_alike(first, theirs, name, mine)
    return {code: mine for code, (_, mine) in found.items()}


def _memory_lines(found: Crew) -> list[str]:
    site = found.away
    if site is None:
        return []
    return [
        f"ready    {name}: {fact.memory_bytes / 1e6:.0f} MB of its own"
        for name, fact in zip(site.names, site.facts, strict=True)
    ]


def _added(counts: Sequence[Mapping[str, Mapping[str, int | float]]]) -> dict[str, dict[str, int | float]]:
    """Counts of the same pool in several places, added up; shares are worked out anew."""
    total: dict[str, dict[str, int | float]] = {}
    for pools in counts:
        for name, stats in pools.items():
            mine = total.setdefault(name, dict.fromkeys(stats, 0))
            for key, value in stats.items():
                mine[key] = mine.get(key, 0) + value
    for stats in total.values():
        if "occupancy" in stats:
            stats["occupancy"] = stats["useful_tokens"] / stats["padded_tokens"] if stats["padded_tokens"] else 1.0
    return total


def _silent(line: str) -> None:
    """Say nothing."""
