"""What is said in a collaboration: the columns that creators see, what they may answer, the tables and the events."""

from __future__ import annotations

from ecosim.meanings import Meaning, State, units
from ecosim.side import Column, Schema

SIDES = ("host", "partner")
"""Who invites, and who is invited; hosts make the even moves."""
ACCEPT, COUNTER, REJECT = range(3)
ACTS = ("accept", "counter", "reject")
TALKS, BUSY = range(2)
OUTCOMES = ("talks", "busy")
"""What became of an invitation."""

INVITE_SEES = {
    "niche_name": Meaning("text", "the niche that its skill lies in"),
    "followers": Meaning("", "viewers who follow it now"),
    "posts_alone": Meaning("", "posts that it made alone so far"),
    "views_alone": Meaning("", "views of these so far"),
    "candidate_name": Meaning("text", "who could be invited; the first is whom it worked with last"),
    "candidate_niche": Meaning("text", "the niche of each candidate"),
    "candidate_is_ai": Meaning("", "whether each candidate is an AI creator"),
    "candidate_followers": Meaning("", "viewers who follow each candidate"),
    "candidate_works": Meaning("", "its own joint works so far with creators of the candidate's niche"),
    "candidate_views": Meaning("views", "its share of the views of these works, rounded down"),
}
INVITE_ANSWERS = {"invite": Meaning("", "whom to invite to a joint work today, by number of the candidate; or nobody")}
INVITE_UNITS = units(INVITE_SEES)

SPLIT_SEES = {
    "is_host": Meaning("", "1 if it invited, 0 if it was invited"),
    "niche_name": Meaning("text", "the niche that its skill lies in"),
    "followers": Meaning("", "viewers who follow it now"),
    "other_name": Meaning("text", "with whom it talks"),
    "other_niche": Meaning("text", "the other's niche"),
    "other_is_ai": Meaning("", "whether the other is an AI creator"),
    "other_followers": Meaning("", "viewers who follow the other"),
    "round": Meaning("rounds", "this round, from 1; both sides move once a round"),
    "rounds_left": Meaning("rounds", "after this one, until its own deadline; the other's is hidden"),
    "reservation": Meaning(
        "share/1e6", "its private limit: for less it would rather work alone; the other's is hidden"
    ),
    "has_offer": Meaning("", "1 if an offer of the other side stands"),
    "offer_share": Meaning("share/1e6", "what the other's standing offer leaves it of the income; −1 if there is none"),
    "has_own": Meaning("", "1 if it has made an offer before"),
    "own_share": Meaning("share/1e6", "what it last asked for; −1 if it has not"),
}
SPLIT_ANSWERS = {
    "act": Meaning("", "take the other's standing offer, make another (until its own deadline), or end the talk"),
    "share": Meaning("share/1e6", "of the work's income that it asks for; no less than its private limit"),
}
SPLIT_UNITS = units(SPLIT_SEES)

_REPLICA = Meaning("id", "where it is")
STATES = {
    "creators": State(
        "",
        {
            "joint_works": Meaning("", "for each niche, joint works so far with creators of that niche"),
            "joint_views": Meaning("views/1e6", "for each niche, its share of the views of these works"),
            "views_hosted": Meaning("views", "of all joint works that it was host of"),
            "views_unpaid": Meaning("views", "of all its posts since it was last paid for views"),
            "earned_before": Meaning("EUR/1e6", "what views had brought it before today"),
            "last_partner": Meaning("id", "whom it worked with last; −1 if nobody"),
            "worked_with": Meaning("bits", "for each creator, whether the two have ever made a work together"),
        },
    ),
    "posts": State(
        "",
        {
            "partner": Meaning("id", "of a joint work, the creator who was invited; else −1"),
            "second_topic": Meaning("id", "of a joint work, what the partner's part is about; else −1"),
            "partner_share": Meaning("share/1e6", "of a joint work's income that goes to the partner; else 0"),
        },
    ),
    "talks": State(
        "a talk about a joint work that is still open",
        {
            "replica": _REPLICA,
            **{side: Meaning("id", f"the {side}") for side in SIDES},
            **{f"{side}_least": Meaning("share/1e6", "private limit of its share") for side in SIDES},
            **{f"{side}_rounds": Meaning("rounds", "its private deadline") for side in SIDES},
            **{f"{side}_ask": Meaning("share/1e6", "what it asked for last; −1 if it has not") for side in SIDES},
            "moves": Meaning("", "made so far"),
        },
    ),
    "works": State(
        "a joint work that was agreed on today and is not out yet",
        {
            "replica": _REPLICA,
            "host": Meaning("id", "who invited"),
            "partner": Meaning("id", "who was invited"),
            "partner_share": Meaning("share/1e6", "what the partner gets of the income"),
            "round": Meaning("rounds", "in which they agreed, from 1"),
        },
    ),
    "dues": State(
        "a joint work whose partner waits for its share",
        {
            "replica": _REPLICA,
            "post": Meaning("id", "(day − 1) · creators + host"),
            "partner": Meaning("id", "who was invited"),
            "partner_share": Meaning("share/1e6", "what the partner gets of the income"),
            "host": Meaning("id", "who invited"),
            "views": Meaning("views", "since the host was last paid for views"),
            "of_views": Meaning("views", "of all the host's posts in that time, when last looked at"),
        },
    ),
}

_HOST = Column("host", "i8", "id", "who invited", of="member")
_PARTNER = Column("partner", "i8", "id", "who was invited", of="member")
_POST = Column("post", "i8", "id", "(day − 1) · creators + host")
_ROUND = Column("round", "i8", "rounds", "in which they agreed, from 1")
SCHEMAS = {
    "invitations": Schema(
        "who invites whom to a joint work",
        1,
        (
            _HOST,
            _PARTNER,
            Column("outcome", "i8", "", "0 the two talk, 1 one of them talks with somebody else today", OUTCOMES),
        ),
        is_rare=True,
    ),
    "splits": Schema(
        "moves in talks about how to share a joint work's income",
        3,
        (
            _HOST,
            _PARTNER,
            Column("move", "i8", "", "from 0; hosts make the even moves"),
            Column("act", "i8", "", "0 accept, 1 counter, 2 reject", ACTS),
            Column("host_share", "i8", "share/1e6", "the host's share that is offered, or at stake; −1 if none is"),
        ),
        is_rare=True,
    ),
    "works": Schema(
        "joint works as they appear",
        1,
        (
            _POST,
            _HOST,
            _PARTNER,
            Column("host_niche", "i8", "id", "the host's niche", of="niche"),
            Column("partner_niche", "i8", "id", "the partner's niche", of="niche"),
            Column("topic", "i8", "id", "of the host's part", of="topic"),
            Column("second_topic", "i8", "id", "of the partner's part", of="topic"),
            Column("partner_share", "i8", "share/1e6", "what the partner gets of the income"),
            _ROUND,
            Column("host_appeal", "f8", "log-odds", "appeal of the host's part"),
            Column("partner_appeal", "f8", "log-odds", "appeal of the partner's part"),
            Column("appeal", "f8", "log-odds", "of the work: the mean of both, and what the niches are worth together"),
        ),
        is_rare=True,
    ),
    "royalties": Schema(
        "what hosts pay their partners",
        2,
        (
            _POST,
            _HOST,
            _PARTNER,
            Column("views", "i8", "views", "of the work since the host was paid before"),
            Column("income", "i8", "EUR/1e6", "what these brought the host"),
            Column("paid", "i8", "EUR/1e6", "the partner's share of it, rounded down"),
        ),
        is_rare=True,
    ),
}
