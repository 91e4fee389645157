"""The bandit feed: posts that may turn out well are tried, those that do are kept (Thompson sampling)."""

from __future__ import annotations

import numpy as np

from ecosim import seeds
from ecosim.community.facts import learned as facts
from ecosim.community.feeds import Feed, Known, Sight, by_score
from ecosim.fields import Array
from ecosim.rules import shares

GUESSES = 8
"""Draws of each post's worth a day. A draw for each visitor and post would cost their product; with these, visitors of
a day see at most eight different orders."""

UNIT = 2.0**32
"""Guesses are counts of so many parts."""


class Bandit:
    """Each visit ranks posts by a draw of the chance that one who is shown a post watches it.

    What is believed of that chance is Beta(`views` + views, `skips` + impressions − views). A day has eight draws of
    each post, of which every visitor meets one: a post of few impressions is sometimes guessed high, and so tried.
    What is learned today serves from tomorrow on.

    Draws:
        From the world's seed: of each post, keyed by the post and the number of the draw; which draw a visitor meets,
        keyed by the viewer.

    Source: Thompson (1933), On the likelihood that one unknown probability exceeds another; batches as in Chapelle, Li
    (2011), An empirical evaluation of Thompson sampling, NeurIPS.
    """

    def __init__(self, wishes: facts.Bandit) -> None:
        self._views, self._skips = wishes.views, wishes.skips

    def __call__(self, known: Known) -> Feed:
        """Draw what each post may be worth."""
        guess = self.guesses(known)  # (R, GUESSES, P)

        def feed(sight: Sight, num_slots: int) -> Array:
            replica = np.arange(len(sight.viewer))[:, None]
            of_posts = sight.known.of_candidates(guess.transpose(0, 2, 1)).transpose(0, 2, 1)
            return by_score(sight, lambda part: of_posts[replica, _which(part)], num_slots)

        return feed

    def guesses(self, known: Known) -> Array:
        """Draws of the chance that a post that is shown is watched, in 2**−32, whole numbers (R, GUESSES, P)."""
        num_replicas, num_places = known.post.shape
        replica = np.repeat(np.arange(num_replicas), GUESSES * num_places)
        number = np.tile(np.repeat(np.arange(GUESSES), num_places), num_replicas)
        place = np.tile(np.arange(num_places), num_replicas * GUESSES)
        views = known.views[replica, place]
        missed = np.maximum(known.impressions[replica, place] - views, 0)
        key = (np.maximum(known.post[replica, place], 0), number)
        drawn = shares.beta(
            self._views + views, self._skips + missed, seeds.WORLD, known.seed[replica], known.step, "bandit", key
        )
        return np.rint(drawn * UNIT).reshape(num_replicas, GUESSES, num_places)


def _which(sight: Sight) -> Array:
    """Which of the day's draws each visitor meets, int64 (R, n)."""
    seed = np.repeat(sight.known.seed, sight.viewer.shape[1])
    drawn = seeds.integers(GUESSES, seeds.WORLD, seed, sight.known.step, "bandit.visit", (sight.viewer.ravel(),))
    return drawn.reshape(sight.viewer.shape)
