"""The cases of smart manufacturing."""

from __future__ import annotations

from ecosim.validate import bargaining, beer_game, chain, inventory, laws, outage, shop_floor, stock

CASES = (
    *beer_game.CASES,
    *inventory.CASES,
    *chain.CASES,
    *stock.CASES,
    *bargaining.CASES,
    *shop_floor.CASES,
    *outage.CASES,
    laws.conserved("manufacturing", "smart_manufacturing"),
    laws.common("manufacturing", "smart_manufacturing", {"distributor.negotiate": "conceder"}),
)
