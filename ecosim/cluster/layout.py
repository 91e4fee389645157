"""Where minds answer, and what that will take: said before anything is made, and refused where it can't fit."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ecosim.errors import PoolError

MEGABYTE = 10**6
HOST_BYTES = 130 * MEGABYTE
"""A host with scripted minds: its own memory, as measured (results/LOG.md)."""
WORKER_BYTES = 620 * MEGABYTE
"""A pool worker without its weights: torch, transformers, tokenizer, caches of a few hundred rows, as measured."""
RAY_BYTES = 350 * MEGABYTE
"""Ray's own processes on a machine, as measured."""
DEADLINE_S = 3600.0
"""A call that takes longer counts as lost; generous, because a language model may need minutes for a round."""
MAX_PLACES = 1024
"""More hosts or workers than this is a typing error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a run is spread over processes; no digest depends on it.

    Attributes:
        hosts: Ray actors for minds that answer by columns; 0: they answer in the driver.
        workers: Ray actors that hold language models; 0: they are held by the driver.
        address: of a Ray cluster to join, as `ray.init` takes it; "" starts Ray on this machine.
        threads: of each worker; None: cores ÷ workers.
        deadline_s: a call that takes longer counts as lost.

    Raises:
        PoolError: a negative or absurd number, or an address without anything to put there.
    """

    hosts: int = 0
    workers: int = 0
    address: str = ""
    threads: int | None = None
    deadline_s: float = DEADLINE_S

    def __post_init__(self) -> None:
        for name in ("hosts", "workers"):
            value = getattr(self, name)
            if not 0 <= value <= MAX_PLACES:
                raise PoolError(f"{name} must be within 0 … {MAX_PLACES}, got {value}")
        if self.threads is not None and self.threads < 1:
            raise PoolError(f"threads must be >= 1, got {self.threads}")
        if self.deadline_s <= 0:
            raise PoolError(f"deadline_s must be > 0, got {self.deadline_s}")
        if self.address and not self.num_places:
            raise PoolError(f"a Ray cluster ({self.address}) is named, but no hosts or workers to put there")

    @property
    def num_places(self) -> int:
        """Ray actors in all."""
        return self.hosts + self.workers


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What there is to use: of this machine, or of a whole cluster.

    Attributes:
        what: "this machine", or the cluster's address.
        cores, gpus: that may be used.
        memory_bytes: available.
        nodes: machines.
    """

    what: str = "this machine"
    cores: int
    memory_bytes: int
    gpus: int = 0
    nodes: int = 1


def this_machine() -> Machine:
    """The cores that this process may use, and the memory that is free within its limits."""
    import psutil

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Machine(cores=cores, memory_bytes=min(psutil.virtual_memory().available, _left_in_cgroup()))


def threads_of(layout: Layout, machine: Machine) -> int:
    """Threads of each worker: as asked, else the cores of its machine shared out, at least one."""
    workers_a_node = -(-layout.workers // machine.nodes)
    return layout.threads or max(1, machine.cores // machine.nodes // max(workers_a_node, 1))


def plan(layout: Layout, machine: Machine, column_minds: Sequence[str], models: Sequence[tuple[str, int]]) -> list[str]:
    """What will be made, line by line, with the memory that it is expected to take.

    Args:
        column_minds: names of the minds that go to hosts.
        models: names of the base models that go to workers, and the bytes of their weights.

    Raises:
        PoolError: it can't fit, or there is nothing to put into the hosts or workers.
    """
    weights = sum(size for _, size in models)
    hosts, workers = layout.hosts * HOST_BYTES, layout.workers * WORKER_BYTES
    shared = weights * machine.nodes if layout.workers else 0
    total = hosts + workers + shared + RAY_BYTES * machine.nodes
    lines = []
    if layout.hosts:
        lines.append(f"hosts    {layout.hosts} × {_mb(HOST_BYTES)} for {', '.join(column_minds) or 'no mind'}")
    if layout.workers:
        names = ", ".join(name for name, _ in models) or "no model"
        threads = threads_of(layout, machine)
        lines.append(
            f"workers  {layout.workers} × {_mb(WORKER_BYTES)}, {threads} thread{'s' * (threads > 1)} each, "
            f"and {_mb(weights)} of weights once a machine, for {names}"
        )
    lines.append(
        f"memory   about {_mb(total)} with Ray itself; {machine.what} has {_mb(machine.memory_bytes)} free, "
        f"{machine.cores} cores" + (f" on {machine.nodes} nodes" if machine.nodes > 1 else "")
    )
    if layout.workers and not models:
        raise PoolError(f"workers {layout.workers}: no seat has a language model; leave --workers out")
    if layout.hosts and not column_minds:
        raise PoolError(f"hosts {layout.hosts}: every seat has a language model; leave --hosts out")
    if total > machine.memory_bytes and layout.address:
        lines.append("         more than there is now: the cluster has to grow for it")
    elif total > machine.memory_bytes:
        raise PoolError(
            f"{layout.hosts} hosts and {layout.workers} workers need about {_mb(total)}, {machine.what} has "
            f"{_mb(machine.memory_bytes)} free; take fewer, or name a larger cluster with --ray-address"
        )
    return lines


def _mb(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 10**9 else f"{size / MEGABYTE:.0f} MB"


def _left_in_cgroup() -> int:
    """Bytes that the container may still take; very many where there is no limit."""
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        try:
            return int(Path(limit).read_text()) - int(Path(used).read_text())
        except (OSError, ValueError):  # no such hierarchy here, or "max"
            continue
    return 2**62
