"""How large must the human share of what AI creators learn from be for topics, and viewers, to stay?

Twelve generations of models, ten worlds under each share. Worlds of the same number have the same viewers and humans,
so they are compared in pairs with a share of 0; ± is 1.96 standard errors over worlds.
"""

import pandas as pd

import ecosim

SHARES = (0.0, 0.1, 0.5, 1.0)
EVERY_DAYS = 5

runs = {m: ecosim.run("human_share", changes={"retraining.human_share": m}) for m in SHARES}
last = {
    m: run.kpis[run.kpis["group"] == ""].pivot(index="replica", columns="metric", values="value")
    for m, run in runs.items()
}


def with_error(worlds: pd.DataFrame) -> pd.Series:
    return worlds.apply(lambda x: f"{x.mean():,.3f} ± {1.96 * x.sem():.3f}")


shown = ["model_diversity", "lost_topics", "style_variance", "title_similarity", "retention"]
print("After 12 generations, by human share of corpora (truth: diversity 0.87, style variance 1):")
print(pd.DataFrame({m: with_error(last[m][shown]) for m in SHARES}).T.to_string())
print("\nAgainst no human posts, the same worlds:")
print(pd.DataFrame({m: with_error(last[m][shown] - last[0.0][shown]) for m in SHARES[1:]}).T.to_string())

print("\nDiversity of topics in a model, by generation:")
days = {m: run.metrics[run.metrics["metric"] == "model_diversity"] for m, run in runs.items()}
by_day = pd.DataFrame({m: table.groupby("step")["value"].mean() for m, table in days.items()})
print(by_day.loc[EVERY_DAYS :: EVERY_DAYS * 3].round(3).to_string())
kept = last[0.1]["model_diversity"] > last[0.0]["model_diversity"]
print(f"\nOne human post in ten keeps models more diverse in {kept.sum()} of {len(kept)} worlds.")
