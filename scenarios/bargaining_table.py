"""Does patience pay when two firms bargain over price, delivery, payment and returns at once?

Itex sells bicycle parts to Cypress; 180 agreements are possible, 17 of them efficient. Every tactic meets every other
over the same 200 pairs of private weights; then Cypress tries to give up what Itex seems to want most.
"""

import pandas as pd

import ecosim

TACTICS = ["boulware", "linear", "conceder"]
PAIRS = [*((buyer, seller) for buyer in TACTICS for seller in TACTICS), ("best_response", "boulware")]

rows = []
for buyer, seller in PAIRS:
    minds = {"manufacturer.bargain": buyer, "supplier.bargain": seller}
    talks = ecosim.run("bargaining_table", seeds=40, steps=1, minds=minds).events("bargains")
    mean = talks[["buyer_utility", "seller_utility", "welfare", "to_nash", "to_pareto", "round"]].mean()
    rows.append({"Cypress": buyer, "Itex": seller, "deals": (talks["end"] == 1).mean(), **mean})

table = pd.DataFrame(rows)
print("Means over talks; utilities of 1 are the best outcome, distances are between points of utilities")
print(table.round(3).to_string(index=False))

of = table.set_index(["Cypress", "Itex"])
patient, soft = of.loc["boulware", "boulware"], of.loc["conceder", "conceder"]
against = of.xs("conceder", level="Itex")["buyer_utility"]
print(
    f"\nAgainst a Conceder, Cypress gets most as {against.idxmax()} ({against.max():.2f}, else {against.min():.2f} up)."
)
print(f"Two patient firms talk for {patient['round']:.0f} rounds, two soft ones for {soft['round']:.0f};")
better = "patient" if patient["welfare"] > soft["welfare"] else "soft"
print(f"together the {better} ones do better: welfare {patient['welfare']:.3f} against {soft['welfare']:.3f}.")
tuned = of.loc["best_response", "boulware"]
change = tuned["to_pareto"] - patient["to_pareto"]
where = "nearer to" if change < 0 else "farther from"
print(f"Where Cypress models its opponent, agreements lie {abs(change):.3f} {where} the frontier.")
