"""Who buys what from whom where partners are fixed, and what can be wrong with that.

Knows names only; `state` turns them into rows, `graph` into networkx graphs.
"""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from ecosim.faults import did_you_mean

if TYPE_CHECKING:
    from ecosim.manufacturing.facts.firms import Firms
    from ecosim.manufacturing.facts.policies import Policy
    from ecosim.manufacturing.scenario import ManufacturingScenario


_COVERING = ("arrive", "demand", "replenish")
_MOST_POISSON = 500


def firm_names(scenario: ManufacturingScenario) -> list[tuple[str, Firms]]:
    """Every firm's name with its group, in the order of their numbers."""
    return [
        (firms.name if firms.count == 1 else f"{firms.name}_{k + 1}", firms)
        for firms in scenario.firms
        for k in range(firms.count)
    ]


def numbers(scenario: ManufacturingScenario) -> dict[str, int]:
    """The number of each firm by its name; a group's name stands for its first firm."""
    found: dict[str, int] = {}
    for i, (name, firms) in enumerate(firm_names(scenario)):
        found.setdefault(firms.name, i)
        found[name] = i
    return found


def needs(scenario: ManufacturingScenario, firms: Firms) -> list[str]:
    """The items that a firm has to buy: a distributor what it sells, a maker the parts."""
    return [firms.sells] if firms.role == "distributor" else list(scenario.items[firms.sells].bom)


def partner_name(firms: Firms, item: str) -> str | None:
    """From whom a firm of the group buys an item."""
    return firms.partners.get(item, firms.partner)


def covered_weeks(scenario: ManufacturingScenario, firms: Firms) -> int:
    """For how many weeks of demand an order has to last: from its week until it could first serve demand.

    It follows from lead times and the order of the phases: with `arrive, demand, …, ship` a lead time of L covers L
    weeks, with `replenish, …, ship, arrive, demand` it covers L + 1.
    """
    at: dict[str, int] = {name: i for i, name in enumerate(scenario.phases)}
    first = 0 if at["replenish"] < at["demand"] else 1
    if firms.role == "distributor":
        told = scenario.order_weeks if firms.order_weeks is None else firms.order_weeks
        told = told if "order" in at else 0
        lead = scenario.lead_time_weeks if firms.lead_time_weeks is None else firms.lead_time_weeks
        start, source = told, "ship"
        if told == 0 and at["ship"] < at["order" if "order" in at else "negotiate"]:
            start = 1
    else:
        start, source, lead = int(at["produce"] < at["replenish"]), "produce", firms.make_weeks
    if firms.role != "distributor" and lead == 0:
        here, arrival = "produce", start
    else:
        here, arrival = "arrive", start + lead + int(lead == 0 and at["arrive"] < at[source])
    served = arrival + int(at[here] > at["demand"])
    return served - first + 1


def faults(scenario: ManufacturingScenario) -> list[str]:
    """What is wrong with partners, lines, policies and charges, as lines that begin with their place."""
    if any(firms.sells not in scenario.items for firms in scenario.firms):
        return []  # told already; the rest would only follow from it
    known, sells = numbers(scenario), [group.sells for _, group in firm_names(scenario)]
    found = [f for i, firms in enumerate(scenario.firms) for f in _of_firms(scenario, i, firms, known, sells)]
    found += _rings(scenario) if "order" in scenario.phases and not found else []
    found += [
        fault for name, policy in (scenario.policies or {}).items() for fault in _of_policy(scenario, name, policy)
    ]
    if scenario.charge_transit and "charge" not in scenario.phases:
        found.append("charge_transit: nothing is charged without the phase 'charge'; add it, or leave this out")
    return found


def _of_firms(
    scenario: ManufacturingScenario, i: int, firms: Firms, known: dict[str, int], sells: list[str]
) -> Iterator[str]:
    place = f"firms[{i}] ({firms.name})"
    groups = [group.name for group in scenario.firms]
    named = {f"partners.{item}": name for item, name in firms.partners.items()}
    named |= {"partner": firms.partner} if firms.partner is not None else {}
    unknown = {key: name for key, name in named.items() if name not in known}
    for key, name in unknown.items():
        yield f"{place}.{key}: unknown firm {name!r}; known: {', '.join(groups)}"
    wanted = needs(scenario, firms)
    for item in firms.partners:
        if item not in scenario.items:
            yield f"{place}.partners: unknown item {item!r}; known: {', '.join(scenario.items)}"
        elif item not in wanted:
            yield f"{place}.partners.{item}: it buys no {item!r}; it buys {', '.join(wanted) or 'nothing'}"
    if "order" in scenario.phases and not unknown:
        for item in wanted:
            seller = partner_name(firms, item)
            if seller is None:
                yield (
                    f"{place}.partner: needed, because the phase 'order' buys {item!r} from one partner without "
                    "negotiation"
                )
            elif sells[known[seller]] != item:
                key = f"partners.{item}" if item in firms.partners else "partner"
                yield f"{place}.{key}: {seller!r} sells {sells[known[seller]]!r}, but {item!r} is to be bought there"
    yield from _of_line(place, firms)


