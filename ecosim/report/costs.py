"""Where wall time, operations and tokens went, from the manifest; figures of one run on one machine."""

from __future__ import annotations

from typing import Any

from ecosim.report.parts import Cell, Chart, Charts, Grid, Note, Part, Section
from ecosim.report.plots import amounts
from ecosim.report.source import Source
from ecosim.report.tables import heads
from ecosim.report.words import compact, number, seconds

_TOKENS = (
    ("read", "useful_tokens"),
    ("of shared prefixes", "prefix_tokens"),
    ("cached, not read again", "cached_prefix_tokens"),
    ("written", "written_tokens"),
)


def section(source: Source) -> Section | None:
    """Costs of the run; None for a run that did not get far enough to have any."""
    manifest = source.manifest
    parts: list[Part] = []
    times: dict[str, float] = manifest.get("seconds_by_part", {})
    if times:
        parts.append(_times(times, manifest.get("wall_s", 0.0)))
    if manifest.get("work_by_grade"):
        parts.append(_work(manifest["work_by_grade"]))
    if manifest.get("pools"):
        parts.append(_pools(manifest["pools"]))
    elif source.language_grades():
        parts.append(Note("Tokens were not counted in this run.", "quiet"))
    lead = (
        "Wall seconds were measured once, on the machine named under Provenance; operations are analytic, not measured."
    )
    return Section("costs", "Where time and operations went", lead, tuple(parts)) if parts else None


def _times(times: dict[str, float], wall: float) -> Charts:
    named = {name.replace("_", " "): value for name, value in times.items() if value > 0}
    rest = wall - sum(named.values())
    if rest > 0.01 * wall:
        named["start and rest"] = rest
    chart = Chart(
        "Wall time by part", "", "minds: all answering; other names are phases of a step", amounts(named, "s", seconds)
    )
    return Charts(
        (chart,),
        f"Together {seconds(wall)}. “minds” is all answering, scripted minds included.",
        is_wide=True,
        by_arm=False,
    )


def _work(work: dict[str, dict[str, Any]]) -> Grid:
    rows = []
    for grade, done in work.items():
        rate = done["decisions"] / done["wall_s"] if done["wall_s"] else float("nan")
        flops = done["nominal_flops"]
        each = flops / done["decisions"] if done["decisions"] else 0
        rows.append(
            (
                Cell(grade),
                Cell(f"{done['decisions']:,}", "number"),
                Cell(seconds(done["wall_s"]), "number"),
                Cell(number(rate, 3), "number"),
                Cell(compact(flops) if flops else "0", "number"),
                Cell(compact(each) if flops else "0", "number"),
            )
        )
    names = ("grade", "decisions", "wall time", "decisions/s", "FLOPs", "FLOPs a decision")
    note = (
        "FLOPs are the nominal cost for which members pay: a function of what a member was asked, whatever was cached."
    )
    return Grid(heads(*names, numbers=",".join(names[1:])), tuple(rows), note)


def _pools(pools: dict[str, dict[str, Any]]) -> Grid:
    rows = []
    for name, stats in pools.items():
        tokens = [Cell(f"{stats.get(key, 0):,}", "number") for _, key in _TOKENS]
        computed = Cell(compact(stats.get("flops", 0)), "number")
        rows.append((Cell(name), *tokens, computed, Cell(f"{100 * stats.get('occupancy', 1):.0f} %", "number")))
    names = ("model", *(head for head, _ in _TOKENS), "FLOPs computed", "useful ÷ padded")
    note = (
        "Tokens of the language models. FLOPs computed leave out what the cache gave; a cache hit is not an inference."
    )
    return Grid(heads(*names, numbers=",".join(names[1:])), tuple(rows), note)
