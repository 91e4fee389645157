"""Real Ray: the same digests for any layout, and with places and nodes that die."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

import ecosim
from ecosim import simulate, testing
from ecosim.cluster.crew import crew
from ecosim.cluster.layout import Layout
from ecosim.errors import PoolError
from ecosim.minds.router import Router
from ecosim.minds.scripted import Scripted

pytestmark = [pytest.mark.slow, pytest.mark.alone]

MARKET, COMMUNITY = "smart_manufacturing", "creator_community"
STEPS = 2


@pytest.fixture(scope="module")
def ray(tmp_path_factory):
    """A Ray that this process has started; runs use it, as they would one that a user's notebook has started."""
    os.environ["RAY_AUTH_TOKEN_PATH"] = str(tmp_path_factory.mktemp("token") / "token")
    Path(os.environ["RAY_AUTH_TOKEN_PATH"]).write_text("a-token-of-the-tests-0123456789abcdef")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import ray

        ray.init(address="local", include_dashboard=False, log_to_driver=False, object_store_memory=300 * 2**20)
    yield ray
    ray.shutdown()


@pytest.fixture(scope="module")
def lora(tiny_folder, tmp_path_factory):
    """A random adapter for the tiny model, as a folder in PEFT's format."""
    from ecosim.models.adapter import write_random
    from ecosim.models.load import load

    folder = tmp_path_factory.mktemp("lora")
    write_random(folder, load(f"path:{tiny_folder}").model, rank=4, seed=1)
    return folder


@pytest.fixture(scope="module")
def models(tiny_folder, lora):
    base = f"path:{tiny_folder}"
    return {"tiny": {"base": base}, "taught": {"base": base, "adapter": str(lora)}}


def seats(world, mind):
    if world == MARKET:
        return {"distributor.negotiate": mind, "supplier.negotiate": mind}
    return {"ai_creator": mind}


@pytest.fixture(scope="module")
def inline(models):
    """Digests in one process, by scenario and mind."""
    found = {}

    def digests(world, mind):
        if (world, mind) not in found:
            run = ecosim.run(world, seeds=2, steps=STEPS, minds=seats(world, mind), changes={"models": models})
            found[world, mind] = [run.manifest[name] for name in ("digests", "score_digests")]
        return found[world, mind]

    return digests


PAIRS = [
    (MARKET, 1, 1, 1, "tiny"),
    (MARKET, 2, 2, 7, "taught"),
    (MARKET, 3, 0, None, "scripted"),
    (MARKET, 0, 2, 64, "tiny"),
    (COMMUNITY, 3, 1, 7, "taught"),
    (COMMUNITY, 2, 2, 1, "tiny"),
    (COMMUNITY, 1, 0, None, "scripted"),
]
"""Scenario, hosts, workers, batch limit, mind: every pair of values that belong together is there once."""


@pytest.mark.parametrize(("world", "hosts", "workers", "limit", "mind"), PAIRS)
def test_no_layout_changes_the_digest(ray, models, inline, world, hosts, workers, limit, mind):
    layout = {"hosts": hosts, "workers": workers, "batch_limit": limit}
    run = ecosim.run(world, seeds=2, steps=STEPS, minds=seats(world, mind), changes={"models": models}, **layout)
    assert [run.manifest[name] for name in ("digests", "score_digests")] == inline(world, mind)
    places = run.manifest["layout"]["places"]
    assert len(places) == hosts + workers and all(p["memory_bytes"] > 10**7 for p in places.values())


def kill_an_actor(at):
    """Kill one actor of this Ray after a step."""
    import psutil

    def kill(step, router):
        if step == at:
            processes = psutil.Process().children(recursive=True)
            next(p for p in processes if "ray::Actor" in "".join(p.cmdline())).kill()

    return kill


@pytest.mark.parametrize(("hosts", "workers", "mind"), [(2, 0, "scripted"), (0, 1, "tiny")])
def test_a_killed_place_costs_a_retry_and_not_the_run(ray, models, hosts, workers, mind):
    how = {"seeds": 2, "steps": 4, "minds": {"distributor.negotiate": mind}, "changes": {"models": models}}
    expected = ecosim.run(MARKET, **how).manifest["digests"]
    layout = ecosim.run(MARKET, **how, hosts=hosts, workers=workers, progress=kill_an_actor(at=2)).manifest
    assert layout["digests"] == expected
    assert layout["layout"]["lost"] >= 1 and layout["layout"]["replaced"] >= 1


