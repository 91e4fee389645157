"""How posts are made."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ecosim.community.facts.people import LogOdds
from ecosim.scenario import Amount, Count, Facts


class Effort(Facts):
    """A level of effort.

    Attributes:
        cost_eur: what a post of this effort costs its creator.
        appeal: what this effort adds to a post.
    """

    cost_eur: Amount = 0.0
    appeal: LogOdds = 0.0


class Publishing(Facts):
    """How posts are made.

    Attributes:
        every_days: creators publish on days 1, 1 + every_days, …
        low: the effort that may always be chosen.
        medium, high: efforts for whoever can pay.
        noise: standard deviation of a post's appeal around what skill and effort give.
        outside_niche: appeal that a topic outside the creator's niche adds, as a rule below 0.
        title_vectors: how titles become vectors: not at all, by their words, or by the encoder model MiniLM.
        title_dims: signs in a title's vector.
        shows_rivals: whether creators are told the audience of each topic and what others have posted on it.
    """

    every_days: Count = 1
    low: Effort = Effort()
    medium: Effort = Effort()
    high: Effort = Effort()
    noise: Amount = 0.0
    outside_niche: LogOdds = -1.0
    title_vectors: Literal["none", "words", "minilm"] = "none"
    title_dims: Annotated[int, Field(ge=8, le=256)] = 32
    shows_rivals: bool = False
