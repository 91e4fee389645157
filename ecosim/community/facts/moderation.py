"""Harm in posts, and what is done about it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ecosim.community.facts.people import LogOdds
from ecosim.scenario import Amount, Count, Facts, Share, Whole


class Harm(Facts):
    """How much harm is in posts, drawn from the world's seed; what their texts say goes with it.

    Attributes:
        share: chance that a post is harmful, of a creator in the middle.
        spread: standard deviation of that chance between creators, in log-odds: some offend again and again.
        severe_share: share of harmful posts that are severe; the others are mild.
        hard_share: share of harmless posts that sound harmful (a film "shooting"), and of harmful ones in disguise.
        coastal_shares: by niche, the share of creators who spell in a way of their own.
        appeal: what harm adds to the appeal of a post.
        report_chance, false_report_chance: that somebody who has watched a post reports it, if it is harmful, and if
            it is not; used where viewers have no answer of their own to that.
    """

    share: Annotated[float, Field(gt=0, lt=1)] = 0.1
    spread: Amount = 1.0
    severe_share: Share = 0.4
    hard_share: Share = 0.3
    coastal_shares: dict[str, Share] = Field(default_factory=dict)
    appeal: LogOdds = 0.0
    report_chance: Share = 0.05
    false_report_chance: Share = 0.002


class Device(Facts):
    """Moderation on the device that a post is written on: before anybody sees it.

    Attributes:
        max_words: of a text that are read, from its beginning: the device's budget.
    """

    max_words: Count = 64


class Central(Facts):
    """Moderation in one place, of what viewers report.

    Attributes:
        delay_days: a post is judged at the end of the day so many days after its first report, at the earliest.
        posts_per_day: how many can be judged, those with most reports first.
    """

    delay_days: Count = 1
    posts_per_day: Count = 20


class Appeals(Facts):
    """Creators whose posts were limited or removed may appeal; people look at it then.

    Attributes:
        days: until an appeal is decided.
        accuracy: chance that it is decided rightly.
    """

    days: Count = 1
    accuracy: Share = 0.95


class Moderation(Facts):
    """Who looks for harm in posts, and what is done about it.

    A moderator leaves a post, labels it, limits it, or removes it. Scripted moderators do so from certain scores on,
    the log-odds of harm by a classifier.

    Attributes:
        where: on the device before a post appears, in one place after reports, both, or nowhere.
        harm: how much there is.
        device, central: how the two work.
        label_at, limit_at, remove_at: scores from which scripted moderators do so.
        label_appeal: what a label adds to the appeal of a post.
        limited_reach: chance, each day, that feeds may show a limited post.
        limit_after_strikes: all posts of a creator of whom so many were removed are limited like this; 0: never.
        appeals: how they are decided; without this key nobody may appeal.
        oracle: moderators are shown the truth, for the expert `truth` and nobody else: a bound, not a mind.
    """

    where: Literal["nowhere", "device", "central", "both"] = "both"
    harm: Harm = Harm()
    device: Device = Device()
    central: Central = Central()
    label_at: LogOdds = 0.0
    limit_at: LogOdds = 1.0
    remove_at: LogOdds = 2.0
    label_appeal: LogOdds = -0.5
    limited_reach: Share = 0.3
    limit_after_strikes: Whole = 0
    appeals: Appeals | None = Appeals()
    oracle: bool = False

    @model_validator(mode="after")
    def _scores_rise(self) -> Self:
        if not self.label_at <= self.limit_at <= self.remove_at:
            raise ValueError(
                "label_at, limit_at and remove_at must not fall, got "
                f"{self.label_at:g}, {self.limit_at:g} and {self.remove_at:g}"
            )
        return self
