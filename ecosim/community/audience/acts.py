"""What else viewers are asked about a post that they watch: how long, to share, to comment, to unfollow, to report.

Each is a field of `viewer.react` with a bar beside it among the columns, where `audience` gives that bar.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ecosim.community.facts.audience import Audience
from ecosim.fields import Array, Bucket, Choice, Field
from ecosim.meanings import Meaning
from ecosim.words import Table

NO_YES = ("no", "yes")
WATCH = ("watch", 1)
"""The answer under which the other questions about a post are asked."""
COMMENTS = ("none", "praise", "question", "critique")
PERCENT = 100

SEES = {
    "watch_bar": Meaning("log-odds", "a post worth this much is watched half of its length"),
    "share_bar": Meaning("log-odds", "a post worth this much is shared by half of its watchers"),
    "comment_bar": Meaning("log-odds", "what saying nothing is worth"),
    "unfollow_bar": Meaning("log-odds", "a post worth this little makes half of its watchers unfollow its creator"),
    "report_bar": Meaning("log-odds", "a post worth this little is reported by half of its watchers"),
    "harm": Meaning("log-odds", "what each post's breaking of rules takes off that; 0 where it breaks none"),
}
ANSWERS = {
    "share_watched": Meaning("%", "how much of the post is watched"),
    "share": Meaning("", "whether the viewer shares it"),
    "comment": Meaning("", "what the viewer says of it; a label, not a text"),
    "unfollow": Meaning("", "whether the viewer follows its creator no longer"),
    "report": Meaning("", "whether the viewer reports it as breaking rules"),
}
VIEWED = {
    "share_watched": ("share_watched", np.dtype(np.float64)),
    "share": ("is_shared", np.dtype(bool)),
    "comment": ("comment", np.dtype(np.int64)),
    "unfollow": ("is_unfollow", np.dtype(bool)),
    "report": ("is_reported", np.dtype(bool)),
}
"""What each answer becomes in `viewings`: its column and dtype."""
VIEWINGS = {
    "share_watched": Meaning("", "how much of the post was watched, 0 to 1"),
    "is_shared": Meaning("", "whether the viewer shared it"),
    "comment": Meaning("", "0 none, 1 praise, 2 question, 3 critique"),
    "is_unfollow": Meaning("", "whether the viewer followed its creator and does so no longer"),
    "is_reported": Meaning("", "whether the viewer reported it"),
}


def columns(facts: Audience, is_harmful: Array) -> dict[str, Array]:
    """The bars that are given, (rows,), and what harm does to each post of the slates, (rows, slots)."""
    rows = len(is_harmful)
    found = {name: np.full(rows, bar) for name in SEES if (bar := getattr(facts, name, None)) is not None}
    if facts.report_bar is not None:
        found["harm"] = np.where(is_harmful, facts.report_harm, 0.0)
    return found


def fields(facts: Audience, is_followed: Array) -> tuple[Field, ...]:
    """The questions whose bars are given; `is_followed` is (rows, slots): who follows nobody can't unfollow."""
    rows = len(is_followed)
    both, any_label = np.broadcast_to(True, (rows, 2)), np.broadcast_to(True, (rows, len(COMMENTS)))
    can_stop = np.stack([np.ones(rows, bool), is_followed.any(axis=1)], axis=1)
    one, all_of_it = np.ones(rows, np.int64), np.full(rows, PERCENT)
    watched = Bucket(name="share_watched", low=one, high=all_of_it, step=one, unit="%", only_if=WATCH)
    asked: Mapping[str, tuple[object, Field]] = {
        "share_watched": (facts.watch_bar, watched),
        "share": (facts.share_bar, Choice(name="share", options=NO_YES, allowed=both, only_if=WATCH)),
        "comment": (facts.comment_bar, Choice(name="comment", options=COMMENTS, allowed=any_label, only_if=WATCH)),
        "unfollow": (facts.unfollow_bar, Choice(name="unfollow", options=NO_YES, allowed=can_stop, only_if=WATCH)),
        "report": (facts.report_bar, Choice(name="report", options=NO_YES, allowed=both, only_if=WATCH)),
    }
    return tuple(field for bar, field in asked.values() if bar is not None)


def viewed(answers: Mapping[str, Array], rows: Array, was_followed: Array) -> dict[str, Array]:
    """What the given answers of those who watched become in `viewings`."""
    found = {}
    for name, (column, dtype) in VIEWED.items():
        if name in answers:
            answer = answers[name][rows]
            found[column] = answer / PERCENT if name == "share_watched" else answer.astype(dtype)
    if "is_unfollow" in found:
        found["is_unfollow"] = found["is_unfollow"] & was_followed
    return found


def add_columns(facts: Audience, viewings: Table) -> None:
    """The columns of the acts whose bars are given, in an empty `viewings`."""
    for field in fields(facts, np.zeros((0, 1), bool)):
        column, dtype = VIEWED[field.name]
        viewings[column] = np.zeros(0, dtype)
