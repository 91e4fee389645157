"""Feeds: which posts come before each visitor. A feed is a function; the scenario names one, or a mix by slot.

`random` and `popular` are lotteries (the rules of `rules.feeds`, drawn from the world's seed), `hot` is one front page
for all, `newest` and `following` are chronological, `content` and `cosine` rank by the visitor's profile. A function of
a user's own with the signature of `Feed` stands among them: `ecosim.run(…, feeds={"mine": my_feed})`. Feeds that learn
are made once a day by a `Learner` and keep nothing, so that a run taken up again has the same.
"""

from __future__ import annotations

from collections.abc import Mapping

from ecosim.community.feeds.candidates import shortlist
from ecosim.community.feeds.lotteries import explore, popular_feed, random_feed
from ecosim.community.feeds.own import own_feeds, ranking
from ecosim.community.feeds.rankings import (
    best,
    by_score,
    content_feed,
    cosine_feed,
    following_feed,
    hot_feed,
    in_order,
    newest_feed,
    top,
)
from ecosim.community.feeds.sight import Feed, Known, Learner, Sight
from ecosim.community.feeds.social import social

__all__ = [
    "BLOCK",
    "FEEDS",
    "LEARNERS",
    "Feed",
    "Known",
    "Learner",
    "Sight",
    "best",
    "by_score",
    "explore",
    "in_order",
    "own_feeds",
    "ranking",
    "shortlist",
    "top",
]

BLOCK = 2**23
"""Visits × posts in a block of visits, over all replicas."""

FEEDS: Mapping[str, Feed] = {
    "random": random_feed,
    "popular": popular_feed,
    "hot": hot_feed,
    "content": content_feed,
    "cosine": cosine_feed,
    "newest": newest_feed,
    "following": following_feed,
}
LEARNERS: Mapping[str, Learner] = {"social": social}
