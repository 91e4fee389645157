"""How posts come before viewers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, PlainSerializer, PlainValidator, model_validator

from ecosim.community.facts.learned import Bandit, Collaborative, Fairness
from ecosim.faults import did_you_mean
from ecosim.fields import is_plain
from ecosim.fingerprint import fingerprint
from ecosim.scenario import Count, Facts, Share

FeedSource = Literal[
    "random", "popular", "hot", "content", "cosine", "newest", "following", "social", "collaborative", "bandit"
]
SOURCES: tuple[FeedSource, ...] = get_args(FeedSource)


def stamp(function: Callable[..., Any]) -> str:
    """What a record says of a function: its name and its fingerprint."""
    return f"{getattr(function, '__name__', type(function).__name__)} {fingerprint(function)}"


def _function_or_stamp(value: object) -> object:
    if callable(value) or (isinstance(value, str) and is_plain(value)):
        return value
    raise ValueError(f"must be a function of a sight and a number of slots, got {value!r}")


def _stamped(value: Callable[..., Any] | str) -> str:
    return value if isinstance(value, str) else stamp(value)


OwnFeed = Annotated[
    Callable[..., Any] | str,
    PlainValidator(_function_or_stamp, json_schema_input_type=str),
    PlainSerializer(_stamped, return_type=str, when_used="json"),
]
"""A feed of the user's own; in a record only its stamp is left."""


class Feed(Facts):
    """How posts come before viewers.

    Attributes:
        kind: one source for the whole slate, or a mix.
        mix: of a mix, the source of each slot in turn, repeated as often as the slate needs; other kinds leave it.
        slate: posts shown a visit.
        kept_posts: how many of each creator's latest posts may be recommended.
        candidates: at most so many posts a day reach the sources: newest, most watched, and any, a third each; all if
            not said.
        explore_share: share of slots that go to any open post by lot, whatever the sources put there.
        prior_views: a in (views + a)^r, the chance in proportion of which the popular source shows a post.
        popularity_power: r in (views + a)^r.
        own: feeds of your own by name, which `mix` may name; given from Python, `run(…, feeds={"mine": my_feed})`.
        collaborative, bandit: of the sources of these names.
        fairness: what every slate owes to a group.
        shows_watched: whether a post that the viewer has watched keeps its place on the slate, where it counts as
            empty; without it, it is left out.
    """

    kind: Literal[FeedSource, "mix"] = "popular"
    mix: list[str] = Field(default_factory=list)
    slate: Count = 5
    kept_posts: Count = 3
    candidates: Count | None = None
    explore_share: Share = 0.0
    prior_views: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    popularity_power: Annotated[float, Field(ge=0, le=8)] = 1.0
    own: dict[str, OwnFeed] = Field(default_factory=dict)
    collaborative: Collaborative = Collaborative()
    bandit: Bandit = Bandit()
    fairness: Fairness | None = None
    shows_watched: bool = False

    def sources(self) -> list[str]:
        """The source of each slot."""
        turns = self.mix if self.kind == "mix" else [self.kind]
        return [turns[i % len(turns)] for i in range(self.slate)]

    def missing(self) -> list[str]:
        """Feeds of the user's own that are named but not at hand, one fault a line."""
        return [
            f"feed.own.{name}: a feed of your own, which no file can bring; from Python, pass feeds={{{name!r}: …}}"
            for name, one in self.own.items()
            if isinstance(one, str)
        ]

    @model_validator(mode="after")
    def _a_mix_names_its_sources(self) -> Self:
        if self.kind == "mix" and not self.mix:
            raise ValueError("a feed of kind 'mix' needs its sources in `mix`, such as [content, popular]")
        taken = [name for name in self.own if name in SOURCES]
        if taken:
            raise ValueError(f"own.{taken[0]}: there is a source of that name already; call yours otherwise")
        known = [*SOURCES, *self.own]
        for i, name in enumerate(self.mix):
            if name not in known:
                hint = did_you_mean(name, known).replace("known keys", "known")
                raise ValueError(f"mix[{i}]: unknown source {name!r}{hint}; your own go to feeds={{…}} of `run`")
        return self


def with_functions(own: Mapping[str, str], given: Mapping[str, object]) -> tuple[dict[str, object], list[str]]:
    """The feeds that a record names by their stamps, as functions again; and what is wrong, one fault a line."""
    found: dict[str, object] = {}
    faults = []
    for name, then in own.items():
        now = given.get(name)
        if now is None:
            faults.append(
                f"feed {name!r} ({then}) is a function of the user's own and can't be had from a folder; from Python, "
                f"pass own={{{name!r}: …}}"
            )
        elif not callable(now) or stamp(now) != then:
            faults.append(
                f"feed {name!r} is not what it was when this run began (its code has changed), so the digest can't be "
                "the same; bring it back, or run anew"
            )
        else:
            found[name] = now
    return found, faults
