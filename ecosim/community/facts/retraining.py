"""Creators whose models are fitted, over and over, to what was posted."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ecosim.scenario import Count, Facts, Share


class Retraining(Facts):
    """What AI creators learn from; every AI creator has a model of its own. Minds called `model` draw from it.

    Attributes:
        every_days: models are fitted again at the end of every so many days.
        keep: whether a corpus is drawn from the posts since the last fit (`replace`) or from all so far (`accumulate`).
        of: whose AI posts a creator learns from: its `own`, those of `others`, or `all`.
        human_share: part of a corpus that humans made.
        posts: posts in a corpus; if not said, all AI posts there are, and human ones to make up their share.
        curated_by: what makes a post likelier to be in a corpus: nothing, or (views or likes) + 1.
        style_dims: dimensions of style.
        topic_power: humans post in each niche in proportion to its audience, there on the k-th topic to k^−power.
    """

    every_days: Count = 7
    keep: Literal["replace", "accumulate"] = "replace"
    of: Literal["own", "others", "all"] = "all"
    human_share: Share = 0.0
    posts: Count | None = None
    curated_by: Literal["nothing", "views", "likes"] = "nothing"
    style_dims: Annotated[int, Field(ge=1, le=64)] = 4
    topic_power: Annotated[float, Field(ge=0, le=8)] = 0.0

    @model_validator(mode="after")
    def _a_choice_needs_a_number(self) -> Self:
        if self.curated_by != "nothing" and self.posts is None:
            raise ValueError(f"curated_by: {self.curated_by!r} needs `posts`: who takes all posts chooses none")
        return self

    def num_human(self) -> int | None:
        """Human posts in a corpus; None where it depends on how many AI posts there are."""
        return None if self.posts is None else round(self.posts * self.human_share)
