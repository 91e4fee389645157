"""Fair slates: after ranking, the group gets the places that it is owed, filled with the best of its own posts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ecosim.community.facts.learned import Fairness
from ecosim.community.facts.people import ROLES
from ecosim.community.feeds import Known
from ecosim.community.state import Layout
from ecosim.fields import Array
from ecosim.rules import fairness


class Fair:
    """Slates that owe a group its share, made of two: the slate as ranked, and one of the group's posts alone.

    It needs no scores, so it serves every source and every mix; feeds are asked twice. `rules.fairness` says what is
    owed, and how the two are merged.
    """

    def __init__(self, facts: Fairness, net: Layout, num_slots: int) -> None:
        self._facts, self._net = facts, net
        self._floors = fairness.owed(facts.share, num_slots, facts.significance)

    def group(self, known: Known) -> Known:
        """The same, as if the group's posts were all that could be shown."""
        return replace(known, can_show=known.can_show & self._is_in(known))

    def merged(self, known: Known, ranked: Array, of_group: Array) -> Array:
        """The fair slates, int64 (R, n, slots), of two as they were ranked."""
        num_replicas, _, num_slots = ranked.shape
        is_in = self._is_in(known)[np.arange(num_replicas)[:, None, None], ranked]
        flat = [whole.reshape(-1, num_slots) for whole in (ranked, of_group, is_in)]
        return fairness.merged(flat[0], flat[1], flat[2], self._floors).reshape(ranked.shape)

    def _is_in(self, known: Known) -> Array:
        """Which posts are the group's, bool (R, P)."""
        if self._facts.group == "little_seen":
            return known.impressions < self._facts.few_impressions
        creator = np.arange(known.num_places) % known.num_creators
        of_role = self._net.role[creator] == list[str](ROLES).index(self._facts.group)
        return np.broadcast_to(of_role, known.post.shape)
