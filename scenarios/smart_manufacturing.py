"""What does it cost distributors to give in early, and who gets it?

Three arms meet the same demand, limits and deadlines: the usual mix of negotiators, the same once more with other luck
(A/A: its intervals should hold 0, but for one in twenty), and distributors that all concede early.
"""

import ecosim

FIGURES = {
    ("deal_price_eur", "pump"): "price of a pump, EUR",
    ("rounds_per_talk", "pump"): "rounds of a talk about pumps",
    ("profit_eur", "distributor"): "profit of all distributors, EUR",
    ("profit_eur", "manufacturer"): "profit of all manufacturers, EUR",
    ("fill_rate", ""): "share of demand served at once",
}

comparison = ecosim.compare(
    "smart_manufacturing",
    {"usual": {}, "early": {"distributor.negotiate": "conceder"}},
    seeds=10,
    steps=26,
    with_same=True,
)

table = comparison.table.set_index(["metric", "group"]).loc[list(FIGURES)].reset_index()
table.insert(0, "figure", [FIGURES[key] for key in zip(table["metric"], table["group"], strict=True)])
print(table[["figure", "arm", "baseline_mean", "difference", "low", "high"]].round(3).to_string(index=False))

early = table[table["arm"] == "early"].set_index("figure")
print("\nWhere distributors concede early, against the usual mix in the same worlds:")
for figure, row in early.iterrows():
    verdict = "leaves out 0" if row["low"] > 0 or row["high"] < 0 else "holds 0"
    print(f"- {figure}: {row['difference']:+,.3f}; the 95 % interval {verdict}.")
lost, won = (-early.loc[f"profit of all {who}, EUR", "difference"] for who in ("distributors", "manufacturers"))
print(f"Manufacturers gain {-won / lost:.0%} of what distributors lose." if lost > 0 > won else "Nobody pays for it.")
