"""A topic comes into fashion overnight: who adapts, how fast does the feed carry it, and what does exploration buy?

Arms differ in the share of slots that show posts by chance: none, a fifth, two fifths, or more when topics move.
"""

import numpy as np

import ecosim

SHOCK, DAYS = 15, [14, 15, 16, 18, 22, 26, 30]


def explore(choice):
    """A platform that keeps to one of the scenario's shares."""
    return lambda question: {"explore": np.full(question.num_rows, choice)}


arms = {"none": {}, "20 %": {"platform.steer": explore(2)}, "40 %": {"platform.steer": explore(3)}}
done = ecosim.compare("trend_shock", {**arms, "watchful": {"platform.steer": "watchful"}}, seeds=6, steps=30)
run = done.run
arm = run.replicas["arm"]
posts = run.events("posts", names=True)
posts["hot"], posts["is_ai"] = posts["topic"] == "chess boxing", posts["creator"].str.contains("_ai_")
posts["arm"] = arm.loc[posts["replica"]].to_numpy()
made = posts.groupby(["arm", "step", "is_ai"])["hot"].mean().unstack().rename(columns={False: "human", True: "AI"})
seen = run.events("reactions").merge(posts[["replica", "post", "hot", "arm"]], on=["replica", "post"])
shown = ["impressions", "views"]
made[shown] = seen[seen["hot"]].groupby(["arm", "step"])[shown].sum() / seen.groupby(["arm", "step"])[shown].sum()
for name in ("none", "40 %"):
    print(f"Share of the topic, explored: {name}\n{made.loc[name].loc[DAYS].round(2).to_string()}\n")

table = done.table[(done.table["metric"] == "views") & (done.table["group"] == "")].set_index("arm")
print(table[["baseline_mean", "difference", "low", "high"]].round(0).to_string())
skill = run.kpis[run.kpis["metric"] == "trend_skill"]["value"].mean()
reach, cost = made["impressions"].xs(22, level="step"), table.loc["40 %", ["difference", "low", "high"]]
print(
    f"\nWith two slots in five by chance the topic has {reach['40 %']:.0%} of slots in a week, not {reach['none']:.0%};"
    f"\nviews: {cost['difference']:+,.0f} ({cost['low']:+,.0f} to {cost['high']:+,.0f}). "
    f"Forecasts are {skill:.0%} closer than repeating the last week."
)
