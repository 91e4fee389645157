"""How buyers and sellers talk."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ecosim.scenario import Amount, Count, Facts, Share, Whole


class Negotiation(Facts):
    """How buyers and sellers talk.

    Attributes:
        requests: how many sellers a buyer asks for each need in a week.
        candidates: how many sellers it chooses among.
        min_rounds: the shortest private deadline; both sides move once a round.
        max_rounds: the longest private deadline; deadlines are drawn evenly from `min_rounds … max_rounds`.
        private_spread: private limits scatter by up to this share around value (buyers) and unit cost (sellers).
        late_weeks: how many weeks after the earliest possible one a delivery may be agreed.
        max_penalty_share: the largest penalty that can be agreed: share of the value for each week late; 0 leaves it
            out of the talks, and `late_penalty_share` holds for all contracts.
        expected_late_weeks: how late each side takes a delivery to be on average, when it weighs a penalty; what a
            side expects is private, drawn anew for each talk, evenly from 0 to twice this.
        discount: what a gain is worth a round later, as a share of what it is worth now.
        rivals: whether a firm sees, in each of its talks, what its other talks about the item have brought.
        speech: whether offers come with a speech act (threat, rival cited, promise, question, apology).
        may_bluff: whether a rival's price may be made up; else it is shown as it is, and only where there is one.
        threats: `binding`: a talk ends where the answer to a threat to leave is no better; `cheap`: nothing follows.
        analysis: whether talks that ended are measured against what could have been agreed (event table `analyses`).
    """

    requests: Count = 2
    candidates: Annotated[int, Field(ge=1, le=8)] = 6
    min_rounds: Count = 4
    max_rounds: Count = 10
    private_spread: Share = 0.1
    late_weeks: Whole = 3
    max_penalty_share: Share = 0.0
    expected_late_weeks: Amount = 0.5
    discount: Annotated[float, Field(gt=0, le=1)] = 1.0
    rivals: bool = False
    speech: bool = False
    may_bluff: bool = False
    threats: Literal["binding", "cheap"] = "binding"
    analysis: bool = False

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        faults = []
        if self.min_rounds > self.max_rounds:
            faults.append(f"min_rounds ({self.min_rounds}) must not be above max_rounds ({self.max_rounds})")
        if 0 < self.max_penalty_share < SMALLEST_PENALTY:
            faults.append(
                f"max_penalty_share is {self.max_penalty_share}, but the grid of penalties has {PENALTY_STEPS} steps "
                f"of at least a millionth: give 0 or at least {SMALLEST_PENALTY}"
            )
        worst = 2 * self.expected_late_weeks * self.max_penalty_share
        if worst >= 1:
            faults.append(
                f"max_penalty_share ({self.max_penalty_share}) for twice expected_late_weeks "
                f"({self.expected_late_weeks}) comes to the whole price; give less of one of them"
            )
        if self.may_bluff and not self.speech:
            faults.append("may_bluff: true does nothing without 'speech: true'; add it")
        if self.threats == "cheap" and not self.speech:
            faults.append("threats: cheap does nothing without 'speech: true'; add it")
        if faults:
            raise ValueError("\n".join(faults))
        return self

    @property
    def has_penalty(self) -> bool:
        """Whether the penalty is an issue of the talks."""
        return self.max_penalty_share > 0

    @property
    def has_rivals(self) -> bool:
        """Whether a firm sees its other talks: who may cite a rival has to."""
        return self.rivals or self.speech


PENALTY_STEPS = 10
"""Steps from no penalty to `max_penalty_share`."""

SMALLEST_PENALTY = PENALTY_STEPS / 1_000_000
