"""Runs once more: finished after a kill, verified, replayed without models."""

import json
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import ecosim
from ecosim import testing
from ecosim.errors import RunError
from ecosim.record.store import Folder

MARKET = "smart_manufacturing"

DIES = """
import os, signal, sys
from ecosim import api, simulate
from ecosim.record.recorder import Recorder

class Dying(Recorder):
    def take(self, phase, events):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        super().take(phase, events)

scenario, out, steps, left = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
simulate.Recorder = Dying
api.run(scenario, seeds=2, steps=steps, out=out, snapshot_every=2)
"""


def dies(tmp_path, scenario, steps, left):
    """A driver that is killed in the middle of a step, when it records for the `left`-th time."""
    command = [sys.executable, "-c", DIES, scenario, str(tmp_path / "run"), str(steps), str(left)]
    assert subprocess.run(command, capture_output=True).returncode == -signal.SIGKILL
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["status"] == "running"
    return tmp_path / "run"


@pytest.fixture(scope="module")
def undisturbed():
    return {name: testing.run_digests(name, seeds=2, steps=8) for name in (MARKET, "creator_community")}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_a_killed_run_is_resumed_to_the_digest_of_the_undisturbed_one(tmp_path, seed, undisturbed):
    scenario = (MARKET, "creator_community")[seed % 2]
    most = {MARKET: 200, "creator_community": 34}[scenario]  # records of eight steps, about
    folder = dies(tmp_path, scenario, 8, int(np.random.default_rng(seed).integers(2, most)))
    last = max((int(p.name[-6:]) for p in (folder / "snapshots").glob("step-*")), default=0)
    run = ecosim.resume(folder)
    assert run.manifest["digests"] == undisturbed[scenario].manifest["digests"]
    assert run.manifest["resumed_after"] == [last]
    assert run.manifest["steps_done"] == 8 and run.manifest["status"] == "done"
    kpis = run.kpis.set_index(["metric", "group", "replica"])["value"]
    whole = ecosim.run(scenario, seeds=2, steps=8).kpis.set_index(["metric", "group", "replica"])["value"]
    pd.testing.assert_series_equal(kpis, whole)
    assert len(run.metrics) == len(run.metrics.drop_duplicates(["replica", "step", "metric", "group"]))
    assert not ecosim.verify(folder, with_rerun=False).faults


def test_a_resume_loses_at_most_one_interval_between_snapshots(tmp_path):
    folder = dies(tmp_path, MARKET, 8, 150)
    steps = sorted(int(p.name[-6:]) for p in (folder / "snapshots").glob("step-*"))
    assert len(steps) == 2 and steps[1] - steps[0] == 2
    assert ecosim.resume(folder).manifest["resumed_after"] == [steps[1]]


def test_a_run_without_snapshots_is_resumed_from_its_first_step(tmp_path, undisturbed):
    folder = dies(tmp_path, MARKET, 8, 5)
    assert ecosim.resume(folder).manifest["resumed_after"] == [0]
    assert ecosim.load(folder).manifest["digests"] == undisturbed[MARKET].manifest["digests"]


def test_an_interrupted_run_is_resumed_too(tmp_path):
    def stop(step, router):
        if step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ecosim.run(MARKET, seeds=1, steps=8, out=tmp_path / "run", snapshot_every=2, progress=stop)
    run = ecosim.resume(tmp_path / "run")
    assert run.manifest["resumed_after"] == [4]
    assert run.manifest["digests"] == ecosim.run(MARKET, seeds=1, steps=8).manifest["digests"]


def cautious(question):
    return {"quantity": question.field("quantity").snap(question["demand_history"][:, 0])}


@pytest.mark.parametrize("scenario", [MARKET, "creator_community"])
def test_a_run_of_nano_minds_is_resumed_to_the_same_digest(tmp_path, scenario):
    roles = {MARKET: ("supplier", "manufacturer"), "creator_community": ("viewer", "human_creator")}[scenario]
    how = {"minds": dict.fromkeys(roles, "nano"), "seeds": 2, "steps": 4}
    if scenario == "creator_community":
        how["changes"] = {"viewers.count": 50, "viewers.at_start": 50}
    whole = ecosim.run(scenario, **how)

    def stop(step: int, router: object) -> None:
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ecosim.run(scenario, **how, out=tmp_path / "run", snapshot_every=2, progress=stop)
    run = ecosim.resume(tmp_path / "run")
    assert run.manifest["resumed_after"] == [2]
    assert run.manifest["digests"] == whole.manifest["digests"]
    assert run.manifest["work_by_grade"]["nano"]["decisions"] > 20


def test_a_run_with_an_own_function_is_resumed_with_that_function_and_no_other(tmp_path):
    def stop(step, router):
        if step == 3:
            raise KeyboardInterrupt

    minds = {"distributor.replenish": cautious}
    with pytest.raises(KeyboardInterrupt):
        ecosim.run(MARKET, seeds=1, steps=4, minds=minds, out=tmp_path / "run", snapshot_every=2, progress=stop)
    with pytest.raises(RunError, match=r"cautious sat in this run .* own=\{'cautious': …\}"):
        ecosim.resume(tmp_path / "run")
    with pytest.raises(RunError, match="mind 'cautious' is not what it was when this run began"):
        ecosim.resume(tmp_path / "run", own={"cautious": named("cautious", lambda q: cautious(q))})
    run = ecosim.resume(tmp_path / "run", own={"cautious": cautious})
    assert run.manifest["digests"] == ecosim.run(MARKET, seeds=1, steps=4, minds=minds).manifest["digests"]


