"""What went wrong with answers, and how often: substituted, lost and repeated, too late, refused; and frozen replicas.

An answer of ecosim is always legal, because minds choose among what is allowed; so what is counted here is what it took
to get there. A count of 0 is said, and so is what was not counted.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from ecosim.report.parts import Cell, Grid, Note, Part, Section, heads
from ecosim.report.source import Source
from ecosim.report.words import plural, seconds, shown

MAX_ROWS = 50
"""Kinds of substitutions and of faults that are listed, the most frequent first."""
MAX_REASON = 300


def section(source: Source) -> Section:
    """Invalid and late answers."""
    rows = _counts(source)
    none = not any(number for _, number, *_ in rows)
    lead = (
        "Minds choose among the answers that are allowed, so an illegal one cannot enter the world; here stands what "
        "it took, and what failed."
    )
    told = f"None: of {_asked(source)}, none was invalid, late or lost." if none else f"Of {_asked(source)}:"
    grid = Grid(heads("what", "number", "what it means", numbers="number"), tuple(map(_row, rows)))
    parts: list[Part] = [Note(told), grid, *_substitutions(source), *_faults(source)]
    return Section("trouble", "Invalid and late answers", lead, tuple(parts))


def _asked(source: Source) -> str:
    work = source.manifest.get("work_by_grade", {}).values()
    calls = source.manifest.get("layout", {}).get("calls", 0)
    if not work:
        return "decisions that this run did not count"
    return f"{sum(w['decisions'] for w in work):,} decisions in {plural(calls, 'call')}"


def _counts(source: Source) -> list[tuple[str, int, str]]:
    """What, how often, and what it means."""
    layout: dict[str, Any] = source.manifest.get("layout", {})
    mind = source.manifest["scenario"].get("substitute", "")
    named = f"“{mind}” answers" if mind else "none is named: such a failure would have stopped the run"
    num_substituted = len(source.events("substitutions", ["step"]))
    rows = [("answers by the substitute", num_substituted, f"a mind failed on the row for good, and {named}")]
    if layout:
        deadline = seconds(float(layout.get("deadline_s", 0.0)))
        rows += [
            ("calls lost and made again", layout.get("lost", 0), f"its place died, or gave no reply within {deadline}"),
            ("replies after the deadline", layout.get("stale", 0), "came when the call counted as lost: not used"),
            ("places replaced", layout.get("replaced", 0), "hosts or workers that were started anew"),
            ("rows asked apart", layout.get("failed", 0), "jobs in which a mind raised or answered illegally"),
        ]
    for name, stats in source.manifest.get("pools", {}).items():
        if "requests" in stats:
            rows.append((f"{name}: requests repeated", stats.get("retries", 0), "the server failed or was too slow"))
            rows.append((f"{name}: asked again", stats.get("asked_again", 0), "the reply was not an allowed answer"))
    return [*rows, ("replicas frozen", len(source.faults), "they broke a law; the step stands at the top of the page")]


def _row(row: tuple[str, int, str]) -> tuple[Cell, ...]:
    what, count, meaning = row
    return Cell(what), Cell(f"{count:,}", "number bad" if count else "number"), Cell(meaning, "quiet")


def _substitutions(source: Source) -> list[Part]:
    """By question and mind, with a reason as it was told."""
    events, reasons = source.events("substitutions"), source.ops("substitutions")
    if events.empty:
        return []
    names = list(source.run.side.questions)
    frame = events.assign(name=[names[code] for code in events["question"]])
    counts = frame.groupby(["name", "mind"])["step"].agg(["size", "min", "max"]).sort_values("size", ascending=False)
    step = source.run.side.step_name
    rows = tuple(
        (
            Cell(str(question)),
            Cell(str(mind)),
            Cell(f"{row['size']:,}", "number"),
            Cell(f"{row['min']} … {row['max']}", "number"),
            Cell(_reason(reasons, str(question))),
        )
        for (question, mind), row in list(counts.iterrows())[:MAX_ROWS]
    )
    grid_heads = heads("question", "mind that failed", "rows", f"{step}s", "a reason", numbers=f"rows,{step}s")
    note = "Every row is in events/substitutions, every reason in ops/substitutions."
    return [Grid(grid_heads, rows, note)]


def _reason(reasons: pd.DataFrame, question: str) -> str:
    """The most frequent reason of a question."""
    told = reasons.loc[reasons["question"] == question, "reason"] if not reasons.empty else pd.Series(dtype=object)
    return shown(str(told.value_counts().index[0]), MAX_REASON) if len(told) else "not kept"


def _faults(source: Source) -> list[Part]:
    """What calls failed of."""
    calls = source.ops("calls")
    bad = calls[calls["fault"] != ""] if not calls.empty else calls
    if bad.empty:
        return []
    counts = bad.groupby(["question", "fault"]).size().sort_values(ascending=False, kind="stable")
    rows = tuple(
        (Cell(str(question)), Cell(f"{n:,}", "number"), Cell(shown(str(fault), MAX_REASON)))
        for (question, fault), n in list(counts.items())[:MAX_ROWS]
    )
    left = len(counts) - len(rows)
    note = f"{left:,} more kinds are in ops/calls." if left else ""
    return [Grid(heads("question", "calls", "fault", numbers="calls"), rows, note)]
