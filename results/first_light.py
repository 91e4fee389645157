"""What does a year of a pump industry look like, over twenty seeds? Draws the figure of the README."""

import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

import ecosim

run = ecosim.run("smart_manufacturing", seeds=20)
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
run.plot("stock_units", ax=left)
left.set_title("Stock by role", loc="left")
run.plot("deal_price_eur", "pump", ax=right)
right.set_title("Contract price of a pump", loc="left")
for ax in (left, right):
    ax.spines[["top", "right"]].set_visible(False)
if len(sys.argv) > 1:
    figure.savefig(sys.argv[1], metadata={"Date": None})
fill = run.kpis.query("metric == 'fill_rate'")["value"]
print(f"Over {len(fill)} seeds, {fill.mean():.1%} of consumers' demand was served at once (sd {fill.std():.1%}).")
