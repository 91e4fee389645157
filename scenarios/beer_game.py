"""Why do orders swing more and more up a supply chain, when customers change their mind only once?

Four firms, each with one of three rules: pass on what was asked for; order up to a forecast from a moving average; keep
to a fixed target of stock and supply line, which is the best rule known for this game (Sterman 1989: $204 in all).
"""

import numpy as np
import pandas as pd

import ecosim

UNIT = 1_000_000  # goods are counted in millionths of a unit
TARGETS = np.array([28, 28, 28, 20]) * UNIT
FIRMS = ["retailer", "wholesaler", "distributor", "factory"]


def keep_to_target(question):
    """Four cases for four weeks; then what is missing to the firm's target, and what its customers take."""
    position = question["on_hand"] - question["owed"] + question["on_order"]
    wish = np.maximum(4 * UNIT + TARGETS[question.key["subject"]] - position, 0)
    return {"quantity": wish if question.step > 4 else np.full(question.num_rows, 4 * UNIT)}


costs, largest = {}, {}
for rule in ("pass_on", "order_up_to", keep_to_target):
    name = rule if isinstance(rule, str) else rule.__name__
    run = ecosim.run("beer_game", minds={"distributor.replenish": rule, "manufacturer.replenish": rule})
    stocks = run.events("stocks").groupby("member")
    costs[name] = stocks["holding_cost"].sum() + stocks["backlog_cost"].sum()
    largest[name] = run.events("orders").groupby("member")["quantity"].max()

cost, order = (pd.DataFrame(figures).set_axis(FIRMS) for figures in (costs, largest))
print(f"Cost in dollars\n{cost.round(1)}\n\nLargest weekly order in cases; customers never want more than 8\n{order}")
total = cost.sum()
print(f"\n{total.idxmin()} is cheapest (${total.min():,.0f}), {total.idxmax()} dearest (${total.max():,.0f}).")
swing = order.loc["factory"] / order.loc["retailer"]
print(f"The factory's largest order is {swing.max():.1f} times the retailer's under {swing.idxmax()}.")
