"""Whom does it help if each viewer's fee goes to those whom this viewer watched?

The same platform under three rules: by all views; by each viewer's own views; and each viewer's money in equal parts to
all whom it watched. Worlds of the same number have the same viewers and the same creators waiting.
"""

import pandas as pd

import ecosim

RULES = ("pro_rata", "user_centric", "shapley")
FIGURES = {
    ("creators_part", ""): "creators' part of the takings",
    ("gini_earnings", ""): "Gini of earnings",
    ("top_tenth_earnings", ""): "part of the best paid tenth",
    ("active_creators", ""): "creators there, mean",
    ("survival", "human_creator"): "humans still there after 28 days",
    ("survival", "ai_creator"): "AIs still there after 28 days",
    ("dissipation", ""): "spent to win the prizes, part of them",
}

worlds = {}
for rule in RULES:
    kpis = ecosim.run("revenue_sharing", seeds=8, changes={"revenue.rule": rule}).kpis
    worlds[rule] = kpis.set_index(["replica", "metric", "group"])["value"].unstack(["metric", "group"])[list(FIGURES)]

means = pd.DataFrame({rule: table.mean() for rule, table in worlds.items()})
print(means.set_axis(list(FIGURES.values())).round(3).to_string())

print()
for rule in RULES[1:]:
    gap = (worlds[rule] - worlds["pro_rata"])["gini_earnings", ""]
    print(
        f"The rule {rule} shares earnings more equally than pro rata in {(gap < 0).sum()} of {len(gap)} worlds "
        f"(Gini {gap.mean():+.3f} ± {gap.std() / len(gap) ** 0.5:.3f})."
    )
