"""The community's state: which tables there are, how they lie, and how they stand before day 1.

All replicas of a run have the same numbers of creators, viewers, topics and places for posts, so every table is a block
of (replicas, things); `grid` looks at a column that way. A creator's latest posts stand in `kept_posts` places that are
written in turn: place `turn · creators + creator` of its replica. A post's id is (day − 1) · creators + creator.
`TABLES` says what each table and column is.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import count

import numpy as np

from ecosim import seeds
from ecosim.community.scenario import ROLES, CommunityScenario
from ecosim.exact import micro
from ecosim.fields import Array
from ecosim.meanings import Meaning, State
from ecosim.rules.ledger import Ledger
from ecosim.side import Books
from ecosim.words import Table

BOOKS = Books(
    assets=("cash",),
    externals=("advertisers", "nature", "owners", "models"),
    reasons=("capital", "ads", "effort", "models", "interventions"),
)
NO_INCOME = ("capital", "interventions")
"""Reasons for which cash comes and goes without being earned or spent."""
TASTE_SCALE = 100
"""Tastes are int16 counts of hundredths of log-odds."""

NOBODY = -1
"""Where a post's id or a slate's place is empty."""

NICHE_WEIGHT = 8
"""What the feed's profile of a new viewer says of the favourite niche: as much as eight watched posts."""

_BUILD = "build"

_REPLICA = Meaning("id", "where it is")
_TODAY = {
    f"{what}_today": Meaning(what.replace("impressions", "posts"), f"{about} today")
    for what, about in (
        ("impressions", "times on a slate"),
        ("views", "times watched"),
        ("likes", "times liked"),
        ("follows", "new follows that it won"),
    )
}

TABLES = {
    "creators": State(
        "a creator",
        {
            "replica": _REPLICA,
            "member": Meaning("id", "its number, in the order of the scenario"),
            "role": Meaning("", "0 human, 1 AI"),
            "niche": Meaning("id", "where its skill lies, in the order of the scenario"),
            "skill": Meaning("log-odds", "appeal of its posts in its niche"),
            "pay_per_view": Meaning("EUR/1e6", "what advertising pays it for a view"),
            "label_appeal": Meaning("log-odds", "what its posts gain by being known as an AI's"),
            "megaflops": Meaning("10^6 operations", "nominal cost of its minds so far"),
            "followers": Meaning("viewers", "who follow it now"),
            "posts": Meaning("posts", "made so far"),
            "views": Meaning("views", "of all its posts so far"),
            "likes": Meaning("likes", "of all its posts so far"),
            "views_last": Meaning("views", "of all its posts on the last day"),
            "likes_last": Meaning("likes", "of all its posts on the last day"),
            "posts_by_topic": Meaning("posts", "for each topic, made so far"),
            "views_by_topic": Meaning("views", "for each topic, of its posts so far"),
            "likes_by_topic": Meaning("likes", "for each topic, of its posts so far"),
        },
    ),
    "viewers": State(
        "a viewer",
        {
            "replica": _REPLICA,
            "viewer": Meaning("id", "its number"),
            "arrives": Meaning("day", "when it first comes"),
            "visit_chance": Meaning("", "of a visit on a day"),
            "favourite": Meaning("id", "the niche that it likes best"),
            "taste": Meaning("log-odds/100", "what it finds in each topic; hidden from creators and feed"),
            "profile": Meaning(
                "", "what the feed knows of it: niches, topics and title signs that it watched and liked"
            ),
            "is_active": Meaning("", "whether it has come and not left"),
            "has_left": Meaning("", "whether it has left for good"),
            "is_visiting": Meaning("", "whether it looks at the feed today"),
            "slate": Meaning("id", "places of the posts that it is shown today; −1 where empty"),
            "follows": Meaning("", "for each creator, whether it follows it"),
            "has_watched": Meaning("", "for each place for posts, whether it has watched the post there"),
            "reached_by": Meaning("", "for each role of creators, whether it has ever watched a post of theirs"),
            "idle_days": Meaning("days", "visits on end without anything watched"),
            "views": Meaning("views", "posts watched in all"),
        },
    ),
    "posts": State(
        "a place for a post that may be recommended; a creator's newest post takes the place of its oldest",
        {
            "replica": _REPLICA,
            "place": Meaning("id", "its number; place p is of creator p modulo the number of creators"),
            "post": Meaning("id", "(day − 1) · creators + creator; −1 where empty"),
            "day": Meaning("day", "when the post appeared"),
            "topic": Meaning("id", "what it is about, in the order of the scenario"),
            "appeal": Meaning("log-odds", "of the post itself: skill, effort and luck"),
            "title": Meaning("text", "as viewers see it"),
            "title_fit": Meaning("", "how well the title fits the topic, −1 to 1; 0 without title vectors"),
            "vector": Meaning("", "what feeds compare: niche, topic, signs of the title"),
            "impressions": Meaning("posts", "times on a slate so far"),
            "views": Meaning("views", "times watched so far"),
            "likes": Meaning("likes", "times liked so far"),
            **_TODAY,
        },
    ),
    "topics": State(
        "a topic",
        {
            "replica": _REPLICA,
            "topic": Meaning("id", "its number, in the order of the scenario"),
            "heat": Meaning("log-odds", "what fashion adds to the appeal of posts on it"),
            "recent_views": Meaning("views/1024", "of posts on it lately; an eighth fades a day"),
            "recent_posts": Meaning("posts/1024", "on it lately; an eighth fades a day"),
        },
    ),
}


