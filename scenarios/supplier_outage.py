"""A supplier burns down: how long does the network live on, when is it well again, and where should the buffer be?

Three arms meet the same fire in the same ten worlds: firms that hold two weeks of safety stock, makers who hold five
weeks of everything that they buy and make, and distributors who hold five weeks of finished goods.
"""

import ecosim
from ecosim.exact import MILLION
from ecosim.manufacturing.resilience import ripple

FIGURES = ["time_to_survive_weeks", "time_to_recover_weeks", "lost_performance_weeks", "unmet_units"]
FIRE = 20  # the week


def five_weeks(question):
    """Order up to the mean demand of four weeks, over lead time, review and five weeks of safety."""
    forecast = question["demand_history"][:, :4].sum(axis=1) // 4
    position = question["on_hand"] + question["on_order"] - question["owed"]
    wish = forecast * (question["lead_time"] + 1 + 5) - position
    return {"quantity": question.field("quantity").snap(wish + MILLION - 1)}


arms = {"lean": {}, "parts": {"manufacturer.replenish": five_weeks}, "goods": {"distributor.replenish": five_weeks}}
comparison = ecosim.compare("supplier_outage", arms)

table = comparison.table
of_fire = table["metric"].isin(FIGURES) & (table["group"] == "fire")
fire = table[of_fire | (table["metric"] == "profit_eur") & (table["group"] == "")]
print(fire[["metric", "arm", "baseline_mean", "mean", "difference", "low", "high"]].round(2).to_string(index=False))

wave = ripple(comparison.run, since=FIRE).merge(comparison.run.replicas["arm"], on="replica")
print("\nWeeks after the fire in which firms fall short, mean; and the share of them that ever do")
print(wave.groupby(["arm", "role"])["after"].agg(weeks="mean", share=lambda after: after.notna().mean()).round(2))

mean = fire[fire["group"] == "fire"].pivot(index="metric", columns="arm", values="mean")
lean = fire[fire["group"] == "fire"].groupby("metric")["baseline_mean"].first()
lost, least = lean["lost_performance_weeks"], mean.loc["lost_performance_weeks"].idxmin()
print(f"\nLean, the network lives {lean['time_to_survive_weeks']:.1f} weeks and loses {lost:.1f} weeks of demand.")
print(f"With five weeks of {least} it loses {mean.loc['lost_performance_weeks', least]:.2f} weeks.")
