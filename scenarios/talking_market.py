"""Which way of bargaining brings distributors the best price, and which leaves the least on the table?

Arms meet the same demand, limits, deadlines and fears of lateness; only how distributors bargain differs.
"""

import ecosim

FIGURES = {
    "deal_price_eur": "price of a pump, EUR",
    "buyer_share": "buyers' part of the gains",
    "agreement_rate": "talks that agree",
    "rounds_per_talk": "rounds of a talk",
    "efficiency": "welfare ÷ the best there was",
    "nash_distance_eur": "EUR from Nash's point",
}
TACTICS = ("boulware", "conceder", "tit_for_tat", "best_response", "with_rivals")

arms = {"usual": {}} | {name: {"distributor.negotiate": name} for name in TACTICS}
comparison = ecosim.compare("talking_market", arms, seeds=4, steps=13)

table = comparison.table.set_index("group").loc["pump"]
table = table[table["metric"].isin(FIGURES)]
wide = table.pivot(index="arm", columns="metric", values="mean").rename(columns=FIGURES)
usual = table.drop_duplicates("metric").set_index("metric")["baseline_mean"].rename(index=FIGURES).rename("usual")
wide = wide.T.assign(usual=usual).T[list(FIGURES.values())]
print(wide.round(3).to_string())

cheapest, best = wide["price of a pump, EUR"].idxmin(), wide["welfare ÷ the best there was"].idxmax()
print(
    f"\nDistributors pay least as {cheapest} ({wide.loc[cheapest].iloc[0]:.2f} EUR a pump); most of what could be "
    f"gained is gained where they are {best} ({wide.loc[best, FIGURES['efficiency']]:.0%})."
)
