"""The cases of smart manufacturing."""

from __future__ import annotations

from ecosim.validate import bargaining, beer_game, inventory, laws, outage, shop_floor

CASES = (
    *beer_game.CASES,
    *inventory.CASES,
    *bargaining.CASES,
    *shop_floor.CASES,
    *outage.CASES,
    laws.conserved("manufacturing", "smart_manufacturing"),
    laws.common("manufacturing", "smart_manufacturing", {"distributor.negotiate": "conceder"}),
)
