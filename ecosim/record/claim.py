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
    """Refuse a place where something is, or where nothing can be made; an empty folder is a free place.

    Raises:
        RunError: something is in the way.
    """
    try:
        if path.is_dir() and {entry.name for entry in path.iterdir()} <= {LOCK}:
            return
        if path.exists():
            raise RunError(f"{path}: exists already; name another folder with --out, or remove it")
        above = next(parent for parent in path.absolute().parents if parent.exists())
    except OSError as error:
        raise _cannot(path, str(error.strerror)) from error
    if not above.is_dir():
        raise _cannot(path, f"{above} is a file")
    if not os.access(above, os.W_OK | os.X_OK):
        raise _cannot(path, f"no permission to write in {above}")


def claim(path: Path) -> None:
    """Make the folder of a run, if it is not there yet.

    Raises:
        RunError: something is in the way, or it cannot be made.
    """
    refuse_taken(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot(path, str(error.strerror)) from error


def _cannot(path: Path, why: str) -> RunError:
    return RunError(f"{path}: cannot be made: {why}; name another folder with --out")


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
