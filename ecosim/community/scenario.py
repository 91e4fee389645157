"""What a community scenario may say: all its keys, and the checks that need only the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from ecosim import datasets
from ecosim.community import catalogue, edges
from ecosim.community.facts import entry as entering
from ecosim.community.facts.audience import Audience
from ecosim.community.facts.catalogue import Catalogue
from ecosim.community.facts.collaboration import Collaboration
from ecosim.community.facts.contest import Contest
from ecosim.community.facts.entry import Turnover
from ecosim.community.facts.feed import Feed, with_functions
from ecosim.community.facts.graph import Graph
from ecosim.community.facts.moderation import Moderation
from ecosim.community.facts.opinions import Opinions
from ecosim.community.facts.people import Creators, Niche
from ecosim.community.facts.platform import Platform
from ecosim.community.facts.publishing import Publishing
from ecosim.community.facts.retraining import Retraining
from ecosim.community.facts.revenue import Revenue
from ecosim.community.facts.tastes import Tastes
from ecosim.community.facts.trends import Trends
from ecosim.community.facts.viewers import Viewers
from ecosim.scenario import Amount, Scenario

PhaseName = Literal[
    "enter", "come_back", "arrive", "forecast", "steer", "invite", "split", "publish", "credit", "compose", "trace",
    "screen", "recommend", "react", "spread", "reflect", "review", "appeal", "discuss", "settle", "award",
    "royalties", "retrain", "quit",
]  # fmt: skip
DAY: tuple[PhaseName, ...] = (
    "enter", "come_back", "arrive", "forecast", "steer", "invite", "split", "publish", "credit", "compose", "trace",
    "screen", "recommend", "react", "spread", "reflect", "review", "appeal", "discuss", "settle", "award",
    "royalties", "retrain", "quit",
)  # fmt: skip
"""The usual order of a day; of the phases in NEEDS, a day has those whose key the scenario has."""
NEEDS: dict[PhaseName, str] = {
    "enter": "entry", "come_back": "audience", "forecast": "platform", "steer": "platform", "invite": "collaboration",
    "split": "collaboration", "credit": "collaboration", "compose": "moderation", "trace": "retraining",
    "screen": "moderation", "spread": "graph", "reflect": "audience", "review": "moderation", "appeal": "moderation",
    "discuss": "opinions", "royalties": "collaboration", "award": "contest", "retrain": "retraining", "quit": "entry",
}  # fmt: skip
"""Phases that do nothing without a key of the scenario, and that key."""


class CommunityScenario(Scenario):
    """A creator community; a step is a day.

    Attributes:
        niches: fields that creators and viewers are at home in, by name; from the catalogue where there is one.
        catalogue: niches, topics and titles taken from films; none by default.
        creators: groups of like creators, numbered through in this order.
        viewers: the audience, and what scripted viewers weigh.
        feed: how posts come before viewers.
        publishing: how posts are made.
        trends: how fashion moves, topic by topic.
        tastes: how a viewer's taste meets a post.
        graph: who is tied to whom among viewers, and how what they share spreads; none if not said.
        opinions: what viewers think of a matter, and how they come closer; none if not said.
        audience: what viewers do and feel beyond the plain day; nothing by default.
        ads_eur_per_view: what advertisers pay for a view: its creator, or with `revenue` the platform.
        revenue: what the platform takes in, and how it is shared out.
        contest: a prize that creators compete for every few days.
        entry: creators may come and quit.
        moderation: harm in posts, and who looks for it; none by default.
        retraining: what AI creators' models learn from; without it nobody retrains.
        collaboration: how creators make joint works; none if not said.
        platform: the platform as a member; it is none if not said.
        judge: who measures titles: hashed letters, hashed words, or the encoder model MiniLM; none if not said.
        phases: what happens in a day, in order; by default the usual day with what the scenario has.
    """

    world: Literal["community"]
    niches: dict[str, Niche] = Field(default_factory=dict)
    catalogue: Catalogue | None = None
    creators: Annotated[list[Creators], Field(min_length=1)]
    viewers: Viewers
    feed: Feed = Feed()
    publishing: Publishing = Publishing()
    trends: Trends = Trends()
    tastes: Tastes = Tastes()
    graph: Graph | None = None
    opinions: Opinions | None = None
    audience: Audience | None = None
    ads_eur_per_view: Amount = 0.0
    revenue: Revenue | None = None
    contest: Contest | None = None
    entry: Turnover | None = None
    moderation: Moderation | None = None
    retraining: Retraining | None = None
    collaboration: Collaboration | None = None
    platform: Platform | None = None
    judge: Literal["letters", "words", "minilm"] | None = None
    phases: list[PhaseName] = Field(default_factory=list)

    @property
    def topics(self) -> tuple[str, ...]:
        """All topics, niche by niche."""
        return tuple(topic for niche in self.niches.values() for topic in niche.topics)

    @property
    def num_creators(self) -> int:
        """How many creators there are."""
        return sum(group.count for group in self.creators)

    @property
    def functions(self) -> dict[str, Callable[..., Any]]:
        """Feeds of the user's own."""
        return {name: feed for name, feed in self.feed.own.items() if not isinstance(feed, str)}

    @classmethod
    def with_functions(cls, data: Mapping[str, Any], own: Mapping[str, object]) -> tuple[dict[str, Any], list[str]]:
        """A recorded scenario with the user's own feeds in place again."""
        found, faults = with_functions(data["feed"].get("own", {}), own)
        return {**data, "feed": {**data["feed"], "own": found}}, faults

    def file_faults(self) -> list[str]:
        """What is wrong with the files that the scenario names, and feeds that no file can bring."""
        rated = datasets.fault("movielens-100k") if self.tastes.kind == "ratings" else ""
        return [*edges.faults(self), *self.feed.missing(), *([f"tastes: {rated}"] if rated else [])]

    @model_validator(mode="after")
    def _has_niches(self) -> Self:
        films = self.catalogue
        if films is not None and (fault := datasets.fault(films.source)):
            raise ValueError(f"catalogue: {fault}")
        if films is not None and not self.niches:
            object.__setattr__(self, "niches", catalogue.niches(films.niches, films.topics))
        if not self.niches:
            raise ValueError("niches: missing; this key is required, at least one niche with its topics")
        return self

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
            *self._graph_faults(),
            *self._retraining_faults(),
            *self.trends.faults(self.niches, self.topics),
            *(self.collaboration.faults(self.niches) if self.collaboration else ()),
        ]
        if faults:
            raise ValueError("\n".join(faults))
        return self

    def _niche_faults(self) -> list[str]:
        twice = sorted(topic for topic, times in Counter(self.topics).items() if times > 1)
        faults = [f"niches: topic {topic!r} is named twice" for topic in twice]
        if self.catalogue is not None:
            such = catalogue.topic_name("Drama", 1990)
            faults += [
                f"niches: no films on topic {t!r}; on {such!r} there are" for t in catalogue.strange(self.topics)
            ]
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
            return self.tastes.genre_faults(self.niches)
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

    def _retraining_faults(self) -> list[str]:
        facts = self.retraining
        if facts is None:
            return []
        ai = sum(group.count for group in self.creators if group.role == "ai_creator")
        humans, faults = self.num_creators - ai, []
        if ai < 1 + (facts.of == "others"):
            faults.append(f"retraining.of: {facts.of!r} needs {1 + (facts.of == 'others')} AI creators, got {ai}")
        if facts.human_share and not humans:
            faults.append(f"retraining.human_share: {facts.human_share:g} needs human creators, there are none")
        if self.tastes.kind == "dot" and facts.style_dims != self.tastes.dims:
            faults.append(
                f"retraining.style_dims: tastes of kind 'dot' are for style; must be tastes.dims, "
                f"{self.tastes.dims}, got {facts.style_dims}"
            )
        return faults

    def _phase_faults(self) -> list[str]:
        faults = [] if len(set(self.phases)) == len(self.phases) else ["phases: a phase is listed twice"]
        lacking = [name for name in self.phases if name in NEEDS and getattr(self, NEEDS[name]) is None]
        return faults + [f"phases: {name!r} does nothing without the key '{NEEDS[name]}'; add it" for name in lacking]

    def _size_faults(self) -> list[str]:
        viewers, faults = self.viewers, []
        places = self.num_creators * self.feed.kept_posts
        if self.feed.slate > places:
            faults.append(
                f"feed.slate: {self.feed.slate} posts a visit need as many places, got {places}: "
                f"{self.num_creators} creators × kept_posts {self.feed.kept_posts}"
            )
        if viewers.at_start is not None and viewers.at_start > viewers.count:
            faults.append(f"viewers.at_start: at most viewers.count = {viewers.count}, got {viewers.at_start}")
        if viewers.title_appeal and self.publishing.title_vectors == "none":
            faults.append("viewers.title_appeal: needs publishing.title_vectors: words or minilm, got none")
        if self.judge is not None and self.judge == self.publishing.title_vectors:
            faults.append(f"judge: {self.judge!r} ranks the feed (publishing.title_vectors); name another encoder")
        if self.steps * self.num_creators >= 2**31:
            faults.append(f"steps: steps × creators must stay below 2**31, got {self.steps * self.num_creators}")
        return faults
