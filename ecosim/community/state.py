"""The community's state: which tables there are, how they lie, and how they stand before day 1.

All replicas of a run have the same numbers of creators, viewers, topics and places for posts, so every table is a block
of (replicas, things); `grid` looks at a column that way. A creator's latest posts stand in `kept_posts` places that are
written in turn: place `turn · creators + creator` of its replica. A post's id is (day − 1) · creators + creator.
`columns.TABLES` says what each
table and column is. Whom viewers follow and what they have watched are bits (`community.bits`).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import count

import numpy as np

from ecosim import seeds
from ecosim.community import bits
from ecosim.community.facts.people import ROLES
from ecosim.community.scenario import CommunityScenario
from ecosim.community.tastes import ByRatings, tastes
from ecosim.exact import micro
from ecosim.fields import Array
from ecosim.rules.ledger import Ledger
from ecosim.side import Books
from ecosim.words import Table

BOOKS = Books(
    assets=("cash",),
    externals=("advertisers", "nature", "owners", "models", "subscribers", "platform"),
    reasons=("capital", "ads", "effort", "models", "interventions", "fees", "payouts", "prizes", "upkeep", "royalties"),
)
NO_INCOME = ("capital", "interventions")
"""Reasons for which cash comes and goes without being earned or spent."""
NOBODY = -1
"""Where a post's id or a slate's place is empty."""

NICHE_WEIGHT = 8
"""What the feed's profile of a new viewer says of the favourite niche: as much as eight watched posts."""

REMEMBERED_LAYOUTS = 8
_REMEMBERED: dict[int, tuple[CommunityScenario, Layout]] = {}
_BUILD = "build"


@dataclass(frozen=True, slots=True)
class Layout:
    """Who is who in a replica, the same in all.

    Attributes:
        names, role, niche: by creator: name, code into ROLES, number of the niche.
        niches, topics: their names, in the order of the scenario.
        topic_niche: the niche of each topic.
        num_viewers: how many there are at most.
        kept: places for posts that each creator has.
        title_dims: signs that a title has.
    """

    names: tuple[str, ...]
    role: Array
    niche: Array
    niches: tuple[str, ...]
    topics: tuple[str, ...]
    topic_niche: Array
    num_viewers: int
    kept: int
    title_dims: int

    @property
    def num_creators(self) -> int:
        """Creators in a replica."""
        return len(self.names)

    @property
    def num_topics(self) -> int:
        """Topics in a replica."""
        return len(self.topics)

    @property
    def num_places(self) -> int:
        """Places for posts in a replica."""
        return self.num_creators * self.kept

    @property
    def num_signs(self) -> int:
        """How long the vector of a post and the profile of a viewer are: niches, topics, signs of the title."""
        return len(self.niches) + len(self.topics) + self.title_dims

    def creator_row(self, replica: Array, creator: Array) -> Array:
        """Row in `creators`."""
        return replica * self.num_creators + creator

    def viewer_row(self, replica: Array, viewer: Array) -> Array:
        """Row in `viewers`."""
        return replica * self.num_viewers + viewer

    def post_row(self, replica: Array, place: Array) -> Array:
        """Row in `posts`."""
        return replica * self.num_places + place

    def topic_row(self, replica: Array, topic: Array) -> Array:
        """Row in `topics`."""
        return replica * self.num_topics + topic


def layout(scenario: CommunityScenario) -> Layout:
    """Who is who in a replica of a scenario; ids follow the order of the file. That of the last few is remembered."""
    if id(scenario) not in _REMEMBERED:
        if len(_REMEMBERED) == REMEMBERED_LAYOUTS:
            del _REMEMBERED[next(iter(_REMEMBERED))]
        _REMEMBERED[id(scenario)] = (scenario, _layout(scenario))  # the scenario too: so its id stays its own
    return _REMEMBERED[id(scenario)][1]


def _layout(scenario: CommunityScenario) -> Layout:
    niches = tuple(scenario.niches)
    return Layout(
        names=_creator_names(scenario),
        role=_by_creator(scenario, [ROLES.index(group.role) for group in scenario.creators]),
        niche=_by_creator(scenario, [niches.index(group.niche) for group in scenario.creators]),
        niches=niches,
        topics=scenario.topics,
        topic_niche=np.repeat(np.arange(len(niches)), [len(n.topics) for n in scenario.niches.values()]),
        num_viewers=scenario.viewers.count,
        kept=scenario.feed.kept_posts,
        title_dims=_title_dims(scenario),
    )


def _title_dims(scenario: CommunityScenario) -> int:
    return 0 if scenario.publishing.title_vectors == "none" else scenario.publishing.title_dims


