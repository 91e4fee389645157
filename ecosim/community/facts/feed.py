"""How posts come before viewers."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ecosim.scenario import Count, Facts

FeedSource = Literal["random", "popular", "hot", "content", "cosine", "newest", "following"]


class Feed(Facts):
    """How posts come before viewers.

    Attributes:
        kind: one source for the whole slate, or a mix.
        mix: of a mix, the source of each slot in turn, repeated as often as the slate needs; other kinds leave it.
        slate: posts shown a visit.
        kept_posts: how many of each creator's latest posts may be recommended.
        prior_views: a in (views + a)^r, the chance in proportion of which the popular source shows a post.
        popularity_power: r in (views + a)^r.
    """

    kind: Literal[FeedSource, "mix"] = "popular"
    mix: list[FeedSource] = Field(default_factory=list)
    slate: Count = 5
    kept_posts: Count = 3
    prior_views: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    popularity_power: Annotated[float, Field(ge=0, le=8)] = 1.0

    def sources(self) -> list[FeedSource]:
        """The source of each slot."""
        turns: list[FeedSource] = self.mix if self.kind == "mix" else [self.kind]
        return [turns[i % len(turns)] for i in range(self.slate)]

    @model_validator(mode="after")
    def _a_mix_names_its_sources(self) -> Self:
        if self.kind == "mix" and not self.mix:
            raise ValueError("a feed of kind 'mix' needs its sources in `mix`, such as [content, popular]")
        return self
