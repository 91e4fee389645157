"""What viewers think of a matter, and how they come closer to each other."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ecosim.scenario import Facts, Share


class Opinions(Facts):
    """Opinions of viewers on one matter, from 0 to 1, drawn evenly at first.

    Attributes:
        kind: `bounded_confidence`: two that meet come closer if they differ little (Deffuant, Weisbuch); `degroot`:
            everybody moves towards the mean of those tied to it.
        tolerance: two opinions that differ by less come closer, epsilon (`bounded_confidence`); camps of opinion are
            told apart by it too.
        pull: how much of the way to the other, or to the mean of ties, an opinion moves, mu.
        among: who meets: anybody, or only who is tied (`ties`, of the key graph); `degroot` is always among ties.
        rounds_per_day: how often everybody meets one other, or looks at its ties, a day.
        post_pull: how much of the way to the stance of a watched post's creator an opinion moves, if they differ by
            less than `tolerance`; 0: posts move nobody.
    """

    kind: Literal["bounded_confidence", "degroot"] = "bounded_confidence"
    tolerance: Annotated[float, Field(gt=0, le=1)] = 0.2
    pull: Annotated[float, Field(gt=0, le=1)] = 0.5
    among: Literal["anybody", "ties"] = "anybody"
    rounds_per_day: Annotated[int, Field(ge=1, le=100)] = 1
    post_pull: Share = 0.0

    @property
    def needs_ties(self) -> bool:
        """Whether it works among tied viewers alone."""
        return self.kind == "degroot" or self.among == "ties"

    @model_validator(mode="after")
    def _two_that_meet_do_not_pass_each_other(self) -> Self:
        if self.kind == "bounded_confidence" and self.pull > 0.5:
            raise ValueError(f"pull: at most 0.5 for kind: bounded_confidence, where both move, got {self.pull}")
        return self