def _creator_names(scenario: CommunityScenario) -> tuple[str, ...]:
    """What each creator of a replica is called: `music_human_1`, by niche and kind, numbered through."""
    number: defaultdict[str, count[int]] = defaultdict(lambda: count(1))
    kinds = [(f"{group.niche}_{group.role.removesuffix('_creator')}", group.count) for group in scenario.creators]
    return tuple(f"{kind}_{next(number[kind])}" for kind, size in kinds for _ in range(size))


def grid(table: Table, column: str, num_replicas: int) -> Array:
    """A column as (replicas, things, …): a view, so that writing to it writes to the table."""
    values = table[column]
    return values.reshape(num_replicas, len(values) // num_replicas, *values.shape[1:])


def books(_scenario: CommunityScenario) -> Books:
    """The names of the ledger."""
    return BOOKS


def num_bytes(scenario: CommunityScenario) -> dict[str, int]:
    """What the tables of one replica take at least, in bytes, by the counts that make them; from the file alone."""
    creators, viewers, slate = scenario.num_creators, scenario.viewers.count, scenario.feed.slate
    topics, places = len(scenario.topics), creators * scenario.feed.kept_posts
    signs = len(scenario.niches) + topics + _title_dims(scenario)
    return {
        "viewers.count (× topics, title_dims)": viewers * (6 * 8 + 2 * (scenario.tastes.num_dims or topics) + signs),
        "viewers.count (× feed.slate)": viewers * 4 * slate,
        "viewers.count (× creators)": viewers * creators // 8,
        "viewers.count (× creators × feed.kept_posts)": viewers * places // 8,
        "creators (count × topics)": 8 * creators * (12 + 3 * topics),
        "feed.kept_posts (× creators)": places * (14 * 8 + signs),
    }


def build(scenario: CommunityScenario, replicas: Table) -> dict[str, Table]:
    """All tables of the plain day but `replicas`, as they stand before day 1; `side` says what is drawn."""
    net = layout(scenario)
    return {
        "creators": _creators(scenario, net, replicas),
        "viewers": _viewers(scenario, net, replicas),
        "posts": _posts(scenario, net, replicas),
        "viewings": no_viewings(),
        "topics": _topics(net, replicas),
        "accounts": _accounts(scenario, net, replicas),
    }


def no_viewings() -> Table:
    """The empty table `viewings`."""
    whole = ("replica", "viewer", "place", "post", "creator", "topic", "slot")
    facts = {"worth": np.zeros(0), "is_liked": np.zeros(0, bool), "is_new_follow": np.zeros(0, bool)}
    return Table({**{name: np.zeros(0, np.int64) for name in whole}, **facts})


def text_column(texts: list[str] | tuple[str, ...]) -> Array:
    """Texts as a column of Python strings."""
    column = np.empty(len(texts), dtype=object)
    column[:] = texts
    return column


def arrival_days(scenario: CommunityScenario) -> Array:
    """The day on which each viewer of a replica first comes, int64 (viewers,); beyond the last day if never."""
    viewers = scenario.viewers
    come = micro(viewers.count if viewers.at_start is None else viewers.at_start)
    growth, daily = micro(viewers.growth_per_day), micro(viewers.arrivals_per_day)
    there = []
    for _ in range(scenario.steps):
        there.append(min(come // 10**6, viewers.count))
        come = min(come + come * growth // 10**6 + daily, micro(viewers.count))
    return np.searchsorted(np.array(there), np.arange(viewers.count), side="right") + 1


def _by_creator(scenario: CommunityScenario, values: list[int] | list[float]) -> Array:
    return np.repeat(np.array(values), [group.count for group in scenario.creators])


def _rows(replicas: Table, num_each: int) -> tuple[Array, Array, Array]:
    """Replica, number within the replica, and world seed of each row of a block."""
    replica = np.repeat(replicas["replica"], num_each)
    return replica, np.tile(np.arange(num_each), replicas.num_rows), replicas["world_seed"][replica]


def _creators(scenario: CommunityScenario, net: Layout, replicas: Table) -> Table:
    replica, member, seed = _rows(replicas, net.num_creators)
    num_rows = len(replica)
    luck = seeds.normal(seeds.WORLD, seed, 0, _BUILD, (member,), lane=0)
    counts = ("megaflops", "followers", "posts", "views", "likes", "views_last", "likes_last")
    by_topic = ("posts_by_topic", "views_by_topic", "likes_by_topic")
    is_ai = net.role == ROLES.index("ai_creator")
    return Table(
        {
            "replica": replica,
            "member": member,
            "role": net.role[member],
            "niche": net.niche[member],
            "skill": _by_creator(scenario, [g.skill for g in scenario.creators])[member]
            + _by_creator(scenario, [g.skill_spread for g in scenario.creators])[member] * luck,
            "pay_per_view": np.full(num_rows, micro(scenario.ads_eur_per_view)),
            "label_appeal": np.where(is_ai[member], scenario.viewers.ai_appeal, 0.0),
            "is_active": np.ones(num_rows, bool),
            **{name: np.zeros(num_rows, np.int64) for name in counts},
            **{name: np.zeros((num_rows, net.num_topics), np.int64) for name in by_topic},
        }
    )


def _viewers(scenario: CommunityScenario, net: Layout, replicas: Table) -> Table:
    replica, viewer, seed = _rows(replicas, net.num_viewers)
    num_rows = len(replica)
    kind = tastes(scenario, net)
    favourite = kind.favourites(viewer, seed) if isinstance(kind, ByRatings) else _favourites(scenario, viewer, seed)
    return Table(
        {
            "replica": replica,
            "viewer": viewer,
            "arrives": arrival_days(scenario)[viewer],
            "visit_chance": np.full(num_rows, scenario.viewers.visit_chance),
            "favourite": favourite,
            "taste": kind.of_viewers(viewer, seed, favourite),
            "profile": _first_profiles(net, favourite),
            "is_active": np.zeros(num_rows, bool),
            "has_left": np.zeros(num_rows, bool),
            "is_visiting": np.zeros(num_rows, bool),
            "slate": np.full((num_rows, scenario.feed.slate), NOBODY, np.int32),
            "follows": bits.none_set(num_rows, net.num_creators),
            "has_watched": bits.none_set(num_rows, net.num_places),
            "reached_by": np.zeros((num_rows, len(ROLES)), bool),
            "idle_days": np.zeros(num_rows, np.int64),
            "views": np.zeros(num_rows, np.int64),
        }
    )


def _favourites(scenario: CommunityScenario, viewer: Array, seed: Array) -> Array:
    """The niche that each viewer likes best, in proportion to the niches' audiences."""
    ends = np.cumsum([niche.audience for niche in scenario.niches.values()])
    ticket = seeds.integers(int(ends[-1]), seeds.WORLD, seed, 0, _BUILD, (viewer,), lane=1)
    return np.searchsorted(ends, ticket, side="right")


def _first_profiles(net: Layout, favourite: Array) -> Array:
    """What the feed knows of newcomers, int8 (viewers, signs): the niche that they ticked when they signed up."""
    profile = np.zeros((len(favourite), net.num_signs), np.int8)
    profile[np.arange(len(favourite)), favourite] = NICHE_WEIGHT
    return profile


def _posts(scenario: CommunityScenario, net: Layout, replicas: Table) -> Table:
    replica, place, _ = _rows(replicas, net.num_places)
    num_rows, num_traits = len(replica), scenario.tastes.num_dims
    totals = ("impressions", "views", "likes", "impressions_today", "views_today", "likes_today", "follows_today")
    none = np.zeros(0, np.int64)
    traits = tastes(scenario, net).of_posts(none, none, none.astype(np.uint64), 0)
    return Table(
        {
            "replica": replica,
            "place": place,
            "post": np.full(num_rows, NOBODY, np.int64),
            "day": np.zeros(num_rows, np.int64),
            "topic": np.zeros(num_rows, np.int64),
            "traits": np.zeros((num_rows, num_traits), traits.dtype),
            "is_open": np.zeros(num_rows, bool),
            "appeal": np.zeros(num_rows),
            "title": text_column([""] * num_rows),
            "title_fit": np.zeros(num_rows),
            "vector": np.zeros((num_rows, net.num_signs), np.int8),
            **{name: np.zeros(num_rows, np.int64) for name in totals},
        }
    )


def _topics(net: Layout, replicas: Table) -> Table:
    replica, topic, _ = _rows(replicas, net.num_topics)
    return Table(
        {
            "replica": replica,
            "topic": topic,
            "heat": np.zeros(len(replica)),
            "recent_views": np.zeros(len(replica), np.int64),
            "recent_posts": np.zeros(len(replica), np.int64),
        }
    )


def _accounts(scenario: CommunityScenario, net: Layout, replicas: Table) -> Table:
    num_members = np.full(replicas.num_rows, net.num_creators)
    accounts = Ledger.open(num_members, BOOKS.assets, BOOKS.externals, BOOKS.reasons)
    ledger = Ledger(accounts, BOOKS.assets, BOOKS.externals, BOOKS.reasons)
    replica, member, _ = _rows(replicas, net.num_creators)
    cash = _by_creator(scenario, [micro(group.cash_eur) for group in scenario.creators])[member]
    ledger.pay("capital", cash, ledger.outside("owners", replica), ledger.rows(replica, member))
    return accounts
