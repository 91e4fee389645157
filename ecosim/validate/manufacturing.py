"""The cases of smart manufacturing."""

from __future__ import annotations

from ecosim.validate import bargaining, beer_game, contracts, inventory, laws

CASES = (
    *beer_game.CASES,
    *inventory.CASES,
    *bargaining.CASES,
    *contracts.CASES,
    laws.conserved("manufacturing", "smart_manufacturing"),
    laws.conserved("manufacturing", "broken_promises", "with_contracts"),
    laws.common("manufacturing", "smart_manufacturing", {"distributor.negotiate": "conceder"}),
)
