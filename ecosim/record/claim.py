"""A run's folder belongs to one process at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ecosim.errors import RunError

LOCK = ".lock"
"""A file in the folder of a run that is held while the run goes on; the system lets go of it when its process ends."""


def refuse_taken(path: Path) -> None:
    """Refuse a place where something is; an empty folder is a free place.

    Raises:
        RunError: something is in the way.
    """
    if path.is_dir() and {entry.name for entry in path.iterdir()} <= {LOCK}:
        return
    if path.exists():
        raise RunError(f"{path}: exists already; name another folder with --out, or remove it")


def claim(path: Path) -> None:
    """Make the folder of a run, if it is not there yet.

    Raises:
        RunError: something is in the way, or it cannot be made.
    """
    refuse_taken(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{path}: cannot be made: {error.strerror}; name another folder with --out") from error


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the folder of a run while the block lasts.

    Raises:
        RunError: another process holds it.
    """
    if os.name == "nt":
        yield  # no such locks there; a second process is the user's own care
        return
    import fcntl

    with (path / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(f"{path}: this run is still going on in another process") from None
        yield  # the file stays: who removes it may remove the one that another process has just locked
