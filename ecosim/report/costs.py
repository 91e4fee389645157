"""Where wall time, operations and tokens went: by part and grade, model and place, in one run on one machine."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from ecosim.report.parts import Cell, Chart, Charts, Grid, Note, Part, Section, heads
from ecosim.report.plots import shares
from ecosim.report.source import Source
from ecosim.report.words import compact, number, plural, seconds

OTHER = "other: start, hand-over, writing"
"""Wall time under no clock."""
MAX_ROWS = 60
"""Rows of a table of calls or batches, the longest first."""
_SERIES = 7
"""Parts with a colour of their own; further ones share the last."""

_TOKENS = (
    ("read", "useful_tokens"),
    ("of shared prefixes", "prefix_tokens"),
    ("spared by prefix hits", "cached_prefix_tokens"),
    ("spared by memo hits", "memo_tokens"),
    ("written", "written_tokens"),
)


def section(source: Source) -> Section | None:
    """Costs of the run; None for a run that did not get far enough to have any."""
    manifest = source.manifest
    parts: list[Part] = []
    if manifest.get("seconds_by_part"):
        parts += _times(profile(manifest), manifest["wall_s"])
    if manifest.get("work_by_grade"):
        parts.append(_work(manifest["work_by_grade"]))
    decisions = source.decisions_of_models()
    parts += [_questions(decisions)] if not decisions.empty else []
    pools = {name: stats for name, stats in manifest.get("pools", {}).items() if "requests" not in stats}
    servers = {name: stats for name, stats in manifest.get("pools", {}).items() if "requests" in stats}
    parts += [_pools(pools)] if pools else []
    parts += [_servers(servers)] if servers else []
    parts += [_batches(source.ops("batches"))] if not source.ops("batches").empty else []
    if manifest.get("layout", {}).get("places"):
        parts.append(_places(manifest["layout"]))
    parts += [_calls(source.ops("calls"))] if not source.ops("calls").empty else []
    if not pools and not servers and source.language_grades():
        parts.append(Note("Tokens were not counted in this run.", "quiet"))
    lead = (
        "Wall seconds were measured once, on the machine named under Provenance; operations are analytic, not measured."
    )
    return Section("costs", "Where time and operations went", lead, tuple(parts)) if parts else None


def profile(manifest: Mapping[str, Any]) -> dict[str, float]:
    """Wall seconds by part, the largest first and the rest last: together they are the wall seconds of the run.

    Answering is split by grade where the minds answered in this process; elsewhere they answer at once with each other,
    and their seconds add up to more than the clock saw.
    """
    wall = manifest["wall_s"]
    times = {name: value for name, value in manifest["seconds_by_part"].items() if value > 0}
    grades = {grade: work["wall_s"] for grade, work in manifest.get("work_by_grade", {}).items() if work["wall_s"] > 0}
    if grades and sum(grades.values()) <= times.get("minds", 0.0):
        between = times.pop("minds") - sum(grades.values())
        times |= {f"minds: {grade}": value for grade, value in grades.items()} | {"minds: sorting": between}
    rest = max(0.0, wall - sum(times.values()))
    named = {name.replace("_", " "): value for name, value in sorted(times.items(), key=lambda pair: -pair[1])}
    return {**named, OTHER: rest}


def percents(values: Mapping[str, float]) -> dict[str, float]:
    """Shares in percent with one decimal that add up to 100: those whose tail is longest are rounded up.

    >>> percents({"a": 1.0, "b": 1.0, "c": 1.0})
    {'a': 33.4, 'b': 33.3, 'c': 33.3}
    """
    total = math.fsum(values.values()) or 1.0
    exact = {name: 1000 * value / total for name, value in values.items()}
    floors = {name: math.floor(value) for name, value in exact.items()}
    missing = 1000 - sum(floors.values()) if any(values.values()) else 0
    for name in sorted(exact, key=lambda name: floors[name] - exact[name])[:missing]:
        floors[name] += 1
    return {name: tenths / 10 for name, tenths in floors.items()}


def _times(times: dict[str, float], wall: float) -> list[Part]:
    share = percents(times)
    rows = tuple(
        (
            Cell(name, f"swatch s{min(i, _SERIES) + 1}"),
            Cell(seconds(value), "number", value=value),
            Cell(f"{share[name]:.1f} %", "number"),
        )
        for i, (name, value) in enumerate(times.items())
    )
    drawn = shares(times, max(wall, sum(times.values())) or 1.0, "shares of wall time by part")
    chart = Chart("Wall time by part", "", "minds: all answering; other names are phases of a step", drawn)
    note = f"Together {seconds(wall)}, 100 %. “minds” is answering, scripted minds included; other names are phases."
    return [
        Charts((chart,), is_wide=True, by_arm=False),
        Grid(heads("part", "wall time", "share", numbers="wall time,share"), rows, note),
    ]


def _work(work: dict[str, dict[str, Any]]) -> Grid:
    share = percents({grade: float(done["wall_s"]) for grade, done in work.items()})
    rows = tuple(_grade(grade, done, share[grade]) for grade, done in work.items())
    names = ("grade", "decisions", "wall time", "share of it", "decisions/s", "FLOPs", "FLOPs a decision")
    note = (
        "FLOPs are the nominal cost for which members pay: a function of what a member was asked, whatever was cached."
    )
    return Grid(heads(*names, numbers=",".join(names[1:])), rows, note)


def _grade(grade: str, done: dict[str, Any], share: float) -> tuple[Cell, ...]:
    rate = done["decisions"] / done["wall_s"] if done["wall_s"] else float("nan")
    flops = done["nominal_flops"]
    each = flops / done["decisions"] if done["decisions"] else 0
    return (
        Cell(grade),
        Cell(f"{done['decisions']:,}", "number"),
        Cell(seconds(done["wall_s"]), "number", value=done["wall_s"]),
        Cell(f"{share:.1f} %", "number"),
        Cell(number(rate, 3), "number"),
        Cell(compact(flops) if flops else "0", "number", value=float(flops)),
        Cell(compact(each) if flops else "0", "number", value=float(each)),
    )


def _questions(decisions: pd.DataFrame) -> Grid:
    """What models answered, by role and phase."""
    sums = decisions.groupby("question", sort=True)["flops"].agg(["size", "sum"])
    share = percents({str(name): float(flops) for name, flops in sums["sum"].items()})
    rows = tuple(
        (
            Cell(str(name)),
            Cell(f"{int(row['size']):,}", "number"),
            Cell(compact(float(row["sum"])), "number", value=float(row["sum"])),
            Cell(f"{share[str(name)]:.1f} %", "number"),
        )
        for name, row in sums.iterrows()
    )
    names = ("question (role.phase)", "decisions of models", "FLOPs", "share of FLOPs")
    note = "Nominal FLOPs of recorded decisions; seconds and tokens are counted by model, not by question."
    return Grid(heads(*names, numbers=",".join(names[1:])), rows, note)


def _batches(batches: pd.DataFrame) -> Grid:
    """Forwards of the pools by kind."""
    columns = ["rows", "useful_tokens", "padded_tokens", "seconds"]
    sums = batches.assign(forwards=1).groupby("kind", sort=True)[["forwards", *columns]].sum()
    rows = tuple(
        (
            Cell(str(row.Index)),
            *(Cell(f"{int(n):,}", "number") for n in (row.forwards, row.rows, row.useful_tokens, row.padded_tokens)),
            Cell(seconds(row.seconds), "number", value=float(row.seconds)),
        )
        for row in sums.itertuples()
    )
    names = ("forwards of models", "number", "rows", "useful tokens", "with padding", "wall time")
    note = "A forward is one batch through a model; “memo” are rows that needed none. The latest of each pool are kept."
    return Grid(heads(*names, numbers=",".join(names[1:])), rows, note)


def _calls(calls: pd.DataFrame) -> Grid:
    """Calls to hosts and workers by question and place."""
    frame = calls.assign(calls=1, faults=calls["fault"] != "")
    sums = frame.groupby(["question", "place"], as_index=False)[
        ["calls", "rows", "compute_s", "queue_s", "faults"]
    ].sum()
    longest = sums.sort_values("compute_s", ascending=False, kind="stable")
    rows = tuple(
        (
            Cell(row.question),
            Cell(row.place),
            *(Cell(f"{int(n):,}", "number") for n in (row.calls, row.rows)),
            *(Cell(seconds(s), "number", value=float(s)) for s in (row.compute_s, row.queue_s)),
            Cell(f"{int(row.faults):,}", "number"),
        )
        for row in longest.head(MAX_ROWS).itertuples()
    )
    names = ("question", "place", "calls", "rows", "answering", "on the way", "with a fault")
    left = len(longest) - len(rows)
    note = f"{left:,} more are in ops/calls." if left else ""
    return Grid(heads(*names, numbers=",".join(names[2:])), rows, note, fold="Calls by question and place")


def _pools(pools: dict[str, dict[str, Any]]) -> Grid:
    rows = []
    for name, stats in pools.items():
        tokens = [Cell(f"{stats.get(key, 0):,}", "number") for _, key in _TOKENS]
        hits = [
            _share(stats, "prefix_hits", stats.get("talks", 0)),
            _share(stats, "memo_hits", stats.get("decisions", 0)),
        ]
        computed = Cell(compact(stats.get("flops", 0)), "number", value=float(stats.get("flops", 0)))
        occupancy = Cell(f"{100 * stats.get('occupancy', 1):.0f} %", "number")
        rows.append((Cell(name), *tokens, *hits, computed, occupancy))
    tokens_heads = (head for head, _ in _TOKENS)
    names = ("model", *tokens_heads, "prefix hits", "memo hits", "FLOPs computed", "useful ÷ padded")
    note = (
        "Tokens of the language models. A prefix hit: a member whose role's instructions had been read before. A memo "
        "hit: an answer to a question that was asked before, word for word, of all answers. FLOPs computed leave out "
        "what was spared; a hit is not an inference."
    )
    return Grid(heads(*names, numbers=",".join(names[1:])), tuple(rows), note)


def _servers(servers: dict[str, dict[str, Any]]) -> Grid:
    keys = ("requests", "replayed", "asked_again", "retries", "prompt_tokens", "completion_tokens")
    rows = tuple((Cell(name), *(Cell(f"{stats[key]:,}", "number") for key in keys)) for name, stats in servers.items())
    names = ("server", *(key.replace("_", " ") for key in keys))
    note = "Replayed: replies that were in the recordings of this run. Tokens are what the server billed."
    return Grid(heads(*names, numbers=",".join(names[1:])), rows, note)


def _places(layout: dict[str, Any]) -> Grid:
    """Hosts and workers, and what it took to reach them."""
    rows = tuple(
        (Cell(name), Cell(f"{place['memory_bytes'] / 1e6:,.0f} MB", "number"))
        for name, place in layout["places"].items()
    )
    note = (
        f"{layout['calls']:,} calls: {seconds(layout['compute_s'])} of answering, {seconds(layout['queue_s'])} on the "
        f"way and in queues; {plural(layout['lost'], 'call')} lost and made again. Memory is what no other shares."
    )
    return Grid(heads("place", "memory", numbers="memory"), rows, note)


def _share(stats: dict[str, Any], key: str, of: int) -> Cell:
    """A count and its share; runs of earlier versions did not count hits."""
    if key not in stats or not of:
        return Cell("–", "number")
    return Cell(f"{stats[key]:,} ({100 * stats[key] / of:.0f} %)", "number")
