"""The plan of a layout: said first, and refused where it can't fit."""

import pytest

from ecosim.cluster.layout import HOST_BYTES, RAY_BYTES, WORKER_BYTES, Layout, Machine, plan, this_machine, threads_of
from ecosim.errors import PoolError

GB = 10**9
ROOMY = Machine(cores=4, memory_bytes=32 * GB)
MODEL = [("smollm2-135m-instruct", 540 * 10**6)]


def test_the_plan_says_what_will_be_made_and_what_memory_it_takes():
    lines = plan(Layout(hosts=2, workers=2), ROOMY, ["scripted"], MODEL)
    assert lines[0].startswith("hosts    2 × ") and lines[0].endswith(" for scripted")
    assert "2 threads each, and 540 MB of weights once a machine" in lines[1]
    total = 2 * HOST_BYTES + 2 * WORKER_BYTES + 540 * 10**6 + RAY_BYTES
    assert f"about {total / 1e9:.1f} GB" in lines[2] and "32.0 GB free, 4 cores" in lines[2]


def test_what_cannot_fit_is_refused_with_the_figures():
    small = Machine(cores=2, memory_bytes=GB)
    with pytest.raises(PoolError, match=r"3 workers need about .* this machine has 1.0 GB free; take fewer"):
        plan(Layout(workers=3), small, [], MODEL)


def test_a_cluster_may_grow():
    small = Machine(what="10.0.0.1:6379", cores=2, memory_bytes=GB)
    lines = plan(Layout(workers=3, address="10.0.0.1:6379"), small, [], MODEL)
    assert "the cluster has to grow" in lines[-1]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"hosts": -1}, "hosts must be within 0"),
        ({"workers": 100_000}, "workers must be within 0"),
        ({"workers": 1, "threads": 0}, "threads must be >= 1"),
        ({"hosts": 1, "deadline_s": 0}, "deadline_s must be > 0"),
        ({"address": "auto"}, "no hosts or workers to put there"),
    ],
)
def test_absurd_layouts_are_refused(asked, told):
    with pytest.raises(PoolError, match=told):
        Layout(**asked)


def test_hosts_without_minds_for_them_are_refused():
    with pytest.raises(PoolError, match="no seat has a language model; leave --workers out"):
        plan(Layout(workers=1), ROOMY, ["scripted"], [])
    with pytest.raises(PoolError, match="every seat has a language model; leave --hosts out"):
        plan(Layout(hosts=1), ROOMY, [], MODEL)


@pytest.mark.parametrize(
    ("layout", "machine", "threads"),
    [
        (Layout(workers=1), ROOMY, 4),
        (Layout(workers=3), ROOMY, 1),
        (Layout(workers=8), ROOMY, 1),
        (Layout(workers=4, address="x"), Machine(cores=32, memory_bytes=GB, nodes=4), 8),
        (Layout(workers=2, threads=3), ROOMY, 3),
    ],
)
def test_workers_share_the_cores_of_their_machine(layout, machine, threads):
    assert threads_of(layout, machine) == threads


def test_this_machine_has_something():
    machine = this_machine()
    assert machine.cores >= 1 and 10**8 < machine.memory_bytes < 2**50
