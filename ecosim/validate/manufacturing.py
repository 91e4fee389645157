"""The cases of smart manufacturing."""

from __future__ import annotations

from ecosim.validate import (
    bargaining,
    bargaining_table,
    beer_game,
    chain,
    contracts,
    inventory,
    laws,
    outage,
    shop_floor,
    stock,
)

CASES = (
    *beer_game.CASES,
    *inventory.CASES,
    *chain.CASES,
    *stock.CASES,
    *bargaining.CASES,
    *shop_floor.CASES,
    *outage.CASES,
    *contracts.CASES,
    *bargaining_table.CASES,
    laws.conserved("manufacturing", "smart_manufacturing"),
    laws.conserved("manufacturing", "broken_promises", "with_contracts"),
    laws.common("manufacturing", "smart_manufacturing", {"distributor.negotiate": "conceder"}),
)
