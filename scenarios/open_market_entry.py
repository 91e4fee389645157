"""What do newcomers do to prices, to concentration, and to the firms that were there before them?

Two arms meet the same consumers, limits and deadlines. In one, up to eight newcomers enter in weeks that were drawn
before the run; in the other, an intervention keeps them out. Arms are paired week by week, world by world.
"""

import ecosim

NEWCOMERS = [f"new_maker_{k}" for k in range(1, 6)] + [f"new_distributor_{k}" for k in range(1, 4)]
CLOSED = {"step": 1, "table": "firms", "column": "enters_week", "where": {"member": NEWCOMERS}, "set": 0}
FIGURES = {
    ("deal_price_eur", "pump"): "price of a pump, EUR",
    ("hhi", "pump"): "concentration of makers (HHI, 0 to 1)",
    ("hhi", "pump to consumers"): "concentration of distributors (HHI)",
    ("fill_rate", ""): "share of demand served at once",
    ("bankruptcies", ""): "firms that failed",
    ("survival_of_incumbents", ""): "share of incumbents that survive",
}

comparison = ecosim.compare(
    "open_market_entry",
    {"closed": {}, "open": {}},
    seeds=8,
    steps=40,
    changes={"interventions": [CLOSED | {"arms": ["closed"]}]},
)

table = comparison.table.set_index(["metric", "group"]).loc[list(FIGURES)].reset_index()
table.insert(0, "figure", [FIGURES[key] for key in zip(table["metric"], table["group"], strict=True)])
print(table[["figure", "baseline_mean", "mean", "difference", "low", "high"]].round(3).to_string(index=False))

kpis = comparison.run.kpis.query("arm == 'open'").groupby("metric")["value"].mean()
print(
    f"\n{kpis['entries']:.1f} firms entered a world, {kpis['survival_of_entrants']:.0%} of them were there at the end."
)
for row in table.itertuples():
    verdict = "leaves out 0" if row.low > 0 or row.high < 0 else "holds 0: nothing is shown"
    print(f"- {row.figure}: {row.difference:+.3f} with entry; the 95 % interval {verdict}.")
