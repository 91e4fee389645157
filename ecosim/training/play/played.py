"""A player that learnt to negotiate by play, as a teacher of networks of any role."""

from __future__ import annotations

from functools import cache

import numpy as np

from ecosim import catalog
from ecosim.errors import CatalogError
from ecosim.fields import Choice
from ecosim.training.imitation.collect import Lesson
from ecosim.training.play import player as players
from ecosim.training.play.player import Player
from ecosim.words import Question

PHASE = "negotiate"
PLACE = ("distributor", "player.safetensors")
"""Where the shipped player lies in the catalogue: in which role's folder, in which file."""


class Played:
    """A player as a teacher: the chances of acts, and the price that it would offer.

    What is not the price (quantity, week, penalty, words) is answered as the market's tactics do.
    """

    name = "play"

    def __init__(self, player: Player) -> None:
        self.player = player

    def teach(self, question: Question) -> Lesson:
        """Its answers; acts with their chances."""
        chances, place = players.weighed(self.player, players.valued(question))
        answers = players.decided(question, chances.argmax(axis=1), place)
        field = question.field("act")
        assert isinstance(field, Choice)
        acts = np.broadcast_to(np.arange(len(field.options)), chances.shape)
        return Lesson(question=question, answers=answers, soft={"act": (acts, chances)})


def teacher(role: str, phase: str) -> Played:
    """The shipped player, which negotiates alike in every role.

    Raises:
        CatalogError: another phase, or no player in the catalogue.
    """
    if phase != PHASE:
        raise CatalogError(f"{role}.{phase}: no teacher 'play'; it teaches {PHASE} only")
    return Played(shipped())


@cache
def shipped() -> Player:
    """The player that came out of the recipe.

    Raises:
        CatalogError: it is not in the catalogue.
    """
    return players.load(catalog.root().joinpath("agents", *PLACE))
