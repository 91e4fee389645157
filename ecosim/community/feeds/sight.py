"""What feeds may look at: what a platform knows of all posts and viewers, and a block of visits that need slates.

A feed sees what a platform sees: what was posted, shown and watched, whom viewers follow, and a profile of what each
watched and liked; never tastes. Visits come in blocks, so that a million of them never make a table of visits × posts;
`is_open` and `follows` are such tables, unpacked only for feeds that look at them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np

from ecosim.community import bits
from ecosim.community.state import NOBODY
from ecosim.fields import Array

Pairs = tuple[Array, Array, Array]
"""Visit, replica, and something of the visit's."""


@dataclass(frozen=True)  # no slots: what is worked out once a day is kept
class Known:
    """What a platform knows on a day: R replicas side by side, P places for posts, V viewers, C creators.

    Attributes:
        step: the day.
        seed: world seeds, uint64 (R,).
        num_creators: C; creator c has the places c, c + C, c + 2C, …
        post, day, topic, impressions, views, likes: of each post, int64 (R, P); `post` is −1 where a place is empty.
        can_show: which posts feeds may show today, the candidates, bool (R, P).
        vector: niche, topic and title of each post, int8 (R, P, signs).
        profile: what each viewer watched and liked, summed over vectors, int8 (R, V, signs).
        follows: whom each viewer follows, bits (R, V, ⌈C / 8⌉).
        has_watched: which posts each viewer has watched, bits (R, V, ⌈P / 8⌉).
        is_active: which viewers are there, bool (R, V).
        prior_views, power: of the popular feed.
        watch_again: whether a post that a viewer has watched may be shown to it again.
        explore_share: share of slots that go to any open post, (R,).
        ties: of the viewers' graph, replica, who shares, and who gets what it shares (viewers by number), each int64
            (ties,); None where there is no graph.
    """

    step: int
    seed: Array
    num_creators: int
    post: Array
    day: Array
    topic: Array
    impressions: Array
    views: Array
    likes: Array
    can_show: Array
    vector: Array
    profile: Array
    follows: Array
    has_watched: Array
    is_active: Array
    prior_views: float
    power: float
    watch_again: bool
    explore_share: Array
    ties: tuple[Array, Array, Array] | None = None

    @property
    def num_places(self) -> int:
        """P."""
        return self.post.shape[1]

    @cached_property
    def candidates(self) -> Array:
        """The places of posts that can be shown, in order, int64 (R, M); −1 beyond a replica's last."""
        most = max(1, int(self.can_show.sum(axis=1).max()))
        first = np.argsort(~self.can_show, axis=1, kind="stable")[:, :most]
        return np.where(np.take_along_axis(self.can_show, first, axis=1), first, NOBODY)

    @cached_property
    def candidate_at(self) -> Array:
        """Which candidate stands at each place, int64 (R, P); −1 for none."""
        return np.where(self.can_show, np.cumsum(self.can_show, axis=1) - 1, NOBODY)

    def of_candidates(self, column: Array) -> Array:
        """A column of posts (R, P, …) at the candidates, (R, M, …)."""
        return column[np.arange(len(column))[:, None], self.candidates]


@dataclass(frozen=True)  # no slots: what somebody has looked at is kept
class Sight:
    """A block of n visits in each of R replicas, whose slates are being filled.

    Attributes:
        known: of all posts and viewers.
        viewer: who visits, int64 (R, n); rows are padded to the busiest replica.
        is_here: where a visit is real, bool (R, n).
        slate: the places that are on each slate so far, int64 (R, n, slots); −1 where a slot is empty.
    """

    known: Known
    viewer: Array
    is_here: Array
    slate: Array

    @cached_property
    def is_open(self) -> Array:
        """Which posts may still be put on each slate, bool (R, n, P)."""
        found = self.is_here[:, :, None] & self.known.can_show[:, None, :]
        visit, replica, place = self.closed
        found[replica, visit, place] = False
        replica, visit, slot = np.nonzero(self.slate != NOBODY)
        found[replica, visit, self.slate[replica, visit, slot]] = False
        return cast(Array, found)

    @cached_property
    def profile(self) -> Array:
        """What each visitor watched and liked, summed over vectors, int8 (R, n, signs)."""
        return self._of_visitors(self.known.profile)

    @cached_property
    def follows(self) -> Array:
        """Whom each visitor follows, bool (R, n, C)."""
        return bits.unpacked(self._of_visitors(self.known.follows), self.known.num_creators)

    def is_open_at(self, replica: Array, visit: Array, place: Array) -> Array:
        """Whether posts may still be put on slates, bool; three arrays that broadcast, −1 for no post."""
        replica, visit, place = np.broadcast_arrays(replica, visit, place)
        found = self.known.can_show[replica, place] & (place >= 0)
        if not self.known.watch_again:
            bit = self._watched[replica, visit, place >> 3] >> (place & 7).astype(np.uint8)
            found = found & ((bit & 1) == 0)
        for slot in np.flatnonzero((self.slate != NOBODY).any(axis=(0, 1))):
            found = found & (self.slate[replica, visit, slot] != place)
        return cast(Array, found)

    @cached_property
    def closed(self) -> Pairs:
        """Visit, replica and place of each post that its viewer has watched, where that counts; visits ascend."""
        if self.known.watch_again:
            none = np.zeros(0, np.int64)
            return none, none, none
        return self._pairs(self._watched)

    @cached_property
    def followed(self) -> Pairs:
        """Visit, replica and creator of each bond; visits ascend."""
        return self._pairs(self._of_visitors(self.known.follows))

    def most_closed(self) -> int:
        """No visit has more closed posts than this."""
        on_slate = int((self.slate != NOBODY).sum(axis=2).max(initial=0))
        return on_slate if self.known.watch_again else on_slate + int(bits.num_set(self._watched).max(initial=0))

    def parts(self, num_visits: int) -> Iterator[tuple[slice, Sight]]:
        """The same block in smaller ones of so many visits."""
        for start in range(0, self.viewer.shape[1], num_visits):
            part = slice(start, start + num_visits)
            some = Sight(self.known, self.viewer[:, part], self.is_here[:, part], self.slate[:, part])
            for name in ("closed", "followed"):  # what has been looked up for the whole block
                if name in self.__dict__:
                    some.__dict__[name] = _between(self.__dict__[name], start, start + num_visits)
            yield part, some

    @cached_property
    def _watched(self) -> Array:
        return self._of_visitors(self.known.has_watched)

    def _of_visitors(self, column: Array) -> Array:
        return column[np.arange(len(self.viewer))[:, None], self.viewer]

    def _pairs(self, table: Array) -> Pairs:
        """Visit, replica and column of the bits that are on in a table of visits."""
        row, column = bits.pairs(table.reshape(-1, table.shape[2]))
        replica, visit = np.divmod(row, self.viewer.shape[1])
        if len(table) == 1:
            return visit, replica, column
        order = np.argsort(visit, kind="stable")
        return visit[order], replica[order], column[order]


def _between(pairs: Pairs, start: int, stop: int) -> Pairs:
    """Those of some visits, which count from 0 then."""
    first, last = np.searchsorted(pairs[0], (start, stop))
    visit, replica, column = (numbers[first:last] for numbers in pairs)
    return visit - start, replica, column


Feed = Callable[[Sight, int], Array]
"""For so many slots, the places of different open posts, int64 (R, n, slots); −1 where none is left."""

Learner = Callable[[Known], Feed]
"""A feed that is fitted once a day to what the platform knows; it keeps nothing from day to day."""
