"""Does it pay to show viewers what they liked before, once they tire of it?

The same platform under a feed by content alone and under one that mixes in what is popular and what comes by chance,
with viewers who never tire and with those who do. Worlds of the same number have the same viewers.
"""

import pandas as pd

import ecosim

FEEDS = {"content": ["content"], "mixed": ["content", "popular", "random"]}
TIRING = {"never tire": 0.0, "tire": 0.8}

found = {}
for tiring, topic in TIRING.items():
    for feed, mix in FEEDS.items():
        changes = {"feed.mix": mix, "audience.fatigue.topic": topic, "audience.fatigue.creator": topic}
        kpis = ecosim.run("tired_viewers", seeds=4, changes=changes).kpis
        kpis = kpis[kpis["group"] == ""]
        found[tiring, feed] = kpis.pivot(index="replica", columns="metric", values="value")

shown = ["viewer_utility", "missed_utility", "polarisation", "topic_diversity", "churn", "retention"]
by_world = pd.concat(found, names=["viewers", "feed"])[shown]
print(by_world.groupby(["viewers", "feed"], sort=False).mean().round(3).to_string())

print()
for tiring in TIRING:
    gap = (found[tiring, "mixed"] - found[tiring, "content"])["viewer_utility"]
    by = f"{gap.mean():+.3f} log-odds (sd {gap.std():.3f})"
    print(f"Where viewers {tiring}, mixing changes what a visit is worth by {by}.")
