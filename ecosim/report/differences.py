"""The comparison of arms: every KPI's paired difference to the first arm, as tables and as drawings, A/A arms apart."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ecosim import contrast
from ecosim.report import outside, paired
from ecosim.report.forest import forests, percent
from ecosim.report.parts import OTHER, Cell, Grid, Note, Part, Section, Theme
from ecosim.report.source import Source
from ecosim.report.words import label, listed, number, plural, signed, title
from ecosim.side import Figure

FEW_PAIRS = 5
"""Below this, Student's t is above 3, and the page says so."""
_HEAD = ("KPI", "unit", "first arm", "arm", "its mean", "difference", "in %", "95 % interval", "reading", "pairs")


def section(source: Source, theme: Theme) -> Section | None:
    """What differs between arms; None for a run of one arm, or without KPIs."""
    if len(source.arms) < 2 or source.kpis.empty:
        return None
    table = contrast.differences(source.kpis, source.run.replicas, source.arms)
    if table.empty:
        return None
    table = _ordered(table, source, theme)
    clear = table[table["is_clear"] & ~table["arm"].isin(source.twin_arms)]
    parts: list[Part] = [Note(_caution(table, source))]
    if clear.empty:
        if table["low"].notna().any():
            parts.append(Note("No interval of any arm leaves out 0: with these seeds, no difference is shown."))
    else:
        parts.append(
            _grid(clear, source, "Intervals that leave out 0; the KPIs with a better and a worse side come first.")
        )
    parts += forests(table, source)
    rest = table.drop(clear.index)
    if not rest.empty:
        parts.append(_grid(rest, source, "", fold=_rest(rest, source)))
    changed = any(outside.differs(source, arm) for arm in source.arms)
    but = ", but for what was changed from outside in some arms only" if changed else ""
    lead = (
        f"Each arm met the same worlds as “{source.arms[0]}”{but}; differences are taken within a world seed and then "
        "averaged, with Student’s t interval over the pairs."
    )
    parts += [*paired.over_time(source, theme), *paired.costs(source)]
    return Section("comparison", "Comparison", lead, tuple(parts))


def _rest(rest: pd.DataFrame, source: Source) -> str:
    kinds = ["differences without an interval"] if rest["low"].isna().any() else []
    kinds += ["intervals that hold 0"] if rest["low"].notna().any() else []
    kinds += ["the A/A arm"] if rest["arm"].isin(source.twin_arms).any() else []
    return f"{plural(len(rest), 'more row')}: {listed(kinds)}"


def is_clear(low: float, high: float) -> bool:
    """Whether an interval leaves out 0."""
    return low > 0 or high < 0


def reading(difference: float, low: float, high: float, better: str) -> tuple[str, str]:
    """What an interval says, and its tone.

    >>> reading(2.0, 1.0, 3.0, "lower"), reading(2.0, -1.0, 5.0, "higher")
    (('worse', 'bad'), ('not shown', 'quiet'))
    """
    if pd.isna(low):
        return "one pair only", "quiet"
    if difference == 0 and low == high:
        return "identical", "quiet"
    if not is_clear(low, high):
        return "not shown", "quiet"
    if not better:
        return ("higher", "plain") if difference > 0 else ("lower", "plain")
    return ("better", "good") if (difference > 0) == (better == "higher") else ("worse", "bad")


def _ordered(table: pd.DataFrame, source: Source, theme: Theme) -> pd.DataFrame:
    """By theme; within a theme first what is clear and has a better side, then by size in standard errors."""
    headings = theme.headings
    ranks = {plan.title: i for i, plan in enumerate(theme.plans)}
    kpis = source.run.side.kpis
    half = (table["high"] - table["low"]) / 2
    table = table.assign(
        theme=[headings.get(metric, OTHER) for metric in table["metric"]],
        is_clear=[is_clear(low, high) for low, high in zip(table["low"], table["high"], strict=True)],
        matters=[bool(kpis.get(metric, Figure("", "")).better) for metric in table["metric"]],
        size=(table["difference"].abs() / half.where(half > 0)).fillna(0.0),
    )
    table["rank"] = [ranks.get(name, len(ranks)) for name in table["theme"]]
    order = table.assign(first=~(table["is_clear"] & table["matters"]), second=~table["is_clear"])
    return table.loc[order.sort_values(["rank", "first", "second", "size"], ascending=[True, True, True, False]).index]


def _caution(table: pd.DataFrame, source: Source) -> str:
    """How many intervals there are, how many would miss by chance, and what the A/A arm did."""
    others = table[~table["arm"].isin(source.twin_arms) & table["low"].notna()]
    if others.empty:
        return "There is one pair of seeds only, so no interval can be given: a difference may be luck as well."
    expected = (1 - contrast.LEVEL) * len(others)
    text = (
        f"{plural(len(others), 'interval')} stand here and nothing is corrected for their number: if no arm differed "
        f"at all, about {number(expected, 2)} of them would still leave out 0."
    )
    pairs = int(others["pairs"].min())
    if pairs < FEW_PAIRS:
        text += f" With {pairs} pairs an interval is wide whatever was run: only very large differences can show."
    if not source.twin_arms:
        return f"{text} There is no A/A arm in this run, so this is not checked against luck alone."
    twins = table[table["arm"].isin(source.twin_arms)]
    missed = int(twins["is_clear"].sum())
    same = bool((twins["difference"] == 0).all())
    name = listed([f"“{arm}”" for arm in source.twin_arms])
    told = f"{missed} of its {plural(len(twins), 'interval')} leave out 0"
    if same:
        told = "it is identical throughout, because none of its minds draws lots"
    return f"{text} The A/A arm {name} has the same minds with other luck: {told}."


def _grid(table: pd.DataFrame, source: Source, note: str, fold: str = "") -> Grid:
    rows: list[tuple[Cell, ...] | str] = []
    heading = ""
    for row in table.itertuples():
        if row.theme != heading:
            heading = str(row.theme)
            rows.append(heading)
        rows.append(_row(row, source))
    tones = ("", "", "number", "", "number", "number", "number", "number", "", "number")
    return Grid(tuple(Cell(text, tone) for text, tone in zip(_HEAD, tones, strict=True)), tuple(rows), note, fold)


def _row(row: Any, source: Source) -> tuple[Cell, ...]:
    figure = source.figure(row.metric, "kpis")
    text, tone = reading(row.difference, row.low, row.high, figure.better)
    way = f"{figure.better} is better" if figure.better else "neither way is better"
    return (
        Cell(title(row.metric) + (f" · {label(row.group)}" if row.group else ""), about=figure.about),
        Cell(row.unit, "quiet"),
        Cell(number(row.baseline_mean), "number"),
        Cell(row.arm, f"swatch s{source.arms.index(row.arm) % 8 + 1}"),
        Cell(number(row.mean), "number"),
        Cell(signed(row.difference), "number"),
        Cell(percent(row.difference, row.baseline_mean), "number"),
        Cell(f"{signed(row.low)} … {signed(row.high)}", "number", value=float(row.low)),
        Cell(text, tone, about=way),
        Cell(str(row.pairs), "number quiet"),
    )
