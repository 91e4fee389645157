"""Who answered for whom, in words, from what the manifest keeps of the scenario and its arms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ecosim.report import outside
from ecosim.report.source import Source
from ecosim.report.words import listed, title


def seats(source: Source, arm: str) -> dict[tuple[str, str], list[str]]:
    """The minds of each role and phase in an arm; several are dealt out to the members in turn.

    The arm's wishes come before the scenario's, `role.phase` before `role`; nobody named is `scripted`. A grade of
    language minds is given as the name of the mind that had it.
    """
    known = {mind["grade"]: mind["name"] for mind in source.manifest.get("minds", []) if mind["grade"] != "scripted"}
    base: Mapping[str, Sequence[str]] = source.manifest["scenario"]["minds"]
    wishes: Mapping[str, Sequence[str]] = source.manifest["arms"][source.arms.index(arm)]["minds"]
    return {
        (role, phase): [
            known.get(name, name) for name in _first(role, phase, wishes) or _first(role, phase, base) or ["scripted"]
        ]
        for role, phases in source.run.side.asked(source.run.scenario).items()
        for phase in phases
    }


def like(source: Source, arm: str) -> str:
    """How an arm stands to the first one; "" for the first."""
    if arm == source.arms[0]:
        return ""
    if arm in source.twin_arms:
        return f"As “{source.arms[0]}”, with other luck inside the minds (A/A)."
    changed = ", with other changes from outside" if outside.differs(source, arm) else ""
    return f"As “{source.arms[0]}”{changed}, but:" if told(source, arm) else f"As “{source.arms[0]}”{changed}."


def told(source: Source, arm: str) -> list[str]:
    """A sentence a role: who answers which questions; of a later arm, only what differs from the first."""
    lines = _lines(source, arm)
    return lines if arm == source.arms[0] else [line for line in lines if line not in _lines(source, source.arms[0])]


def _lines(source: Source, arm: str) -> list[str]:
    found = seats(source, arm)
    return [
        f"{title(role)}: {_role(phases, {p: found[role, p] for p in phases})}"
        for role, phases in source.run.side.asked(source.run.scenario).items()
        if phases
    ]


def _first(role: str, phase: str, wishes: Mapping[str, Sequence[str]]) -> list[str]:
    names = wishes.get(f"{role}.{phase}") or wishes.get(role) or []
    return [names] if isinstance(names, str) else list(names)


def _role(phases: Sequence[str], minds: Mapping[str, list[str]]) -> str:
    by_minds: dict[str, list[str]] = {}
    for phase in phases:
        by_minds.setdefault(_minds(minds[phase]), []).append(phase)
    if len(by_minds) == 1:
        return next(iter(by_minds))
    return "; ".join(f"{names} ({listed(asked)})" for names, asked in by_minds.items())


def _minds(names: list[str]) -> str:
    """Names with how often each comes in the round."""
    counts = {name: names.count(name) for name in names}
    if len(counts) == 1:
        return names[0]
    return f"{listed([f'{n} × {name}' if n > 1 else name for name, n in counts.items()])} in turn"
