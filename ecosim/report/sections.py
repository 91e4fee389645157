"""From the plan of a side and a run to sections: panels, bars, further parts, and at last whatever no plan names."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence

from ecosim.report import plots
from ecosim.report.parts import Chart, Charts, Note, Panel, Part, Plan, Section, Theme
from ecosim.report.source import Source
from ecosim.report.words import label, listed, plural, title

MAX_GROUPS, MAX_ARMS, MAX_MARKS = 12, 8, 40
"""Panels of a metric, arms in a panel, and interventions marked in it: a page of more is neither read nor small."""

THEMES = {"manufacturing": "ecosim.report.manufacturing", "community": "ecosim.report.community"}
REFERENCES = {"bullwhip": 1.0}
"""Values of a KPI that its bars are read against: orders that swing as demand does."""


def theme(side: str) -> Theme:
    """The theme of an ecosystem; one that the report does not know has every figure under "More"."""
    if side not in THEMES:
        return Theme()
    found: Theme = importlib.import_module(THEMES[side]).THEME
    return found


def sections(source: Source, plans: Sequence[Plan]) -> list[Section]:
    """The sections that have something to show in this run, and "More" with the metrics that no plan names."""
    found = [_section(source, plan) for plan in plans]
    known = {panel.metric for plan in plans for panel in plan.panels}
    known |= {panel.against for plan in plans for panel in plan.panels}
    others = [metric for metric in dict.fromkeys(name for name, _ in source.metrics) if metric not in known]
    if others:
        lead = "Figures of this ecosystem that stand under no other heading."
        found.append(_section(source, Plan(title="More", lead=lead, panels=tuple(Panel(metric) for metric in others))))
    return [section for section in found if section is not None]


def _section(source: Source, plan: Plan) -> Section | None:
    rows = [tuple(_panels(source, panel)) for panel in plan.panels]
    bars = tuple(chart for kpi in plan.bars for chart in _bars(source, kpi))
    single = (
        *(row[0] for row in rows if len(row) == 1),
        *bars,
    )  # these share a row; a metric of many groups has its own
    parts: list[Part] = [Charts(single, note=_whiskers(source) if bars else "")] if single else []
    parts += [Charts(row) for row in rows if len(row) > 1]
    if parts and len(source.arms) > MAX_ARMS:
        parts.append(Note(f"The first {MAX_ARMS} of {len(source.arms)} arms are drawn.", "quiet"))
    crowded = [panel.metric for panel in plan.panels if len(_groups(source, panel)) > MAX_GROUPS]
    if crowded:
        parts.append(Note(f"The first {MAX_GROUPS} groups of {listed(crowded)} are drawn; all are in metrics.parquet."))
    silent = _silent(source, plan)
    if silent and parts:
        parts.append(Note(f"Not drawn, because 0 or without a value throughout: {listed(silent)}.", "quiet"))
    if plan.extra is not None:
        parts += plan.extra(source)
    slug = plan.title.lower().replace(" ", "-")
    return Section(slug, plan.title, plan.lead, tuple(parts)) if parts else None


def _panels(source: Source, panel: Panel) -> Iterable[Chart]:
    figure = source.figure(panel.metric)
    against = source.metrics.get((panel.against, ""))
    arms, step = source.arms[:MAX_ARMS], source.run.side.step_name
    for group in _groups(source, panel)[:MAX_GROUPS]:
        frame = source.metrics[panel.metric, group]
        svg = plots.panel(frame, arms, figure.unit, step, against, source.interventions[:MAX_MARKS])
        yield Chart(panel.title or title(panel.metric), label(group), figure.about, svg)


def _groups(source: Source, panel: Panel) -> list[str]:
    """The groups of a panel that the run has."""
    return [group for group in source.groups(panel.metric) if panel.groups is None or group in panel.groups]


def _bars(source: Source, kpi: str) -> Iterable[Chart]:
    frame = source.kpis[source.kpis["metric"] == kpi].dropna(subset="value")
    if frame["group"].nunique() > 1:
        frame = frame[frame["group"] != ""]
    frame = frame[frame["group"].isin(frame["group"].unique()[:MAX_GROUPS])]
    if not frame.empty and (frame["value"] != 0).any():
        figure = source.figure(kpi, "kpis")
        svg = plots.bars(frame, source.arms[:MAX_ARMS], figure.unit, REFERENCES.get(kpi))
        yield Chart(title(kpi), "whole run", figure.about, svg)


def _whiskers(source: Source) -> str:
    return (
        "Bars are means, whiskers run from the 5\u00a0% to the 95\u00a0% quantile over replicas."
        if source.num_replicas > 1
        else ""
    )


def _silent(source: Source, plan: Plan) -> list[str]:
    wanted = {panel.metric: panel.groups for panel in plan.panels}
    return [
        f"{label(metric)} ({label(group)})" if group else label(metric)
        for metric, group in source.silent
        if metric in wanted and (wanted[metric] is None or group in (wanted[metric] or ()))
    ]


def bands_note(source: Source) -> str:
    """How to read the panels of this run."""
    counts = source.replicas_by_arm()
    step = source.run.side.step_name
    if max(counts.values()) == 1:
        return f"Lines are the one replica of each arm, {step} by {step}: there is nothing to take a spread from."
    told = listed([f"{plural(n, 'replica')} of “{arm}”" for arm, n in counts.items()])
    over = told if len(counts) > 1 else plural(next(iter(counts.values())), "replica")
    fewer = ""
    if len(set(counts.values())) > 1:
        fewer = (
            " Arms have different numbers of seeds, so their lines also differ in worlds; "
            "the comparison takes shared seeds only."
        )
    coarse = ""
    if source.manifest.get("steps_done", 0) > plots.MAX_POINTS:
        coarse = f" Long runs are drawn as means over a few {step}s each."
    marked = (
        f" Dotted upright lines mark interventions: {_at(source.interventions, step)}." if source.interventions else ""
    )
    quantiles = "from their 5\u00a0% to their 95\u00a0% quantile"
    lines = f"Lines are means over {over}, bands run {quantiles}, {step} by {step}. Axes of values hold 0."
    return f"{lines}{fewer}{coarse}{marked}"


def _at(steps: list[int], step: str) -> str:
    if len(steps) > 6:
        return f"{len(steps):,} of them, from {step} {steps[0]} to {step} {steps[-1]}"
    return f"{step} {listed([str(s) for s in steps])}"
