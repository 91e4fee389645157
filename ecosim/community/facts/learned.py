"""Feeds that learn, and what a ranking owes to a group."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ecosim.scenario import Count, Facts, Share


class Collaborative(Facts):
    """Matrix factorisation of who watched what.

    Attributes:
        factors: dimensions of viewers and posts.
        confidence: what a watched post weighs against one that was not, which weighs 1.
        regularization: how strongly factors are held near 0.
        rounds: of alternating least squares a day.
    """

    factors: Annotated[int, Field(ge=1, le=256)] = 16
    confidence: Annotated[float, Field(gt=0, le=10_000)] = 40.0
    regularization: Annotated[float, Field(gt=0, le=1_000)] = 0.1
    rounds: Annotated[int, Field(ge=1, le=100)] = 3


class Bandit(Facts):
    """What Thompson sampling believes of a post before it has been shown.

    Attributes:
        views: taken as watched already.
        skips: taken as shown and passed over already.
    """

    views: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    skips: Annotated[float, Field(gt=0, le=1e6)] = 4.0


class Fairness(Facts):
    """What every slate owes to a group of posts, whichever sources fill it.

    Attributes:
        group: posts of human creators, of AI creators, or those that have been shown least (`few_impressions`).
        share: of the slate that they must have, at every place counted from its head.
        significance: of FA*IR's test: a head may fall short as far as chance would take it; None: never.
        few_impressions: fewer than so many make a post little seen.
    """

    group: Literal["human_creator", "ai_creator", "little_seen"]
    share: Share
    significance: Annotated[float, Field(gt=0, lt=1)] | None = None
    few_impressions: Count = 100
