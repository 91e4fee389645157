"""Ray, set up safely: started here for this run alone, or joined where the user named it; never anything else.

* An address in the environment (`RAY_ADDRESS`) is not followed: a cluster is joined only if `--ray-address` names it,
  or if this process has called `ray.init` itself.
* Token authentication is on unless the environment says otherwise (`RAY_AUTH_MODE`): without it, whoever reaches a port
  of Ray runs code. The token file is readable by its owner only.
* No dashboard, no usage statistics, a namespace of its own.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from ecosim.cluster.layout import Machine, this_machine
from ecosim.errors import PoolError

STORE_BYTES = 400 * 2**20
"""Object store of a Ray that is started here, beside the weights: columns under way."""


@contextmanager
def ray_cluster(address: str, weights_bytes: int = 0) -> Iterator[Machine]:
    """Ray while the block lasts; gives what it has to use.

    Args:
        address: as `ray.init` takes it; "" starts Ray on this machine.
        weights_bytes: what will be put into the object store.

    Raises:
        PoolError: Ray can't be started or reached, or this process is connected to another cluster.
    """
    _prepare_environment()
    import ray

    if ray.is_initialized():
        if address:
            raise PoolError(f"this process has called ray.init already; leave the address {address} out to use that")
        yield _cluster("the Ray that this process has connected to")
        return
    _init(address, weights_bytes)
    try:
        yield _cluster(address) if address else this_machine()
    finally:
        ray.shutdown()


def _prepare_environment() -> None:
    """Settings that Ray reads when it is imported or started; what the user has set stays.

    Ray reads how to authenticate when it is imported: set later, its processes would disagree. Where it was imported
    before (a notebook), its own default holds: a token for a Ray on this machine, from 2.59 on.
    """
    if "ray" not in sys.modules:
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")


def _init(address: str, weights_bytes: int) -> None:
    import ray
    from ray.exceptions import RayError

    name = f"ecosim-{uuid4().hex[:12]}"
    how: dict[str, Any] = {"namespace": name, "log_to_driver": False, "logging_level": "error"}
    if not address:
        how |= {"object_store_memory": STORE_BYTES + int(1.2 * weights_bytes), "include_dashboard": False}
    had_token = _token_file().exists()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Ray's advice about its own future is not about this run
            ray.init(address=address or "local", **how)
    except (ConnectionError, OSError, RuntimeError, ValueError, RayError) as error:
        what = f"the Ray cluster at {address} can't be reached" if address else "Ray can't be started here"
        hint = (
            "check the address, and that RAY_AUTH_TOKEN or ~/.ray/auth_token holds its token"
            if address
            else ("run `ecosim doctor`, or leave --hosts and --workers out")
        )
        raise PoolError(f"{what}: {' '.join(str(error).split())[:300]}; {hint}") from error
    if not had_token and _token_file().exists():
        _token_file().chmod(0o600)


def _token_file() -> Path:
    named = os.environ.get("RAY_AUTH_TOKEN_PATH")
    return Path(named) if named else Path.home() / ".ray" / "auth_token"


def _cluster(what: str) -> Machine:
    import ray

    all_of_it = ray.cluster_resources()
    nodes = sum(1 for node in ray.nodes() if node["Alive"])
    return Machine(
        what=what,
        cores=int(all_of_it.get("CPU", 0)),
        memory_bytes=int(all_of_it.get("memory", 0)),
        gpus=int(all_of_it.get("GPU", 0)),
        nodes=nodes,
    )
