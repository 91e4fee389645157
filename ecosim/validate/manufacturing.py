"""The cases of smart manufacturing."""

from __future__ import annotations

from ecosim.validate import bargaining, bargaining_table, beer_game, inventory, laws

CASES = (
    *beer_game.CASES,
    *inventory.CASES,
    *bargaining.CASES,
    *bargaining_table.CASES,
    laws.conserved("manufacturing", "smart_manufacturing"),
    laws.common("manufacturing", "smart_manufacturing", {"distributor.negotiate": "conceder"}),
)
