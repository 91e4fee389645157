"""Does a feed that learns from what it causes make its viewers alike?

The same worlds under five feeds. Homogenisation is how much more two viewers' histories overlap than under chance.
"""

import pandas as pd

import ecosim

FEEDS = ("random", "popular", "content", "collaborative", "bandit")
FIGURES = {
    "views": "views",
    "history_overlap": "overlap of histories",
    "slate_diversity": "topics differ on a slate",
    "novelty": "novelty, bits",
    "new_exposure_ratio": "exposure of new posts, to old",
}

worlds = {}
for feed in FEEDS:
    kpis = ecosim.run("learning_feed", seeds=6, changes={"feed.kind": feed}).kpis
    worlds[feed] = kpis[kpis["group"] == ""].pivot(index="replica", columns="metric", values="value")[list(FIGURES)]

means = pd.DataFrame({feed: table.mean() for feed, table in worlds.items()})
print(means.set_axis(list(FIGURES.values())).round(3).to_string())

print()
for feed in FEEDS[1:]:
    more = (worlds[feed] - worlds["random"])["history_overlap"]
    error = more.std() / len(more) ** 0.5
    print(
        f"Under the {feed} feed histories overlap more than by chance in {(more > 0).sum()} of {len(more)} worlds "
        f"({more.mean():+.3f} ± {error:.3f})."
    )
