"""Contracts with the outside world."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from ecosim.scenario import Amount, Count, Facts, Share, Whole


class Outside(Facts):
    """A contract with the outside world, for each firm of a group.

    Attributes:
        firms: the group.
        item: what is bought or sold.
        units: how much a week; the least where `units_to` is given.
        price_eur: of a unit; the least where `price_to_eur` is given.
        units_to: the most; each week's quantity is drawn evenly from `units … units_to`.
        price_to_eur: the most; each week's price is drawn evenly, to the cent.
        week: the one week of the contract; every week by default.
    """

    firms: str
    item: str
    units: Whole
    price_eur: Amount
    units_to: Whole | None = None
    price_to_eur: Amount | None = None
    week: Count | None = None

    @model_validator(mode="after")
    def _ranges_are_ranges(self) -> Self:
        if self.units_to is not None and self.units_to < self.units:
            raise ValueError(f"units_to ({self.units_to}) must not be below units ({self.units})")
        if self.price_to_eur is not None and self.price_to_eur < self.price_eur:
            raise ValueError(f"price_to_eur ({self.price_to_eur:g}) must not be below price_eur ({self.price_eur:g})")
        return self


class Exogenous(Facts):
    """Contracts that no firm has negotiated: with nature at one end of the network, with consumers at the other.

    Attributes:
        supplies: what firms must take from nature, and pay, at the beginning of the week.
        sales: what firms have promised to consumers for the end of the week.
        shortfall_share: what a firm pays for each unit that it promised and cannot hand over, as a share of the item's
            going price.
    """

    supplies: list[Outside] = Field(default_factory=list)
    sales: list[Outside] = Field(default_factory=list)
    shortfall_share: Share = 0.0

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.supplies and not self.sales:
            raise ValueError("has neither supplies nor sales; list at least one contract, or leave the key out")
        return self