def test_two_functions_of_one_name_are_told_apart(tmp_path):
    def buyer(share):
        def buy(question):
            return {"quantity": question.field("quantity").snap(question["demand_history"][:, 0] * share)}

        return buy

    def stop(step, router):
        if step == 3:
            raise KeyboardInterrupt

    one, two = buyer(1), buyer(2)
    arms = {"one": {"distributor.replenish": one}, "two": {"distributor.replenish": two}}
    whole = ecosim.compare(MARKET, arms, seeds=2, steps=4).run
    with pytest.raises(KeyboardInterrupt):
        ecosim.compare(MARKET, arms, seeds=2, steps=4, out=tmp_path / "run", progress=stop)
    with pytest.raises(RunError, match="mind 'buy' is not what it was"):
        ecosim.resume(tmp_path / "run", own={"buy": two, "buy-2": one})
    kept = sorted(path.name for path in (tmp_path / "run" / "events").iterdir())
    assert kept, "a resume that cannot go on leaves what was recorded"
    run = ecosim.resume(tmp_path / "run", own={"buy": one, "buy-2": two})
    assert run.manifest["digests"] == whole.manifest["digests"]


def named(name, function):
    function.__name__ = name
    return function


def test_what_is_done_or_still_going_on_is_not_resumed(tmp_path):
    def meanwhile(step, router):
        with pytest.raises(RunError, match="still going on in another process"):
            ecosim.resume(tmp_path / "run")

    ecosim.run(MARKET, seeds=1, steps=2, out=tmp_path / "run", progress=meanwhile)
    with pytest.raises(RunError, match="this run is done; there is nothing to resume"):
        ecosim.resume(tmp_path / "run")


def test_a_good_run_is_verified_and_a_changed_file_is_found(tmp_path):
    folder = tmp_path / "run"
    ecosim.run(MARKET, seeds=2, steps=3, out=folder)
    assert ecosim.verify(folder).faults == () and ecosim.verify(folder).replicas == 2
    store = Folder(folder)
    orders = store.read("events/orders").to_pandas()
    orders.loc[0, "quantity"] += 1
    orders.to_parquet(folder / "events" / "orders-00000.parquet")
    faults = ecosim.verify(folder, with_rerun=False).faults
    assert len(faults) == 1 and "replica 0" in faults[0] and "step 1" in faults[0]


def test_a_verification_names_the_step_in_which_a_second_run_parts(tmp_path, monkeypatch):
    folder = tmp_path / "run"
    ecosim.run(MARKET, seeds=2, steps=4, out=folder)
    from ecosim.manufacturing.demand import Demand

    usual = Demand.apply

    def more(self, world, questions, decisions):
        events = usual(self, world, questions, decisions)
        if world.steps == 3:
            events["demand"]["wanted"][-1] += 1  # the last replica's
        return events

    monkeypatch.setattr(Demand, "apply", more)
    (fault,) = ecosim.verify(folder).faults
    assert fault.startswith("replica 1: run again it has the digest") and fault.endswith("they part in step 3")


def test_a_run_not_done_is_neither_verified_nor_replayed(tmp_path):
    folder = dies(tmp_path, MARKET, 8, 50)
    for again in (ecosim.verify, ecosim.replay):
        with pytest.raises(RunError, match="this run is not done"):
            again(folder)


def test_a_replay_needs_no_minds_and_gives_the_run_its_world(tmp_path):
    folder = tmp_path / "run"
    minds = {"distributor.replenish": cautious}
    run = ecosim.run(MARKET, seeds=2, steps=3, minds=minds, out=folder)
    again = ecosim.replay(folder, out=tmp_path / "again")
    assert again.manifest["digests"] == run.manifest["digests"]
    assert again.kpis["value"].tolist() == run.kpis["value"].tolist()
    stock = [w.tables["accounts"]["balance"].tolist() for w in (run.world(1), again.world(1))]
    assert stock[0] == stock[1]


def test_a_replay_of_damaged_decisions_is_refused(tmp_path):
    folder = tmp_path / "run"
    ecosim.run(MARKET, seeds=1, steps=3, minds={"distributor.replenish": cautious}, out=folder)
    file = folder / "decisions" / "distributor.replenish-00000.parquet"
    kept = pd.read_parquet(file)
    kept.loc[3, "answer.quantity"] += 10**6
    kept.to_parquet(file)
    with pytest.raises(RunError, match="the replay has another digest than the run"):
        ecosim.replay(folder)


def test_a_run_with_poison_is_replayed_poison_and_all(tmp_path):
    changes = {"substitute": "scripted"}
    run = ecosim.run(
        MARKET, seeds=1, steps=3, minds={"distributor.replenish": choosy}, changes=changes, out=tmp_path / "run"
    )
    assert run.events("substitutions")["subject"].tolist() == [15, 15, 15]
    assert ecosim.replay(tmp_path / "run").manifest["digests"] == run.manifest["digests"]


def choosy(question):
    if 15 in question.key["subject"]:
        raise ValueError("not with me")
    return cautious(question)
