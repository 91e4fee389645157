"""Does collaboration pay, who keeps the gain, and can what two niches are worth together be read off the views?

Log-odds of being watched when shown are regressed on the appeal of a post's parts and the pair of niches that made it;
pairs for which nothing is planted are the baseline. Error bars are over worlds.
"""

import numpy as np
import pandas as pd

import ecosim

ALONE = {"human_creator.invite": "alone", "ai_creator.invite": "alone"}
done = ecosim.compare("collaboration", {"alone": ALONE, "together": {}}, seeds=10, steps=24)
facts, post = done.run.manifest["scenario"], ["replica", "post"]
niches, given = list(facts["niches"]), facts["collaboration"]["complementarity"]
planted = {(a, b): worth for a, row in given.items() for b, worth in row.items()}
works = done.run.events("works").set_index(post)[["host_niche", "partner_niche", "partner_appeal"]]
works = done.run.events("posts").set_index(post)[["appeal"]].join(works)
data = done.run.events("reactions").groupby(post)[["impressions", "views"]].sum().join(works)
data["appeal"] = (data["appeal"] + data["partner_appeal"].fillna(data["appeal"])) / 2  # of a work: mean of its parts


def estimates(posts: pd.DataFrame) -> pd.Series:
    """What each pair of niches adds, in units of appeal, by weighted least squares."""
    ends = np.sort(posts[["host_niche", "partner_niche"]], axis=1)
    x = pd.DataFrame({"appeal": posts["appeal"], "alone": np.isnan(ends[:, 0]), "same": ends[:, 0] == ends[:, 1]})
    x = x.assign(**{str(p): (ends == sorted(map(niches.index, p))).all(axis=1) for p in planted})
    v, n = posts["views"] + 0.5, posts["impressions"] + 1
    root = np.sqrt(v * (n - v) / n).to_numpy()
    found = np.linalg.lstsq(x.assign(all=1).to_numpy(float) * root[:, None], np.log(v / (n - v)) * root, rcond=None)[0]
    return pd.Series(found[3:-1] / found[0], planted)


found = pd.DataFrame([estimates(posts) for _, posts in data.groupby("replica") if posts["host_niche"].notna().any()])
error = 2.26 * found.std() / np.sqrt(len(found))  # Student's t, 95 %
print(pd.DataFrame({"planted": planted, "found": found.mean(), "± 95 %": error}).round(2))
gain = done.table.set_index(["metric", "group"]).loc[("income", "")]
kpi = done.run.kpis[done.run.kpis["arm"] == "together"].groupby("metric")["value"].mean().round(2)
print(f"\nOf a joint work the host keeps {kpi['host_gain']} posts' views, the partner {kpi['partner_gain']}.")
print(f"A creator earns {gain['difference']:+.2f} EUR ({gain['low']:+.2f} to {gain['high']:+.2f}) by working together.")
