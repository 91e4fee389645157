"""On which terms creators come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecosim.scenario import Count, Facts, Share

if TYPE_CHECKING:
    from ecosim.community.scenario import CommunityScenario


class Turnover(Facts):
    """Creators who wait may enter, and those who are there may quit for good; groups of `creators` say who waits.

    Attributes:
        every_days: how often those who are there are asked whether to stay, from day 1 + every_days on; what they
            earned is counted over so many days.
        look_chance: chance that a creator who waits thinks about entering on a day, drawn before anybody decides.
        keeps_posts: whether posts of a creator who has quit may still be shown, and earn; closed if not.
        survival_days: after how many days `survival` counts creators who are still there.
    """

    every_days: Count = 7
    look_chance: Share = 0.1
    keeps_posts: bool = False
    survival_days: Count = 30


def faults(scenario: CommunityScenario) -> list[str]:
    """What does not fit together in entry, contests and the groups of creators."""
    found = [
        f"phases: the key '{key}' does nothing without the phase '{phase}'; list it, or leave the key out"
        for phase, key in (("enter", "entry"), ("quit", "entry"), ("award", "contest"))
        if getattr(scenario, key) is not None and phase not in scenario.phases
    ]
    for i, group in enumerate(scenario.creators):
        place = f"creators[{i}]"
        if group.at_start is not None and group.at_start > group.count:
            found.append(f"{place}.at_start: at most count = {group.count}, got {group.at_start}")
        given = ("at_start",) * (group.at_start is not None) + ("upkeep_eur_per_day",) * bool(group.upkeep_eur_per_day)
        given += ("outside_eur_per_day",) * bool(group.outside_eur_per_day)
        if scenario.entry is None:
            found += [f"{place}.{key}: does nothing without the key 'entry'; add it" for key in given]
    return found
