"""Does it pay to maintain machines before they fail, and what is it worth to see how worn they are?

Eight press shops meet the same wear four times: repairing what fails, maintaining by age, by inspections, and by the
readings of sensors. Then the sensors are switched off: whoever went by condition must go by age.
"""

import pandas as pd

import ecosim
from ecosim.contrast import differences

POLICIES = ("run_to_failure", "age_based", "inspect_when_old", "condition_based")
FIGURES = {"profit_eur": "profit, EUR", "oee": "OEE", "uptime": "uptime", "mtbf_weeks": "MTBF, weeks"}
SHOPS = 8

comparison = ecosim.compare("maintenance_or_not", {name: {"supplier.maintain": name} for name in POLICIES})
blind = ecosim.run("maintenance_or_not", changes={"equipment.monitoring": False})
seen = comparison.run.kpis[comparison.run.kpis["arm"] == "condition_based"].copy()
first = seen["replica"].min()
seen["replica"] -= first  # the same world seeds, counted from 0 as in the run without sensors
both = pd.concat([blind.kpis.assign(arm="no sensors"), seen.assign(arm="sensors")])
worth = differences(both, blind.replicas, ["no sensors", "sensors"])

table = pd.concat([comparison.table, worth])
table = table[(table["group"] == "") & table["metric"].isin(FIGURES)].copy()
table["metric"] = table["metric"].map(FIGURES)
print("Against repairing what fails; at the end, sensors against none. 95 % intervals over ten worlds.")
print(table[["metric", "arm", "baseline_mean", "difference", "low", "high"]].round(3).to_string(index=False))

profit = table[table["metric"] == "profit, EUR"].set_index("arm")[["difference", "low", "high"]] / SHOPS
best, sensors = profit.drop("sensors")["difference"].idxmax(), profit.loc["sensors"]
print(f"\n{best} earns a shop {profit.loc[best, 'difference']:,.0f} EUR more than waiting for failures.")
verdict = "more than by luck" if sensors["low"] > 0 else "which may be luck"
print(f"Of that, seeing the wear is worth {sensors['difference']:,.0f} EUR ({verdict}).")
