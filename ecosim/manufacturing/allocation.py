"""Whose orders a seller ships first when its stock is too little for all."""

from __future__ import annotations

import numpy as np

from ecosim.fields import Array
from ecosim.manufacturing import wiring
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.rules.allocate import in_proportion, share_out
from ecosim.words import Table

_RULES = ("first_due", "proportional", "priority")


class Allocation:
    """The rule of each seller.

    `first_due`: by week due, week signed, then the buyer's number. `priority`: by the buyer's `priority`, then so.
    `proportional`: to what is open of each contract, in whole units; what rounding leaves goes out one by one.
    """

    def __init__(self, scenario: ManufacturingScenario) -> None:
        firms = [group for _, group in wiring.firm_names(scenario)]
        self.rule = np.array([_RULES.index(group.allocation or scenario.allocation) for group in firms])
        self.priority = np.array([group.priority for group in firms])
        self.found = [rule for i, rule in enumerate(_RULES) if (self.rule == i).any()]

    def share(self, owed: Table, stock: Array) -> Array:
        """What is shipped of each open contract, given the stock of its seller; int64 (rows,)."""
        if len(self.found) == 1:
            return self._share(self.found[0], owed, stock)
        shipped = np.zeros(owed.num_rows, np.int64)
        for rule in self.found:
            rows = np.flatnonzero(self.rule[owed["seller"]] == _RULES.index(rule))
            shipped[rows] = self._share(rule, owed.take(rows), stock[rows])
        return shipped

    def _share(self, rule: str, owed: Table, stock: Array) -> Array:
        group = (owed["replica"], owed["seller"], owed["item"])
        turn = [owed["due_week"], owed["signed_week"], owed["buyer"]]
        if rule == "proportional":
            return in_proportion(group, turn, owed["open"], stock)
        if rule == "priority":
            turn = [self.priority[owed["buyer"]], *turn]
        return share_out(group, turn, owed["open"], stock)
