"""What is a forecaster for the whole market worth, and how good is it?

All firms subscribe. In one arm they plan as ever (a moving average of their own), in the others by the forecaster's
mean and 90 % quantile; it smooths exponentially, averages four weeks, or repeats the last week.
"""

import ecosim

ROLES = ("supplier", "manufacturer", "distributor")
FORECASTERS = ("exponential_smoothing", "moving_average", "seasonal_naive")
FIGURES = {
    ("profit_eur", ""): "profit of all firms, EUR",
    ("cost_eur", ""): "holding and backlog cost, EUR",
    ("bullwhip", "distributor"): "bullwhip of distributors",
    ("fill_rate", ""): "share of demand served at once",
}

planned = {f"{role}.replenish": "forecast_driven" for role in ROLES}
arms = {"own average": {}, **{name: {**planned, "forecaster": name} for name in FORECASTERS}}
comparison = ecosim.compare("demand_forecaster", arms, seeds=8, steps=40)

scores = comparison.run.kpis.groupby(["arm", "metric"])["value"].mean().unstack()
print(scores.loc[list(FORECASTERS), ["mase", "pinball_ratio", "forecast_coverage"]].round(2).to_string())

table = comparison.table.set_index(["arm", "metric", "group"])
rows = table.loc[[("exponential_smoothing", *key) for key in FIGURES]].reset_index()
rows.insert(0, "figure", list(FIGURES.values()))
print()
print(rows[["figure", "baseline_mean", "difference", "low", "high"]].round(2).to_string(index=False))

swing = rows[rows["metric"] == "bullwhip"].iloc[0]
print(
    f"\nPlanning by exponential smoothing (MASE {scores.loc['exponential_smoothing', 'mase']:.2f}, repeating the last "
    f"week: {scores.loc['seasonal_naive', 'mase']:.2f}) changes distributors' bullwhip by {swing['difference']:+.1f} "
    f"(95 % interval {swing['low']:+.1f} to {swing['high']:+.1f}) from {swing['baseline_mean']:.1f}."
)
