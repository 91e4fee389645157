"""What does the feed do to a community: to inequality, diversity, and who stays?

The same eight worlds under every feed, so that each is compared with a lottery pair by pair; ± is 1.96 standard errors
over worlds. `mixed` is half content, half popularity, with every fifth slot explored.
"""

import pandas as pd

import ecosim

FEEDS = {
    "random": {"feed.mix": ["random"]},
    "chronological": {"feed.mix": ["following"]},
    "popular": {"feed.mix": ["popular"]},
    "content": {"feed.mix": ["content"]},
    "collaborative": {"feed.mix": ["collaborative"]},
    "mixed": {"feed.mix": ["content", "popular"], "feed.explore_share": 0.2},
}
SHOWN = ["views", "attention_gini", "topic_diversity", "retention", "coverage"]

worlds = {}
for name, changes in FEEDS.items():
    kpis = ecosim.run("feed_comparison", changes=changes).kpis
    worlds[name] = kpis[kpis["group"] == ""].pivot(index="replica", columns="metric", values="value")[SHOWN]


def with_error(column: pd.Series) -> str:
    return f"{column.mean():,.3f} ± {1.96 * column.sem():.3f}"


print("Mean over worlds:")
print(pd.DataFrame({name: found.apply(with_error) for name, found in worlds.items()}).T.to_string())
print("\nDifference from the random feed, the same worlds:")
gaps = {name: found - worlds["random"] for name, found in worlds.items() if name != "random"}
print(pd.DataFrame({name: gap.apply(with_error) for name, gap in gaps.items()}).T.to_string())

gini, stay = gaps["popular"]["attention_gini"], gaps["content"]["retention"]
print(f"\nPopularity makes attention more unequal in {(gini > 0).sum()} of {len(gini)} worlds;", end=" ")
print(f"a feed by content keeps more viewers in {(stay > 0).sum()}.")
