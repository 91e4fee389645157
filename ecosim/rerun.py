"""A run once more, from its folder: finished after a crash, checked by running it again, or replayed without models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ecosim import manifest
from ecosim.arms import Arm, Manner
from ecosim.cluster.crew import inline
from ecosim.errors import DecisionError, RunError
from ecosim.fields import Array
from ecosim.minds.recipe import Recipe
from ecosim.minds.remote import RemoteMind
from ecosim.minds.replay import Replay
from ecosim.minds.scripted import Experts
from ecosim.moment import Absent, Listening, Moment
from ecosim.opening import RECORDINGS, substitutes
from ecosim.reading import side
from ecosim.record import document as documents
from ecosim.record import snapshot as snapshots
from ecosim.record.audit import audit
from ecosim.record.claim import held
from ecosim.record.decisions import recorded
from ecosim.record.recorder import DIGESTS
from ecosim.record.store import Folder, Memory, Store
from ecosim.scenario import Scenario, build
from ecosim.schedule import Change
from ecosim.simulate import Finished, assemble, first_day, simulate
from ecosim.words import Expert, Mind
from ecosim.world import World

Own = Mapping[str, Expert | Mind | Change | Callable[..., Array]]
"""A user's own functions and minds that sat in a run, functions that changed it, own feeds, by their names there."""


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
    scenario, arms = _facts(document, {**_stand_ins(document), **(own or {})}, path)
    recast = _from_record(document, Folder(path))
    done = simulate(scenario, arms, store or Memory(), manner, place=document["scenario_file"], recast=recast)
    if done.manifest["digests"] != document["digests"]:
        raise RunError(
            f"{path}: the replay has another digest than the run: it was recorded by ecosim {document['ecosim']}, or "
            "its files are damaged (ecosim verify --no-rerun tells)"
        )
    return done


def until(store: Store, step: int, own: Own | None = None) -> Moment:
    """Have a run again up to a step, from its recorded decisions, to look at it; nothing is written.

    It starts at the last snapshot before the step, if there is one. The minds of the run are in the moment, but nobody
    asks them on the way.

    Args:
        store: a run's, in a folder or in memory; done, or stopped after this step.
        step: from 1.
        own: the user's own functions and minds that are to be asked then, by name.

    Raises:
        RunError: it is no run, has no such step, kept no record, or comes out otherwise than recorded.
    """
    place = str(store.path) if isinstance(store, Folder) else "this run"
    document = documents.read(store, place)
    links = _recorded_links(store, step, document, place)
    scenario, arms = _facts(document, {**_stand_ins(document), **(own or {})}, Path(place))
    manner = Manner(numerics=document["numerics"], batch_limit=document["batch_limit"])
    ecosystem, minds, tables, schedule = first_day(scenario, arms, manner, _read_only(store), document["scenario_file"])
    _hush(minds)
    recast = _from_record(document, store)
    people = inline([recast(code, mind) for code, mind in enumerate(minds)], substitutes(ecosystem, scenario))
    start = snapshots.before(store.path, step) if isinstance(store, Folder) else None
    if start is not None and start.notes.get("run") != manifest.identity(document):
        start = None  # of another run; from the first day it is the same, and takes longer
    tables = start.tables if start is not None else tables
    recorder = Listening(ecosystem.events, tables["replicas"].num_rows, None, chains=start.chains if start else None)
    world, _ = assemble(ecosystem, scenario, tables, people, recorder, schedule)
    world.steps = start.step if start is not None else 0
    try:
        _step_to(world, recorder, step)
    except DecisionError as error:
        raise RunError(f"{place}: can't be had again: {error}") from error
    if links is not None and links != recorder.digest.hex():
        raise RunError(
            f"{place}: had again from its record, step {step} has another digest: the run is of ecosim "
            f"{document['ecosim']}, or its files are damaged (ecosim verify --no-rerun tells)"
        )
    return Moment(
        place=place,
        document=document,
        step=step,
        world=world,
        questions=tuple(question for question, _ in recorder.heard),
        decisions=tuple(decision for _, decision in recorder.heard),
        minds=minds,
        substitutes=substitutes(ecosystem, scenario),
    )


def _step_to(world: World, recorder: Listening, step: int) -> None:
    while world.steps < step:
        recorder.heard = []
        world.step()
        recorder.close_step(world.steps)


def _recorded_links(store: Store, step: int, document: Mapping[str, Any], place: str) -> list[str] | None:
    """The digest of every replica after a step; None where the run kept figures only.

    Raises:
        RunError: the run did not get there.
    """
    table = store.read(DIGESTS) if DIGESTS in store.names() else None
    last = document.get("steps_done", 0) if table is None else pc.max(table["step"]).as_py()
    if not 1 <= step <= last:
        there = f"it has 1 … {last}" if last else "none was recorded"
        raise RunError(f"{place}: no step {step} in this run; {there}")
    if table is None:
        return None
    rows = table.filter(pc.equal(table["step"], step)).sort_by("replica")
    return [str(link) for link in rows["events"].to_pylist()]


def _read_only(store: Store) -> Store:
    """Where a run's remote minds find what they said."""
    return _Links(store.path / RECORDINGS) if isinstance(store, Folder) else Memory()


def _hush(minds: Sequence[Mind | Recipe]) -> None:
    """What remote minds are told from now on stays in memory."""
    for mind in minds:
        if isinstance(mind, RemoteMind):
            mind.recordings.close()


def _stand_ins(document: Mapping[str, Any]) -> dict[str, Absent]:
    return {name: Absent(name) for arm in document["arms"] for name in arm["own"]}


def _from_record(document: Mapping[str, Any], store: Store) -> Callable[[int, Mind | Recipe], Mind | Recipe]:
    """Recorded decisions in the seats of all minds but the side's own."""

    def recast(code: int, mind: Mind | Recipe) -> Mind | Recipe:
        if isinstance(mind, Experts):
            return mind
        then = document["minds"][code]
        return Replay(
            lambda question: recorded(store, question),
            name=then["name"],
            grade=then["grade"],
            fingerprint=then["fingerprint"],
        )

    return recast


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
    data, faults = kind.with_functions(document["scenario"], own or {})
    if faults:
        raise RunError(f"{path}: {faults[0]}")
    return build(kind, data, place=str(path / manifest.NAME)), manifest.arms_of(document, own or {}, str(path))


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
