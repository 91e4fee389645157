"""Where wall time, operations and tokens went, from the manifest; figures of one run on one machine."""

from __future__ import annotations

from typing import Any

from ecosim.report.parts import Cell, Chart, Charts, Grid, Note, Part, Section
from ecosim.report.plots import amounts
from ecosim.report.source import Source
from ecosim.report.tables import heads
from ecosim.report.words import compact, number, plural, seconds

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
    times: dict[str, float] = manifest.get("seconds_by_part", {})
    if times:
        parts.append(_times(times, manifest.get("wall_s", 0.0)))
    if manifest.get("work_by_grade"):
        parts.append(_work(manifest["work_by_grade"]))
    pools = {name: stats for name, stats in manifest.get("pools", {}).items() if "requests" not in stats}
    servers = {name: stats for name, stats in manifest.get("pools", {}).items() if "requests" in stats}
    parts += [_pools(pools)] if pools else []
    parts += [_servers(servers)] if servers else []
    if manifest.get("layout", {}).get("places"):
        parts.append(_places(manifest["layout"]))
    if not pools and not servers and source.language_grades():
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
        hits = [
            _share(stats, "prefix_hits", stats.get("talks", 0)),
            _share(stats, "memo_hits", stats.get("decisions", 0)),
        ]
        computed = Cell(compact(stats.get("flops", 0)), "number")
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
