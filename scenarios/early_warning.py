"""What is it worth to read the news?

Bulletins tell of outages six weeks ahead; some are denials, some are made up. Firms that read nothing meet the same
weeks as firms that read by keywords and order ahead of what they believe, and firms that believe all they read.
"""

import ecosim

BUYERS = ("manufacturer", "distributor")


def firms(read, replenish):
    return {f"{role}.{phase}": mind for role in BUYERS for phase, mind in (("read", read), ("replenish", replenish))}


comparison = ecosim.compare(
    "early_warning",
    {
        "deaf": firms("deaf", "order_up_to"),
        "heeding": firms("keywords", "heeding"),
        "credulous": firms("credulous", "heeding"),
    },
    seeds=12,
)

table = comparison.table.set_index(["arm", "metric", "group"])
rows = [(arm, figure, "") for arm in ("heeding", "credulous") for figure in ("fill_rate", "profit_eur")]
print(table.loc[rows, ["baseline_mean", "difference", "low", "high"]].round(3).to_string())

kpis = comparison.run.kpis.query("arm == 'heeding'").groupby(["metric", "group"])["value"].mean()
print("\nRight answers of the keyword reader, by field:")
print(kpis["reading_accuracy"].round(2).to_string())
print("\nOf what sources said would happen, what was so, and what was believed:")
print(kpis[["true_share", "believed_share"]].unstack(0).round(2).to_string())

gain = 100 * table.loc[("heeding", "fill_rate", ""), ["difference", "low", "high"]]
misread = 1 - kpis["reading_accuracy", "news"]
print(f"\nFirms that heed the news serve {gain['difference']:+.1f} points of demand more from stock", end=" ")
print(f"(95 % interval {gain['low']:+.1f} to {gain['high']:+.1f}), though they misread {misread:.0%} of bulletins.")
