"""What a community scenario may say: all its keys, and the checks that need only the file."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ecosim.community import edges
from ecosim.community.facts import entry as entering
from ecosim.community.facts.collaboration import Collaboration
from ecosim.community.facts.contest import Contest
from ecosim.community.facts.entry import Entry
from ecosim.community.facts.feed import Feed
from ecosim.community.facts.graph import Graph
from ecosim.community.facts.moderation import Moderation
from ecosim.community.facts.opinions import Opinions
from ecosim.community.facts.people import Creators, Niche
from ecosim.community.facts.platform import Platform
from ecosim.community.facts.publishing import Publishing
from ecosim.community.facts.revenue import Revenue
from ecosim.community.facts.tastes import Tastes
from ecosim.community.facts.trends import Trends
from ecosim.community.facts.viewers import Viewers
from ecosim.scenario import Amount, Scenario

PhaseName = Literal[
    "enter", "arrive", "forecast", "steer", "invite", "split", "publish", "credit", "compose", "screen", "recommend",
    "react", "spread", "review", "appeal", "discuss", "settle", "award", "royalties", "quit",
]  # fmt: skip
DAY: tuple[PhaseName, ...] = (
    "enter", "arrive", "forecast", "steer", "invite", "split", "publish", "credit", "compose", "screen", "recommend",
    "react", "spread", "review", "appeal", "discuss", "settle", "award", "royalties", "quit",
)  # fmt: skip
"""The usual order of a day; of the phases in NEEDS, a day has those whose key the scenario has."""
NEEDS: dict[PhaseName, str] = {
    "enter": "entry", "forecast": "platform", "steer": "platform", "invite": "collaboration", "split": "collaboration",
    "credit": "collaboration", "compose": "moderation", "screen": "moderation", "spread": "graph",
    "review": "moderation", "appeal": "moderation", "discuss": "opinions", "award": "contest",
    "royalties": "collaboration", "quit": "entry",
}  # fmt: skip
"""Phases that do nothing without a key of the scenario, and that key."""


class CommunityScenario(Scenario):
    """A creator community; a step is a day.

    Attributes:
        niches: fields that creators and viewers are at home in, by name.
        creators: groups of like creators, numbered through in this order.
        viewers: the audience, and what scripted viewers weigh.
        feed: how posts come before viewers.
        publishing: how posts are made.
        trends: how fashion moves, topic by topic.
        tastes: how a viewer's taste meets a post.
        graph: who is tied to whom among viewers, and how what they share spreads; none if not said.
        opinions: what viewers think of a matter, and how they come closer; none if not said.
        ads_eur_per_view: what advertisers pay a creator for a view.
        ads_eur_per_view: what advertisers pay for a view: its creator, or with `revenue` the platform.
        revenue: what the platform takes in, and how it is shared out.
        contest: a prize that creators compete for every few days.
        entry: creators may come and quit.
        moderation: harm in posts, and who looks for it; none by default.
        collaboration: how creators make joint works; none if not said.
        platform: the platform as a member; it is none if not said.
        phases: what happens in a day, in order; by default the usual day with what the scenario has.
    """

    world: Literal["community"]
    niches: Annotated[dict[str, Niche], Field(min_length=1)]
    creators: Annotated[list[Creators], Field(min_length=1)]
    viewers: Viewers
    feed: Feed = Feed()
    publishing: Publishing = Publishing()
    trends: Trends = Trends()
    tastes: Tastes = Tastes()
    graph: Graph | None = None
    opinions: Opinions | None = None
    ads_eur_per_view: Amount = 0.0
    revenue: Revenue | None = None
    contest: Contest | None = None
    entry: Entry | None = None
    moderation: Moderation | None = None
    collaboration: Collaboration | None = None
    platform: Platform | None = None
    phases: list[PhaseName] = Field(default_factory=list)

    @property
    def topics(self) -> tuple[str, ...]:
        """All topics, niche by niche."""
        return tuple(topic for niche in self.niches.values() for topic in niche.topics)

    @property
    def num_creators(self) -> int:
        """How many creators there are."""
        return sum(group.count for group in self.creators)

    def file_faults(self) -> list[str]:
        """What is wrong with the files that the scenario names."""
        return edges.faults(self)

    @model_validator(mode="after")
    def _has_a_day(self) -> Self:
        if not self.phases:
            usual = [name for name in DAY if name not in NEEDS or getattr(self, NEEDS[name]) is not None]
            object.__setattr__(self, "phases", usual)
        return self

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        faults = [
            *self._niche_faults(),
            *self._moderation_faults(),
            *self._taste_faults(),
            *self._size_faults(),
            *self._phase_faults(),
            *entering.faults(self),
            *self.trends.faults(self.niches, self.topics),
            *(self.collaboration.faults(self.niches) if self.collaboration else ()),
        ]
        faults += self._graph_faults()
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

    def _moderation_faults(self) -> list[str]:
        shares = {} if self.moderation is None else self.moderation.harm.coastal_shares
        return [
            f"moderation.harm.coastal_shares: unknown niche {name!r}; known: {', '.join(self.niches)}"
            for name in shares
            if name not in self.niches
        ]

    def _taste_faults(self) -> list[str]:
        if self.tastes.kind != "points":
            return []
        places, topics = self.tastes.places, self.topics
        known = ", ".join(topics)
        strange = [f"tastes.places: unknown topic {name!r}; known: {known}" for name in places if name not in topics]
        return strange + [f"tastes.places: topic {name!r} has no place" for name in topics if name not in places]

    def _graph_faults(self) -> list[str]:
        faults = [] if self.graph is None else self.graph.size_faults(self.viewers.count)
        if self.opinions is not None and self.opinions.needs_ties and (self.graph is None or not self.graph.has_ties):
            faults.append(
                "opinions: these opinions move along ties; add the key graph, of a kind other than well_mixed"
            )
        return faults

    def _phase_faults(self) -> list[str]:
        faults = [] if len(set(self.phases)) == len(self.phases) else ["phases: a phase is listed twice"]
        lacking = [name for name in self.phases if name in NEEDS and getattr(self, NEEDS[name]) is None]
        return faults + [f"phases: {name!r} does nothing without the key '{NEEDS[name]}'; add it" for name in lacking]

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
