"""The audience: who comes, when, and what the scripted viewers weigh."""

from __future__ import annotations

from ecosim.community.facts.people import LogOdds
from ecosim.scenario import Amount, Count, Facts, Share, Whole


class Viewers(Facts):
    """The audience, and what the scripted viewers weigh.

    Attributes:
        count: how many at most.
        at_start: how many are there on day 1; all if not said.
        arrivals_per_day: newcomers a day.
        growth_per_day: more newcomers a day, as a share of all that have come so far.
        visit_chance: chance that a viewer who has not left looks at the feed on a day.
        taste_spread: standard deviation of a viewer's taste over topics, log-odds.
        favourite_bonus: appeal that a viewer's favourite niche adds.
        bond: appeal that following a post's creator adds.
        ai_appeal: appeal that the label "made by AI" adds; negative where viewers are averse to it.
        title_appeal: appeal of a title that fits its topic wholly; 0 without title vectors.
        skip: appeal of watching nothing.
        like_bar: appeal of a post that half of its watchers like.
        follow_bar: appeal of a post at which half of its watchers follow its creator.
        leave: log-odds of leaving for good after a visit.
        leave_per_idle_day: what each visit on end without anything watched adds to `leave`.
        watch_again: whether a post that a viewer has watched may be shown to the same viewer again.
    """

    count: Count
    at_start: Whole | None = None
    arrivals_per_day: Whole = 0
    growth_per_day: Amount = 0.0
    visit_chance: Share = 1.0
    taste_spread: Amount = 1.0
    favourite_bonus: LogOdds = 1.0
    bond: LogOdds = 0.5
    ai_appeal: LogOdds = 0.0
    title_appeal: LogOdds = 0.0
    skip: LogOdds = 2.0
    like_bar: LogOdds = 2.0
    follow_bar: LogOdds = 4.0
    leave: LogOdds = -6.0
    leave_per_idle_day: LogOdds = 0.5
    watch_again: bool = False
