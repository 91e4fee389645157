"""From a layout to the Ray actors that it asks for: what each makes, how many threads, CPUs and GPUs it gets."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ray

from ecosim.cluster.layout import Layout, Machine, threads_of
from ecosim.cluster.rays import HostOf, PoolOf, Post
from ecosim.errors import PoolError
from ecosim.minds.recipe import Recipe
from ecosim.words import Mind


def hosts(minds: Mapping[int, Mind], layout: Layout, machine: Machine) -> list[Post]:
    """Places for minds that answer by columns.

    Raises:
        PoolError: a mind can't be sent to another process.
    """
    if not layout.hosts:
        return []
    make = HostOf(_sent(minds))
    cpus = 1.0 if layout.address else 0.0
    return [Post(f"host-{i}", make, 1, cpus, 0.0) for i in range(layout.hosts)]


def workers(recipes: Mapping[int, Recipe], bases: Sequence[str], layout: Layout, machine: Machine) -> list[Post]:
    """Places for language models: a GPU each where the cluster has them, else some cores."""
    from ecosim.models.parcel import files_of, pack

    parcels = {base: ray.put(pack(base)) for base in bases}
    threads = threads_of(layout, machine)
    gpus = 1.0 if machine.gpus else 0.0
    cpus = float(threads) if layout.address and not gpus else 0.0
    folders = {folder for recipe in recipes.values() for folder in recipe.folders}
    adapters = {folder: ray.put(files_of(Path(folder))) for folder in sorted(folders)}
    make = PoolOf(dict(recipes), parcels, adapters, threads)
    return [Post(f"worker-{i}", make, threads, cpus, gpus) for i in range(layout.workers)]


def environment() -> dict[str, str]:
    """What every actor must find in its environment before it imports torch."""
    from ecosim.models.load import set_numerics_environment

    set_numerics_environment()
    names = ("MKL_CBWR", "ECOSIM_CACHE", "HF_HOME", "TOKENIZERS_PARALLELISM")
    return {name: os.environ[name] for name in names if name in os.environ}


def _sent(minds: Mapping[int, Mind]) -> Any:
    for mind in minds.values():
        try:
            ray.cloudpickle.dumps(mind)
        except Exception as error:  # whatever its author put into it
            raise PoolError(
                f"mind {mind.name!r} can't be sent to a host: {type(error).__name__}: {error}; run without --hosts, or "
                "name a language model by its recipe"
            ) from error
    return ray.put(dict(minds))
