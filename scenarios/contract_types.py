"""What must a contract share, so that two firms earn together what one owner would?

A retailer orders before it knows demand; what it does not sell is worth nothing. Under each contract it orders what is
best for itself, by the critical ratio (Cachon 2003); all contracts meet the same demand, week for week.
"""

import numpy as np
import pandas as pd

import ecosim
from ecosim.rules.terms import critical_ratio

PRICE, COST, MOST, WEEKS = 10.0, 2.0, 100, 52
CONTRACTS = {  # the supplier sells at its cost where one owner decides
    "centralised": {"price_eur": COST},
    "wholesale": {"price_eur": 6.0},
    "buyback": {"price_eur": 6.0, "buyback_eur": 5.0},
    "revenue sharing": {"price_eur": 1.0, "revenue_share": 0.5},
}


def weekly_profit(terms):
    """Best order of the retailer, and profit of retailer and supplier a week, a column a replica."""
    revenue = PRICE * (1 - terms.get("revenue_share", 0.0))
    order = round(MOST * critical_ratio(revenue, terms["price_eur"], terms.get("buyback_eur", 0.0)))
    rule = {"distributor": lambda question: {"quantity": np.full(question.num_rows, order * 1_000_000)}}
    run = ecosim.run("contract_types", minds=rule, changes={"terms.paper": terms, "first_forecast_units.paper": order})
    profit = run.kpis[run.kpis["metric"] == "profit_eur"].pivot(index="group", columns="replica", values="value")
    return order, profit.loc[["distributor", "supplier"]] / WEEKS


found = {name: weekly_profit(terms) for name, terms in CONTRACTS.items()}
rows, best = {}, found["centralised"][1].sum().mean()
for name, (order, profit) in found.items():
    share = profit.sum() / best * 100
    rows[name] = [order, *profit.mean(axis=1), share.mean(), 1.96 * share.std() / len(share) ** 0.5]
table = pd.DataFrame(rows, index=["order", "retailer, EUR", "supplier, EUR", "chain, % of best", "± (95 %)"]).T
print(table.round(1).to_string())
brings = [f"{name} {table['chain, % of best'][name]:.0f} %" for name in list(CONTRACTS)[1:]]
print(f"\nOf what one owner of both firms would earn, two firms earn under {', '.join(brings)}.")
