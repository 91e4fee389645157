"""Feeds that learn what to show from what was shown and watched, and what a slate owes to a group."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ecosim.community.facts.feed import Feed as Facts
from ecosim.community.feeds import Learner
from ecosim.community.learned.bandit import Bandit
from ecosim.community.learned.collaborative import Collaborative

LEARNED: Mapping[str, Callable[[Facts], Learner]] = {
    "collaborative": lambda facts: Collaborative(facts.collaborative),
    "bandit": lambda facts: Bandit(facts.bandit),
}
"""What makes each, by the source's name in a scenario."""
