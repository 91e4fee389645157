"""What viewers do beyond watching, liking and following, how they tire, and whom they trust."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from ecosim.community.facts.people import LogOdds
from ecosim.scenario import Amount, Count, Facts, Share

WEEK = 7


class Rhythm(Facts):
    """When viewers come.

    Attributes:
        week: what the chance of a visit is multiplied by on each day of the week; day 1 is the first.
        spread: standard deviation between viewers of the log-odds of a visit, drawn once; 0: all are alike.
    """

    week: Annotated[list[Annotated[float, Field(ge=0, le=100)]], Field(min_length=WEEK, max_length=WEEK)] = [1.0] * WEEK
    spread: Annotated[float, Field(ge=0, le=10)] = 0.0


class Fatigue(Facts):
    """How viewers tire of more of the same: a linear satiation of the last eight posts watched, which wears off.

    Attributes:
        topic: what a post watched just now takes off the worth of another one on its topic, log-odds.
        creator: what it takes off another one of its creator, log-odds.
        persistence: the share of that which is left a day later.
    """

    topic: Annotated[float, Field(ge=0, le=50)] = 0.0
    creator: Annotated[float, Field(ge=0, le=50)] = 0.0
    persistence: Annotated[float, Field(ge=0, lt=1)] = 0.7


class Trust(Facts):
    """How trust, between 0 and 1, moves with experience, and what hangs on it.

    A good experience takes it `gain` of the way to 1, a bad one `loss` of the way to 0.

    Attributes:
        start: of every newcomer.
        gain: after a good experience.
        loss: after a bad one.
        weight: what full trust instead of none is worth, log-odds.
    """

    start: Share = 0.5
    gain: Share = 0.05
    loss: Share = 0.1
    weight: LogOdds = 2.0


class Audience(Facts):
    """What viewers do and feel beyond the plain day, each only where it is given; how they fare is measured with it.

    Attributes:
        watch_bar: a post worth this much is watched half of its length on average; without it, nobody asks how long.
        post_s: how long a post is, seconds.
        share_bar: a post worth this much is shared by half of its watchers; without it, nobody shares.
        comment_bar: a watcher says nothing with weight exp(comment_bar), praise exp(worth), a question 1, a critique
            exp(−worth); without it, nobody comments.
        unfollow_bar: a post worth this little makes half of its watchers who follow its creator stop doing so.
        report_bar: a post worth this little is reported by half of its watchers; without it, nobody reports.
        report_harm: how much less a post that breaks rules is worth in that, log-odds; only with `moderation`.
        return_chance: chance of a day that a viewer who has left comes back; it follows nobody then.
        return_heat: what the mean heat of its favourite niche adds to the log-odds of that, times this.
        rhythm: when viewers come; every day alike by default.
        fatigue: how they tire; not at all by default.
        trust_in_platform: moves with every post watched; its lack makes viewers leave.
        trust_in_ai: moves with posts watched that are labelled as made by AI; its lack takes off their worth.
    """

    watch_bar: LogOdds | None = None
    post_s: Count = 60
    share_bar: LogOdds | None = None
    comment_bar: LogOdds | None = None
    unfollow_bar: LogOdds | None = None
    report_bar: LogOdds | None = None
    report_harm: Annotated[float, Field(ge=0, le=50)] = 6.0
    return_chance: Annotated[float, Field(ge=0, lt=1)] = 0.0
    return_heat: Amount = 0.0
    rhythm: Rhythm = Rhythm()
    fatigue: Fatigue | None = None
    trust_in_platform: Trust | None = None
    trust_in_ai: Trust | None = None

    @model_validator(mode="after")
    def _heat_needs_a_chance(self) -> Self:
        if self.return_heat and not self.return_chance:
            raise ValueError("return_heat moves return_chance, which is 0; give return_chance too")
        return self
