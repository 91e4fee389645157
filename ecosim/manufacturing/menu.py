"""The menu of minds that firms may adopt, and who has which of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ecosim.exact import micro
from ecosim.fields import Array
from ecosim.manufacturing.facts.company import Adoption
from ecosim.manufacturing.scenario import ManufacturingScenario
from ecosim.manufacturing.state import NOBODY, ROLES, Layout
from ecosim.words import Table

if TYPE_CHECKING:
    from ecosim.world import World

ASKED = {
    "supplier": ("replenish", "negotiate"),
    "manufacturer": ("replenish", "quote", "negotiate"),
    "distributor": ("replenish", "quote", "negotiate"),
}
"""The phases of the menu that ask each role."""


def phases_of(facts: Adoption) -> Mapping[str, tuple[str, ...]]:
    """By role, the phases in which an adopted mind answers."""
    return {role: tuple(phase for phase in asked if phase in facts.phases) for role, asked in ASKED.items()}


def held(world: World, phases: Mapping[str, tuple[str, ...]]) -> Array:
    """Which mind of the menu each firm has, in all phases of its role; 0 for another or none, int64 (firms,)."""
    firms = world.tables["firms"]
    codes = world.tables["menu"]["code"].reshape(world.num_replicas, -1)[firms["replica"]]
    found = np.zeros(firms.num_rows, np.int64)
    for code, role in enumerate(ROLES):
        rows = np.flatnonzero(firms["role"] == code)
        if phases[role] and len(rows):
            same = np.ones((len(rows), codes.shape[1]), bool)
            for phase in phases[role]:
                same &= codes[rows] == firms[f"mind.{phase}"][rows, None]
            found[rows] = np.where(same.any(axis=1), same.argmax(axis=1) + 1, 0)
    return found


def menu(scenario: ManufacturingScenario) -> dict[str, tuple[str, ...]]:
    """The minds that members may adopt, by question."""
    if scenario.adoption is None:
        return {}
    minds = tuple(offer.mind for offer in scenario.adoption.menu)
    roles = dict.fromkeys(firms.role for firms in scenario.firms)
    return {f"{role}.{phase}": minds for role in roles for phase in phases_of(scenario.adoption)[role]}


def build(scenario: ManufacturingScenario, net: Layout, replicas: Table, tables: dict[str, Table]) -> None:
    """The menu of each replica; the assembly, which seats minds, fills in their codes."""
    assert scenario.adoption is not None
    offers, num = scenario.adoption.menu, replicas.num_rows
    tables["menu"] = Table(
        {
            "replica": np.repeat(np.arange(num), len(offers)),
            "option": np.tile(np.arange(1, len(offers) + 1), num),
            "price": np.tile(np.array([micro(offer.price_eur) for offer in offers], np.int64), num),
            "code": np.full(len(offers) * num, NOBODY),
        }
    )
    tables["firms"]["profit_then"] = np.zeros(tables["firms"].num_rows, np.int64)
