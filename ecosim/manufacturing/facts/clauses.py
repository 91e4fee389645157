"""What contradicts what among the keys about contracts: `contracts`, `spot`, `terms`, `perish`, `exogenous`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ecosim.manufacturing.facts.exogenous import Outside
    from ecosim.manufacturing.scenario import ManufacturingScenario


def clause_faults(scenario: ManufacturingScenario) -> list[str]:
    """One line a fault."""
    return [
        *_contract_faults(scenario),
        *_spot_faults(scenario),
        *_term_faults(scenario),
        *_perish_faults(scenario),
        *_exogenous_faults(scenario),
    ]


def _contract_faults(scenario: ManufacturingScenario) -> list[str]:
    facts, faults = scenario.contracts, []
    if facts is None:
        return []
    if facts.cure and scenario.spot is None:
        faults.append(
            "contracts.cure: what is missing is bought at the spot market; add the key 'spot', or cure: false"
        )
    if facts.signing and "negotiate" not in scenario.phases:
        faults.append("contracts.signing: only what a talk concludes is signed; add 'quote' and 'negotiate' to phases")
    if "breach" not in scenario.phases:
        faults.append("contracts: without the phase 'breach' no contract ever ends; add it to phases")
    for key, phase in (("signing", "sign"), ("refusal", "perform")):
        if getattr(facts, key) and phase not in scenario.phases:
            faults.append(f"contracts.{key}: needs the phase {phase!r}; add it to phases, or {key}: false")
    return faults


def _spot_faults(scenario: ManufacturingScenario) -> list[str]:
    facts, faults = scenario.spot, []
    if facts is None:
        return []
    if facts.cover_share and "negotiate" not in scenario.phases:
        faults.append("spot.cover_share: covers what negotiations have left open, and nobody negotiates; leave it out")
    if (facts.cover_share or facts.sell_above_weeks) and "spot" not in scenario.phases:
        faults.append("spot: firms buy and sell there in the phase 'spot'; add it to phases")
    return faults


def _term_faults(scenario: ManufacturingScenario) -> list[str]:
    if scenario.terms is None:
        return []
    faults = [] if "order" in scenario.phases else ["terms: hold between fixed partners; add the phase 'order'"]
    bought = {firms.sells for firms in scenario.firms if firms.demand == "consumers" and firms.partner is not None}
    for name, terms in scenario.terms.items():
        if name not in scenario.items:
            faults.append(f"terms.{name}: unknown item {name!r}; known: {', '.join(scenario.items)}")
            continue
        if terms.buyback_eur and (scenario.perish is None or name not in scenario.perish.items):
            faults.append(
                f"terms.{name}.buyback_eur: {name!r} keeps, so that nothing is ever returned; "
                "list it in perish.items, or leave the buyback out"
            )
        if terms.revenue_share and name not in bought:
            faults.append(
                f"terms.{name}.revenue_share: no firm buys {name!r} from a partner and sells it to consumers; "
                "leave it out"
            )
    return faults


def _perish_faults(scenario: ManufacturingScenario) -> list[str]:
    if scenario.perish is None:
        return []
    known = ", ".join(scenario.items)
    names = scenario.perish.items
    faults = [f"perish.items: unknown item {name!r}; known: {known}" for name in names if name not in scenario.items]
    if "perish" not in scenario.phases:
        faults.append("perish: goods perish in the phase 'perish'; add it to phases")
    return faults


def _exogenous_faults(scenario: ManufacturingScenario) -> list[str]:
    if scenario.exogenous is None:
        return []
    faults = [
        f"exogenous: needs the phase {phase!r}; add it to phases"
        for phase in ("receive", "fulfil")
        if phase not in scenario.phases
    ]
    for kind in ("supplies", "sales"):
        for i, contract in enumerate(getattr(scenario.exogenous, kind)):
            faults += _outside_faults(scenario, f"exogenous.{kind}[{i}]", contract, kind == "sales")
    return faults


def _outside_faults(scenario: ManufacturingScenario, place: str, contract: Outside, is_sale: bool) -> list[str]:
    groups = {firms.name: firms for firms in scenario.firms}
    faults = []
    if contract.week is not None and contract.week > scenario.steps:
        faults.append(
            f"{place}.week: {contract.week} is after the last week, {scenario.steps}; the contract never comes"
        )
    if contract.item not in scenario.items:
        faults.append(f"{place}.item: unknown item {contract.item!r}; known: {', '.join(scenario.items)}")
    firms = groups.get(contract.firms)
    if firms is None:
        return [*faults, f"{place}.firms: unknown group {contract.firms!r}; known: {', '.join(groups)}"]
    if faults or firms.sells not in scenario.items:
        return faults
    handled = [firms.sells] if is_sale else [firms.sells, *scenario.items[firms.sells].bom]
    if contract.item not in handled:
        verb = "sells" if is_sale else "handles"
        faults.append(f"{place}.item: {contract.firms!r} {verb} {', '.join(handled)}, not {contract.item!r}")
    return faults
