"""A bargaining table: several issues at once, what each side makes of them, and how long they talk."""

from __future__ import annotations

from math import prod
from typing import Annotated, Self

from pydantic import Field, model_validator

from ecosim.scenario import Facts, Share

MAX_ISSUES = 6
"""As many answers a role's card has for the issues of an offer."""
MAX_OUTCOMES = 4096
MAX_ROUNDS = 1000

Options = Annotated[list[Annotated[str, Field(min_length=1, max_length=40)]], Field(min_length=1)]
Rounds = Annotated[int, Field(ge=1, le=MAX_ROUNDS)]


class TableSide(Facts):
    """What the buyers, or the sellers, make of the issues.

    Attributes:
        weights: what each issue matters, by issue; only their proportions count, they are made to add up to 1.
        values: what each option of each issue is worth, 0 … 1, by issue, in the order of the options.
        reservation: what a side has without a deal, 0 … 1.
        discount: what an agreement's utility is multiplied by for each round after the first.
    """

    weights: dict[str, Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]]
    values: dict[str, list[Share]]
    reservation: Share = 0.0
    discount: Annotated[float, Field(gt=0, le=1)] = 1.0


class BargainingTable(Facts):
    """Pairs of firms bargain over several issues with alternating offers.

    The k-th manufacturer sits, as seller, opposite the k-th distributor; the k-th supplier, as seller, opposite the
    k-th manufacturer, or opposite the k-th distributor where there are no manufacturers. Who has no opposite sits out.

    Attributes:
        issues: what is to be agreed: options by issue, in words, at most 4,096 combinations.
        buyer: what buyers make of the issues; they move first.
        seller: what sellers make of the issues.
        weight_spread: private weights scatter by up to this share around those given, drawn for every talk.
        min_rounds: the shortest private deadline; both sides move once a round.
        max_rounds: the longest private deadline; deadlines are drawn evenly from `min_rounds … max_rounds`.
    """

    issues: Annotated[dict[str, Options], Field(min_length=1, max_length=MAX_ISSUES)]
    buyer: TableSide
    seller: TableSide
    weight_spread: Share = 0.0
    min_rounds: Rounds = 100
    max_rounds: Rounds = 100

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        faults = [*_issue_faults(self.issues), *_side_faults(self, "buyer"), *_side_faults(self, "seller")]
        if self.min_rounds > self.max_rounds:
            faults.append(f"min_rounds ({self.min_rounds}) must not be above max_rounds ({self.max_rounds})")
        if faults:
            raise ValueError("\n".join(faults))
        return self

    @property
    def sides(self) -> dict[str, TableSide]:
        """Both sides, by name."""
        return {"buyer": self.buyer, "seller": self.seller}


def _issue_faults(issues: dict[str, list[str]]) -> list[str]:
    faults = [
        f"issues.{name}: option {option!r} is given twice"
        for name, options in issues.items()
        for option in dict.fromkeys(options)
        if options.count(option) > 1
    ]
    combinations = prod(len(options) for options in issues.values())
    if combinations > MAX_OUTCOMES:
        faults.append(f"issues: {combinations:,} combinations of options, at most {MAX_OUTCOMES:,}; give fewer options")
    return faults


def _side_faults(table: BargainingTable, name: str) -> list[str]:
    side, issues = table.sides[name], table.issues
    faults = [
        f"{name}.{key}.{issue}: unknown issue {issue!r}; known: {', '.join(issues)}"
        for key in ("weights", "values")
        for issue in getattr(side, key)
        if issue not in issues
    ]
    faults += [
        f"{name}.{key}.{issue}: missing; every issue needs {what}"
        for key, what in (("weights", "a weight"), ("values", "the values of its options"))
        for issue in issues
        if issue not in getattr(side, key)
    ]
    faults += [
        f"{name}.values.{issue}: {len(values)} values, but the issue has {len(issues[issue])} options"
        for issue, values in side.values.items()
        if issue in issues and len(values) != len(issues[issue])
    ]
    if side.weights and not any(side.weights.values()):
        faults.append(f"{name}.weights: all are 0; at least one issue must matter")
    return faults
