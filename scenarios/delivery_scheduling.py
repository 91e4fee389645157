"""What is a van's empty space worth: wait until it is full, let everything leave at once, or send a courier when late?

Four arms meet the same demand and the same delays on the road: whatever is ready leaves; the same once more (A/A:
minds draw nothing here, so there is no difference at all); loads wait for four fifths of a van or their last week;
couriers take what would come late.
"""

import ecosim

FIGURES = {
    "transport_eur_per_unit": "transport, EUR a unit",
    "load_factor": "share of vans' space that is used",
    "otif": "order lines on time and in full",
    "fill_rate_type_1": "weeks in which a bakery served everybody",
    "profit_eur": "profit of mill and bakeries, EUR",
}

arms = {name: {"manufacturer.dispatch": name} for name in ("ship_at_once", "consolidate", "expedite_when_late")}
comparison = ecosim.compare("delivery_scheduling", arms, seeds=6, with_same=True)

table = comparison.table
table = table[table["metric"].isin(FIGURES) & (table["group"] == "")].assign(figure=lambda t: t["metric"].map(FIGURES))
print(table[["figure", "arm", "baseline_mean", "difference", "low", "high"]].round(3).to_string(index=False))

rounds = comparison.run.events("routes").query("load == 0").groupby("replica")["metres"].sum() / 1000
rounds = rounds.groupby(comparison.run.replicas["arm"]).mean()
print(f"\nKilometres of vans in a run\n{rounds.round(0).to_string()}")

found = table.set_index(["arm", "metric"])
for arm in ("consolidate", "expedite_when_late"):
    cost = found.loc[(arm, "transport_eur_per_unit")]
    otif = 100 * found.loc[(arm, "otif"), ["difference", "low", "high"]]
    print(
        f"{arm}: a unit costs {cost['difference']:+.2f} EUR ({cost['low']:+.2f} … {cost['high']:+.2f}) to move, and "
        f"{otif['difference']:+.1f} ({otif['low']:+.1f} … {otif['high']:+.1f}) lines in 100 are on time"
    )
