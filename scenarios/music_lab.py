"""Does social influence make hits bigger, and can anybody tell beforehand which song becomes one?

Eight worlds in which listeners are shown what others downloaded, and eight in which they are not, as in the Music Lab
of Salganik, Dodds and Watts (2006). The songs are the same 48 throughout.
"""

import numpy as np

import ecosim
from ecosim.community.attention import spearman
from ecosim.community.figures import gini, unpredictability

NUM_SONGS = 48


def shares(power: float) -> np.ndarray:
    """Market shares of the songs, (worlds, songs), at this strength of influence."""
    run = ecosim.run("music_lab", changes={"feed.popularity_power": power})
    views = run.events("reactions").groupby(["replica", "creator"])["views"].sum().unstack(fill_value=0)
    views = views.reindex(columns=range(NUM_SONGS), fill_value=0).to_numpy()
    return views / views.sum(axis=1, keepdims=True)


alone, social = shares(0.0), shares(0.32)
appeal = alone.mean(axis=0)  # what listeners make of a song when nobody tells them what others think
for name, worlds, gini_there, u_there in (("independent", alone, 0.244, 0.0056), ("social", social, 0.340, 0.0082)):
    others = [np.delete(alone, i, axis=0).mean(axis=0) if worlds is alone else appeal for i in range(len(worlds))]
    agree = [spearman(world, other) for world, other in zip(worlds, others, strict=True)]
    print(
        f"{name:>11}: Gini {gini(worlds).mean():.3f} (people {gini_there:.3f}), U {unpredictability(worlds):.4f} "
        f"(people {u_there:.4f}), rank correlation with the independent worlds {np.mean(agree):.2f}"
    )
gap = gini(social) - gini(alone)
error = gap.std(ddof=1) / len(gap) ** 0.5
best = [int(world.argmax()) for world in social]
print(f"\nInfluence raises inequality by {gap.mean():+.3f} ± {1.96 * error:.3f} (95 %).")
print(f"{len(set(best))} different songs became the biggest hit of a world; the best one did in {best.count(47)}.")
