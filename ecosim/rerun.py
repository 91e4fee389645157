"""A run once more, from its folder: finished after a crash, checked by running it again, or replayed without models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from ecosim import manifest
from ecosim.errors import RunError
from ecosim.minds.recipe import Recipe
from ecosim.minds.replay import Replay
from ecosim.minds.scripted import Experts
from ecosim.opening import RECORDINGS, Arm, Manner, side
from ecosim.record import document as documents
from ecosim.record import snapshot as snapshots
from ecosim.record.audit import audit
from ecosim.record.claim import held
from ecosim.record.decisions import recorded
from ecosim.record.recorder import DIGESTS
from ecosim.record.store import Folder, Memory, Store
from ecosim.scenario import Scenario, build
from ecosim.schedule import Change
from ecosim.simulate import Finished, simulate
from ecosim.words import Decision, Expert, Mind, Question

Own = Mapping[str, Expert | Mind | Change]
"""A user's own functions and minds that sat in a run, and functions that changed it, by their names there."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found.

    Attributes:
        faults: one a line; none if all is well.
        replicas: how many digests were compared.
    """

    faults: tuple[str, ...]
    replicas: int


def resume(path: Path, manner: Manner | None = None, own: Own | None = None) -> Finished:
    """Finish a run that was killed, interrupted or failed: the digest is that of a run that nobody disturbed.

    It goes on from the last snapshot that is whole, or from the first step; what was written later is dropped.

    Args:
        path: the run's folder.
        manner: layout and the like; numerics and batch limit are those of the run.

    Raises:
        RunError: it is no run, is done already, is still going on, or its minds have changed.
    """
    documents.read(Folder(path), path)  # is it a run at all?
    with held(path):
        store = Folder(path)
        document = documents.read(store, path)
        if document["status"] == "done":
            raise RunError(f"{path}: this run is done; there is nothing to resume")
        scenario, arms = _facts(document, own, path)
        manner = replace(manner or Manner(), numerics=document["numerics"], batch_limit=document["batch_limit"])
        start = snapshots.latest(path)
        if start is not None and start.notes.get("run") != manifest.identity(document):
            raise RunError(
                f"{path}: its snapshot after step {start.step} is of another run; remove the folder snapshots, and the "
                "run begins again at its first step"
            )
        document["resumed_after"] = [*document.get("resumed_after", []), start.step if start is not None else 0]
        return simulate(scenario, arms, store, manner, place=document["scenario_file"], start=start, begun=document)


def verify(path: Path, manner: Manner | None = None, own: Own | None = None, with_rerun: bool = True) -> Verdict:
    """Check a finished run: do its stored events give its digests, and does running it again?

    Args:
        with_rerun: False checks the files only.

    Raises:
        RunError: it is no run, or not done yet, or its minds have changed.
    """
    document = _done(path)
    scenario, arms = _facts(document, own, path)
    store = Folder(path)
    ecosystem = side(scenario.world)
    digests = document["digests"]
    faults = audit(store, ecosystem.events, len(digests), document["steps_done"], digests)
    if with_rerun:
        manner = replace(manner or Manner(), numerics=document["numerics"], batch_limit=document["batch_limit"])
        links = _Links(path / RECORDINGS)
        again = simulate(scenario, arms, links, manner, place=document["scenario_file"], begun=document)
        faults += _differences(document, again.manifest, store, links)
    return Verdict(tuple(faults), len(digests))


def replay(path: Path, store: Store | None = None, manner: Manner | None = None, own: Own | None = None) -> Finished:
    """Have a run again from its recorded decisions, without any model: its tables, events and figures.

    Args:
        store: where the record goes; in memory by default.
        own: functions that changed the run; whatever sat in it is not needed, recorded decisions stand in for it.

    Raises:
        RunError: it is no run, is not done, a function that changed it is not given, or the replay has another digest
            (events or ecosim's rules have changed).
    """
    document = _done(path)
    stand_ins = {name: _Absent(name) for arm in document["arms"] for name in arm["own"]}
    scenario, arms = _facts(document, {**stand_ins, **(own or {})}, path)
    kept = Folder(path)

    def recast(code: int, mind: Mind | Recipe) -> Mind | Recipe:
        if isinstance(mind, Experts):
            return mind
        then = document["minds"][code]
        return Replay(
            lambda question: recorded(kept, question),
            name=then["name"],
            grade=then["grade"],
            fingerprint=then["fingerprint"],
        )

    done = simulate(scenario, arms, store or Memory(), manner, place=document["scenario_file"], recast=recast)
    if done.manifest["digests"] != document["digests"]:
        raise RunError(
            f"{path}: the replay has another digest than the run: it was recorded by ecosim {document['ecosim']}, or "
            "its files are damaged (ecosim verify --no-rerun tells)"
        )
    return done


class _Links(Memory):
    """A store that keeps nothing but the digest of every step; it has the run's recordings of remote minds."""

    def __init__(self, recordings: Path) -> None:
        super().__init__()
        self.recordings = recordings

    def append(self, name: str, rows: Any) -> None:
        """Keep digests and forget the rest."""
        if name == DIGESTS:
            super().append(name, rows)


def _facts(document: Mapping[str, Any], own: Own | None, path: Path) -> tuple[Scenario, list[Arm]]:
    kind = side(document["scenario"]["world"]).kind
    return build(kind, document["scenario"], place=str(path / manifest.NAME)), manifest.arms_of(
        document, own or {}, str(path)
    )


def _done(path: Path) -> dict[str, Any]:
    document = documents.read(Folder(path), path)
    if document["status"] != "done":
        raise RunError(f"{path}: this run is not done ({document['status']}); first: ecosim resume {path}")
    return document


def _differences(then: Mapping[str, Any], now: Mapping[str, Any], store: Folder, links: Memory) -> list[str]:
    """Which replicas have another digest when run again, and after which step it is another."""
    wrong = [i for i, (a, b) in enumerate(zip(then["digests"], now["digests"], strict=True)) if a != b]
    if not wrong:
        return []
    first = _first_steps(store.read(DIGESTS), links.read(DIGESTS)) if DIGESTS in store.names() else {}
    return [
        f"replica {i}: run again it has the digest {now['digests'][i][:12]}…, the run had {then['digests'][i][:12]}…"
        + (f"; they part in step {first[i]}" if i in first else "")
        for i in wrong
    ]


def _first_steps(then: pa.Table, now: pa.Table) -> dict[int, int]:
    """The first step whose link differs, by replica."""
    pairs = then.to_pandas().merge(now.to_pandas(), on=["replica", "step"], suffixes=("", "_now"))
    parted = pairs[pairs["events"] != pairs["events_now"]]
    return {int(r): int(s) for r, s in parted.groupby("replica")["step"].min().items()}


@dataclass(frozen=True, slots=True)
class _Absent:
    """Stands in the seat of a mind that a replay does not ask."""

    name: str
    grade: str = "replay"
    fingerprint: str = ""

    def decide(self, question: Question) -> Decision:
        """Not asked."""
        raise AssertionError("a replay asks no minds")
