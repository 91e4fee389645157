"""Random graphs, made in columns: a graph of a million nodes takes seconds, and has the same ties on every machine.

networkx has all of these, one node at a time (five times as slow) and with bits that are its own
version's affair. Tests hold ours against its degree distributions.

Every function gives undirected edges, int64 (edges, 2), each once, none from a node to itself. Draws are from the
world's seed, keyed by nodes; what collides is drawn again, in a lane of its own, until nothing does.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from ecosim import exact, seeds
from ecosim.fields import Array

_PURPOSE = "graph"


def barabasi_albert(num_nodes: int, links: int, seed: Array) -> Array:
    """A star of `links` + 1 nodes, then newcomers one by one, each with `links` ties to different nodes before it.

    A newcomer takes an end of any earlier tie with the same chance, so nodes in proportion to their ties. Whose end
    that is may itself depend on an earlier draw; all draws are followed back at once.

    Args:
        num_nodes: more than `links`.
        links: m, at least 1.
        seed: world seed, uint64 (1,).

    Source: Barabási, Albert (1999), Emergence of scaling in random networks; the list of ends as in Batagelj, Brandes
    (2005), Efficient generation of large random networks.
    """
    new = np.repeat(np.arange(links + 1, num_nodes), links)  # who comes, for each tie after the star
    slot = np.tile(np.arange(links), num_nodes - links - 1)
    num_before = 2 * links * (new - links)  # ends of all ties before the newcomer's
    target = drawn = np.zeros(len(new), np.int64)
    again, lane = np.arange(len(new)), 0
    while len(again):
        key = (new[again], slot[again])
        drawn[again] = seeds.integers(num_before[again], seeds.WORLD, seed, 0, _PURPOSE, key, lane)
        target = _owners(drawn, new, links)
        again, lane = _repeated(new * num_nodes + target), lane + 1
    star = np.column_stack([np.arange(1, links + 1), np.zeros(links, np.int64)])
    return np.concatenate([star, np.column_stack([new, target])])


def _owners(drawn: Array, new: Array, links: int) -> Array:
    """The node at each drawn end: end 2e is the newcomer of tie e, end 2e + 1 its target, which was drawn itself."""
    end = drawn.copy()
    while True:
        tie = end // 2
        open_ends = np.flatnonzero((end % 2 == 1) & (tie >= links))
        if not len(open_ends):
            break
        end[open_ends] = drawn[tie[open_ends] - links]
    comer = np.where(tie < links, tie + 1, new[np.maximum(tie - links, 0)] if len(new) else 0)
    return np.where(end % 2 == 0, comer, 0)


def small_world(num_nodes: int, neighbours: int, rewired: float, seed: Array) -> Array:
    """A ring in which everybody is tied to the nearest few, some ties then moved to anybody.

    Args:
        num_nodes: at least 2 · `neighbours`, so that there is always somebody left.
        neighbours: k, even: half of them on each side.
        rewired: the chance that the far end of a tie is moved.
        seed: world seed, uint64 (1,).

    Source: Watts, Strogatz (1998), Collective dynamics of 'small-world' networks.
    """
    node = np.tile(np.arange(num_nodes), neighbours // 2)
    step = np.repeat(np.arange(1, neighbours // 2 + 1), num_nodes)
    moved = seeds.uniform(seeds.WORLD, seed, 0, _PURPOSE, (node, step), lane=0) < rewired
    order = np.argsort(moved, kind="stable")  # ties that stay come first, and keep their places
    node, step, moved = node[order], step[order], moved[order]
    target = (node + step) % num_nodes
    again, lane = np.flatnonzero(moved), 1
    while len(again):
        key = (node[again], step[again])
        target[again] = seeds.integers(num_nodes, seeds.WORLD, seed, 0, _PURPOSE, key, lane)
        again, lane = _clashes(node, target, num_nodes), lane + 1
    return np.column_stack([node, target])


def configuration(degrees: Array, seed: Array) -> Array:
    """Everybody has so many open ends, and ends are joined in pairs by lot; loops and doubles are left out.

    So a few have fewer ties than they were given, fewer the larger the graph; of an odd number one end stays open.

    Args:
        degrees: of each node, int64 (nodes,).
        seed: world seed, uint64 (1,).

    Source: Bollobás (1980); Newman, Strogatz, Watts (2001), Random graphs with arbitrary degree distributions; here
    in the erased form of Britton, Deijfen, Martin-Löf (2006).
    """
    owner = np.repeat(np.arange(len(degrees)), degrees)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(degrees) - degrees, degrees)
    lot = seeds.uniform(seeds.WORLD, seed, 0, _PURPOSE, (owner, number), lane=0)
    shuffled = owner[np.argsort(lot, kind="stable")][: len(owner) // 2 * 2].reshape(-1, 2)
    bad = np.zeros(len(shuffled), bool)
    bad[_clashes(shuffled[:, 0], shuffled[:, 1], len(degrees))] = True
    return cast(Array, shuffled[~bad])


def power_law_degrees(num_nodes: int, exponent: float, least: int, most: int, seed: Array) -> Array:
    """Degrees with chances in proportion to degree^−exponent, from `least` to `most`, int64 (nodes,)."""
    degree = np.arange(least, most + 1)
    return drawn_degrees(num_nodes, degree, exact.power(degree, -exponent), seed)


def drawn_degrees(num_nodes: int, degree: Array, weight: Array, seed: Array) -> Array:
    """One of some degrees for each node, with chances in proportion to weights, int64 (nodes,)."""
    ends = np.cumsum(weight)
    ticket = seeds.uniform(seeds.WORLD, seed, 0, _PURPOSE, (np.arange(num_nodes),), lane=1) * ends[-1]
    return cast(Array, degree[np.minimum(np.searchsorted(ends, ticket, side="right"), len(degree) - 1)])


def both_ways(edges: Array) -> Array:
    """Each edge as two ties, one from each end, int64 (2 · edges, 2)."""
    return np.concatenate([edges, edges[:, ::-1]])


def _clashes(node: Array, target: Array, num_nodes: int) -> Array:
    """Edges (row numbers) that are loops, or that stand in an earlier row already, whichever way round."""
    pair = np.minimum(node, target) * num_nodes + np.maximum(node, target)
    bad = np.zeros(len(pair), bool)
    bad[_repeated(pair)] = True
    return np.flatnonzero(bad | (node == target))


def _repeated(code: Array) -> Array:
    """Rows whose code stands in an earlier row."""
    is_first = np.zeros(len(code), bool)
    is_first[np.unique(code, return_index=True)[1]] = True
    return np.flatnonzero(~is_first)