def _of_line(place: str, firms: Firms) -> Iterator[str]:
    line = firms.line
    if line is None:
        return
    if firms.role == "distributor":
        yield f"{place}.line: a distributor makes nothing; leave it out"
    elif line.setup_units >= firms.capacity_units:
        yield f"{place}.line.setup_units: a start takes {line.setup_units} of a capacity of {firms.capacity_units}"
    elif line.min_lot_units > firms.capacity_units - line.setup_units:
        most = firms.capacity_units - line.setup_units
        yield f"{place}.line.min_lot_units: {line.min_lot_units} can never be started, at most {most} a week"


def _rings(scenario: ManufacturingScenario) -> list[str]:
    """Firms that buy from each other in a ring, so that nobody in it could have made what they sell."""
    known = numbers(scenario)
    every = firm_names(scenario)
    sources = {
        i: {known[name] for item in needs(scenario, firms) if (name := partner_name(firms, item)) in known}
        for i, (_, firms) in enumerate(every)
    }
    try:
        TopologicalSorter(sources).prepare()
    except CycleError as error:
        ring = [every[i][0] for i in reversed(error.args[1])]
        way = " from ".join(f"{name}" for name in ring)
        return [f"firms: a ring of partners ({way}): goods would come from nowhere; give one of them another partner"]
    return []


def _of_policy(scenario: ManufacturingScenario, name: str, policy: Policy) -> Iterator[str]:
    place, known = f"policies.{name}", numbers(scenario)
    if name not in known:
        yield f"{place}: unknown firm {name!r}{did_you_mean(name, [group.name for group in scenario.firms])}"
        return
    if "replenish" not in scenario.phases:
        yield f"{place}: nobody plans without the phase 'replenish'; add it"
    firms = firm_names(scenario)[known[name]][1]
    item = scenario.items[firms.sells]
    holding = item.holding_cost_eur if firms.holding_cost_eur is None else firms.holding_cost_eur
    backlog = item.backlog_cost_eur if firms.backlog_cost_eur is None else firms.backlog_cost_eur
    is_computed = policy.level_units is None and policy.lot_units is None
    if policy.kind == "echelon_base_stock" and "order" not in scenario.phases:
        yield f"{place}.kind: who is downstream is known only where partners are fixed, with the phase 'order'"
    if not is_computed:
        return
    is_buyer = firms.role == "distributor"
    lacking = [n for n in (*_COVERING, "ship" if is_buyer else "produce") if n not in scenario.phases]
    lacking += ["order"] if is_buyer and not {"order", "negotiate"} & set(scenario.phases) else []
    if lacking:
        yield f"{place}: the order of the week decides what a level has to cover, but phases lacks {lacking[0]!r}"
        return
    if firms.demand != "consumers":
        yield f"{place}: give its levels; they are computed only for firms that sell to consumers"
    if holding == 0 or (policy.kind != "eoq" and backlog == 0):
        yield f"{place}: {policy.kind} weighs costs; give the firm holding_cost_eur and backlog_cost_eur above 0"
    if policy.kind == "eoq" and firms.order_cost_eur == 0:
        yield f"{place}: eoq weighs the cost of an order; give {firms.name} an order_cost_eur above 0"
    if policy.kind == "s_S" and scenario.demand.kind != "poisson":
        yield f"{place}: s_S is computed for Poisson demand; give reorder_units and level_units"
    weeks = covered_weeks(scenario, firms)
    if policy.kind == "s_S" and scenario.demand.mean_units * weeks > _MOST_POISSON:
        yield (
            f"{place}: s_S is computed for a mean demand of at most {_MOST_POISSON} in the {weeks} weeks that an order "
            "covers; give reorder_units and level_units"
        )
    if policy.kind != "s_S" and not scenario.demand.mean_units:
        yield f"{place}: {policy.kind} is computed from demand.mean_units; give it above 0, or give the levels"
