"""Tables that every report has: KPIs over replicas, definitions, minds, replicas."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ecosim.report.parts import OTHER, Cell, Grid, Theme, heads
from ecosim.report.source import Source
from ecosim.report.words import label, number, title

MAX_REPLICAS = 2000
"""Rows of the table of replicas; a run of more says how many are left out."""


def kpis(source: Source, theme: Theme) -> Grid:
    """Every KPI of every arm over its replicas, under the headings of the sections."""
    headings = theme.headings
    order = [plan.title for plan in theme.plans] + [OTHER]
    frame = source.kpis.assign(theme=[headings.get(metric, OTHER) for metric in source.kpis["metric"]])
    places = {kpi: i for i, kpi in enumerate([*(k for plan in theme.plans for k in plan.kpis), *source.run.side.kpis])}
    rows: list[tuple[Cell, ...] | str] = []
    for heading in order:
        part = frame[frame["theme"] == heading]
        if not part.empty:
            rows.append(heading)
        pairs = part[["metric", "group"]].drop_duplicates().itertuples(index=False)
        for metric, group in sorted(pairs, key=lambda pair: places[pair[0]]):
            rows += _kpi_rows(source, metric, group, part[(part["metric"] == metric) & (part["group"] == group)])
    has_arms = len(source.arms) > 1
    names = ["KPI", "unit", *(["arm"] if has_arms else []), "mean", "sd", "min", "max", "replicas"]
    note = "sd, min and max are over replicas. “–” is no value: a ratio over nothing, or the sd of one replica."
    return Grid(heads(*names, numbers="mean,sd,min,max,replicas"), tuple(rows), note)


def _kpi_rows(source: Source, metric: str, group: str, values: pd.DataFrame) -> list[tuple[Cell, ...]]:
    figure = source.figure(metric, "kpis")
    rows: list[tuple[Cell, ...]] = []
    for i, arm in enumerate(source.arms):
        mine = values.loc[values["arm"] == arm, "value"].dropna()
        if mine.empty:
            continue
        name = title(metric) + (f" · {label(group)}" if group else "")
        spread = number(float(mine.std(ddof=1)), 3) if len(mine) > 1 else "–"
        rows.append(
            (
                Cell(name, about=figure.about, is_repeat=bool(rows)),
                Cell(figure.unit, "quiet", is_repeat=bool(rows)),
                *((Cell(arm, f"swatch s{i % 8 + 1}"),) if len(source.arms) > 1 else ()),
                Cell(number(float(mine.mean())), "number"),
                *(Cell(text, "number") for text in (spread, number(float(mine.min())), number(float(mine.max())))),
                Cell(str(len(mine)), "number quiet"),
            )
        )
    return rows


def glossary(source: Source) -> Grid:
    """What each KPI and each metric over time is."""
    rows: list[tuple[Cell, ...] | str] = []
    parts = (("KPIs, of a whole replica", source.run.side.kpis), ("Figures of each step", source.run.side.metrics))
    for heading, figures in parts:
        rows.append(heading)
        for name, figure in figures.items():
            rows.append((Cell(title(name)), Cell(figure.unit or "pure number", "quiet"), Cell(figure.about)))
    return Grid(heads("name", "unit", "what it is"), tuple(rows), fold="Every figure and what it is")


def minds(source: Source) -> Grid:
    """Who could answer in this run, with a hash of all that the answers depend on."""
    rows = tuple(
        (Cell(mind["name"]), Cell(mind["grade"]), Cell(str(mind["fingerprint"]), "code"))
        for mind in source.manifest.get("minds", [])
    )
    return Grid(heads("mind", "grade", "fingerprint"), rows)


def replicas(source: Source) -> Grid:
    """Seeds and digests of all replicas."""
    manifest = source.manifest
    found = manifest["replicas"]
    digests: list[str] = manifest.get("digests", [])
    shown = min(source.num_replicas, MAX_REPLICAS)
    rows = tuple(
        (
            Cell(str(i), "number"),
            Cell(source.arms[found["arm"][i]]),
            Cell(str(found["world_seed"][i]), "number"),
            Cell(str(found["mind_seed"][i]), "number"),
            Cell(digests[i] if i < len(digests) else "–", "code"),
        )
        for i in range(shown)
    )
    left = source.num_replicas - shown
    note = f"{left:,} more replicas are in the run’s manifest." if left else ""
    names = heads(
        "replica", "arm", "world seed", "mind seed", "digest of its events", numbers="replica,world seed,mind seed"
    )
    return Grid(names, rows, note, fold=f"Seeds and digests of {source.num_replicas:,} replicas")


def faults(source: Source) -> Grid | None:
    """Replicas that broke a law, or None."""
    if not source.faults:
        return None
    rows = tuple((Cell(str(replica), "number"), Cell(fault)) for replica, fault in source.faults.items())
    return Grid(heads("replica", "what it broke", numbers="replica"), rows)


def facts(pairs: dict[str, Any]) -> Grid:
    """Names and values."""
    return Grid((), tuple((Cell(name, "quiet"), Cell(str(value))) for name, value in pairs.items()))