def test_a_mind_that_kills_its_process_is_found_row_by_row(ray):
    def deadly(question):
        import os

        if 15 in question.key["subject"]:
            os._exit(1)
        return {"quantity": question.field("quantity").snap(question["demand_history"][:, 0])}

    facts = simulate.load_scenario(MARKET).with_changes(seeds=1, steps=1, substitute="scripted")
    arm = simulate.Arm(name="all", minds={"distributor.replenish": deadly})
    store = testing.Memory()
    simulate.simulate(facts, [arm], store, simulate.Manner(layout=Layout(hosts=2)))
    assert store.read("events/substitutions")["subject"].to_pylist() == [15]
    assert store.read("ops/substitutions")["reason"][0].as_py().startswith("lost 6 times")


def test_a_mind_that_cannot_travel_is_refused_before_anything_runs(ray):
    lock = __import__("threading").Lock()

    def holds_a_lock(question):
        with lock:
            return {}

    with pytest.raises(PoolError, match="mind 'holds_a_lock' can't be sent to a host"):
        ecosim.run(MARKET, seeds=1, steps=1, minds={"distributor.replenish": holds_a_lock}, hosts=1)


def test_a_model_that_does_not_load_is_told_by_name_when_its_worker_is_made(ray, tmp_path):
    (tmp_path / "config.json").write_text("{}")  # a folder that looks like a model's, and holds none
    save_file({"t": np.ones(1, np.float32)}, tmp_path / "model.safetensors")
    changes = {"models": {"tiny": {"base": f"path:{tmp_path}"}}}
    with pytest.raises(PoolError, match=r"worker-0 could not be made: .*path:.*not a causal language model"):
        ecosim.run(MARKET, seeds=1, steps=1, minds={"distributor.negotiate": "tiny"}, changes=changes, workers=1)


def test_places_that_would_answer_differently_are_refused():
    from ecosim.cluster.rays import check_alike

    mind = {"name": "m", "fingerprint": "a", "probe": {"numerics": "reproducible", "bits": "1"}}
    check_alike("host-0", mind, "host-1", dict(mind))
    with pytest.raises(PoolError, match="the lost host-1 and the new host-1 hold different minds 'm'"):
        check_alike("the lost host-1", mind, "the new host-1", {**mind, "fingerprint": "b"})
    with pytest.raises(PoolError, match="processors are of different classes"):
        check_alike("host-0", mind, "host-1", {**mind, "probe": {"numerics": "reproducible", "bits": "2"}})
    check_alike("host-0", mind, "host-1", {**mind, "probe": {"numerics": "fast", "bits": "2"}})


def test_the_environment_is_set_in_every_process(ray):
    def looks(question):
        import os

        facts = {name: os.environ.get(name, "") for name in ("OMP_NUM_THREADS", "MKL_CBWR")}
        raise ValueError(str(facts))

    minds = [Scripted("looks", looks)]
    question = testing.questions(MARKET, steps=1, phase="replenish")[0]
    with crew(minds, Layout(hosts=1)) as people:
        router = Router(people.minds, people.dispatcher.answer)
        with pytest.raises(ecosim.errors.DecisionError) as told:
            router.decide([question])
    assert f"'MKL_CBWR': '{os.environ['MKL_CBWR']}'" in str(told.value) and "'OMP_NUM_THREADS': '1'" in str(told.value)


NODES = """
import os, sys, warnings
warnings.simplefilter("ignore")
from ray.cluster_utils import Cluster
import ray, ecosim
from ecosim import simulate, testing
from ecosim.cluster.layout import Layout

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
second = cluster.add_node(num_cpus=2)
cluster.wait_for_nodes()
facts = simulate.load_scenario("smart_manufacturing").with_changes(seeds=2, steps=6)
arm = simulate.Arm(name="all")
expected = simulate.simulate(facts, [arm], testing.Memory()).manifest["digests"]

def lose(step, router):
    if step == 3:
        cluster.remove_node(second, allow_graceful=False)

manner = simulate.Manner(layout=Layout(hosts=3, address=cluster.address), progress=lose, say=print)
done = simulate.simulate(facts, [arm], testing.Memory(), manner).manifest
print("same" if done["digests"] == expected else "other", done["layout"]["lost"])
ray.shutdown()
cluster.shutdown()
"""


def test_a_node_that_is_lost_in_the_middle_costs_retries_and_not_the_run(tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "a-token-of-the-tests-0123456789abcdef"}
    done = subprocess.run([sys.executable, "-c", NODES], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    verdict, lost = done.stdout.split()[-2:]
    assert verdict == "same" and int(lost) >= 1
