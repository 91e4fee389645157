"""The same hosts and pool workers as Ray actors: the only module that talks to Ray while a run is going.

An actor holds a Host or a Pool and nothing of a run. It never restarts by itself (Ray would call again what may have
been done): a lost one is reported, and `replace` makes a new one. Weights and minds are put into the object store once;
the actors of a machine read them there. Local actors ask for no CPUs, because Ray would then schedule only as many as
there are cores; on a cluster that was named they ask for theirs, so that it can spread them and grow.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import GetTimeoutError, RayActorError, RayError, RayTaskError

from ecosim.cluster.site import Reply
from ecosim.cluster.wire import Wire, pack, unpack
from ecosim.errors import CatalogError, PoolError
from ecosim.minds.host import Host, Job
from ecosim.minds.recipe import Pool, Recipe
from ecosim.words import Mind, Table

if TYPE_CHECKING:
    from ecosim.models.load import LanguageModel, Numerics

READY_S = 300.0
"""An actor that is not ready by then has found no place, or its model does not load."""


POLL_S = 0.2
"""Between looks at whether a new actor is ready."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What an actor says of itself when it is ready."""

    minds: Mapping[int, Mapping[str, Any]]
    memory_bytes: int
    node: str


class Actor:
    """A host in a process of its own; calls travel as `cluster.wire` packs them.

    Args:
        make: makes the host, in the new process.
        threads: of matrix products there.
        environment: set before anything that reads it is imported.
    """

    def __init__(self, make: Callable[[], Host], threads: int, environment: Mapping[str, str]) -> None:
        os.environ.update(environment)
        os.environ["OMP_NUM_THREADS"] = str(threads)
        self._host = make()

    def answer(self, jobs: Wire) -> Wire:
        """Jobs to outcomes."""
        return pack(self._host.answer(unpack(jobs)))

    def facts(self) -> Facts:
        """What lives here; of language models also the probe."""
        node = ray.get_runtime_context().get_node_id()
        return Facts(self._host.describe(), self._host.memory_bytes(), str(node))

    def stats(self) -> tuple[dict[str, dict[str, int | float]], Table, int]:
        """Counts by pool, the batches since the last call, and memory in bytes."""
        return self._host.stats(), self._host.drain_batches(), self._host.memory_bytes()


@dataclass(frozen=True, slots=True)
class HostOf:
    """Makes a host of column minds from the object store."""

    minds: Any

    def __call__(self) -> Host:
        """The host."""
        found: Mapping[int, Mind] = ray.get(self.minds)
        return Host(found)


@dataclass(frozen=True, slots=True)
class PoolOf:
    """Makes a pool from recipes, with the parcels of its models and the files of its adapters in the object store."""

    recipes: Mapping[int, Recipe]
    parcels: Mapping[str, Any]
    adapters: Mapping[str, Any]
    threads: int

    def __call__(self) -> Pool:
        """The pool."""
        from ecosim.models.load import set_numerics_environment, set_threads
        from ecosim.models.parcel import unpack as unpack_model

        set_numerics_environment()
        set_threads(self.threads)

        def load(base: str, numerics: Numerics) -> LanguageModel:
            return unpack_model(ray.get(self.parcels[base]), numerics)

        with TemporaryDirectory() as place:

            def folder_of(name: str) -> Path:
                folder = Path(place) / str(len(list(Path(place).iterdir())))
                folder.mkdir()
                for file, content in ray.get(self.adapters[name]).items():
                    content.tofile(folder / file)
                return folder

            return Pool(self.recipes, load, folder_of)


@dataclass(frozen=True, slots=True)
class Post:
    """A place to be filled: what makes its host, and what it asks of Ray."""

    name: str
    make: Callable[[], Host]
    threads: int
    cpus: float
    gpus: float


