"""Collaboration: creators invite each other, agree on how to share, and make one work of two niches.

A day of it: `invite` asks who is free whom it would like to work with, and pairs them; `split` is the talk of each pair
about the share, by alternating offers, by the rules of the market's talks (`rules.bargain`); both then make their part
in `publish`, and `credit` joins the parts into one post; `royalties`, after the day's settlement, hands the partner its
share of what the work brought.

The host's place in the feed is that of the work; the partner's part is not shown on its own. What the niches of the two
are worth together (`complementarity`) is planted by the scenario and seen by nobody: creators learn it from views.
"""

from ecosim.community.collaboration.chapter import CHAPTER

__all__ = ["CHAPTER"]