def grid(table: Table, column: str, num_replicas: int) -> Array:
    """A column as (replicas, things, …): a view, so that writing to it writes to the table."""
    values = table[column]
    return values.reshape(num_replicas, len(values) // num_replicas, *values.shape[1:])


def books(_scenario: CommunityScenario) -> Books:
    """The names of the ledger."""
    return BOOKS


def num_bytes(scenario: CommunityScenario) -> dict[str, int]:
    """What the tables of one replica take at least, in bytes, by the counts that make them."""
    creators, slate, kept = scenario.num_creators, scenario.feed.slate, scenario.feed.kept_posts
    topics, dims = len(scenario.topics), vector_dims(scenario)
    return {
        "viewers.count (× topics, title_dims)": scenario.viewers.count * (6 * 8 + 2 * topics + dims),
        "viewers.count (× feed.slate)": scenario.viewers.count * 4 * slate,
        "viewers.count (× creators)": scenario.viewers.count * creators,
        "viewers.count (× creators × feed.kept_posts)": scenario.viewers.count * creators * kept,
        "creators (count × topics)": 8 * creators * (12 + 3 * topics),
        "feed.kept_posts (× creators)": creators * kept * (14 * 8 + dims),
    }


def build(scenario: CommunityScenario, replicas: Table) -> dict[str, Table]:
    """All tables but `replicas`, as they stand before day 1.

    There are no posts, follows or views yet. Creators have the cash of their group. Viewers come on the day that
    `at_start`, `arrivals_per_day` and `growth_per_day` give their number; the feed knows of each newcomer its favourite
    niche, no taste.

    Draws:
        From the world's seed: skill of each creator (normal, `skill` and `skill_spread` of its group); favourite niche
        of each viewer, in proportion to `audience`; taste of each viewer in each topic (normal with `taste_spread`, and
        `favourite_bonus` in the favourite niche).
    """
    return {
        "creators": _creators(scenario, replicas),
        "viewers": _viewers(scenario, replicas),
        "posts": _posts(scenario, replicas),
        "topics": _topics(scenario, replicas),
        "accounts": _accounts(scenario, replicas),
    }


def creator_roles(scenario: CommunityScenario) -> Array:
    """The role of each creator of a replica, a code into ROLES, int64 (creators,)."""
    return _by_creator(scenario, [ROLES.index(group.role) for group in scenario.creators])


def creator_niches(scenario: CommunityScenario) -> Array:
    """The niche of each creator of a replica, int64 (creators,)."""
    names = list(scenario.niches)
    return _by_creator(scenario, [names.index(group.niche) for group in scenario.creators])


def creator_names(scenario: CommunityScenario) -> tuple[str, ...]:
    """What each creator of a replica is called: `music_human_1`, by niche and kind, numbered through."""
    number: defaultdict[str, count[int]] = defaultdict(lambda: count(1))
    kinds = [(f"{group.niche}_{group.role.removesuffix('_creator')}", group.count) for group in scenario.creators]
    return tuple(f"{kind}_{next(number[kind])}" for kind, size in kinds for _ in range(size))


def topic_niches(scenario: CommunityScenario) -> Array:
    """The niche of each topic, int64 (topics,)."""
    return np.repeat(np.arange(len(scenario.niches)), [len(n.topics) for n in scenario.niches.values()])


def text_column(texts: list[str] | tuple[str, ...]) -> Array:
    """Texts as a column of Python strings."""
    column = np.empty(len(texts), dtype=object)
    column[:] = texts
    return column


def title_dims(scenario: CommunityScenario) -> int:
    """How many signs a title has."""
    return 0 if scenario.publishing.title_vectors == "none" else scenario.publishing.title_dims


def vector_dims(scenario: CommunityScenario) -> int:
    """How long the vector of a post and the profile of a viewer are: niches, topics, signs of the title."""
    return len(scenario.niches) + len(scenario.topics) + title_dims(scenario)


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


def _creators(scenario: CommunityScenario, replicas: Table) -> Table:
    replica, member, seed = _rows(replicas, scenario.num_creators)
    num_rows, num_topics = len(replica), len(scenario.topics)
    luck = seeds.normal(seeds.WORLD, seed, 0, _BUILD, (member,), lane=0)
    counts = ("megaflops", "followers", "posts", "views", "likes", "views_last", "likes_last")
    by_topic = ("posts_by_topic", "views_by_topic", "likes_by_topic")
    return Table(
        {
            "replica": replica,
            "member": member,
            "role": creator_roles(scenario)[member],
            "niche": creator_niches(scenario)[member],
            "skill": _by_creator(scenario, [g.skill for g in scenario.creators])[member]
            + _by_creator(scenario, [g.skill_spread for g in scenario.creators])[member] * luck,
            "pay_per_view": np.full(num_rows, micro(scenario.ads_eur_per_view)),
            "label_appeal": np.where(
                creator_roles(scenario)[member] == ROLES.index("ai_creator"), scenario.viewers.ai_appeal, 0.0
            ),
            **{name: np.zeros(num_rows, np.int64) for name in counts},
            **{name: np.zeros((num_rows, num_topics), np.int64) for name in by_topic},
        }
    )


def _viewers(scenario: CommunityScenario, replicas: Table) -> Table:
    replica, viewer, seed = _rows(replicas, scenario.viewers.count)
    num_rows = len(replica)
    favourite = _favourites(scenario, viewer, seed)
    num_places = scenario.num_creators * scenario.feed.kept_posts
    return Table(
        {
            "replica": replica,
            "viewer": viewer,
            "arrives": arrival_days(scenario)[viewer],
            "visit_chance": np.full(num_rows, scenario.viewers.visit_chance),
            "favourite": favourite,
            "taste": _tastes(scenario, viewer, seed, favourite),
            "profile": _first_profiles(scenario, favourite),
            "is_active": np.zeros(num_rows, bool),
            "has_left": np.zeros(num_rows, bool),
            "is_visiting": np.zeros(num_rows, bool),
            "slate": np.full((num_rows, scenario.feed.slate), NOBODY, np.int32),
            "follows": np.zeros((num_rows, scenario.num_creators), bool),
            "has_watched": np.zeros((num_rows, num_places), bool),
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


def _tastes(scenario: CommunityScenario, viewer: Array, seed: Array, favourite: Array) -> Array:
    """What each viewer finds in each topic, hundredths of log-odds, int16 (viewers, topics)."""
    likes, niche = scenario.viewers, topic_niches(scenario)
    tastes = np.empty((len(viewer), len(niche)), np.int16)
    for topic in range(len(niche)):
        draw = seeds.normal(seeds.WORLD, seed, 0, _BUILD, (viewer, np.full(len(viewer), topic)), lane=2)
        taste = likes.taste_spread * draw + np.where(favourite == niche[topic], likes.favourite_bonus, 0.0)
        tastes[:, topic] = np.clip(np.rint(TASTE_SCALE * taste), -32000, 32000)
    return tastes


def _first_profiles(scenario: CommunityScenario, favourite: Array) -> Array:
    """What the feed knows of newcomers, int8 (viewers, dims): the niche that they ticked when they signed up."""
    profile = np.zeros((len(favourite), vector_dims(scenario)), np.int8)
    profile[np.arange(len(favourite)), favourite] = NICHE_WEIGHT
    return profile


def _posts(scenario: CommunityScenario, replicas: Table) -> Table:
    num_places = scenario.num_creators * scenario.feed.kept_posts
    replica, place, _ = _rows(replicas, num_places)
    num_rows = len(replica)
    totals = ("impressions", "views", "likes", "impressions_today", "views_today", "likes_today", "follows_today")
    return Table(
        {
            "replica": replica,
            "place": place,
            "post": np.full(num_rows, NOBODY, np.int64),
            "day": np.zeros(num_rows, np.int64),
            "topic": np.zeros(num_rows, np.int64),
            "appeal": np.zeros(num_rows),
            "title": text_column([""] * num_rows),
            "title_fit": np.zeros(num_rows),
            "vector": np.zeros((num_rows, vector_dims(scenario)), np.int8),
            **{name: np.zeros(num_rows, np.int64) for name in totals},
        }
    )


def _topics(scenario: CommunityScenario, replicas: Table) -> Table:
    replica, topic, _ = _rows(replicas, len(scenario.topics))
    return Table(
        {
            "replica": replica,
            "topic": topic,
            "heat": np.zeros(len(replica)),
            "recent_views": np.zeros(len(replica), np.int64),
            "recent_posts": np.zeros(len(replica), np.int64),
        }
    )


def _accounts(scenario: CommunityScenario, replicas: Table) -> Table:
    num_members = np.full(replicas.num_rows, scenario.num_creators)
    accounts = Ledger.open(num_members, BOOKS.assets, BOOKS.externals, BOOKS.reasons)
    ledger = Ledger(accounts, BOOKS.assets, BOOKS.externals, BOOKS.reasons)
    replica, member, _ = _rows(replicas, scenario.num_creators)
    cash = _by_creator(scenario, [micro(group.cash_eur) for group in scenario.creators])[member]
    ledger.pay("capital", cash, ledger.outside("owners", replica), ledger.rows(replica, member))
    return accounts
