"""What is it worth to plan for the whole network, and not each firm by the orders that it happens to see?

Three arms meet the same demand and the same luck on the production line: levels that count all stock downstream, each
firm's own forecast of its orders, and passing on what was asked for.
"""

import networkx as nx

import ecosim
from ecosim.manufacturing.graph import network, topology
from ecosim.simulate import load_scenario

ROLES = ("distributor", "manufacturer", "supplier")
FIGURES = {
    ("profit_eur", ""): "profit of all firms, stock that is left counted as nothing, EUR",
    ("cost_eur", ""): "cost of stock and of goods on the way, EUR",
    ("lost_units", ""): "bicycles that customers did not get",
    ("bullwhip", "supplier"): "bullwhip of the makers of parts",
}

firms = network(load_scenario("supply_network"))
tiers = " → ".join(", ".join(tier) for tier in nx.topological_generations(firms))
print(f"A {topology(firms)} network of {len(firms)} firms: {tiers}")

rules = {"forecasts": "order_up_to", "passing_on": "pass_on"}
arms = {"levels": {}} | {arm: {f"{role}.replenish": rule for role in ROLES} for arm, rule in rules.items()}
table = ecosim.compare("supply_network", arms, seeds=5, steps=40).table.set_index(["metric", "group", "arm"])
for key, name in FIGURES.items():
    print(f"\n{name}: {table.loc[(*key, 'forecasts'), 'baseline_mean']:,.1f} with levels")
    for arm in ("forecasts", "passing_on"):
        row = table.loc[(*key, arm)]
        print(f"  {arm}: {row['difference']:+,.1f} ({row['low']:+,.1f} … {row['high']:+,.1f})")

cost, lost = table.loc[("cost_eur", "", "forecasts")], table.loc[("lost_units", "", "forecasts")]
times = 1 + cost["difference"] / cost["baseline_mean"]
verdict = "fewer customers go away" if lost["high"] < 0 else "no fewer customers go away"
print(f"\nForecasting firm by firm costs {times:.1f} times as much stock as levels for the whole network; {verdict}.")
