"""Cascades: how far, how wide and how virally something was passed on, tree by tree.

A tree is given by the row of each node's parent; many trees stand in the same columns.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ecosim.fields import Array


class Shapes(NamedTuple):
    """What cascades look like, one value a tree.

    Attributes:
        size: nodes, the root among them, int64.
        depth: steps from the root to the node farthest away, int64.
        breadth: nodes in the widest generation, int64.
        virality: structural virality, the mean distance between two different nodes, float64; 0 for a lone root.
    """

    size: Array
    depth: Array
    breadth: Array
    virality: Array


def depths(parent: Array) -> Array:
    """Steps from each node to the root of its tree, int64; doubling the stride, so that long paths are no trouble.

    Args:
        parent: row of each node's parent, −1 for a root, int64 (nodes,).

    >>> depths(np.array([-1, 0, 1, 0, -1])).tolist()
    [0, 1, 2, 1, 0]
    """
    far = np.append((parent >= 0).astype(np.int64), 0)
    hop = np.append(np.where(parent >= 0, parent, len(parent)), len(parent))  # one row past the end is its own parent
    while (hop < len(parent)).any():
        far += far[hop]
        hop = hop[hop]
    return far[:-1]


def shapes(parent: Array, tree: Array, num_trees: int) -> Shapes:
    """Size, depth, breadth and structural virality of trees, in time linear in their nodes.

    A link that cuts s of n nodes off the root lies on the way between s · (n − s) pairs, so the sum of all distances
    is that of s · (n − s) over links; all of it is whole numbers but for one division.

    Args:
        parent: row of each node's parent, −1 for a root, int64 (nodes,).
        tree: which tree each node is in, 0 … num_trees − 1.
        num_trees: how many there are; one without nodes has size 0.

    Source: Goel, Anderson, Hofman, Watts (2016), The structural virality of online diffusion, Management Science 62.

    A star and a path of a hundred, 1.98 and 101 ÷ 3:

    >>> star, path = np.where(np.arange(100) == 0, -1, 0), np.arange(100) - 1
    >>> shapes(star, np.zeros(100, int), 1)
    Shapes(size=array([100]), depth=array([1]), breadth=array([99]), virality=array([1.98]))
    >>> shapes(path, np.zeros(100, int), 1).virality.round(2)
    array([33.67])
    """
    depth = depths(parent)
    size = np.bincount(tree, minlength=num_trees)
    below = _subtrees(parent, depth)
    cut = np.where(parent >= 0, below * (size[tree] - below), 0)
    distance = np.zeros(num_trees, np.int64)
    np.add.at(distance, tree, cut)
    deepest = np.zeros(num_trees, np.int64)
    np.maximum.at(deepest, tree, depth)
    generations = int(depth.max(initial=0)) + 1
    generation, width = np.unique(tree * generations + depth, return_counts=True)
    breadth = np.zeros(num_trees, np.int64)
    np.maximum.at(breadth, generation // generations, width)
    pairs = size * (size - 1) // 2
    return Shapes(size, deepest, breadth, distance / np.maximum(pairs, 1))


def _subtrees(parent: Array, depth: Array) -> Array:
    """Nodes in the subtree of each node, itself among them; generation by generation from the last."""
    below = np.ones(len(parent), np.int64)
    order = np.argsort(-depth, kind="stable")
    ends = np.cumsum(np.bincount(depth)[::-1]) if len(depth) else np.zeros(1, np.int64)
    for start, end in zip(ends - np.diff(ends, prepend=0), ends[:-1], strict=False):
        rows = order[start:end]
        np.add.at(below, parent[rows], below[rows])
    return below
