"""What a community scenario may say: niches and topics, creators, viewers, feed, prices; all checks of the file alone.

Appeal is measured in log-odds throughout: a post of appeal 0 is watched by one of two viewers who see nothing else and
for whom doing something else is worth 0 too. So a scenario can state a chance q of watching as log(q / (1 − q)).
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ecosim.scenario import Amount, Count, Facts, Scenario, Share, Whole

CreatorRole = Literal["human_creator", "ai_creator"]
ROLES: tuple[CreatorRole, ...] = ("human_creator", "ai_creator")
FeedSource = Literal["random", "popular", "hot", "content"]
LogOdds = Annotated[float, Field(ge=-50, le=50, json_schema_extra={"unit": "log-odds"})]


class Niche(Facts):
    """A field that creators and viewers are at home in.

    Attributes:
        topics: what posts of the niche are about.
        audience: how many viewers it is the favourite niche of, relative to the other niches.
    """

    topics: Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]
    audience: Count = 1


class Creators(Facts):
    """A group of like creators.

    Attributes:
        role: human or AI.
        niche: where its skill lies.
        count: how many.
        skill: appeal of its posts in its niche, log-odds.
        skill_spread: standard deviation of skill within the group, drawn once a replica.
        cash_eur: what each owns before day 1.
    """

    role: CreatorRole
    niche: str
    count: Count = 1
    skill: LogOdds = 0.0
    skill_spread: Amount = 0.0
    cash_eur: Amount = 0.0


class Viewers(Facts):
    """The audience, and what the scripted viewers weigh.

    Attributes:
        count: how many at most.
        at_start: how many are there on day 1; all if not said.
        arrivals_per_day: newcomers a day.
        growth_per_day: more newcomers a day, as a share of all that have come so far.
        visit_chance: chance that a viewer who has not left looks at the feed on a day.
        taste_spread: standard deviation of a viewer's taste over topics, log-odds.
        favourite_bonus: appeal that a viewer's favourite niche adds.
        bond: appeal that following a post's creator adds.
        ai_appeal: appeal that the label "made by AI" adds; negative where viewers are averse to it.
        title_appeal: appeal of a title that fits its topic wholly; 0 without title vectors.
        skip: appeal of watching nothing.
        like_bar: appeal of a post that half of its watchers like.
        follow_bar: appeal of a post at which half of its watchers follow its creator.
        leave: log-odds of leaving for good after a visit.
        leave_per_idle_day: what each visit on end without anything watched adds to `leave`.
        watch_again: whether a post that a viewer has watched may be shown to the same viewer again.
    """

    count: Count
    at_start: Whole | None = None
    arrivals_per_day: Whole = 0
    growth_per_day: Amount = 0.0
    visit_chance: Share = 1.0
    taste_spread: Amount = 1.0
    favourite_bonus: LogOdds = 1.0
    bond: LogOdds = 0.5
    ai_appeal: LogOdds = 0.0
    title_appeal: LogOdds = 0.0
    skip: LogOdds = 2.0
    like_bar: LogOdds = 2.0
    follow_bar: LogOdds = 4.0
    leave: LogOdds = -6.0
    leave_per_idle_day: LogOdds = 0.5
    watch_again: bool = False


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

    kind: Literal["random", "popular", "hot", "content", "mix"] = "popular"
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
    """

    every_days: Count = 1
    low: Effort = Effort()
    medium: Effort = Effort()
    high: Effort = Effort()
    noise: Amount = 0.0
    outside_niche: LogOdds = -1.0
    title_vectors: Literal["none", "words", "minilm"] = "none"
    title_dims: Annotated[int, Field(ge=8, le=256)] = 32


class Trends(Facts):
    """How the heat of topics moves: each day heat = persistence · heat + volatility · normal draw, in log-odds.

    Attributes:
        persistence: the share of yesterday's heat that is left.
        volatility: standard deviation of what a day adds, log-odds; 0: no fashion.
    """

    persistence: Share = 0.9
    volatility: Amount = 0.0


class CommunityScenario(Scenario):
    """A creator community; a step is a day.

    Attributes:
        niches: fields that creators and viewers are at home in, by name.
        creators: groups of like creators, numbered through in this order.
        viewers: the audience, and what scripted viewers weigh.
        feed: how posts come before viewers.
        publishing: how posts are made.
        trends: how fashion moves, topic by topic.
        ads_eur_per_view: what advertisers pay a creator for a view.
    """

    world: Literal["community"]
    niches: Annotated[dict[str, Niche], Field(min_length=1)]
    creators: Annotated[list[Creators], Field(min_length=1)]
    viewers: Viewers
    feed: Feed = Feed()
    publishing: Publishing = Publishing()
    trends: Trends = Trends()
    ads_eur_per_view: Amount = 0.0

    @property
    def topics(self) -> tuple[str, ...]:
        """All topics, niche by niche."""
        return tuple(topic for niche in self.niches.values() for topic in niche.topics)

    @property
    def num_creators(self) -> int:
        """How many creators there are."""
        return sum(group.count for group in self.creators)

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        faults = [*self._niche_faults(), *self._size_faults()]
        if faults:
            raise ValueError("\n".join(faults))
        return self

    def _niche_faults(self) -> list[str]:
        twice = sorted(topic for topic, times in Counter(self.topics).items() if times > 1)
        faults = [f"niches: topic {topic!r} is named twice" for topic in twice]
        return faults + [
            f"creators[{i}].niche: unknown niche {group.niche!r}; known: {', '.join(self.niches)}"
            for i, group in enumerate(self.creators)
            if group.niche not in self.niches
        ]

    def _size_faults(self) -> list[str]:
        viewers, faults = self.viewers, []
        if self.feed.slate > self.num_creators:
            faults.append(f"feed.slate: {self.feed.slate} posts a visit need as many creators, got {self.num_creators}")
        if viewers.at_start is not None and viewers.at_start > viewers.count:
            faults.append(f"viewers.at_start: at most viewers.count = {viewers.count}, got {viewers.at_start}")
        if viewers.title_appeal and self.publishing.title_vectors == "none":
            faults.append("viewers.title_appeal: needs publishing.title_vectors: words or minilm, got none")
        if self.steps * self.num_creators >= 2**31:
            faults.append(f"steps: steps × creators must stay below 2**31, got {self.steps * self.num_creators}")
        return faults
