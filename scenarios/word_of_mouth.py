"""How far does a post come by sharing, where a few viewers have most of the ties and where all have as many?

The same 400 viewers (20 days, 8 worlds) without sharing, on a ring with short cuts, and with hubs; six ties a viewer in
both graphs, and the same chance of sharing.
"""

import pandas as pd

import ecosim

SHARING = {"share_chance": 0.12}
GRAPHS = {
    "nobody shares": {"kind": "small_world", "share_chance": 0.0},
    "small world": {"kind": "small_world", "neighbours": 6, "rewired": 0.1, **SHARING},
    "hubs": {"kind": "barabasi_albert", "links": 3, **SHARING},
}
SHOWN = ["views", "social_view_share", "largest_cascade", "virality", "attention_gini", "polarisation"]

worlds = {}
for name, graph in GRAPHS.items():
    run = ecosim.run("word_of_mouth", seeds=8, changes={"graph": graph})
    kpis = run.kpis[run.kpis["group"] == ""]
    worlds[name] = kpis.pivot(index="replica", columns="metric", values="value")[SHOWN]

print(pd.concat(worlds, names=["ties"]).groupby("ties", sort=False).mean().round(3).to_string())

gap = worlds["hubs"]["largest_cascade"] - worlds["small world"]["largest_cascade"]
more = worlds["hubs"]["views"].mean() / worlds["nobody shares"]["views"].mean() - 1
print()
print(
    f"Hubs carry the largest cascade further than a small world does in {(gap > 0).sum()} of {len(gap)} worlds "
    f"(mean {gap.mean():+.0f} who share). Sharing there adds {more:.0%} to the views of the feed."
)
