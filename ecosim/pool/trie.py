"""Options as a trie over token ids: what options share is read once (twenty prices share their digits)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecosim.fields import Array

ROOT = -1
"""The node before an option's first token: the last token of the text."""


@dataclass(frozen=True, slots=True)
class Trie:
    """The inner nodes of a trie, parents before children, and the steps that spell the options.

    Attributes:
        tokens, parents: of each inner node; a parent is a node, or ROOT.
        depths: how many tokens after the text a node stands, from 1.
        sees: which nodes a node may look at (its ancestors and itself), bool (nodes, nodes).
        steps: one row a token of an option: (option, node that it follows, token), int64 (steps, 3).
        lengths: tokens of each option, int64 (options,).
    """

    tokens: Array
    parents: Array
    depths: Array
    sees: Array
    steps: Array
    lengths: Array

    @property
    def num_nodes(self) -> int:
        """How many tokens the model must read."""
        return len(self.tokens)


def build(options: Sequence[Sequence[int]]) -> Trie:
    """The trie of some options; an option's last token is only ever predicted, so it needs no node.

    Raises:
        ValueError: an option has no tokens.

    >>> build([[5, 1, 9], [5, 2, 9], [7]]).tokens
    array([5, 1, 2])
    """
    tokens: list[int] = []
    parents: list[int] = []
    depths: list[int] = []
    steps: list[tuple[int, int, int]] = []
    children: dict[tuple[int, int], int] = {}
    for i, option in enumerate(options):
        if not len(option):
            raise ValueError(f"option {i} of {len(options)} has no tokens")
        node = ROOT
        for depth, token in enumerate(option, start=1):
            steps.append((i, node, token))
            if depth == len(option):
                break
            if (node, token) not in children:
                children[node, token] = len(tokens)
                tokens.append(token)
                parents.append(node)
                depths.append(depth)
            node = children[node, token]
    sees = np.eye(len(tokens), dtype=bool)
    for i, parent in enumerate(parents):
        if parent != ROOT:
            sees[i] |= sees[parent]
    return Trie(
        tokens=np.array(tokens, np.int64),
        parents=np.array(parents, np.int64),
        depths=np.array(depths, np.int64),
        sees=sees,
        steps=np.array(steps, np.int64).reshape(-1, 3),
        lengths=np.array([len(option) for option in options], np.int64),
    )
