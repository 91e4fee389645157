"""Supply contracts between fixed partners, and goods that do not keep."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from ecosim.scenario import Amount, Facts, Share


class Terms(Facts):
    """What partners have agreed for an item, once and for all; used where `order` replaces negotiation.

    Attributes:
        price_eur: wholesale price: what the buyer pays for a unit on arrival.
        buyback_eur: what the seller pays for each unit that its buyer is left with when the item perishes.
        revenue_share: share of what consumers pay for the item that goes to the seller.
    """

    price_eur: Amount
    buyback_eur: Amount = 0.0
    revenue_share: Share = 0.0

    @model_validator(mode="after")
    def _returns_earn_nothing(self) -> Self:
        if self.buyback_eur > self.price_eur:
            raise ValueError(
                f"buyback_eur ({self.buyback_eur:g}) must not be above price_eur ({self.price_eur:g}): "
                "buyers would order only to return"
            )
        return self


class Perish(Facts):
    """Goods that are worth nothing at the end of the week in which they come into stock.

    Attributes:
        items: which.
        disposal_share: what their owner pays to be rid of a unit, as a share of the item's going price.
    """

    items: list[str] = Field(min_length=1)
    disposal_share: Share = 0.0
