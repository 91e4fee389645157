"""What may befall a firm: credit and insolvency, entry and exit, and the minds that it may adopt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from ecosim.scenario import Amount, Count, Facts, Share, Whole

if TYPE_CHECKING:
    from ecosim.manufacturing.facts.firms import Firms
    from ecosim.manufacturing.scenario import ManufacturingScenario


class Finance(Facts):
    """Credit, interest, and what happens to a firm that can't pay.

    Attributes:
        credit_limit_eur: how far the cash of a firm may be below zero at the end of a week; a firm beyond it fails.
        interest_rate_per_week: share of what a firm owes the bank that it pays each week.
        liquidation_share: share of the going price that the stock of a firm that fails still brings.
    """

    credit_limit_eur: Amount
    interest_rate_per_week: Share = 0.0
    liquidation_share: Share = 0.5


class Entry(Facts):
    """On which terms firms come, and when they go; groups of `firms` say who, and when.

    Attributes:
        fee_eur: what a firm pays when it enters.
        min_capital_eur: what it must have left after the fee; who has less is refused for good.
        cash_spread: the cash of firms that enter scatters evenly by up to this share around that of their group.
        capacity_spread: the same for what makers can make, in whole units.
        prior_deliveries: on record for a firm that enters, as if it had made so many.
        prior_on_time: of these, how many were on time.
        exit_after_loss_weeks: a firm that loses money in so many weeks in a row leaves; 0: none does.
        liquidation_share: share of the going price that the stock of a firm that leaves still brings.
        survival_weeks: after how many weeks `survival_after_weeks` counts entrants that are still there.
    """

    fee_eur: Amount = 0.0
    min_capital_eur: Amount = 0.0
    cash_spread: Share = 0.0
    capacity_spread: Share = 0.0
    prior_deliveries: Whole = 0
    prior_on_time: Whole = 0
    exit_after_loss_weeks: Whole = 0
    liquidation_share: Share = 0.5
    survival_weeks: Count = 26

    @model_validator(mode="after")
    def _record_is_possible(self) -> Self:
        if self.prior_on_time > self.prior_deliveries:
            raise ValueError(
                f"prior_on_time ({self.prior_on_time}) must not be above prior_deliveries ({self.prior_deliveries})"
            )
        return self


class Offer(Facts):
    """A mind that firms may adopt.

    Attributes:
        mind: its name, as seats name minds.
        price_eur: what a firm pays for it in each week in which it has it.
    """

    mind: Annotated[str, Field(min_length=1)]
    price_eur: Amount = 0.0


class Adoption(Facts):
    """Firms choose who decides for them.

    Attributes:
        menu: the minds that they may choose, at their prices.
        every_weeks: how often each firm is asked.
        phases: where the mind that it chose answers from then on; roles that are not asked there choose nothing.
    """

    menu: Annotated[list[Offer], Field(min_length=1, max_length=8)]
    every_weeks: Count = 4
    phases: list[Literal["replenish", "quote", "negotiate"]] = Field(["negotiate"], min_length=1)

    @model_validator(mode="after")
    def _says_everything_once(self) -> Self:
        minds = [offer.mind for offer in self.menu]
        for place, said in (("menu", minds), ("phases", [*map(str, self.phases)])):
            twice = next((one for one in said if said.count(one) > 1), None)
            if twice is not None:
                raise ValueError(f"{place}: {twice!r} is listed twice; leave one out")
        if "keep" in minds:
            raise ValueError("menu: 'keep' is what every firm may answer anyway; leave it out")
        return self


PHASE_OF = {"finance": "settle", "entry": "enter", "adoption": "adopt"}


def faults(scenario: ManufacturingScenario) -> list[str]:
    """What does not fit together in credit, entry and exit, and adoption."""
    found = [
        f"phases: the key '{key}' does nothing without the phase '{phase}'; list it, or leave the key out"
        for key, phase in PHASE_OF.items()
        if getattr(scenario, key) is not None and phase not in scenario.phases
    ]
    for i, firms in enumerate(scenario.firms):
        place = f"firms[{i}] ({firms.name})"
        if firms.credit_limit_eur is not None and scenario.finance is None:
            found.append(f"{place}.credit_limit_eur: does nothing without the key 'finance'; add it")
        found += [f"{place}.{fault}" for fault in _life_faults(scenario, firms)]
    entry = scenario.entry
    if entry and not entry.exit_after_loss_weeks and not any(_comes_or_goes(firms) for firms in scenario.firms):
        found.append("entry: nobody enters or leaves; give a group of firms enters_week, entry_chance or exits_week")
    if scenario.adoption:
        idle = [name for name in scenario.adoption.phases if name not in scenario.phases]
        found += [f"adoption.phases: {name!r} is no phase of this scenario; its phases must have it" for name in idle]
    return found


def late(scenario: ManufacturingScenario) -> list[str]:
    """Entries and exits after the last week: a fault of a file; a run that is cut short just ends before."""
    return [
        f"firms[{i}] ({firms.name}).{key}: {week} is beyond the last week, {scenario.steps}; give an earlier one, or "
        "more steps"
        for i, firms in enumerate(scenario.firms)
        for key, week in (("enters_week", firms.enters_week), ("exits_week", firms.exits_week))
        if week is not None and week > scenario.steps
    ]


def is_entrant(firms: Firms) -> bool:
    """Whether the firms of a group are not there from the start."""
    return firms.enters_week is not None or firms.entry_chance is not None


def _comes_or_goes(firms: Firms) -> bool:
    return is_entrant(firms) or firms.exits_week is not None


def _life_faults(scenario: ManufacturingScenario, firms: Firms) -> Iterator[str]:
    entry = scenario.entry
    if entry is None:
        keys = ("enters_week", "entry_chance", "exits_week")
        yield from (
            f"{key}: does nothing without the key 'entry'; add it" for key in keys if getattr(firms, key) is not None
        )
        return
    if firms.exits_week is not None and firms.exits_week <= (firms.enters_week or 0):
        yield f"exits_week: {firms.exits_week} must be after enters_week, {firms.enters_week}"
    if not is_entrant(firms):
        return
    if firms.arriving_units:
        yield "arriving_units: nothing can be on the way to firms that are not there yet; leave it out"
    if "order" in scenario.phases:
        yield "enters_week: firms that enter have no standing partners; use 'quote' and 'negotiate', not 'order'"
    needed, most = entry.fee_eur + entry.min_capital_eur, firms.cash_eur * (1 + entry.cash_spread)
    if most < needed:
        yield (
            f"cash_eur: {firms.cash_eur:g} is too little to be admitted, entry asks for fee_eur + min_capital_eur = "
            f"{needed:g}; give more, or ask for less"
        )
