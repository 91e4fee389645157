"""Arms in time and in cost: the paired difference to the first arm step by step, and what each arm's models took."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ecosim import contrast
from ecosim.report import plots
from ecosim.report.parts import Cell, Chart, Charts, Grid, Note, Part, Theme, heads
from ecosim.report.sections import MAX_MARKS
from ecosim.report.source import Source
from ecosim.report.words import compact, label, listed, plural, seconds, title

MAX_PANELS = 12
"""Differences over time that are drawn: the first figure of each section, in the order of the page."""
MAX_ARMS = 4


def over_time(source: Source, theme: Theme) -> list[Part]:
    """Curves of paired differences, with pointwise intervals; nothing where no arm has two pairs."""
    charts = tuple(chart for chart, _ in zip(_charts(source, theme), range(MAX_PANELS), strict=False))
    if not charts:
        return []
    step = source.run.side.step_name
    note = (
        f"Mean difference to “{source.arms[0]}” within a world seed, {step} by {step}, with 95 % intervals of that "
        f"mean (Student’s t, each {step} for itself). The first figure of each section; how the arms themselves ran "
        "stands in the sections."
    )
    return [Note("The differences over time:"), Charts(charts, note)]


def gap(frame: pd.DataFrame, world_seed: pd.Series[int], arms: tuple[str, str]) -> pd.DataFrame:
    """The paired difference of two arms at each step.

    Args:
        frame: rows `step, replica, value, arm` of one metric and group.
        world_seed: of each replica.
        arms: first arm, other arm.

    Returns:
        Rows by step with `mean, low, high`; empty where there are not two pairs.
    """
    from scipy import stats

    wide = frame.assign(world_seed=world_seed.to_numpy()[frame["replica"]]).pivot_table(
        index="step", columns=["arm", "world_seed"], values="value", dropna=False, sort=True
    )
    if not {*arms} <= set(wide.columns.get_level_values(0)):
        return pd.DataFrame()
    differences = (wide[arms[1]] - wide[arms[0]]).dropna(axis="columns", how="all")
    if differences.shape[1] < 2:
        return pd.DataFrame()
    differences = plots.coarse(differences)
    num = differences.notna().sum(axis=1)
    freedom = (num - 1).where(num > 1)
    reach = stats.t.ppf(0.5 + contrast.LEVEL / 2, freedom) * differences.std(axis=1, ddof=1) / np.sqrt(num)
    mean = differences.mean(axis=1)
    return pd.DataFrame({"mean": mean, "low": mean - reach, "high": mean + reach})


def costs(source: Source) -> list[Part]:
    """Decisions of models and FLOPs by arm, as far as the record has them by replica."""
    decisions = source.decisions_of_models()
    arm_of = source.run.replicas["arm"].to_numpy()
    arm = arm_of[decisions["replica"].to_numpy(np.int64)]
    by_arm = decisions.assign(arm=arm).groupby("arm")["flops"].agg(["size", "sum"])
    by_grade = source.manifest.get("work_by_arm", {})
    rows = []
    for i, (name, replicas) in enumerate(source.replicas_by_arm().items()):
        num, flops = (int(n) for n in by_arm.loc[name]) if name in by_arm.index else (0, 0)
        rows.append(
            (
                Cell(name, f"swatch s{i % 8 + 1}"),
                Cell(str(replicas), "number"),
                Cell(
                    f"{sum(w['decisions'] for w in by_grade[name].values()):,}" if name in by_grade else "–", "number"
                ),
                Cell(f"{num:,}", "number"),
                Cell(compact(flops) if flops else "0", "number", value=float(flops)),
                Cell(compact(flops / replicas) if flops else "0", "number", value=flops / replicas),
            )
        )
    names = ("arm", "replicas", "decisions", "of models", "FLOPs", "FLOPs a replica")
    wall, work = source.manifest.get("wall_s", 0.0), source.manifest.get("work_by_grade", {})
    total = sum(done["decisions"] for done in work.values())
    note = (
        f"Arms run side by side in the same batches, so seconds are not recorded by arm: all "
        f"{plural(len(rows), 'arm')} together took {total:,} decisions and {seconds(wall)}. FLOPs are nominal."
    )
    return [Note("What each arm’s models took:"), Grid(heads(*names, numbers=",".join(names[1:])), tuple(rows), note)]


def _charts(source: Source, theme: Theme) -> Iterator[Chart]:
    others = source.arms[1:][:MAX_ARMS]
    for metric in [plan.panels[0].metric for plan in theme.plans if plan.panels] or list(
        dict.fromkeys(name for name, _ in source.metrics)
    ):
        for group in source.groups(metric):
            yield from _chart(source, metric, group, others)


def _chart(source: Source, metric: str, group: str, others: list[str]) -> Iterator[Chart]:
    seeds, figure = source.run.replicas["world_seed"], source.figure(metric)
    found = [
        (source.arms.index(arm), gap(source.metrics[metric, group], seeds, (source.arms[0], arm))) for arm in others
    ]
    bands = [(place, frame) for place, frame in found if not frame.empty and frame["mean"].notna().any()]
    if bands:
        about = f"difference of {label(metric)} to the first arm: {listed([source.arms[place] for place, _ in bands])}"
        svg = plots.gaps(bands, figure.unit, source.run.side.step_name, about, source.interventions[:MAX_MARKS])
        yield Chart(title(metric), label(group), figure.about, svg)
