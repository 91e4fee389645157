"""What does moderation on the device buy, beside moderation after reports, and whom do its errors hit?

The same platform four times, with the same offenders, texts and policy: nobody moderates; a small model on the device
judges every post before it appears; a larger one judges what viewers report, a day later; both do.
"""

import ecosim

SEATS = ("moderator.screen", "moderator.review")
ARMS = {
    "nobody": ("hands_off", "hands_off"),
    "device": ("device", "hands_off"),
    "central": ("hands_off", "central"),
    "both": ("device", "central"),
}
FIGURES = {
    "harm_exposure": "share of views that are harmful",
    "moderation_precision": "precision",
    "moderation_recall": "recall",
    "days_to_action": "days to action",
    "views_before_action": "views before action",
    "appeals_granted": "share of appeals granted",
    "moderation_mflops": "cost, million operations",
}

arms = {name: dict(zip(SEATS, minds, strict=True)) for name, minds in ARMS.items()}
comparison = ecosim.compare("moderation_on_device", arms, seeds=8)

kpis = comparison.run.kpis.groupby(["arm", "metric", "group"])["value"].mean().unstack("arm")[list(ARMS)]
print(kpis.xs("", level="group").loc[list(FIGURES)].rename(FIGURES).round(3).to_string())
print("\nHarmless posts that were removed, if only for a time:")
print(kpis.loc["wrongful_removals"].loc[["common", "coastal", "human_creator", "ai_creator"]].round(3).to_string())

table = comparison.table.set_index(["arm", "metric", "group"])
print()
for arm, where in (("device", "on the device"), ("central", "after reports"), ("both", "at both")):
    gap = 100 * table.loc[(arm, "harm_exposure", ""), ["difference", "low", "high"]]
    print(f"Judging {where} changes harm's share of views by {gap['difference']:+.1f} points", end=" ")
    print(f"(95 % interval {gap['low']:+.1f} to {gap['high']:+.1f}).")
