"""The collaborative feed: viewers who watched the same posts are shown what the others watched besides.

The factorisation is the package `implicit` (alternating least squares over a sparse matrix), so that it stays linear in
what was watched, also for 10⁵ viewers. Its floating point is good for one class of machine (T2); what comes out is
rounded to whole numbers, and everything after that is exact.
"""

from __future__ import annotations

import numpy as np

from ecosim.community.facts import learned as facts
from ecosim.community.feeds import Feed, Known, Sight, by_score
from ecosim.errors import ScenarioError
from ecosim.fields import Array

UNIT = 2**16
"""Factors are rounded to whole 65,536ths."""

_SEED_BITS = np.uint64(2**31 - 1)
"""The library seeds its first guess with 31 bits; those of the replica's world seed."""


class Collaborative:
    """Ranks posts by the product of what was learned of the visitor and of the post, fitted anew every day.

    Factors x, y minimise Σ c (watched − x·y)² + λ (Σ|x|² + Σ|y|²) over all viewers and posts, c being the confidence
    where watched and 1 elsewhere. A visitor or a post of which nothing is known has no factors: such posts come in
    an order of each visitor's own, so a mix should hold another source that finds them.

    Class T2: the fit leans on a library's float32 arithmetic, on one thread and with a fixed first guess, which gives
    the same bits on one class of machine.

    Source: Hu, Koren, Volinsky (2008), Collaborative filtering for implicit feedback datasets, ICDM.
    """

    def __init__(self, wishes: facts.Collaborative) -> None:
        try:
            import implicit  # noqa: F401  # late: only a scenario that names the source needs it
        except ImportError:
            raise ScenarioError(
                "scenario: feed: the source 'collaborative' needs the package implicit, which is missing: "
                "pip install 'ecosim[learn]'"
            ) from None
        self._wishes = wishes

    def __call__(self, known: Known) -> Feed:
        """Fit to all that was watched so far."""
        fits = [self.factors(known, replica) for replica in range(len(known.seed))]
        viewers, posts = (np.stack([fit[side] for fit in fits]) for side in (0, 1))  # (R, V, F), (R, P, F)

        def feed(sight: Sight, num_slots: int) -> Array:
            replica = np.arange(len(sight.viewer))[:, None]
            of_posts = sight.known.of_candidates(posts).transpose(0, 2, 1)
            return by_score(sight, lambda part: viewers[replica, part.viewer] @ of_posts, num_slots)

        return feed

    def factors(self, known: Known, replica: int) -> tuple[Array, Array]:
        """Of the viewers and posts of a replica, whole numbers as float64: (viewers, factors), (posts, factors)."""
        from implicit.cpu.als import AlternatingLeastSquares
        from threadpoolctl import threadpool_limits

        wishes = self._wishes
        with threadpool_limits(1, "blas"):
            model = AlternatingLeastSquares(
                factors=wishes.factors,
                regularization=wishes.regularization,
                alpha=wishes.confidence,
                iterations=wishes.rounds,
                num_threads=1,
                random_state=int(known.seed[replica] & _SEED_BITS),
            )
            model.fit(_watched(known, replica), show_progress=False)
        return _whole(model.user_factors), _whole(model.item_factors)


def _watched(known: Known, replica: int):  # type: ignore[no-untyped-def]  # scipy comes without types
    """Who watched what, a sparse matrix of ones (viewers, posts)."""
    from scipy.sparse import csr_matrix

    num_places, packed = known.post.shape[1], known.has_watched[replica]
    row, column = np.nonzero(packed)
    mark = np.unpackbits(packed[row, column][:, None], axis=1, bitorder="little")
    at, bit = np.nonzero(mark)
    place = (column[at] * 8 + bit).astype(np.int32)
    viewer = row[at].astype(np.int32)
    return csr_matrix((np.ones(len(place), np.float32), (viewer, place)), shape=(len(packed), num_places))


def _whole(factors: Array) -> Array:
    return np.rint(factors.astype(np.float64) * UNIT)
