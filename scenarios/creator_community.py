"""Who gets the attention, when the feed recommends by chance, by popularity, or by what viewers liked before?

The same small platform (600 viewers, 20 days, 8 worlds) under each feed. Worlds of the same number have the same
viewers and fashions under all three, so they can be compared in pairs.
"""

import pandas as pd

import ecosim

SMALL = {"viewers.count": 600, "viewers.at_start": 500, "viewers.arrivals_per_day": 5}
FEEDS = ("random", "popular", "content")

worlds = {}
for feed in FEEDS:
    run = ecosim.run("creator_community", seeds=8, steps=20, changes={**SMALL, "feed.mix": [feed]})
    kpis = run.kpis[run.kpis["group"] == ""]
    worlds[feed] = kpis.pivot(index="replica", columns="metric", values="value")

shown = ["views", "attention_gini", "topic_diversity", "retention"]
by_world = pd.concat(worlds, names=["feed"])[shown]
print(by_world.groupby("feed", sort=False).agg(["mean", "std"]).round(3).to_string())

print()
for feed in FEEDS[1:]:
    gap = worlds[feed] - worlds["random"]
    unequal, watched = (gap["attention_gini"] > 0).sum(), (gap["views"] > 0).sum()
    print(
        f"The {feed} feed shares attention less equally than chance in {unequal} of {len(gap)} worlds, "
        f"and is watched more in {watched} (mean {gap['views'].mean():+,.0f} views)."
    )
