"""Arms against each other: paired differences over world seeds, with the interval that goes with them.

Two arms of a run meet the same exogenous worlds, so the difference within a world seed is free of what the worlds
differ in. Its mean has the interval mean ± t · sd / √n, with Student's t on n − 1 degrees of freedom. No correction for
many KPIs is made: one in twenty intervals misses by chance, which is what the A/A arm shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecosim.errors import RunError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEVEL = 0.95


def differences(kpis: pd.DataFrame, replicas: pd.DataFrame, arms: Sequence[str]) -> pd.DataFrame:
    """Every KPI of every arm against the first arm.

    Returns:
        Columns `metric, group, unit, arm, baseline, mean, baseline_mean, difference, low, high, p_value, pairs`; means
        are over the paired seeds only. A KPI that is missing (nan) in a seed drops that pair.
    """
    from scipy import stats

    frame = kpis.assign(world_seed=replicas["world_seed"].to_numpy()[kpis["replica"]])
    wide = frame.pivot_table(
        index=["metric", "group", "unit", "world_seed"], columns="arm", values="value", sort=False, dropna=False
    )
    rows = []
    for arm in arms[1:]:
        pairs = wide[[arms[0], arm]].dropna()
        for (metric, group, unit), part in pairs.groupby(level=[0, 1, 2], sort=False):
            gap = (part[arm] - part[arms[0]]).to_numpy()
            error = gap.std(ddof=1) / np.sqrt(len(gap)) if len(gap) > 1 else np.nan
            reach = stats.t.ppf(0.5 + LEVEL / 2, len(gap) - 1) * error if len(gap) > 1 else np.nan
            rows.append(
                {
                    "metric": metric,
                    "group": group,
                    "unit": unit,
                    "arm": arm,
                    "baseline": arms[0],
                    "mean": part[arm].mean(),
                    "baseline_mean": part[arms[0]].mean(),
                    "difference": gap.mean(),
                    "low": gap.mean() - reach,
                    "high": gap.mean() + reach,
                    "p_value": _p_value(gap, error),
                    "pairs": len(gap),
                }
            )
    return pd.DataFrame(rows)


def _p_value(gap: Any, error: float) -> float:
    """Two-sided, of a mean difference of zero; 1 where all pairs are equal."""
    from scipy import stats

    if not error > 0:
        return 1.0 if len(gap) > 1 and not gap.any() else float("nan")
    return float(2 * stats.t.sf(abs(gap.mean()) / error, len(gap) - 1))


def check_common_world(manifest: Mapping[str, Any]) -> None:
    """Make sure that replicas of one world seed met the same exogenous events, bit for bit.

    An arm whose interventions change what no member decides (demand, fashion), or may do so because they are functions,
    is held against arms with the same ones. Draws belong to their rows, so it is another world only where it was
    changed.

    Raises:
        RunError: two arms met different worlds.
    """
    seen: dict[tuple[int, tuple[str, ...]], str] = {}
    shocks = [tuple(arm.get("shocks", ())) for arm in manifest.get("arms", ())]
    replicas = manifest["replicas"]
    arms = [shocks[code] for code in replicas["arm"]] if shocks else [()] * len(replicas["world_seed"])
    for seed, shock, digest in zip(replicas["world_seed"], arms, manifest["exogenous_digests"], strict=True):
        if seen.setdefault((seed, shock), digest) != digest:
            raise RunError(f"arms met different worlds at world seed {seed}: exogenous events differ; nothing compares")


def plot(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Differences in percent of the baseline's mean, with intervals; a KPI whose baseline is 0 is left out.

    Args:
        table: from `differences`.
        ax: where to draw; a new figure by default.
    """
    shown = table[(table["baseline_mean"] != 0) & table["low"].notna()]
    labels = list(dict.fromkeys(_label(row) for row in shown.itertuples()))
    arms = list(dict.fromkeys(shown["arm"]))
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.subplots(figsize=(7.5, 1.2 + 0.28 * len(labels)), layout="constrained")[1]
    offset = np.linspace(-0.2, 0.2, len(arms)) if len(arms) > 1 else [0.0]
    for shift, arm in zip(offset, arms, strict=True):
        part = shown[shown["arm"] == arm]
        scale = 100 / part["baseline_mean"].abs()
        where = [labels.index(_label(row)) + shift for row in part.itertuples()]
        reach = [(part["difference"] - part["low"]) * scale, (part["high"] - part["difference"]) * scale]
        ax.errorbar(part["difference"] * scale, where, xerr=reach, fmt="o", markersize=4, capsize=2, label=arm)
    ax.axvline(0, color="0.5", linewidth=0.8)
    ax.set_xscale("symlog", linthresh=10)
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set_yticks(range(len(labels)), labels, fontsize="small")
    ax.invert_yaxis()
    ax.set_xlabel(f"difference to {table['baseline'].iloc[0]}, % of its mean (95 % interval; log scale beyond ±10 %)")
    ax.legend(frameon=False, fontsize="small")
    return ax


def _label(row: Any) -> str:
    return f"{row.metric} · {row.group}" if row.group else str(row.metric)
