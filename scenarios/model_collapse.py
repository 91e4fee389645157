"""What do models lose that learn from each other's posts, and what if data accumulate, or the feed's audience picks?

Twelve generations, ten worlds under each way to make a corpus; ± is 1.96 standard errors over worlds.
"""

import pandas as pd

import ecosim

WAYS = {
    "replace": {},
    "accumulate": {"retraining.keep": "accumulate"},
    "replace, curated by views": {"retraining.curated_by": "views"},
    "accumulate, curated by views": {"retraining.keep": "accumulate", "retraining.curated_by": "views"},
}
SHOWN = ["model_diversity", "lost_topics", "topic_distance", "style_variance", "style_distance"]

last = {}
for way, changes in WAYS.items():
    kpis = ecosim.run("model_collapse", changes=changes).kpis
    last[way] = kpis[kpis["group"] == ""].pivot(index="replica", columns="metric", values="value")

table = {way: worlds[SHOWN].apply(lambda x: f"{x.mean():.3f} ± {1.96 * x.sem():.3f}") for way, worlds in last.items()}
print("After 12 generations (truth: diversity 0.89, nothing lost, distances 0, style variance 1):")
print(pd.DataFrame(table).T.to_string())

print()
for way in list(WAYS)[1:]:
    gap = last[way]["lost_topics"] - last["replace"]["lost_topics"]
    print(f"{way}: topics lost {100 * gap.mean():+.0f} ± {196 * gap.sem():.0f} points against replacing alone.")