class RaySite:
    """Places that are Ray actors.

    Args:
        posts: one a place.
        environment: variables for every actor.

    Raises:
        PoolError: an actor could not be made ready, or actors of one kind disagree about what they hold.
    """

    def __init__(self, posts: Sequence[Post], environment: Mapping[str, str]) -> None:
        self.posts = list(posts)
        self.names = [post.name for post in posts]
        self._environment = dict(environment)
        self._ticket_of: dict[Any, int] = {}
        self._place_of: dict[Any, int] = {}
        self._coming: dict[int, Any] = {}
        self._actors = [self._start(post) for post in self.posts]
        try:
            self.facts = [self._ready(place) for place in range(len(self.posts))]
        except BaseException:
            self.close()
            raise

    def submit(self, place: int, ticket: int, jobs: Sequence[Job]) -> None:
        """Send jobs to an actor."""
        ref = self._actors[place].answer.remote(pack(list(jobs)))
        self._ticket_of[ref] = ticket
        self._place_of[ref] = place

    def wait(self, until: float) -> list[Reply]:
        """Replies of the actors that are done first."""
        if not self._ticket_of:
            return []
        asked = list(self._ticket_of)
        ray.wait(asked, num_returns=1, timeout=max(0.0, until - self.now()))
        done, _ = ray.wait(asked, num_returns=len(asked), timeout=0)
        return [self._reply(ref) for ref in done]

    def replace(self, place: int) -> None:
        """Kill what is there, and start a new actor; until it is ready the other places do its work."""
        for ref in [ref for ref, where in self._place_of.items() if where == place]:
            self._forget(ref)
        ray.kill(self._actors[place], no_restart=True)
        self._begin(place)

    def ready(self, places: Sequence[int]) -> list[int]:
        """Places whose actor is there; a lost one whose new actor has no room yet is left out as long as others work.

        Raises:
            PoolError: none is ready after `READY_S`.
        """
        until = self.now() + READY_S
        while not (found := [place for place in places if self._is_ready(place)]):
            if self.now() > until:
                names = ", ".join(self.names[p] for p in places)
                raise PoolError(
                    f"{names}: lost, and the cluster has no room for a new one after {READY_S:g} s "
                    f"(free: {_free()}); add nodes and resume the run, or resume with fewer"
                )
            time.sleep(POLL_S)
        return found

    def stats(self) -> dict[str, tuple[dict[str, dict[str, int | float]], Table, int]]:
        """Counts, batches and memory of every place that still answers."""
        found = {}
        for place, (name, actor) in enumerate(zip(self.names, self._actors, strict=True)):
            if place in self._coming:
                continue  # lost, and its new actor is not there yet
            try:
                found[name] = ray.get(actor.stats.remote(), timeout=READY_S)
            except RayError:
                continue  # it died with what it had counted; nobody's answers depend on that
        return found

    def greet(self) -> None:
        """One call to every place that carries and does nothing: what Ray itself takes."""
        ray.get([actor.__ray_ready__.remote() for actor in self._actors])

    def now(self) -> float:
        """Seconds on a clock that only goes forward."""
        return time.monotonic()

    def close(self) -> None:
        """Kill all actors."""
        for actor in self._actors:
            ray.kill(actor, no_restart=True)

    def _begin(self, place: int) -> None:
        self._actors[place] = self._start(self.posts[place])
        self._coming[place] = self._actors[place].facts.remote()

    def _is_ready(self, place: int) -> bool:
        if place not in self._coming:
            return True
        done, _ = ray.wait([self._coming[place]], timeout=0)
        if not done:
            return False
        try:
            facts: Facts = ray.get(self._coming[place])
        except RayActorError:  # put on a node that was going down, which the cluster had not noticed yet
            self._begin(place)
            return False
        except RayTaskError as error:
            raise PoolError(f"{self.names[place]} could not be made again: {_last_line(error)}") from error
        name = self.names[place]
        for code, mine in facts.minds.items():
            check_alike(f"the lost {name}", self.facts[place].minds[code], f"the new {name}", mine)
        self.facts[place] = facts
        del self._coming[place]
        return True

    def _start(self, post: Post) -> Any:
        kind = ray.remote(Actor).options(
            num_cpus=post.cpus,
            num_gpus=post.gpus,
            max_restarts=0,
            max_task_retries=0,
            scheduling_strategy="SPREAD",
            enable_task_events=False,
        )
        return kind.remote(post.make, post.threads, self._environment)

    def _ready(self, place: int) -> Facts:
        name = self.names[place]
        try:
            facts: Facts = ray.get(self._actors[place].facts.remote(), timeout=READY_S)
        except GetTimeoutError as error:
            raise PoolError(
                f"{name} is not ready after {READY_S:g} s: the cluster has no room for it "
                f"(free: {_free()}); take fewer hosts and workers"
            ) from error
        except RayTaskError as error:
            if isinstance(error.cause, CatalogError):
                raise error.cause from error
            raise PoolError(f"{name} could not be made: {_last_line(error)}") from error
        except RayActorError as error:
            raise PoolError(f"{name} could not be made: {_last_line(error)}") from error
        return facts

    def _reply(self, ref: Any) -> Reply:
        ticket = self._ticket_of[ref]
        self._forget(ref)
        try:
            return Reply(ticket, unpack(ray.get(ref)))
        except RayTaskError as error:
            raise PoolError(f"a host could not read what it was asked: {_last_line(error)}") from error
        except RayError as error:
            return Reply(ticket, None, _last_line(error))

    def _forget(self, ref: Any) -> None:
        self._ticket_of.pop(ref, None)
        self._place_of.pop(ref, None)


def check_alike(first: str, theirs: Mapping[str, Any], second: str, mine: Mapping[str, Any]) -> None:
    """Refuse two places that hold the same mind and would answer differently.

    Raises:
        PoolError: they have other weights, code, or bits.
    """
    if mine["fingerprint"] != theirs["fingerprint"]:
        raise PoolError(f"{first} and {second} hold different minds {mine['name']!r}: every node needs the same ecosim")
    probes = [facts.get("probe", {}) for facts in (mine, theirs)]
    if probes[0].get("numerics") == "reproducible" and probes[0].get("bits") != probes[1].get("bits"):
        raise PoolError(
            f"{first} and {second} give the same question different bits ({mine['name']!r}): their processors are of "
            "different classes; use nodes of one kind, or --fast, which promises no equal bits"
        )


def _free() -> str:
    free = ray.available_resources()
    return ", ".join(f"{name} {free[name]:g}" for name in ("CPU", "GPU") if name in free) or "nothing"


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
