"""What the tables of a community are, and each of their columns."""

from __future__ import annotations

from ecosim.meanings import Meaning, State

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
            "is_active": Meaning("", "whether it is there: it has come and not quit"),
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
            "taste": Meaning(
                "log-odds/100",
                "in each topic or trait; or thousandths of a coordinate, 4,096ths of a share; hidden from all",
            ),
            "profile": Meaning(
                "", "what the feed knows of it: niches, topics and title signs that it watched and liked"
            ),
            "is_active": Meaning("", "whether it has come and not left"),
            "has_left": Meaning("", "whether it has left for good"),
            "is_visiting": Meaning("", "whether it looks at the feed today"),
            "slate": Meaning("id", "places of the posts that it is shown today; −1 where empty"),
            "follows": Meaning("bits", "for each creator, whether it follows it"),
            "has_watched": Meaning("bits", "for each place for posts, whether it has watched the post there"),
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
            "traits": Meaning(
                "",
                "what tastes meet: hundredths, thousandths of a coordinate, 4,096ths of a share; none if by topic",
            ),
            "is_open": Meaning("", "whether feeds may show it"),
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
    "viewings": State(
        "a post watched today",
        {
            "replica": _REPLICA,
            "viewer": Meaning("id", "who watched"),
            "place": Meaning("id", "where the post stands"),
            "post": Meaning("id", "(day − 1) · creators + creator"),
            "creator": Meaning("id", "who made it"),
            "topic": Meaning("id", "what it is about"),
            "slot": Meaning("", "its place on the slate, from 0"),
            "worth": Meaning("log-odds", "what it was worth to the viewer"),
            "is_liked": Meaning("", "whether the viewer liked it"),
            "is_new_follow": Meaning("", "whether the viewer follows its creator from now on"),
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
